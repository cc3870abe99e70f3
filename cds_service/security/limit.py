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
    from limits.strategies import MovingWindowRateLimiter

Rate = tuple[int, str]  # so many in a second, minute or hour


class Limit:
    """One limit, by name of whoever is counted. `words`: what is said to whoever comes too often."""

    def __init__(self, rate: Rate | None, words: str, told: Callable[[], object] = lambda: None) -> None:
        self._item = _item(rate) if rate else None
        self._words, self._told = words, told
        self._by_process: dict[int, MovingWindowRateLimiter] = {}

    def hit(self, name: str) -> None:
        """Count once. Raises TooOften."""
        if self._item is None:
            return
        limiter = self._by_process.get(os.getpid()) or self._by_process.setdefault(os.getpid(), _limiter())
        if not limiter.hit(self._item, name):
            self._told()
            wait = limiter.get_window_stats(self._item, name).reset_time - time.time()
            raise TooOften(self._words, max(1, math.ceil(wait)))


def _item(rate: Rate) -> RateLimitItem:
    from limits import parse

    return parse(f"{rate[0]}/{rate[1]}")


def _limiter() -> MovingWindowRateLimiter:
    from limits.storage import MemoryStorage
    from limits.strategies import MovingWindowRateLimiter

    return MovingWindowRateLimiter(MemoryStorage())
