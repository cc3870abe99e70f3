"""Mutation testing of the rules: every comparison, truth arm, level and switch is changed in turn, and a vignette must
notice. `python -m tests.mutation` prints the score and the survivors; what they mean
stands in docs/mutation.md.

A mutant is made from the syntax tree of one rules module and run in a forked child, so that nothing of it stays. What
the vignettes let live is asked once more of the whole patients, the samples and the invariants.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib
import importlib.abc
import importlib.util
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

from cds_service.quantity import Quantity

ROOT = Path(__file__).parents[1]
RULES = ROOT / "cds_service" / "rules"
SECOND_LOOK = ("tests/test_patients.py", "tests/test_samples.py", "tests/test_invariants.py")
SECONDS = 120  # a child that takes longer hangs: noticed

_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_MEMBER = {
    "Truth": {"YES": "NO", "NO": "UNKNOWN", "UNKNOWN": "NO"},
    "Level": {"CRITICAL": "WARNING", "WARNING": "INFO", "INFO": "WARNING"},
}


@dataclass(frozen=True)
class Mutant:
    """One changed module, or one changed number of the knowledge: where, what stood there, what stands there now."""

    module: str
    line: int
    change: str
    source: str = ""
    statement: Any = None

    def __str__(self) -> str:
        return f"{self.module}.py:{self.line}: {self.change}" if self.source else f"{self.module}: {self.change}"


def mutants(path: Path) -> Iterator[Mutant]:
    """Every mutant of a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for index, node in enumerate(_inside_functions(tree)):
        for which in range(_ways(node)):
            changed = copy.deepcopy(tree)
            twin = list(_inside_functions(changed))[index]
            before = ast.unparse(twin)
            after = _change(twin, which)
            line = getattr(node, "lineno", 0)
            yield Mutant(_name(path), line, f"{before}  ->  {ast.unparse(after)}", ast.unparse(changed))


def _name(path: Path) -> str:
    """A module's name below `cds_service.rules`, such as `heart.qtc`."""
    return ".".join(path.relative_to(RULES).with_suffix("").parts)


def numbers(knowledge: Any) -> Iterator[Mutant]:
    """Every measured value of the knowledge, one step of its last digit higher and lower."""
    for statement in knowledge.statements:
        value = statement.value
        if isinstance(value, Quantity):
            step = Decimal(1).scaleb(min(0, int(value.value.as_tuple().exponent)))
            for changed in (value.value + step, value.value - step):
                twin = replace(statement, value=Quantity(changed, value.unit))
                yield Mutant(statement.id, 0, f"{value}  ->  {twin.value}", statement=twin)


def _inside_functions(tree: ast.Module) -> Iterator[ast.AST]:
    """The nodes of function bodies: decorators, annotations and module constants say nothing that a case could show."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for statement in function.body:
                if not isinstance(statement, ast.FunctionDef):
                    yield from (node for node in ast.walk(statement) if _ways(node))


def _ways(node: ast.AST) -> int:
    match node:
        case ast.Compare(ops=ops):
            return sum(type(op) in _COMPARE for op in ops)
        case ast.BoolOp():
            return 1
        case ast.UnaryOp(op=ast.Not()):
            return 1
        case ast.Attribute(value=ast.Name(id=owner), attr=name) if name in _MEMBER.get(owner, {}):
            return 1
        case _:
            return 0


def _change(node: ast.AST, which: int) -> ast.AST:
    match node:
        case ast.Compare():
            places = [place for place, op in enumerate(node.ops) if type(op) in _COMPARE]
            node.ops[places[which]] = _COMPARE[type(node.ops[places[which]])]()
        case ast.BoolOp():
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        case ast.UnaryOp():
            node.operand, node.op = ast.UnaryOp(ast.Not(), node.operand), ast.Not()
        case ast.Attribute(value=ast.Name(id=owner)):
            node.attr = _MEMBER[owner][node.attr]
        case _:
            raise ValueError(f"no change for {ast.dump(node)}")
    return node


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
        changed = tuple(mutant.statement if each.id == mutant.module else each for each in knowledge.statements)
        knowledge = replace(knowledge, statements=changed)
    for name in [each for each in sys.modules if each.startswith(("cds_service.rules", "cds_service.present"))]:
        del sys.modules[name]
    for name in ("tests.vignette_runner", "cds_service.answer"):
        sys.modules.pop(name, None)
    name = f"cds_service.rules.{mutant.module}"
    if mutant.source:
        sys.meta_path.insert(0, _Swap(name, mutant.source))
    try:
        runner: Any = importlib.import_module("tests.vignette_runner")
        runner._knowledge = lambda: knowledge
        written = vars(sys.modules[name]).values() if mutant.source else ()
        own = {each.id for each in written if type(each).__name__ == "Rule"}
        for vignette in [each for each in cases if not own or each.rule in own]:
            if runner.compare(vignette, runner.tell(vignette)):
                return True
    except Exception:  # noqa: BLE001 - a mutant that breaks is noticed
        return True
    return False


def _in_child(mutant: Mutant, knowledge: Any, cases: Sequence[Any]) -> bool:
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
    """Whether the whole patients, the samples or the invariants notice what the vignettes let live."""
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
    """Run, print, and tell by the exit code whether all were noticed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--module", action="append", help="only these modules of cds_service/rules")
    parser.add_argument("--sample", type=int, help="at most so many mutants, chosen at random but always the same")
    parser.add_argument("--second-look", action="store_true", help="ask the slower tests about the survivors too")
    parser.add_argument("--floor", type=float, default=100.0, help="the percentage that has to be noticed")
    chosen = parser.parse_args()
    from cds_service.knowledge.load import Knowledge
    from tests.vignette_runner import vignettes

    knowledge, cases = Knowledge.load(), vignettes()
    paths = [path for path in sorted(RULES.rglob("*.py")) if path.stem not in ("__init__", "catalogue")]
    found = [m for path in paths if not chosen.module or _name(path) in chosen.module for m in mutants(path)]
    found += [] if chosen.module else numbers(knowledge)
    if chosen.sample and chosen.sample < len(found):
        found = random.Random(0).sample(found, chosen.sample)
    survivors: list[Mutant] = []
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        asked = pool.map(lambda mutant: _in_child(mutant, knowledge, cases), found)
        for number, (mutant, noticed) in enumerate(zip(found, asked, strict=True), 1):
            if not noticed:
                survivors.append(mutant)
                sys.stderr.write(f"unnoticed: {mutant}\n")
            if number % 50 == 0:
                sys.stderr.write(f"{number} of {len(found)}, {len(survivors)} unnoticed\n")
    if chosen.second_look:
        survivors = [mutant for mutant in survivors if mutant.statement is not None or not _second_look(mutant)]
    for mutant in sorted(survivors, key=lambda each: (each.module, each.line)):
        sys.stdout.write(f"{mutant}\n")
    for module, row in sorted(_by_module(found, survivors).items()):
        sys.stdout.write(f"| {module} | {row[0]} | {row[1]} | {100 * row[1] // row[0]} |\n")
    share = 100 * (len(found) - len(survivors)) / max(1, len(found))
    sys.stdout.write(f"{len(found) - len(survivors)} of {len(found)} noticed ({share:.1f} %)\n")
    return 1 if share < chosen.floor else 0


def _by_module(found: Sequence[Mutant], survivors: Sequence[Mutant]) -> dict[str, tuple[int, int]]:
    """For each module, and for the numbers of the knowledge together, how many mutants there were and were noticed."""
    rows: dict[str, tuple[int, int]] = {}
    for mutant in found:
        name = mutant.module if mutant.source else "numbers of the knowledge"
        every, noticed = rows.get(name, (0, 0))
        rows[name] = (every + 1, noticed + (mutant not in survivors))
    return rows


if __name__ == "__main__":
    sys.exit(main())
