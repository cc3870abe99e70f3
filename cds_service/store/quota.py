"""Quota: how much feedback a tenant may have kept in a day, so that nobody can fill the disk with it.

The rows of the day are counted in the store at times, and by this process in between: with several workers a tenant may
get a little more than its quota, never much more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, func, select

from cds_service.errors import TooOften
from cds_service.store.tables import FEEDBACK

FRESH_SECONDS = 30.0


class Quota:
    """So many entries a day (UTC) for each tenant."""

    def __init__(self, per_day: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_day = per_day
        self._clock = clock
        self._lock = threading.Lock()
        self._used: dict[str, tuple[datetime, float, int]] = {}  # by tenant: the day, when counted, how many

    def take(self, connection: Connection, tenant: str, entries: int, now: datetime) -> None:
        """Take so many of the day. Raises TooOften when they are used up."""
        day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        with self._lock:
            counted = self._used.get(tenant)
        if counted is None or counted[0] != day or self._clock() - counted[1] >= FRESH_SECONDS:
            counted = (day, self._clock(), self._counted(connection, tenant, day))
        if counted[2] + entries > self._per_day:
            left = day + timedelta(days=1) - now.astimezone(UTC)
            raise TooOften(
                "this tenant has sent as much feedback as is kept in a day (FEEDBACK_PER_DAY)",
                max(1, int(left.total_seconds())),
            )
        with self._lock:
            self._used[tenant] = (day, counted[1], counted[2] + entries)

    @staticmethod
    def _counted(connection: Connection, tenant: str, day: datetime) -> int:
        asked = select(func.count()).where(FEEDBACK.c.at >= day, FEEDBACK.c.tenant == tenant)
        return int(connection.execute(asked).scalar_one())
