"""Timelines: QTc and laboratory values of one patient over time, as something a template can draw and put in a table.

Only what the chart holds and what the checks cited: each limit stands there because a check read it, with its source.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from cds_service.facts.fact import Fact, Key
from cds_service.facts.values.ecg import ECGS, Ecg, Formula
from cds_service.facts.values.labs import BILIRUBIN, CREATININE, MAGNESIUM, OVER_TIME, POTASSIUM, WBC
from cds_service.knowledge import topics
from cds_service.knowledge.model import Statement
from cds_service.knowledge.snapshot import Snapshot
from cds_service.knowledge.units import UnitTable
from cds_service.pages.drawing import AHEAD, BACK, SMALL, WIDE, Frame, Line, Timeline, Value, drawn
from cds_service.pages.units import Drawn, drawn_in, rounded, spoken
from cds_service.quantity import Quantity
from cds_service.rules.rule import Case, Check, Evaluation, Fired
from cds_service.rules.subjects import uses
from cds_service.rules.treatment import ecg_due_days, started

_MS = Drawn("ms")
_MOST, _PAST = 12, 8  # due days that are drawn and told, and how many of them lie behind

# How a limit is spoken, by its topic. Topics without an entry have no line.
LIMITS: Mapping[str, str] = {
    topics.QTC_START_AT_MOST.name: "start at most",
    topics.QTC_ESCALATE_AT_MOST.name: "raise dose at most",
    topics.QTC_ACT_ABOVE.name: "act above",
    topics.QTC_HOLD_ABOVE.name: "hold above",
    topics.QTC_RESUME_AT_MOST.name: "resume at most",
    topics.POTASSIUM_LOW_BELOW.name: "low below",
    topics.POTASSIUM_SEVERE_BELOW.name: "severe below",
    topics.POTASSIUM_TARGET.name: "target from",
    topics.MAGNESIUM_LOW_BELOW.name: "low below",
    topics.MAGNESIUM_SEVERE_BELOW.name: "severe below",
    topics.MAGNESIUM_TARGET.name: "target from",
    topics.LEUKOCYTOSIS_ABOVE.name: "leukocytosis above",
    topics.RENAL_CREATININE_ABOVE.name: "dose changes above",
}
_OF_LAB: Mapping[Key[Quantity], tuple[str, ...]] = {
    POTASSIUM: ("potassium_",),
    MAGNESIUM: ("magnesium_",),
    CREATININE: ("renal_creatinine_above",),
    WBC: ("leukocytosis_above",),
    BILIRUBIN: (),
}


def qtc_timeline(evaluation: Evaluation, snapshot: Snapshot, frame: Frame = WIDE) -> Timeline | None:
    """QTc with the limits of the drugs in play, their orders, and the days on which ECGs are due.

    None where there is neither an ECG nor a drug with a limit.
    """
    ecgs = evaluation.chart.get(ECGS).value or ()
    values = [_of_ecg(ecg) for ecg in ecgs if ecg.when is not None]
    cited = _cited(evaluation, ("qtc_",))
    if not values and not cited:
        return None
    drugs = dict.fromkeys((*(each.about for each in cited), *_lengthening(evaluation)))
    due = _due(evaluation, snapshot)
    orders = [(drug, evaluation.chart.medications.naming(drug)) for drug in drugs]
    return drawn("qtc", "QTc over time", "ms", values, _lines(cited, _MS), evaluation.chart.now, frame, orders, due)


def lab_trends(
    evaluation: Evaluation, units: Mapping[str, UnitTable], of: Iterable[Check] | None = None, frame: Frame = SMALL
) -> tuple[Timeline, ...]:
    """Potassium, magnesium, creatinine, white cells and bilirubin, each where one of these checks read it.

    `units`: of each kind of value. `of`: the checks; left out, all that ended in an answer.
    """
    asked = [each for each in evaluation.checks if each.word in ("fired", "clear")] if of is None else of
    read = {fact.key.name for check in asked for fact in check.reads}
    found = []
    for key, prefixes in _OF_LAB.items():
        series = OVER_TIME[key]
        if not read & {key.name, series.name, f"{key.name}_uln", key.name.removesuffix("_total") + "_uln"}:
            continue
        measured = [fact for fact in evaluation.chart.get(series).value or () if fact.value and fact.when]
        if measured:
            unit = drawn_in(measured, units[key.name])
            values = [_of_fact(fact, unit) for fact in measured]
            lines = _lines(_cited(evaluation, prefixes), unit) if prefixes else []
            title = f"{key.label[:1].upper()}{key.label[1:]} over time"
            found.append(drawn(key.name, title, unit.words, values, lines, evaluation.chart.now, frame))
    return tuple(found)


def _of_ecg(ecg: Ecg) -> Value:
    assert ecg.when is not None
    how = [ecg.formula.value, *(["computed from QT and rate"] if ecg.computed else []), *ecg.doubts]
    unsure = bool(ecg.doubts or ecg.bound) or ecg.formula is not Formula.FRIDERICIA
    day = ecg.when.latest.date()
    return Value(float(ecg.qtc.value), day, f"{ecg.bound}{ecg.qtc}", unsure, ", ".join(how), ecg.origin.resource)


def _of_fact(fact: Fact[Quantity], unit: Drawn) -> Value:
    assert fact.when is not None
    amount, told = unit.measured(fact)
    resource = fact.origin.resource if fact.origin else ""
    day = fact.when.latest.date()
    note = ", ".join(fact.doubts)
    return Value(float(amount), day, told, bool(fact.doubts or fact.bound), note, resource)


def _cited(evaluation: Evaluation, prefixes: tuple[str, ...]) -> list[Statement[Any]]:
    """The limits of these topics that a check cited, each once."""
    every = (each for check in evaluation.checks for each in check.cites)
    return list({each.id: each for each in every if each.topic in LIMITS and each.topic.startswith(prefixes)}.values())


def _lines(statements: Iterable[Statement[Any]], unit: Drawn) -> list[Line]:
    """One line for each value, with all who say it."""
    by_value: dict[Quantity, list[Statement[Any]]] = {}
    for each in statements:
        by_value.setdefault(each.value, []).append(each)
    found = []
    several = len({each.about for each in _all(by_value.values())}) > 1
    for value, together in by_value.items():
        said: dict[str, list[str]] = {}
        for each in together:
            whose = [each.about] if several and each.about not in ("policy", "pathway", "signs") else []
            said.setdefault(LIMITS[each.topic], []).extend(whose)
        words = "; ".join(f"{how} ({', '.join(dict.fromkeys(who))})" if who else how for how, who in said.items())
        sources = dict.fromkeys(_source(each) for each in together)
        kept = f"; held as {rounded(value.value)} {spoken(value.unit)}" if unit.converts else ""
        found.append(Line(float(unit.amount(value)), unit.told(value), words, "; ".join(sources) + kept))
    return found


def _all(groups: Iterable[list[Statement[Any]]]) -> list[Statement[Any]]:
    return [each for group in groups for each in group]


def _source(statement: Statement[Any]) -> str:
    if statement.local is not None:
        return statement.local.words
    first = next(iter(statement.sources), None)
    return f"{first.reference.short}, {first.at}" if first is not None else "service default"


def _lengthening(evaluation: Evaluation) -> list[str]:
    """The other drugs that the check for several drugs lengthening the QT interval named."""
    return [
        drug
        for check in evaluation.checks
        if check.rule.id == "additive-qt" and isinstance(check.outcome, Fired)
        for order in check.outcome.finding.about
        for drug in order.ingredients
    ]


def _due(evaluation: Evaluation, snapshot: Snapshot) -> list[tuple[date, str, str]]:
    """The days on which ECGs were due as far as the drawing goes back, and are due from here on, by drug."""
    case = Case(evaluation.chart, snapshot)
    today, found = case.now.date(), []
    for use in uses(topics.ECG_ON_CYCLE_ONE_DAYS, topics.ECG_ON_DAYS)(case).found:
        start = started(case, use) if use.taken else None
        if start is not None:
            found += [(day, words, use.drug) for day, words in ecg_due_days(case, use, start)]
    behind = [each for each in sorted(found) if today - timedelta(days=BACK) <= each[0] < today]
    ahead = [each for each in sorted(found) if today <= each[0] <= today + timedelta(days=3 * AHEAD)]
    return [*behind[-_PAST:], *ahead][:_MOST]
