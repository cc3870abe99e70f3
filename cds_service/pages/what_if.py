"""What would change the answer: the same check, asked again with other values. Nothing here is claimed, all is tried.

A value is set to each limit that the check cited in its unit, where that limits the value and no change of it, and to
a step on either side; a doubt is taken away; a partner drug is left out. Only what ends otherwise is told, above the
value of now and below it, nearest first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from cds_service.facts.chart import Chart
from cds_service.facts.drugs.medications import MEDICATIONS
from cds_service.facts.fact import Fact, Origin, State, known
from cds_service.facts.times import When
from cds_service.facts.values.ecg import ECGS, QTC, Ecg, Formula
from cds_service.knowledge.snapshot import Snapshot
from cds_service.quantity import Quantity
from cds_service.rules.rule import Case, Check, Clear, Fired, NotApplicable, NotEvaluated, Outcome

_MOST = 6  # told of one check
_DIFFERENCES = ("_rise_", "_fall_", "_unstable_", "_within")  # in topics that limit a change, and no value
_ORIGIN = Origin("", "set here to ask again")


@dataclass(frozen=True, slots=True)
class Change:
    """If this were so, the check would end like that."""

    given: str
    ends: str  # in words
    outcome: str  # "fired", "clear", "not evaluated", "not applicable"
    level: str


def changes(check: Check, chart: Chart, snapshot: Snapshot) -> tuple[Change, ...]:
    """What would change the answer of this check."""
    before = _ending(check.outcome)
    found: dict[tuple[str, str, str], Change] = {}
    for about, given, other in _others(check, chart):
        outcome = _asked(check, other, snapshot)
        ending = _ending(outcome)
        if ending[:2] != before[:2]:
            found.setdefault((about, *ending[:2]), Change(given, ending[2], ending[0], ending[1]))
    return tuple(found.values())[:_MOST]


def _ending(outcome: Outcome) -> tuple[str, str, str]:
    """The outcome, its level, and both in words."""
    match outcome:
        case Fired(finding):
            return "fired", finding.level.indicator, "this card, as " + _SPOKEN[finding.level.indicator]
        case NotEvaluated():
            return "not evaluated", "", f"the check could not be made: {outcome.why or 'a value is missing'}"
        case NotApplicable(why):
            return "not applicable", "", f"the check does not apply: {why}"
        case Clear(why):
            return "clear", "", f"no card from this check: {why}" if why else "no card from this check"
    raise AssertionError(outcome)


_SPOKEN = {"info": "information", "warning": "a warning", "critical": "a critical card"}


def _asked(check: Check, chart: Chart, snapshot: Snapshot) -> Outcome:
    """The outcome of the same check in another chart."""
    found = check.rule.subjects(Case(chart, snapshot)).found
    same = [each for each in found if str(each) == check.subject]
    drug = check.subject.split(" (")[0]
    subject = next(iter(same or [each for each in found if str(each).split(" (")[0] == drug]), None)
    if subject is None:
        return NotApplicable("there is nothing here that it is about")
    try:
        return check.rule.function(Case(chart, snapshot), subject)
    except Exception:  # noqa: BLE001 - a question that cannot be asked has no answer
        return check.outcome


def _others(check: Check, chart: Chart) -> Iterator[tuple[str, str, Chart]]:
    """The charts to ask: about what, what is otherwise in them, and the chart. The nearest value first."""
    for fact in check.reads:
        kind = _kind(fact)
        if kind is None:
            continue
        amount, unit = kind
        for value in _tried(check, amount, unit):
            told = Quantity(value, unit)
            side = "above" if amount is not None and value > amount else "below"
            yield f"{side} {fact.key.name}", f"{fact.key.label} {told}, measured today", _with(chart, fact, told)
        if amount is not None and not fact.sure:
            same = Quantity(amount, unit)
            words = f"{fact.key.label} {same} again, measured today and without doubt"
            yield f"{fact.key.name} sure", words, _with(chart, fact, same)
    yield from _without_partners(check, chart)


def _kind(fact: Fact[Any]) -> tuple[Decimal | None, str] | None:
    """The amount, if any, and the unit of a fact that can be set; None for others."""
    held = fact.value
    if isinstance(held, Ecg):
        return held.qtc.value, held.qtc.unit
    if isinstance(held, Quantity):
        return held.value, held.unit
    if held is None and fact.key.name == QTC.name:
        return None, "ms"
    return None


def _tried(check: Check, amount: Decimal | None, unit: str) -> list[Decimal]:
    values = (each.value for each in check.cites if not any(part in each.topic for part in _DIFFERENCES))
    limits = {value.value for value in values if isinstance(value, Quantity) and value.unit == unit}
    step = Decimal(1) if all(each == each.to_integral() for each in limits) and unit == "ms" else Decimal("0.1")
    tried = {value for limit in limits for value in (limit - step, limit, limit + step) if value > 0}
    tried.discard(amount if amount is not None else Decimal(0))
    return sorted(tried, key=lambda value: abs(value - amount) if amount is not None else value)


def _with(chart: Chart, fact: Fact[Any], value: Quantity) -> Chart:
    """The chart with this value measured now, and nothing doubtful about it."""
    now = When(chart.now, chart.now)
    if fact.key.name != QTC.name:
        return _changed(chart, known(fact.key, value, now, _ORIGIN))
    ecg = Ecg(value, Formula.FRIDERICIA, None, now, _ORIGIN)
    ecgs = (ecg, *(chart.get(ECGS).value or ()))
    return _changed(chart, known(QTC, ecg, now, _ORIGIN), known(ECGS, ecgs, now, _ORIGIN))


def _changed(chart: Chart, *facts: Fact[Any]) -> Chart:
    return dataclasses.replace(chart, facts={**chart.facts, **{fact.key.name: fact for fact in facts}})


def _without_partners(check: Check, chart: Chart) -> Iterator[tuple[str, str, Chart]]:
    """Each other drug that the finding concerns, left out."""
    if not isinstance(check.outcome, Fired):
        return
    finding, listed = check.outcome.finding, chart.get(MEDICATIONS)
    if listed.value is None or listed.state is not State.KNOWN:
        return
    others = dict.fromkeys(drug for order in finding.about for drug in order.ingredients if drug != finding.drug)
    for drug in others:
        kept = tuple(order for order in listed.value.orders if drug not in order.ingredients)
        medications = dataclasses.replace(listed.value, orders=kept)
        words = f"{drug} neither ordered nor taken"
        yield f"without {drug}", words, _changed(chart, replace(listed, value=medications))
