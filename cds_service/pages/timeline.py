"""Timelines: QTc and laboratory values of one patient over time, as something a template can draw and put in a table.

Only what the chart holds and what the checks cited: each limit stands there because a check read it, with its source.
Coordinates are in the units of the drawing. Nothing is smoothed, joined across a gap or estimated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from cds_service.facts.drugs.medications import Medication, Role
from cds_service.facts.fact import Fact, Key
from cds_service.facts.values.ecg import ECGS, Ecg, Formula
from cds_service.facts.values.labs import BILIRUBIN, CREATININE, MAGNESIUM, OVER_TIME, POTASSIUM, WBC
from cds_service.knowledge import topics
from cds_service.knowledge.load import Snapshot
from cds_service.knowledge.model import Statement
from cds_service.quantity import Quantity
from cds_service.rules.rule import Case, Check, Evaluation, Fired
from cds_service.rules.subjects import uses
from cds_service.rules.treatment import ecg_due_days, started

TOP, LANE = 18, 26  # in the drawing's own units, like all that follow
_LABEL = 16  # between two labels
_DAY_ROOM = 92  # for the words of a day
_BACK, _AHEAD = 400, 35  # days that are drawn, before and after today; the table has them all
_MOST = 12  # due days that are drawn and told



@dataclass(frozen=True, slots=True)
class Frame:
    """The room of a drawing: what stands left and right of the values is for words."""

    left: int
    right: int
    width: int
    height: int  # of the field of values


WIDE, SMALL = Frame(130, 215, 900, 230), Frame(52, 140, 520, 130)

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


@dataclass(frozen=True, slots=True)
class Point:
    """A measurement. `open`: doubtful, only a bound, or of another formula than Fridericia."""

    x: float
    y: float
    day: str
    value: str
    open: bool
    note: str
    resource: str
    drawn: bool = True


@dataclass(frozen=True, slots=True)
class Limit:
    """A line that a check held the values against. `label_y`: where its words have room."""

    y: float
    label_y: float
    value: str
    words: str
    source: str


@dataclass(frozen=True, slots=True)
class Bar:
    """An order in the lane of its drug; `diamond` for a draft, which has no span yet."""

    x: float
    width: float
    y: float
    role: str
    words: str
    dose: str
    since: str
    until: str
    diamond: bool


@dataclass(frozen=True, slots=True)
class Lane:
    """A drug, beneath the values."""

    drug: str
    y: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Due:
    """A day on which an ECG is due."""

    x: float
    day: str
    words: str
    drug: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis."""

    at: float
    words: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """One drawing, its table beside it."""

    name: str  # for ids in the page: "qtc"
    title: str
    unit: str
    summary: str  # the whole in a sentence, for whoever does not see it
    width: int
    height: int
    left: int  # of the field of values
    right: int
    bottom: int
    today: float
    points: tuple[Point, ...]
    limits: tuple[Limit, ...]
    lanes: tuple[Lane, ...]
    due: tuple[Due, ...]
    days: tuple[Tick, ...]
    values: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class _Value:
    amount: float
    day: date
    told: str
    open: bool
    note: str
    resource: str


@dataclass(frozen=True, slots=True)
class _Line:
    amount: float
    value: str
    words: str
    source: str


@dataclass(frozen=True, slots=True)
class _Scale:
    first: date
    last: date
    low: float
    high: float
    frame: Frame

    def x(self, day: date) -> float:
        span = max((self.last - self.first).days, 1)
        place = min(max((day - self.first).days / span, 0.0), 1.0)
        return round(self.frame.left + place * (self.frame.width - self.frame.left - self.frame.right), 1)

    def y(self, amount: float) -> float:
        return round(TOP + (self.high - amount) / (self.high - self.low) * self.frame.height, 1)


def qtc_timeline(evaluation: Evaluation, snapshot: Snapshot) -> Timeline | None:
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
    return _drawn("qtc", "QTc over time", "ms", values, _lines(cited), evaluation, WIDE, tuple(drugs), due)


def lab_trends(evaluation: Evaluation, of: Iterable[Check] | None = None) -> tuple[Timeline, ...]:
    """Potassium, magnesium, creatinine, white cells and bilirubin, each where one of these checks read it.

    `of`: the checks; left out, all that ended in an answer.
    """
    asked = [each for each in evaluation.checks if each.word in ("fired", "clear")] if of is None else of
    read = {fact.key.name for check in asked for fact in check.reads}
    found = []
    for key, prefixes in _OF_LAB.items():
        series = OVER_TIME[key]
        if not read & {key.name, series.name, f"{key.name}_uln", key.name.removesuffix("_total") + "_uln"}:
            continue
        values = [_of_fact(fact) for fact in evaluation.chart.get(series).value or () if fact.value and fact.when]
        if values:
            unit = next(fact.value.unit for fact in evaluation.chart.get(series).value or () if fact.value)
            lines = _lines(_cited(evaluation, prefixes)) if prefixes else []
            title = f"{key.label[:1].upper()}{key.label[1:]} over time"
            found.append(_drawn(key.name, title, unit, values, lines, evaluation, SMALL))
    return tuple(found)


def _of_ecg(ecg: Ecg) -> _Value:
    assert ecg.when is not None
    how = [ecg.formula.value, *(["computed from QT and rate"] if ecg.computed else []), *ecg.doubts]
    unsure = bool(ecg.doubts or ecg.bound) or ecg.formula is not Formula.FRIDERICIA
    day = ecg.when.latest.date()
    return _Value(float(ecg.qtc.value), day, f"{ecg.bound}{ecg.qtc}", unsure, ", ".join(how), ecg.origin.resource)


def _of_fact(fact: Fact[Quantity]) -> _Value:
    assert fact.value is not None and fact.when is not None
    resource = fact.origin.resource if fact.origin else ""
    day = fact.when.latest.date()
    note = ", ".join(fact.doubts)
    return _Value(float(fact.value.value), day, fact.told, bool(fact.doubts or fact.bound), note, resource)


def _cited(evaluation: Evaluation, prefixes: tuple[str, ...]) -> list[Statement[Any]]:
    """The limits of these topics that a check cited, each once."""
    every = (each for check in evaluation.checks for each in check.cites)
    return list({each.id: each for each in every if each.topic in LIMITS and each.topic.startswith(prefixes)}.values())


def _lines(statements: Iterable[Statement[Any]]) -> list[_Line]:
    """One line for each value, with all who say it."""
    by_value: dict[tuple[float, str], list[Statement[Any]]] = {}
    for each in statements:
        by_value.setdefault((float(each.value.value), str(each.value)), []).append(each)
    found = []
    several = len({each.about for each in _all(by_value.values())}) > 1
    for (amount, value), together in by_value.items():
        said: dict[str, list[str]] = {}
        for each in together:
            whose = [each.about] if several and each.about not in ("policy", "pathway", "signs") else []
            said.setdefault(LIMITS[each.topic], []).extend(whose)
        words = "; ".join(f"{how} ({', '.join(dict.fromkeys(who))})" if who else how for how, who in said.items())
        sources = dict.fromkeys(_source(each) for each in together)
        found.append(_Line(amount, value, words, "; ".join(sources)))
    return found


def _all(groups: Iterable[list[Statement[Any]]]) -> list[Statement[Any]]:
    return [each for group in groups for each in group]


def _source(statement: Statement[Any]) -> str:
    if statement.local is not None:
        return statement.local.words
    return f"{statement.sources[0].reference.short}, {statement.sources[0].at}" if statement.sources else "service default"


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
    """The days on which ECGs are due from here on, and the last one before, by drug."""
    case = Case(evaluation.chart, snapshot)
    today, found = case.now.date(), []
    for use in uses(topics.ECG_ON_CYCLE_ONE_DAYS, topics.ECG_ON_DAYS)(case).found:
        start = started(case, use) if use.active else None
        if start is not None:
            found += [(day, words, use.drug) for day, words in ecg_due_days(case, use, start)]
    near = [each for each in sorted(found) if each[0] >= today - timedelta(days=_AHEAD)]
    return [each for each in near if each[0] <= today + timedelta(days=3 * _AHEAD)][:_MOST]


def _drawn(
    name: str,
    title: str,
    unit: str,
    values: list[_Value],
    lines: list[_Line],
    evaluation: Evaluation,
    frame: Frame,
    drugs: tuple[str, ...] = (),
    due: Sequence[tuple[date, str, str]] = (),
) -> Timeline:
    now = evaluation.chart.now
    values = sorted(values, key=lambda each: each.day)
    orders = [(drug, _orders_of(evaluation, drug)) for drug in drugs]
    scale = _scale(values, lines, [order for _, them in orders for order in them], due, now.date(), frame)
    bottom = TOP + frame.height
    lanes = _lanes(orders, scale, now, bottom + 44)
    points = tuple(
        Point(
            scale.x(each.day), scale.y(each.amount), each.day.isoformat(), each.told, each.open, each.note, each.resource,
            each.day >= scale.first,
        )
        for each in values
    )  # fmt: skip
    limits = _limits(lines, scale)
    return Timeline(
        name, title, str(Quantity(Decimal(1), unit)).removeprefix("1").strip() or unit, _summary(title, values, limits, due, now.date()),
        frame.width, bottom + 30 + (20 + LANE * len(lanes) if lanes else 0), frame.left, frame.width - frame.right, bottom,
        scale.x(now.date()),
        points, limits, lanes,
        tuple(Due(scale.x(day), day.isoformat(), words, drug) for day, words, drug in due),
        _days(scale), _ticks(scale),
    )  # fmt: skip


def _orders_of(evaluation: Evaluation, drug: str) -> tuple[Medication, ...]:
    return evaluation.chart.medications.naming(drug)


def _scale(
    values: list[_Value], lines: list[_Line], orders: list[Medication], due: Sequence[tuple[date, str, str]], today: date,
    frame: Frame,
) -> _Scale:
    oldest = today - timedelta(days=_BACK)
    begins = [order.start.earliest.date() for order in orders if order.start is not None]
    days = [*(each.day for each in values), *begins, *(day for day, _, _ in due), today]
    drawn = [day for day in days if oldest <= day <= today + timedelta(days=_AHEAD)] or [today]
    first, last = min(drawn) - timedelta(days=2), max(*drawn, today) + timedelta(days=3)
    amounts = [*(each.amount for each in values if each.day >= first), *(each.amount for each in lines)] or [0.0, 1.0]
    room = (max(amounts) - min(amounts)) * 0.12 or max(abs(amounts[0]) * 0.2, 0.5)
    return _Scale(first, last, min(amounts) - room, max(amounts) + room, frame)


def _limits(lines: list[_Line], scale: _Scale) -> tuple[Limit, ...]:
    """From the top down, each label with room of its own."""
    found: list[Limit] = []
    free = float(TOP)
    for line in sorted(lines, key=lambda each: -each.amount):
        y = scale.y(line.amount)
        label = max(y + 4, free)
        free = label + _LABEL
        found.append(Limit(y, round(label, 1), line.value, line.words, line.source))
    return tuple(found)


def _lanes(
    orders: list[tuple[str, tuple[Medication, ...]]], scale: _Scale, now: datetime, top: float
) -> tuple[Lane, ...]:
    found = []
    for drug, them in orders:
        y = top + LANE * len(found)
        bars = tuple(bar for order in them if (bar := _bar(order, scale, now, y)) is not None)
        if bars:
            found.append(Lane(drug, y, bars))
    return tuple(found)


def _bar(order: Medication, scale: _Scale, now: datetime, y: float) -> Bar | None:
    """The order in its lane; None for one on record whose begin nobody knows: the table of orders has it."""
    today = now.date()
    dose = str(order.dose.daily) if order.dose.daily is not None else ""
    draft = order.role is Role.DRAFT
    if order.start is None and not draft:
        return None
    begin = today if draft or order.start is None else order.start.earliest.date()
    end = order.end.latest.date() if order.end is not None and not draft else today
    if end < scale.first:
        return None
    x = scale.x(begin)
    words = f"{order.label or ' + '.join(order.ingredients)}, {order.role.value}"
    return Bar(
        x, max(round(scale.x(max(end, begin)) - x, 1), 3.0), y, order.role.value.replace(" ", "-"), words, dose,
        begin.isoformat(), "" if end == today and not order.end else end.isoformat(), draft,
    )  # fmt: skip


def _days(scale: _Scale) -> tuple[Tick, ...]:
    """As many days as there is room for, evenly."""
    span = (scale.last - scale.first).days
    most = (scale.frame.width - scale.frame.left - scale.frame.right) / _DAY_ROOM
    step = next(each for each in (1, 2, 3, 7, 14, 28, 56, 91, 182, 364) if span / each <= most or each == 364)
    every = (scale.last - timedelta(days=3 + step * back) for back in range(span // step + 1))
    return tuple(Tick(scale.x(day), day.isoformat()) for day in reversed(tuple(every)) if day >= scale.first)


def _ticks(scale: _Scale) -> tuple[Tick, ...]:
    span = scale.high - scale.low
    step = next(
        (s for s in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000) if span / s <= 5), span
    )
    first = int(scale.low // step) + 1
    amounts = [round(step * place, 3) for place in range(first, first + 8) if step * place < scale.high]
    return tuple(Tick(scale.y(each), f"{each:g}") for each in amounts)


def _summary(
    title: str, values: list[_Value], limits: tuple[Limit, ...], due: Sequence[tuple[date, str, str]],
    today: date,
) -> str:
    said = [f"{len(values)} values" if len(values) != 1 else "1 value"]
    if values:
        said.append(f"the newest {values[-1].told} of {values[-1].day}")
        said.append(f"the highest {max(values, key=lambda each: each.amount).told}")
    said += [f"{each.words} {each.value}" for each in limits]
    coming = [day for day, _, _ in due if day >= today]
    said += [f"next ECG due {coming[0]}" if coming else f"an ECG was due {due[-1][0]}"] if due else []
    return f"{title}: {'; '.join(said)}."
