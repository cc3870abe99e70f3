"""Rates: how often strangers, and each tenant, may call. Off unless set: at the bedside a 429 is silence.

A caller whose token is good is never counted as a stranger, whoever else calls from its address. Each process counts
for itself, in memory; behind a proxy every stranger has the proxy's address, so limit them there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import BoundedSemaphore

from flask import request

from cds_service.errors import TooMany, Unauthorized
from cds_service.hooks.caller import Caller
from cds_service.security.limit import Limit
from cds_service.settings import Settings
from cds_service.web.desk import Desk, Toolbox

TOO_OFTEN = "too often"  # the reason, for counting
_SAID = "this caller calls more often than this service is set to answer: wait as Retry-After says"
TOO_MANY = "too many at once"
_FULL = "this service is answering as many calls as it is set to at the same time: ask again"


class Rates:
    """The limits of the settings. `told`: of each caller who is turned away by them."""

    def __init__(self, settings: Settings, told: Callable[[str], object] = lambda _: None) -> None:
        turned_away = partial(told, TOO_OFTEN)
        self._strangers = Limit(settings.rate_limit_strangers, _SAID, turned_away)
        self._tenants = Limit(settings.rate_limit_tenant, _SAID, turned_away)
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
