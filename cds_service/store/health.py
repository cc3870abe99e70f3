"""How the store is doing, for the readiness. Asked afresh at most once a second, and answered within two.

Red: feedback cannot be kept. Amber: it can, and something is amiss. What went wrong is over once a writing succeeds;
the probe itself tries one, so that a store that was mended is green again without a call.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from cds_service.beside import Health, Light
from cds_service.errors import StoreError
from cds_service.store.hands import Hands, Late
from cds_service.store.keeper import Keeper
from cds_service.store.seen import SharedSeen
from cds_service.store.store import Store
from cds_service.store.tables import CHORE
from cds_service.store.upgrade import Version
from cds_service.store.write import write_new

SECONDS = 1.8
FRESH_SECONDS = 1.0
RECENT_SECONDS = 300.0  # so long a loss is shown


class StoreHealth:
    """The probe of this process."""

    def __init__(
        self, store: Store, keeper: Keeper, seen: SharedSeen | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._keeper = keeper
        self._seen = seen
        self._clock = clock
        self._hands = Hands("store-health", 1)
        self._lock = threading.Lock()
        self._last: tuple[float, Health] | None = None

    def __call__(self) -> Health:
        """How the store is doing."""
        self._keeper.wake()  # its upkeep does not wait for the first call
        with self._lock:
            if self._last is None or self._clock() - self._last[0] >= FRESH_SECONDS:
                self._last = (self._clock(), self._looked())
            return self._last[1]

    def _looked(self) -> Health:
        where = self._store.place.words
        try:
            version = self._hands.ask(self._tried, SECONDS)
        except StoreError as error:
            return Health(Light.RED, f"{where}: {error}; calls are answered, feedback cannot be kept")
        except Late:
            return Health(Light.RED, f"{where}: it does not answer; calls are answered, feedback cannot be kept")
        if version in (Version.NONE, Version.OLDER):
            return Health(Light.RED, f"{where}: {version.value}: aml-cds store upgrade")
        amiss = [*self._amiss(), *([version.value] if version is Version.NEWER else [])]
        return Health(Light.AMBER, f"{where}: {'; '.join(amiss)}") if amiss else Health(Light.GREEN)

    def _tried(self) -> Version:
        self._store.prepare()
        version = self._store.version()
        with self._store.writing() as connection:
            write_new(connection, CHORE, [{"name": "probe", "at": 0.0}])  # written once: from then on it only asks
        return version

    def _amiss(self) -> list[str]:
        now = self._clock()
        amiss = []
        if now - self._keeper.dropped_at < RECENT_SECONDS:
            amiss.append(f"{self._keeper.dropped} calls were not kept since the start of this process")
        if self._seen is not None and now - self._seen.missed_at < RECENT_SECONDS:
            amiss.append(f"{self._seen.missed} tokens are known to this process alone")
        return amiss
