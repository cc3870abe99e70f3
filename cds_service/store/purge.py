"""Purge: what is older than the hospital wants to keep, in small parts, so that nobody waits for it.

Once a day one of all workers does it, at the start or when it is due; `aml-cds store purge` does it at once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, Table, delete, or_, select, update

from cds_service.reports import week_of
from cds_service.store.endings import forget_unused
from cds_service.store.store import Store
from cds_service.store.tables import CALL, CHORE, FEEDBACK, TOKEN, UNKNOWN_CODE
from cds_service.store.write import write_new

log = logging.getLogger(__name__)

AT_ONCE = 200  # calls in one transaction: some milliseconds
_DAY = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows went."""

    calls: int
    feedback: int


def purge(store: Store, before: datetime) -> Purged:
    """Delete calls and feedback that came before this moment. Raises StoreError; what went until then is gone."""
    calls = _delete(store, CALL, CALL.c.id, CALL.c.at, before)
    forget_unused(store, time.time())
    with store.writing() as connection:
        connection.execute(delete(UNKNOWN_CODE).where(UNKNOWN_CODE.c.week < week_of(before)))
    return Purged(calls, _delete(store, FEEDBACK, FEEDBACK.c.mark, FEEDBACK.c.at, before))


def forget_tokens(store: Store, now: datetime) -> None:
    """Delete the marks of tokens that ended a day ago: a clock that was ahead forgets none. Raises StoreError."""
    with store.writing(lightly=True) as connection:
        connection.execute(delete(TOKEN).where(TOKEN.c.until < now.timestamp() - _DAY))


def purge_daily(store: Store, days: int, now: Callable[[], datetime]) -> Purged | None:
    """Purge if nobody did for a day; None when somebody did. Raises StoreError."""
    moment = now()
    with store.writing() as connection:
        write_new(connection, CHORE, [{"name": "purge", "at": 0.0}])
        since = moment.timestamp() - _DAY
        # A clock that was once ahead must not stop the purge for years.
        due = or_(CHORE.c.at <= since, CHORE.c.at > moment.timestamp() + _DAY)
        claimed = connection.execute(
            update(CHORE).where(CHORE.c.name == "purge", due).values(at=moment.timestamp())
        ).rowcount
    if not claimed:
        return None
    gone = purge(store, moment - timedelta(days=days))
    log.info("purged what is older than %d days: %d calls, %d feedback", days, gone.calls, gone.feedback)
    return gone


def _delete(store: Store, table: Table, key: Column[str], at: Column[datetime], before: datetime) -> int:
    gone = 0
    while True:
        with store.writing() as connection:
            old = select(key).where(at < before).limit(AT_ONCE)
            deleted = connection.execute(delete(table).where(key.in_(old))).rowcount
        gone += deleted
        if deleted < AT_ONCE:
            return gone
