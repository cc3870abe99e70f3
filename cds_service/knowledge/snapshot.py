"""Snapshot: what holds on one day in one place, as look-ups; and which of several statements that is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any, TypeVar, cast

from cds_service.knowledge.model import JURISDICTIONS, Drug, Precipitant, Statement, Topic
from cds_service.knowledge.options import EarlierCourse, Option
from cds_service.knowledge.overlay import Switch
from cds_service.knowledge.therapies import Therapy

T = TypeVar("T")


@dataclass(frozen=True)
class Snapshot:
    """The knowledge in force on one day in one jurisdiction: look-ups by topic and subject, made once."""

    day: date
    jurisdiction: str
    drugs: Mapping[str, Drug]
    precipitants: Mapping[str, Precipitant]
    statements: Mapping[tuple[str, str, str], Statement[Any]]
    therapies: Mapping[str, Therapy]
    options: Mapping[str, Option]
    courses: Mapping[str, EarlierCourse]
    switches: Mapping[str, Switch] = field(default_factory=dict, kw_only=True)  # rules that the hospital switched
    reasons: Mapping[str, tuple[str, ...]] = field(default_factory=dict, kw_only=True)  # override reasons it chose
    shipped: Snapshot | None = field(default=None, kw_only=True)  # what would hold without the hospital's overlay

    def find(self, topic: Topic[T], about: str, qualifier: str = "") -> Statement[T] | None:
        """What is said on that topic of that subject; None when nothing is."""
        return cast("Statement[T] | None", self.statements.get((topic.name, about, qualifier)))

    def qualifiers(self, topic: Topic[T], about: str) -> tuple[str, ...]:
        """The qualifiers under which the topic has statements of that subject."""
        return self._qualifiers.get((topic.name, about), ())

    def spoken_of(self, topics: tuple[str, ...]) -> frozenset[str]:
        """Those of our drugs of which anything is said on one of the topics, by the names of these."""
        kept = self._spoken_of.get(topics)
        if kept is None:
            told = {about for topic, about in self._qualifiers if topic in topics}
            kept = self._spoken_of[topics] = frozenset(told & self.drugs.keys())
        return kept

    @cached_property
    def effects(self) -> Mapping[tuple[str, str], Statement[str]]:
        """What is said of each precipitant's effects, by its name and the kind of effect."""
        every = ((drug, each) for drug, known in self.precipitants.items() for each in reversed(known.statements))
        return {(drug, each.topic): each for drug, each in every}

    @cached_property
    def unswitched(self) -> Snapshot:
        """The same with every rule running, whatever the hospital switched off or let run in shadow."""
        return replace(self, switches={}) if self.switches else self

    @cached_property
    def kept(self) -> dict[object, Any]:
        """What others told of this knowledge once, such as which checks concern which drug. Never of a patient."""
        return {}

    @cached_property
    def _spoken_of(self) -> dict[tuple[str, ...], frozenset[str]]:
        """What was told before: every rule asks, and options ask every rule about every drug."""
        return {}

    @cached_property
    def _qualifiers(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        """The qualifiers by topic and subject: every rule asks for them, for every drug on the list."""
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        for name, subject, qualifier in self.statements:
            found[name, subject] = (*found.get((name, subject), ()), qualifier)
        return found


def statements_in_force(
    statements: Iterable[Statement[Any]], day: date, jurisdiction: str
) -> dict[tuple[str, str, str], Statement[Any]]:
    """What answers each question on that day in that jurisdiction; of another place where nothing is said here."""
    found: dict[tuple[str, str, str], Statement[Any]] = {}
    for statement in statements:
        if not statement.in_force(day):
            continue
        key = (statement.topic, statement.about, statement.qualifier)
        here = jurisdiction in statement.jurisdictions
        candidate = statement if here else replace(statement, foreign=_first(statement.jurisdictions))
        present = found.get(key)
        if present is None or _wins(candidate, present):
            found[key] = candidate
    return found


def precipitant_in_force(precipitant: Precipitant, day: date, jurisdiction: str) -> Precipitant:
    """The precipitant with what holds of it on that day, statements of another place marked as borrowed."""
    statements = tuple(
        each if jurisdiction in each.jurisdictions else replace(each, foreign=_first(each.jurisdictions))
        for each in precipitant.statements
        if each.in_force(day)
    )
    return replace(precipitant, statements=statements)


def _wins(candidate: Statement[Any], present: Statement[Any]) -> bool:
    if bool(candidate.foreign) != bool(present.foreign):
        return not candidate.foreign
    if candidate.foreign and candidate.foreign != present.foreign:  # borrowed: the first in JURISDICTIONS lends
        return JURISDICTIONS.index(candidate.foreign) < JURISDICTIONS.index(present.foreign)
    return present.id in candidate.settles


def _first(jurisdictions: frozenset[str]) -> str:
    return next(name for name in JURISDICTIONS if name in jurisdictions)
