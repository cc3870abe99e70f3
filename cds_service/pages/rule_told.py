"""A rule in words: what it checks, how urgent it may be, and where it comes from."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from cds_service.knowledge.load import Knowledge
from cds_service.rules.rule import Rule


@dataclass(frozen=True, slots=True)
class From:
    """What the rule answers or rests on: its number in our tables, and what it says."""

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


def told_of(rule: Rule[Any], knowledge: Knowledge) -> RuleTold:
    """The rule as its own description tells it."""
    return RuleTold(
        rule.id, rule.title, in_words(rule), rule.worst.indicator, rule.blind.indicator, rule.before_dose,
        written_from(rule, knowledge),
    )  # fmt: skip


def in_words(rule: Rule[Any]) -> tuple[str, ...]:
    """What the rule does, paragraph by paragraph, without its title."""
    described = inspect.getdoc(rule.function) or ""
    return tuple(" ".join(each.split()) for each in described.split("\n\n")[1:])


def written_from(rule: Rule[Any], knowledge: Knowledge) -> tuple[From, ...]:
    """What it was written from, in the order in which it names it."""
    return tuple(From(each, _says(each, knowledge)) for each in rule.sources)


def _says(source: str, knowledge: Knowledge) -> str:
    """What stands under a number: a rule of the sources, a question that they leave open, or an erratum."""
    for rows in (knowledge.decision_rules, knowledge.safety_rules, knowledge.open_questions):
        if source in rows:
            return rows[source].says
    erratum = knowledge.errata.get(source)
    return f"erratum, {erratum.about}: {erratum.supported}" if erratum is not None else ""
