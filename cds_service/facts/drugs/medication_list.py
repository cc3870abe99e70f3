"""The medication list: the drafts of this call and what the patient takes, holds or has stopped.

"Does not take it" is earned only when every order was read and each could be told apart. What the patient is said to
take or was given adds to the list where no order names it; that nobody sent such things says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec.structs import replace

from cds_service.facts.concepts import codes, shortened, text
from cds_service.facts.drugs.going_on import as_one_treatment
from cds_service.facts.drugs.medications import MEDICATIONS, Medication, Medications, Role, daily_mg
from cds_service.facts.drugs.prescribed import Library, library_of, local, named, said_of
from cds_service.facts.drugs.prescription import ended_before, order_of, read_order, view_of
from cds_service.facts.drugs.products import product_of
from cds_service.facts.drugs.regimen_orders import listed_regimens, read_regimen
from cds_service.facts.drugs.taken import read_taken
from cds_service.facts.fact import Fact, Origin, State, known
from cds_service.facts.times import When
from cds_service.facts.values.results import Reading, Spans
from cds_service.facts.values.versions import versions_that_count
from cds_service.gather.replies import Reply, Status
from cds_service.gather.resources import Resource, Unreadable
from cds_service.gather.views import MedicationRequest
from cds_service.knowledge.terms import Terms

_ROLES: Mapping[str, Role] = {
    "active": Role.ACTIVE,
    "on-hold": Role.ON_HOLD,
    "stopped": Role.PAST,
    "completed": Role.PAST,
}
_ENDED = frozenset({"cancelled", "entered-in-error", "stopped", "completed", "ended"})
_IN_USE = (Role.ACTIVE, Role.ON_HOLD, Role.PAST, Role.DRAFT)  # what counts first where one of several must
_VERSIONS = "the order came in versions that differ, and which is the newest is not known"
_TAKEN_BACK = frozenset({"cancelled", "entered-in-error"})
_NOT_TAKEN = _TAKEN_BACK | {"draft"}


def read_medications(
    reply: Reply,
    drafts: Iterable[Resource],
    others: Iterable[Resource],
    selections: tuple[str, ...],
    reading: Reading,
    spans: Spans,
    said: Iterable[Resource] = (),
    services: Iterable[Resource] = (),
) -> Fact[Medications]:
    """Drafts and the medication list. The drafts are read whatever became of the list.

    `said`: what came of statements and administrations, which are nobody's orders. `spans`: for how many days a dose
    that was given speaks for a drug that goes on, and an order for the draft that renews it. `services`: orders of
    services on record, among them regimens.
    """
    library = library_of(others)
    drafts = tuple(drafts)
    found, ended, problems = _drafts(drafts, library, selections, reading)
    pairs = _pairs(drafts, found)
    which = tuple(_which(resource, draft) for resource, draft in pairs if _may_be_any(resource, draft, reading.terms))
    unnamed = len(which) + len(problems)
    unchosen = sum(_names_nothing(resource, draft, reading.terms) for resource, draft in pairs)
    if unnamed:
        problems.append(f"{unnamed} of the drafts names no drug that could be read")
    unidentified = read = 0
    again: list[Medication] = []  # orders on record that came already: among the drafts, under their own ids
    never, stopped = ended
    seen = never | {draft.reference for draft in found if draft.ingredients or draft.label}
    for versions in versions_that_count(each for each in reply.resources if each.type == "MedicationRequest"):
        read += 1
        order = _in_use([_listed(each, library, reading) for each in versions])
        if isinstance(order, Unreadable):
            unidentified += 1
            problems.append(f"an order could not be read ({order.reason})")
        elif order is not None and not order.ingredients:
            unidentified += 1
        elif order is not None and not ("/" in order.reference and order.reference in seen):
            found.append(order)
            seen.add(order.reference)
        elif order is not None:
            again.append(order)
    found = as_one_treatment(found, again, stopped, reading.now, spans)
    taken = read_taken((*reply.resources, *said), found, library, reading, spans.goes_on)
    found += taken.entries
    found += listed_regimens(services, found, drafts, reading)
    found = _held_now(found, again, reading.now)
    fact = _fact(Medications(tuple(found), read, unidentified, unnamed, which, unchosen), reply, problems)
    lost = f"{taken.lost} of the statements on medication taken or given could not be read"
    return fact.doubted(lost) if taken.lost else fact


def _held_now(found: list[Medication], again: Iterable[Medication], now: datetime) -> list[Medication]:
    """The orders, those that a draft of this call puts on hold with their end: they were taken until now."""
    running = {order.reference for order in again if order.role is Role.ACTIVE}
    if not running:
        return found
    held = [order.role is Role.ON_HOLD and order.reference in running for order in found]
    return [replace(each, end=When(now, now)) if is_held else each for each, is_held in zip(found, held, strict=True)]


def _pairs(drafts: tuple[Resource, ...], found: list[Medication]) -> list[tuple[Resource, Medication]]:
    by_resource = {id(order.resource): order for order in found}
    return [(resource, by_resource[id(resource)]) for resource in drafts if id(resource) in by_resource]


def _may_be_any(resource: Resource, draft: Medication, terms: Terms) -> bool:
    """Whether the draft is for a drug and nothing tells which: not merely none chosen yet.

    It refers to a Medication that neither came along nor is spoken, has a code that cannot be read or that our tables
    cannot rule out, as that of a group with drugs that we know, or words that stand for any drug.
    """
    view = view_of(resource)
    if view is None or draft.ingredients or draft.label:
        return False
    concept, reference = named(view)
    if reference or isinstance(resource.view(), Unreadable):
        return True
    found = codes(concept, terms)
    ruled_out = any(
        terms.holds_every_drug_of(system) and not (terms.is_atc(system) and terms.drugs_of_group(code))
        for system, code in found
    )
    return not ruled_out and bool(found or text(concept))


def _names_nothing(resource: Resource, draft: Medication, terms: Terms) -> bool:
    """Whether nothing in the draft says which drug it is for: none was chosen yet, or it is masked."""
    view = view_of(resource)
    if view is None or draft.ingredients or draft.label:
        return False
    concept, reference = named(view)
    return not (reference or isinstance(resource.view(), Unreadable) or codes(concept, terms) or text(concept))


def _which(resource: Resource, draft: Medication) -> str:
    """Which draft it is, by its own id and by what it says in the place of a drug."""
    view = view_of(resource)
    concept, reference = named(view) if view is not None else (None, None)
    coded = (coding.code for coding in (concept.coding or () if concept is not None else ()) if coding.code)
    pointed = (reference.display or reference.reference or "") if reference is not None else ""
    said = shortened(text(concept) or pointed or next(coded, ""))
    return f"{draft.reference}: {said}" if said else draft.reference


def _drafts(
    drafts: tuple[Resource, ...], library: Library, selections: tuple[str, ...], reading: Reading
) -> tuple[list[Medication], tuple[set[str], set[str]], list[str]]:
    """The drafts that are to be given, the orders that a draft ends, and what could not be read.

    Of the orders that are ended, the references of those that were never to be given, and of those that are stopped.
    """
    found: list[Medication] = []
    never: set[str] = set()
    stopped: set[str] = set()
    problems: list[str] = []
    chosen = frozenset((*selections, *map(local, selections)))
    if not any(_is_named(each) and _selected(each, chosen) for each in drafts):
        chosen = frozenset()  # a selection that names none of the drafts cannot tell which of them to leave out
    for resource in drafts:
        view = view_of(resource)
        if view is not None and (view.doNotPerform or view.status in _ENDED):
            (never if view.status in _TAKEN_BACK else stopped).update(_ends(resource, view))
            continue
        role = Role.ON_HOLD if view is not None and view.status == "on-hold" else Role.DRAFT
        draft = read_regimen(resource, reading) if view is None else read_order(resource, role, library, reading)
        if isinstance(draft, Unreadable):
            problems.append(f"a draft order could not be read ({draft.reason})")
        elif draft is not None:
            found.append(replace(draft, selected=not chosen or _selected(resource, chosen)))
    return _each_drug_once(found), (never, stopped), problems


def _ends(resource: Resource, view: MedicationRequest) -> set[str]:
    """What a draft that ends an order ends: itself, and what a prohibition says that it stands in the place of."""
    prior = view.priorPrescription.reference if view.doNotPerform and view.priorPrescription else None
    return {resource.reference, *((local(prior),) if prior else ())}


def _each_drug_once(drafts: list[Medication]) -> list[Medication]:
    """A regimen beside the drafts of its drugs stands only for those that have none of their own."""
    own = {drug for draft in drafts if draft.resource.type == "MedicationRequest" for drug in draft.ingredients}
    kept = []
    for draft in drafts:
        if draft.resource.type != "MedicationRequest":
            rest = tuple(drug for drug in draft.ingredients if drug not in own)
            draft = replace(draft, ingredients=rest)
            own |= set(rest)
        if draft.ingredients or draft.resource.type == "MedicationRequest":
            kept.append(draft)
    return kept


def _is_named(resource: Resource) -> bool:
    return "/" in resource.reference or bool(resource.full_url)


def _selected(resource: Resource, chosen: frozenset[str]) -> bool:
    """Whether a selection names the draft, by type and id, by id alone or by the fullUrl of its entry."""
    if "/" not in resource.reference and not resource.full_url:
        return True  # an order without a usable id may be the selected one
    names = {resource.reference, resource.reference.rpartition("/")[2], resource.full_url} - {resource.type}
    return not names.isdisjoint(chosen)


def _listed(resource: Resource, library: Library, reading: Reading) -> Medication | Unreadable | None:
    """An order of the medication list; None when it is not taken, or names a drug that is none of ours."""
    view = view_of(resource)
    role = _role(view) if view is not None else None
    if view is None or role is None:
        return None
    said = said_of(view, library)
    if isinstance(said, Unreadable):
        return said
    product = product_of(said, reading.terms)
    if not product.ingredients and (product.words or (role is Role.PAST and product.name)):
        return None  # what is over and was called "home medication" says nothing of today
    return _ended(order_of(resource, view, role, said, product, library, reading), reading.now)


def _in_use(versions: list[Medication | Unreadable | None]) -> Medication | Unreadable | None:
    """Of versions of which nobody can tell which is the newest, the one that is in use, or may be, with that doubt."""
    if len(versions) == 1:
        return versions[0]
    named = [each for each in versions if isinstance(each, Medication) and each.ingredients]
    if not named:
        return next((each for each in versions if each is not None), None)
    first = min(named, key=lambda each: (_IN_USE.index(each.role), -daily_mg(each), each.resource.raw))
    return replace(first, doubts=(*first.doubts, _VERSIONS))


def _fact(value: Medications, reply: Reply, problems: list[str]) -> Fact[Medications]:
    where = Origin("MedicationRequest", reply.source, value.spoken)
    if reply.status in (Status.FAILED, Status.NOT_ASKED):
        state = State.FAILED if reply.status is Status.FAILED else State.NOT_ASKED
        return Fact(MEDICATIONS, state, value, None, where, doubts=(reply.why,), why=reply.why)
    doubts = list(problems)
    if value.unidentified > len(problems):
        doubts.append(f"{value.unidentified} of {value.read} orders could not be told apart by code or name")
    if reply.status is Status.PARTIAL:
        doubts.append(f"not every order was read: {reply.why}")
    return known(MEDICATIONS, value, None, where, doubts=tuple(doubts))


def _role(view: MedicationRequest) -> Role | None:
    if view.doNotPerform or view.intent in ("proposal", "option") or view.status in _NOT_TAKEN:
        return None
    return _ROLES.get(view.status or "", Role.ACTIVE)


def _ended(order: Medication, now: datetime) -> Medication:
    """An active order whose stated end has passed is no longer taken; one without an end still is."""
    if order.role is Role.ACTIVE and order.end is not None and order.end.latest < now:
        return replace(order, role=Role.PAST)
    return ended_before(order, now)
