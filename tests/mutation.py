"""Mutation testing of the rules: every comparison, truth arm, level and switch is changed in turn, and a vignette must
notice. `python -m tests.mutation` prints the score and the survivors; what they mean stands in docs/mutation.md.

A mutant (`tests/mutants.py`) runs in a forked child, so that nothing of it stays, and is asked of every vignette that
runs its function or looks up its number. What the vignettes let live is asked once more of the slower tests. A survivor
must stand in data/explained_mutants.yaml; an entry there that is noticed after all, or is no mutant, is an error.
"""

from __future__ import annotations

import argparse
import importlib
import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any

from tests import second_look
from tests.mutants import NUMBERS, Mutant, explained, mutants, numbers, paths
from tests.second_look import Swap

SECONDS = 120  # a child that takes longer hangs: noticed


@dataclass(frozen=True)
class Reach:
    """Which vignettes run a function of a module, and which look up a statement."""

    cases: Sequence[Any]
    found: Mapping[tuple[str, str], Sequence[int]]

    def asked(self, mutant: Mutant) -> list[Any]:
        """The vignettes that could notice, those of few drugs first: asking for all options takes longest.

        A function that none of them runs may have run when its module was imported: all of them are asked.
        """
        nobody: Sequence[int] = () if mutant.statement else range(len(self.cases))
        every = [self.cases[index] for index in self.found.get((mutant.module, mutant.place), nobody)]
        return sorted(every, key=lambda vignette: vignette.rule == "options-at-relapse")


def reach(cases: Sequence[Any]) -> Reach:
    """Run every vignette once, unchanged, and see what it touches. Raises ValueError for one that fails."""
    from cds_service.knowledge.load import Knowledge
    from cds_service.knowledge.snapshot import Snapshot
    from tests import vignette_runner as runner

    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    touched: set[tuple[str, str]] = set()
    names = {str(path): name for name, path in paths().items()}
    at = Knowledge.at

    class Noted(dict[Any, Any]):
        def get(self, question: Any, default: Any = None) -> Any:
            statement = super().get(question, default)
            if statement is not None:
                touched.add((NUMBERS, statement.id))
            return statement

    def noting(self: Knowledge, *when: Any) -> Snapshot:
        snapshot = at(self, *when)
        if not isinstance(snapshot.statements, Noted):
            object.__setattr__(snapshot, "statements", Noted(snapshot.statements))
        return snapshot

    def call(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and (module := names.get(frame.f_code.co_filename)):
            touched.add((module, frame.f_code.co_qualname.split(".<")[0]))

    setattr(Knowledge, "at", noting)  # noqa: B010 - only for this run
    sys.setprofile(call)
    try:
        for index, vignette in enumerate(cases):
            touched.clear()
            if wrong := runner.compare(vignette, runner.tell(vignette)):
                raise ValueError(f"without any mutant, '{vignette.name}' fails: {'; '.join(wrong)}")
            for place in touched:
                found[place].append(index)
    finally:
        sys.setprofile(None)
        setattr(Knowledge, "at", at)  # noqa: B010
    return Reach(cases, found)


def _noticed(mutant: Mutant, knowledge: Any, cases: Sequence[Any]) -> bool:
    """In the child: whether a vignette notices the change."""
    if mutant.statement is not None:
        changed = tuple(mutant.statement if each.id == mutant.place else each for each in knowledge.statements)
        knowledge = replace(knowledge, statements=changed)
    for name in [each for each in sys.modules if each.startswith(("cds_service.rules", "cds_service.present"))]:
        del sys.modules[name]
    for name in ("tests.vignette_runner", "cds_service.answer"):
        sys.modules.pop(name, None)
    if source := mutant.source:
        sys.meta_path.insert(0, Swap(f"cds_service.rules.{mutant.module}", source))
    try:
        runner: Any = importlib.import_module("tests.vignette_runner")
        runner._knowledge = lambda: knowledge
        return any(runner.compare(vignette, runner.tell(vignette)) for vignette in cases)
    except Exception:  # noqa: BLE001 - a mutant that breaks is noticed
        return True


def _in_child(mutant: Mutant, knowledge: Any, cases: Sequence[Any]) -> bool:
    if not cases and mutant.statement is not None:
        return False  # what runs at import alone is still imported: a service that does not start is noticed
    child = os.fork()
    if child == 0:
        os.close(2)
        os.open(os.devnull, os.O_WRONLY)
        os._exit(1 if _noticed(mutant, knowledge, cases) else 0)
    end = time.monotonic() + SECONDS
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status) != 0
        if time.monotonic() > end:
            os.kill(child, 9)
            os.waitpid(child, 0)
            return True
        time.sleep(0.005)


def main() -> int:
    """Run, print, and tell by the exit code whether enough were noticed, and every explanation still holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--module", action="append", help="only these modules of cds_service/rules")
    parser.add_argument("--numbers", action="store_true", help="only the numbers of the knowledge")
    parser.add_argument("--sample", type=int, help="at most so many mutants, chosen at random but always the same")
    parser.add_argument("--second-look", action="store_true", help="ask the slower tests about the survivors too")
    parser.add_argument("--floor", type=float, default=100.0, help="the percentage to be noticed or explained")
    chosen = parser.parse_args()
    from cds_service.knowledge.load import Knowledge
    from tests.vignette_runner import vignettes

    wanted = chosen.module or ([] if chosen.numbers else list(paths()))
    unknown = set(wanted) - set(paths())
    if unknown:
        parser.error(f"no such module: {', '.join(sorted(unknown))}; expected one of {', '.join(paths())}")
    knowledge = Knowledge.load()
    found = [mutant for name, path in paths().items() if name in wanted for mutant in mutants(name, path)]
    found += [] if chosen.module else numbers(knowledge)
    told = explained({mutant.module for mutant in found})
    gone = told.keys() - {(mutant.module, mutant.name) for mutant in found}
    if chosen.sample and chosen.sample < len(found):
        found = random.Random(0).sample(found, chosen.sample)
    alive = _alive(found, knowledge, reach(vignettes()))
    mute = [mutant for mutant in alive if (mutant.module, mutant.name) in told]
    open_ = [mutant for mutant in alive if (mutant.module, mutant.name) not in told]
    if chosen.second_look:
        open_ = second_look.unnoticed(open_)
    wrong = [f"explained, but there is no such mutant: {module}, {name}" for module, name in sorted(gone)]
    wrong += [f"explained, but noticed: {m}" for m in found if (m.module, m.name) in told and m not in mute]
    for line in [*map(str, open_), *wrong]:
        sys.stdout.write(f"{line}\n")
    _report(found, alive, mute, open_)
    share = 100 * (len(found) - len(open_)) / max(1, len(found))
    return 1 if wrong or share < chosen.floor else 0


def _alive(found: Sequence[Mutant], knowledge: Any, seen: Reach) -> list[Mutant]:
    """Those that no vignette notices."""
    alive: list[Mutant] = []
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        asked = pool.map(lambda mutant: _in_child(mutant, knowledge, seen.asked(mutant)), found)
        for number, (mutant, noticed) in enumerate(zip(found, asked, strict=True), 1):
            if not noticed:
                alive.append(mutant)
                sys.stderr.write(f"unnoticed: {mutant}\n")
            if number % 50 == 0:
                sys.stderr.write(f"{number} of {len(found)}, {len(alive)} unnoticed\n")
    return alive


def _report(found: Sequence[Mutant], alive: Sequence[Mutant], mute: Sequence[Mutant], open_: Sequence[Mutant]) -> None:
    """A table by module and its sum: how many there were, the vignettes noticed, the slower tests noticed, are
    explained, and stand open.
    """
    names = sorted({mutant.module for mutant in found}, key=lambda name: (name == NUMBERS, name))
    rows = [(name, _row(name, found, alive, mute, open_)) for name in names]
    rules = [row for name, row in rows if name != NUMBERS]
    if len(rules) > 1:
        rows.insert(len(rules), ("all rules", tuple(map(sum, zip(*rules, strict=True)))))
    for name, row in rows:
        sys.stdout.write(f"| {name} | {' | '.join(map(str, row))} |\n")
    share = 100 / max(1, len(found))
    first, second = len(found) - len(alive), len(alive) - len(mute) - len(open_)
    sys.stdout.write(
        f"{first} of {len(found)} noticed by vignettes ({first * share:.1f} %), {second} by slower tests, "
        f"{len(mute)} explained, {len(open_)} open: {100 - len(open_) * share:.1f} % noticed or explained\n"
    )


def _row(module: str, *kinds: Iterable[Mutant]) -> tuple[int, ...]:
    """Of a module: found, noticed by vignettes, by slower tests, explained, open."""
    found, alive, mute, open_ = (sum(mutant.module == module for mutant in each) for each in kinds)
    return found, found - alive, alive - mute - open_, mute, open_


if __name__ == "__main__":
    sys.exit(main())
