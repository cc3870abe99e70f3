"""Replay across processes: a token that another worker, or another replica, has seen is seen here.

The memory of this process is asked first. Then the mark is put into the store, within 50 ms; where it stands already,
the token was seen. A store that does not answer in time leaves the decision to the memory of this process, is counted,
and is not asked again for some seconds: a store that hangs costs one call 50 ms, not every call.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable

from cds_service.errors import StoreError
from cds_service.security.replay import Seen
from cds_service.store.hands import Hands, Late
from cds_service.store.store import Store
from cds_service.store.tables import TOKEN
from cds_service.store.write import write_one

SECONDS = 0.05
PAUSE = 5.0
_THREADS = 4


class SharedSeen:
    """A memory of tokens that several processes share."""

    def __init__(
        self, here: Seen, store: Store, clock: Callable[[], float] = time.monotonic, seconds: float = SECONDS,
        not_stored: Callable[[], object] = lambda: None,
    ) -> None:
        self._seconds = seconds
        self._here = here
        self._store = store
        self._clock = clock
        self._not_stored = not_stored
        self._lock = threading.Lock()
        self._hands = Hands("tokens", _THREADS)
        self._again = float("-inf")
        self.missed = 0  # tokens that only this process knows of
        self.missed_at = float("-inf")

    def before(self, issuer: str, jti: str, until: float) -> bool:
        """Whether this token was seen before; from now on it was, until this time (seconds since 1970)."""
        if self._here.before(issuer, jti, until):
            return True
        if not self._may_ask():
            return self._alone()
        mark = hashlib.sha256(f"{issuer}\0{jti}".encode()).hexdigest()
        try:
            seen = self._hands.ask(lambda: self._stood(mark, until), self._seconds)
        except (StoreError, Late):
            return self._alone()
        self._again = float("-inf")
        return seen

    def warm(self) -> None:
        """Make a connection before the first caller needs one: that takes longer than a caller is kept waiting."""
        self._store.warm(lightly=True)

    def _may_ask(self) -> bool:
        """Whether the store is to be asked. After a failure one caller tries, the others do not wait for it."""
        with self._lock:
            if self._again == float("-inf"):
                return True
            if self._clock() < self._again:
                return False
            self._again = self._clock() + PAUSE
            return True

    def _alone(self) -> bool:
        with self._lock:
            self._again = self._clock() + PAUSE
            self.missed += 1
            self.missed_at = self._clock()
        self._not_stored()
        return False

    def _stood(self, mark: str, until: float) -> bool:
        with self._store.writing(lightly=True) as connection:
            return not write_one(connection, TOKEN, {"mark": mark, "until": until})
