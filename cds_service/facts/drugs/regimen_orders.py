"""Regimen orders: a service request, an order set or a care plan that names a regimen stands for its drugs.

It may be named by its own name or by two of its drugs ("venetoclax + azacitidine"). Only where its words are those of a
treatment: "ECG before FLAG-IDA" and "venetoclax and azacitidine levels" order something else. One on record adds a drug
that no order names, with the doubt that nobody says whether it is given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec.structs import replace

from cds_service.facts.concepts import all_text
from cds_service.facts.drugs.doses import Dose
from cds_service.facts.drugs.instructions import WHOLE_REGIMEN
from cds_service.facts.drugs.medications import Medication, Role
from cds_service.facts.drugs.prescribed import local
from cds_service.facts.drugs.products import Product, identify
from cds_service.facts.times import When
from cds_service.facts.values.results import Reading
from cds_service.facts.values.versions import DIFFER, versions_that_count
from cds_service.gather.resources import Resource, Unreadable
from cds_service.gather.views import CarePlan, CodeableConcept, MedicationRequest, RequestGroup, ServiceRequest, View

ENDED = frozenset({"revoked", "completed", "entered-in-error"})
_NOT_RUNNING = frozenset({"draft", "proposal", "option"})
_BY_SERVICE = "ordered as a regimen, no order of the drug seen"
_PERHAPS = "a regimen is ordered as a service; whether its drugs are given is not known"
_WORD = re.compile(r"[^\W\d_]{2,}")


def read_regimen(resource: Resource, reading: Reading) -> Medication | None:
    """The draft as an order of the drugs of its regimen; None where it orders no regimen."""
    view = resource.view()
    if not isinstance(view, (ServiceRequest, RequestGroup, CarePlan)) or _is_ended(view):
        return None
    for concept in _names(view):
        by_drugs = _names_drugs(all_text(concept), reading)
        if not by_drugs and not reading.terms.regimens.find(all_text(concept)):
            continue
        product = identify(MedicationRequest(medicationCodeableConcept=concept), {}, reading)
        if isinstance(product, Product) and (product.regimen or by_drugs) and _orders_it(all_text(concept), reading):
            written = view.created if isinstance(view, CarePlan) else view.authoredOn
            return Medication(
                product.ingredients,
                Role.ON_HOLD if view.status == "on-hold" else Role.DRAFT,
                product.words,
                resource.reference,
                resource,
                product.matched_by,
                Dose(None, WHOLE_REGIMEN, plain=False),
                product.route,
                When.read(written, reading.zone),
                replaces=_replaces(view),
                product=product.name,
                high_dose=product.high_dose,
                courses=product.courses,
            )
    return None


def _is_ended(view: View | Unreadable) -> bool:
    """Whether it says that it is over, or not to be carried out."""
    if isinstance(view, ServiceRequest) and view.doNotPerform:
        return True
    return isinstance(view, (ServiceRequest, RequestGroup, CarePlan)) and view.status in ENDED


def listed_regimens(
    resources: Iterable[Resource], orders: Iterable[Medication], drafts: Iterable[Resource], reading: Reading
) -> tuple[Medication, ...]:
    """What the regimens on record add to these orders: their drugs that none of them names.

    An order that was over before the regimen was written belongs to another course. A regimen that one of `drafts` ends
    adds nothing.
    """
    every = tuple(orders)
    ended = {draft.reference for draft in drafts if "/" in draft.reference and _is_ended(draft.view())}
    found: list[Medication] = []
    for versions in versions_that_count(each for each in resources if each.reference not in ended):
        listed = [each for version in versions if (each := _listed(version, every, reading)) is not None]
        if listed:
            first = min(listed, key=lambda each: each.role is Role.PAST)
            found.append(first if len(versions) == 1 else replace(first, doubts=(*first.doubts, DIFFER)))
    return tuple(found)


def _was_over(order: Medication, since: When | None) -> bool:
    last = order.last_day if order.role is Role.PAST else None
    return last is not None and since is not None and last.latest < since.earliest


def _listed(resource: Resource, orders: tuple[Medication, ...], reading: Reading) -> Medication | None:
    order = read_regimen(resource, reading)
    since = order.start if order is not None else None
    ordered = {drug for each in orders if not _was_over(each, since) for drug in each.ingredients}
    drugs = tuple(drug for drug in order.ingredients if drug not in ordered) if order is not None else ()
    view = resource.view()
    if order is None or not drugs or _NOT_RUNNING & {getattr(view, "status", None), getattr(view, "intent", None)}:
        return None
    period = view.occurrencePeriod if isinstance(view, ServiceRequest) else None
    day = When.read(view.occurrenceDateTime, reading.zone) if isinstance(view, ServiceRequest) else None
    start, end = ((When.read(each, reading.zone) for each in (period.start, period.end)) if period else (day, None))
    over = end is not None and end.latest < reading.now
    return replace(
        order,
        ingredients=drugs,
        role=Role.PAST if over else Role.ON_HOLD if order.role is Role.ON_HOLD else Role.ACTIVE,
        label=f"{order.label} ({_BY_SERVICE})",
        start=start or order.start,
        end=end,
        doubts=(_PERHAPS,),
    )


def _names(view: View) -> list[CodeableConcept]:
    """Everything by which the order may name a regimen."""
    if isinstance(view, ServiceRequest):
        return [view.code] if view.code else []
    if isinstance(view, RequestGroup):
        titles = [CodeableConcept(text=action.title) for action in view.action or () if action.title]
        codes = [code for action in view.action or () for code in action.code or ()]
        return [*([view.code] if view.code else []), *titles, *codes]
    if isinstance(view, CarePlan):
        details = [each.detail for each in view.activity or () if each.detail and not each.detail.doNotPerform]
        codes = [code for each in details for code in (each.code, each.productCodeableConcept) if code]
        return [*([CodeableConcept(text=view.title)] if view.title else []), *codes]
    return []


def _names_drugs(text: str, reading: Reading) -> bool:
    """Whether the words name two drugs or more, one of them of a regimen that has a name."""
    named = {drug for names in reading.terms.drug_names.find_all(text) for drug in names.split("|")}
    return len(named) > 1 and bool(named & reading.terms.regimen_drugs)


def _orders_it(text: str, reading: Reading) -> bool:
    """Whether nothing stands beside the regimen and its drugs but words of treatment."""
    terms = reading.terms
    rest = terms.drug_names.without(terms.regimens.without(text))
    return all(terms.words["of a regimen"].find(word) for word in _WORD.findall(rest))


def _replaces(view: View) -> tuple[str, ...]:
    references = (view.replaces or ()) if isinstance(view, ServiceRequest) else ()
    return tuple(local(each.reference) for each in references if each.reference)
