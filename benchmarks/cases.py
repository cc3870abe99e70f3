"""Cases: what is asked of whom. Each case is measured for all its targets within one round, and round after round."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.payloads import SIZES

ECHO, SERVICE, NAIVE, HOSPITAL = "echo", "service", "naive", "hospital mode"
CONSTANT, VALIDATING = "HealthChain, constant card", "HealthChain, validating"
WARM, FRESH, FETCH = "warm", "fresh", "fetch"
REPEATING = 8  # distinct requests of a warm case, and patients of a fetching one
CALLERS = 4
# Calls of one target in one round, by resources; the time of a round may end them earlier.
CALLS = {20: 400, 60: 300, 200: 120, 1000: 24}


@dataclass(frozen=True, slots=True)
class Case:
    """Requests of one kind. `way`: warm, a few repeat; fresh, no resource is sent twice; fetch, nothing is sent along
    and the service asks a FHIR server (the echo then gets the same chart as prefetch).
    """

    hook: str = "order-sign"
    resources: int = 60
    way: str = FRESH
    callers: int = CALLERS
    targets: tuple[str, ...] = (ECHO, SERVICE)

    @property
    def name(self) -> str:
        """As the tables call it, and as goals refer to it."""
        also = f" ×{self.callers}" if self.callers != CALLERS else ""
        return f"{self.hook} {self.resources} {self.way}{also}"

    @property
    def calls(self) -> int:
        """How many calls a target gets in one round."""
        return CALLS[self.resources]


def _targets(resources: int, way: str) -> tuple[str, ...]:
    found = [ECHO, SERVICE]
    if way == FRESH:
        found.append(NAIVE)
    if resources == 60:
        found += [HOSPITAL, CONSTANT, *([VALIDATING] if way == FRESH else [])]
    return tuple(found)


EVERY: tuple[Case, ...] = (
    *(Case(resources=size, way=way, targets=_targets(size, way)) for size in SIZES for way in (WARM, FRESH)),
    *(Case(hook, way=way) for hook in ("order-select", "patient-view") for way in (WARM, FRESH)),
    *(Case(callers=callers) for callers in (1, 2, 8, 16, 32)),
    *(Case(resources=size, way=FETCH) for size in (60, 200)),
)
GATE: tuple[Case, ...] = (Case(way=WARM), Case(way=FRESH, targets=(ECHO, SERVICE, NAIVE)))
