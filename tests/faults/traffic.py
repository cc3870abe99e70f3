"""Traffic: callers in threads, each with its connection kept open, who call until they are told to stop."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import cycle
from typing import Any
from urllib.parse import urlsplit

Json = dict[str, Any]
Judge = Callable[["Call", int, Json], str]
PATIENCE = 15.0  # seconds after which a call counts as hanging


@dataclass(frozen=True)
class Call:
    """One request: to which service, with which body, and what the judge wants to know of it."""

    service: str
    body: bytes
    about: Any = None

    @classmethod
    def of(cls, body: Json, about: Any = None) -> Call:
        """The call of a hook request."""
        return cls(f"aml-{body['hook']}", json.dumps(body).encode(), about)


def no_fault(_call: Call, status: int, _body: Json) -> str:
    """Judge nothing but the status."""
    return "" if status == 200 else f"status {status}"


@dataclass
class Told:
    """What callers met: how long each call took, and what was wrong with it."""

    took: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, seconds: float, fault: str) -> None:
        """One call more."""
        with self._lock:
            self.took.append(seconds)
            self.wrong += [fault] if fault else []

    def at(self, share: float) -> float:
        """The time within which this share of the calls was answered; p99 is `at(0.99)`."""
        ordered = sorted(self.took)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


class Caller:
    """One caller with one connection; `keep`: whether it stays open between calls.

    A server that stops closes open connections between two calls, as HTTP lets it: a client then calls anew. Whoever
    counts cut calls does not keep them open, else the two look alike.
    """

    def __init__(self, url: str, keep: bool = True) -> None:
        self._place, self._keep = urlsplit(url), keep
        self._connection: HTTPConnection | None = None

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def post(self, call: Call) -> tuple[int, Json]:
        """Status and JSON of the answer. Raises OSError, HTTPException or ValueError."""
        if self._connection is None:
            self._connection = HTTPConnection(self._place.hostname or "", self._place.port, timeout=PATIENCE)
        try:
            headers = {"Content-Type": "application/json"} | ({} if self._keep else {"Connection": "close"})
            self._connection.request("POST", f"/cds-services/{call.service}", call.body, headers)
            answer = self._connection.getresponse()
            body = json.loads(answer.read())
        except (OSError, HTTPException, ValueError):
            self.close()
            raise
        if answer.getheader("Connection", "").lower() == "close":
            self.close()
        return answer.status, body

    def judged(self, call: Call, told: Told, judge: Judge) -> None:
        """Call, and tell how it went."""
        began = time.monotonic()
        try:
            fault = judge(call, *self.post(call))
        except (OSError, HTTPException, ValueError) as error:
            fault = f"no answer: {type(error).__name__} {error}"
        told.add(time.monotonic() - began, fault)


@contextmanager
def calling(
    url: str, calls: list[Call], callers: int, judge: Judge = no_fault, *, keep: bool = True
) -> Iterator[Told]:
    """Callers who go through `calls` again and again while the block runs."""
    told = Told()

    def go(first: int) -> None:
        caller = Caller(url, keep)
        for call in cycle(calls[first % len(calls) :] + calls[: first % len(calls)]):
            if told.stop.is_set():
                caller.close()
                return
            caller.judged(call, told, judge)

    threads = [threading.Thread(target=go, args=(number,)) for number in range(callers)]
    for each in threads:
        each.start()
    try:
        yield told
    finally:
        told.stop.set()
        for each in threads:
            each.join(2 * PATIENCE)
