"""What the measured CPU of a call carries: one core, one machine, a hospital of 1,000 beds, a national service.

The assumptions stand here once, by name; none is measured, and a reader is meant to put in their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmarks import cases, report
from benchmarks.figures import absolute

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Load:
    """How much is asked. Calls are counted per bed and day, as if the service saw every patient of the hospital."""

    beds: int
    views: float = 40.0  # charts opened per bed and day: patient-view
    sessions: float = 12.0  # times that orders are written per bed and day
    selects: float = 3.0  # order-select calls in each; one order-sign follows
    busiest_hour: float = 0.12  # share of a day's calls
    burst: float = 3.0  # how far the busiest seconds stand above their hour

    @property
    def by_hook(self) -> dict[str, float]:
        """Calls a day."""
        return {
            "patient-view": self.beds * self.views,
            "order-select": self.beds * self.sessions * self.selects,
            "order-sign": self.beds * self.sessions,
        }

    @property
    def peak(self) -> float:
        """Calls a second in the busiest seconds."""
        return sum(self.by_hook.values()) * self.busiest_hour / 3600 * self.burst


HOSPITAL = Load(beds=1000)
NATION = Load(beds=250_000, burst=1.5)  # many hospitals are not busy in the same second
BUSY = 0.6  # how much of a core may be taken before waiting begins to show
CORES = 8  # of one machine
THREADS = 8  # calls that one machine as shipped answers at once: two processes of four threads


def cpu_of(run: Json) -> dict[str, float]:
    """Measured CPU ms of a call with 60 resources, fresh, by hook."""
    return {
        hook: absolute(run["measured"], f"{hook} 60 {cases.FRESH}", cases.SERVICE, "cpu").value
        for hook in HOSPITAL.by_hook
    }


def mean_cpu(load: Load, cpu: dict[str, float]) -> float:
    """CPU ms of the average call of this load."""
    return sum(cpu[hook] * calls for hook, calls in load.by_hook.items()) / sum(load.by_hook.values())


def carried(cores: float, mean: float) -> float:
    """Calls a second that so many cores carry."""
    return cores * BUSY * 1000 / mean


def cores_for(load: Load, mean: float) -> float:
    """Cores that the busiest seconds take."""
    return load.peak * mean / 1000 / BUSY


def told(run: Json) -> str:
    """The arithmetic with the numbers of a run."""
    cpu = cpu_of(run)
    mean = mean_cpu(HOSPITAL, cpu)
    number = report.number
    fetch = absolute(run["measured"], f"order-sign 60 {cases.FETCH}", cases.SERVICE, "p50").value / 1000
    lines = [
        f"CPU of a call with 60 resources, fresh: {', '.join(f'{hook} {number(ms)} ms' for hook, ms in cpu.items())}. "
        f"A mixed day weighs them to {number(mean)} ms.",
        report.rows(
            "What | How it is reckoned | Result",
            [
                ("one core carries", f"{BUSY:g} × 1000 ÷ {number(mean)} ms", f"{number(carried(1, mean))} calls/s"),
                (f"a machine of {CORES} cores", f"{CORES} ×", f"{number(carried(CORES, mean))} calls/s"),
                ("N such machines", "no state is shared but the store, so N ×", "N × that"),
                *_of("a hospital of 1,000 beds", HOSPITAL, mean),
                *_of("a national service of 250,000 beds", NATION, mean),
                (
                    "first wall with prefetch", "CPU: the cores above", f"{number(carried(CORES, mean))} calls/s",
                ),
                (
                    "first wall where the FHIR server is asked",
                    f"threads that wait: {THREADS} ÷ {number(fetch)} s for an answer as measured here",
                    f"{number(THREADS / fetch)} calls/s with 2 × 4",
                ),
            ],
        ),
    ]  # fmt: skip
    return "\n\n".join(line.rstrip() for line in lines) + "\n"


def _of(name: str, load: Load, mean: float) -> list[tuple[str, str, str]]:
    day = sum(load.by_hook.values())
    number = report.number
    return [
        (
            f"{name}: calls a day",
            f"{load.beds:,} × ({load.views:g} charts + {load.sessions:g} × ({load.selects:g} + 1) order calls)",
            number(day),
        ),
        (
            f"{name}: in the busiest seconds",
            f"{number(day)} × {load.busiest_hour:g} ÷ 3600 × {load.burst:g}",
            f"{number(load.peak)} calls/s",
        ),
        (
            f"{name}: cores",
            f"{number(load.peak)} × {number(mean)} ms ÷ 1000 ÷ {BUSY:g}",
            number(cores_for(load, mean)),
        ),
    ]
