"""Draining: whoever is told to stop says so in its readiness first, so that the balancer sends no further calls.

Only after that is the door closed, and what is being answered is answered to its end. The mark lies in memory that the
master shares with its workers.
"""

from __future__ import annotations

import mmap
import signal
from collections.abc import Callable
from typing import Any

from cds_service.beside import Health, Light

_MARK = mmap.mmap(-1, 1)  # made before the workers are forked


def begin() -> None:
    """Turn the readiness of all processes red."""
    _MARK[0] = 1


def begun() -> bool:
    """Whether the service is being stopped."""
    return bool(_MARK[0])


def health() -> Health:
    """Red once it is being stopped."""
    return Health(Light.RED, "the service is being stopped") if begun() else Health(Light.GREEN)


def drain_first(stop: Callable[[], None], seconds: float) -> None:
    """At SIGTERM, `stop` only after so many seconds in which the readiness is red; at a second SIGTERM at once."""

    def told(*_: Any) -> None:
        if begun() or not seconds:
            stop()
            return
        begin()
        signal.setitimer(signal.ITIMER_REAL, seconds)  # an alarm, not a thread: the master may fork meanwhile

    signal.signal(signal.SIGALRM, lambda *_: stop())
    signal.signal(signal.SIGTERM, told)
