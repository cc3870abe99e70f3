"""The keeper: writes calls down, behind the answers. It never makes an answer wait.

Whoever answered a call makes its rows once the answer has gone, some tenths of a millisecond, so that no chart is held
and work does not pile up behind the answers. One thread in each process writes the rows of many calls in one
transaction, half a second after the first at the latest. What it cannot write for long is dropped and counted:
the memory it may use is bounded. On the way out of the process it writes what is left.
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
MOST_CALLS = 1_000  # that wait with their charts, for the keys; their rows, which are small, wait as there is room
MOST_BYTES = 64 * 1024 * 1024
TOGETHER = 256  # calls in one transaction
LINGER_SECONDS = 0.5  # so long a call waits for others to be written with
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
        self._waiting: deque[Call] = deque()  # for the keys
        self._ready: deque[Record] = deque()  # not yet written
        self._bytes = 0  # of both
        self._hurried = 0  # who waits until all is written
        self._closing = False
        self._thread: threading.Thread | None = None
        self.dropped_at = float("-inf")  # by the monotonic clock

    def saw(self, call: Call) -> None:
        """A call was answered. Strangers and wrong addresses are not kept: anybody could fill the disk with them."""
        self.wake()
        if self._keep == NOTHING or call.status in (401, 404):
            return
        keys = self._store.keys_at_hand
        if self._closing or not self._has_room(0):
            with self._changed:
                self._drop(1)
        elif keys is None:
            self._wait_for_keys(call)
        else:
            self._keep_rows(self._recorded([call], keys))

    def _wait_for_keys(self, call: Call) -> None:
        with self._changed:
            if len(self._waiting) >= MOST_CALLS or not self._has_room(_held(call)):
                self._drop(1)
                return
            self._waiting.append(call)
            self._bytes += _held(call)

    def _keep_rows(self, made: list[Record]) -> None:
        """Let these wait to be written, as there is room."""
        with self._changed:
            for each in made:
                if not self._has_room(each.size):
                    self._drop(1)
                    continue
                self._ready.append(each)
                self._bytes += each.size
                if len(self._ready) in (1, TOGETHER):
                    self._changed.notify_all()

    def _has_room(self, more: int) -> bool:
        return self._bytes + more <= MOST_BYTES

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
            self._hurried += 1
            self._changed.notify_all()
            try:
                while self._left():
                    left = until - time.monotonic()
                    if left <= 0:
                        return False
                    self._changed.wait(left)
            finally:
                self._hurried -= 1
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
        return len(self._waiting) + len(self._ready)

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
                self._gather(again)
                self._make_rows()
                if self._ready:
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

    def _gather(self, again: float) -> None:
        """Wait until there is something to write and it is time to: not before `again`, and then not alone."""
        with self._changed:
            if not self._left() and not self._closing:
                self._changed.wait(1.0)
            until = max(again, time.monotonic() + LINGER_SECONDS)
            while self._left() and not self._closing:
                now = time.monotonic()
                if now >= until or (now >= again and (self._hurried or len(self._ready) >= TOGETHER)):
                    return
                self._changed.wait(min(until - now, 1.0))

    def _kept_up(self) -> None:
        try:
            self._upkeep()
        except StoreError as error:
            log.warning("the upkeep of the store has to wait: %s", error)
        except Exception as error:  # noqa: BLE001 - the thread must go on; the type names what happened
            log.error("the upkeep of the store failed: %s", type(error).__name__)

    def _make_rows(self) -> None:
        """Make rows of what waits for the keys. Raises StoreError where there are none yet."""
        if not self._waiting:
            return
        keys = self._store.prepare()
        while self._waiting:
            with self._changed:
                calls = list(islice(self._waiting, TOGETHER))
            made = self._recorded(calls, keys)
            with self._changed:
                self._bytes -= sum(_held(self._waiting.popleft()) for _ in calls)
                self._keep_rows(made)

    def _write(self) -> None:
        """Write the next rows. Raises StoreError; then they stay."""
        with self._changed:
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
        with self._changed:
            self._bytes -= sum(self._ready.popleft().size for _ in range(records))
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
