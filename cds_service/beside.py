"""Beside the line: who looks on while calls are answered, without touching an answer.

Logs, metrics and the store are witnesses: each is shown every call after the answer has gone out. A ledger takes
feedback, and says so only when it is kept. A probe tells how one part is doing. Nothing here can delay, change or fail
a call; with nothing of it the service answers the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Protocol

from cds_service.answer import Answer
from cds_service.hooks.caller import Caller
from cds_service.hooks.feedback import Feedback

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """One POST to a service, as it went. It holds patient data: whoever keeps it decides what of it."""

    id: str  # 128 bits in hexadecimal, ours
    at: datetime  # when it came, UTC
    seconds: float  # until the answer was ready
    service: str
    hook: str
    tenant: str  # its name in the file of tenants; "" in demo mode
    caller: Caller | None
    status: int  # of HTTP
    cause: str  # why it was refused or broke: the name of the error; "" when it was answered
    body: bytes  # as it was sent
    answer: Answer | None  # None when it was refused or broke
    knowledge: str = ""  # the version that answered


class Witness(Protocol):
    """Is shown every call."""

    def saw(self, call: Call) -> None:
        """A call was answered. Must not wait for anything."""


class Ledger(Protocol):
    """Takes feedback."""

    def add(self, service: str, tenant: str, feedback: tuple[Feedback, ...]) -> None:
        """Keep these: when this returns they are not lost any more. Raises NotKept."""


class Light(IntEnum):
    """How a part is doing: well, limping (answers are still given), or not at all."""

    GREEN = 0
    AMBER = 1
    RED = 2


@dataclass(frozen=True, slots=True)
class Health:
    """How a part is doing, and for everything but green the reason and what to do, in words without patient data."""

    light: Light
    words: str = ""


Probe = Callable[[], Health]


@dataclass(frozen=True, slots=True)
class Beside:
    """Everything that stands beside the line."""

    witnesses: Sequence[Witness] = ()
    ledgers: Sequence[Ledger] = ()
    probes: Mapping[str, Probe] = field(default_factory=dict)
    metrics: Callable[[], bytes] | None = None  # the page for Prometheus
    turned_away: Callable[[str], object] = lambda _: None  # is told why a caller got no answer

    def show(self, call: Call) -> None:
        """Show a call to every witness. One that fails is named in the log, and the others are shown it."""
        for witness in self.witnesses:
            try:
                witness.saw(call)
            except Exception as error:  # noqa: BLE001 - a witness must never break what it looks at
                log.error("a call was not taken down by %s: %s", type(witness).__name__, type(error).__name__)

    def health(self) -> dict[str, Health]:
        """How every part is doing. A probe that fails is red."""
        return {name: _asked(probe) for name, probe in self.probes.items()}


def _asked(probe: Probe) -> Health:
    try:
        return probe()
    except Exception as error:  # noqa: BLE001 - the state of a part that cannot even be asked is known: it is not well
        return Health(Light.RED, f"cannot be asked ({type(error).__name__}): see the log")
