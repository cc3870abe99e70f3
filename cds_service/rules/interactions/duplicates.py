"""Duplicates: two orders of one drug, two drugs of one class, two forms of which one may not stand for the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from cds_service.facts.drugs.medications import MEDICATIONS, Medication, Role
from cds_service.facts.drugs.routes import INTRATHECAL
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Topic
from cds_service.knowledge.snapshot import Snapshot
from cds_service.quantity import Quantity
from cds_service.rules.rule import Case, Clear, NotApplicable, Outcome, Subjects, rule
from cds_service.rules.subjects import Use, distinct, doubtful, uses
from cds_service.rules.treatment import not_taken

_GIVEN = "MedicationAdministration"


@dataclass(frozen=True, slots=True)
class Group:
    """A class or target, and the orders of its drugs in play."""

    name: str
    orders: tuple[Medication, ...]

    def __str__(self) -> str:
        return self.name


def _groups(case: Case) -> Subjects[Group]:
    """Every class of which a drug is drafted or taken."""
    found: dict[str, list[Medication]] = {}
    groups = _told_of_each(case.snapshot, topics.CLASS_GROUP)
    named = groups.keys()
    for order in _in_play(case):
        if named.isdisjoint(order.ingredients):
            continue
        for drug in order.ingredients:
            if drug in groups:
                found.setdefault(groups[drug], []).append(order)
    known = case.fact(MEDICATIONS).sure
    return Subjects(
        tuple(Group(name, distinct(orders)) for name, orders in found.items()),
        unknown="" if known else "whether the patient takes a drug of these classes is not known",
        none="no drug of these classes is drafted or taken",
    )


def _told_of_each(snapshot: Snapshot, topic: Topic[str]) -> Mapping[str, str]:
    """What is said of each drug under that topic; told once for this knowledge."""
    kept: Mapping[str, str] | None = snapshot.kept.get((_told_of_each, topic.name))
    if kept is None:
        said = snapshot.statements.items()
        kept = {about: each.value for (name, about, more), each in said if (name, more) == (topic.name, "")}
        snapshot.kept[_told_of_each, topic.name] = kept
    return kept


def _in_play(case: Case) -> tuple[Medication, ...]:
    """Drafted and taken, without what a draft supersedes."""
    orders = case.orders(Role.DRAFT, Role.ACTIVE)
    superseded = {each for order in orders if order.replaces for each in order.replaces}
    return tuple([order for order in orders if order.reference not in superseded]) if superseded else orders


@rule("duplicate-class", subjects=_groups, sources=("issue-duplicates",), worst=Level.WARNING, pairs=True)
def duplicate_class(case: Case, group: Group) -> Outcome:
    """Two drugs of one class or target at once.

    Asked of every class of which a drug is ordered or taken. A warning when two drugs of it stand side by side that no
    source supports together; a line where a regimen may hold both, one after the other. Where one of the drugs is known
    only from orders in doubt, it is one step lower.

    An order that a draft replaces, or that is stopped or on hold, does not count, and on which days each is given is
    not read. One drug alone in a medication list read in part goes to the card of gaps.
    """
    drugs = sorted(  # by name: in which order the list came says nothing
        {
            drug
            for order in group.orders
            for drug in order.ingredients
            if _told_of_each(case.snapshot, topics.CLASS_GROUP).get(drug) == group.name
        }
    )
    if len(drugs) == 1:
        medications = case.fact(MEDICATIONS)
        if medications.sure:
            return Clear(f"{drugs[0]} is the only {group.name} among the orders read")
        return case.blind(medications, about=group.orders)
    warned = case.cite(topics.CLASS_TOGETHER, "policy", group.name)
    said = warned or case.must(topics.CLASS_TOGETHER_NOTE, "policy", group.name)
    groups = tuple(each for drug in drugs if (each := case.cite(topics.CLASS_GROUP, drug)) is not None)
    by_drug = tuple(tuple(order for order in group.orders if drug in order.ingredients) for drug in drugs)
    return case.fired(
        Level.WARNING if warned else Level.INFO,
        "duplicate_class",
        about=group.orders,
        deciding=doubtful(*by_drug),
        drug=drugs[0],
        says=(said,),
        mentions=groups,
        line=not warned,
        group=group.name,
        drugs=tuple(drugs),
        orders=group.orders,
        said=said,
    )


@rule(
    "not-interchangeable",
    subjects=uses(topics.NOT_INTERCHANGEABLE_WITH, roles=(Role.DRAFT, Role.ACTIVE)),
    sources=("SAF20", "issue-duplicates"),
    worst=Level.WARNING,
    pairs=True,
)
def not_interchangeable(case: Case, use: Use) -> Outcome:
    """A liposomal combination beside the plain drugs that it must not be exchanged with.

    Asked of a liposomal combination that is ordered or taken. A warning when a plain form of one of its drugs is
    ordered or taken as well; one step lower where either is known only from orders in doubt. An order that a draft
    replaces does not count.

    Day and dose are not looked at; a plain drug that goes into the spinal fluid is none of these. Where none is found
    and the medication list is missing or was read in part, the card of gaps says so.
    """
    mine = (*use.drafts, *use.active)
    if not mine:
        return NotApplicable("neither drafted nor taken now")
    names = case.must(topics.NOT_INTERCHANGEABLE_WITH, use.drug)
    plain = tuple(
        order for order in _in_play(case)
        if set(names.value) & set(order.ingredients) and order.route != INTRATHECAL
    )  # fmt: skip
    if not plain:
        medications = case.fact(MEDICATIONS)
        return Clear("no plain form beside it") if medications.sure else case.blind(medications, about=mine)
    said = case.must(topics.NOT_INTERCHANGEABLE, use.drug)
    return case.fired(
        Level.WARNING,
        "not_interchangeable",
        about=(*mine, *(order for order in plain if order not in mine)),
        deciding=doubtful(mine, plain),
        drug=use.drug,
        says=(said,),
        plain=plain,
        said=said,
    )


@rule(
    "trial-combination",
    subjects=uses(topics.TRIAL_COMBINATION_WITH, roles=(Role.DRAFT, Role.ACTIVE)),
    sources=("D24",),
    worst=Level.INFO,
    pairs=True,
)
def trial_combination(case: Case, use: Use) -> Outcome:
    """Drugs that were given together in trials only.

    Asked of a drug of which the sources name such partners. A line of information when one of them stands beside it and
    at least one of the two is ordered now. It stops nothing: both may be meant, in a trial or one after the other.

    An order that a draft replaces does not count, and day and dose are not looked at. Where no partner is found in a
    medication list that is missing or was read in part, that is noted in the record of the call, on no card.
    """
    mine = (*use.drafts, *use.active)
    names = case.must(topics.TRIAL_COMBINATION_WITH, use.drug)
    partners = tuple(order for order in _in_play(case) if set(names.value) & set(order.ingredients))
    if not partners:
        medications = case.fact(MEDICATIONS)
        alone = "no partner of trials beside it"
        return Clear(alone) if medications.sure else case.blind(medications, about=mine, quiet=True)
    if not any(order.role is Role.DRAFT for order in (*mine, *partners)):
        return NotApplicable("neither of the two is ordered now")
    said = case.must(topics.TRIAL_COMBINATION, use.drug)
    return case.fired(
        Level.INFO,
        "trial_combination",
        about=distinct([*mine, *partners]),
        deciding=doubtful(mine, partners),
        drug=use.drug,
        says=(said,),
        mentions=(names,),
        line=True,
        partners=partners,
        said=said,
    )


@rule("also-active", subjects=uses(topics.USUAL_DOSE), sources=("SAF40",), worst=Level.WARNING)
def also_active(case: Case, use: Use) -> Outcome:
    """A draft beside a running order of the same drug.

    Asked when a drug that has a usual daily dose is ordered. A warning when an order of it is running or on hold that
    the draft does not say it replaces; information when all come to the same daily dose. Doses that cannot be read are
    not taken for the same. Where three or more orders stand side by side, the others are named, and what all come to.

    Where none is found and the medication list is missing or was read in part, the card of gaps says so. Drugs given in
    cycles, without a usual daily dose, are not asked about.
    """
    if not use.drafts:
        return NotApplicable("not drafted")
    superseded = {each for draft in use.drafts for each in draft.replaces}
    beside = (*_ordered(use.active), *(held for held in use.of(Role.ON_HOLD) if held.reference not in superseded))
    if not beside:
        return not_taken(case, use)
    pairs = [(draft, active) for draft in use.drafts for active in beside]
    changed = [pair for pair in pairs if _is_change(*pair)]
    draft, active = (changed or pairs)[0]
    usual = case.must(topics.USUAL_DOSE, use.drug)
    return case.fired(
        Level.WARNING if changed else Level.INFO,
        "also_active",
        about=(*use.drafts, *beside),
        drug=f"{use.drug} twice",
        says=(case.must(topics.ORDERED_TWICE, "policy"),),
        draft=draft,
        active=active,
        others=tuple(each for each in (*use.drafts, *beside) if each is not draft and each is not active),
        together=_in_all((*use.drafts, *beside)),
        unchanged=not changed,
        usual=usual,
        name=use.drug,
    )


def _ordered(running: tuple[Medication, ...]) -> tuple[Medication, ...]:
    """What runs, without the doses that were given beside an order of their own: those are no order to stop."""
    if all(order.resource.type == _GIVEN for order in running):
        return running
    return tuple(order for order in running if order.resource.type != _GIVEN)


def _in_all(orders: tuple[Medication, ...]) -> Quantity | None:
    """What all of them come to in a day; None where one cannot be read, or one of them is another one's."""
    replaced = {each for order in orders for each in order.replaces}
    doses = [order.dose.daily for order in orders if order.reference not in replaced]
    if None in doses or any(order.reported for order in orders):
        return None
    return Quantity(sum((dose.value for dose in doses if dose is not None), Decimal(0)), "mg/d")


def _is_change(draft: Medication, active: Medication) -> bool:
    return draft.dose.daily is None or active.dose.daily != draft.dose.daily
