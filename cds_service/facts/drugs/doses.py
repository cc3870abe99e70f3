"""Doses: what an order comes to in mg a day, or why that cannot be told. Nothing is guessed.

Pieces count through the strength that the product states. Several steps (a ramp-up): the highest, said so; amounts of
the same step or of different times of the day add up. A drug not taken every day counts with what is taken on its day:
a mean would hide a dose that is too high. Of several amounts stated for one dose the highest counts, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from cds_service.facts.drugs import amounts
from cds_service.facts.drugs.amounts import Amount, amount_of, product_strength, rate_of
from cds_service.facts.drugs.dose_words import daily_beside, daily_in
from cds_service.facts.drugs.pieces_in_words import daily_pieces, said_once
from cds_service.facts.drugs.schemes import daily_by_scheme, doses_of, times_of
from cds_service.facts.drugs.surface import per_area_in
from cds_service.facts.drugs.times_in_words import days_between, leaves_open, skips_days, times_in
from cds_service.facts.drugs.timing import Rhythm, duration, hours_of, lasts, not_daily, part_of_day, rhythm
from cds_service.gather.views import Dosage, DoseAndRate, MedicationRequest
from cds_service.knowledge.terms import Terms
from cds_service.knowledge.words import as_seen
from cds_service.quantity import Quantity
from cds_service.truth import Truth


@dataclass(frozen=True, slots=True)
class Dose:
    """A daily dose in mg/d, or the reason why there is none."""

    daily: Quantity | None
    why: str = ""
    note: str = ""
    plain: bool = True  # one coded step a day, so that the order may be rewritten with another dose
    times: Decimal | None = None  # how often a day, where the order says so and it is given every day
    apart: bool = False  # the order says that days pass between one dose and the next
    per_area: Quantity | None = None  # each dose, where it is ordered per body surface
    days: Decimal | None = None  # for how many days, where the order says so without naming the first and the last
    entries: int = 1  # how many instructions may share a day, though they were not added
    first: Quantity | None = None  # of several steps the dose that comes first; the lowest, where none says which does


@dataclass(frozen=True, slots=True)
class _Product:
    """What the product says of its pieces, and the words that are known for timing."""

    name: str
    stated: Decimal | None
    terms: Terms

    def strength(self) -> Decimal | None:
        """The mg of one piece."""
        return self.stated or product_strength(self.name)


@dataclass(frozen=True, slots=True)
class _Step:
    """One instruction: every amount that it states, and how often."""

    dosage: Dosage
    stated: tuple[Amount, ...]
    often: Rhythm | None

    @property
    def text(self) -> str:
        return as_seen(self.dosage.text or "")

    @property
    def as_needed(self) -> bool:
        return bool(self.dosage.asNeededBoolean) or self.dosage.asNeededCodeableConcept is not None


_DAY = Decimal(24)
_FINEST = Decimal("0.000001")  # mg
_OTHER_DAYS = re.compile(
    r"\b(?:or|oder|instead|odd|even|alternate|alternating|every other|weeks?|woche|then|danach|(?:un)?gerade\w*|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?|days? \d+)\b",
    re.IGNORECASE,
)
_ADDED = "several doses a day added"
_PERHAPS_ADDED = "for other times of the day, though numbered one after another: may be taken on the same day, added"
_ON_ITS_DAY = "on the day it is taken, not daily"
_AS_NEEDED = "to be taken as needed, so no daily dose"


def daily_dose(
    order: MedicationRequest, product: str, terms: Terms, strength: Decimal | None = None, *, apart: bool = False
) -> Dose:
    """The daily dose of the order. `product`: the product's name, for its strength, unless `strength` states it.

    `apart`: its instructions hold in periods that share no day.
    """
    of = _Product(product, strength, terms)
    if not order.dosageInstruction:
        return Dose(None, "no dose stated", per_area=_per_area([], of))
    steps = [_read(dosage, of) for dosage in order.dosageInstruction]
    one_day = Truth.NO if apart else _one_day(steps)
    times = _times(steps, terms, one_day)
    unsorted = one_day is Truth.NO and not apart and all(step.dosage.sequence is None for step in steps)
    days = lasts(steps[0].dosage.timing, times) if len(steps) == 1 else None
    apart = len(steps) == 1 and _apart(steps[0], terms)  # of several, each may fill the days of the other
    return replace(
        _daily_dose(steps, of, one_day), times=times, apart=apart, per_area=_per_area(steps, of), days=days,
        entries=len(steps) if unsorted else 1,
    )


def _read(dosage: Dosage, of: _Product) -> _Step:
    often = rhythm(dosage.timing, of.terms)
    times = often.times if often is not None else times_in(as_seen(dosage.text or ""), of.terms)
    once = times is None or times == 1
    stated = tuple(amount for each in dosage.doseAndRate or () for amount in _stated(each, of, once=once))
    return _Step(dosage, stated, often)


def _daily_dose(steps: list[_Step], of: _Product, one_day: Truth) -> Dose:
    doses = [_dose(step, of) for step in steps]
    known = [dose.daily for dose in doses if dose.daily is not None]
    if len(known) < len(doses):
        return next(dose for dose in doses if dose.daily is None)
    if len(known) > 1 and one_day is not Truth.NO:
        return Dose(_sum(known), note=_ADDED if one_day is Truth.YES else _PERHAPS_ADDED, plain=False)
    highest = max(known, key=lambda daily: daily.value)
    if any(daily != highest for daily in known):
        note = f"{len(known)} dose steps, the highest counted"
        return Dose(highest, note=note, plain=False, first=_first(steps, known))
    note = next((dose.note for dose in doses if dose.note), "")
    return Dose(highest, note=note, plain=doses[0].plain and len(doses) == 1)


def _first(steps: list[_Step], doses: list[Quantity]) -> Quantity:
    """What is taken at first: the step with the lowest number, or the lowest dose where not all are numbered."""
    numbers = [step.dosage.sequence for step in steps if step.dosage.sequence is not None]
    if len(numbers) < len(steps):
        return min(doses, key=lambda daily: daily.value)
    return _sum(daily for daily, number in zip(doses, numbers, strict=True) if number == min(numbers))


def _sum(doses: Iterable[Quantity]) -> Quantity:
    return Quantity(sum((daily.value for daily in doses), Decimal(0)), "mg/d")


def _times(steps: list[_Step], terms: Terms, one_day: Truth) -> Decimal | None:
    """How often a day, where every step says so and all agree; None for what is not given every day."""
    if any(not_daily(step.dosage.timing, step.often) or step.as_needed or leaves_open(step.text) for step in steps):
        return None
    found = [step.often.times if step.often is not None else _times_in_words(step.text, terms) for step in steps]
    if None in found:
        return None
    each = [times for times in found if times is not None]
    if len(each) > 1 and one_day is Truth.UNKNOWN:
        return None
    if len(each) > 1 and one_day is Truth.YES:
        return sum(each, Decimal(0))
    return each[0] if len(set(each)) == 1 else None


def _apart(step: _Step, terms: Terms) -> bool:
    """Whether days pass between one dose and the next; words count where nothing else says how often."""
    return step.often.apart if step.often is not None else days_between(step.text, terms)


def _times_in_words(text: str, terms: Terms) -> Decimal | None:
    times = times_in(text, terms)
    return times_of(text, terms) if times is None else times


def _per_area(steps: list[_Step], of: _Product) -> Quantity | None:
    """The highest dose per body surface that is ordered, in mg/m2 each time; the product's words may state it too."""
    every = [amount for step in steps for amount in step.stated]
    found = [amount.mg for amount in every if amount.mg and amount.per == "m2" and amount.hours in (None, _DAY)]
    for text in (of.name, *(step.text for step in steps)):
        found += per_area_in(text, times_in(text, of.terms), beside=bool(found))
    return Quantity(max(found), "mg/m2") if found else None


def _one_day(steps: list[_Step]) -> Truth:
    """Whether the entries are taken on the same day: one sequence number, or each at another time of the day.

    Numbers that follow each other may only count entries, where each of them is for another part of the day.
    """
    sequences = {step.dosage.sequence for step in steps}
    if None not in sequences and len(sequences) == 1:
        return Truth.YES
    parts = [part_of_day(step.dosage.timing, step.text) for step in steps]
    other_parts = all(parts) and len(set(parts)) == len(parts) and not _on_other_days(steps)
    if sequences != {None}:
        bound = any(lasts(step.dosage.timing, Decimal(1)) is not None for step in steps)
        return Truth.UNKNOWN if other_parts and len(steps) > 1 and not bound else Truth.NO
    times = [frozenset(hours_of(step.dosage.timing)) for step in steps]
    other_times = all(times) and sum(map(len, times)) == len(frozenset().union(*times))
    return Truth.of(other_times or other_parts)


def _on_other_days(steps: list[_Step]) -> bool:
    """Whether the entries may be for other days, or one instead of the other: by their days, lengths or words."""
    repeats = [step.dosage.timing.repeat if step.dosage.timing else None for step in steps]
    days = {frozenset(each.dayOfWeek or ()) if each else frozenset() for each in repeats}
    lengths = {lasts(step.dosage.timing, Decimal(1)) for step in steps}
    return len(days) > 1 or len(lengths) > 1 or any(_OTHER_DAYS.search(step.text) for step in steps)


def _dose(step: _Step, of: _Product) -> Dose:
    """What one instruction comes to, held against the most that it allows itself."""
    most = _most_a_day(step.dosage, of)
    if step.as_needed:
        return Dose(most, note="as needed, at most", plain=False) if most else Dose(None, _AS_NEEDED, plain=False)
    dose = _coded(step, of)
    if most is None or (dose.daily is not None and dose.daily == most):
        return dose
    if dose.daily is None:
        return Dose(most, note=f"the most that the order allows; {dose.why}", plain=False)
    if dose.daily > most and not _is_a_range(step.dosage):
        return Dose(dose.daily, note=f"more than the {most} that the order allows", plain=False)
    return Dose(min(dose.daily, most, key=lambda daily: daily.value), note=dose.note, plain=dose.plain)


def _most_a_day(dosage: Dosage, of: _Product) -> Quantity | None:
    """The most that the order allows in a day; what it allows in a week says nothing of one day."""
    most = rate_of(dosage.maxDosePerPeriod, of.strength)
    return Quantity(most.mg, "mg/d") if most.mg is not None and not most.per and most.hours == _DAY else None


def _is_a_range(dosage: Dosage) -> bool:
    repeat = dosage.timing.repeat if dosage.timing else None
    return bool(repeat and repeat.frequencyMax) or any(each.doseRange for each in dosage.doseAndRate or ())


def _coded(step: _Step, of: _Product) -> Dose:
    single, note = _single(step)
    often = step.often
    if single.hours is not None and single.mg is not None and not single.per:
        return _running(single, step)
    if single.mg is None or single.per or often is None:
        return _partly_written(single, step, of)
    daily = Quantity(single.mg * often.times, "mg/d")
    if not often.daily:
        return Dose(daily, note=_ON_ITS_DAY, plain=False)
    note = note or often.note
    if note:
        return Dose(daily, note=note, plain=False)
    return _against_text(daily, single, often.times, step.text, of)


def _partly_written(single: Amount, step: _Step, of: _Product) -> Dose:
    """A dose of which the words, or the pieces of a day beside those of a dose, must tell amount or frequency."""
    told = single.mg is not None and not single.per
    written = _written(step, of) if not told else None
    if written is not None:
        return Dose(written, note=_ON_ITS_DAY if skips_days(step.text) else "read from the dose text", plain=False)
    unsaid = told and step.often is None
    times = times_in(step.text, of.terms) or doses_of(step.text, of.terms) if unsaid else None
    if times is not None and single.mg is not None:
        dose = _against_text(Quantity(single.mg * times, "mg/d"), single, times, step.text, of)
        note = _ON_ITS_DAY if skips_days(step.text) else dose.note or "frequency read from the dose text"
        return Dose(dose.daily, note=note, plain=False)
    a_day = _pieces_a_day(step, of) if unsaid else None
    if a_day is not None:
        return Dose(a_day, note="the pieces of a day as stated beside those of a dose", plain=False)
    why = "how often it is taken cannot be read" if told else _why_not(single)
    return Dose(None, why, plain=False)


def _written(step: _Step, of: _Product) -> Quantity | None:
    """The daily dose that the words state: in mg, or where nothing is coded in pieces of a known strength."""
    strength = of.strength() if step.text else None
    text = said_once(step.text)
    written = daily_in(text, of.terms, strength)
    if written is not None or step.stated:
        return written
    by_scheme = daily_by_scheme(text, strength, of.terms)
    if by_scheme is not None or strength is None:
        return by_scheme
    return daily_pieces(text, strength, of.terms)


def _pieces_a_day(step: _Step, of: _Product) -> Quantity | None:
    """What the order counts in pieces a day, beside how many make a dose, as Japanese orders state both."""
    rates = [rate_of(each.rateRatio, of.strength) for each in step.dosage.doseAndRate or () if each.doseQuantity]
    found = {rate.mg for rate in rates if rate.pieces is not None and rate.hours == _DAY and rate.mg is not None}
    return Quantity(found.pop(), "mg/d") if len(found) == 1 else None


def _why_not(single: Amount) -> str:
    return {"m2": amounts.BY_AREA, "kg": amounts.BY_WEIGHT}.get(single.per, single.why or amounts.NO_AMOUNT)


def _running(rate: Amount, step: _Step) -> Dose:
    """What an infusion comes to: a rate per day is that day's dose, any other runs as long as the order says."""
    if rate.mg is None or rate.hours is None:
        return Dose(None, rate.why, plain=False)
    long = duration(step.dosage.timing)
    if long is None and rate.hours != _DAY:
        return Dose(None, amounts.A_RATE, plain=False)
    each = _exact(rate.mg * (long if long is not None else _DAY) / rate.hours)
    repeated = step.often.times if step.often is not None and long is not None else Decimal(1)
    return Dose(Quantity(each * repeated, "mg/d"), note="from the rate at which it is given", plain=False)


def _exact(mg: Decimal) -> Decimal:
    """The mg without what dividing left behind its last decimal: a third of a day is no more than the label's dose."""
    return mg.quantize(_FINEST)


def _against_text(daily: Quantity, single: Amount, times: Decimal, text: str, of: _Product) -> Dose:
    """The coded dose; where its own text says another, the higher of the two, and nothing to be rewritten."""
    strength = of.strength() if text else None
    written = None
    if text and single.mg is not None:
        written = daily_beside(single.mg, times, text, of.terms, pieces=single.pieces, strength=strength)
    if written is None and text:
        written = daily_by_scheme(text, strength, of.terms)
    if written is None or written == daily:
        return Dose(daily)
    higher = max(daily, written, key=lambda dose: dose.value)
    return Dose(higher, note=f"coded {daily}, in words {written}: the higher counts", plain=False)


def _single(step: _Step) -> tuple[Amount, str]:
    """The amount taken at a time, in mg where one of the entries allows it, and what was doubtful about it.

    Entries may state one dose twice (ordered, calculated, to be given): the highest of what they come to counts.
    """
    flat = [amount for amount in step.stated if amount.mg is not None and not amount.per]
    doses = [amount for amount in flat if amount.hours is None]
    if doses:
        highest = max(doses, key=lambda amount: amount.mg or Decimal(0))
        same = all(amount.mg == highest.mg for amount in doses)
        return highest, "" if same else "its amounts for one dose differ, the highest counted"
    told = flat or [amount for amount in step.stated if amount.per] or step.stated
    return (told[0] if told else Amount(None, why=amounts.NO_AMOUNT)), ""


def _stated(each: DoseAndRate, of: _Product, *, once: bool) -> list[Amount]:
    """What one entry states: an amount, of a range the highest, and where there is none its rate.

    An amount "per day" is that of the day; whether it is, of what is given several times a day, nobody can tell.
    """
    if each.doseQuantity is not None:
        found = amount_of(each.doseQuantity, of.strength)
        clear = found.hours is None or (found.hours == _DAY and once)
        return [found if clear else Amount(None, why=amounts.NO_AMOUNT)]
    if each.doseRange is not None:
        top = each.doseRange.high
        return [amount_of(top, of.strength) if top is not None else Amount(None, why=amounts.ONLY_LOWEST)]
    if each.rateRatio is not None:
        return [rate_of(each.rateRatio, of.strength)]
    rate = each.rateQuantity or (each.rateRange.high if each.rateRange else None)
    found = amount_of(rate, of.strength)
    return [found if found.hours is not None or found.mg is None else Amount(None, why=amounts.A_RATE)]
