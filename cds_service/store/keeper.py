"""The keeper: writes calls down, behind the answers. It is told of a call in microseconds and never makes one wait.

One thread in each process, come with the first call. What it cannot keep up with, or cannot write for long, it drops
and counts: the memory it may use is bounded. On the way out of the process it writes what is left.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable

from cds_service.beside import Call
from cds_service.errors import StoreError
from cds_service.store.keys import Keys
from cds_service.store.records import Record, record
from cds_service.store.store import Store
from cds_service.store.write import write_records

log = logging.getLogger(__name__)

NOTHING, AUDIT, FULL = "nothing", "audit", "full"
MOST_CALLS = 1_000
MOST_BYTES = 64 * 1024 * 1024
TOGETHER = 50  # calls in one transaction
PAUSES = (0.5, 1.0, 2.0, 5.0)  # seconds between two attempts
UPKEEP_SECONDS = 60.0
CLOSING_SECONDS = 3.0


class Keeper:
    """Keeps calls in this store. `upkeep` is done every minute by the same thread."""

    def __init__(self, store: Store, keep: str, upkeep: Callable[[], None]) -> None:
        self._store = store
        self._keep = keep
        self._upkeep = upkeep
        self.dropped = 0
        self._begin_anew()
        os.register_at_fork(after_in_child=self._begin_anew)

    def _begin_anew(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[Call] = deque()
        self._bytes = 0
        self._busy = 0  # calls taken from the queue and not yet written
        self._closing = False
        self._thread: threading.Thread | None = None
        self.dropped_at = float("-inf")  # by the monotonic clock

    def saw(self, call: Call) -> None:
        """A call was answered. Strangers and wrong addresses are not kept: anybody could fill the disk with them."""
        self.wake()
        if self._keep == NOTHING or call.status in (401, 404):
            return
        with self._changed:
            full = len(self._waiting) + self._busy >= MOST_CALLS or self._bytes + len(call.body) > MOST_BYTES
            if full or self._closing:
                self._drop(1)
                return
            self._waiting.append(call)
            self._bytes += len(call.body)
            self._changed.notify()

    def wake(self) -> None:
        """Start the thread of this process, if it is not there yet."""
        if self._thread is None:
            with self._changed:
                self._start()

    def _start(self) -> None:
        if self._thread is None and not self._closing:
            self._thread = threading.Thread(target=self._work, name="keeper", daemon=True)
            self._thread.start()
            atexit.register(self.close, os.getpid())

    def flush(self, seconds: float) -> bool:
        """Wait until everything is written. Whether it is."""
        until = time.monotonic() + seconds
        with self._changed:
            while self._waiting or self._busy:
                left = until - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
        return True

    def close(self, pid: int | None = None) -> None:
        """Write what is left, and stop. Waits three seconds at most."""
        if pid is not None and pid != os.getpid():
            return
        with self._changed:
            self._closing = True
            thread = self._thread
            self._changed.notify_all()
        if thread is not None:
            thread.join(CLOSING_SECONDS)
            if self._left():
                log.error("the store did not take %d calls before the end of this process", self._left())
        self._store.close()

    def _left(self) -> int:
        return len(self._waiting) + self._busy

    def _drop(self, calls: int) -> None:
        self.dropped += calls
        self.dropped_at = time.monotonic()

    def _work(self) -> None:
        kept_up = float("-inf")
        while True:
            if time.monotonic() - kept_up >= UPKEEP_SECONDS:
                kept_up = time.monotonic()
                self._kept_up()
            calls = self._next(1.0)
            if calls:
                self._write(calls)
                with self._changed:
                    self._busy = 0
                    self._changed.notify_all()
            elif self._closing:
                return

    def _kept_up(self) -> None:
        try:
            self._upkeep()
        except StoreError as error:
            log.warning("the upkeep of the store has to wait: %s", error)
        except Exception as error:  # noqa: BLE001 - the thread must go on; the type names what happened
            log.error("the upkeep of the store failed: %s", type(error).__name__)

    def _next(self, seconds: float) -> list[Call]:
        """The next calls, those that came together; none when none came."""
        with self._changed:
            if not self._waiting and not self._closing:
                self._changed.wait(seconds)
            calls = [self._waiting.popleft() for _ in range(min(TOGETHER, len(self._waiting)))]
            self._bytes -= sum(len(call.body) for call in calls)
            self._busy = len(calls)
        return calls

    def _write(self, calls: list[Call]) -> None:
        """Write them, again and again while the store cannot be used; on the way out once."""
        attempt = 0
        records: list[Record] | None = None
        while True:
            try:
                keys = self._store.prepare()
                if records is None:
                    records = self._recorded(calls, keys)
                with self._store.writing() as connection:
                    write_records(connection, records)
                return
            except StoreError as error:
                if attempt == 0:
                    log.warning("calls cannot be kept at the moment: %s", error)
                if self._closing:
                    self._drop(len(calls))
                    return
            except Exception as error:  # noqa: BLE001 - calls that cannot be written must not stop the others
                log.error("%d calls cannot be kept: %s", len(calls), type(error).__name__)
                self._drop(len(calls))
                return
            with self._changed:
                self._changed.wait_for(lambda: self._closing, PAUSES[min(attempt, len(PAUSES) - 1)])
            attempt += 1

    def _recorded(self, calls: list[Call], keys: Keys) -> list[Record]:
        made = []
        for call in calls:
            try:
                made.append(record(call, keys, self._keep == FULL))
            except Exception as error:  # noqa: BLE001 - one call that cannot be told must not stop the others
                log.error("a call cannot be kept: %s", type(error).__name__)
                self._drop(1)
        return made
