"""Drawing values over time: where each point, limit, order and day stands. What they mean is for `timeline` to say.

Coordinates are in the units of the drawing. Nothing is smoothed, joined across a gap or estimated.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from cds_service.facts.drugs.medications import Medication, Role

TOP, LANE = 18, 26  # in the drawing's own units, like all that follow
_LABEL = 16  # between two labels
_LETTER = 8.5  # the width of a bold one
_BESIDE = 9  # between a point and its value
_DAY_ROOM = 92  # for the words of a day
BACK, AHEAD = 400, 35  # days that are drawn, before and after today; the table has them all
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
_SPANS = (1, 2, 3, 7, 14, 28, 56, 91, 182, 364)  # days between two that are named

Orders = Sequence[tuple[str, tuple[Medication, ...]]]  # by drug
DueDays = Sequence[tuple[date, str, str]]  # the day, in words which, the drug


@dataclass(frozen=True, slots=True)
class Frame:
    """The room of a drawing: what stands left and right of the values is for words."""

    left: int
    right: int
    width: int
    height: int  # of the field of values
    words_inside: bool = False  # of limits and drafts: for a phone


WIDE, SMALL = Frame(130, 215, 900, 230), Frame(48, 168, 540, 130)
NARROW, NARROW_SMALL = Frame(96, 30, 384, 200, True), Frame(48, 30, 384, 130, True)


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
    """A day on which an ECG is due; one beyond the field stands in the table only."""

    x: float
    day: str
    words: str
    drug: str
    drawn: bool


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
    falls: bool  # the newest is lower than the one before: its value stands below the line
    begins: bool  # the newest stands so near the left that its value has room on the right only
    limits: tuple[Limit, ...]
    lanes: tuple[Lane, ...]
    due: tuple[Due, ...]
    days: tuple[Tick, ...]
    values: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """A measurement, to be drawn."""

    amount: float
    day: date
    told: str
    open: bool
    note: str
    resource: str


@dataclass(frozen=True, slots=True)
class Line:
    """A limit, to be drawn."""

    amount: float
    value: str
    words: str
    source: str


@dataclass(frozen=True, slots=True)
class Scale:
    """Where a day and an amount stand."""

    first: date
    last: date
    low: float
    high: float
    frame: Frame

    def x(self, day: date) -> float:
        """From the left; what lies outside stands at the edge."""
        span = max((self.last - self.first).days, 1)
        place = min(max((day - self.first).days / span, 0.0), 1.0)
        return round(self.frame.left + place * (self.frame.width - self.frame.left - self.frame.right), 1)

    def y(self, amount: float) -> float:
        """From the top."""
        return round(TOP + (self.high - amount) / (self.high - self.low) * self.frame.height, 1)


def drawn(
    name: str,
    title: str,
    unit: str,
    values: Iterable[Value],
    lines: Sequence[Line],
    now: datetime,
    frame: Frame,
    orders: Orders = (),
    due: DueDays = (),
) -> Timeline:
    """The drawing. `name`: for ids in the page; `unit`: in words."""
    measured = sorted(values, key=lambda each: each.day)
    scale = _scale(measured, lines, orders, due, now.date(), frame)
    bottom = TOP + frame.height
    lanes = _lanes(orders, scale, now, bottom + 44)
    limits = _limits(lines, scale)
    points = tuple(_point(each, scale) for each in measured)
    return Timeline(
        name=name,
        title=title,
        unit=unit,
        summary=_summary(title, measured, limits, due, now.date()),
        width=frame.width,
        height=bottom + 30 + (20 + LANE * len(lanes) if lanes else 0),
        left=frame.left,
        right=frame.width - frame.right,
        bottom=bottom,
        today=scale.x(now.date()),
        points=points,
        falls=len(measured) > 1 and measured[-1].amount < measured[-2].amount,
        begins=bool(points) and points[-1].x - _BESIDE - _LETTER * len(points[-1].value) < frame.left,
        limits=limits,
        lanes=lanes,
        due=tuple(
            Due(scale.x(day), day.isoformat(), words, drug, scale.first <= day <= scale.last)
            for day, words, drug in due
        ),
        days=_days(scale),
        values=_ticks(scale),
    )


def _point(value: Value, scale: Scale) -> Point:
    x, y, day = scale.x(value.day), scale.y(value.amount), value.day.isoformat()
    return Point(x, y, day, value.told, value.open, value.note, value.resource, value.day >= scale.first)


def _scale(
    values: list[Value], lines: Sequence[Line], orders: Orders, due: DueDays, today: date, frame: Frame
) -> Scale:
    oldest = today - timedelta(days=BACK)
    begins = [order.start.earliest.date() for _, them in orders for order in them if order.start is not None]
    days = [*(each.day for each in values), *begins, *(day for day, _, _ in due), today]
    drawn = [day for day in days if oldest <= day <= today + timedelta(days=AHEAD)] or [today]
    first, last = min(drawn) - timedelta(days=2), max(*drawn, today) + timedelta(days=3)
    amounts = [*(each.amount for each in values if each.day >= first), *(each.amount for each in lines)] or [0.0, 1.0]
    room = (max(amounts) - min(amounts)) * 0.18 or max(abs(amounts[0]) * 0.2, 0.5)
    return Scale(first, last, min(amounts) - room, max(amounts) + room, frame)


def _limits(lines: Sequence[Line], scale: Scale) -> tuple[Limit, ...]:
    """From the top down, each label with room of its own."""
    found: list[Limit] = []
    free = float(TOP)
    for line in sorted(lines, key=lambda each: -each.amount):
        y = scale.y(line.amount)
        label = max(y + 4, free)
        free = label + _LABEL
        found.append(Limit(y, round(label, 1), line.value, line.words, line.source))
    return tuple(found)


def _lanes(orders: Orders, scale: Scale, now: datetime, top: float) -> tuple[Lane, ...]:
    """One for each drug. Where words have no room beside the field, its drafts have another below."""
    found: list[Lane] = []
    for drug, them in orders:
        drafts = [order for order in them if order.role is Role.DRAFT]
        others = [order for order in them if order.role is not Role.DRAFT]
        for group in (others, drafts) if scale.frame.words_inside else (them,):
            y = top + LANE * len(found)
            bars = tuple(bar for order in group if (bar := _bar(order, scale, now, y)) is not None)
            if bars:
                found.append(Lane(drug, y, bars))
    return tuple(found)


def _bar(order: Medication, scale: Scale, now: datetime, y: float) -> Bar | None:
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


def _days(scale: Scale) -> tuple[Tick, ...]:
    """As many days as there is room for, evenly."""
    span = (scale.last - scale.first).days
    most = (scale.frame.width - scale.frame.left - scale.frame.right) / _DAY_ROOM
    step = next(each for each in _SPANS if span / each <= most or each == _SPANS[-1])
    every = (scale.last - timedelta(days=3 + step * back) for back in range(span // step + 1))
    return tuple(Tick(scale.x(day), day.isoformat()) for day in reversed(tuple(every)) if day >= scale.first)


def _ticks(scale: Scale) -> tuple[Tick, ...]:
    span = scale.high - scale.low
    step = next((each for each in _STEPS if span / each <= 5), span)
    first = int(scale.low // step) + 1
    amounts = [round(step * place, 3) for place in range(first, first + 8) if step * place < scale.high]
    return tuple(Tick(scale.y(each), f"{each:g}") for each in amounts)


def _summary(
    title: str, values: list[Value], limits: tuple[Limit, ...], due: DueDays,
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
