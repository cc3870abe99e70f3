"""The ledger: feedback is on the disk before the client hears that it was accepted, and is counted once.

What cannot be kept within two seconds is refused (503), and the client sends it again.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from cards.reasons import REASON_SYSTEM, reasons
from cds_service.errors import NotKept, StoreError, TooOften
from cds_service.hooks.feedback import Feedback, Reason
from cds_service.reports import week_of
from cds_service.store.hands import Hands, Late
from cds_service.store.keeper import FULL
from cds_service.store.keys import Keys
from cds_service.store.quota import Quota
from cds_service.store.store import Store
from cds_service.store.tables import FEEDBACK, LONGEST, REASON
from cds_service.store.write import write_new, written_anew

log = logging.getLogger(__name__)

SECONDS = 2.0
_THREADS = 4
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_CODE = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")  # what is longer, or has blanks, may be typed text
_LIST = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|com\.epic\.")  # a URI, or Epic's extension: codes of a list


class StoredFeedback:
    """Takes feedback into the store, of each tenant so many entries a day. `not_stored` is told of each refusal."""

    def __init__(
        self, store: Store, keep: str, now: Callable[[], datetime], per_day: int,
        not_stored: Callable[[], object] = lambda: None,
    ) -> None:
        self._store = store
        self._full = keep == FULL
        self._now = now
        self._quota = Quota(per_day)
        self._not_stored = not_stored
        self._hands = Hands("feedback", _THREADS)
        self.refused = 0

    def add(self, service: str, tenant: str, feedback: tuple[Feedback, ...]) -> None:
        """Keep these: when this returns they are not lost any more. Raises NotKept, or TooOften."""
        try:
            self._hands.ask(lambda: self._write(service, tenant, feedback), SECONDS)
        except (StoreError, Late) as error:
            self._refuse()
            why = str(error) if isinstance(error, StoreError) else "the store does not answer"
            log.warning("feedback was not kept: %s", why)
            raise NotKept("the feedback cannot be kept at the moment: send it again") from None
        except TooOften:
            self._refuse()
            raise

    def _refuse(self) -> None:
        self.refused += 1
        self._not_stored()

    def _write(self, service: str, tenant: str, feedback: tuple[Feedback, ...]) -> None:
        keys = self._store.prepare()
        rows = {row["mark"]: (row, each) for each in feedback for row in (self._row(service, tenant, each, keys),)}
        with self._store.writing() as connection:
            self._quota.take(connection, tenant[:LONGEST], len(rows), self._now())
            new = written_anew(connection, FEEDBACK, FEEDBACK.c.mark, [row for row, _ in rows.values()])
            write_new(connection, REASON, (row for mark in new for row in _reasons(mark, rows[mark][1])))

    def _row(self, service: str, tenant: str, told: Feedback, keys: Keys) -> dict[str, Any]:
        card = told.card.lower() if _UUID.match(told.card) else f"#{keys.mark('card', tenant, told.card)}"
        now = self._now()
        when = told.at.astimezone(UTC) if told.at and _is_possible(told.at) else None
        return {
            "mark": keys.mark("feedback", tenant, card, told.outcome, when.isoformat() if when else ""),
            "at": now,
            "week": week_of(now),
            "service": service[:64],
            "tenant": tenant[:LONGEST],
            "card": card,
            "outcome": told.outcome,
            "outcome_at": when,
            "accepted": min(len(told.accepted), 1_000),
            "comment": told.comment,
            "words": keys.seal(told.words.encode("utf-8", "replace")) if self._full and told.words else None,
        }


def _is_possible(moment: datetime) -> bool:
    return 1900 < moment.year < 9999  # so that every zone and every database can write it


def _reasons(mark: str, told: Feedback) -> list[dict[str, Any]]:
    coded = enumerate(_code(each) for each in told.reasons)
    return [{"feedback": mark, "position": place, "code": code, "ours": ours} for place, (code, ours) in coded]


def _code(reason: Reason) -> tuple[str, bool]:
    """The code, and whether it is one of ours. Some clients send back only how it is spoken, or no system.

    What comes from no list, or does not look like a code, may be what somebody typed: it is not kept.
    """
    if reason.code in reasons() and reason.system in (None, REASON_SYSTEM):
        return str(reason.code), True
    spoken = {each.coding.display: code for code, each in reasons().items()}
    if reason.display in spoken:
        return spoken[str(reason.display)], True
    from_a_list = _LIST.match(reason.system or "")
    return (reason.code if from_a_list and reason.code and _CODE.match(reason.code) else "other"), False
