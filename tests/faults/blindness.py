"""Blind: every way in which a FHIR server gives nothing, and callers who need none while others wait for it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from tests.faults.bad_server import MODES, Bad
from tests.faults.growth import patients
from tests.faults.stopping import blind
from tests.faults.traffic import Call, Caller, Json, Told, calling
from tests.fhir_server.running import Running


@dataclass
class Blind:
    """What came of the calls to bad servers: empty card lists, other faults, the slowest, and requests per call."""

    calls: int = 0
    silent: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0.0
    most_asked: int = 0
    elsewhere: int = 0


def every_mode(running: Running, bad: Bad, rounds: int = 1) -> Blind:
    """A call at each bad server, by itself."""
    found, caller = Blind(), Caller(running.url)
    for mode in MODES:
        for _ in range(rounds):
            asked, began = bad.told.asked[mode], time.monotonic()
            status, body = caller.post(blind(bad.having(mode)))
            found.slowest = max(found.slowest, time.monotonic() - began)
            found.most_asked = max(found.most_asked, bad.told.asked[mode] - asked)
            found.calls += 1
            if status == 200 and not body["cards"]:
                found.silent.append(mode)
            elif status == 200 and not any(card["indicator"] in ("warning", "critical") for card in body["cards"]):
                found.wrong.append(f"{mode}: only information")
            elif status not in (200, 412):
                found.wrong.append(f"{mode}: status {status}")
    caller.close()
    found.elsewhere = bad.told.asked["elsewhere"]
    return found


def answers(call: Call, status: int, body: Json) -> str:
    """A fault when a call got no card at all."""
    return "" if status == 200 and body["cards"] else f"status {status}, no card"


def beside_a_silent_server(running: Running, silent: str, seconds: float, stuck: int, sent: int) -> tuple[Told, Told]:
    """So many callers of a silent FHIR server, and so many beside them who sent everything: what each kind met."""
    with calling(running.url, [blind(silent)], stuck, answers) as waiting:
        time.sleep(0.5)
        with calling(running.url, patients(), sent, answers) as prefetched:
            threading.Event().wait(seconds)
    return waiting, prefetched
