"""The keeper: writes calls down, behind the answers. It is told of a call in microseconds and never makes one wait.

One thread in each process, come with the first call. It makes rows of each call at once, so that no chart is held while
the store is away. What it cannot keep up with, or cannot write for long, it drops and counts: the memory it may use is
bounded. On the way out of the process it writes what is left.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from itertools import islice

from cds_service.beside import Call
from cds_service.errors import StoreError
from cds_service.store.keys import Keys
from cds_service.store.records import Record, record
from cds_service.store.store import Store
from cds_service.store.write import write_records

log = logging.getLogger(__name__)

NOTHING, AUDIT, FULL = "nothing", "audit", "full"
MOST_CALLS = 1_000  # that wait with their charts; their rows, which are small, wait as long as there is room
MOST_BYTES = 64 * 1024 * 1024
TOGETHER = 50  # calls in one transaction
PAUSES = (0.5, 1.0, 2.0, 5.0)  # seconds between two attempts
UPKEEP_SECONDS = 60.0
CLOSING_SECONDS = 3.0


def _held(call: Call) -> int:
    """Roughly the bytes that a call holds while it waits: its chart too, as it was read from the body."""
    return 80_000 + 3 * len(call.body)


class Keeper:
    """Keeps calls in this store. `upkeep` is done every minute by the same thread.

    `not_stored` is told of each call that was given up.
    """

    def __init__(
        self, store: Store, keep: str, upkeep: Callable[[], None], not_stored: Callable[[], object] = lambda: None
    ) -> None:
        self._store = store
        self._keep = keep
        self._upkeep = upkeep
        self._not_stored = not_stored
        self.dropped = 0
        self._begin_anew()
        os.register_at_fork(after_in_child=self._begin_anew)

    def _begin_anew(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[Call] = deque()
        self._bytes = 0  # of the calls that wait, and of the rows that are not yet written
        self._busy = 0  # calls taken from the queue and not yet written
        self._ready: deque[Record] = deque()  # their rows; the thread's own
        self._closing = False
        self._thread: threading.Thread | None = None
        self.dropped_at = float("-inf")  # by the monotonic clock

    def saw(self, call: Call) -> None:
        """A call was answered. Strangers and wrong addresses are not kept: anybody could fill the disk with them."""
        self.wake()
        if self._keep == NOTHING or call.status in (401, 404):
            return
        with self._changed:
            full = len(self._waiting) >= MOST_CALLS or self._bytes + _held(call) > MOST_BYTES
            if full or self._closing:
                self._drop(1)
                return
            self._waiting.append(call)
            self._bytes += _held(call)
            self._changed.notify()

    def wake(self) -> None:
        """Start the thread of this process, if it is not there yet."""
        if self._thread is None:
            with self._changed:
                self._start()

    def _start(self) -> None:
        if self._thread is None and not self._closing:
            thread = threading.Thread(target=self._work, name="keeper", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the host is at a limit: calls wait, and the next one tries again
                log.warning("calls are not written down at the moment: there is no thread for it")
                return
            self._thread = thread
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
        for _ in range(calls):
            self._not_stored()

    def _work(self) -> None:
        kept_up, failed, again = float("-inf"), 0, float("-inf")  # failures in a row, and when it is tried again
        while True:
            if time.monotonic() - kept_up >= UPKEEP_SECONDS:
                kept_up = time.monotonic()
                self._kept_up()
            try:
                self._take(self._pause(again), again)
                if self._ready and (self._closing or time.monotonic() >= again):
                    self._write()
                    failed, again = 0, float("-inf")
            except StoreError as error:
                if not failed:
                    log.warning("calls cannot be kept at the moment: %s", error)
                if self._closing:
                    self._give_up()
                again = time.monotonic() + PAUSES[min(failed, len(PAUSES) - 1)]
                failed += 1
            if self._closing and not self._left():
                return

    def _pause(self, again: float) -> float:
        """How long to wait for calls: until the next attempt, or not at all while there is something to do."""
        if self._left():
            return min(1.0, max(0.0, again - time.monotonic()))
        return 1.0

    def _kept_up(self) -> None:
        try:
            self._upkeep()
        except StoreError as error:
            log.warning("the upkeep of the store has to wait: %s", error)
        except Exception as error:  # noqa: BLE001 - the thread must go on; the type names what happened
            log.error("the upkeep of the store failed: %s", type(error).__name__)

    def _take(self, seconds: float, again: float) -> None:
        """Wait so long for calls, and make rows of those that came. Raises StoreError where there are no keys yet.

        Without keys the store is not asked before `again`.
        """
        has_keys = self._store.keys_at_hand is not None
        with self._changed:
            if not self._closing and seconds > 0 and not (self._waiting and has_keys):
                self._changed.wait(seconds)
        if not self._waiting or not (has_keys or self._closing or time.monotonic() >= again):
            return
        keys = self._store.prepare()
        with self._changed:
            calls = [self._waiting.popleft() for _ in range(min(TOGETHER, len(self._waiting)))]
            self._busy += len(calls)
        made = self._recorded(calls, keys)
        self._ready.extend(made)
        with self._changed:
            self._busy -= len(calls) - len(made)
            self._bytes += sum(each.size for each in made) - sum(map(_held, calls))
            self._changed.notify_all()

    def _write(self) -> None:
        """Write the next rows. Raises StoreError; then they stay."""
        records = list(islice(self._ready, TOGETHER))
        try:
            with self._store.writing() as connection:
                write_records(connection, records)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - calls that cannot be written must not stop the others
            log.error("%d calls cannot be kept: %s", len(records), type(error).__name__)
            self._drop(len(records))
        self._done(len(records))

    def _give_up(self) -> None:
        """On the way out: what the store does not take now, it does not get."""
        with self._changed:
            left = self._left()
            self._waiting.clear()
        self._drop(left)
        self._done(len(self._ready))

    def _done(self, records: int) -> None:
        """These rows wait no longer."""
        size = sum(self._ready.popleft().size for _ in range(records))
        with self._changed:
            self._busy -= records
            self._bytes -= size
            self._changed.notify_all()

    def _recorded(self, calls: list[Call], keys: Keys) -> list[Record]:
        made = []
        for call in calls:
            try:
                made.append(record(call, keys, self._keep == FULL))
            except Exception as error:  # noqa: BLE001 - one call that cannot be told must not stop the others
                log.error("a call cannot be kept: %s", type(error).__name__)
                self._drop(1)
        return made
