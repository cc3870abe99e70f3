"""How fast the service answers, between what is possible and what is naive: `make bench`, some minutes, loopback only.

The service is started as deployed, beside it, on the same settings, an *echo* that only parses the same JSON (the
limit), a *naive* variant that validates every resource with fhir.resources (the floor), and HealthChain where it can be
installed. They are measured in turn, round after round; what counts are the ratios within a round.
*Warm*: eight requests repeat. *Fresh*: no resource is ever sent twice.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import callers, capacity, cases, figures, goals, peers, profiling, report, rounds, servers
from benchmarks.cases import Case
from benchmarks.payloads import stamped
from benchmarks.stage import Stage, path_of, service_command, service_settings, staged

Json = dict[str, Any]
LAST = peers.BUILD / "last.json"
BIG = 1_500_000  # bytes
_STARTS = 3


def main() -> int:
    """Measure, print, keep."""
    chosen = _arguments()
    if chosen.profile:
        return _profile(chosen)
    before = json.loads(chosen.compare.read_text(encoding="utf-8")) if chosen.compare else None
    if not sys.platform.startswith("linux"):
        sys.exit("the benchmark reads CPU and memory of other processes as Linux has them: run it there")
    run = measured(_wanted(chosen), 3 if chosen.gate else chosen.rounds, chosen.seconds, starts=not chosen.gate)
    kept = keep(run)
    print(report.whole(run, before))
    print(f"kept as {kept.relative_to(servers.ROOT)}")
    if chosen.docs:
        write_page(run)
    faults = rounds.failures(run["measured"])
    faults += goals.closed(figures.of_run(run)) if chosen.gate else []
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def write_page(run: Json) -> None:
    """The page with this run, what it means for a hospital, and the plot."""
    report.write("bench", f"![CPU of one call by resources](img/{report.PLOT.name})\n\n{report.whole(run)}")
    report.write("capacity", capacity.told(run))
    report.PLOT.write_text(report.plot(run), encoding="utf-8")


def _profile(chosen: argparse.Namespace) -> int:
    told = "\n".join(profiling.told(hook, 60) for hook in ("order-sign", "patient-view"))
    print(told)
    if chosen.docs:
        report.write("profile", told)
    return 0


def measured(wanted: Iterable[Case], times: int, seconds: float, *, starts: bool) -> Json:
    """A whole run, as it is kept."""
    wanted = tuple(wanted)
    machine = _machine()
    run: Json = {"version": 1, "date": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine}
    if starts:
        _tell("starting the service")
        run["start"] = start()
    with staged(wanted) as stage:
        run |= {"rounds": times, "seconds": seconds, "parser": stage.parser, "left_out": stage.left_out}
        run["measured"] = rounds.measure(stage, wanted, times, seconds, _tell)
        run["memory"] = rounds.memory(stage)
        run["big_body"] = big_body(stage)
    print(file=sys.stderr)
    return run


def big_body(stage: Stage) -> Json:
    """What a body of 1.5 MB is answered."""
    size = next(each for each in (1000, 2000) if len(next(_bodies(each))) >= BIG)
    body = next(_bodies(size))
    port = stage.servers[cases.SERVICE].port
    status = callers.call(port, callers.message(port, path_of("order-sign"), body))
    return {"bytes": len(body), "status": int(status or 0)}


def start() -> Json:
    """Seconds from the start of the service to its first answer, by the clock and of CPU, and the MiB that it holds.

    One start goes before that does not count: it compiles what changed since the last.
    """
    found = []
    for _ in range(1 + _STARTS):
        with tempfile.TemporaryDirectory() as folder:
            port = servers.free_port()
            first = callers.message(port, path_of("order-sign"), next(_bodies(20)))
            began = time.perf_counter()
            with servers.running(service_command(), port, first, service_settings(Path(folder), port)) as server:
                found.append((time.perf_counter() - began, server.cpu(), *server.memory()))
    middle = map(statistics.median, zip(*found[1:], strict=True))
    return dict(zip(("seconds", "cpu", "pss", "rss"), middle, strict=True))


def keep(run: Json) -> Path:
    """The run as JSON: under its date, and as the last one."""
    peers.BUILD.mkdir(parents=True, exist_ok=True)
    text = json.dumps(run, indent=1)
    path = peers.BUILD / f"{run['date'].replace(':', '')[:17]}.json"
    for each in (path, LAST):
        each.write_text(text, encoding="utf-8")
    return path


def _bodies(resources: int) -> Any:
    return stamped("order-sign", resources, datetime.now(UTC))


def _wanted(chosen: argparse.Namespace) -> tuple[Case, ...]:
    if chosen.gate:
        return cases.GATE
    return tuple(case for case in cases.EVERY if not chosen.only or any(each in case.name for each in chosen.only))


def _machine() -> Json:
    """What it runs on, without its name and its paths."""
    described = Path("/proc/cpuinfo").read_text().splitlines()
    processor = next((line.split(":")[1].strip() for line in described if line.startswith("model name")), "unknown")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": os.cpu_count(), "processor": processor, "memory": round(memory), "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }  # fmt: skip


def _tell(words: str) -> None:
    print(f"\r\033[K{words} …", end="", file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often each case is measured (default %(default)s)")
    parser.add_argument(
        "--seconds", type=float, default=1.0, help="the most that one target of one case takes (default %(default)s)"
    )
    parser.add_argument("--only", action="append", help="cases with this in their name, such as 'order-sign 60'")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="an earlier run, as kept in build/bench/")
    parser.add_argument("--docs", action="store_true", help="write the tables and the plot into docs/performance.md")
    parser.add_argument("--profile", action="store_true", help="where the time of a call goes, and nothing else")
    parser.add_argument(
        "--gate", action="store_true", help="a short run; fails where a ratio is far from what it should be"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
