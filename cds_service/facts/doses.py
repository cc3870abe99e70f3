"""Doses: what an order comes to in mg a day, or why that cannot be told. Nothing is guessed.

Tablets count through the strength that the product's name states. Several steps (a ramp-up): the highest, said so;
amounts of the same step or of different times of the day add up. A drug not taken every day counts with what is taken
on its day: a mean would hide a dose that is too high.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from cds_service.facts.concepts import all_text, codes
from cds_service.gather.views import Dosage, DoseAndRate, MedicationRequest, Repeat, Timing
from cds_service.gather.views import Quantity as Measured
from cds_service.knowledge.terms import Terms
from cds_service.quantity import Quantity


@dataclass(frozen=True, slots=True)
class Dose:
    """A daily dose in mg/d, or the reason why there is none."""

    daily: Quantity | None
    why: str = ""
    note: str = ""
    plain: bool = True  # one coded step a day, so that the order may be rewritten with another dose
    times: Decimal | None = None  # how often a day, where the order says so and it is given every day
    per_area: Quantity | None = None  # each dose, where it is ordered per body surface


_MG: Mapping[str, Decimal] = {"mg": Decimal(1), "g": Decimal(1000), "ug": Decimal("0.001"), "mcg": Decimal("0.001")}
_PIECE = re.compile(r"(?:[a-z-]+[ -])*(?:tablet|tab|tbl|pill|capsule|cap|each)(?:s|\(s\))?|1", re.IGNORECASE)
_STRENGTH = re.compile(r"(?<![\d.,])(\d+(?:\.\d+)?)\s*(mg|g)\b(?!\s*/)", re.IGNORECASE)
_IN_TEXT = re.compile(r"(?<![\d.,])(\d[\d.,]*)\s*mg\b(\s*(?:/|per\b)\s*(?!d\b|day)\w)?", re.IGNORECASE)
_AREA = r"(g|mg)\s*/\s*(?:m2|m\^2|m²|sq\.?\s*m)"
_AREA_UNIT = re.compile(_AREA, re.IGNORECASE)
_AREA_IN_TEXT = re.compile(rf"(?<![\d.,])(\d[\d.,]*)\s*{_AREA}", re.IGNORECASE)
_COUNTED = re.compile(r"\b(?:[2-9]|\d\d+|two|three|four|five|six)\s*(?:x|×|\*|tab|cap|pill)", re.IGNORECASE)
_TIMES = re.compile(
    r"\b(\d+)(\s*(?:-|to)\s*\d+)?\s*(?:x|×|times?)\s*(?:/|per|a|each|every)?\s*(?:day|daily|d)\b", re.IGNORECASE
)
_AM, _PM = re.compile(r"\b(am|morning)\b", re.IGNORECASE), re.compile(r"\b(pm|evening|bedtime)\b", re.IGNORECASE)
_HOURS_IN = {"h": Decimal(1), "d": Decimal(24), "wk": Decimal(168)}


def daily_dose(order: MedicationRequest, product: str, terms: Terms) -> Dose:
    """The daily dose of the order. `product`: the product's name, for its strength."""
    if not order.dosageInstruction:
        return Dose(None, "no dose stated", per_area=_per_area([], product))
    dose = _daily_dose(order.dosageInstruction, product, terms)
    steps = order.dosageInstruction
    return replace(dose, times=_times(steps, terms), per_area=_per_area(steps, product))


def _daily_dose(steps_ordered: list[Dosage], product: str, terms: Terms) -> Dose:
    steps = [_step(dosage, product, terms) for dosage in steps_ordered]
    known = [step.daily for step in steps if step.daily is not None]
    if len(known) < len(steps):
        return next(step for step in steps if step.daily is None)
    if len(known) > 1 and _is_one_day(steps_ordered):
        return Dose(
            Quantity(sum((daily.value for daily in known), Decimal(0)), "mg/d"),
            note="several doses a day added",
            plain=False,
        )
    highest = max(known, key=lambda daily: daily.value)
    if any(daily != highest for daily in known):
        return Dose(highest, note=f"{len(known)} dose steps, the highest counted", plain=False)
    return Dose(
        highest, note=next((step.note for step in steps if step.note), ""), plain=steps[0].plain and len(steps) == 1
    )


def _times(steps: list[Dosage], terms: Terms) -> Decimal | None:
    """How often a day, where every step says so and all agree; None for what is not given every day."""
    if any(_not_daily(step.timing) or step.asNeededBoolean for step in steps):
        return None
    found = [_times_a_day(step.timing, terms) or _times_in(step.text or "", terms) for step in steps]
    if None in found:
        return None
    each = [times for times in found if times is not None]
    if len(each) > 1 and _is_one_day(steps):
        return sum(each, Decimal(0))
    return each[0] if len(set(each)) == 1 else None


def _per_area(steps: list[Dosage], product: str) -> Quantity | None:
    """The highest dose per body surface that is ordered, in mg/m2 each time; the product's words may state it too."""
    found = [_by_area(amount) for step in steps for each in step.doseAndRate or () for amount in _amounts(each)]
    texts = (product, *(step.text or "" for step in steps))
    for match in (match for text in texts for match in _AREA_IN_TEXT.finditer(text)):
        amount = _plainly(match[1])
        found.append(amount * _MG[match[2].lower()] if amount is not None else None)
    known = [value for value in found if value]
    return Quantity(max(known), "mg/m2") if known else None


def _amounts(each: DoseAndRate) -> list[Measured | None]:
    return [each.doseQuantity] if each.doseQuantity else [each.doseRange.high] if each.doseRange else []


def _by_area(amount: Measured | None) -> Decimal | None:
    if amount is None or amount.value is None or amount.value <= 0 or amount.comparator:
        return None
    matches = (_AREA_UNIT.fullmatch(name.strip()) for name in (amount.code or "", amount.unit or ""))
    return next((amount.value * _MG[match[1].lower()] for match in matches if match), None)


def _is_one_day(steps: list[Dosage]) -> bool:
    """Whether the entries are taken on the same day: one sequence number, or each at another time of the day."""
    sequences = {step.sequence for step in steps}
    if None not in sequences:
        return len(sequences) == 1
    times = [frozenset(_hours(step.timing.repeat if step.timing else None)) for step in steps]
    return sequences == {None} and all(times) and sum(map(len, times)) == len(frozenset().union(*times))


def _hours(repeat: Repeat | None) -> list[str]:
    return [*(repeat.timeOfDay or ()), *(repeat.when or ())] if repeat is not None else []


def _step(dosage: Dosage, product: str, terms: Terms) -> Dose:
    if dosage.asNeededBoolean:
        return Dose(None, "to be taken as needed, so no daily dose")
    single = _single(dosage, product)
    per_day = _times_a_day(dosage.timing, terms)
    if single is None or per_day is None:
        written = _from_text(dosage.text or "", terms)
        if written is not None and single is None:
            return Dose(written, note="read from the dose text", plain=False)
        if single is not None and per_day is None and dosage.text:
            times = _times_in(dosage.text, terms)
            if times is not None:
                return Dose(Quantity(single * times, "mg/d"), note="frequency read from the dose text", plain=False)
        why = "the dose cannot be read" if single is None else "how often it is taken cannot be read"
        return Dose(None, why, plain=False)
    daily = Quantity(single * per_day, "mg/d")
    if _not_daily(dosage.timing):
        return Dose(daily, note="on the day it is taken, not daily", plain=False)
    return _against_text(daily, dosage.text or "", terms)


def _not_daily(timing: Timing | None) -> bool:
    repeat = timing.repeat if timing else None
    return bool(repeat and repeat.period and repeat.period * _HOURS_IN.get(repeat.periodUnit or "", Decimal(24)) > 24)


def _against_text(daily: Quantity, text: str, terms: Terms) -> Dose:
    """The coded dose; where its own text says another, the higher of the two, and nothing to be rewritten."""
    written = _from_text(text, terms)
    if written is None or written == daily:
        return Dose(daily)
    higher = max(daily, written, key=lambda dose: dose.value)
    return Dose(higher, note=f"coded {daily}, in words {written}: the higher counts", plain=False)


def _single(dosage: Dosage, product: str) -> Decimal | None:
    """The amount taken at a time, in mg. An ordered amount is preferred to a calculated or administered one."""
    ordered = sorted(dosage.doseAndRate or (), key=lambda each: "ordered" not in _type(each))
    for each in ordered:
        amounts = [each.doseQuantity] if each.doseQuantity else [each.doseRange.high] if each.doseRange else []
        for amount in amounts:
            found = _milligrams(amount, product)
            if found is not None:
                return found
    return None


def _type(each: DoseAndRate) -> str:
    return " ".join(coding.code or "" for coding in (each.type.coding or ())) if each.type else ""


def _milligrams(amount: Measured | None, product: str) -> Decimal | None:
    if amount is None or amount.value is None or amount.value <= 0 or amount.comparator:
        return None
    unit = (amount.code or amount.unit or "").strip().lower().strip("{}")
    alternative = (amount.unit or "").strip().lower().strip("{}")
    for name in (unit, alternative):
        if name in _MG:
            return amount.value * _MG[name]
    if any(_PIECE.fullmatch(name) for name in (unit, alternative)):
        strength = product_strength(product)
        return amount.value * strength if strength is not None else None
    return None


def product_strength(product: str) -> Decimal | None:
    """The strength in mg that a product's name states ("venetoclax 100 MG Oral Tablet"), when it states one only."""
    found = {Decimal(match[1]) * _MG[match[2].lower()] for match in _STRENGTH.finditer(product)}
    return found.pop() if len(found) == 1 else None


def _times_a_day(timing: Timing | None, terms: Terms) -> Decimal | None:
    if timing is None:
        return None
    repeat = timing.repeat
    if repeat is not None and repeat.period is not None and repeat.period > 0 and repeat.periodUnit in _HOURS_IN:
        hours = repeat.period * _HOURS_IN[repeat.periodUnit]
        often = repeat.frequencyMax or repeat.frequency or max(1, len(_hours(repeat)))
        if hours > 24:
            return Decimal(1) if often == 1 else None  # the day on which it is taken
        return Decimal(often) * 24 / hours
    if repeat is not None and _hours(repeat) and not repeat.period:
        return Decimal(len(_hours(repeat)))
    words = [code for _, code in codes(timing.code, terms)] + [all_text(timing.code)]
    return next((times for text in words if (times := _times_in(text, terms)) is not None), None)


def _times_in(text: str, terms: Terms) -> Decimal | None:
    """How often a day, as words say it: one frequency, nothing else."""
    found = {Decimal(match[1]) for match in _TIMES.finditer(text) if not match[2]}
    rest = _TIMES.sub(" ", text)
    if len(found) < len(_TIMES.findall(text)):
        return None
    found |= {Decimal(times) for times in terms.words["timing"].find_all(rest)}
    if found == {Decimal(1)} and _AM.search(text) and _PM.search(text):
        return Decimal(2)
    return found.pop() if len(found) == 1 else None


def _from_text(text: str, terms: Terms) -> Quantity | None:
    """A dose written as "400 mg once daily": one amount and one frequency, no count of tablets, nothing else."""
    matches = list(_IN_TEXT.finditer(text))
    amounts = {_plainly(match[1]) for match in matches}
    times = _times_in(text, terms)
    if len(amounts) != 1 or times is None or any(match[2] for match in matches) or _COUNTED.search(text):
        return None
    amount = amounts.pop()
    return Quantity(amount * times, "mg/d") if amount is not None else None


def _plainly(written: str) -> Decimal | None:
    """The number; None where a mark may part thousands or decimals ("1,000", "1.200")."""
    if re.fullmatch(r"\d+|\d+[.,]\d{1,2}|0[.,]\d+", written):
        return Decimal(written.replace(",", "."))
    return None
