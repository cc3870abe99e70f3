"""The newest: of all results of one kind those that may be the newest, read from there backwards.

A result counts by when it was taken. What is certainly older than another usable result changes nothing; it is neither
read nor held against R4. One that is doubtful, as it is preliminary or only its filing is dated, hides none that is
certain and nearer to danger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from heapq import merge
from itertools import groupby

from msgspec.structs import replace

from cds_service.facts.fact import RIVALRIES, Fact, Key, known, ranging, rivalled
from cds_service.facts.places import Place
from cds_service.facts.times import When
from cds_service.facts.values.counting import counting_doubts
from cds_service.facts.values.lab_names import BY_NAME
from cds_service.facts.values.numbers import number
from cds_service.facts.values.results import (
    FUTURE,
    Reading,
    origin,
    refused_for_status,
    taken,
    time_notes,
)
from cds_service.gather.resources import Resource
from cds_service.gather.views import Component, Observation, ReferenceRange
from cds_service.gather.views import Quantity as Measured
from cds_service.quantity import Quantity

LONG_AGO = datetime(1, 1, 2, tzinfo=UTC)


def _newest_first(fact: Fact[Quantity]) -> tuple[float, str]:
    return -latest(fact.when).timestamp(), fact.origin.resource if fact.origin else ""


class Results:
    """The results of one kind, in the places where they stand. Each is read and held against R4 once, when asked."""

    def __init__(self, key: Key[Quantity], places: list[Place], reading: Reading, *, low_is_danger: bool) -> None:
        self.key, self.places, self.reading, self.low_is_danger = key, places, reading, low_is_danger
        self._met: dict[int, Fact[Quantity] | str] = {}

    def read(self, index: int) -> Fact[Quantity] | str:
        """The fact in that place; the reason, in words, when it cannot be used; "" when it does not count."""
        if index not in self._met:
            self._met[index] = self._fact(index)
        return self._met[index]

    def _fact(self, index: int) -> Fact[Quantity] | str:
        place = self.places[index]
        view = place.resource.checked()
        if not isinstance(view, Observation):
            return view.reason if hasattr(view, "reason") else "not an Observation"
        doubts = counting_doubts(view, place.resource, self.reading)
        if doubts is None:
            return ""
        part = place.part(view)
        value = (
            "no value" if part is None else refused_for_status(view) or number(part, self.key.name, self.reading.terms)
        )
        if isinstance(value, str):
            return value
        when, time_doubts = taken(view, self.reading)
        if FUTURE in time_doubts:
            return f"{value.bound}{value.quantity} {FUTURE}"
        notes = (*value.notes, *time_notes(when, self.reading))
        fact = known(
            self.key,
            value.quantity,
            when,
            origin(place.resource, place.source, value.as_received, *notes),
            bound=value.bound,
            doubts=(*doubts, *time_doubts, *((BY_NAME,) if place.by_name else ())),
        )
        return fact if value.most is None else ranging(fact, value.most, low_is_danger=self.low_is_danger)

    def dated(self) -> Iterator[Fact[Quantity]]:
        """Every usable result with a date, newest first. Each is read when one comes to it."""
        timeless, timed = self.by_time
        together = groupby(timed, key=lambda each: each[0].latest)
        in_time = (fact for _, those in together for fact in self._in_order(index for _, index in those))
        return merge(self._in_order(timeless), in_time, key=_newest_first)

    def _in_order(self, indexes: Iterable[int]) -> list[Fact[Quantity]]:
        """Those of these places that can be used and have a date, newest first."""
        found = map(self.read, indexes)
        return sorted([fact for fact in found if isinstance(fact, Fact) and fact.when is not None], key=_newest_first)

    def newest(self) -> tuple[list[Fact[Quantity]], list[tuple[When | None, str]]]:
        """The results that can be used, and those that cannot (when, and why), back to the last that may be the newest.

        What is certainly older than a certain one of those changes nothing, and is not looked at.
        """
        usable: dict[int, Fact[Quantity]] = {}
        refused: dict[int, tuple[When | None, str]] = {}
        timeless, timed = self.by_time

        def meet(index: int, when: When | None) -> datetime:
            fact = self.read(index)
            if isinstance(fact, Fact):
                usable[index] = fact
                return newest_of([fact.when]) if is_certain(fact.doubts) else LONG_AGO
            if fact:
                refused[index] = (when, fact)
            return LONG_AGO

        reach = LONG_AGO
        for index in timeless:
            reach = max(reach, meet(index, when_taken(self.places[index].resource, self.reading)))
        for when, index in timed:
            if when.latest < reach:
                break
            reach = max(reach, meet(index, when))
        return [usable[index] for index in sorted(usable)], [refused[index] for index in sorted(refused)]

    @cached_property
    def by_time(self) -> tuple[list[int], list[tuple[When, int]]]:
        """The places whose time only a closer look tells; and the others with their times, newest first."""
        timeless: list[int] = []
        timed: list[tuple[When, int]] = []
        for index, place in enumerate(self.places):
            if not place.unclear:
                view = place.resource.view()
                when = self.reading.when(view.effectiveDateTime) if isinstance(view, Observation) else None
                if when is None:
                    timeless.append(index)
                else:
                    timed.append((when, index))
        timed.sort(key=lambda each: each[0].latest, reverse=True)
        return timeless, timed

    def first(self, usable: list[Fact[Quantity]]) -> Fact[Quantity]:
        """The newest result; where it is doubtful, the newest certain one if that lies nearer to danger."""
        found = self._first(usable)
        certain = [] if is_certain(found.doubts) else [fact for fact in usable if is_certain(fact.doubts)]
        if not certain:
            return found
        before = self._first(certain)
        if found.value is None or before.value is None or found.value == before.value:
            return found
        if self.low_is_danger is not (before.value < found.value):
            return found
        words = f"a newer result is not certain ({found.doubts[0]}): {found.told}"
        return replace(before.doubted(words), newer=found)

    def _first(self, usable: list[Fact[Quantity]]) -> Fact[Quantity]:
        """Of the results that may be the newest the one nearer to danger, with its rival as a doubt."""
        if len(usable) == 1:
            return usable[0]
        newest = newest_of(fact.when for fact in usable)
        rivals = [fact for fact in usable if may_be_newest(fact.when, newest)]
        if len(rivals) == 1:
            return rivals[0]
        rivals.sort(key=lambda fact: (fact.bound, fact.origin.resource if fact.origin else ""))
        nearer = min if self.low_is_danger else max
        chosen = nearer(rivals, key=lambda fact: fact.value.value if fact.value else Decimal(0))
        others = [fact for fact in rivals if (fact.value, fact.bound) != (chosen.value, chosen.bound)]
        if not others:
            return next((fact for fact in rivals if fact.sure), chosen)
        return rivalled(chosen, others)


class Multiples(Results):
    """The same results as multiples of the upper limit of normal that came with them."""

    def __init__(self, key: Key[Quantity], single: Results) -> None:
        super().__init__(key, single.places, single.reading, low_is_danger=False)
        self._single = single

    @cached_property
    def by_time(self) -> tuple[list[int], list[tuple[When, int]]]:
        """As the single results lie: they are the same."""
        return self._single.by_time

    def _fact(self, index: int) -> Fact[Quantity] | str:
        """The result as a multiple of its upper limit; without a limit it cannot be told."""
        single, place = self._single.read(index), self.places[index]
        if isinstance(single, str) or single.value is None:
            return single if isinstance(single, str) else single.why
        view = place.resource.checked()
        part = place.part(view) if isinstance(view, Observation) else None
        limits = _limits(part, self._single.key, self.reading) if part is not None else []
        if not limits:
            return f"no upper limit of normal came with the result ({_came(single)})"
        value, *rivals = (Quantity(each.value / min(limits), "[ULN]") for each in (single.value, *single.rivals))
        multiple = replace(single, key=self.key, value=value, rivals=tuple(rivals))
        if len(set(limits)) == 1:
            return multiple
        return multiple.doubted("several upper limits came with it, the lowest used")


def _came(single: Fact[Quantity]) -> str:
    return (single.origin.as_received if single.origin else "") or single.told


def _limits(part: Component, key: Key[Quantity], reading: Reading) -> list[Decimal]:
    """The upper limits of normal that came with the result."""
    limits: list[Decimal] = []
    for high in (entry.high for entry in part.referenceRange or () if entry.high is not None and _is_normal(entry)):
        given = high if high.unit or high.code else _in_unit_of(part, high)
        limit = number(Component(valueQuantity=given), key.name, reading.terms)
        if not isinstance(limit, str) and not limit.bound and limit.quantity.value > 0:
            limits.append(limit.quantity.value)
    return limits


def _is_normal(entry: ReferenceRange) -> bool:
    """Whether it tells what is normal: without a type it does; a critical or therapeutic range is another matter."""
    kind = entry.type
    told = {(coding.code or "").lower() for coding in kind.coding or ()} if kind else set()
    told = told - {""} or ({kind.text.lower()} if kind and kind.text else set())
    return not told or "normal" in told


def _in_unit_of(part: Component, high: Measured) -> Measured:
    value = part.valueQuantity
    return Measured(high.value, unit=value.unit, system=value.system, code=value.code) if value else high


def newest_of(times: Iterable[When | None]) -> datetime:
    """The moment before which a result is certainly older than one of these."""
    return max((when.earliest for when in times if when is not None), default=LONG_AGO)


def may_be_newest(when: When | None, newest: datetime) -> bool:
    """Whether nothing is certainly newer; a result without a date may be the newest."""
    return when is None or when.latest >= newest


def is_certain(doubts: tuple[str, ...]) -> bool:
    """Whether nothing but its rivals and its range makes one doubt a result: one that is doubtful hides no danger."""
    return all(doubt.startswith(RIVALRIES) for doubt in doubts)


def latest(when: When | None) -> datetime:
    """The latest moment at which it may have been."""
    return when.latest if when else LONG_AGO


def when_taken(resource: Resource, reading: Reading) -> When | None:
    """When a result was taken, as it came: it need not be valid."""
    view = resource.view()
    return taken(view, reading)[0] if isinstance(view, Observation) else None
