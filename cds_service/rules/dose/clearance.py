"""Creatinine clearance as the dosing rules need it: measured, by Cockcroft–Gault, or the reported eGFR in its place.

The formula's numbers are statements. Its inputs are the facts that the trace shows; what they leave open (a birth year,
a sex that is not on record) makes an interval, whose lower end is the one nearer to danger. Shared by several topics.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import ROUND_FLOOR, Decimal
from functools import reduce
from typing import Any

from cds_service.facts.demographics import AGE, SEX, Age
from cds_service.facts.fact import Fact, Key, State
from cds_service.facts.times import elapsed
from cds_service.facts.values.labs import BODY_WEIGHT, CREATININE, CREATININE_CLEARANCE, CREATININE_SERIES, EGFR
from cds_service.knowledge import topics
from cds_service.quantity import Quantity
from cds_service.rules.once import once
from cds_service.rules.rule import Case

CLEARANCE: Key[Quantity] = Key("clearance", "creatinine clearance", "creatinine")
_ML_PER_MIN = "mL/min"
_MEASURED = "measured clearance"
_OPPOSITE = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "": ""}


@dataclass(frozen=True, slots=True)
class Estimate:
    """One way in which kidney function is known: its value, how it was had, and from what."""

    fact: Fact[Quantity]  # its lower end, where the inputs leave it open
    highest: Quantity
    method: str
    inputs: str
    open: str = ""  # what leaves it open
    in_doubt: tuple[Fact[Any], ...] = ()  # the input that alone is in doubt, where the creatinine is not
    rising: str = ""  # a creatinine that goes up fast: the kidney is weaker than any formula says

    def band(self, limits: Iterable[Quantity]) -> int:
        """Below how many of the limits it lies."""
        return sum(self.fact.value < limit for limit in limits if self.fact.value is not None)


@dataclass(frozen=True, slots=True)
class Kidney:
    """Everything that tells kidney function now, the preferred way first; what is missing for the others."""

    estimates: tuple[Estimate, ...]
    missing: tuple[Fact[Any], ...]

    def against(self, limits: tuple[Quantity, ...]) -> tuple[Estimate | None, str]:
        """The estimate that counts against these limits, and what is to be said where another one disagrees.

        A newer one that disagrees counts. Beside a formula, a reported value as new that lies lower is said too: what
        the formula finds stands, and it clears nothing.
        """
        if not self.estimates:
            return None, ""
        first, *others = self.estimates
        newer = [each for each in others if _newer(each.fact, first.fact) and each.band(limits) != first.band(limits)]
        chosen = newer[0] if newer else first
        notes = [f"{first.method} of {first.fact.when} gives {first.fact.told}; the newer value counts"] * bool(newer)
        lower = [each for each in others if each is not chosen and _lower(each, chosen, limits)]
        doubts = [chosen.open] * any(_between(limit, chosen) for limit in limits)
        for each in lower:
            words = f"{each.method} of {each.fact.when} gives {each.fact.told}"
            if chosen.band(limits):
                notes.append(f"{words}, which is lower")
            else:
                doubts.append(words)
        if chosen.rising:
            (notes if chosen.band(limits) else doubts).append(chosen.rising)
        in_doubt = () if doubts else chosen.in_doubt
        told = replace(chosen, fact=reduce(Fact.doubted, doubts, chosen.fact), in_doubt=in_doubt)
        return told, "; ".join(notes)


def _lower(one: Estimate, chosen: Estimate, limits: tuple[Quantity, ...]) -> bool:
    """Whether it is as new as an estimate that counts, and below a limit that the other is not below."""
    estimated = chosen.method != _MEASURED
    return estimated and one.band(limits) > chosen.band(limits) and not _newer(chosen.fact, one.fact)


def _newer(one: Fact[Quantity], other: Fact[Quantity]) -> bool:
    return bool(one.when and other.when and one.when.earliest.date() > other.when.latest.date())


def _between(limit: Quantity, estimate: Estimate) -> bool:
    """Whether the limit lies between the lower and the upper end, so that the open input decides."""
    low = estimate.fact.value
    return low is not None and low < limit <= estimate.highest


@once
def kidney(case: Case) -> Kidney:
    """What is known of kidney function within the window for laboratory values."""
    window = case.must(topics.LAB_WINDOW, "policy").value
    measured, egfr = case.fact(CREATININE_CLEARANCE, window), case.fact(EGFR, window)
    formula, missing = _cockcroft_gault(case)
    found = (
        _as_reported(measured, _MEASURED),
        formula,
        _as_reported(egfr, "reported eGFR, indexed to body surface"),
    )
    ranked = sorted((each for each in found if each is not None), key=lambda each: each.fact.state is State.STALE)
    return Kidney(tuple(ranked), missing)


def _as_reported(fact: Fact[Quantity], method: str) -> Estimate | None:
    if fact.value is None:
        return None
    clearance = fact.told_as(CLEARANCE, lambda each: Quantity(each.value, _ML_PER_MIN))
    return Estimate(clearance, Quantity(fact.value.value, _ML_PER_MIN), method, "as reported")


def _cockcroft_gault(case: Case) -> tuple[Estimate | None, tuple[Fact[Any], ...]]:
    """Cockcroft–Gault with actual weight, or the facts for want of which it cannot be had."""
    creatinine = case.fact(CREATININE, case.must(topics.LAB_WINDOW, "policy").value)
    weight = case.fact(BODY_WEIGHT, case.must(topics.WEIGHT_WINDOW, "policy").value)
    age, sex = case.fact(AGE), case.fact(SEX)
    missing = tuple(fact for fact in (creatinine, weight, age) if not fact.usable)
    if creatinine.value is None or weight.value is None or age.value is None:
        return None, missing
    adult_from = case.must(topics.ADULT_FROM, "policy").value
    if age.value.youngest < int(adult_from.value):
        return None, (age,)
    low, high = _ends(case, creatinine.value, weight.value, age.value, sex.value)
    open_age = "" if age.value.youngest == age.value.oldest else str(age.value)
    unsure = (open_age, "" if sex.value else _spoken_sex(sex))
    words = ", ".join(filter(None, unsure))
    falling, rising = _unstable(case)
    fact = Fact(
        CLEARANCE,
        creatinine.state,
        low,
        creatinine.when,
        creatinine.origin,
        _OPPOSITE[creatinine.bound],
        (*creatinine.doubts, *(f"weight: {doubt}" for doubt in _doubts(weight)), *falling),
        creatinine.why,
    )
    method = "Cockcroft–Gault, actual weight"
    inputs = f"creatinine {as_received(creatinine)}, {weight.told}, {age.value}, {_spoken_sex(sex)}"
    alone = (weight,) if creatinine.sure and not weight.sure and not falling else ()
    between = f"{words}: between {low} and {high}" if words else ""
    return Estimate(fact, high, method, inputs, between, alone, "; ".join(rising)), ()


def _spoken_sex(sex: Fact[str]) -> str:
    if sex.value:
        return f"{sex.value} (administrative sex)"
    return f"sex not known ({sex.why})" if sex.state is State.CONFLICTING else "sex not on record"


def _doubts(weight: Fact[Quantity]) -> tuple[str, ...]:
    return (*weight.doubts, weight.bounded) if weight.bound else weight.doubts


def as_received(fact: Fact[Quantity]) -> str:
    """The value in the unit in which it came, with its day."""
    received = fact.origin.as_received if fact.origin else ""
    return f"{received or fact.told} ({fact.when or 'no date'})"


def _ends(
    case: Case, creatinine: Quantity, weight: Quantity, age: Age, sex: str | None
) -> tuple[Quantity, Quantity]:
    """The clearance at its lowest and at its highest, as far as age and sex are known."""
    years, divisor, female, per_mg_dl = (
        case.must(topics.COCKCROFT_GAULT, "policy", name).value
        for name in ("age from", "divisor", "factor for women", "µmol/L per mg/dL")
    )
    mg_dl = creatinine.value / per_mg_dl

    def at(whole_years: int, factor: Decimal) -> Quantity:
        value = (years - whole_years) * weight.value * factor / (divisor * mg_dl)
        return Quantity(max(value, Decimal(0)).quantize(Decimal("0.1"), ROUND_FLOOR), _ML_PER_MIN)

    lowest = Decimal(1) if sex == "male" else female
    highest = female if sex == "female" else Decimal(1)
    return at(age.oldest, lowest), at(age.youngest, highest)


def _unstable(case: Case) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is said where creatinine falls, and where it rises, so fast that no formula holds."""
    change = case.must(topics.CREATININE_UNSTABLE_FROM, "policy")
    hours = case.must(topics.CREATININE_UNSTABLE_WITHIN, "policy")
    series = case.fact(CREATININE_SERIES).value or ()
    dated = [(each.when, each.value, each) for each in series if each.when and each.value]
    if not dated:
        return (), ()
    span = timedelta(hours=int(hours.value.value))
    newest_when, newest, now = dated[0]
    for when, older, then in dated[1:]:
        near = elapsed(when.latest, newest_when.earliest) <= span
        if near and abs(newest.value - older.value) >= change.value.value:
            words = f"{as_received(then)} to {as_received(now)}"
            if newest > older:
                said = f"creatinine is not stable ({words}), so no formula holds: the clearance is lower than this"
                return (), (said,)
            return (f"creatinine is not stable ({words}), so no formula holds",), ()
    return (), ()
