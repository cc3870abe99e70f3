"""Cumulative doses: what the orders on record come to per body surface, drug by drug, and what with the drafts.

Orders are not administrations. An order counts where it states mg per m2, how often a day, and its first and last day
or for how many days; any other order of the drug is named as not counted. What is based on an order and lies within its
days is an instance of it, and counts with it once. No body surface is computed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from cds_service.facts.drugs.medications import Medication, Role
from cds_service.quantity import Quantity


@dataclass(frozen=True, slots=True)
class Exposure:
    """One drug: what its counted orders on record come to, what its drafts do, and how many could not be counted."""

    drug: str
    total: Quantity | None
    counted: int
    uncounted: int
    last: str  # the newest day on which an order of it stood
    drafted: Quantity | None = None
    left_out: int = 0  # drafts that could not be counted

    @property
    def recorded(self) -> bool:
        """Whether any order of it stands on record, counted or not."""
        return bool(self.counted or self.uncounted)

    @property
    def with_drafts(self) -> Quantity | None:
        """What it comes to once the drafts are given: as much as can be counted."""
        if self.total is None or self.drafted is None:
            return self.total or self.drafted
        return self.total + self.drafted


def exposures(orders: Iterable[Medication], drugs: Iterable[str]) -> tuple[Exposure, ...]:
    """Each of the drugs that stands on record, stopped or taken, or is drafted; a draft alone is no exposure yet."""
    listed = tuple(orders)
    found = []
    for drug in drugs:
        of_drug = [order for order in listed if drug in order.ingredients]
        if of_drug:
            found.append(_exposure(drug, of_drug))
    return tuple(found)


def _exposure(drug: str, orders: list[Medication]) -> Exposure:
    instances = _instances(orders)
    given = [order for place, order in enumerate(orders) if order.role is not Role.DRAFT and place not in instances]
    drafts = [order for order in orders if order.role is Role.DRAFT]
    amounts = [amount for order in given if order.role is Role.PAST and (amount := _amount(order)) is not None]
    drafted = [amount for order in drafts if (amount := _amount(order)) is not None]
    newest = max((when.latest for order in given if (when := order.end or order.start)), default=None)
    last = newest.date().isoformat() if newest else "no date"
    return Exposure(
        drug, _sum(amounts), len(amounts), len(given) - len(amounts), last, _sum(drafted), len(drafts) - len(drafted)
    )


def _instances(orders: list[Medication]) -> set[int]:
    """The places of those that only carry out a part of another order, which counts already.

    Orders that are based on each other in a circle all count: none of them is known to be the first.
    """
    named: dict[str, list[int]] = {}
    for place, order in enumerate(orders):
        if order.role is Role.PAST and "/" in order.reference:
            named.setdefault(order.reference, []).append(place)
    parts: dict[int, list[int]] = {}
    for place, order in enumerate(orders):
        for base in (base for reference in dict.fromkeys(order.replaces) for base in named.get(reference, ())):
            if base != place and _is_part(order, orders[base]):
                parts.setdefault(base, []).append(place)
    found: set[int] = set()
    first = parts.keys() - {part for each in parts.values() for part in each}
    waiting = [part for base in first for part in parts[base]]
    while waiting:
        place = waiting.pop()
        if place not in found:
            found.add(place)
            waiting += parts.get(place, ())
    return found


def _is_part(order: Medication, base: Medication) -> bool:
    """Whether all of it, its days and its amount, lies within the other."""
    part, whole = _amount(order), _amount(base)
    if part is None or whole is None or part > whole:
        return False
    first, last = order.start, order.last_day
    begun, over = base.start, base.last_day
    if first is None or last is None or begun is None or over is None:
        return False
    return begun.earliest <= first.earliest and last.latest <= over.latest


def _sum(amounts: list[Decimal]) -> Quantity | None:
    return Quantity(sum(amounts, Decimal(0)), "mg/m2") if amounts else None


def _amount(order: Medication) -> Decimal | None:
    """What an order comes to; nothing is assumed where a day or a frequency is not stated."""
    dose = order.dose
    if dose.per_area is None or dose.times is None:
        return None
    if dose.days is not None:
        return dose.per_area.value * dose.times * dose.days
    if order.start is None or order.end is None or order.end.latest < order.start.earliest:
        return None
    days = (order.end.latest.date() - order.start.earliest.date()).days + 1
    if (order.start.latest.date(), order.end.earliest.date()) != (order.start.earliest.date(), order.end.latest.date()):
        return None  # a month or a year is not a day
    return dose.per_area.value * dose.times * days
