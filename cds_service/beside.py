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

from cds_service.answer import Answer, Tools
from cds_service.gather.collect import AsksFhir
from cds_service.hooks.caller import Caller
from cds_service.hooks.feedback import Feedback
from cds_service.reports import Asked, Report
from cds_service.security.links import Links
from cds_service.security.readers import Login

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


class Whole(Protocol):
    """A call that was kept whole, so that it can be answered again."""

    @property
    def request(self) -> bytes:
        """As it came, without the token."""

    @property
    def response(self) -> bytes:
        """As it went."""

    @property
    def now(self) -> datetime:
        """The moment that the rules went by."""

    @property
    def fhir(self) -> AsksFhir:
        """Stands in for the FHIR server, and gives what that one gave."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How checks of one rule ended in a call that was kept: without values."""

    rule: str
    subject: str  # patient, drug or pair
    outcome: str
    shadow: bool
    level: str
    cause: str  # of what was not evaluated: "potassium:stale, qtc:absent"
    times: int
    because: str | None = None  # of what fired: "qtc by gilteritinib-qtc-hold", names of facts and ids of statements


@dataclass(frozen=True, slots=True)
class Shown:
    """A card as it was kept without its words: which rule made it, and how urgent it was."""

    uuid: str
    topic: str
    indicator: str
    suggestions: int


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is kept of the call in which a card was shown. `place`: of the card, among `cards`."""

    at: datetime  # when it came, UTC
    service: str
    hook: str
    tenant: str
    software: str
    knowledge: str
    place: int
    cards: tuple[Shown, ...]
    endings: tuple[Ending, ...]
    not_applicable: int  # checks about nothing here
    whole: Whole | None  # where calls are kept whole
    lost: str = ""  # why a whole call cannot be read any more, in words


class Memory(Protocol):
    """Knows of earlier calls."""

    def of_card(self, uuid: str) -> Remembered | None:
        """What is kept of the call in which this card was shown. Raises StoreError."""


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
    report: Callable[[Asked], Report] | None = None  # what the store knows of a time; raises StoreError
    turned_away: Callable[[str], object] = lambda _: None  # is told why a caller got no answer
    memory: Memory | None = None  # of earlier calls; None where nothing is kept
    links: Links | None = None  # to the page about a card
    login: Login | None = None  # of those who may open it, where one has to log in
    tools: Mapping[str, Tools] = field(default_factory=dict)  # by tenant ("" in demo mode): what answers its calls

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
