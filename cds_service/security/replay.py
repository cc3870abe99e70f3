"""Replay: which tokens were seen, until they expire. Kept as digests: a store that leaks holds no token."""

from __future__ import annotations

import hashlib
import heapq
import threading
import time
from collections.abc import Callable
from typing import Protocol

MOST = 200_000  # tokens remembered at once; some hours of a large hospital
RESERVE = 900.0  # seconds that a token is remembered beyond its end: the clock may be set back by as much


class Seen(Protocol):
    """A memory of tokens."""

    def before(self, issuer: str, jti: str, until: float) -> bool:
        """Whether this token was seen before; from now on it was, until this time (seconds since 1970)."""


class SeenHere:
    """The memory of this one process. How long a token still lives is reckoned once, by a clock that nobody sets."""

    def __init__(self, now: Callable[[], float], steady: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._steady = steady
        self._lock = threading.Lock()
        self._known: set[bytes] = set()
        self._ends: list[tuple[float, bytes]] = []

    def before(self, issuer: str, jti: str, until: float) -> bool:
        """Whether this token was seen before; from now on it was, until this time (seconds since 1970)."""
        mark = hashlib.sha256(f"{issuer}\0{jti}".encode()).digest()
        with self._lock:
            steady = self._steady()
            while self._ends and self._ends[0][0] < steady:
                self._known.discard(heapq.heappop(self._ends)[1])
            if mark in self._known:
                return True
            if len(self._ends) >= MOST:  # only a new one takes the place of another
                self._known.discard(heapq.heappop(self._ends)[1])
            self._known.add(mark)
            heapq.heappush(self._ends, (steady + until - self._now() + RESERVE, mark))
            return False
