"""Goals: what we must reach and what we aim for, as data; each names the figure that it is held against.

All but the last three are ratios within one run, 2 processes of 4 threads in demo mode with every rule on. The gates
are ratios of CPU alone, as what else a machine does moves the clock more than the CPU, and far looser than what is
measured: they hold on a busy machine, and notice what became twice as dear.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.figures import Figure


@dataclass(frozen=True, slots=True)
class Goal:
    """One line of the table."""

    what: str
    figure: str
    must: float
    aim: float
    more_is_better: bool = True
    unit: str = "×"

    def reached(self, bound: float, value: float) -> bool:
        """Whether a value is at least as good as the bound."""
        return value >= bound if self.more_is_better else value <= bound

    def verdict(self, found: Figure | None) -> str:
        """In a word: aim, must, missed, or not measured."""
        if found is None or math.isnan(found.value):
            return "not measured"
        if self.reached(self.aim, found.value):
            return "aim"
        return "must" if self.reached(self.must, found.value) else "missed"


def _more(what: str, figure: str, must: float, aim: float, unit: str = "×") -> Goal:
    return Goal(what, figure, must, aim, True, unit)


def _less(what: str, figure: str, must: float, aim: float, unit: str = "×") -> Goal:
    return Goal(what, figure, must, aim, False, unit)


GOALS: tuple[Goal, ...] = (
    _more("calls a second, 60 resources, warm, of the echo's", "rps order-sign 60 warm / echo", 0.80, 1.2),
    _more("calls a second, 60 resources, fresh, of the echo's", "rps order-sign 60 fresh / echo", 0.20, 0.35),
    _more("calls a second, 1,000 resources, warm, of the echo's", "rps order-sign 1000 warm / echo", 1.5, 2.0),
    _more("calls a second, 1,000 resources, fresh, of the echo's", "rps order-sign 1000 fresh / echo", 0.8, 1.1),
    _less("CPU of a call, 60 resources, fresh, of the echo's", "cpu order-sign 60 fresh / echo", 6.0, 3.5),
    _less("CPU of a further resource, warm, of the echo's", "per resource warm", 0.6, 0.4),
    _less("CPU of a further resource, fresh, of the echo's", "per resource fresh", 0.9, 0.6),
    _more("CPU grows in a straight line, warm", "straight warm", 0.9, 0.9, unit="r²"),
    _more("CPU grows in a straight line, fresh", "straight fresh", 0.9, 0.9, unit="r²"),
    _less("p99, 60 resources, warm, of the echo's", "p99 order-sign 60 warm / echo", 1.5, 0.7),
    _less("p99, 60 resources, fresh, of the echo's", "p99 order-sign 60 fresh / echo", 3.0, 1.5),
    _more("calls a second, 60 resources, fresh, of the naive's", "rps order-sign 60 fresh / naive", 2.5, 4.0),
    _more("calls a second, 1,000 resources, fresh, of the naive's", "rps order-sign 1000 fresh / naive", 8.0, 11.0),
    _more(
        "calls a second, 60 resources, warm, of HealthChain's with a constant card",
        "rps order-sign 60 warm / HealthChain, constant card", 1.0, 2.0,
    ),
    _more(
        "calls a second, 60 resources, fresh, of HealthChain's with a constant card",
        "rps order-sign 60 fresh / HealthChain, constant card", 1.0, 2.0,
    ),
    _more("a body of 1.5 MB is answered 200 (1: yes)", "big body", 1.0, 1.0, unit=""),
    _less("from the start to the first answer", "first answer", 1.5, 0.8, unit="s"),
    _less("memory of two preloaded processes after their first answer", "memory", 130.0, 100.0, unit="MiB PSS"),
)  # fmt: skip


# What stops the build server: figures of a short run, and the most that each may be.
GATES: Mapping[str, float] = {
    "cpu order-sign 60 warm / echo": 22.0,
    "cpu order-sign 60 fresh / echo": 25.0,
    "cpu order-sign 60 fresh / naive": 1.0,
}


def closed(figures: Mapping[str, Figure]) -> list[str]:
    """The gates that a run does not pass, in words; one that was not measured is not passed."""
    found = {name: figures[name].value if name in figures else math.inf for name in GATES}
    return [f"{name}: {found[name]:.3g} times, at most {most:g}" for name, most in GATES.items() if found[name] > most]
