"""Plots of results as SVG for a page: a row for each figure, dots and ranges, no order but that of names.

pygal lays out; its styles and scripts are taken off, as the policy of our pages lets in neither: colours are those of
`evidence.css`. The plot is one picture with a name; the table beside it holds the same figures.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate, groupby
from textwrap import wrap
from typing import Any
from xml.etree import ElementTree

from markupsafe import Markup

from cds_service.pages.plotting import pygal
from cds_service.pages.results import RESPONSE, UNITS, Point, Result, table

_ROW, _FRAME = 24, 66  # px
_SVG = "{http://www.w3.org/2000/svg}"
_STEPS = {"%": 20, "months": 2}
_MOST_STEPS = 12  # labels below an axis


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a plot is, in px: its width, the column of labels, a line, the letters.

    Without a column of labels (0) they stand above the dots.
    """

    name: str
    width: int
    labels: int
    line: int
    letters: int

    @property
    def letter(self) -> float:
        """The width that pygal reckons for a letter."""
        return self.letters * 0.6


WIDE, NARROW = SHAPES = (Shape("wide", 980, 500, _ROW, 13), Shape("narrow", 360, 0, 15, 11))
_DRAWN = 0.53  # of its height: the width of a letter as browsers draw it; pygal reckons with more
_ABOVE, _GAP = 54, 0.5  # letters of a line above the dots; lines left free


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a plot: a figure, or the name of the therapy whose figures follow."""

    label: str
    point: Point | None = None
    flagged: bool = False

    def lines(self, shape: Shape) -> tuple[str, ...]:
        """The label, on as many lines as it takes."""
        letters = int(shape.labels / (shape.letters * _DRAWN)) or _ABOVE
        letters -= 0 if self.point is not None else letters // 6  # bold letters are wider
        if shape.labels and len(self.label) <= letters:
            return (self.label,)
        return tuple(wrap(self.label.replace(" †", "\N{NO-BREAK SPACE}†"), letters))

    def height(self, shape: Shape) -> float:
        """How many lines it takes, with that of its dots and what lies between it and its neighbours."""
        between = 1 + _GAP if self.point is not None else _GAP
        return len(self.lines(shape)) + (0 if shape.labels else between)

    def foot(self, shape: Shape) -> float:
        """How many lines lie free below it."""
        if shape.labels:
            return (len(self.lines(shape)) - 1) / 2  # its dots stand beside the middle of its lines
        return 0 if self.point is None else _GAP


def rows_of(results: Iterable[Result], kind: str) -> tuple[Row, ...]:
    """The rows of these results for one kind of endpoint, each therapy under its name."""
    rows: list[Row] = []
    for name, own in groupby(results, key=lambda each: each.name):
        drawn = [(each, point) for each in own for point in each.points if point.kind == kind]
        if drawn:
            rows.append(Row(name))
            rows += [Row(_label(each, point), point, bool(each.flags)) for each, point in drawn]
    return tuple(rows)


def _label(result: Result, point: Point) -> str:
    """What the row is: "DiNardo 2018, phase I, n=179: CR †"."""
    shown = result.shown
    phase = f"phase {shown.phase}" if shown.phase and set(shown.phase) <= set("Iab/V") else shown.phase
    phase = "" if phase in shown.study else phase
    study = ", ".join(filter(None, (shown.study, phase, f"n={shown.n}" if shown.n else "n not stated")))
    what = point.endpoint if point.kind == RESPONSE else ""  # survival is drawn in one way only, which the heading says
    told = ", ".join(filter(None, (what, point.of or result.whom)))
    return f"{study}{': ' if told else ''}{told}{' †' if result.flags else ''}"


def top_of(points: Iterable[Point]) -> int:
    """Where the axis of survival ends: the next even number above the longest."""
    longest = max((max(each.high, each.other[1] if each.other else each.high) for each in points), default=Decimal(2))
    return int(math.ceil(longest / 2) * 2)


def endpoint_class(name: str) -> str:
    """The class of an endpoint's colour."""
    names = list(dict.fromkeys(name for _, name in table().endpoints.values()))
    return f"e{names.index(name)}"


def plot(rows: Sequence[Row], kind: str, top: int, name: str, key: str, shape: Shape = WIDE) -> Markup:
    """The plot. `top`: where its axis ends; `name`: what it shows, read aloud; `key`: unlike that of other plots."""
    places = _places(rows, shape)
    chart = _chart(rows, places, UNITS[kind], top, shape)
    figures = [(y, row.point, row.flagged) for y, row in zip(places, rows, strict=True) if row.point is not None]
    for y, point, _ in figures:
        for low, high, what in _lines(point):
            chart.add(what, [(float(low), y), (float(high), y)], stroke=True, show_dots=False)
    others = [(y, end) for y, point, _ in figures for end in dict.fromkeys(point.other or ())]
    chart.add("other", [_dot(end, y, "dot other") for y, end in others])
    for end in ("low", "high"):
        told = [each for each in figures if end == "low" or each[1].low != each[1].high]
        chart.add("figure", [_dot(getattr(point, end), y, _class(point, flagged)) for y, point, flagged in told])
    return _cleaned(chart, rows, name, f"{key}-{shape.name}", shape)


def _places(rows: Sequence[Row], shape: Shape) -> list[float]:
    """Where each row stands on the upward axis, in lines: that of its dots, or the last of its name."""
    below = [0.0, *accumulate(row.height(shape) for row in reversed(rows))]
    return [under + 1 + row.foot(shape) for row, under in zip(rows, below[-2::-1], strict=True)]


def _class(point: Point, flagged: bool) -> str:
    return f"dot {endpoint_class(point.endpoint)}{' flagged' if flagged else ''}"


def _lines(point: Point) -> Iterable[tuple[Decimal, Decimal, str]]:
    if point.low != point.high:
        yield point.low, point.high, "range"
    if point.other is not None:
        yield point.low, point.other[0], "pair"


def _dot(x: Decimal, y: float, kind: str) -> dict[str, Any]:
    return {"value": (float(x), y), "node": {"class": kind}}


def _chart(rows: Sequence[Row], places: Sequence[float], unit: str, top: int, shape: Shape) -> Any:
    library, styles = pygal()
    step = _STEPS[unit] * max(1, math.ceil(top / _STEPS[unit] / _MOST_STEPS))
    lines = sum(row.height(shape) for row in rows)
    most = max(1, int(shape.labels / shape.letter))
    labels = ["." * min(most, max(map(len, row.lines(shape)))) for row in rows]  # room; they are written afterwards
    left = max(6, int(shape.labels - shape.letter * max(map(len, labels))))  # so that plots stand in line
    style = styles.Style(label_font_size=shape.letters, major_label_font_size=shape.letters, font_family="sans-serif")
    chart = library.XY(
        width=shape.width, height=int(shape.line * lines) + _FRAME, style=style, js=(), css=(), no_prefix=True,
        stroke=False, show_legend=False, show_x_guides=True, show_y_guides=False,
        dots_size=5 if shape is WIDE else 4, spacing=6, margin=6, margin_left=left,
        margin_right=18 if shape.labels else 14,  # half of the last label below the axis
        xrange=(0, top), range=(0.4, lines + 0.6), truncate_label=-1,
        disable_xml_declaration=True, print_values=False, x_title=unit,
    )  # fmt: skip
    chart.x_labels = list(range(0, top + 1, step))
    chart.y_labels = [{"label": label, "value": y} for label, y in zip(labels, places, strict=True)]
    chart.y_labels_major = [y for y, row in zip(places, rows, strict=True) if row.point is None]
    return chart


_NOISE = frozenset(["style", "script", "desc", "defs", "title"])


def _cleaned(chart: Any, rows: Sequence[Row], name: str, key: str, shape: Shape) -> Markup:
    """The picture without styles, scripts and what a script would have read; with a name."""
    root = ElementTree.fromstring(chart.render())  # noqa: S314 - our own, from the line before
    kinds = [settings["title"] for _, settings in chart.raw_series]
    for parent in root.iter():
        for child in list(parent):
            tag, classes = child.tag.removeprefix(_SVG), child.get("class", "")
            if tag in _NOISE or classes.endswith("-overlay") or classes == "background":
                parent.remove(child)
    for node in root.iter():
        for attribute in ("style", "id"):
            node.attrib.pop(attribute, None)
        classes = node.get("class", "")
        if classes.startswith("series"):
            index = int(classes.split("serie-")[1].split()[0])
            node.set("class", f"series {kinds[index]}")
    if shape.labels:
        _labels_beside(root, rows, shape)
    else:
        _labels_above(root, rows, shape)
    title = ElementTree.Element(f"{_SVG}title", {"id": f"{key}-title"})
    title.text = name
    root.insert(0, title)
    root.attrib.update({"role": "img", "aria-labelledby": f"{key}-title", "class": f"plot {shape.name}"})
    ElementTree.register_namespace("", _SVG[1:-1])
    return Markup(ElementTree.tostring(root, encoding="unicode"))  # noqa: S704 - made above; texts are escaped


def _labels_beside(root: ElementTree.Element, rows: Sequence[Row], shape: Shape) -> None:
    """Write each label beside its dots; one that is too long for the column on several lines."""
    (axis,) = [each for each in root.iter(f"{_SVG}g") if each.get("class") == "axis y"]
    for row, text in zip(rows, axis.iter(f"{_SVG}text"), strict=True):
        lines = row.lines(shape)
        if len(lines) == 1:
            text.text = lines[0]
        else:
            _write(text, lines, text.get("x", "0"), float(text.get("y", 0)) - row.foot(shape) * shape.line, shape)


def _write(text: ElementTree.Element, lines: Iterable[str], x: str, y: float, shape: Shape) -> None:
    text.text = None
    for index, line in enumerate(lines):
        span = ElementTree.SubElement(text, f"{_SVG}tspan", {"x": x, "y": f"{y + index * shape.line:.1f}"})
        span.text = line


def _labels_above(root: ElementTree.Element, rows: Sequence[Row], shape: Shape) -> None:
    """Write each label on lines of its own above its dots, over the lines of the axis."""
    (plot,) = [each for each in root.iter(f"{_SVG}g") if each.get("class") == "plot"]
    (axis,) = [each for each in plot if each.get("class") == "axis y"]
    plot.remove(axis)
    plot.append(axis)
    for row, text in zip(rows, axis.iter(f"{_SVG}text"), strict=True):
        lines = row.lines(shape)
        above = len(lines) if row.point is not None else len(lines) - 1
        _write(text, lines, "2", float(text.get("y", 0)) - above * shape.line, shape)
