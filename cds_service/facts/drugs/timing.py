"""Timing: how often a drug is taken on its day, on which days, and for how many of them, or nothing at all.

The structure of FHIR's Timing, its coded abbreviations and the words that people write are read alike. Where two of
them disagree, the more frequent one counts and says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from cds_service.facts.concepts import all_text
from cds_service.facts.drugs.times_in_words import parts_named, times_in
from cds_service.gather.views import Quantity, Repeat, Timing
from cds_service.knowledge.terms import Terms


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often on a day on which it is taken, whether that is every day, and what was doubtful about it."""

    times: Decimal
    daily: bool = True
    note: str = ""
    apart: bool = False  # days pass between one dose and the next; days that are named one by one are none of these


ONE = Decimal(1)
HOURS_IN: Mapping[str, Decimal] = {
    "s": ONE / 3600,
    "min": ONE / 60,
    "h": ONE,
    "d": Decimal(24),
    "wk": Decimal(168),
    "mo": Decimal(720),  # how long a month is matters to nobody here: it is longer than a day
    "a": Decimal(8760),
}
_DAY = Decimal(24)
_MEALS = frozenset({"AC", "C", "PC"})  # at meals: how many there are is not said
_WEEK = frozenset({"mon", "tue", "wed", "thu", "fri", "sat", "sun"})
# FHIR's abbreviations (HL7 v3 GTSAbbreviation): what they mean is the calendar's, not medicine's.
_ABBREVIATIONS: Mapping[str, Rhythm] = {
    **dict.fromkeys(("AM", "PM", "QD", "BED"), Rhythm(ONE)),
    **dict.fromkeys(("QOD", "WK", "MO"), Rhythm(ONE, daily=False, apart=True)),
    **{name: Rhythm(Decimal(times)) for name, times in (("BID", 2), ("TID", 3), ("QID", 4))},
    **{f"Q{hours}H": Rhythm(_DAY / hours) for hours in (1, 2, 3, 4, 6, 8)},
}
_PARTS: Mapping[str, str] = {
    **dict.fromkeys(("MORN", "MORN.early", "MORN.late", "CM", "ACM", "PCM", "WAKE", "AM"), "morning"),
    **dict.fromkeys(("EVE", "EVE.early", "EVE.late", "NIGHT", "HS", "CV", "ACV", "PCV", "PM", "BED"), "evening"),
}
_NOON = 12


def rhythm(timing: Timing | None, terms: Terms) -> Rhythm | None:
    """How often it is taken; None where that is not said in a way that has one meaning."""
    if timing is None:
        return None
    structured = _of_repeat(timing.repeat) if timing.repeat is not None else None
    structured = structured or _of_events(timing.event or [])
    coded = _of_code(timing, terms)
    if structured is None or coded is None or structured.times == coded.times:
        return structured or coded
    higher = max(structured, coded, key=lambda each: each.times)
    note = "its timing and the code of its timing disagree, the more frequent counted"
    return Rhythm(higher.times, structured.daily and coded.daily, note, structured.apart and coded.apart)


def not_daily(timing: Timing | None, found: Rhythm | None) -> bool:
    """Whether the timing, read or not, says that there are days without the drug."""
    repeat = timing.repeat if timing else None
    return bool(found and not found.daily) or bool(repeat and (_period(repeat) or _DAY) > _DAY)


def hours_of(timing: Timing | None) -> tuple[str, ...]:
    """The times of the day that are named, by the clock or by what one does then."""
    repeat = timing.repeat if timing else None
    return (*(repeat.timeOfDay or ()), *(repeat.when or ())) if repeat is not None else ()


def part_of_day(timing: Timing | None, text: str) -> str:
    """The one part of the day that is named, by a time, by a code or in words; "" where none is, or several are."""
    found = {_part(named) for named in hours_of(timing)}
    concept = timing.code if timing is not None else None
    for coding in (concept.coding or ()) if concept is not None else ():
        found |= {part for part in (_PARTS.get((coding.code or "").strip().upper()),) if part}
    words = f"{text} {all_text(concept)}" if concept is not None and not found else text
    found |= parts_named(words)
    return found.pop() if len(found) == 1 else ""


def _part(named: str) -> str:
    """The part of the day of a clock time or of one of FHIR's codes; a code without one stands for itself."""
    hour = named[:2]
    if hour.isdigit():
        return "morning" if int(hour) < _NOON else "evening"
    return _PARTS.get(named, named)


def lasts(timing: Timing | None, times: Decimal | None) -> Decimal | None:
    """For how many days it is ordered, where a duration, a count or single dates say so; the longest of a range."""
    repeat = timing.repeat if timing else None
    if timing is not None and timing.event and repeat is None:
        days = {event[:10] for event in timing.event}
        return Decimal(len(days)) if all(map(_is_day, days)) else None
    if repeat is None:
        return None
    bounds = repeat.boundsDuration or (repeat.boundsRange.high if repeat.boundsRange else None)
    if bounds is not None:
        return _days(bounds)
    often = repeat.countMax or repeat.count
    if not often or times is None or times <= 0 or Decimal(often) % times:
        return None
    return Decimal(often) / times


def duration(timing: Timing | None) -> Decimal | None:
    """For how many hours it runs each time."""
    repeat = timing.repeat if timing else None
    long = (repeat.durationMax or repeat.duration) if repeat is not None else None
    unit = HOURS_IN.get(repeat.durationUnit or "") if repeat is not None else None
    return long * unit if long is not None and long > 0 and unit is not None else None


def _period(repeat: Repeat) -> Decimal | None:
    """How many hours pass until it starts again."""
    unit = HOURS_IN.get(repeat.periodUnit or "")
    return repeat.period * unit if repeat.period is not None and repeat.period > 0 and unit is not None else None


def _of_repeat(repeat: Repeat) -> Rhythm | None:
    hours, named = _period(repeat), len({*(repeat.timeOfDay or ()), *(repeat.when or ())})
    frequency = repeat.frequencyMax or repeat.frequency
    if frequency is None and set(repeat.when or ()) & _MEALS:
        return None
    weekdays = len({day.lower() for day in repeat.dayOfWeek or ()} & _WEEK)
    every_day = weekdays in (0, len(_WEEK))
    if hours is None:
        return Rhythm(Decimal(named), every_day) if named and not (frequency or repeat.period) else None
    if hours > _DAY:
        return _on_its_day(repeat, frequency or 1, weekdays, named)
    counted = Decimal(frequency or max(1, named)) * _DAY / hours
    if named > counted:
        return Rhythm(Decimal(named), every_day, "more times of the day are named than its frequency says")
    return Rhythm(counted, every_day)


def _on_its_day(repeat: Repeat, frequency: int, weekdays: int, named: int) -> Rhythm | None:
    """A drug with days in between counts with what is taken on its day."""
    days = (_period(repeat) or _DAY) / _DAY
    if not weekdays and named <= 1 and frequency >= days and repeat.periodUnit in ("d", "wk") and not frequency % days:
        return Rhythm(frequency / days)  # "7 times a week" is once a day
    a_week = repeat.periodUnit == "wk" and repeat.period == 1
    if a_week and weekdays and frequency in (1, weekdays):
        return Rhythm(Decimal(max(1, named)), weekdays == len(_WEEK))
    if frequency != 1:
        return None
    return Rhythm(Decimal(max(1, named)), daily=False, apart=not weekdays)


def _of_events(events: list[str]) -> Rhythm | None:
    """Single dates: the most that fall on one day."""
    days = Counter(event[:10] for event in events if _is_day(event[:10]))
    if not days or sum(days.values()) < len(events):
        return None
    return Rhythm(Decimal(max(days.values())), daily=False)


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _of_code(timing: Timing, terms: Terms) -> Rhythm | None:
    concept = timing.code
    if concept is None:
        return None
    codings = concept.coding or ()
    for coding in codings:
        if (coding.system or "").endswith("GTSAbbreviation") and coding.code:
            exact = _ABBREVIATIONS.get(coding.code.strip().upper())
            if exact is not None:
                return exact
    for text in (*(coding.code or "" for coding in codings), all_text(concept)):
        times = times_in(text, terms)
        if times is not None:
            return Rhythm(times)
    return None


def _days(bounds: Quantity) -> Decimal | None:
    """A duration in whole days; None where it is shorter, longer than can be counted in days, or only a bound."""
    hours = HOURS_IN.get(bounds.code or bounds.unit or "") if (bounds.code or bounds.unit) in ("h", "d", "wk") else None
    if bounds.value is None or bounds.comparator or hours is None or bounds.value <= 0:
        return None
    days = bounds.value * hours / _DAY
    return days if days == days.to_integral_value() else None
