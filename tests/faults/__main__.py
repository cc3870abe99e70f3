"""Run them: python -m tests.faults [--long] [NAME ...]. Each line is a figure, its limit, and whether it is kept."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests import fuzz
from tests.faults.bad_server import bad_server
from tests.faults.blindness import beside_a_silent_server, every_mode
from tests.faults.growth import caught_up, soaked
from tests.faults.reload import sound, under_traffic
from tests.faults.stopping import one_worker_killed, silent, told_to_stop
from tests.fhir_server.running import started

Line = tuple[str, float, float]  # what, its figure, the most that it may be
OVER = 5.0  # seconds that no call may take: EHRs wait no longer
DEADLINE = 4.0  # seconds: ANSWER_SECONDS as shipped


def _silent_server(long: bool) -> Iterator[Line]:
    with started(WORKERS="2", THREADS="16") as service, silent() as fhir:
        waiting, sent = beside_a_silent_server(service, fhir, 60 if long else 8, stuck=12, sent=4)
        state = service.get("/readyz")[1]["parts"]["fhir"]["light"]
    yield "p99 of calls that sent everything, beside 12 callers of a silent FHIR server, s", sent.at(0.99), 2.0
    yield "p99 of those callers, s", waiting.at(0.99), DEADLINE + 0.2
    yield "their answers without a card, and other faults", len(waiting.wrong) + len(sent.wrong), 0
    yield f"readiness meanwhile was not amber ({state})", float(state != "amber"), 0
    yield f"p50 of the {len(sent.took)} that sent everything, beside {len(waiting.took)}, s", sent.at(0.5), OVER


def _blind(long: bool) -> Iterator[Line]:
    with bad_server() as bad, started(WORKERS="1", THREADS="16") as service:
        found = every_mode(service, bad, rounds=5 if long else 1)
    yield f"empty card lists of {found.calls} calls that no FHIR server helped {found.silent}", len(found.silent), 0
    yield f"other faults of them {found.wrong}", len(found.wrong), 0
    yield "the slowest of them, s", found.slowest, OVER
    yield "requests of one call to a FHIR server", found.most_asked, 60
    yield "requests to where a redirect or a next page led", found.elsewhere, 0


def _soak(long: bool) -> Iterator[Line]:
    with TemporaryDirectory() as place, started(WORKERS="2", THREADS="16", DATA=place, KEEP="audit") as service:
        soak = soaked(service, calls=50_000 if long else 4_000, callers=64, data=Path(place))
        kept, given_up = caught_up(service, Path(place), soak.calls)
    yield f"wrong answers of {soak.calls} calls of 12 patients by 64 callers {soak.wrong[:3]}", len(soak.wrong), 0
    yield f"answers that their deadline cut short, and that said so, of {soak.calls}", soak.late, soak.calls / 100
    lost = soak.calls - kept - given_up
    yield f"calls neither in the store nor counted as given up ({given_up} were), of {soak.calls}", lost, 0
    yield f"growth of a worker from its second to its fourth quarter {soak.memory}, MiB", soak.grown, soak.allowed
    files = max(each[3] - each[1] for each in soak.files.values())
    yield "open files more", files, 16
    ms, mib = [[round(each, 1) for each in found] for found in ([1000 * each for each in soak.took], soak.store)]
    yield f"times as slow in the last quarter as in the first {ms} ms, beside a store of {mib} MiB", soak.slower, 1.5
    yield "the store did not grow meanwhile", float(soak.store[3] < 2 * soak.store[0]), 0


def _stop(long: bool) -> Iterator[Line]:
    for _ in range(5 if long else 1):
        with started(WORKERS="2", THREADS="16", DRAIN_SECONDS="5") as service:
            stop = told_to_stop(service, drain=5)
        yield f"calls cut by SIGTERM, of {stop.calls + len(stop.slow.took)}", len(stop.cut) + len(stop.slow.wrong), 0
        yield "exit code", stop.code, 0
        yield "seconds until the end", stop.seconds, 30
        yield "readiness was not red for 4.5 s before the door closed", float(stop.red < 4.5), 0


def _kill(long: bool) -> Iterator[Line]:
    with started(WORKERS="2", THREADS="16") as service:
        for _ in range(20 if long else 2):
            kill = one_worker_killed(service)
            yield "seconds until a killed worker was replaced", kill.respawned, 2
            yield f"calls that failed after that, of {kill.calls}", len(kill.after), 0


def _reload(long: bool) -> Iterator[Line]:
    with TemporaryDirectory() as place:
        folder = sound(Path(place) / "ours", 1)
        with started(WORKERS="2", THREADS="16", OVERLAY=str(folder)) as service:
            found = under_traffic(service, folder, reloads=50 if long else 2, callers=8)
    yield f"answers that were dropped or mixed, of {found.calls} from {found.versions} sets {found.wrong[:3]}", (
        len(found.wrong)
    ), 0
    memory = [round(each, 1) for each in found.memory]
    yield f"growth of the master over the second half of {len(memory)} reloads {memory}, MiB", found.grown, 10


def _fuzz(long: bool) -> Iterator[Line]:
    seed = str(time.time_ns()) if long else "1"
    found = fuzz.run(seed, 100_000 if long else 1_000, None)
    told = f"of seed {seed} {dict(sorted(found.statuses.items()))} {found.wrong[:3]}"
    yield f"wrong answers to mutants {told}", len(found.wrong), 0
    yield "the slowest of them, s", found.slowest, OVER


SCENES: dict[str, Callable[[bool], Iterator[Line]]] = {
    "silent-server": _silent_server, "blind": _blind, "soak": _soak, "stop": _stop, "kill": _kill,
    "reload": _reload, "fuzz": _fuzz,
}  # fmt: skip


def main() -> int:
    """The program: 0 when every limit is kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--long", action="store_true", help="as before a release (an hour)")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these: {', '.join(SCENES)}")
    given = parser.parse_args()
    broken = 0
    for name in given.names or SCENES:
        began = time.monotonic()
        for what, figure, most in SCENES[name](given.long):
            kept = figure <= most
            broken += not kept
            print(f"{'kept ' if kept else 'BROKEN'} {name}: {what}: {figure:g} (at most {most:g})", flush=True)  # noqa: T201
        print(f"       {name} took {time.monotonic() - began:.0f} s", flush=True)  # noqa: T201
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
