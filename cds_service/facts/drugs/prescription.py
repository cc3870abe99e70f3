"""Prescription: one order read, drafted or on record. Codes decide; a name helps where no code does, and says so.

An order that is not valid R4 but names one of the drugs that we know still warns, without its dose. Where the
Medication that it refers to could not be had, the words of the reference stand for it, and that is said.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from cds_service.facts.concepts import all_text
from cds_service.facts.drugs.doses import Dose
from cds_service.facts.drugs.instructions import instructed
from cds_service.facts.drugs.medications import Medication, Role
from cds_service.facts.drugs.prescribed import Library, Said, local, said_of
from cds_service.facts.drugs.products import Product, product_of
from cds_service.facts.times import When
from cds_service.facts.values.results import Reading
from cds_service.gather.resources import Resource, Unreadable
from cds_service.gather.views import MedicationRequest, Reference

STATUSES = frozenset({"active", "on-hold", "stopped", "completed"})  # that say plainly how the order stands
REPORTED = "reported, not ordered here"
_NOT_HAD = ", as its Medication did not come along"
_REPLACES = "/request-replaces"  # FHIR's own extension, where priorPrescription has room for one order only


def view_of(resource: Resource) -> MedicationRequest | None:
    """The order as it can be read: checked quickly, else saved element by element."""
    view = resource.view()
    if isinstance(view, Unreadable):
        view = resource.salvaged() or view
    return view if isinstance(view, MedicationRequest) else None


def read_order(resource: Resource, role: Role, library: Library, reading: Reading) -> Medication | Unreadable | None:
    """The order in that role; without ingredients where it names none of the drugs that we know."""
    view = view_of(resource)
    if view is None:
        return None
    said = said_of(view, library)
    if isinstance(said, Unreadable):
        return said
    return order_of(resource, view, role, said, product_of(said, reading.terms), library, reading)


def order_of(
    resource: Resource,
    quick: MedicationRequest,
    role: Role,
    said: Said,
    product: Product,
    library: Library,
    reading: Reading,
) -> Medication:
    """The order whose product is known already. It is held against R4 where that is one of the drugs that we know."""
    if not product.ingredients:
        return Medication((), role, product.words, resource.reference, resource, "its name", Dose(None))
    view = resource.checked()
    invalid = view.reason if isinstance(view, Unreadable) else ""
    order = view if isinstance(view, MedicationRequest) else quick
    if order is not quick:  # it was mended
        again = said_of(order, library)
        said = Said(()) if isinstance(again, Unreadable) else again
    unclear = "" if role is Role.DRAFT or order.status in STATUSES else "the order does not say whether it is active"
    doubts = (product.doubt, f"the order is {invalid}" if invalid else "", unclear)
    found = medication(resource, role, order, said, product, reading, tuple(filter(None, doubts)))
    return replace(found, dose=Dose(None, f"the order is {invalid}")) if invalid else found


def medication(
    resource: Resource,
    role: Role,
    order: MedicationRequest,
    said: Said,
    product: Product,
    reading: Reading,
    doubts: tuple[str, ...] = (),
) -> Medication:
    """The order with its dose, route and times."""
    told = instructed(order, said.strength, product, reading.terms)
    start, end = _bounds(order, reading)
    reason = all_text(order.statusReason)
    reported = bool(order.reportedBoolean) or order.reportedReference is not None
    return Medication(
        product.ingredients,
        role,
        f"{product.words} ({REPORTED})" if reported else product.words,
        resource.reference,
        resource,
        f"{product.matched_by}{_NOT_HAD}" if said.not_had else product.matched_by,
        told.dose,
        told.route or product.route or told.spoken_route,
        start or _written(order, role, reading),
        end,
        replaces=_superseded(order),
        reason=reason,
        progressed="progression" in reading.terms.words["ended for"].find_all(reason),
        product=product.name,
        high_dose=product.high_dose or told.high_dose,
        doubts=doubts,
        courses=product.courses,
        reported=reported,
        conflict=product.doubt,
        states_start=start is not None,
    )


def _written(order: MedicationRequest, role: Role, reading: Reading) -> When | None:
    """The day of its writing. One on record that is written in the future has a wrong date, which counts as none."""
    written = reading.when(order.authoredOn)
    wrong = written is not None and role is not Role.DRAFT and written.earliest > reading.wrong_after
    return None if wrong else written


def ended_before(order: Medication, now: datetime) -> Medication:
    """An order that is over before the last day that it states: that day was planned, and which it was is not known."""
    last = order.last_day if order.role is Role.PAST else None
    if last is None or last.earliest <= now:
        return order
    return replace(order, end=None, dose=dataclasses.replace(order.dose, days=None), cut_short=True)


def continues(order: MedicationRequest) -> tuple[str, ...]:
    """The orders that this one is based on: of the same drug it goes on with them, of another it only follows them."""
    return tuple(_orders_among(order.basedOn or ()))


def _superseded(order: MedicationRequest) -> tuple[str, ...]:
    """The orders in whose place this one says that it stands."""
    if order.priorPrescription is None and not order.extension:
        return ()
    extensions = (each.valueReference for each in order.extension or () if (each.url or "").endswith(_REPLACES))
    return tuple(dict.fromkeys(_orders_among((order.priorPrescription, *extensions))))


def _orders_among(references: Iterable[Reference | None]) -> Iterable[str]:
    named = (local(reference.reference) for reference in references if reference and reference.reference)
    return (each for each in named if each.startswith("MedicationRequest/"))


def _bounds(view: MedicationRequest, reading: Reading) -> tuple[When | None, When | None]:
    """The earliest start and the latest end that its instructions state; no end where one of them is open."""
    repeats = [dosage.timing.repeat if dosage.timing else None for dosage in view.dosageInstruction or ()]
    periods = [repeat.boundsPeriod if repeat else None for repeat in repeats]
    if not any(periods):
        return None, None
    starts = [reading.when(period.start) for period in periods if period]
    ends = [reading.when(period.end) if period else None for period in periods]
    start = min(filter(None, starts), key=lambda when: when.earliest, default=None)
    closed = [end for end in ends if end is not None]
    return start, max(closed, key=lambda when: when.latest, default=None) if len(closed) == len(ends) else None
