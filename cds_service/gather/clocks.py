"""Clocks: how far the clocks of FHIR servers are from ours, by the Date of their answers.

Ages of results are judged by our clock alone; a large difference is for whoever runs the two machines.
"""

from __future__ import annotations

from collections.abc import Callable
from email.utils import parsedate_to_datetime
from time import time

TOLERATED = 120.0  # seconds
_SERVERS = 64  # servers remembered


class Clocks:
    """What one process knows of the clocks of its FHIR servers. `clock` is that of the day."""

    def __init__(self, clock: Callable[[], float] = time) -> None:
        self._clock = clock
        self._ahead: dict[str, float] = {}

    def saw(self, base: str, date: str) -> None:
        """Note the Date header of an answer; "" and what cannot be read say nothing."""
        try:
            said = parsedate_to_datetime(date).timestamp()
        except (TypeError, ValueError, OverflowError):
            return
        if base not in self._ahead and len(self._ahead) >= _SERVERS:
            self._ahead.pop(next(iter(self._ahead)), None)
        self._ahead[base] = said - self._clock()

    @property
    def furthest(self) -> float:
        """By how many seconds the worst of them is ahead of ours, negative when behind."""
        return max(tuple(self._ahead.values()), key=abs, default=0.0)

    @property
    def differ(self) -> bool:
        """Whether one of them differs by more than is tolerated."""
        return abs(self.furthest) > TOLERATED
