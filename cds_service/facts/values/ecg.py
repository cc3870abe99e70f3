"""ECGs: the newest first, and within it the best QTc.

Best is QTcF as stated; else Fridericia computed from the QT and RR (or rate) of the same ECG; else the QTc that is
stated, with its formula. Discrete values, never waveforms, and of words only those that state one QTc. Several values
of the same minute: the highest. ECGs whose order in time nobody can tell: the highest too, with a doubt. A rate that
may not be that of the ECG makes what is computed of it doubtful, and clears no stated QTc.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal
from enum import Enum

import msgspec
from msgspec.structs import replace

from cds_service.facts.fact import BESIDE, Fact, Key, Origin, State, known, missing
from cds_service.facts.times import When, elapsed
from cds_service.facts.values.ecg_names import ECG_KEYS, PARTLY_UNREAD
from cds_service.facts.values.ecg_values import RATES, Value, no_ecg_counts, values_of
from cds_service.facts.values.ecg_words import IN_WORDS
from cds_service.facts.values.labs import not_there
from cds_service.facts.values.newest import LONG_AGO, may_be_newest, newest_of
from cds_service.facts.values.results import Reading
from cds_service.gather.replies import Reply, Status
from cds_service.gather.resources import Resource
from cds_service.quantity import Quantity


class Formula(Enum):
    """How a QT interval was corrected for rate."""

    FRIDERICIA = "QTcF"
    BAZETT = "QTcB"
    UNSPECIFIED = "QTc (formula not stated)"


class Ecg(msgspec.Struct, frozen=True):
    """One ECG: its QTc with formula and rate, when it was taken, and what makes one doubt it."""

    qtc: Quantity
    formula: Formula
    rate: Quantity | None
    when: When | None
    origin: Origin
    computed: bool = False
    bound: str = ""
    doubts: tuple[str, ...] = ()


QTC: Key[Ecg] = Key("qtc", "QTc", "ecg", exact=True)
ECGS: Key[tuple[Ecg, ...]] = Key("ecgs", "ECGs with a QTc", "ecg")
REFUSED: Key[tuple[When | None, ...]] = Key("refused_ecgs", "earlier ECGs", "ecg")  # when they were taken

_STATED = {
    "qtc_fridericia": Formula.FRIDERICIA,
    "qtc_bazett": Formula.BAZETT,
    "qtc_unspecified": Formula.UNSPECIFIED,
}
__all__ = ["ECGS", "ECG_KEYS", "QTC", "REFUSED", "Ecg", "Formula", "read_ecgs"]


def read_ecgs(
    observations: Iterable[tuple[Resource, str]], reply: Reply, same_ecg: Quantity, reading: Reading
) -> tuple[Fact[Ecg], Fact[tuple[Ecg, ...]], Fact[tuple[When | None, ...]]]:
    """The newest QTc, all ECGs newest first, and when those were taken that cannot be used.

    `same_ecg`: values this close in time belong to one ECG.
    """
    came = tuple(observations)
    same = timedelta(minutes=float(same_ecg.value))
    came_as = [value for resource, source in came for value in values_of(resource, source, reading)]
    every = _read(came_as, same)
    tracings = _tracings([value for value in every if value.key != IN_WORDS], same)
    in_words = sorted((value for value in every if value.key == IN_WORDS), key=_place)
    best = [(tracing[0].when, _best(tracing)) for tracing in tracings]
    ecgs = [ecg for _, ecg in best if isinstance(ecg, Ecg)]
    refused = [(when, why) for when, why in best if isinstance(why, str)]
    unused = known(REFUSED, tuple(when for when, _ in refused), None, Origin("Observation", reply.source, ""))
    if refused:
        unused = unused.doubted(f"an ECG of {refused[0][0] or 'no date'} cannot be used: {refused[0][1]}")
    if not ecgs:
        nothing = missing(ECGS, State.UNREADABLE, refused[0][1]) if refused else _nothing(reply, in_words[:1])
        gone = no_ecg_counts((each for each, _ in came), reading) if nothing.state is State.ABSENT else ""
        nothing = missing(ECGS, State.ABSENT, gone) if gone else nothing
        return missing(QTC, nothing.state, nothing.why), nothing, unused
    newest_when = ecgs[0].when
    first, rivals = _first(ecgs)
    ecgs.remove(first)
    aside = [] if every is came_as else [value for value in came_as if all(value is not each for each in every)]
    taken_too = _taken_too(aside, same)
    ecgs = [first, *ecgs, *taken_too]
    newest, doubtful = first, ""
    certain = [ecg for ecg in ecgs if not ecg.doubts]
    before, before_rivals = _first(certain) if first.doubts and certain else (first, rivals)
    if _danger(before)[:2] > _danger(first)[:2]:
        doubtful = f"a newer ECG is not certain ({first.doubts[0]}): {first.bound}{first.qtc}"
        first, rivals = before, before_rivals
    others = [ecg for ecg in rivals if (ecg.qtc, ecg.bound) != (first.qtc, first.bound)]
    last = newest_of([first.when, *(ecg.when for ecg in certain)])
    newer = next((why for when, why in refused if may_be_newest(when, last)), "")
    unread = next((value for value in in_words if value.when is None or _is_later(value, newest_when, same)), None)
    extra = tuple(
        filter(
            None,
            (
                doubtful,
                f"another ECG of the same time or without date: {others[0].bound}{others[0].qtc}" if others else "",
                f"a newer ECG could not be used: {newer}" if newer else "",
                f"{'a newer ECG' if unread.when else 'an ECG without date'} is {unread.refused}" if unread else "",
                f"not every ECG was read: {reply.why}" if reply.status is not Status.COMPLETE else "",
            ),
        )
    )
    fact = known(QTC, first, first.when, first.origin, bound=first.bound, doubts=(*first.doubts, *extra))
    fact = replace(fact, once_old=_set_aside(taken_too, first))
    if all(each.formula is first.formula and not each.doubts and not each.bound for each in rivals):
        fact = replace(fact, rivals=tuple(others))
    surer = _surer([value for value in came_as if PARTLY_UNREAD not in value.doubts], first, same)
    if surer is not None:
        higher = f"{BESIDE}{first.bound}{first.qtc} ({first.doubts[0]})"
        fact = replace(fact, surer=known(QTC, surer, surer.when, surer.origin, doubts=(higher,)))
    if doubtful:
        beside = (*newest.doubts, *(doubt for doubt in extra if doubt is not doubtful))
        fact = replace(fact, newer=known(QTC, newest, newest.when, newest.origin, bound=newest.bound, doubts=beside))
    return fact, known(ECGS, tuple(ecgs), first.when, first.origin, doubts=extra), unused


def _read(values: list[Value], same: timedelta) -> list[Value]:
    """The values, without those that may be a change, an aim or an earlier QTc, where one is known for sure.

    Their names are partly in a script that is not read. One that is later and higher than the last sure one stays.
    """
    perhaps = [value for value in values if PARTLY_UNREAD in value.doubts]
    if not perhaps:
        return values
    read = [value for value in values if PARTLY_UNREAD not in value.doubts]
    known_ = [_best(tracing) for tracing in _tracings([value for value in read if value.key != IN_WORDS], same)]
    sure = [ecg for ecg in known_ if isinstance(ecg, Ecg)]
    if not sure:
        return values
    last, _ = _first(sure)
    kept = [each for each in perhaps if each.number is not None and _height(each) > _danger(last)[:2]]
    return [*read, *(each for each in kept if not _is_earlier(each, last.when, same))]


def _surer(read: list[Value], first: Ecg, same: timedelta) -> Ecg | None:
    """Beside an ECG whose name is not read the sure one that may be as new: what is above a limit by it surely is."""
    if PARTLY_UNREAD not in first.doubts:
        return None
    found = [_best(tracing) for tracing in _tracings([value for value in read if value.key != IN_WORDS], same)]
    ecgs = [ecg for ecg in found if isinstance(ecg, Ecg)]
    sure = _first(ecgs)[0] if ecgs else None
    if sure is None or sure.doubts or sure.bound:
        return None
    return sure if first.when is None or may_be_newest(sure.when, newest_of([first.when]) - same) else None


def _taken_too(values: list[Value], same: timedelta) -> list[Ecg]:
    """The ECGs of values that were set aside: they may not count as the newest QTc, and tell that an ECG was taken."""
    found = (_best(tracing) for tracing in _tracings([value for value in values if value.key != IN_WORDS], same))
    return [ecg for ecg in found if isinstance(ecg, Ecg)]


def _set_aside(ecgs: list[Ecg], counted: Ecg) -> tuple[str, ...]:
    """The newest of the ECGs that were set aside, where it is newer than the one that counts."""
    later = [ecg for ecg in ecgs if counted.when and ecg.when and ecg.when.earliest > counted.when.latest]
    if not later:
        return ()
    newest, _ = _first(later)
    return (f"a newer ECG ({newest.when}) is not certain ({newest.doubts[0]}): {newest.bound}{newest.qtc}",)


def _is_earlier(value: Value, other: When | None, same: timedelta) -> bool:
    """Whether the value certainly lies before the ECG of `other`."""
    when = value.when
    return when is not None and other is not None and elapsed(when.latest, other.earliest) > same


def _first(ecgs: list[Ecg]) -> tuple[Ecg, list[Ecg]]:
    """Of the ECGs that may be the newest the one nearest to danger, and all of them."""
    newest = newest_of(ecg.when for ecg in ecgs)
    rivals = [ecg for ecg in ecgs if may_be_newest(ecg.when, newest)]
    return max(rivals, key=_danger), rivals


def _danger(ecg: Ecg) -> tuple[bool, Decimal, bool, bool]:
    """The ECG nearest to danger; of equal ones the surest."""
    return ecg.bound not in ("<", "<="), ecg.qtc.value, not ecg.doubts, ecg.formula is Formula.FRIDERICIA


def _nothing(reply: Reply, in_words: list[Value]) -> Fact[tuple[Ecg, ...]]:
    """Why there is no ECG: nothing came, or one that is told in words which are not read."""
    absent = not_there(Key("ecgs", "ECGs"), reply)
    for told in in_words if absent.state is State.ABSENT else ():
        return missing(ECGS, State.UNREADABLE, f"an ECG of {told.when or 'no date'} is {told.refused}")
    return missing(ECGS, absent.state, absent.why)


def _tracings(values: list[Value], same: timedelta) -> list[list[Value]]:
    """The values grouped into ECGs, newest first: one resource, or values taken within a few minutes."""
    ordered = sorted(values, key=_place)
    groups: list[list[Value]] = []
    firsts = _InTime([], same)
    for value in (value for value in ordered if value.key not in RATES):
        index = firsts.first_with(value)
        if index is None:
            groups.append([value])
            firsts.add(value)
        else:
            groups[index].append(value)
    rates = _InTime([value for value in ordered if value.key in RATES], same)
    for group in groups:
        group += sorted(rates.all_with(group[0]), key=lambda value: _distance(group[0], value))
    return groups


class _InTime:
    """Values, newest first, that are found by their time or their resource without looking at each: a monitor may
    have filed thousands.
    """

    def __init__(self, values: list[Value], same: timedelta) -> None:
        self._values: list[Value] = []
        self._places: list[float] = []
        self._of_resource: dict[str, list[int]] = {}
        self._same = same
        for value in values:
            self.add(value)

    def add(self, value: Value) -> None:
        """Add a value that is not newer than those before."""
        self._of_resource.setdefault(value.origin.resource, []).append(len(self._values))
        self._values.append(value)
        self._places.append(_place(value)[0])

    def first_with(self, value: Value) -> int | None:
        """The index of the first value that belongs to the same ECG as `value`."""
        return next(self._with(value), None)

    def all_with(self, value: Value) -> list[Value]:
        """Every value that belongs to the same ECG as `value`."""
        return [self._values[index] for index in self._with(value)]

    def _with(self, value: Value) -> Iterator[int]:
        place, margin = _place(value)[0], self._same.total_seconds() + 1
        near = range(bisect_left(self._places, place - margin), bisect_right(self._places, place + margin))
        own = self._of_resource.get(value.origin.resource, ()) if "/" in value.origin.resource else ()
        for index in sorted({*own, *(near if value.when is not None else ())}):
            if _together(self._values[index], value, self._same):
                yield index


def _place(value: Value) -> tuple[float, str, str, str]:
    """Newest first, and an order of their own for values of the same time."""
    latest = value.when.latest if value.when else LONG_AGO
    return -latest.timestamp(), value.key, value.origin.resource, value.origin.as_received


def _distance(one: Value, other: Value) -> tuple[bool, timedelta]:
    """How far a rate is from the ECG: one of the same resource first, else the closest in time."""
    apart = abs(elapsed(one.when.latest, other.when.latest)) if one.when and other.when else timedelta()
    return not _same_resource(one, other), apart


def _same_resource(one: Value, other: Value) -> bool:
    return one.origin.resource == other.origin.resource and "/" in one.origin.resource


def _is_later(value: Value, other: When | None, same: timedelta) -> bool:
    """Whether the value certainly lies after the ECG of `other`."""
    when = value.when
    return when is not None and other is not None and elapsed(other.latest, when.earliest) > same


def _together(one: Value, other: Value, same: timedelta) -> bool:
    if _same_resource(one, other):
        return True
    if one.when is None or other.when is None:
        return False
    if not (one.when.is_moment and other.when.is_moment):
        return one.when == other.when
    return abs(elapsed(one.when.latest, other.when.latest)) <= same


def _best(tracing: list[Value]) -> Ecg | str:
    """The best QTc of one ECG; else why there is none, in words."""
    rate, rate_doubts = _rate(tracing)
    stated = [value for value in tracing if value.key in _STATED and value.number is not None]
    fridericia = [value for value in stated if value.key == "qtc_fridericia"]
    lost = next((value.refused for value in tracing if value.refused and value.key == "qtc_fridericia"), "")
    computed = None if fridericia else _computed(tracing, rate, rate_doubts)
    if computed is not None and not (computed.doubts and stated):
        return _doubting(computed, lost)
    lost = lost or next((v.refused for v in tracing if v.refused and v.key in _STATED and not fridericia), "")
    for choice in (fridericia, stated):
        if choice:
            highest = max(choice, key=lambda value: (_height(value), not value.doubts))
            best = _beside(_ecg(highest, None if rate_doubts else rate), highest, choice)
            return _doubting(best if computed is None else max(best, computed, key=_danger), lost)
    refused = next((value.refused for value in tracing if value.refused), "")
    return refused or "a QT interval without rate, so no QTc"


def _beside(ecg: Ecg, highest: Value, choice: list[Value]) -> Ecg:
    """The same ECG, with a note of each other value that the same formula has at that time."""
    alike = (each.number for each in choice if each.key == highest.key)
    said = dict.fromkeys(f"{each.bound}{each.quantity}" for each in alike if each is not None)
    others = [words for words in said if words != f"{ecg.bound}{ecg.qtc}"]
    note = f"also {', '.join(others)} at the same time; the highest counts"
    return replace(ecg, origin=replace(ecg.origin, notes=(*ecg.origin.notes, note))) if others else ecg


def _height(value: Value) -> tuple[bool, Decimal]:
    """The higher value is the more dangerous one; "below N" says nothing of danger."""
    assert value.number is not None
    return value.number.bound not in ("<", "<="), value.number.quantity.value


def _doubting(ecg: Ecg, lost: str) -> Ecg:
    """The same ECG, with the doubt that another QTc of it, as good or better, could not be used."""
    return replace(ecg, doubts=(*ecg.doubts, f"another QTc of the same ECG could not be used: {lost}")) if lost else ecg


def _ecg(value: Value, rate: Quantity | None) -> Ecg:
    assert value.number is not None
    return Ecg(
        value.number.quantity,
        _STATED[value.key],
        rate,
        value.when,
        value.origin,
        bound=value.number.bound,
        doubts=value.doubts,
    )


def _rate(tracing: list[Value]) -> tuple[Quantity | None, tuple[str, ...]]:
    """The rate of the ECG, per minute, and the doubts about it; of two that lie equally near the higher one."""
    ecg = tracing[0]
    rates = [(value, rate) for value in tracing if (rate := _per_minute(value)) is not None]
    if not rates:
        return None, ()
    near = [each for each in rates if _distance(ecg, each[0]) == _distance(ecg, rates[0][0])]
    value, rate = max(near, key=lambda each: each[1].value)
    of_a_day = not (_same_resource(ecg, value) or (value.when is not None and value.when.is_moment))
    return rate, (*value.doubts, *(("a heart rate of that day, perhaps not of the ECG",) if of_a_day else ()))


def _per_minute(value: Value) -> Quantity | None:
    if value.number is None or value.number.bound:
        return None
    if value.key == "heart_rate":
        return value.number.quantity
    is_rr = value.key == "rr_interval" and value.number.quantity.value > 0
    return Quantity(_MS_PER_MINUTE / value.number.quantity.value, "/min") if is_rr else None


_MS_PER_MINUTE = Decimal(60_000)


def _computed(tracing: list[Value], rate: Quantity | None, rate_doubts: tuple[str, ...]) -> Ecg | None:
    """Fridericia from QT and rate of the same ECG: QT divided by the cube root of RR in seconds."""
    exact = [v for v in tracing if v.key == "qt_interval" and v.number is not None and not v.number.bound]
    qt = max(exact, key=_height, default=None)
    if qt is None or qt.number is None or rate is None or rate.value <= 0:
        return None
    rr = Decimal(60) / rate.value
    qtc = qt.number.quantity.value / (rr ** (Decimal(1) / Decimal(3)))
    notes = (*qt.origin.notes, f"computed from QT {qt.number.as_received} at {rate}")
    where = Origin(qt.origin.resource, qt.origin.source, qt.number.as_received, notes)
    return Ecg(
        Quantity(qtc.quantize(Decimal(1)), "ms"),
        Formula.FRIDERICIA,
        rate,
        qt.when,
        where,
        computed=True,
        doubts=tuple(dict.fromkeys((*qt.doubts, *rate_doubts))),
    )
