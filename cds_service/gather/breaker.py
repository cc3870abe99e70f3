"""Breakers: a FHIR server that does not answer is left alone for a while, so that its callers need not wait for it.

A call in which it answered nothing at all counts against it; an answer of any kind, a refusal too, speaks for it. Once
so many calls went wrong in so short a time it is not asked any more, but for one call every few seconds.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic

_log = logging.getLogger(__name__)

FAILURES, WITHIN = 5, 10.0  # so many calls without any answer, in so many seconds
AGAIN = 5.0  # seconds after which one call may try
_SERVERS = 64  # servers remembered


@dataclass(slots=True)
class _Breaker:
    """One server: when its calls failed, and when it may be tried again, None while it is asked as usual."""

    failed: deque[float] = field(default_factory=lambda: deque(maxlen=FAILURES))
    again_at: float | None = None


class Breakers:
    """What one process knows of how its FHIR servers answer. `clock` never goes back."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._known: dict[str, _Breaker] = {}
        self.opened = 0  # how often a server was left alone
        self.spared = 0  # how many calls did not ask for that reason

    def may_ask(self, base: str) -> bool:
        """Whether this call asks the server. While it is left alone, one call every few seconds does."""
        with self._lock:
            breaker = self._known.get(base)
            if breaker is None or breaker.again_at is None:
                return True
            if self._clock() >= breaker.again_at:
                breaker.again_at = self._clock() + AGAIN  # whoever comes now tries, the others wait for what becomes
                return True
            self.spared += 1
            return False

    def answered(self, base: str) -> None:
        """The server answered a call."""
        with self._lock:
            breaker = self._known.pop(base, None)
        if breaker is not None and breaker.again_at is not None:
            _log.warning("the FHIR server %s answers again", base)

    def failed(self, base: str) -> None:
        """The server answered nothing in a whole call."""
        now = self._clock()
        with self._lock:
            if base not in self._known and len(self._known) >= _SERVERS:
                self._known.pop(next(iter(self._known)))
            breaker = self._known.setdefault(base, _Breaker())
            breaker.failed.append(now)
            tries = breaker.again_at is not None
            if tries or (len(breaker.failed) == FAILURES and now - breaker.failed[0] <= WITHIN):
                breaker.again_at = now + AGAIN
                self.opened += not tries
        if breaker.again_at is not None and not tries:
            _log.warning("the FHIR server %s does not answer: it is tried again every %g seconds", base, AGAIN)

    @property
    def open(self) -> int:
        """How many servers are left alone at the moment."""
        with self._lock:
            return sum(each.again_at is not None for each in self._known.values())
