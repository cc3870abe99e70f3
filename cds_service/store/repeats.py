"""Which cards of order-select were answered, for REPEATS: the memory of this process, and the store behind it.

The process remembers what it showed and which feedback came to it. What came to another worker stands in the store,
which is asked for 50 ms; after a failure it is left alone for some seconds. Whatever is not known is shown. All that
is remembered are keyed hashes of tenant, user, patient and what the card says.
"""

from __future__ import annotations

import hmac
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import exists, select

from cds_service.beside import Call
from cds_service.errors import StoreError
from cds_service.hooks.feedback import Feedback
from cds_service.repeats import ALWAYS_SHOWN, Who
from cds_service.store.hands import Hands, Late
from cds_service.store.keys import Keys
from cds_service.store.store import Store
from cds_service.store.tables import CALL, CARD, FEEDBACK

SECONDS = 0.05
PAUSE = 5.0
HOOK = "order-select"
_MOST = 20_000  # cards remembered
_THREADS = 2
K = TypeVar("K")
V = TypeVar("V")


def finding_mark(keys: Keys, who: Who, fingerprint: str) -> str:
    """What stands in the store for this card, shown to this user of this patient."""
    return keys.mark("finding", who.tenant, who.user, who.patient, fingerprint)


class AnsweredCards:
    """A memory, a witness that sees what was shown, and a ledger that sees what was answered."""

    def __init__(
        self, store: Store | None, minutes: float, now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic, seconds: float = SECONDS,
    ) -> None:
        self._store = store
        self._minutes = minutes
        self._now = now
        self._clock = clock
        self._seconds = seconds
        self._hands = Hands("repeats", _THREADS)
        self.missed = 0  # look-ups that the store did not answer in time
        self._begin_anew()
        os.register_at_fork(after_in_child=self._begin_anew)

    def _begin_anew(self) -> None:
        self._secret = os.urandom(32)
        self._lock = threading.Lock()
        self._shown: OrderedDict[tuple[str, str], tuple[bytes, float]] = OrderedDict()  # by tenant and card
        self._answered: OrderedDict[bytes, float] = OrderedDict()  # when it was shown
        self._again = float("-inf")

    def saw(self, call: Call) -> None:
        """Remember what was shown at order-select."""
        if call.hook != HOOK or call.answer is None:
            return
        request, now = call.answer.request, self._clock()
        who = Who(call.tenant, request.user_id, request.patient_id)
        with self._lock:
            for card in call.answer.cards:
                if card.fingerprint and card.indicator != ALWAYS_SHOWN:
                    _remember(self._shown, (call.tenant, card.uuid.lower()), (self._mark(who, card.fingerprint), now))

    def add(self, service: str, tenant: str, feedback: tuple[Feedback, ...]) -> None:
        """Remember what was answered."""
        with self._lock:
            for told in feedback:
                shown = self._shown.get((tenant, told.card.lower()))
                if shown is not None:
                    _remember(self._answered, *shown)

    def answered(self, who: Who, fingerprints: Collection[str]) -> frozenset[str]:
        """Those that this user was shown of this patient at order-select, not long ago, and has answered since."""
        oldest = self._clock() - 60 * self._minutes
        with self._lock:
            here = {
                each for each in fingerprints if self._answered.get(self._mark(who, each), float("-inf")) >= oldest
            }
        left = set(fingerprints) - here
        return frozenset(here | self._elsewhere(who, left)) if left else frozenset(here)

    def _elsewhere(self, who: Who, fingerprints: set[str]) -> set[str]:
        if self._store is None or self._clock() < self._again:
            return set()
        try:
            return self._hands.ask(lambda: self._asked(who, fingerprints), self._seconds)
        except (StoreError, Late):
            self.missed += 1
            self._again = self._clock() + PAUSE
            return set()

    def _asked(self, who: Who, fingerprints: set[str]) -> set[str]:
        assert self._store is not None
        keys = self._store.prepare()
        marks = {finding_mark(keys, who, each): each for each in fingerprints}
        told = exists().where(FEEDBACK.c.card == CARD.c.uuid, FEEDBACK.c.tenant == CARD.c.tenant)
        asked = (
            select(CARD.c.finding_mark)
            .select_from(CARD.join(CALL, CARD.c.call == CALL.c.id))
            .where(CARD.c.finding_mark.in_(marks), self._now() - timedelta(minutes=self._minutes) <= CALL.c.at, told)
        )
        with self._store.reading() as connection:
            return {marks[mark] for mark in connection.execute(asked).scalars()}

    def _mark(self, who: Who, fingerprint: str) -> bytes:
        parts = (who.tenant, who.user, who.patient, fingerprint)
        whole = b"".join(len(part := each.encode("utf-8", "surrogatepass")).to_bytes(4) + part for each in parts)
        return hmac.digest(self._secret, whole, "sha256")


def _remember(memory: OrderedDict[K, V], key: K, value: V) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > _MOST:
        memory.popitem(last=False)
