"""Timing: how often a drug is taken on its day, on which days, and for how many of them, or nothing at all.

The structure of FHIR's Timing, its coded abbreviations and the words that people write are read alike. Where two of
them disagree, the more frequent one counts and says so. What names no count ("before meals", "as directed") is not
guessed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from cds_service.facts.concepts import all_text
from cds_service.gather.views import Quantity, Repeat, Timing
from cds_service.knowledge.terms import Terms


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often on a day on which it is taken, whether that is every day, and what was doubtful about it."""

    times: Decimal
    daily: bool = True
    note: str = ""


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
    **dict.fromkeys(("QOD", "WK", "MO"), Rhythm(ONE, daily=False)),
    **{name: Rhythm(Decimal(times)) for name, times in (("BID", 2), ("TID", 3), ("QID", 4))},
    **{f"Q{hours}H": Rhythm(_DAY / hours) for hours in (1, 2, 3, 4, 6, 8)},
}
# Numbers in words, as they stand before "times a day" in the languages that the tables know.
_NUMBERS: Mapping[str, int] = {
    name: count
    for count, names in enumerate((
        "one|ein|une|una|uma|een|één", "two|zwei|deux|dos|due|twee|dois|duas", "three|drei|trois|tres|tre|drie|três",
        "four|vier|quatre|cuatro|quattro|quatro", "five|fünf|cinq|cinco|cinque|vijf", "six|sechs|seis|sei|zes",
        "seven|sieben|sept|siete|sette|zeven|sete", "eight|acht|huit|ocho|otto|oito",
    ), 1)
    for name in names.split("|")
}  # fmt: skip
_COUNT = rf"(?:\d+|{'|'.join(_NUMBERS)})"
_SEVERAL = rf"(?:[2-9]|\d\d|{'|'.join(name for name, count in _NUMBERS.items() if count > 1)})"
_EACH = r"(?:x|×|times?|mal|fois|ve[zc](?:es)?|volt[ae]|maal|keer|dd(?=[\s.,;]|\Z))"
_A_DAY = (
    r"(?:/|per|an?|each|every|the|pro|am|par|al|por|ao|à|die)?\s*"
    r"(?:day|daily|d|tag|täglich|tägl|tgl|jour|j|d[ií]a|giorno|dì|dag|daags|dagelijks)\b"
)
_TIMES = re.compile(
    rf"\b({_COUNT})(\s*(?:-|–|to|bis)\s*{_COUNT})?(?:\s*|-)(?:{_EACH}\s*{_A_DAY}|dd(?=[\s.,;]|\Z))", re.IGNORECASE
)
_SOME_TIMES = re.compile(  # so often that nobody can tell, or a count that is read in no other way
    rf"(?:\b(?:several|multiple|many|mehrere?|plusieurs|vari[ao]s|più|diverse|meerdere|várias|{_COUNT})\s*-?"
    rf"(?:{_EACH}|mals)|\b(?:mehrmals|meermaals))\s*{_A_DAY}"
    r"|\b(?:daily|day|tag|t(?:ä|ae)?gl(?:ich)?|jours?|quotidien\w*|d[ií]a|diari\w*|giorno|dag|dagelijks)\W{1,3}"
    rf"(?:{_COUNT}\s*-?{_EACH}\b|[x×]\s*\d++(?!\s*(?:d\b|da|w|m|tag|woche|jour|sem|d[ií]a|giorn|sett|dag|wek|cy|zyk|dos)))",
    re.IGNORECASE,
)
_EVERY = re.compile(
    r"(?<![\w-])(?:q|every|alle|toutes les|cada|ogni|elke|iedere|om de|c/)\s*(\d{1,2})\s*"
    r"(?:h|hr|hrs|hours?|std|stunden|heures|horas|ore|uur|u)\b",
    re.IGNORECASE,
)
_FROM_TO = re.compile(r"(?<![\w/-])(?:de\s+)?(\d{1,2})\s*(?:em|/|en)\s*\1\s*h(?:oras)?\b", re.IGNORECASE)  # "12/12h"
_AM_OF_GERMAN = re.compile(r"\bam(?=\s+(?:(?!vormittag)\w*tag|\d))", re.IGNORECASE)
# Days without the drug, or a dose of the day that is divided, whatever else is said of how often.
_OPEN = re.compile(
    r"\b(?:(?:every|each) (?:other|second|third|2nd|3rd|[2-6]) days?|alternat\w+ days?|q[2-7]d|qod|q48h|q72h"
    r"|jeden? (?:zweiten|dritten|[2-7]\.) tag|alle (?:[2-7]|zwei|drei|vier) tage|(?:un|1) jour sur"
    r"|tous les (?:[2-7]|deux|trois) jours|d[ií]as altern\w+|cada (?:[2-7]|dos|tres) d[ií]as|cada (?:48|72) ?h\w*"
    r"|giorni alterni|giorno sì e|ogni (?:[2-7]|due|tre) giorni|om de (?:andere )?dag|elke (?:[2-7]|twee|drie) dagen"
    r"|dias? sim|weekdays|week-?ends|werktags|divided|split|aufgeteilt|verteilt|verdeeld|dividid[oa]s?|répartie?s?"
    rf"|(?:in|en|em|auf) {_SEVERAL} (?:divided )?(?:doses?|dosen|gaben|einzelgaben|prises?|tomas?|dosis|dosi))\b",
    re.IGNORECASE,
)
_TWO_HOURS = re.compile(  # "at 8:00 and 20:00": as often as that, whatever "daily" says
    r"\b\d{1,2}(?:[:.h]\d\d)?\s*(?:uhr|h|am|pm)?\s*(?:und|and|et|y|e|en|,|/|&)\s*(?:um\s+|at\s+|à\s+|a\s+las\s+)?"
    r"\d{1,2}(?::\d\d|\s*(?:uhr|h|am|pm)\b)",
    re.IGNORECASE,
)
_SO_MANY_OF = re.compile(  # "2 x 400 mg daily": two pieces at once, or one twice
    r"(?<![\w.,])(?:[2-9]|\d\d+)\s*[x×]\s*\d[\d.,]*\s*m?g\W{1,3}"
    r"(?:daily|per day|a day|t(?:ä|ae)?gl|jeden tag|quotid|tous les jours|diari|cada d[ií]a|ogni giorno|dagelijks)",
    re.IGNORECASE,
)
_EARLY = "(?<!ab )morgens?|früh|matin|mañana|mattin[ao]|ochtends|'s morgens|manhã"
_LATE = "abends?|nachts|zur nacht|soir|coucher|noche|acostarse|(?:la|alla|ogni|e) sera|coricarsi|avonds|noite|deitar"
_MORNING = re.compile(
    rf"\b(?:mornings?|breakfast|qam|{_EARLY})\b|\bam\b(?!\s+(?:\w*tag|abend|\d))", re.IGNORECASE
)
_EVENING = re.compile(
    rf"\b(?:evenings?|bedtime|night|nightly|dinner|supper|pm|qpm|qhs|{_LATE})\b", re.IGNORECASE
)
# The part of the day for which FHIR's codes of a time stand (HL7 v3 TimingEvent and its own EventTiming).
_PARTS: Mapping[str, str] = {
    **dict.fromkeys(("MORN", "MORN.early", "MORN.late", "CM", "ACM", "PCM", "WAKE", "AM"), "morning"),
    **dict.fromkeys(("EVE", "EVE.early", "EVE.late", "NIGHT", "HS", "CV", "ACV", "PCV", "PM", "BED"), "evening"),
}
_NOON = 12
_AM = re.compile(rf"\b(?:am(?!\s+(?:\w*tag|abend|\d))|morning|{_EARLY})\b", re.IGNORECASE)
_PM = re.compile(rf"\b(?:pm|evening|bedtime|{_LATE})\b", re.IGNORECASE)
_PARTS_NAMED = re.compile(
    r"\b(?P<early>mornings?|breakfast|am)\b|(?P<both>\band\b|&|\+|\bund\b)|(?P<end>[.;])"
    r"|\b(?P<late>evenings?|bedtime|night|nightly|dinner|supper|pm)\b",
    re.IGNORECASE,
)
_NEAR = 25  # letters between a part of the day and the "and" that joins it to another
_MIDDAY = re.compile(
    r"\b(?:noon|midday|lunch|lunchtime|mittags?|midi|mediod[ií]a|mezzogiorno|pranzo|middags|meio-dia|almoço)\b",
    re.IGNORECASE,
)
_CHOICE = re.compile(r"\b(?:or|oder|ou|oppure|o|(?:ochtends?|morgens?|avonds?) of)\b", re.IGNORECASE)
_SCHEME = re.compile(r"(?<![\w-])[\d½]-[\d½]-[\d½](?:-[\d½])?(?![\w-])")  # pieces for morning, noon, evening


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
    return Rhythm(higher.times, structured.daily and coded.daily, note)


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
    named_parts = (("morning", _MORNING), ("midday", _MIDDAY), ("evening", _EVENING))
    found |= {part for part, named in named_parts if named.search(words)}
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


def times_in(text: str, terms: Terms) -> Decimal | None:
    """How often a day, as words say it: one frequency, nothing else. Parts of the day that are named count each."""
    if _SCHEME.search(text):
        return None
    found = {_number(match[1]) for match in _TIMES.finditer(text) if not match[2]}
    if len(found) < len(_TIMES.findall(text)):
        return None
    rest = without_times(text)
    hourly = [int(match[1]) for match in (*_EVERY.finditer(rest), *_FROM_TO.finditer(rest))]
    if any(hours == 0 or 24 % hours for hours in hourly) or _SOME_TIMES.search(rest):
        return None
    found |= {_DAY / hours for hours in hourly}
    rest = _AM_OF_GERMAN.sub("an", _FROM_TO.sub(" ", _EVERY.sub(" ", rest)))
    found |= {Decimal(times) for times in terms.words["timing"].find_all(rest)}
    if found == {ONE} and _SO_MANY_OF.search(text):
        return None
    if found == {ONE} and not _CHOICE.search(text):
        both = _both_in(text)
        if both:
            return Decimal(3 if _MIDDAY.search(both) else 2)
        parts = sum(bool(part.search(text)) for part in (_AM, _MIDDAY, _PM))
        return None if parts <= 1 and _TWO_HOURS.search(text) else Decimal(max(1, parts))
    return found.pop() if len(found) == 1 else None


def leaves_open(text: str) -> bool:
    """Whether the words name days without the drug, or divide the dose of a day: how often it is taken is not told."""
    return _OPEN.search(text) is not None


def without_times(text: str) -> str:
    """The text without its "2 x daily", so that what it counts of a day is not taken for pieces."""
    return _TIMES.sub(" ", text)


def _number(written: str) -> Decimal:
    return Decimal(_NUMBERS.get(written.lower()) or written)


def _both_in(text: str) -> str:
    """What stands in the text from a morning to the evening that an "and" joins to it, in one sentence; "" if none."""
    early = joined = None
    for found in _PARTS_NAMED.finditer(text):
        match found.lastgroup:
            case "early":
                early = found
            case "both" if early is not None and found.start() - early.end() <= _NEAR:
                joined = early, found
            case "late" if joined is not None and found.start() - joined[1].end() <= _NEAR:
                return text[joined[0].start() : found.end()]
            case "end":
                early = joined = None
            case _:
                pass
    return ""


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
    return Rhythm(Decimal(max(1, named)), daily=False) if frequency == 1 else None


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
