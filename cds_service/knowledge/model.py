"""The shape of what medicine knows: the statement. A value, from when, where it holds, who says so, who checked.

Holds no values. How strong a card a statement may carry follows from how well it was verified, here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any, Generic, TypeVar

from cds_service.quantity import Quantity

T = TypeVar("T")
JURISDICTIONS = ("US", "EU", "JP")  # in this order they lend to each other what one does not say


class Level(IntEnum):
    """How urgent a card is; the names are those of CDS Hooks."""

    INFO = 1
    WARNING = 2
    CRITICAL = 3

    @property
    def indicator(self) -> str:
        """The CDS Hooks indicator."""
        return self.name.lower()

    def one_lower(self) -> Level:
        """One step lower, INFO staying INFO."""
        return Level(max(Level.INFO, self - 1))


class Verification(Enum):
    """How well a statement was verified: what it may carry, and what a card says of it."""

    LABEL = "label"
    LITERATURE = "literature"
    SECONDARY = "secondary"
    RECALLED = "recalled"
    POLICY = "policy"


STRONGEST = {
    Verification.LABEL: Level.CRITICAL,
    Verification.LITERATURE: Level.CRITICAL,
    Verification.SECONDARY: Level.WARNING,
    Verification.RECALLED: Level.WARNING,
    Verification.POLICY: Level.WARNING,
}


@dataclass(frozen=True, slots=True)
class Reference:
    """A source: what it is, of which kind, when published, when we read it, where it can be found."""

    id: str
    title: str
    short: str
    kind: str
    published: str
    retrieved: str
    where: str
    jurisdiction: str = ""


@dataclass(frozen=True, slots=True)
class Citation:
    """Where in a source a statement stands (section, table), and what it says there, in our words."""

    reference: Reference
    at: str
    says: str = ""


@dataclass(frozen=True, slots=True)
class Local:
    """A hospital's own word: who decided, since when, why, and what it stands in for."""

    owner: str
    since: date
    reason: str
    instead: Statement[Any]

    @property
    def words(self) -> str:
        """Whose word it is: "local policy (leukaemia board, 2026-11-01)"."""
        return f"local policy ({self.owner}, {self.since})"


@dataclass(frozen=True, slots=True)
class Statement(Generic[T]):
    """One thing medicine says, of one subject, in some jurisdictions, from a day on."""

    id: str
    topic: str
    about: str
    value: T
    effective: date
    jurisdictions: frozenset[str]
    verification: Verification
    sources: tuple[Citation, ...]
    reviewed_on: date
    reviewed_by: str = ""
    until: date | None = None
    qualifier: str = ""
    seed_states_stop: bool = False
    settles: tuple[str, ...] = ()
    note: str = ""
    withdrawn: str = ""  # why it ended without a successor
    foreign: str = ""  # the jurisdiction it is borrowed from, when the tenant's own has none
    local: Local | None = None  # decided by the hospital, in place of what the service says

    def __hash__(self) -> int:
        return hash(self.id)

    def in_force(self, day: date) -> bool:
        """Whether it holds on that day."""
        return self.effective <= day and (self.until is None or day < self.until)

    @property
    def strongest(self) -> Level:
        """The most urgent card that it may carry."""
        if self.foreign:
            return Level.WARNING
        if self.verification is Verification.SECONDARY and self.seed_states_stop:
            return Level.CRITICAL
        return STRONGEST[self.verification]


@dataclass(frozen=True, slots=True)
class Topic(Generic[T]):
    """A question that statements answer: its name in the YAML files, and how its values are written there."""

    name: str
    read: Callable[[Any], T]

    def __hash__(self) -> int:
        return hash(self.name)


def a_quantity(value: Any) -> Quantity:
    """A value written as "500 ms"."""
    if not isinstance(value, str):
        raise ValueError(f"expected text such as '500 ms', found {value!r}")
    return Quantity.read(value)


def in_unit(unit: str) -> Callable[[Any], Quantity]:
    """A reader of quantities in this unit and no other: "500 msec" or "500 s" where "ms" belongs is refused."""

    def read(value: Any) -> Quantity:
        quantity = a_quantity(value)
        if quantity.unit != unit:
            raise ValueError(f"expected a value in {unit}, such as '500 {unit}', found {value!r}")
        return quantity

    return read


def words(value: Any) -> str:
    """A value in words."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"expected words, found {value!r}")
    return value.strip()


@dataclass(frozen=True, slots=True)
class Step:
    """One stretch of a schedule: how often, and up to which day after the start (None: for good)."""

    every: Quantity
    until: Quantity | None = None

    def __str__(self) -> str:
        until = f" for the first {self.until}" if self.until is not None else ""
        return f"every {self.every}{until}"


def steps(value: Any) -> tuple[Step, ...]:
    """A schedule written as ["7 d until 28 d", "28 d"]."""
    read = in_unit("d")
    found = []
    for item in _a_list(value):
        every, _, until = words(item).partition(" until ")
        found.append(Step(read(every), read(until) if until else None))
    return tuple(found)


def quantities(value: Any) -> tuple[Quantity, ...]:
    """A list of quantities."""
    return tuple(a_quantity(item) for item in _a_list(value))


def names(value: Any) -> tuple[str, ...]:
    """A list of names."""
    return tuple(words(item) for item in _a_list(value))


def numbers(value: Any) -> tuple[int, ...]:
    """A list of whole numbers."""
    items = _a_list(value)
    if not all(isinstance(item, int) and not isinstance(item, bool) for item in items):
        raise ValueError(f"expected whole numbers, found {value!r}")
    return tuple(items)


def a_number(value: Any) -> Decimal:
    """A pure number, written as text so that nothing is lost."""
    if not isinstance(value, str):
        raise ValueError(f"expected a number as text, found {value!r}")
    return Decimal(value)


def _a_list(value: Any) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise ValueError(f"expected a list, found {value!r}")
    return value


@dataclass(frozen=True, slots=True)
class Drug:
    """One of our drugs: its INN, its class, and the indications in which its AML rules make sense.

    `widely_used`: most patients who take it have no leukaemia, so that mere information about it would be noise there.
    """

    name: str
    drug_class: str
    indications: tuple[str, ...]
    spoken_indication: str = ""
    widely_used: bool = False


@dataclass(frozen=True, slots=True)
class Precipitant:
    """A drug (or food) that changes how one of ours works, with its statements by kind (cyp3a, pgp, qt, ...)."""

    drug: str
    drug_class: str
    routes: frozenset[str]  # by which it counts; "" where one that is not told counts as well
    food: bool
    antiarrhythmic: bool
    keep: bool  # no draft of it is offered to be taken back
    statements: tuple[Statement[str], ...]

    def statement(self, kind: str) -> Statement[str] | None:
        """What is said of it about one kind of effect."""
        return next((statement for statement in self.statements if statement.topic == kind), None)
