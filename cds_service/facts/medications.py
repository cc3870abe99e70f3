"""Medications: drafts and what the patient takes, holds or has stopped, each by its ingredients.

Codes decide; a name helps where no code does, and the match says so. Where code and text disagree both are read. "Does
not take it" is earned only when every order was read and each could be told apart: home medication is never read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from functools import cached_property

from cds_service.facts import routes
from cds_service.facts.concepts import all_text
from cds_service.facts.doses import Dose, daily_dose
from cds_service.facts.fact import Fact, Key, Origin, State, known
from cds_service.facts.products import Product, identify, library_of
from cds_service.facts.results import Reading
from cds_service.facts.times import When
from cds_service.gather.replies import Reply, Status
from cds_service.gather.resources import Resource, Unreadable
from cds_service.gather.views import MedicationRequest


class Role(Enum):
    """How an order stands to the patient."""

    DRAFT = "draft"
    ACTIVE = "active"
    ON_HOLD = "on hold"
    PAST = "stopped"


@dataclass(frozen=True, slots=True)
class Medication:
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
    replaces: str = ""  # reference of the order that this draft supersedes
    reason: str = ""  # why it is held or was stopped, as the order says
    product: str = ""  # the product's name, which may state its strength
    high_dose: bool = False  # the order or its instructions name a high-dose regimen
    doubts: tuple[str, ...] = ()
    courses: tuple[str, ...] = ()  # the regimens that its words name
    conflict: str = ""  # what its codes and its words say of the drug, where they disagree


@dataclass(frozen=True)
class Medications:
    """Every order that could be read. `unidentified`: how many could not be told apart."""

    orders: tuple[Medication, ...]
    read: int
    unidentified: int
    unnamed_drafts: int = 0  # drafts that refer to a drug which could not be had

    def of(self, *roles: Role) -> tuple[Medication, ...]:
        """The orders in one of these roles."""
        return tuple(order for order in self.orders if order.role in roles)

    def drugs(self, *roles: Role) -> tuple[str, ...]:
        """The ingredients of the orders in one of these roles, each once, in order."""
        if roles not in self._drugs:
            self._drugs[roles] = tuple(dict.fromkeys(drug for order in self.of(*roles) for drug in order.ingredients))
        return self._drugs[roles]

    def naming(self, drug: str) -> tuple[Medication, ...]:
        """The orders that hold that ingredient, whatever their role."""
        return tuple(order for order in self.orders if drug in order.ingredients)

    @cached_property
    def _drugs(self) -> dict[tuple[Role, ...], tuple[str, ...]]:
        """What was told of roles before: every rule asks, and options ask every rule about every drug."""
        return {}


MEDICATIONS: Key[Medications] = Key("medications", "medication list")

_ROLES: Mapping[str, Role] = {
    "active": Role.ACTIVE,
    "on-hold": Role.ON_HOLD,
    "stopped": Role.PAST,
    "completed": Role.PAST,
}
_ENDED = frozenset({"cancelled", "entered-in-error", "stopped", "completed", "ended"})
_NOT_TAKEN = frozenset({"cancelled", "entered-in-error", "draft"})


def read_medications(
    reply: Reply,
    drafts: Iterable[Resource],
    others: Iterable[Resource],
    selections: tuple[str, ...],
    reading: Reading,
) -> Fact[Medications]:
    """Drafts and the medication list. The drafts are read whatever became of the list."""
    library = library_of(others)
    drafts = tuple(drafts)
    found, ended, problems = _drafts(drafts, library, selections, reading)
    unnamed = sum(_refers_nowhere(resource, draft) for resource, draft in _pairs(drafts, found))
    if unnamed:
        problems.append(f"{unnamed} of the drafts names no drug that could be read")
    unidentified = read = 0
    told = ended | {draft.reference for draft in found}
    for resource in reply.resources:
        if resource.type != "MedicationRequest":
            continue
        read += 1
        order = _listed(resource, library, reading)
        if isinstance(order, Unreadable):
            unidentified += 1
            problems.append(f"an order could not be read ({order.reason})")
        elif order is not None and not order.label and not order.ingredients:
            unidentified += 1
        elif order is not None and order.ingredients and not ("/" in order.reference and order.reference in told):
            found.append(order)
            told.add(order.reference)
    return _fact(Medications(tuple(found), read, unidentified, unnamed), reply, problems)


def imagined(drug: str) -> Medication:
    """A draft of the drug that nobody wrote, to ask what the checks would say of it. Its dose is open."""
    resource = Resource("MedicationRequest", b'{"resourceType":"MedicationRequest"}', "option")
    return Medication((drug,), Role.DRAFT, drug, f"option-{drug}", resource, "RxNorm", Dose(None, "not ordered yet"))


def _pairs(drafts: tuple[Resource, ...], found: list[Medication]) -> list[tuple[Resource, Medication]]:
    return [(resource, order) for resource in drafts for order in found if order.resource is resource]


def _refers_nowhere(resource: Resource, draft: Medication) -> bool:
    """Whether the draft refers to a Medication that neither came along nor is spoken: not merely none chosen yet."""
    view = _view(resource)
    return bool(view and view.medicationReference and not draft.ingredients and not draft.label)


def _drafts(
    drafts: Iterable[Resource], library: Mapping[str, Resource], selections: tuple[str, ...], reading: Reading
) -> tuple[list[Medication], set[str], list[str]]:
    """The drafts that are to be given, the references of orders that a draft ends, and what could not be read."""
    found: list[Medication] = []
    ended: set[str] = set()
    problems: list[str] = []
    drafts = tuple(drafts)
    if not any("/" in each.reference and _selected(each.reference, selections) for each in drafts):
        selections = ()  # a selection that names none of the drafts cannot tell which of them to leave out
    for resource in drafts:
        view = _view(resource)
        if view is None:
            continue
        if view.doNotPerform or view.status in _ENDED:
            ended.add(resource.reference)
            continue
        draft = _read(resource, Role.ON_HOLD if view.status == "on-hold" else Role.DRAFT, library, reading)
        if isinstance(draft, Unreadable):
            problems.append(f"a draft order could not be read ({draft.reason})")
        elif draft is not None:
            found.append(replace(draft, selected=not selections or _selected(draft.reference, selections)))
    return found, ended, problems


def _selected(reference: str, selections: tuple[str, ...]) -> bool:
    if "/" not in reference:
        return True  # an order without a usable id may be the selected one
    return any(reference == each or reference.endswith(f"/{each.rsplit('/', 1)[-1]}") for each in selections)


def _listed(resource: Resource, library: Mapping[str, Resource], reading: Reading) -> Medication | Unreadable | None:
    """An order of the medication list; None when it is not taken."""
    view = _view(resource)
    role = _role(view) if view is not None else None
    if role is None:
        return None
    order = _read(resource, role, library, reading)
    return _ended(order, reading.now) if isinstance(order, Medication) else order


def _fact(value: Medications, reply: Reply, problems: list[str]) -> Fact[Medications]:
    where = Origin("MedicationRequest", reply.source, f"{value.read} orders")
    if reply.status in (Status.FAILED, Status.NOT_ASKED):
        state = State.FAILED if reply.status is Status.FAILED else State.NOT_ASKED
        return Fact(MEDICATIONS, state, value, None, where, doubts=(reply.why,), why=reply.why)
    doubts = list(problems)
    if value.unidentified > len(problems):
        doubts.append(f"{value.unidentified} of {value.read} orders could not be told apart by code or name")
    if reply.status is Status.PARTIAL:
        doubts.append(f"not every order was read: {reply.why}")
    return known(MEDICATIONS, value, None, where, doubts=tuple(doubts))


def _view(resource: Resource) -> MedicationRequest | None:
    """The order as it can be read: checked quickly, else saved element by element."""
    view = resource.view()
    if isinstance(view, Unreadable):
        view = resource.salvaged() or view
    return view if isinstance(view, MedicationRequest) else None


def _role(view: MedicationRequest) -> Role | None:
    if view.doNotPerform or view.intent in ("proposal", "option") or view.status in _NOT_TAKEN:
        return None
    return _ROLES.get(view.status or "", Role.ACTIVE)


def _read(
    resource: Resource, role: Role, library: Mapping[str, Resource], reading: Reading
) -> Medication | Unreadable | None:
    """The order. One that is not valid R4 but names one of the drugs we know still warns, without its dose."""
    quick = _view(resource)
    if quick is None:
        return None
    product = identify(quick, library, reading)
    if isinstance(product, Unreadable):
        return product
    if not product.ingredients:
        return Medication((), role, product.words, resource.reference, resource, "its name", Dose(None))
    view = resource.checked()
    invalid = view.reason if isinstance(view, Unreadable) else ""
    order = view if isinstance(view, MedicationRequest) else quick
    bounds = _bounds(order, reading)
    unclear = "" if role is Role.DRAFT or order.status in _ROLES else "the order does not say whether it is active"
    doubts = (product.doubt, f"the order is {invalid}" if invalid else "", unclear)
    return Medication(
        product.ingredients,
        role,
        product.words,
        resource.reference,
        resource,
        product.matched_by,
        _dose(order, product, invalid, reading),
        routes.ordered(order, reading.terms) or product.route,
        bounds[0] or When.read(order.authoredOn, reading.zone),
        bounds[1],
        replaces=_replaces(order),
        reason=all_text(order.statusReason),
        product=product.name,
        high_dose=_names_high_dose(order, product.words, reading),
        doubts=tuple(filter(None, doubts)),
        courses=reading.terms.words["course"].find_all(f"{product.words} {product.name}"),
        conflict=product.doubt,
    )


def _dose(order: MedicationRequest, product: Product, invalid: str, reading: Reading) -> Dose:
    if invalid:
        return Dose(None, f"the order is {invalid}")
    if product.regimen:
        return Dose(None, "a regimen is one order here: the dose of each drug cannot be read", plain=False)
    dose = daily_dose(order, product.name, reading.terms)
    return dose if len(product.ingredients) == 1 else replace(dose, per_area=None)  # whose surface dose it is, is open


def _names_high_dose(view: MedicationRequest, words: str, reading: Reading) -> bool:
    """Whether the product's words or the instructions name a high-dose regimen, as "HiDAC" does."""
    texts = (words, *(dosage.text or "" for dosage in view.dosageInstruction or ()))
    return any(reading.terms.words["high_dose"].find(text) for text in texts)


def _bounds(view: MedicationRequest, reading: Reading) -> tuple[When | None, When | None]:
    """The earliest start and the latest end that its instructions state; no end where one of them is open."""
    repeats = [dosage.timing.repeat if dosage.timing else None for dosage in view.dosageInstruction or ()]
    periods = [repeat.boundsPeriod if repeat else None for repeat in repeats]
    starts = [When.read(period.start, reading.zone) for period in periods if period]
    ends = [When.read(period.end, reading.zone) if period else None for period in periods]
    start = min(filter(None, starts), key=lambda when: when.earliest, default=None)
    closed = [end for end in ends if end is not None]
    return start, max(closed, key=lambda when: when.latest, default=None) if len(closed) == len(ends) else None


def _replaces(view: MedicationRequest) -> str:
    for reference in (view.priorPrescription, *(view.basedOn or ())):
        if reference is not None and reference.reference:
            return "/".join(reference.reference.split("/")[-2:])
    return ""


def _ended(order: Medication, now: datetime) -> Medication:
    """An active order whose stated end has passed is no longer taken; one without an end still is."""
    if order.role is Role.ACTIVE and order.end is not None and order.end.latest < now:
        return replace(order, role=Role.PAST)
    return order
