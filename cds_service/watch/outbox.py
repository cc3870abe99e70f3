"""Outbox: log lines on their way out. Whoever reads the log may be slow, stuck or gone; no answer waits for that.

Lines stand in a bounded queue that a thread of each process empties. What finds no place is dropped and counted.
"""

from __future__ import annotations

import atexit
import logging
import os
from collections.abc import Callable
from queue import Full, Queue
from threading import Lock, Thread
from time import monotonic, sleep

_WAITING = 2000  # lines
listeners: list[Callable[[], object]] = []  # told of each dropped line; gunicorn makes outboxes anew, these stay
_LAST_WORDS = 1.0  # seconds that the end of a process waits for lines to go out


class Outbox(logging.Handler):
    """Writes to a file descriptor, without ever letting the one who logs wait. `dropped`: how many lines were not."""

    def __init__(self, descriptor: int, waiting: int = _WAITING) -> None:
        super().__init__()
        self.dropped = 0
        self._descriptor = descriptor
        self._waiting = waiting
        self._starting = Lock()
        self._renew()
        os.register_at_fork(after_in_child=self._renew)
        atexit.register(self.settle)

    def emit(self, record: logging.LogRecord) -> None:
        """Put a line into the queue."""
        try:
            line = f"{self.format(record)}\n".encode("utf-8", "backslashreplace")
        except Exception:  # noqa: BLE001 - what cannot be written down must not break who wanted to say it
            self._drop()
            return
        try:
            self._line.put_nowait(line)
        except Full:
            self._drop()
        if self._thread is None:
            self._start()

    def settle(self) -> None:
        """Wait until the lines are out, a second at most."""
        until = monotonic() + _LAST_WORDS
        while self._line.unfinished_tasks and self._thread is not None and monotonic() < until:
            sleep(0.01)

    def _renew(self) -> None:
        """An empty queue without a thread: those of a parent do not survive the fork."""
        self._starting = Lock()
        self._line: Queue[bytes] = Queue(self._waiting)
        self._thread: Thread | None = None

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                thread = Thread(target=self._work, args=(self._line,), name="log", daemon=True)
                thread.start()
                self._thread = thread

    def _work(self, lines: Queue[bytes]) -> None:
        while True:
            line = lines.get()
            try:
                while line:
                    line = line[os.write(self._descriptor, line) :]
            except OSError:  # closed, or nobody reads any more
                self._drop()
            finally:
                lines.task_done()

    def _drop(self) -> None:
        self.dropped += 1
        for told in listeners:
            told()
