"""Replaying: a call as it was kept, and whether its rows are still those that were written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from cds_service.store import endings, whole
from cds_service.store.keys import Keys
from cds_service.store.records import mark_of_rows
from cds_service.store.store import Store
from cds_service.store.tables import CALL, CARD, WHOLE
from cds_service.store.whole import Whole

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """A call with its cards and outcomes. `intact`: whether they are as written; None where no seal was kept."""

    call: Row
    cards: tuple[Row, ...]
    outcomes: tuple[Row, ...]
    intact: bool | None
    whole: Whole | None
    unreadable: str = ""  # why what was kept whole cannot be read
    other_request: bool = False  # the request that was kept whole is not the one that came


def find(store: Store, keys: Keys, start: str) -> list[Kept]:
    """The calls whose id begins so: none, one, or two where it is not enough. Raises StoreError."""
    with store.reading(patiently=True) as connection:
        rows = connection.execute(select(CALL).where(CALL.c.id.startswith(start, autoescape=True)).limit(2)).mappings()
        return [_kept(connection, keys, row) for row in rows]


def between(store: Store, keys: Keys, since: datetime, until: datetime, tenant: str | None, most: int) -> list[Kept]:
    """The calls of a time that were answered, the newest first, at most so many. Raises StoreError."""
    asked = select(CALL).where(since <= CALL.c.at, until > CALL.c.at, CALL.c.knowledge != "")
    if tenant is not None:
        asked = asked.where(CALL.c.tenant == tenant)
    with store.reading(patiently=True) as connection:
        rows = connection.execute(asked.order_by(CALL.c.at.desc(), CALL.c.id).limit(most)).mappings().all()
        return [_kept(connection, keys, row) for row in rows]


def _kept(connection: Connection, keys: Keys, call: Any) -> Kept:
    cards = _cards(connection, call["id"])
    outcomes, sealed_of_them = endings.of_call(connection, call)
    intact = mark_of_rows(keys, call, cards, sealed_of_them) == call["rows_mark"] if call["rows_mark"] else None
    sealed = connection.execute(select(WHOLE.c.sealed).where(WHOLE.c.call == call["id"])).scalar()
    if sealed is None:
        return Kept(dict(call), cards, outcomes, intact, None)
    opened = keys.unseal(sealed)
    if opened is None:
        return Kept(dict(call), cards, outcomes, intact, None, "none of the keys in KEEP_KEY_FILE opens it")
    try:
        told = whole.unpacked(opened)
    except ValueError as error:
        return Kept(dict(call), cards, outcomes, intact, None, str(error))
    return Kept(dict(call), cards, outcomes, intact, told, "", keys.mark_of(told.request) != call["body_mark"])


def _cards(connection: Connection, call: str) -> tuple[Row, ...]:
    found = connection.execute(select(CARD).where(CARD.c.call == call).order_by(CARD.c.position)).mappings()
    return tuple(dict(row) for row in found)
