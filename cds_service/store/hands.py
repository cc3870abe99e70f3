"""Hands: a few threads that do what may hang. Whoever waits for them, waits so long and no longer.

A server that stops answering, or a disk that does, can hold a thread for ever; no time-out of a driver covers that. So
whatever a caller of ours waits for is done here. The threads come with the first use in each process, and end with it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


class Late(Exception):
    """It was not done in time. It may still be done."""


@dataclass(slots=True)
class _Task(Generic[T]):
    work: Callable[[], T]
    done: threading.Event = field(default_factory=threading.Event)
    begun: bool = False
    given_up: bool = False
    result: T | None = None
    error: BaseException | None = None

    def run(self) -> None:
        if self.given_up:
            return
        self.begun = True
        try:
            self.result = self.work()
        except BaseException as error:  # noqa: BLE001 - handed to whoever asked
            self.error = error
        self.done.set()


class Hands:
    """So many threads of this name."""

    def __init__(self, name: str, threads: int) -> None:
        self._name = name
        self._threads = threads
        self._begin_anew()
        os.register_at_fork(after_in_child=self._begin_anew)

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()
        self._waiting: SimpleQueue[_Task[object]] = SimpleQueue()
        self._running = 0
        self._stuck: list[_Task[object]] = []  # begun, given up, and not done yet

    def ask(self, work: Callable[[], T], seconds: float) -> T:
        """What `work` gives, or raises. Raises Late when it takes longer than this, and at once when all are stuck.

        Where the host has no thread for it, nobody waits either; the next one tries again.
        """
        task = _Task(work)
        self._start()
        if not self._running or self._all_stuck():
            raise Late
        self._waiting.put(task)  # type: ignore[arg-type]
        if not task.done.wait(seconds):
            task.given_up = True  # not begun yet: never
            with self._lock:
                self._stuck.append(task)  # type: ignore[arg-type]
            raise Late
        if task.error is not None:
            raise task.error
        return task.result  # type: ignore[return-value]

    def _all_stuck(self) -> bool:
        if not self._stuck:
            return False
        with self._lock:
            self._stuck = [task for task in self._stuck if task.begun and not task.done.is_set()]
            return len(self._stuck) >= self._threads

    def _start(self) -> None:
        if self._running == self._threads:
            return
        with self._lock, suppress(RuntimeError):  # no thread can be started: those that are there do it
            while self._running < self._threads:
                name = f"{self._name}-{self._running}"
                threading.Thread(target=self._work, args=(self._waiting,), name=name, daemon=True).start()
                self._running += 1

    @staticmethod
    def _work(waiting: SimpleQueue[_Task[object]]) -> None:
        while True:
            waiting.get().run()
