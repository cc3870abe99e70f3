"""Reloads under traffic: sets of knowledge that tell themselves apart, some of them broken."""

from __future__ import annotations

import re
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from tests.calls import gilteritinib, qtcf, request
from tests.faults.growth import mib
from tests.faults.traffic import Call, Json, calling
from tests.fhir_server.running import Running
from tests.overlays import written

LOWEST = 400  # ms; set 1 holds at 401, and so on
MEASURED = 515  # ms: above every limit
_VERSION = re.compile(r"Knowledge ([0-9a-f]{12})")
_LIMIT = re.compile(r"\b(4[0-6]\d) ms")
_PATIENCE = 90.0  # seconds for a reload on a busy machine
BROKEN = (
    "values:\n  - {statement: gilteritinib-qtc-hodl, value: 480 ms, reason: x}\n",
    "values:\n  - {statement: gilteritinib-qtc-hold, value: 480, reason: x}\n",
    "values:\n  - {statement: gilteritinib-qtc-hold, val",
    "valuez: []\n",
)


@dataclass(frozen=True)
class Figures:
    """How the reloads went."""

    calls: int
    wrong: list[str]
    versions: int
    refused: int
    memory: list[float]  # MiB of the master after each reload

    @property
    def grown(self) -> float:
        """By how many MiB the master grew over the second half of the reloads."""
        return self.memory[-1] - self.memory[len(self.memory) // 2]


def sound(folder: Path, number: int) -> Path:
    """An overlay that says which one it is by the limit on its card, and by the summary of that card."""
    value = f"values:\n  - {{statement: gilteritinib-qtc-hold, value: {LOWEST + number} ms, reason: set {number}}}\n"
    return written(folder, values=value)


def broken(folder: Path, number: int) -> Path:
    """One that must be refused, in one of several ways."""
    return written(folder, values=BROKEN[number % len(BROKEN)])


def under_traffic(running: Running, folder: Path, reloads: int, callers: int) -> Figures:
    """Reload so often while callers call; every third set is broken."""
    seen: dict[str, set[str]] = {}

    def judge(_call: Call, status: int, body: Json) -> str:
        text = " ".join(card["summary"] + card["detail"] for card in body.get("cards", ()))
        versions, limits = set(_VERSION.findall(text)), set(_LIMIT.findall(text))
        if status != 200 or len(versions) != 1 or len(limits) != 1:
            return f"status {status}, versions {versions}, limits {limits}"
        seen.setdefault(*versions, set()).update(limits)
        return ""

    call = Call.of(request("order-sign", gilteritinib(status="draft"), ecg=[qtcf(MEASURED, _today())]))
    refused, memory = 0, []
    with calling(running.url, [call], callers, judge, keep=False) as told:
        for number in range(2, reloads + 2):
            bad = number % 3 == 0
            (broken if bad else sound)(folder, number)
            reloaded(running)
            memory.append(mib(running.master.pid))
            status, ready = running.get("/readyz/calls")
            part = ready["parts"]["knowledge"]
            refused += bad
            wanted = ("amber", True) if bad else ("green", False)
            if status != 200 or (part["light"], "values" in part["words"]) != wanted:
                told.wrong.append(f"reload {number}: {status} {part}")
    mixed = [f"version {version} with limits {limits}" for version, limits in seen.items() if len(limits) != 1]
    return Figures(len(told.took), told.wrong + mixed, len(seen), refused, memory)


def reloaded(running: Running) -> None:
    """Tell the service to reload, and wait until all its old workers are gone."""
    before = set(running.workers())
    running.master.send_signal(signal.SIGHUP)
    until = time.monotonic() + _PATIENCE
    while before & set(now := running.workers()) or len(now) < len(before):
        assert time.monotonic() < until, "the reload did not end"
        time.sleep(0.05)


def _today() -> str:
    return time.strftime("%Y-%m-%dT00:00:01Z", time.gmtime())
