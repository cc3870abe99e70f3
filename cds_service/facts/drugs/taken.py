"""Taken: what the patient is said to take, or was given, where no order in use names the drug.

A statement or an administration only ever adds a drug. It never contradicts an order in use, and where it is missing
nothing follows: whoever sent none may still have drugs at home. One that came and cannot be read may name any drug.

How much was given at a time is no dose of a day; where it is more than the order in use allows in one, it is told.
An order that is over stands for what was said or given until its last dated word, and for nothing later; one on hold
does not say that nothing is taken; a draft says nothing of today. Each speaks of the ingredients that it names only.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import assert_never

from msgspec.structs import replace

from cds_service.facts.drugs import routes
from cds_service.facts.drugs.amounts import amount_of, product_strength
from cds_service.facts.drugs.doses import Dose
from cds_service.facts.drugs.medications import Medication, Role, daily_mg
from cds_service.facts.drugs.prescribed import Library, said_of
from cds_service.facts.drugs.prescription import ended_before, medication
from cds_service.facts.drugs.products import product_of
from cds_service.facts.drugs.surface import per_area_in
from cds_service.facts.times import When, spoken_age
from cds_service.facts.values.results import Reading
from cds_service.facts.values.versions import versions_that_count
from cds_service.gather.resources import Resource, Unreadable
from cds_service.gather.views import MedicationAdministration, MedicationRequest, MedicationStatement, Period
from cds_service.quantity import Quantity
from cds_service.truth import Truth

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
STATED, GIVEN = "as stated", "as given"
_NO_ORDER, _ENDED, _HELD = "no order seen", "its order has ended", "its order is on hold"
_WHICH_IS_NEWER = "whether this or the order that has ended is the newer word is not known"
_SINCE_STOPPED = "a later statement says that it was stopped"
_UNCLEAR = "the statement does not say whether it is taken"
_NOT_GIVEN = frozenset({"entered-in-error", "not-done"})
_PERHAPS_GIVEN = "the record does not say whether it was given"
_AT_A_TIME = "{} given at a time, and how often a day is not stated"
_MORE = "more than its order says"


_Mark = tuple[tuple[str, ...], Role, str]  # the drugs, how they stand, and the route where it is not a systemic one


@dataclass(frozen=True, slots=True)
class Taken:
    """What no order in use names: one entry for a drug, a way to stand and a route; and how many could not be read."""

    entries: tuple[Medication, ...]
    lost: int


@dataclass(frozen=True, slots=True)
class _Word:
    """What one of them says, how it is known, and the last day of which it speaks."""

    entry: Medication
    how: str
    last: When | None
    given: Decimal | None = None  # the mg of the dose, where it was given and says so


def read_taken(
    resources: Iterable[Resource],
    orders: Iterable[Medication],
    library: Library,
    reading: Reading,
    goes_on: Quantity,
) -> Taken:
    """What statements and administrations add to the orders. `goes_on`: for how many days a dose speaks for more."""
    naming: dict[str, list[Medication]] = {}
    for order in orders:
        for drug in dict.fromkeys(order.ingredients):
            naming.setdefault(drug, []).append(order)
    found: dict[_Mark, Medication] = {}
    said: dict[_Mark, When] = {}  # the last day of which each speaks, of what is stated
    lost = 0
    told = (each for each in resources if each.type in ("MedicationStatement", "MedicationAdministration"))
    for resource in (each for versions in versions_that_count(told) for each in versions):
        word = _word(resource, library, reading, goes_on)
        lost += isinstance(word, Unreadable)
        entry = _added(word, naming) or _more(word, naming) if isinstance(word, _Word) else None
        if entry is not None:
            mark = (entry.ingredients, entry.role, "" if entry.route in routes.SYSTEMIC else entry.route)
            found[mark] = _joined(found[mark], entry) if mark in found else entry
            if isinstance(word, _Word) and word.last is not None and word.how == STATED:
                said[mark] = max(said.get(mark, word.last), word.last, key=lambda when: when.latest)
    return Taken(tuple(_perhaps_stopped(mark, entry, said) for mark, entry in found.items()), lost)


def _perhaps_stopped(mark: _Mark, entry: Medication, said: Mapping[_Mark, When]) -> Medication:
    """The entry; with a doubt where it is stated as taken, and on a later day as stopped."""
    drugs, role, route = mark
    taken, over = said.get(mark), said.get((drugs, Role.PAST, route))
    later = role is Role.ACTIVE and taken is not None and over is not None and taken.on_or_after(over) is Truth.NO
    return replace(entry, doubts=(*entry.doubts, _SINCE_STOPPED)) if later else entry


def _added(word: _Word, naming: Mapping[str, list[Medication]]) -> Medication | None:
    """What it says of its drugs for which no order stands, and how their orders stand; None where it adds none."""
    entry = word.entry
    drugs = tuple(
        drug for drug in entry.ingredients if not any(_stands_for(order, word) for order in naming.get(drug, ()))
    )
    if not drugs:
        return None
    beside = [order for drug in drugs for order in naming.get(drug, ())]
    held = any(order.role is Role.ON_HOLD for order in beside)
    past = [order for order in beside if order.role is Role.PAST]
    unclear = entry.role is Role.ACTIVE and any(_later(word, order) is not Truth.YES for order in past)
    also = _HELD if held else _ENDED if past else _NO_ORDER
    doubts = (*((_HELD,) if held else ()), *((_WHICH_IS_NEWER,) if unclear else ()))
    return replace(
        entry, ingredients=drugs, label=f"{entry.label} ({word.how}, {also})", doubts=(*entry.doubts, *doubts)
    )


def _more(word: _Word, naming: Mapping[str, list[Medication]]) -> Medication | None:
    """A dose that was given and may go on, of more than the orders in use come to a day that surely began before it."""
    entry, given = word.entry, word.given
    if given is None or entry.role is not Role.ACTIVE:
        return None
    orders = [each for drug in entry.ingredients for each in naming.get(drug, ()) if each.role is Role.ACTIVE]
    doses = [order.dose.daily for order in orders if order.ingredients == entry.ingredients]
    if not doses or None in doses or any(_later(word, order) is not Truth.YES for order in orders):
        return None
    ordered = sum((dose.value for dose in doses if dose is not None), Decimal(0))
    if given <= ordered:
        return None
    dose = Dose(Quantity(given, "mg/d"), note=f"given at a time, {_MORE} ({Quantity(ordered, 'mg/d')})", plain=False)
    return replace(entry, label=f"{entry.label} ({word.how}, {_MORE})", dose=dose)


def _stands_for(order: Medication, word: _Word) -> bool:
    """Whether the order says already what is said or was given; that of eye drops says nothing of tablets."""
    if "" not in (order.route, word.entry.route) and word.entry.route != order.route not in routes.SYSTEMIC:
        return False
    match order.role:
        case Role.DRAFT:
            return False
        case Role.ACTIVE:
            return True
        case Role.ON_HOLD:
            return word.entry.role is not Role.ACTIVE
        case Role.PAST:
            if word.entry.role is Role.PAST and word.entry.dose.per_area is not None and order.dose.per_area is None:
                return False  # it says of the dose what the order does not
            later = _later(word, order)
            stated = word.how == STATED or word.last is None
            return later is Truth.NO or (later is Truth.UNKNOWN and not (stated and word.entry.role is Role.ACTIVE))
        case other:
            assert_never(other)


def _later(word: _Word, order: Medication) -> Truth:
    """Whether it speaks of a later day than the last that is dated of an order; on the same day that is open."""
    last = order.last_day or order.start
    if word.last is None or last is None:
        return Truth.UNKNOWN
    if word.last.on_or_after(last) is Truth.NO:
        return Truth.NO
    return Truth.YES if last.on_or_after(word.last) is Truth.NO else Truth.UNKNOWN


def _word(resource: Resource, library: Library, reading: Reading, goes_on: Quantity) -> _Word | Unreadable | None:
    """What one of them says; None where it is not taken, or none of the drugs that we know."""
    view = resource.checked()
    if isinstance(view, MedicationStatement):
        return _stated(resource, view, library, reading)
    if isinstance(view, MedicationAdministration):
        return _given(resource, view, library, reading, goes_on)
    return view if isinstance(view, Unreadable) else None


def _stated(
    resource: Resource, view: MedicationStatement, library: Library, reading: Reading
) -> _Word | Unreadable | None:
    quick = resource.view()  # R4 knows no such element, and checks it away
    taken = quick.taken if isinstance(quick, MedicationStatement) else None
    role = None if view.status in _NOT_TAKEN or taken == "n" else _STATED.get(view.status or "", Role.ACTIVE)
    order = MedicationRequest(
        status=view.status,
        statusReason=next(iter(view.statusReason or ()), None),
        medicationCodeableConcept=view.medicationCodeableConcept,
        medicationReference=view.medicationReference,
        authoredOn=view.dateAsserted,
        dosageInstruction=view.dosage,
        contained=view.contained,
    )
    clear = view.status in _STATED and view.status != "unknown" and taken != "unk"
    doubts = () if clear else (_UNCLEAR,)
    found = _as(order, role, view.effectiveDateTime, view.effectivePeriod, resource, library, reading, doubts)
    if not isinstance(found, Medication):
        return found
    if found.role is Role.PAST and found.end is not None:
        return _Word(found, STATED, found.end)
    said = [reading.when(each) for each in (view.dateAsserted, view.effectiveDateTime)]
    days = [when for when in said if when is not None]
    if found.start is not None:
        days.append(found.start if days else _open(found.start, found.role, reading))
    return _Word(found, STATED, max(days, key=lambda when: when.latest, default=None))


def _open(start: When, role: Role, reading: Reading) -> When:
    """The last day of which a statement speaks that has no day of its own: what is taken since a day may go on."""
    return When(start.earliest, max(start.latest, reading.now)) if role is Role.ACTIVE else start


def _given(
    resource: Resource, view: MedicationAdministration, library: Library, reading: Reading, goes_on: Quantity
) -> _Word | Unreadable | None:
    order = MedicationRequest(
        medicationCodeableConcept=view.medicationCodeableConcept,
        medicationReference=view.medicationReference,
        contained=view.contained,
    )
    clear = view.status in _GIVEN
    role = None if view.status in _NOT_GIVEN else _GIVEN.get(view.status or "", Role.PAST)
    doubts = () if clear else (_PERHAPS_GIVEN,)
    found = _as(order, role, view.effectiveDateTime, view.effectivePeriod, resource, library, reading, doubts)
    if not isinstance(found, Medication):
        return found
    route = routes.named(view.dosage.route, reading.terms) if view.dosage is not None else ""
    named = found.product
    amount = amount_of(view.dosage.dose if view.dosage is not None else None, lambda: product_strength(named))
    given = amount.mg if not amount.per and amount.hours is None else None
    dose = found.dose if given is None else Dose(None, _AT_A_TIME.format(Quantity(given, "mg")), plain=False)
    surface = [amount.mg] if amount.mg and amount.per == "m2" and amount.hours is None else []
    if view.dosage is not None and view.dosage.text:
        surface += per_area_in(view.dosage.text, beside=bool(surface))
    if surface and len(found.ingredients) == 1:  # of several drugs it is open whose surface dose it is
        dose = dataclasses.replace(dose, per_area=Quantity(max(surface), "mg/m2"))
    found = replace(found, route=route or found.route, dose=dose)
    if found.role is Role.ACTIVE:  # it is being given now
        return _Word(found, GIVEN, When(reading.now, reading.now), given)
    return _Word(_perhaps_going_on(found, view, reading, goes_on), GIVEN, found.end or found.start, given)


def _perhaps_going_on(
    dose: Medication, view: MedicationAdministration, reading: Reading, goes_on: Quantity
) -> Medication:
    """A dose of so few days ago may be one of many."""
    clear = view.status in _GIVEN
    if dose.role is not Role.PAST or view.status == "stopped":
        return dose
    if dose.end is None:
        return dose if clear else replace(dose, role=Role.ACTIVE)  # without a day it may be of today
    if dose.end.earliest > reading.now or dose.end.days_ago(reading.now) > int(goes_on.value):
        return dose
    verb = "given" if clear else "recorded"
    going_on = f"{verb} {spoken_age(dose.end, reading.now)}; whether it goes on is not known"
    return replace(dose, role=Role.ACTIVE, end=None, doubts=(*dose.doubts, going_on))


def _as(
    order: MedicationRequest,
    role: Role | None,
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
    return ended_before(replace(found, role=role, start=start or found.start, end=end), reading.now)


def _joined(one: Medication, other: Medication) -> Medication:
    """Two entries about the same drug as one, from the first to the last day."""
    starts = [each.start for each in (one, other) if each.start is not None]
    ends = [each.end for each in (one, other) if each.end is not None]
    plainer = min((other, one), key=lambda each: (each.dose.daily is None, len(each.doubts), -daily_mg(each)))
    surface = [each.dose.per_area for each in (one, other) if each.dose.per_area is not None]
    dose = dataclasses.replace(plainer.dose, per_area=max(surface)) if surface else plainer.dose
    return replace(
        plainer,
        dose=dose,
        high_dose=one.high_dose or other.high_dose,
        start=min(starts, key=lambda when: when.earliest, default=None),
        end=max(ends, key=lambda when: when.latest, default=None),
    )


