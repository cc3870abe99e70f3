"""Erase: everything that is kept of one patient, on the patient's request, and nothing else.

The store knows a patient by a keyed hash. So the id is asked for, the hash is made anew, and what bears it goes: the
calls with their cards and checks, what was kept whole of them, and the feedback about their cards. With other keys than
those that made the hashes nothing would be found, and that would pass for "nothing is kept": it is looked at first.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import astuple, dataclass

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, func, select

from cds_service.errors import StoreError
from cds_service.store.endings import alike
from cds_service.store.keys import Keys
from cds_service.store.replaying import find
from cds_service.store.store import Store
from cds_service.store.tables import CALL, CARD, FEEDBACK, OUTCOME, WHOLE

AT_ONCE = 200  # calls in one transaction: some milliseconds


@dataclass(frozen=True, slots=True)
class Erased:
    """How many rows went, or would go."""

    calls: int = 0
    cards: int = 0
    checks: int = 0
    whole: int = 0
    feedback: int = 0

    def and_also(self, more: Erased) -> Erased:
        """Both together."""
        return Erased(*(one + other for one, other in zip(astuple(self), astuple(more), strict=True)))


def count(store: Store, tenant: str, patient: str) -> Erased:
    """What `erase` would delete. Raises StoreError."""
    theirs = _theirs(store, tenant, patient)
    with store.reading() as connection:
        return _counted(connection, select(CALL.c.id).where(theirs), tenant)


def erase(store: Store, tenant: str, patient: str) -> Erased:
    """Delete all that is kept of this patient of this tenant. Raises StoreError; what went until then is gone."""
    theirs, gone = _theirs(store, tenant, patient), Erased()
    while True:
        with store.writing() as connection:
            if store.place.file is not None:
                connection.exec_driver_sql("PRAGMA secure_delete=ON")  # what is deleted is written over
            ids = connection.execute(select(CALL.c.id).where(theirs).limit(AT_ONCE)).scalars().all()
            some = select(CALL.c.id).where(CALL.c.id.in_(ids))
            gone = gone.and_also(_counted(connection, some, tenant))
            connection.execute(delete(FEEDBACK).where(_about(some, tenant)))
            connection.execute(delete(CALL).where(CALL.c.id.in_(ids)))
        if len(ids) < AT_ONCE:
            break
    _fold_in(store)
    return gone


def _theirs(store: Store, tenant: str, patient: str) -> ColumnElement[bool]:
    keys = store.prepare()
    _require_the_keys(store, keys)
    return and_(CALL.c.tenant == tenant, CALL.c.patient_mark == keys.mark("patient", tenant, patient))


def _require_the_keys(store: Store, keys: Keys) -> None:
    """Raise StoreError when the newest call was marked with other keys."""
    newest = select(CALL.c.id).where(CALL.c.rows_mark.is_not(None)).order_by(CALL.c.at.desc()).limit(20)
    with store.reading() as connection:
        ids = connection.execute(newest).scalars().all()
    if ids and not any(kept.intact for each in ids for kept in find(store, keys, each)):
        raise StoreError(
            "the last line of KEEP_KEY_FILE is not the key that marked what is kept, so no patient can be found: name "
            "the file of keys that the service uses"
        )


def _about(calls: Select[tuple[str]], tenant: str) -> ColumnElement[bool]:
    """Feedback about the cards of these calls."""
    return and_(FEEDBACK.c.tenant == tenant, FEEDBACK.c.card.in_(select(CARD.c.uuid).where(CARD.c.call.in_(calls))))


def _counted(connection: Connection, calls: Select[tuple[str]], tenant: str) -> Erased:
    def rows(*where: ColumnElement[bool]) -> int:
        return connection.execute(select(func.count()).where(*where)).scalar_one()

    return Erased(
        calls=rows(CALL.c.id.in_(calls)),
        cards=rows(CARD.c.call.in_(calls)),
        checks=rows(OUTCOME.c.call.in_(calls))
        + sum(times * len(each) for _, times, each in alike(connection, CALL.c.id.in_(calls))),
        whole=rows(WHOLE.c.call.in_(calls)),
        feedback=rows(_about(calls, tenant)),
    )


def _fold_in(store: Store) -> None:
    """SQLite: let the file itself be without them now, not only its log. Where somebody reads, it comes later."""
    if store.place.file is not None:
        with closing(sqlite3.connect(store.place.file, timeout=1)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
