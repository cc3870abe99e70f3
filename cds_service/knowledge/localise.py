"""What a hospital decided, held against the knowledge: its values answer in place of ours.

A local value takes the place of a statement where that statement would have answered, and nowhere else. It is a policy,
so by itself it warns at most; the rules see to it that a stop of the shipped knowledge keeps its urgency.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import Any

from cds_service.knowledge.model import Citation, Local, Precipitant, Reference, Statement, Step, Topic, Verification
from cds_service.knowledge.overlay import Decision, LocalValue, Overlay
from cds_service.knowledge.slips import near, wrong
from cds_service.quantity import Quantity

_PLACES = frozenset(["US", "EU", "JP"])


@dataclass(frozen=True, slots=True)
class LocalAnswer:
    """A value that was checked: which statements it takes the place of, and the value as rules read it."""

    decision: Decision
    replaces: tuple[Statement[Any], ...]
    value: Any

    def stands_in_for(self, statement: Statement[Any]) -> bool:
        """Whether it answers in place of this one."""
        return any(statement.id == each.id for each in self.replaces)

    def instead_of(self, shipped: Statement[Any]) -> Statement[Any]:
        """The hospital's statement, in place of the shipped one."""
        decision = self.decision
        local = Local(decision.owner, decision.effective, decision.reason, shipped)
        source = Reference(f"local:{shipped.id}", "Local policy", local.words, "local", str(local.since), "", "")
        return Statement(
            id=f"local:{shipped.id}",
            topic=shipped.topic,
            about=shipped.about,
            value=self.value,
            effective=decision.effective,
            until=decision.until,
            jurisdictions=_PLACES,
            verification=Verification.POLICY,
            sources=(Citation(source, decision.place, decision.reason),),
            reviewed_on=decision.effective,
            reviewed_by=decision.owner,
            qualifier=shipped.qualifier,
            note=decision.reason,
            local=local,
        )


def checked(
    overlay: Overlay,
    statements: Iterable[Statement[Any]],
    precipitants: Mapping[str, Precipitant],
    topics: Mapping[str, Topic[Any]],
) -> tuple[LocalAnswer, ...]:
    """The hospital's values, checked. Raises KnowledgeError."""
    ours = tuple(statements)
    effects = tuple(statement for each in precipitants.values() for statement in each.statements)
    found = tuple(_answer(value, ours, effects, topics) for value in overlay.values)
    for one, other in combinations(found, 2):
        both = {each.id for each in one.replaces} & {each.id for each in other.replaces}
        if both and one.decision.overlaps(other.decision):
            raise wrong(
                one.decision.place, f"'{min(both)}' is replaced by {other.decision.place} too: end one with until"
            )
    return found


def _answer(
    value: LocalValue,
    ours: tuple[Statement[Any], ...],
    effects: tuple[Statement[Any], ...],
    topics: Mapping[str, Topic[Any]],
) -> LocalAnswer:
    place = value.decision.place
    replaces = _by_id(value, (*ours, *effects)) if value.statement else _by_question(value, (*ours, *effects))
    topic = topics.get(replaces[0].topic)
    try:
        read = topic.read(value.value) if topic else _effect(value.value, replaces[0].topic, effects)
    except (TypeError, ValueError, ArithmeticError) as fault:
        raise wrong(f"{place}, value", str(fault)) from None
    if not all(number.is_finite() and number > 0 for number in _numbers(read)):
        raise wrong(f"{place}, value", f"expected more than 0, found {value.value!r}: write the value that is meant")
    return LocalAnswer(value.decision, replaces, read)


def _numbers(value: Any) -> Iterator[Decimal]:
    """The numbers in a value, how many or few it may hold."""
    if isinstance(value, tuple):
        for each in value:
            yield from _numbers(each)
    elif isinstance(value, Step):
        yield from _numbers((value.every, value.until))
    elif isinstance(value, Quantity):
        yield value.value
    elif isinstance(value, (int, Decimal)):
        yield Decimal(value)


def _by_id(value: LocalValue, every: tuple[Statement[Any], ...]) -> tuple[Statement[Any], ...]:
    found = tuple(each for each in every if each.id == value.statement)
    if not found:
        hint = near(value.statement, (each.id for each in every))
        raise wrong(f"{value.decision.place}, statement", f"there is no statement '{value.statement}'{hint}")
    return found


def _by_question(value: LocalValue, every: tuple[Statement[Any], ...]) -> tuple[Statement[Any], ...]:
    place = value.decision.place
    on_topic = tuple(each for each in every if each.topic == value.topic)
    if not on_topic:
        raise wrong(f"{place}, topic", f"there is no topic '{value.topic}'{near(value.topic, _names(every, 'topic'))}")
    of_it = tuple(each for each in on_topic if each.about == value.about)
    if not of_it:
        abouts = _names(on_topic, "about")
        raise wrong(
            f"{place}, about",
            f"nothing is said on {value.topic} of '{value.about}', so there is nothing to replace"
            + (near(value.about, abouts) or f"; there are {', '.join(sorted(abouts))}"),
        )
    found = tuple(each for each in of_it if each.qualifier == value.qualifier)
    if not found:
        known = ", ".join(sorted(each.qualifier or "(none)" for each in of_it))
        raise wrong(f"{place}, qualifier", f"there is no '{value.qualifier}'; there are {known}")
    return found


def _names(statements: Iterable[Statement[Any]], field: str) -> set[str]:
    return {getattr(each, field) for each in statements}


def _effect(value: Any, kind: str, effects: tuple[Statement[Any], ...]) -> str:
    """The effect of a precipitant, in one of the words in which such effects are told."""
    known = {str(each.value).partition(" (")[0] for each in effects if each.topic == kind}
    text = str(value)
    if text not in known:
        raise ValueError(f"expected one of {', '.join(sorted(known))}, found {value!r}{near(text, known)}")
    return text


def in_place(statement: Statement[Any], local: Iterable[LocalAnswer], day: date) -> Statement[Any]:
    """What answers on that day at this hospital where the shipped knowledge answers with `statement`."""
    for answer in local:
        if answer.decision.in_force(day) and answer.stands_in_for(statement):
            return answer.instead_of(statement)
    return statement
