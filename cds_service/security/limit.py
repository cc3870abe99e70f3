"""Limit: how often something may be done under one name. Off unless there is a rate.

Each process counts for itself, in memory, and threads do not survive a fork: so each process has a counter of its own.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from cds_service.errors import TooOften

if TYPE_CHECKING:  # imported only where a limit is set
    from limits import RateLimitItem
    from limits.storage import MemoryStorage
    from limits.strategies import MovingWindowRateLimiter

Rate = tuple[int, str]  # so many in a second, minute or hour
_NAMES = 5_000  # are remembered; the library never forgets one, and goes through all of them again and again


class Limit:
    """One limit, by name of whoever is counted. `words`: what is said to whoever comes too often."""

    def __init__(self, rate: Rate | None, words: str, told: Callable[[], object] = lambda: None) -> None:
        self._item = _item(rate) if rate else None
        self._words, self._told = words, told
        self._by_process: dict[int, tuple[MemoryStorage, MovingWindowRateLimiter]] = {}

    def hit(self, name: str) -> None:
        """Count once. Raises TooOften."""
        if self._item is None:
            return
        limiter = self._limiter()
        if not limiter.hit(self._item, name):
            self._told()
            wait = limiter.get_window_stats(self._item, name).reset_time - time.time()
            raise TooOften(self._words, max(1, math.ceil(wait)))

    def _limiter(self) -> MovingWindowRateLimiter:
        """That of this process. With too many names it begins anew: who makes them up gains a few tries, not more."""
        process = os.getpid()
        kept = self._by_process.get(process)
        if kept is not None and len(kept[0].events) >= _NAMES:
            self._by_process.pop(process, None)
            kept = None
        return (kept or self._by_process.setdefault(process, _counter()))[1]


def _item(rate: Rate) -> RateLimitItem:
    from limits import parse

    return parse(f"{rate[0]}/{rate[1]}")


def _counter() -> tuple[MemoryStorage, MovingWindowRateLimiter]:
    from limits.storage import MemoryStorage
    from limits.strategies import MovingWindowRateLimiter

    names = MemoryStorage()
    return names, MovingWindowRateLimiter(names)
