"""Unknown codes: how often charts held codes that no table has, by week and code system, for the report.

Counted in memory while calls are answered, and written with the upkeep of the store. No code is kept, and no patient.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import update

from cds_service.reports import week_of
from cds_service.store.store import Store
from cds_service.store.tables import UNKNOWN_CODE
from cds_service.store.write import write_new


class UnknownCodes:
    """The counts of this process that were not written yet."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._begin_anew()
        os.register_at_fork(after_in_child=self._begin_anew)

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()

    def note(self, kind: str, system: str, times: int = 1) -> None:
        """Codes of a "drug" or a "condition" are in no table; `system` as spoken, "" for one that we do not read."""
        with self._lock:
            self._counts[kind, system or "other"] += times

    def write(self, store: Store) -> None:
        """Add what was counted. Raises StoreError; then it is tried again with the next upkeep."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if not counts:
            return
        week = week_of(self._now())
        try:
            with store.writing() as connection:
                for (kind, system), times in counts.items():
                    key = {"week": week, "kind": kind[:16], "system": system[:32]}
                    write_new(connection, UNKNOWN_CODE, [key | {"times": 0}])
                    same = [UNKNOWN_CODE.c[name] == value for name, value in key.items()]
                    connection.execute(update(UNKNOWN_CODE).where(*same).values(times=UNKNOWN_CODE.c.times + times))
        except BaseException:
            with self._lock:
                self._counts.update(counts)
            raise
