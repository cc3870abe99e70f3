"""Limits: what one call and one FHIR server may cost us, in time, bytes and requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


class Deadline:
    """The time that one call may take, counted by a clock that never goes back.

    `last_start` is the share of it after which no query is started any more: such a query would use a connection
    without a chance of being read to its end.
    """

    def __init__(self, seconds: float, clock: Callable[[], float], last_start: float = 0.6) -> None:
        self._clock = clock
        self._end = clock() + seconds
        self._last_start = self._end - seconds * (1 - last_start)

    def within(self, seconds: float) -> Deadline:
        """A deadline for one part of the call, which starts now and is over with the whole at the latest."""
        return Deadline(min(seconds, self.left()), self._clock)

    def left(self) -> float:
        """Seconds that are left; 0 when it is over."""
        return max(0.0, self._end - self._clock())

    def left_to_start(self) -> float:
        """Seconds in which a query may still be started."""
        return max(0.0, self._last_start - self._clock())

    def may_start(self) -> bool:
        """Whether a query that starts now has a fair chance."""
        return self.left_to_start() > 0

    @property
    def over(self) -> bool:
        """Whether no time is left."""
        return self.left() == 0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one FHIR server may cost us. Numbers of our craft, none from medicine.

    `threads`: queries asked at the same time, for all calls of a process. Calls that wait for FHIR hold no more.
    `answer_bytes`: bytes read for one query, all its pages together, after decompression.
    `pages`: pages read for one query. `requests`: pages of all queries of one call together.
    `connect_seconds`: how long a server may take to accept a connection, TLS included.
    `statement_seconds`: how long what a server said of itself is believed; 0: its CapabilityStatement is not asked for.
    `keep_seconds`: how long an answer is kept to be asked for conditionally; 0: none is.
    """

    threads: int = 12
    answer_bytes: int = 5_000_000
    pages: int = 20
    requests: int = 60
    connect_seconds: float = 2.0
    statement_seconds: float = 0.0
    keep_seconds: float = 0.0
