"""Rates: how often strangers, and each tenant, may call. Off unless set: at the bedside a 429 is silence.

A caller whose token is good is never counted as a stranger, whoever else calls from its address. Each process counts
for itself, in memory; behind a proxy every stranger has the proxy's address, so limit them there.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from flask import request

from cds_service.errors import TooMany, TooOften, Unauthorized
from cds_service.hooks.caller import Caller
from cds_service.settings import Settings
from cds_service.web.desk import Desk, Toolbox

if TYPE_CHECKING:  # imported only where a limit is set
    from limits import RateLimitItem
    from limits.strategies import MovingWindowRateLimiter

TOO_OFTEN = "too often"  # the reason, for counting
_SAID = "this caller calls more often than this service is set to answer: wait as Retry-After says"
TOO_MANY = "too many at once"
_FULL = "this service is answering as many calls as it is set to at the same time: ask again"
Rate = tuple[int, str]


class Rates:
    """The limits of the settings. `told`: of each caller who is turned away by them."""

    def __init__(self, settings: Settings, told: Callable[[str], object] = lambda _: None) -> None:
        self._strangers = _Limit(settings.rate_limit_strangers, told)
        self._tenants = _Limit(settings.rate_limit_tenant, told)
        self.room = Room(settings.calls_at_once, told)

    def receive(self, desk: Desk, authorization: str | None, path: str) -> tuple[Caller | None, Toolbox]:
        """Whom the desk lets in. Raises Unauthorized, or TooOften."""
        try:
            caller, tools = desk.receive(authorization, path)
        except Unauthorized:
            self._strangers.hit(request.remote_addr or "")
            raise
        if caller is not None and caller.verified:
            self._tenants.hit(caller.hospital)
        else:
            self._strangers.hit(request.remote_addr or "")
        return caller, tools


class Room:
    """So many calls are answered at the same time by this process; who finds no place is told so at once."""

    def __init__(self, places: int, told: Callable[[str], object]) -> None:
        self._free = BoundedSemaphore(places) if places else None
        self._told = told

    def __enter__(self) -> None:
        """A place for one call, until its answer is ready. Raises TooMany."""
        if self._free is not None and not self._free.acquire(blocking=False):
            self._told(TOO_MANY)
            raise TooMany(_FULL)

    def __exit__(self, *_: object) -> None:
        """The place is free again."""
        if self._free is not None:
            self._free.release()


class _Limit:
    """One limit, by name of whoever is counted. Threads do not survive a fork, so each process has its own."""

    def __init__(self, rate: Rate | None, told: Callable[[str], object]) -> None:
        self._item = _item(rate) if rate else None
        self._told = told
        self._by_process: dict[int, MovingWindowRateLimiter] = {}

    def hit(self, name: str) -> None:
        """Count one call. Raises TooOften."""
        if self._item is None:
            return
        limiter = self._by_process.get(os.getpid()) or self._by_process.setdefault(os.getpid(), _limiter())
        if not limiter.hit(self._item, name):
            self._told(TOO_OFTEN)
            wait = limiter.get_window_stats(self._item, name).reset_time - time.time()
            raise TooOften(_SAID, max(1, math.ceil(wait)))


def _item(rate: Rate) -> RateLimitItem:
    from limits import parse

    return parse(f"{rate[0]}/{rate[1]}")


def _limiter() -> MovingWindowRateLimiter:
    from limits.storage import MemoryStorage
    from limits.strategies import MovingWindowRateLimiter

    return MovingWindowRateLimiter(MemoryStorage())
