"""Plots of results as SVG for a page: a row for each figure, dots and ranges, no order but that of names.

pygal lays out; its styles and scripts are taken off, as the policy of our pages lets in neither: colours are those of
`evidence.css`. The plot is one picture with a name; the table beside it holds the same figures.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any
from xml.etree import ElementTree

from markupsafe import Markup

from cds_service.pages.results import UNITS, Point, Result, table

_WIDTH, _ROW, _FRAME, _LETTERS = 860, 24, 66, 13  # px
_SVG = "{http://www.w3.org/2000/svg}"
_STEPS = {"%": 20, "months": 2}
_MOST_STEPS = 12  # labels below an axis


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a plot: a figure, or the name of the therapy whose figures follow."""

    label: str
    point: Point | None = None
    flagged: bool = False


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
    study = ", ".join(filter(None, (shown.study, phase, f"n={shown.n}" if shown.n else "n not stated")))
    of = f", {point.of}" if point.of else ""
    return f"{study}: {point.endpoint}{of}{' †' if result.flags else ''}"


def top_of(points: Iterable[Point]) -> int:
    """Where the axis of survival ends: the next even number above the longest."""
    longest = max((max(each.high, each.other[1] if each.other else each.high) for each in points), default=Decimal(2))
    return int(math.ceil(longest / 2) * 2)


def endpoint_class(name: str) -> str:
    """The class of an endpoint's colour."""
    names = list(dict.fromkeys(name for _, name in table().endpoints.values()))
    return f"e{names.index(name)}"


def plot(rows: Sequence[Row], kind: str, top: int, name: str, key: str) -> Markup:
    """The plot. `top`: where its axis ends; `name`: what it shows, read aloud; `key`: unlike that of other plots."""
    chart = _chart(rows, UNITS[kind], top)
    places = {len(rows) - index: row for index, row in enumerate(rows)}
    figures = [(y, row.point, row.flagged) for y, row in places.items() if row.point is not None]
    for y, point, _ in figures:
        for low, high, what in _lines(point):
            chart.add(what, [(float(low), y), (float(high), y)], stroke=True, show_dots=False)
    chart.add("other", [_dot(point.other[0], y, "dot other") for y, point, _ in figures if point.other])
    chart.add("other", [_dot(point.other[1], y, "dot other") for y, point, _ in figures if _is_range(point.other)])
    for end in ("low", "high"):
        told = [each for each in figures if end == "low" or each[1].low != each[1].high]
        chart.add("figure", [_dot(getattr(point, end), y, _class(point, flagged)) for y, point, flagged in told])
    return _cleaned(chart, name, key)


def _class(point: Point, flagged: bool) -> str:
    return f"dot {endpoint_class(point.endpoint)}{' flagged' if flagged else ''}"


def _is_range(span: tuple[Decimal, Decimal] | None) -> bool:
    return span is not None and span[0] != span[1]


def _lines(point: Point) -> Iterable[tuple[Decimal, Decimal, str]]:
    if point.low != point.high:
        yield point.low, point.high, "range"
    if point.other is not None:
        yield point.low, point.other[0], "pair"


def _dot(x: Decimal, y: int, kind: str) -> dict[str, Any]:
    return {"value": (float(x), y), "node": {"class": kind}}


def _chart(rows: Sequence[Row], unit: str, top: int) -> Any:
    from pygal import XY  # a tenth of a second that only readers of this page spend
    from pygal.style import Style

    step = _STEPS[unit] * max(1, math.ceil(top / _STEPS[unit] / _MOST_STEPS))
    style = Style(label_font_size=_LETTERS, major_label_font_size=_LETTERS, font_family="sans-serif")
    chart = XY(
        width=_WIDTH, height=_ROW * len(rows) + _FRAME, style=style, js=(), css=(), no_prefix=True, stroke=False,
        show_legend=False, show_x_guides=True, show_y_guides=False, dots_size=5, margin=6, spacing=6,
        xrange=(0, top), range=(0.4, len(rows) + 0.6), truncate_label=-1, disable_xml_declaration=True,
        print_values=False, x_title=unit,
    )  # fmt: skip
    chart.x_labels = list(range(0, top + 1, step))
    chart.y_labels = [{"label": row.label, "value": len(rows) - index} for index, row in enumerate(rows)]
    chart.y_labels_major = [len(rows) - index for index, row in enumerate(rows) if row.point is None]
    return chart


_NOISE = frozenset(["style", "script", "desc", "defs", "title"])


def _cleaned(chart: Any, name: str, key: str) -> Markup:
    """The picture without styles, scripts and what a script would have read; with a name."""
    root = ElementTree.fromstring(chart.render())  # noqa: S314 - our own, from the line before
    kinds = [settings["title"] for _, settings in chart.raw_series]
    for parent in root.iter():
        for child in list(parent):
            tag = child.tag.removeprefix(_SVG) if isinstance(child.tag, str) else ""
            classes = child.get("class", "")
            if tag in _NOISE or not tag or classes.endswith("-overlay") or classes == "background":
                parent.remove(child)
    for node in root.iter():
        for attribute in ("style", "id"):
            node.attrib.pop(attribute, None)
        classes = node.get("class", "")
        if classes.startswith("series"):
            index = int(classes.split("serie-")[1].split()[0])
            node.set("class", f"series {kinds[index]}")
    title = ElementTree.Element(f"{_SVG}title", {"id": f"{key}-title"})
    title.text = name
    root.insert(0, title)
    root.attrib.update({"role": "img", "aria-labelledby": f"{key}-title", "class": "plot"})
    ElementTree.register_namespace("", _SVG[1:-1])
    return Markup(ElementTree.tostring(root, encoding="unicode"))  # noqa: S704 - made above; texts are escaped
