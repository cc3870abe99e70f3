"""Cumulative doses: what the orders on record come to per body surface, drug by drug.

Orders are not administrations. An order counts where it states mg per m2, how often a day, and its first and last day
or for how many days; any other order of the drug is named as not counted. No body surface is computed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from cds_service.facts.drugs.medications import Medication, Role
from cds_service.quantity import Quantity


@dataclass(frozen=True, slots=True)
class Exposure:
    """One drug on record: what its counted orders come to, and how many could not be counted."""

    drug: str
    total: Quantity | None
    counted: int
    uncounted: int
    last: str  # the newest day on which an order of it stood


def exposures(orders: Iterable[Medication], drugs: Iterable[str]) -> tuple[Exposure, ...]:
    """Each of the drugs that stands on record, stopped or taken; drafts are not exposure."""
    given = [order for order in orders if order.role in (Role.PAST, Role.ACTIVE, Role.ON_HOLD)]
    found = []
    for drug in drugs:
        of_drug = [order for order in given if drug in order.ingredients]
        if of_drug:
            found.append(_exposure(drug, of_drug))
    return tuple(found)


def _exposure(drug: str, orders: list[Medication]) -> Exposure:
    amounts = [amount for order in orders if (amount := _amount(order)) is not None]
    total = Quantity(sum(amounts, Decimal(0)), "mg/m2") if amounts else None
    newest = max((when.latest for order in orders if (when := order.end or order.start)), default=None)
    last = newest.date().isoformat() if newest else "no date"
    return Exposure(drug, total, len(amounts), len(orders) - len(amounts), last)


def _amount(order: Medication) -> Decimal | None:
    """What a stopped order comes to; nothing is assumed where a day or a frequency is not stated."""
    dose = order.dose
    if dose.per_area is None or dose.times is None or order.role is not Role.PAST:
        return None
    if dose.days is not None:
        return dose.per_area.value * dose.times * dose.days
    if order.start is None or order.end is None or order.end.latest < order.start.earliest:
        return None
    days = (order.end.latest.date() - order.start.earliest.date()).days + 1
    if (order.start.latest.date(), order.end.earliest.date()) != (order.start.earliest.date(), order.end.latest.date()):
        return None  # a month or a year is not a day
    return dose.per_area.value * dose.times * days
