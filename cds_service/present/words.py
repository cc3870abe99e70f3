"""Facts, statements and orders as templates speak of them: a value, a date, an age, a source, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

import msgspec

from cards.render import Safe, named_by, summary_of
from cds_service.facts.disease import Disease
from cds_service.facts.drugs.medications import Medication, Role
from cds_service.facts.entries import Entry
from cds_service.facts.fact import Fact
from cds_service.facts.genomics.mutations import Mutation
from cds_service.facts.times import When, spoken_age
from cds_service.facts.values.ecg import Ecg
from cds_service.knowledge.model import Statement, Verification
from cds_service.knowledge.spoken import borrowed_words
from cds_service.quantity import Quantity, plain
from cds_service.rules.rule import Finding
from cds_service.rules.subjects import Met

_NUMBER = re.compile(r"[<>=]*(-?\d+(?:\.\d+)?)(?![\d.])")
_MULTIPLE = "[ULN]"  # what no laboratory sends


@dataclass(frozen=True, slots=True)
class Speaker:
    """Turns what rules hand over into what templates say, as of now. `shown`: the statements that they told so far."""

    now: datetime
    shown: dict[Statement[Any], None] = field(default_factory=dict)

    def all(self, values: Mapping[str, object]) -> dict[str, Any]:
        """Every value, spoken."""
        one = self.one
        return {name: value if type(value) in _PLAIN else one(value) for name, value in values.items()}

    def one(self, value: object) -> Any:
        """One value, spoken."""
        kind = type(value)
        if kind in _PLAIN:
            return value
        speak = _WAY_OF.get(kind) or _WAY_OF.setdefault(kind, _way(kind))
        return speak(self, value)

    def _each(self, values: Sequence[object]) -> list[Any]:
        one = self.one
        return [each if type(each) in _PLAIN else one(each) for each in values] if values else []

    def _statement(self, statement: Statement[Any]) -> Any:
        return _Spoken(_statement(statement), statement, self.shown)

    def _finding(self, finding: Finding) -> str:
        """By the summary of its own card, for which nothing else of it is spoken."""
        named, values = named_by(finding.card), finding.values
        said = {name: self.one(values[name]) for name in named if name in values}
        return summary_of(finding.card, {"drug": finding.drug} | said)

    def _when(self, when: When) -> Any:
        return SimpleNamespace(day=str(when), age=spoken_age(when, self.now))

    def _fact(self, fact: Fact[Any]) -> Any:
        held = fact.value
        if isinstance(held, Ecg):
            spoken = self._ecg(held)
        elif isinstance(held, Mutation):
            spoken = SimpleNamespace(value="present" if held.present else "absent")
        elif isinstance(held, (Disease, Entry)):
            spoken = SimpleNamespace(value=held.value if isinstance(held, Disease) else held.words)
        else:
            spoken = SimpleNamespace(value=fact.told)
        spoken.label = fact.key.label
        vars(spoken).update(self._time(fact.when))
        spoken.why = fact.why
        spoken.received = fact.origin.as_received if fact.origin else ""
        spoken.sent = _sent(held, spoken.received)
        spoken.known = held is not None
        spoken.doubts = "; ".join(fact.doubts)
        return spoken

    def _time(self, when: When | None) -> dict[str, str]:
        """The day and the age of a value, alone and in a sentence: "on 2026-11-20", "on 2026-11-20, yesterday"."""
        if when is None:
            return dict.fromkeys(("day", "age"), "no date") | dict.fromkeys(("on", "dated"), "without a date")
        age = spoken_age(when, self.now)
        return {"day": str(when), "age": age, "on": f"on {when}", "dated": f"on {when}, {age}"}

    def _ecg(self, ecg: Ecg) -> Any:
        return SimpleNamespace(
            value=f"{ecg.bound}{ecg.qtc}",
            formula=ecg.formula.value if not ecg.computed else f"{ecg.formula.value} computed from QT and rate",
            short=ecg.formula.value.partition(" ")[0],
            **self._time(ecg.when),
        )

    def _order(self, order: Medication) -> Any:
        daily = str(order.dose.daily) if order.dose.daily is not None else ""
        return SimpleNamespace(
            label=order.label,
            dose=daily,
            why=order.dose.why,
            role=order.role.value,
            reference=order.reference,
            note=order.dose.note,
            start=str(order.start) if order.start else "date not stated",
            end=str(order.end) if order.end else "date not stated",
            over=_over(order),
            held=order.role is Role.ON_HOLD,
            drugs=" + ".join(order.ingredients),
        )


def _over(order: Medication) -> str:
    """How an order that is over or on hold came to that, as a verb of the order."""
    if order.role is Role.ON_HOLD:
        return f"is on hold, taken until {order.end}" if order.end else "is on hold, since when is not stated"
    return f"ended {order.end}" if order.end else "is marked stopped, when is not stated"


@lru_cache(maxsize=4_096)  # of the knowledge: nothing of a patient is in it, and templates only read it
def _statement(statement: Statement[Any]) -> Any:
    of_a_label = statement.verification is not Verification.POLICY  # a default of ours is of no place
    borrowed = borrowed_words(statement) if of_a_label else ""
    where = f" ({borrowed})" if borrowed else ""
    value = statement.value if isinstance(statement.value, tuple) else (statement.value,)
    return SimpleNamespace(
        value=Safe(", ".join(str(each) for each in value) + where),
        either=Safe(" or ".join(str(each) for each in value) + where),
        where=Safe(where),
        label=Safe("label (from memory)" if borrowed == "from memory" else borrowed or "label"),
        qualifier=statement.qualifier,
        source=statement.sources[0].reference.short,
        kind="service default"
        if statement.verification is Verification.POLICY and statement.local is None
        else statement.sources[0].reference.short,
    )


class _Spoken:
    """A statement as a template speaks of it. Whose value is told is noted: the card names its source."""

    __slots__ = ("_shown", "_statement", "_words")

    def __init__(self, words: SimpleNamespace, statement: Statement[Any], shown: dict[Statement[Any], None]) -> None:
        self._words, self._statement, self._shown = words, statement, shown

    @property
    def value(self) -> Safe:
        """What it says, several values one after the other."""
        self._shown[self._statement] = None
        return self._words.value  # type: ignore[no-any-return]

    @property
    def either(self) -> Safe:
        """What it says, several values as a choice."""
        self._shown[self._statement] = None
        return self._words.either  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._words, name)


# How each kind of value is spoken; any other whole by its parts, anything else as it is written.
Way = Callable[[Speaker, Any], Any]
_WAYS: tuple[tuple[type, Way], ...] = (
    (str, lambda _, words: words),
    (int, lambda _, number: number),
    (tuple, Speaker._each),
    (list, Speaker._each),
    (Fact, Speaker._fact),
    (Statement, Speaker._statement),
    (Ecg, Speaker._ecg),
    (Medication, Speaker._order),
    (Finding, Speaker._finding),
    (Quantity, lambda _, quantity: str(quantity)),
    (When, Speaker._when),
    (Met, lambda _, other: SimpleNamespace(drug=other.drug, spoken=other.spoken)),
    (Entry, lambda _, entry: SimpleNamespace(words=entry.words, day=str(entry.when or "no date"))),
    (Enum, lambda _, each: each.value),
)


_WAY_OF: dict[type, Way] = {}  # told of a type once
_PLAIN = frozenset((str, int, bool, type(None)))  # said as it is


def _sent(held: object, received: str) -> str:
    """A value as the chart shows it, where it was converted: " (sent as 1.5 mg/dL)"; else ""."""
    if type(held) is not Quantity or not received:
        return ""
    number = _NUMBER.match(received)
    if number and held.unit != _MULTIPLE and plain(Decimal(number[1])) == plain(held.value):
        return ""
    return f" (sent as {received})"


def _parts_of(kind: type) -> tuple[str, ...]:
    """The names of what a value of this type is made of; none where it is no whole of parts."""
    if issubclass(kind, msgspec.Struct):
        return kind.__struct_fields__
    return tuple(each.name for each in fields(kind)) if is_dataclass(kind) else ()


def _way(kind: type) -> Way:
    """How values of a type are spoken."""
    found = next((speak for each, speak in _WAYS if issubclass(kind, each)), None)
    if found is not None:
        return found
    names = _parts_of(kind)
    if not names:
        return lambda _, value: str(value)
    if len(names) == 1:
        return lambda speaker, value: SimpleNamespace(**{names[0]: speaker.one(getattr(value, names[0]))})
    parts = attrgetter(*names)
    return lambda speaker, value: SimpleNamespace(**speaker.all(dict(zip(names, parts(value), strict=True))))
