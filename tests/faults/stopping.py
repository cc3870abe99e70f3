"""Stopping and killing: SIGTERM under load, SIGKILL of a worker, and what the callers met."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.calls import gilteritinib, qtcf, request
from tests.faults.traffic import Call, Caller, Told, calling, no_fault
from tests.fhir_server.running import Running

LIMIT = 30.0  # seconds in which a service that was told to stop has ended


def sign() -> Call:
    """A call of order-sign with everything sent along."""
    return Call.of(request("order-sign", gilteritinib(status="draft"), ecg=[qtcf(512)]))


@dataclass(frozen=True)
class Stop:
    """How a stop went: exit code, seconds, how long the readiness was red while calls were taken, and the calls.

    `slow`: those that were under way when the door was closed, waiting for a FHIR server that hangs.
    """

    code: int
    seconds: float
    red: float
    calls: int
    cut: list[str]
    slow: Told


def told_to_stop(running: Running, drain: float, callers: int = 8, load: float = 1.0) -> Stop:
    """SIGTERM while callers call, who go elsewhere once the readiness is red, as a balancer sends them."""
    slow, red_at, closed_at = Told(), 0.0, 0.0
    with silent() as fhir, calling(running.url, [sign()], callers) as told:
        late = [threading.Thread(target=_slowly, args=(running, blind(fhir), slow)) for _ in range(3)]
        time.sleep(load)
        begun = time.monotonic()
        running.master.send_signal(signal.SIGTERM)
        while running.master.poll() is None and time.monotonic() - begun < LIMIT:
            status, now = _ready(running), time.monotonic()
            if status == 503 and not red_at:
                red_at = now
                told.stop.set()
            if late and now - begun > drain - 0.7:
                for each in late:
                    each.start()
                late = []
            closed_at = closed_at or (now if status == 0 else 0.0)
            time.sleep(0.05)
        ended = time.monotonic()
        code = running.master.poll()
    red = (closed_at or ended) - red_at if red_at else 0.0
    return Stop(-99 if code is None else code, ended - begun, red, len(told.took), told.wrong, slow)


def blind(fhir: str) -> Call:
    """The same call with nothing sent along but the address of a FHIR server."""
    body = request("order-sign", gilteritinib(status="draft"))
    del body["prefetch"]
    return Call.of(body | {"fhirServer": fhir})


@contextmanager
def silent() -> Iterator[str]:
    """A FHIR server that takes every connection and never says a word; its base URL."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as door:
        yield f"http://127.0.0.1:{door.getsockname()[1]}/fhir"


def _slowly(running: Running, call: Call, told: Told) -> None:
    caller = Caller(running.url)
    caller.judged(call, told, no_fault)
    caller.close()


def _ready(running: Running) -> int:
    try:
        return running.get("/readyz")[0]
    except OSError:
        return 0


@dataclass(frozen=True)
class Kill:
    """How it went when one worker was killed: seconds until there was another, and the calls that failed."""

    respawned: float
    calls: int
    failed: int
    after: list[str]


def one_worker_killed(running: Running, callers: int = 6) -> Kill:
    """SIGKILL of one of several workers under load. What was in its hands is lost, nothing after it."""
    before = running.workers()
    with calling(running.url, [sign()], callers) as told:
        time.sleep(1)
        killed = time.monotonic()
        os.kill(before[0], signal.SIGKILL)
        while before[0] in running.workers() or len(running.workers()) < len(before):
            time.sleep(0.02)
            if time.monotonic() - killed > LIMIT:
                break
        respawned = time.monotonic() - killed
        time.sleep(1)
        failed = len(told.wrong)
        time.sleep(1)
    return Kill(respawned, len(told.took), failed, told.wrong[failed:])


def once(running: Running, call: Call) -> tuple[int, Any]:
    """One call by itself."""
    caller = Caller(running.url)
    try:
        return caller.post(call)
    finally:
        caller.close()
