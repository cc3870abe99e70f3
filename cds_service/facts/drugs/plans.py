"""Plans: what a drafted care plan or order set orders and nobody here reads, so that it is not passed over in silence.

A product that is, or may be, one of our drugs counts, and an order that the plan refers to and that did not come along.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from cds_service.facts.concepts import codes, text
from cds_service.facts.drugs.prescribed import Library, library_of, local
from cds_service.facts.drugs.products import identify
from cds_service.facts.drugs.regimen_orders import ENDED, read_regimen
from cds_service.facts.values.results import Reading
from cds_service.gather.resources import Resource, Unreadable
from cds_service.gather.views import ActivityDetail, CarePlan, MedicationRequest, Reference, RequestAction, RequestGroup

PRODUCT = "it holds a drug of its own"
NOT_ALONG = "it refers to an order that did not come along"
_OVER = frozenset({"cancelled", "stopped", "completed", "entered-in-error"})
_NO_DRUG = frozenset({"NutritionOrder", "DeviceRequest", "VisionPrescription", "Appointment"})
_OF_ORDERS = frozenset({"MedicationRequest", "RequestGroup"})
_DEEPEST = 20  # actions within actions


def unread_plans(
    drafts: Iterable[Resource], others: Iterable[Resource], came: Iterable[Resource], reading: Reading
) -> tuple[Unreadable, ...]:
    """The drafted plans of which something is left unread. `came`: the orders that came, besides these drafts."""
    drafts = tuple(drafts)
    plans = [each for each in drafts if isinstance(each.view(), (CarePlan, RequestGroup))]
    if not plans:
        return ()
    library = library_of(others)
    known = {name for each in (*drafts, *came) for name in (each.reference, each.full_url) if name}
    found = ((plan, _left_unread(plan, library, known, reading)) for plan in plans)
    return tuple(Unreadable(plan.type, why) for plan, why in found if why)


def _left_unread(plan: Resource, library: Library, known: Collection[str], reading: Reading) -> str:
    view = plan.view()
    if not isinstance(view, (CarePlan, RequestGroup)) or view.status in ENDED:
        return ""
    regimen = read_regimen(plan, reading)
    drugs = set(regimen.ingredients) if regimen is not None else set()
    if isinstance(view, CarePlan):
        activities = view.activity or ()
        if any(_may_be_ours(each.detail, drugs, library, reading) for each in activities if each.detail):
            return PRODUCT
        references = [each.reference for each in activities]
    else:
        references = [each.resource for each in _actions(view.action or (), _DEEPEST)]
    return NOT_ALONG if any(each is not None and _is_missed(each, known) for each in references) else ""


def _may_be_ours(detail: ActivityDetail, read: Collection[str], library: Library, reading: Reading) -> bool:
    """Whether the product of an activity is one of our drugs, beside those read, or none that anybody can tell."""
    concept, reference = detail.productCodeableConcept, detail.productReference
    if detail.doNotPerform or detail.status in _OVER or detail.kind in _NO_DRUG or not (concept or reference):
        return False
    asked = MedicationRequest(medicationCodeableConcept=concept, medicationReference=reference)
    product = identify(asked, library, reading)
    if isinstance(product, Unreadable):
        return True
    if product.ingredients or product.words:
        return bool(set(product.ingredients) - set(read))
    systems = [system for system, _ in codes(concept, reading.terms)]
    ruled_out = any(map(reading.terms.holds_every_drug_of, systems))
    return not ruled_out and bool(reference or systems or text(concept))


def _actions(actions: Iterable[RequestAction], deepest: int) -> Iterator[RequestAction]:
    for each in actions:
        yield each
        if each.action and deepest:
            yield from _actions(each.action, deepest - 1)


def _is_missed(reference: Reference, known: Collection[str]) -> bool:
    """Whether it refers to an order of drugs, or to something of which the kind is not told, that did not come."""
    name = reference.reference or ""
    if not name or name.startswith("#") or name in known or local(name) in known:
        return False
    kind, _, identity = local(name).rpartition("/")
    return name.startswith("urn:") or (bool(identity) and kind in _OF_ORDERS)
