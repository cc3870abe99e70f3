"""What rules are asked about: the patient, or a use of one of our drugs, with every order of it taken together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from cds_service.facts.medications import MEDICATIONS, Medication, Role
from cds_service.knowledge.model import Precipitant, Topic
from cds_service.rules.rule import Case, Subjects


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
        superseded = {draft.replaces for draft in self.drafts if draft.replaces}
        return tuple(order for order in self.of(Role.ACTIVE) if order.reference not in superseded)

    @property
    def in_play(self) -> tuple[Medication, ...]:
        """Drafted, taken or held: what a finding about this drug is about."""
        return (*self.drafts, *self.active, *self.of(Role.ON_HOLD))

    @property
    def is_new(self) -> bool:
        """Whether the drafts start the drug, rather than continue it."""
        return bool(self.drafts) and not self.of(Role.ACTIVE, Role.ON_HOLD)


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


def uses(
    *topics: Topic[Any], roles: tuple[Role, ...] = (Role.DRAFT, Role.ACTIVE, Role.ON_HOLD)
) -> Callable[[Case], Subjects[Use]]:
    """Each of our drugs in play of which something is said on one of these topics. `roles`: what counts as in play."""

    def find(case: Case) -> Subjects[Use]:
        orders = case.orders(*Role)
        drugs = [drug for order in orders if order.role in roles for drug in order.ingredients]
        ours = [drug for drug in dict.fromkeys(drugs) if any(_said(case, topic, drug) for topic in topics)]
        found = tuple(Use(drug, tuple(order for order in orders if drug in order.ingredients)) for drug in ours)
        spoken = "such a drug" if Role.DRAFT in roles else "a drug of this kind in use"
        list_known = case.fact(MEDICATIONS).sure
        return Subjects(
            found,
            unknown="" if list_known else "whether the patient takes such a drug is not known",
            none=f"{spoken} is neither drafted nor taken ({_among(case)})",
        )

    return find


def our_drugs(case: Case) -> Subjects[Use]:
    """Each of our drugs that is drafted, taken or held, whatever is said of it."""
    orders = case.orders(*Role)
    in_play = (Role.DRAFT, Role.ACTIVE, Role.ON_HOLD)
    drugs = [drug for order in orders if order.role in in_play for drug in order.ingredients]
    ours = [drug for drug in dict.fromkeys(drugs) if drug in case.snapshot.drugs]
    found = tuple(Use(drug, tuple(order for order in orders if drug in order.ingredients)) for drug in ours)
    list_known = case.fact(MEDICATIONS).sure
    return Subjects(
        found,
        unknown="" if list_known else "whether the patient takes such a drug is not known",
        none=f"none of our drugs is drafted or taken ({_among(case)})",
    )


def _said(case: Case, topic: Topic[Any], drug: str) -> bool:
    return drug in case.snapshot.drugs and bool(case.snapshot.qualifiers(topic, drug))


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
    return unsure, -max((statement.strongest for statement in said), default=0), other.drug


def doubtful(*groups: Iterable[Medication]) -> tuple[Medication, ...]:
    """The orders whose doubts count: in each group a sure order is enough, a doubtful one beside it takes nothing."""
    each = [tuple(group) for group in groups]
    return tuple(order for group in each if all(other.doubts for other in group) for order in group)
