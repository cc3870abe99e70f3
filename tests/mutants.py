"""Mutants: every comparison, truth arm, level and switch of a rules module changed in turn, every number moved a step.

Which of them change nothing that anybody could observe, and why, stands in data/explained_mutants.yaml.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from cds_service.quantity import Quantity

RULES = Path(__file__).parents[1] / "cds_service" / "rules"
EXPLAINED = Path(__file__).parent / "data" / "explained_mutants.yaml"
NUMBERS = "numbers of the knowledge"

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
    """One changed module, or one changed number of the knowledge: where, what stood there, what stands there now.

    `place` is the outermost function, or the id of the statement; `nth` tells equal changes of one place apart.
    """

    module: str
    place: str
    change: str
    line: int = 0
    nth: int = 1
    tree: Any = None
    statement: Any = None

    @property
    def name(self) -> str:
        """What it is called in the list of the explained: stays the same when lines move."""
        return f"{self.place}: {self.change}" + (f"  #{self.nth}" if self.nth > 1 else "")

    @property
    def source(self) -> str:
        """The changed module, written out; "" for a number."""
        if self.tree is None:
            return ""
        changed = copy.deepcopy(self.tree[0])
        index, which = self.tree[1:]
        _change([node for _, node in _inside_functions(changed)][index], which)
        return ast.unparse(changed)

    def __str__(self) -> str:
        return f"{self.module}:{self.line} {self.name}" if self.tree else f"{self.module}, {self.name}"


def paths() -> dict[str, Path]:
    """The modules that are asked, by their names below `cds_service.rules`, such as `heart.qtc`."""
    found = (path for path in sorted(RULES.rglob("*.py")) if path.stem not in ("__init__", "catalogue"))
    return {".".join(path.relative_to(RULES).with_suffix("").parts): path for path in found}


def mutants(module: str, path: Path) -> Iterator[Mutant]:
    """Every mutant of a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    times: Counter[tuple[str, str]] = Counter()
    for index, (place, node) in enumerate(_inside_functions(tree)):
        for which in range(_ways(node)):
            change = f"{ast.unparse(node)}  ->  {ast.unparse(_change(copy.deepcopy(node), which))}"
            times[place, change] += 1
            line = getattr(node, "lineno", 0)
            yield Mutant(module, place, change, line, times[place, change], (tree, index, which))


def numbers(knowledge: Any) -> Iterator[Mutant]:
    """Every measured value of the knowledge, one step of its last digit higher and lower."""
    for statement in knowledge.statements:
        value = statement.value
        if isinstance(value, Quantity):
            step = Decimal(1).scaleb(min(0, int(value.value.as_tuple().exponent)))
            for changed in (value.value + step, value.value - step):
                twin = replace(statement, value=Quantity(changed, value.unit))
                yield Mutant(NUMBERS, statement.id, f"{value}  ->  {twin.value}", statement=twin)


def explained(names: Iterable[str]) -> dict[tuple[str, str], str]:
    """The reasons by module and mutant, of these modules. Raises ValueError for an entry without mutants or reason."""
    found: dict[tuple[str, str], str] = {}
    for module, entries in yaml.safe_load(EXPLAINED.read_text(encoding="utf-8")).items():
        for entry in entries:
            if not entry.keys() == {"why", "mutants"} or not entry["why"] or not entry["mutants"]:
                raise ValueError(f"explained mutants, {module}: expected 'why' and 'mutants', found {entry}")
            for mutant in entry["mutants"]:
                if (module, mutant) in found:
                    raise ValueError(f"explained mutants, {module}: '{mutant}' stands there twice")
                found[module, mutant] = entry["why"]
    return {key: why for key, why in found.items() if key[0] in set(names)}


def _inside_functions(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """The nodes of function bodies: decorators, annotations and module constants say nothing that a case could show."""
    for owner, function in _functions(tree, ""):
        for statement in function.body:
            if not isinstance(statement, ast.FunctionDef):
                yield from ((owner, node) for node in ast.walk(statement) if _ways(node))


def _functions(inside: ast.AST, owner: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Every function with the name of the outermost one around it, as in `Use.active`."""
    for node in ast.iter_child_nodes(inside):
        match node:
            case ast.ClassDef():
                yield from _functions(node, f"{node.name}.")
            case ast.FunctionDef():
                place = owner if owner and not owner.endswith(".") else f"{owner}{node.name}"
                yield place, node
                yield from _functions(node, place)
            case _:
                yield from _functions(node, owner)


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
