"""Figures: from what each round measured to medians, ratios of one round, and the growth by resources.

A ratio is taken within a round, of two targets that were measured seconds apart; its figure is the median over the
rounds, its spread the least and the most of them.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks import cases
from benchmarks.payloads import SIZES

Json = dict[str, Any]
MEASURES = ("rps", "cpu", "p50", "p95", "p99")


@dataclass(frozen=True, slots=True)
class Figure:
    """A median over the rounds, with the least and the most of them."""

    value: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Figure:
        """The figure of these values; of none, none (nan)."""
        found = list(values)
        return cls(statistics.median(found), min(found), max(found)) if found else cls(math.nan, math.nan, math.nan)


def absolute(measured: Json, case: str, target: str, measure: str) -> Figure:
    """A target's own figure: calls a second, or ms."""
    return Figure.of(each[measure] for each in measured.get(case, {}).get(target, ()))


def ratio(measured: Json, case: str, measure: str, target: str, to: str) -> Figure:
    """The target's figure over that of another in the same round."""
    both = measured.get(case, {})
    pairs = zip(both.get(target, ()), both.get(to, ()), strict=False)
    return Figure.of(one[measure] / other[measure] for one, other in pairs if other[measure])


@dataclass(frozen=True, slots=True)
class Growth:
    """CPU per call by resources, as a line: µs for each further resource, ms without any, and how straight it is."""

    per_resource: float
    fixed: float
    r2: float


def growth(measured: Json, way: str, target: str) -> Growth:
    """The line through the medians of 20 to 1,000 resources."""
    points = [(size, absolute(measured, f"order-sign {size} {way}", target, "cpu").value) for size in SIZES]
    return line([(size, cpu) for size, cpu in points if not math.isnan(cpu)])


def line(points: list[tuple[float, float]]) -> Growth:
    """The straight line by least squares; of fewer than three points, none (nan)."""
    if len(points) < 3:
        return Growth(math.nan, math.nan, math.nan)
    sizes, costs = zip(*points, strict=True)
    slope, fixed = statistics.linear_regression(sizes, costs)
    return Growth(slope * 1000, fixed, statistics.correlation(sizes, costs) ** 2)


def _growth_figures(measured: Json) -> dict[str, Figure]:
    found = {}
    for way in (cases.WARM, cases.FRESH):
        ours, limit = growth(measured, way, cases.SERVICE), growth(measured, way, cases.ECHO)
        found[f"per resource {way}"] = _only(ours.per_resource / limit.per_resource)
        found[f"straight {way}"] = _only(ours.r2)
    return found


def _only(value: float) -> Figure:
    return Figure(value, value, value)


def of_run(run: Json) -> dict[str, Figure]:
    """Every figure that goals speak of: `MEASURE CASE / TARGET`, and those of the service alone."""
    measured = run["measured"]
    found = {
        f"{measure} {case} / {other}": ratio(measured, case, measure, cases.SERVICE, other)
        for case, targets in measured.items()
        for other in targets
        if other != cases.SERVICE
        for measure in MEASURES
    }
    found |= _growth_figures(measured)
    alone: Mapping[str, Callable[[], float]] = {
        "big body": lambda: float(run["big_body"]["status"] == 200),
        "first answer": lambda: run["start"]["seconds"],
        "memory": lambda: run["start"]["pss"],
    }
    for name, told in alone.items():
        try:
            found[name] = _only(told())
        except (KeyError, TypeError):
            continue  # not measured in this run
    return {name: figure for name, figure in found.items() if not math.isnan(figure.value)}
