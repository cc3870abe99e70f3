"""Coverage: which rules answer an entry of the sources, and which touch a therapy.

A rule answers what its `sources` name. It touches a therapy when a topic that decides what it is asked about has a
statement on one of the therapy's drugs; checks of the patient as a whole touch every therapy and are listed for none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from types import CodeType, FunctionType
from typing import Any

from cds_service.knowledge import topics
from cds_service.knowledge.inventory import OPEN, SourceRule
from cds_service.knowledge.load import Knowledge
from cds_service.knowledge.model import Topic
from cds_service.knowledge.therapies import Therapy
from cds_service.rules.catalogue import RULES
from cds_service.rules.rule import Rule

_DEEP = 4  # functions within functions


def answering(source: str) -> tuple[str, ...]:
    """The rules that name this entry among their sources."""
    return tuple(rule.id for rule in RULES if source in rule.sources)


def touching(knowledge: Knowledge, therapy: Therapy) -> tuple[str, ...]:
    """The rules that are asked about one of its drugs, and those that its entry names."""
    said = {(statement.topic, statement.about) for statement in knowledge.statements}
    return tuple(
        rule.id
        for rule in RULES
        if rule.id in therapy.rules
        or any((name, drug) in said for name in topics_of(rule) for drug in therapy.drugs)
    )


def offering(knowledge: Knowledge, therapy: Therapy) -> tuple[str, ...]:
    """The options at relapse that it is listed among."""
    return tuple(option.id for option in knowledge.options.values() if option.therapy == therapy.id)


def done_about(row: SourceRule) -> str:
    """What is done about a rule of the clinical notes, in words."""
    rules = answering(row.id)
    if rules:
        return "rules" + (f"; {row.done}: {row.why}" if row.done not in ("", OPEN) else "")
    return f"{row.done}: {row.why}" if row.why else row.done


@cache
def topics_of(rule: Rule[Any]) -> frozenset[str]:
    """The topics that decide what a rule is asked about."""
    return frozenset(topic.name for topic in _within(rule.subjects, _DEEP))


def _within(value: object, depth: int) -> Iterator[Topic[Any]]:
    """Every topic that a function was given, or names in its own code."""
    if isinstance(value, Topic):
        yield value
    elif isinstance(value, tuple) and depth:
        for each in value:
            yield from _within(each, depth - 1)
    elif is_dataclass(value) and not isinstance(value, type) and depth:
        for each in fields(value):
            yield from _within(getattr(value, each.name), depth - 1)
    elif isinstance(value, FunctionType) and depth:
        for cell in value.__closure__ or ():
            yield from _within(cell.cell_contents, depth - 1)
        for name in _names(value.__code__):
            yield from _within(getattr(topics, name, None), 1)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
