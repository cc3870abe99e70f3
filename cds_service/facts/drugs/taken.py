"""Taken: what the patient is said to take, or was given, where no order on the list names the drug.

A statement or an administration only ever adds a drug. It never contradicts an order, and where it is missing nothing
follows: whoever sent none may still have drugs at home. One that came and cannot be read may name any drug.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from cds_service.facts.drugs.medications import Medication, Role
from cds_service.facts.drugs.prescribed import Library, said_of
from cds_service.facts.drugs.prescription import medication
from cds_service.facts.drugs.products import product_of
from cds_service.facts.times import spoken_age
from cds_service.facts.values.results import Reading
from cds_service.gather.resources import Resource, Unreadable
from cds_service.gather.views import MedicationAdministration, MedicationRequest, MedicationStatement, Period
from cds_service.quantity import Quantity

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
_NOT_GIVEN = frozenset({"entered-in-error", "not-done"})
_PERHAPS_GIVEN = "the record does not say whether it was given"


@dataclass(frozen=True, slots=True)
class Taken:
    """One entry for each drug that no order names and each way in which it stands, and how many could not be read."""

    entries: tuple[Medication, ...]
    lost: int


def read_taken(
    resources: Iterable[Resource],
    orders: Iterable[Medication],
    library: Library,
    reading: Reading,
    goes_on: Quantity,
) -> Taken:
    """What statements and administrations add to the orders. `goes_on`: for how many days a dose speaks for more."""
    ordered = {drug for order in orders for drug in order.ingredients}
    found: dict[tuple[tuple[str, ...], Role], Medication] = {}
    lost = 0
    for resource in resources:
        if resource.type not in ("MedicationStatement", "MedicationAdministration"):
            continue
        entry = _entry(resource, library, reading, goes_on)
        lost += isinstance(entry, Unreadable)
        if isinstance(entry, Medication) and not ordered & set(entry.ingredients):
            mark = (entry.ingredients, entry.role)
            found[mark] = _joined(found[mark], entry) if mark in found else entry
    return Taken(tuple(found.values()), lost)


def _entry(
    resource: Resource, library: Library, reading: Reading, goes_on: Quantity
) -> Medication | Unreadable | None:
    """The drug that one of them names; None where it is not taken, or none of the drugs that we know."""
    view = resource.checked()
    if isinstance(view, MedicationStatement):
        return _stated(resource, view, library, reading)
    if isinstance(view, MedicationAdministration):
        return _given(resource, view, library, reading, goes_on)
    return view if isinstance(view, Unreadable) else None


def _stated(
    resource: Resource, view: MedicationStatement, library: Library, reading: Reading
) -> Medication | Unreadable | None:
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


def _given(
    resource: Resource, view: MedicationAdministration, library: Library, reading: Reading, goes_on: Quantity
) -> Medication | Unreadable | None:
    order = MedicationRequest(
        medicationCodeableConcept=view.medicationCodeableConcept,
        medicationReference=view.medicationReference,
        contained=view.contained,
    )
    clear = view.status in _GIVEN
    role = None if view.status in _NOT_GIVEN else _GIVEN.get(view.status or "", Role.PAST)
    doubts = () if clear else (_PERHAPS_GIVEN,)
    found = _as(
        order, role, GIVEN, view.effectiveDateTime, view.effectivePeriod, resource, library, reading, doubts
    )
    if not isinstance(found, Medication) or found.role is not Role.PAST or view.status == "stopped":
        return found
    if found.end is None:
        return found if clear else replace(found, role=Role.ACTIVE)  # without a day it may be of today
    if found.end.earliest > reading.now or found.end.days_ago(reading.now) > int(goes_on.value):
        return found
    verb = "given" if clear else "recorded"
    going_on = f"{verb} {spoken_age(found.end, reading.now)}; whether it goes on is not known"
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
) -> Medication | Unreadable | None:
    said = said_of(order, library) if role is not None else None
    if role is None or said is None:
        return None
    if isinstance(said, Unreadable):
        return said
    product = product_of(said, reading.terms)
    if not product.ingredients:
        named = product.words or role is Role.PAST  # which drug was taken once, and is not named, changes nothing here
        return None if named else Unreadable(resource.type, "no drug is named")
    found = medication(resource, role, order, said, product, reading, doubts)
    at = reading.when(moment)
    start = reading.when(period.start) if period else at
    end = (reading.when(period.end) if period else at) if role is Role.PAST else found.end
    if role is Role.ACTIVE and period is not None:
        closed = reading.when(period.end)
        role, end = (Role.PAST, closed) if closed is not None and closed.latest < reading.now else (role, end)
    return replace(found, role=role, label=f"{found.label} ({how})", start=start or found.start, end=end)


def _joined(one: Medication, other: Medication) -> Medication:
    """Two entries about the same drug as one, from the first to the last day."""
    starts = [each.start for each in (one, other) if each.start is not None]
    ends = [each.end for each in (one, other) if each.end is not None]
    plainer = min((other, one), key=lambda each: (each.dose.daily is None, len(each.doubts)))
    return replace(
        plainer,
        start=min(starts, key=lambda when: when.earliest, default=None),
        end=max(ends, key=lambda when: when.latest, default=None),
    )


