"""A rule in words: what it checks, how urgent it may be, and where it comes from."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from cds_service.knowledge.load import Knowledge
from cds_service.rules.rule import Rule


@dataclass(frozen=True, slots=True)
class From:
    """A recommendation that the rule answers: its number in our tables, and what it says."""

    id: str
    says: str


@dataclass(frozen=True, slots=True)
class RuleTold:
    """A rule in words. `more`: paragraphs beyond the title."""

    id: str
    title: str
    more: tuple[str, ...]
    worst: str
    blind: str
    before_dose: bool
    sources: tuple[From, ...]


def in_words(rule: Rule[Any]) -> tuple[str, ...]:
    """Its description, paragraph by paragraph, the title first; each in one line, as the page breaks it."""
    return tuple(" ".join(each.split()) for each in (inspect.getdoc(rule.function) or "").split("\n\n"))


def told_of(rule: Rule[Any], knowledge: Knowledge) -> RuleTold:
    """The rule as its own description tells it."""
    rows = {**knowledge.decision_rules, **knowledge.safety_rules}
    sources = tuple(From(each, rows[each].says if each in rows else "") for each in rule.sources)
    return RuleTold(
        rule.id, rule.title, in_words(rule)[1:], rule.worst.indicator, rule.blind.indicator, rule.before_dose, sources
    )
