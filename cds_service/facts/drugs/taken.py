"""Taken: what the patient is said to take, or was given, where no order on the list names the drug.

A statement or an administration only ever adds a drug. It never contradicts an order, and where it is missing nothing
follows: whoever sent none may still have drugs at home.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from cds_service.facts.drugs.medications import Medication, Role
from cds_service.facts.drugs.prescribed import Library
from cds_service.facts.drugs.prescription import medication
from cds_service.facts.drugs.products import Product, identify
from cds_service.facts.times import When, spoken_age
from cds_service.facts.values.results import Reading
from cds_service.gather.resources import Resource, Unreadable
from cds_service.gather.views import MedicationAdministration, MedicationRequest, MedicationStatement, Period

_STATED: Mapping[str, Role] = {
    "active": Role.ACTIVE,
    "unknown": Role.ACTIVE,
    "on-hold": Role.ON_HOLD,
    "stopped": Role.PAST,
    "completed": Role.PAST,
}
_NOT_TAKEN = frozenset({"entered-in-error", "intended", "not-taken"})
_GIVEN: dict[str, Role] = {"in-progress": Role.ACTIVE, "on-hold": Role.ON_HOLD}
_GIVEN |= {"completed": Role.PAST, "stopped": Role.PAST}
STATED, GIVEN = "as stated, no order seen", "as given, no order seen"
_UNCLEAR = "the statement does not say whether it is taken"
_STILL = 1  # days after which a dose that was given no longer speaks for a drug that goes on: today and yesterday


def told(
    resources: Iterable[Resource], orders: Iterable[Medication], library: Library, reading: Reading
) -> tuple[Medication, ...]:
    """The drugs that no order names, one entry for each drug and way in which it stands."""
    ordered = {drug for order in orders for drug in order.ingredients}
    found: dict[tuple[tuple[str, ...], Role], Medication] = {}
    for resource in resources:
        if resource.type not in ("MedicationStatement", "MedicationAdministration"):
            continue
        entry = _entry(resource, library, reading)
        if entry is not None and not ordered & set(entry.ingredients):
            mark = (entry.ingredients, entry.role)
            found[mark] = _joined(found[mark], entry) if mark in found else entry
    return tuple(found.values())


def unreadable(resources: Iterable[Resource]) -> int:
    """How many statements and administrations are there that cannot be read: each may name any drug."""
    kinds = ("MedicationStatement", "MedicationAdministration")
    return sum(each.type in kinds and isinstance(each.checked(), Unreadable) for each in resources)


def _entry(resource: Resource, library: Library, reading: Reading) -> Medication | None:
    view = resource.checked()
    if isinstance(view, MedicationStatement):
        return _stated(resource, view, library, reading)
    return _given(resource, view, library, reading) if isinstance(view, MedicationAdministration) else None


def _stated(resource: Resource, view: MedicationStatement, library: Library, reading: Reading) -> Medication | None:
    role = None if view.status in _NOT_TAKEN else _STATED.get(view.status or "", Role.ACTIVE)
    order = MedicationRequest(
        status=view.status,
        statusReason=next(iter(view.statusReason or ()), None),
        medicationCodeableConcept=view.medicationCodeableConcept,
        medicationReference=view.medicationReference,
        authoredOn=view.dateAsserted,
        dosageInstruction=view.dosage,
        contained=view.contained,
    )
    doubts = () if view.status in _STATED and view.status != "unknown" else (_UNCLEAR,)
    return _as(order, role, STATED, view.effectiveDateTime, view.effectivePeriod, resource, library, reading, doubts)


def _given(resource: Resource, view: MedicationAdministration, library: Library, reading: Reading) -> Medication | None:
    order = MedicationRequest(
        medicationCodeableConcept=view.medicationCodeableConcept,
        medicationReference=view.medicationReference,
        contained=view.contained,
    )
    found = _as(
        order,
        _GIVEN.get(view.status or ""),
        GIVEN,
        view.effectiveDateTime,
        view.effectivePeriod,
        resource,
        library,
        reading,
    )
    if found is None or found.role is not Role.PAST or view.status != "completed" or found.end is None:
        return found
    if not 0 <= found.end.days_ago(reading.now) <= _STILL:
        return found
    going_on = f"given {spoken_age(found.end, reading.now)}; whether it goes on is not known"
    return replace(found, role=Role.ACTIVE, end=None, doubts=(*found.doubts, going_on))


def _as(
    order: MedicationRequest,
    role: Role | None,
    how: str,
    moment: str | None,
    period: Period | None,
    resource: Resource,
    library: Library,
    reading: Reading,
    doubts: tuple[str, ...] = (),
) -> Medication | None:
    product = identify(order, library, reading) if role is not None else None
    if role is None or not isinstance(product, Product) or not product.ingredients:
        return None
    found = medication(resource, role, order, product, library, reading, doubts)
    at = When.read(moment, reading.zone)
    start = When.read(period.start, reading.zone) if period else at
    end = (When.read(period.end, reading.zone) if period else at) if role is Role.PAST else found.end
    if role is Role.ACTIVE and period is not None:
        closed = When.read(period.end, reading.zone)
        role, end = (Role.PAST, closed) if closed is not None and closed.latest < reading.now else (role, end)
    return replace(found, role=role, label=f"{found.label} ({how})", start=start or found.start, end=end)


def _joined(one: Medication, other: Medication) -> Medication:
    """Two entries about the same drug as one, from the first to the last day."""
    starts = [each.start for each in (one, other) if each.start is not None]
    ends = [each.end for each in (one, other) if each.end is not None]
    return replace(
        one if one.dose.daily is not None else other,
        start=min(starts, key=lambda when: when.earliest, default=None),
        end=max(ends, key=lambda when: when.latest, default=None),
    )


