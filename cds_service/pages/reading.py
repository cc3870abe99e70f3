"""What a rule may read and cite, told from its code: the keys of facts and the topics that it or its helpers name.

It is what a rule can reach, not what one patient's check read: that stands in the trace of the check.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from types import CodeType, FunctionType, ModuleType
from typing import Any

from cds_service.facts.fact import Key
from cds_service.knowledge import topics
from cds_service.knowledge.model import Topic
from cds_service.rules.rule import Case, Rule

_OURS = ("cds_service.rules.", "cds_service.facts.")


@dataclass(frozen=True, slots=True)
class Reach:
    """The facts and the topics within reach of a rule, by name."""

    keys: tuple[Key[Any], ...]
    topics: frozenset[str]


@cache
def reach(rule: Rule[Any]) -> Reach:
    """What a rule may read and cite."""
    found: dict[int, object] = {}
    waiting: list[object] = [rule.subjects, rule.function]
    while waiting:
        value = waiting.pop()
        if id(value) in found:
            continue
        found[id(value)] = value
        waiting += _next(value)
    keys = {each.name: each for each in found.values() if isinstance(each, Key)}
    named = frozenset(each.name for each in found.values() if isinstance(each, Topic))
    return Reach(tuple(sorted(keys.values(), key=lambda key: key.label.lower())), named)


def _next(value: object) -> Iterator[object]:
    """What a value leads to: a function to what its code names, a container to what it holds."""
    value = getattr(value, "__wrapped__", value)
    if isinstance(value, FunctionType):
        if value.__module__.startswith(_OURS):
            yield from _named(value)
    elif isinstance(value, Rule):
        yield from (value.subjects, value.function)
    elif isinstance(value, type):
        if value.__module__.startswith(_OURS) and value is not Case:
            yield from (_plain(each) for each in vars(value).values())
    elif isinstance(value, Mapping):
        yield from (*value.keys(), *value.values())
    elif isinstance(value, tuple | list | set | frozenset):
        yield from value
    elif is_dataclass(value) and type(value).__module__.startswith(_OURS) and not isinstance(value, Key):
        yield from (getattr(value, each.name) for each in fields(value))
        yield vars(type(value)).get("__call__")


def _plain(member: object) -> object:
    """The function behind a property or a class method."""
    inner = getattr(member, "fget", None) or getattr(member, "__func__", None)
    return inner if inner is not None else member


def _named(function: FunctionType) -> Iterator[object]:
    yield from (cell.cell_contents for cell in function.__closure__ or ())
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    for name in _names(function.__code__):
        value = function.__globals__.get(name)
        if value is not None and not isinstance(value, ModuleType):
            yield value
        yield getattr(topics, name, None)
        yield _plain(vars(Case).get(name))


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
