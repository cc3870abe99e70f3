"""Where the time of a call goes, by cProfile: `python -m benchmarks --profile`. In one process, some seconds.

The profiler makes small functions look dearer than they are; shares tell more than milliseconds.
"""

from __future__ import annotations

import cProfile
import itertools
import pstats
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import report
from benchmarks.payloads import stamped
from benchmarks.servers import ROOT
from cds_service.answer import Tools, answer, load_tools
from cds_service.settings import Settings

CALLS = 30
_WARMING = 3
# The steps of the line: where each is, and what it does.
STEPS: Mapping[tuple[str, str], str] = {
    ("cds_service/hooks/request.py", "read"): "read the request",
    ("cds_service/gather/collect.py", "collect"): "collect: bundles into resources",
    ("cds_service/facts/chart.py", "read_chart"): "read the chart: facts from resources",
    ("cds_service/rules/running.py", "evaluate"): "evaluate the rules",
    ("cds_service/present/present.py", "present"): "present: cards",
    ("cds_service/answer.py", "body"): "write the answer",
}
CHECK = ("cds_service/gather/resources.py", "_held_against_r4")


@dataclass(frozen=True, slots=True)
class Line:
    """One function: how often it is called in a call, its own ms and those with all that it calls."""

    place: str
    name: str
    calls: float
    own: float
    whole: float


def profiled(hook: str = "order-sign", resources: int = 60, calls: int = CALLS) -> tuple[float, list[Line]]:
    """Milliseconds of a call under the profiler, and every function, the dearest first."""
    tools = load_tools(Settings.load({}))
    service = next(each for each in tools.services if each.hook == hook)
    bodies = list(itertools.islice(stamped(hook, resources, datetime.now(UTC)), calls + _WARMING))
    for body in bodies[:_WARMING]:
        answer(body, service, tools)
    profile = cProfile.Profile()
    profile.enable()
    for body in bodies[_WARMING:]:
        _answered(body, hook, tools)
    profile.disable()
    stats = pstats.Stats(profile)
    lines = [
        Line(place(file), name, count / calls, own * 1000 / calls, whole * 1000 / calls)
        for (file, _, name), (_, count, own, whole, _) in stats.stats.items()  # type: ignore[attr-defined]
    ]
    total = sum(line.own for line in lines)
    return total, sorted(lines, key=lambda each: -each.own)


def _answered(body: bytes, hook: str, tools: Tools) -> bytes:
    service = next(each for each in tools.services if each.hook == hook)
    return answer(body, service, tools).body


def place(file: str) -> str:
    """A file without the folders of this machine: from where packages lie, or from our own root."""
    _, found, inside = file.rpartition("site-packages/")
    if found:
        return inside  # first: an environment may lie below our root
    if Path(file).is_relative_to(ROOT):
        return str(Path(file).relative_to(ROOT))
    return Path(file).name if "/" in file else ""


def steps(total: float, lines: list[Line]) -> str:
    """The steps of the line, and the check against R4 within them."""
    by_name = {(line.place, line.name): line for line in lines}
    wanted = {**STEPS, CHECK: "of these: the check by fhir.resources at length"}
    body = [
        (words, report.number(found.whole), f"{found.whole / total:.0%}")
        for key, words in wanted.items()
        if (found := by_name.get(key))
    ]
    return report.rows("Step | ms under the profiler | Share", body)


def top(total: float, lines: list[Line], count: int = 15) -> str:
    """The functions with the most time of their own."""
    body = [
        (f"`{line.name}`" + (f" in {line.place}" if line.place and line.place != "~" else ""),
         report.number(line.calls), report.number(line.own), f"{line.own / total:.0%}")
        for line in lines[:count]
    ]  # fmt: skip
    return report.rows("Function | Times in a call | Own ms | Share", body)


def told(hook: str, resources: int, calls: int = CALLS) -> str:
    """Both tables of a payload."""
    total, lines = profiled(hook, resources, calls)
    return f"{hook}, {resources} resources, fresh:\n\n{steps(total, lines)}\n{top(total, lines)}"
