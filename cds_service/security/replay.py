"""Replay: which tokens were seen, until they expire. Kept as digests: a store that leaks holds no token."""

from __future__ import annotations

import hashlib
import heapq
import threading
from collections.abc import Callable
from typing import Protocol

MOST = 200_000  # tokens remembered at once; some hours of a large hospital


class Seen(Protocol):
    """A memory of tokens."""

    def before(self, issuer: str, jti: str, until: float) -> bool:
        """Whether this token was seen before; from now on it was, until this time (seconds since 1970)."""


class SeenHere:
    """The memory of this one process."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._known: set[bytes] = set()
        self._ends: list[tuple[float, bytes]] = []

    def before(self, issuer: str, jti: str, until: float) -> bool:
        """Whether this token was seen before; from now on it was, until this time (seconds since 1970)."""
        mark = hashlib.sha256(f"{issuer}\0{jti}".encode()).digest()
        with self._lock:
            now = self._now()
            while self._ends and self._ends[0][0] < now:
                self._known.discard(heapq.heappop(self._ends)[1])
            if mark in self._known:
                return True
            if len(self._ends) >= MOST:  # only a new one takes the place of another
                self._known.discard(heapq.heappop(self._ends)[1])
            self._known.add(mark)
            heapq.heappush(self._ends, (until, mark))
            return False
