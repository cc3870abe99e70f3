"""What rules are asked about: the patient, or a use of one of our drugs, with every order of it taken together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cds_service.facts.drugs.medications import MEDICATIONS, Medication, Role
from cds_service.knowledge.model import Precipitant, Topic
from cds_service.rules.rule import Case, Proposal, Subjects


@dataclass(frozen=True, slots=True)
class Use:
    """One of our drugs in play: drafted, taken, held, or taken before. Two orders of one drug are one use."""

    drug: str
    orders: tuple[Medication, ...]

    def __str__(self) -> str:
        roles = dict.fromkeys(order.role.value for order in self.orders)
        return f"{self.drug} ({', '.join(roles)})"

    def of(self, *roles: Role) -> tuple[Medication, ...]:
        """Its orders in these roles."""
        return tuple(order for order in self.orders if order.role in roles)

    @property
    def drafts(self) -> tuple[Medication, ...]:
        """Its draft orders."""
        return self.of(Role.DRAFT)

    @property
    def active(self) -> tuple[Medication, ...]:
        """Its active orders that no draft supersedes."""
        superseded = {each for draft in self.drafts for each in draft.replaces}
        return tuple(order for order in self.of(Role.ACTIVE) if order.reference not in superseded)

    @property
    def in_play(self) -> tuple[Medication, ...]:
        """Drafted, taken or held: what a finding about this drug is about."""
        return (*self.drafts, *self.active, *self.of(Role.ON_HOLD))

    @property
    def is_new(self) -> bool:
        """Whether the drafts start the drug, rather than continue it."""
        return bool(self.drafts) and not self.of(Role.ACTIVE, Role.ON_HOLD)

    @property
    def restarts(self) -> bool:
        """Whether the drafts take up a drug again that is on hold."""
        return bool(self.drafts) and bool(self.of(Role.ON_HOLD)) and not self.active


@dataclass(frozen=True, slots=True)
class Met:
    """Another drug that changes how ours works, with its orders."""

    drug: str
    precipitant: Precipitant
    orders: tuple[Medication, ...]

    @property
    def spoken(self) -> str:
        """Its name and how it stands: "posaconazole (draft)"."""
        roles = dict.fromkeys(order.role.value for order in self.orders)
        return f"{self.drug} ({', '.join(roles)})"


def the_patient(case: Case) -> Subjects[str]:
    """The patient as a whole."""
    return Subjects(("patient",))


@dataclass(frozen=True, slots=True)
class Uses:
    """Finds each of our drugs in play of which something is said on one of these topics."""

    topics: tuple[Topic[Any], ...]
    roles: tuple[Role, ...]

    def __call__(self, case: Case) -> Subjects[Use]:
        """The uses, or why there are none."""
        listed, orders = case.fact(MEDICATIONS), case.chart.medications
        spoken_of = case.snapshot.spoken_of(self.topics)
        ours = [drug for drug in orders.drugs(*self.roles) if drug in spoken_of]
        if ours:
            return Subjects(tuple(Use(drug, orders.naming(drug)) for drug in ours))
        if not listed.sure:
            return Subjects((), unknown="whether the patient takes such a drug is not known")
        spoken = "such a drug" if Role.DRAFT in self.roles else "a drug of this kind in use"
        return Subjects((), none=f"{spoken} is neither drafted nor taken ({_among(case)})")


def uses(*topics: Topic[Any], roles: tuple[Role, ...] = (Role.DRAFT, Role.ACTIVE, Role.ON_HOLD)) -> Uses:
    """Each of our drugs in play of which something is said on one of these topics. `roles`: what counts as in play."""
    return Uses(topics, roles)


def our_drugs(case: Case) -> Subjects[Use]:
    """Each of our drugs that is drafted, taken or held, whatever is said of it."""
    listed, orders = case.fact(MEDICATIONS), case.chart.medications
    in_play = orders.drugs(Role.DRAFT, Role.ACTIVE, Role.ON_HOLD)
    ours = [drug for drug in in_play if drug in case.snapshot.drugs]
    if ours:
        return Subjects(tuple(Use(drug, orders.naming(drug)) for drug in ours))
    if not listed.sure:
        return Subjects((), unknown="whether the patient takes such a drug is not known")
    return Subjects((), none=f"none of our drugs is drafted or taken ({_among(case)})")


def _among(case: Case) -> str:
    return f"none among the {case.chart.medications.read} orders read; home medication not read"


def met(case: Case, use: Use, *kinds: str) -> tuple[Met, ...]:
    """The other drugs, drafted or taken and reaching the blood, of which one of these effects is known.

    The surest stands first: a sure order, then the better word, then the name. The order of the list says nothing.
    """
    found: dict[str, list[Medication]] = {}
    for order in case.orders(Role.DRAFT, Role.ACTIVE):
        for drug in order.ingredients:
            precipitant = case.snapshot.precipitants.get(drug)
            if precipitant is None or drug == use.drug or order.route not in ("", *precipitant.routes):
                continue
            if any(precipitant.statement(kind) is not None for kind in kinds):
                found.setdefault(drug, []).append(order)
    every = (Met(drug, case.snapshot.precipitants[drug], tuple(orders)) for drug, orders in found.items())
    return tuple(sorted(every, key=lambda each: _surest_first(each, kinds)))


def _surest_first(other: Met, kinds: tuple[str, ...]) -> tuple[bool, int, str]:
    said = [statement for kind in kinds if (statement := other.precipitant.statement(kind)) is not None]
    unsure = all(order.doubts for order in other.orders)
    return unsure, -max((statement.strongest for statement in said), default=0), other.drug.lower()


def removal(drug: str, orders: Iterable[Medication]) -> tuple[Proposal, ...]:
    """Each draft of the drug among these orders may be taken back."""
    drafts = (order for order in orders if order.role is Role.DRAFT)
    return tuple(Proposal("delete", f"Remove the {drug} draft", medication=draft) for draft in drafts)


def doubtful(*groups: Iterable[Medication]) -> tuple[Medication, ...]:
    """The orders whose doubts count: in each group a sure order is enough, a doubtful one beside it takes nothing."""
    each = [tuple(group) for group in groups]
    return tuple(order for group in each if all(other.doubts for other in group) for order in group)
