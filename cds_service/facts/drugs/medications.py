"""Medications: what a draft or an order on record is, and the list of them that rules ask.

How one of them is read stands in `prescription`, how the list comes about in `medication_list`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from functools import cached_property

import msgspec
from msgspec.structs import replace

from cds_service.facts.drugs.doses import Dose
from cds_service.facts.fact import Key
from cds_service.facts.times import When
from cds_service.gather.resources import Resource


class Role(Enum):
    """How an order stands to the patient."""

    DRAFT = "draft"
    ACTIVE = "active"
    ON_HOLD = "on hold"
    PAST = "stopped"

    __hash__ = object.__hash__  # each is made once; every list of orders is kept by roles


class Medication(msgspec.Struct, frozen=True):
    """One order, drafted or on record: its ingredients, how they were told, its dose and its times."""

    ingredients: tuple[str, ...]
    role: Role
    label: str
    reference: str
    resource: Resource
    matched_by: str
    dose: Dose
    route: str = ""
    start: When | None = None
    end: When | None = None
    selected: bool = True
    replaces: tuple[str, ...] = ()  # references of the orders that it supersedes
    reason: str = ""  # why it is held or was stopped, as the order says
    progressed: bool = False  # that reason says that the disease did not yield to it, or came back
    product: str = ""  # the product's name, which may state its strength
    high_dose: bool = False  # the order or its instructions name a high-dose regimen
    doubts: tuple[str, ...] = ()
    courses: tuple[str, ...] = ()  # the regimens that its words name
    reported: bool = False  # somebody says so: nobody ordered it here
    cut_short: bool = False  # over before the last day that it states, and when is not known
    conflict: str = ""  # what its codes and its words say of the drug, where they disagree
    states_start: bool = False  # its instructions say when it begins; else its start is the day of its writing
    awaited: bool = False  # signed for a later day, and no order of the drug runs until then
    renewed: bool = False  # it is over, and a draft of this call goes on with it
    on_record: str = ""  # of a draft: how it stands on record under its id, where whether a dose was taken is open

    @property
    def last_day(self) -> When | None:
        """The day on which it ended or will, as it says itself or as its length tells."""
        if self.end is not None or self.start is None or self.dose.days is None:
            return self.end
        more = timedelta(days=int(self.dose.days) - 1)
        return replace(self.start, earliest=self.start.earliest + more, latest=self.start.latest + more)


def daily_mg(order: Medication) -> Decimal:
    """What a day of it comes to; nothing where that is not known, to put the higher of two doses first."""
    return order.dose.daily.value if order.dose.daily is not None else Decimal(0)


@dataclass(frozen=True)
class Medications:
    """Every order that could be read. `unidentified`: how many could not be told apart."""

    orders: tuple[Medication, ...]
    read: int
    unidentified: int
    unnamed_drafts: int = 0  # drafts that refer to a drug which could not be had
    unnamed_which: tuple[str, ...] = ()  # what they are called, of those that could be read
    unchosen_drafts: int = 0  # drafts that name nothing: no drug chosen yet, or none that we are shown

    @property
    def spoken(self) -> str:
        """How many orders on record were read: "1 order", "12 orders"."""
        return "1 order" if self.read == 1 else f"{self.read} orders"

    def of(self, *roles: Role) -> tuple[Medication, ...]:
        """The orders in one of these roles, without those that a draft supersedes."""
        found = self._of.get(roles)
        if found is None:
            found = self._of[roles] = tuple([order for order in self._standing if order.role in roles])
        return found

    def drugs(self, *roles: Role) -> tuple[str, ...]:
        """The ingredients of the orders in one of these roles, each once, in order."""
        found = self._drugs.get(roles)
        if found is None:
            named = [drug for order in self.of(*roles) for drug in order.ingredients]
            found = self._drugs[roles] = tuple(dict.fromkeys(named))
        return found

    def naming(self, drug: str) -> tuple[Medication, ...]:
        """The orders that hold that ingredient, whatever their role, and superseded ones too."""
        return self._naming.get(drug, ())

    @cached_property
    def superseded(self) -> tuple[Medication, ...]:
        """The orders on record in whose place a draft is written: once it is signed they are over."""
        named = {each for draft in self.orders if draft.role is Role.DRAFT for each in draft.replaces}
        if not named:
            return ()
        current = (Role.ACTIVE, Role.ON_HOLD)
        return tuple(order for order in self.orders if order.role in current and order.reference in named)

    @cached_property
    def _standing(self) -> tuple[Medication, ...]:
        over = self.superseded
        return tuple([order for order in self.orders if order not in over]) if over else self.orders

    # What was told before: every rule asks, and options ask every rule about every drug.

    @cached_property
    def _of(self) -> dict[tuple[Role, ...], tuple[Medication, ...]]:
        return {}

    @cached_property
    def _drugs(self) -> dict[tuple[Role, ...], tuple[str, ...]]:
        return {}

    @cached_property
    def _naming(self) -> dict[str, tuple[Medication, ...]]:
        found: dict[str, list[Medication]] = {}
        for order in self.orders:
            for drug in dict.fromkeys(order.ingredients):
                found.setdefault(drug, []).append(order)
        return {drug: tuple(orders) for drug, orders in found.items()}


MEDICATIONS: Key[Medications] = Key("medications", "medication list")


def imagined(drug: str, *, high_dose: bool = False) -> Medication:
    """A draft of the drug that nobody wrote, to ask what the checks would say of it. Its dose in numbers is open."""
    resource = Resource("MedicationRequest", b'{"resourceType":"MedicationRequest"}', "option")
    open_dose = Dose(None, "not ordered yet")
    return Medication(
        (drug,), Role.DRAFT, drug, f"option-{drug}", resource, "RxNorm", open_dose, high_dose=high_dose
    )
