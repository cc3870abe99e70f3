"""Mutation testing of the rules: every comparison, truth arm, level and switch is changed in turn, and a vignette must
notice. `python -m tests.mutation` prints the score and the survivors; what they mean stands in docs/mutation.md.

A mutant (`tests/mutants.py`) runs in a forked child, so that nothing of it stays, and is asked of every vignette that
runs its function or looks up its number. What the vignettes let live is asked once more of the slower tests. A survivor
must stand in data/explained_mutants.yaml; an entry there that is noticed after all, or is no mutant, is an error.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.abc
import importlib.util
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from tests.mutants import NUMBERS, Mutant, explained, mutants, numbers, paths

ROOT = Path(__file__).parents[1]
SECOND_LOOK = (
    *("tests/test_hospital.py", "tests/test_options.py", "tests/test_targets_and_allergy.py"),
    *("tests/test_heart.py", "tests/test_samples.py", "tests/test_patients.py", "tests/test_invariants.py"),
)
SECONDS = 120  # a child that takes longer hangs: noticed


@dataclass(frozen=True)
class Reach:
    """Which vignettes run a function of a module, and which look up a statement."""

    cases: Sequence[Any]
    found: Mapping[tuple[str, str], Sequence[int]]

    def asked(self, mutant: Mutant) -> list[Any]:
        """The vignettes that could notice, those of few drugs first: asking for all options takes longest."""
        every = [self.cases[index] for index in self.found.get((mutant.module, mutant.place), ())]
        return sorted(every, key=lambda vignette: vignette.rule == "options-at-relapse")


def reach(cases: Sequence[Any]) -> Reach:
    """Run every vignette once, unchanged, and see what it touches."""
    from cds_service.knowledge.load import Snapshot
    from tests import vignette_runner as runner

    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    touched: set[tuple[str, str]] = set()
    names = {str(path): name for name, path in paths().items()}
    find = Snapshot.find

    def look_up(self: Snapshot, *question: Any) -> Any:
        statement = find(self, *question)
        if statement is not None:
            touched.add((NUMBERS, statement.id))
        return statement

    def call(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and (module := names.get(frame.f_code.co_filename)):
            touched.add((module, frame.f_code.co_qualname.split(".<")[0]))

    setattr(Snapshot, "find", look_up)  # noqa: B010 - only for this run
    sys.setprofile(call)
    try:
        for index, vignette in enumerate(cases):
            touched.clear()
            runner.tell(vignette)
            for place in touched:
                found[place].append(index)
    finally:
        sys.setprofile(None)
        setattr(Snapshot, "find", find)  # noqa: B010
    return Reach(cases, found)


class _Swap(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the changed source to whoever imports the module."""

    def __init__(self, name: str, source: str) -> None:
        self.name, self.source = name, source

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        return importlib.util.spec_from_loader(fullname, self) if fullname == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.source, self.name, "exec"), module.__dict__)


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
        sys.meta_path.insert(0, _Swap(f"cds_service.rules.{mutant.module}", source))
    try:
        runner: Any = importlib.import_module("tests.vignette_runner")
        runner._knowledge = lambda: knowledge
        return any(runner.compare(vignette, runner.tell(vignette)) for vignette in cases)
    except Exception:  # noqa: BLE001 - a mutant that breaks is noticed
        return True


def _in_child(mutant: Mutant, knowledge: Any, cases: Sequence[Any]) -> bool:
    if not cases:
        return False
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


def _second_look(mutant: Mutant) -> bool:
    """Whether the unit tests of rules, the samples, the whole patients or the invariants notice the changed module."""
    with tempfile.TemporaryDirectory() as folder:
        plugin = Path(folder) / "swapped.py"
        plugin.write_text(
            "import sys\nfrom tests.mutation import _Swap\n"
            f"sys.meta_path.insert(0, _Swap('cds_service.rules.{mutant.module}', {mutant.source!r}))\n",
            encoding="utf-8",
        )
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "swapped", *SECOND_LOOK],
            cwd=ROOT, env=os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}, capture_output=True, check=False,
        )  # fmt: skip
    return run.returncode != 0


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
        open_ = [mutant for mutant in open_ if mutant.statement is not None or not _second_look(mutant)]
    wrong = [f"explained, but there is no such mutant: {module}, {name}" for module, name in sorted(gone)]
    wrong += [f"explained, but noticed: {m}" for m in found if (m.module, m.name) in told and m not in mute]
    for line in [*map(str, open_), *wrong]:
        sys.stdout.write(f"{line}\n")
    _report(found, mute, open_)
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


def _report(found: Sequence[Mutant], mute: Sequence[Mutant], open_: Sequence[Mutant]) -> None:
    """A table by module: how many there were, were noticed, are explained and stand open; and what they come to."""
    rows: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in found:
        rows[mutant.module].append(mutant)
    for name, own in sorted(rows.items()):
        quiet, left = _of(name, mute), _of(name, open_)
        sys.stdout.write(f"| {name} | {len(own)} | {len(own) - quiet - left} | {quiet} | {left} |\n")
    noticed = len(found) - len(mute) - len(open_)
    share = 100 / max(1, len(found))
    sys.stdout.write(
        f"{noticed} of {len(found)} noticed ({noticed * share:.1f} %), {len(mute)} explained, {len(open_)} open: "
        f"{(noticed + len(mute)) * share:.1f} % noticed or explained\n"
    )


def _of(module: str, some: Iterable[Mutant]) -> int:
    return sum(mutant.module == module for mutant in some)


if __name__ == "__main__":
    sys.exit(main())
