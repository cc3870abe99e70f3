"""Report: a run as Markdown tables, beside an earlier run where one is given, and the plot of the page."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks import cases, figures
from benchmarks.figures import Figure, absolute, growth, ratio
from benchmarks.goals import GOALS
from benchmarks.payloads import SIZES
from benchmarks.servers import ROOT

Json = dict[str, Any]
PAGE = ROOT / "docs" / "performance.md"
PLOT = ROOT / "docs" / "img" / "performance.svg"
_DRAWN = (
    (cases.FRESH, cases.NAIVE), (cases.FRESH, cases.SERVICE), (cases.WARM, cases.SERVICE), (cases.FRESH, cases.ECHO),
)  # fmt: skip
_TICKS = tuple(step * 10.0**power for power in range(-2, 4) for step in (1, 2, 5))
_SCRIPT = re.compile(r"<script.*?</script>|<!--.*?-->", re.DOTALL)


def rows(head: str, body: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    lines = [f"| {head} |", "|---|" + "---:|" * head.count("|")]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in body)]) + "\n"


def goals(run: Json, before: Json | None = None) -> str:
    """Each goal with what was found, and with what an earlier run found."""
    found = figures.of_run(run)
    earlier = figures.of_run(before) if before else {}
    body = []
    for goal in GOALS:
        figure = found.get(goal.figure)
        row = (goal.what, _bound(goal.must, goal.unit), _bound(goal.aim, goal.unit), spread(figure, goal.unit))
        also = (spread(earlier.get(goal.figure), goal.unit),) if before else ()
        body.append((*row, *also, goal.verdict(figure)))
    head = "Goal | Must | Aim | Measured (least to most of the rounds) |"
    return rows(f"{head}{' Before |' if before else ''} Reached", body)


def _bound(value: float, unit: str) -> str:
    return f"{value:g} {unit}".strip()


def spread(figure: Figure | None, unit: str = "") -> str:
    """A figure and its spread."""
    if figure is None or math.isnan(figure.value):
        return "–"
    value = f"{number(figure.value)} {unit}".strip()
    return value if figure.least == figure.most else f"{value} ({number(figure.least)} to {number(figure.most)})"


def number(value: float) -> str:
    """Three digits that matter."""
    if math.isnan(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}" if value else "0"


def table(run: Json) -> str:
    """Every case and target: calls a second, ms, CPU, and both as ratios to the echo."""
    measured = run["measured"]
    body = []
    for case, targets in measured.items():
        for target in targets:
            own = [absolute(measured, case, target, each).value for each in ("rps", "p50", "p95", "p99", "cpu")]
            to_echo = [spread(ratio(measured, case, each, target, cases.ECHO)) for each in ("rps", "cpu")]
            body.append((f"{case}: {target}", *map(number, own), *(to_echo if target != cases.ECHO else ("1", "1"))))
    return rows("Case and target | Calls/s | p50 ms | p95 ms | p99 ms | CPU ms | Calls/s ÷ echo | CPU ÷ echo", body)


def growing(run: Json) -> str:
    """CPU by resources, as a line."""
    body = []
    for way in (cases.WARM, cases.FRESH):
        for target in (cases.ECHO, cases.SERVICE, cases.NAIVE):
            found = growth(run["measured"], way, target)
            if not math.isnan(found.per_resource):
                told = (number(found.per_resource), number(found.fixed), f"{found.r2:.4f}")
                body.append((f"{target}, {way}", *told))
    return rows("Target | CPU of a further resource, µs | CPU without any, ms | r²", body)


def memory(run: Json) -> str:
    """MiB at the end of the run."""
    body = [(target, number(each["pss"]), number(each["rss"])) for target, each in run["memory"].items()]
    return rows("Target | All its processes, MiB PSS | Its largest process, MiB RSS", body)


def whole(run: Json, before: Json | None = None) -> str:
    """The run as the page shows it."""
    machine = run["machine"]
    left_out = [f"Left out: {target}, {why}." for target, why in run["left_out"].items()]
    parts = [
        f"Measured on {run['date'][:10]}: {machine['cores']} cores ({machine['processor']}), {machine['memory']} GiB, "
        f"Python {machine['python']}, {run['rounds']} rounds; the echo parses with {run['parser']}. "
        f"The load of the machine was {machine['load']} when the run began.",
        *left_out,
        goals(run, before),
        table(run),
    ]
    if not math.isnan(growth(run["measured"], cases.FRESH, cases.SERVICE).per_resource):
        parts += [growing(run)]
    if "start" in run:
        took = number(run["start"]["cpu"])
        parts.append(f"To its first answer the service took {took} s of CPU, all processes together.")
    return "\n\n".join(each.rstrip("\n") for each in [*parts, memory(run)]) + "\n"


def plot(run: Json) -> str:
    """CPU of a call by resources, as SVG without a script."""
    pygal, style = _pygal()
    style = style.Style(
        background="#ffffff", plot_background="#ffffff", font_family="sans-serif", guide_stroke_color="#dddddd",
        major_guide_stroke_color="#dddddd", guide_stroke_dasharray="0", major_guide_stroke_dasharray="0",
    )  # fmt: skip
    series = [
        (f"{target}, {way}", [point for point in _points(run, target, way) if not math.isnan(point[1])])
        for way, target in _DRAWN
    ]
    costs = [cost for _, points in series for _, cost in points]
    chart = pygal.XY(
        title="CPU of one call by the resources that come with it", x_title="resources", y_title="ms",
        logarithmic=True, stroke=True, style=style, width=760, height=420, js=(), disable_xml_declaration=True,
        legend_at_bottom=True, no_prefix=True, truncate_legend=-1, include_x_axis=False, dots_size=4,
        stroke_style={"width": 2}, x_labels=SIZES, x_value_formatter="{:,.0f}".format,
        y_labels=[each for each in _TICKS if min(costs) / 2.5 < each < max(costs) * 2.5], value_formatter="{:g}".format,
    )  # fmt: skip
    for name, points in series:
        chart.add(name, points)
    return _SCRIPT.sub("", chart.render(is_unicode=True))


def _points(run: Json, target: str, way: str) -> list[tuple[int, float]]:
    return [(size, absolute(run["measured"], f"order-sign {size} {way}", target, "cpu").value) for size in SIZES]


def _pygal() -> tuple[ModuleType, ModuleType]:
    """The library that draws. Its finder of plug-ins is of Python 2, and makes every later import complain."""
    found = import_module("pygal"), import_module("pygal.style")
    sys.meta_path[:] = [each for each in sys.meta_path if type(each).__name__ != "PluginImportFixer"]
    return found


def put(page: str, name: str, text: str) -> str:
    """The page with the text between the marks of that name. Raises ValueError where it has none."""
    marks = re.compile(rf"(<!-- measured: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    if not marks.search(page):
        raise ValueError(f"{PAGE.name} has no place for what was measured: <!-- measured: {name} -->")
    return marks.sub(lambda found: f"{found[1]}\n{text.strip()}\n\n{found[2]}", page)


def write(name: str, text: str, page: Path = PAGE) -> None:
    """The same in the file."""
    page.write_text(put(page.read_text(encoding="utf-8"), name, text), encoding="utf-8")
