"""Outbox: log lines on their way out. Whoever reads the log may be slow, stuck or gone; no answer waits for that.

Lines stand in a bounded queue that a thread of each process empties: those of a few hundredths of a second together,
so that it does not come between the answers at each line. What finds no place is dropped and counted.
"""

from __future__ import annotations

import atexit
import logging
import os
import select
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock, Thread
from time import monotonic, sleep

_WAITING = 2000  # lines
_LINGER = 0.05  # seconds that a line waits for others, unless it tells of an error
_AT_ONCE = select.PIPE_BUF  # bytes that no other process can write between
listeners: list[Callable[[], object]] = []  # told of each dropped line; gunicorn makes outboxes anew, these stay
_LAST_WORDS = 1.0  # seconds that the end of a process waits for lines to go out


class Outbox(logging.Handler):
    """Writes to a file descriptor, without ever letting the one who logs wait. `dropped`: how many lines were not."""

    def __init__(self, descriptor: int, waiting: int = _WAITING) -> None:
        super().__init__()
        self.dropped = 0
        self._descriptor = descriptor
        self._waiting = waiting
        self._renew()
        os.register_at_fork(after_in_child=self._renew)
        atexit.register(self.settle)

    def emit(self, record: logging.LogRecord) -> None:
        """Put a line into the queue."""
        try:
            line = f"{self.format(record)}\n".encode("utf-8", "backslashreplace")
        except Exception:  # noqa: BLE001 - what cannot be written down must not break who wanted to say it
            self._drop(1)
            return
        if len(self._lines) >= self._waiting:
            self._drop(1)
            return
        self._lines.append(line)
        if not self._some.is_set():
            self._some.set()
        if record.levelno >= logging.ERROR or len(self._lines) > self._waiting // 2:
            self._urgent.set()
        if self._thread is None:
            self._start()

    def settle(self) -> None:
        """Wait until the lines are out, a second at most."""
        until = monotonic() + _LAST_WORDS
        while (self._lines or self._some.is_set()) and self._thread is not None and monotonic() < until:
            self._urgent.set()
            sleep(0.01)

    def _renew(self) -> None:
        """An empty queue without a thread: those of a parent do not survive the fork."""
        self._starting = Lock()
        self._lines: deque[bytes] = deque()
        self._some = Event()  # lines are there, or being written
        self._urgent = Event()
        self._thread: Thread | None = None

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                thread = Thread(target=self._work, name="log", daemon=True)
                with suppress(RuntimeError):  # the host is at a limit: lines wait, and the next one tries again
                    thread.start()
                    self._thread = thread

    def _work(self) -> None:
        lines, some, urgent = self._lines, self._some, self._urgent
        while True:
            some.wait()
            urgent.wait(_LINGER)
            urgent.clear()
            while lines:
                self._write_some(lines)
            some.clear()
            if lines:  # came just before
                some.set()

    def _write_some(self, lines: deque[bytes]) -> None:
        """Write lines, as many as go out at once."""
        together = [lines.popleft()]
        size = len(together[0])
        while lines and size + len(lines[0]) <= _AT_ONCE:
            together.append(lines.popleft())
            size += len(together[-1])
        left = b"".join(together)
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError:  # closed, or nobody reads any more
            self._drop(len(together))

    def _drop(self, lines: int) -> None:
        self.dropped += lines
        for _ in range(lines):
            for told in listeners:
                told()
