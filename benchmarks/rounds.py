"""Rounds: every case for every target, interleaved, so that what a busy machine adds falls on all alike."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.callers import Volley, volley
from benchmarks.cases import Case
from benchmarks.stage import Stage

Json = dict[str, Any]


def measure(stage: Stage, wanted: Iterable[Case], rounds: int, seconds: float, tell: Callable[[str], None]) -> Json:
    """Of each case, by name: what each target did in each round."""
    wanted = tuple(wanted)
    found: Json = {case.name: {target: [] for target in case.targets if target in stage.servers} for case in wanted}
    for number in range(rounds):
        for case in wanted:
            tell(f"round {number + 1} of {rounds}: {case.name}")
            for target, came in one_round(stage, case, number, seconds).items():
                found[case.name][target].append(came)
    return found


def one_round(stage: Stage, case: Case, number: int, seconds: float) -> Json:
    """What each target did; another one begins each time."""
    targets = [target for target in case.targets if target in stage.servers]
    turn = number % len(targets)
    bodies = stage.bodies(case)
    found = {}
    for target in (*targets[turn:], *targets[:turn]):
        server = stage.servers[target]
        messages = stage.messages(case, target, bodies[target])
        gc.collect()
        before = server.cpu()
        fired = volley(server.port, messages, case.callers, seconds)
        found[target] = told(fired, server.cpu() - before)
    return found


def told(fired: Volley, cpu: float) -> Json:
    """One volley in numbers: ms, and calls a second."""
    calls = max(1, fired.calls)
    took = sorted(each * 1000 for each in fired.took)
    return {
        "calls": fired.calls,
        "failed": fired.failed,
        "rps": fired.calls / fired.seconds,
        "p50": statistics.median(took) if took else 0.0,
        "p95": at(took, 0.95),
        "p99": at(took, 0.99),
        "cpu": cpu * 1000 / calls,
        "callers_cpu": fired.own_cpu * 1000 / calls,
    }


def at(ordered: list[float], share: float) -> float:
    """The value below which that share of an ordered list lies."""
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))] if ordered else 0.0


def memory(stage: Stage) -> Json:
    """MiB of each target after all that it was sent."""
    found = {}
    for target, server in stage.servers.items():
        pss, rss = server.memory()
        found[target] = {"pss": pss, "rss": rss}
    return found


def failures(measured: Json) -> list[str]:
    """The targets that did not answer every call with 200."""
    return [
        f"{case}, {target}: {sum(each['failed'] for each in came)} calls were not answered 200"
        for case, by_target in measured.items()
        for target, came in by_target.items()
        if any(each["failed"] for each in came)
    ]


