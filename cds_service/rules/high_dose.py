"""Whether cytarabine is ordered in high dose: by its dose per body surface or by name, never by milligrams alone.

Shared by several topics.
"""

from __future__ import annotations

from cds_service.facts.drugs.medications import Medication
from cds_service.facts.drugs.routes import INTRATHECAL
from cds_service.knowledge import topics
from cds_service.rules.rule import Case
from cds_service.rules.subjects import Use
from cds_service.truth import Truth, any_of


def high_dose(case: Case, use: Use) -> Truth:
    """Whether one of the orders, drafted or taken, is a high-dose order; UNKNOWN where none says how much."""
    return any_of(is_high(case, use.drug, order) for order in (*use.drafts, *use.active))


def is_high(case: Case, drug: str, order: Medication) -> Truth:
    """Whether that one order is a high-dose order of the drug; UNKNOWN where it does not say how much."""
    limit = case.must(topics.HIGH_DOSE_FROM, drug)
    if order.route == INTRATHECAL:
        return Truth.NO
    if order.high_dose:
        return Truth.YES
    if order.dose.per_area is not None:
        return Truth.of(order.dose.per_area >= limit.value)
    low = case.must(topics.LOW_DOSE_AT_MOST, drug)  # a flat dose as low as this is no high dose in any adult
    if order.dose.daily is not None and order.dose.daily <= low.value:
        return Truth.NO
    return Truth.UNKNOWN
