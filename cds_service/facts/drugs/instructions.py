"""Instructions: what those of an order come to for its product: the daily dose, the route, a high dose that they name.

They follow from what is written and from the product alone, so they are kept. The days between which an order holds are
none of them: those are read for each patient.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from msgspec import structs

from cds_service.facts.drugs import routes
from cds_service.facts.drugs.doses import Dose, daily_dose
from cds_service.facts.drugs.products import Product
from cds_service.gather.views import Dosage, MedicationRequest
from cds_service.kept import as_written
from cds_service.knowledge.terms import Terms

WHOLE_REGIMEN = "a regimen is one order here: the dose of each drug cannot be read"


@dataclass(frozen=True, slots=True)
class Instructed:
    """What the instructions of an order come to."""

    dose: Dose
    route: str
    high_dose: bool


def instructed(order: MedicationRequest, strength: Decimal | None, product: Product, terms: Terms) -> Instructed:
    """What the order says of dose and route. `strength`: the mg of one piece, where its Medication states them."""
    dosages: list[Dosage] = []
    for dosage in order.dosageInstruction or ():
        if dosage.timing is not None and dosage.timing.event:
            return _read(order, strength, product, terms)  # given on single days, which are the patient's own
        dosages.append(_undated(dosage))
    kept = terms.kept("instructions")
    written = as_written(product.name, product.regimen, len(product.ingredients) > 1, strength, dosages)
    known: Instructed | None = kept.get(written)
    if known is None:
        texts = (dosage.text for dosage in dosages)
        known = kept.keep(written, _read(order, strength, product, terms), product.name, *texts)
    return known


def _undated(dosage: Dosage) -> Dosage:
    """The instruction without the days between which it holds."""
    timing = dosage.timing
    if timing is None or timing.repeat is None or timing.repeat.boundsPeriod is None:
        return dosage
    repeat = structs.replace(timing.repeat, boundsPeriod=None)
    return structs.replace(dosage, timing=structs.replace(timing, repeat=repeat))


def _read(order: MedicationRequest, strength: Decimal | None, product: Product, terms: Terms) -> Instructed:
    texts = (dosage.text or "" for dosage in order.dosageInstruction or ())
    named = _names_high_dose(texts, terms)
    return Instructed(_dose(order, strength, product, terms), routes.ordered(order, terms), named)


def _dose(order: MedicationRequest, strength: Decimal | None, product: Product, terms: Terms) -> Dose:
    if product.regimen:
        return Dose(None, WHOLE_REGIMEN, plain=False)
    dose = daily_dose(order, product.name, terms, strength)
    return dose if len(product.ingredients) == 1 else replace(dose, per_area=None)  # whose surface dose it is, is open


def _names_high_dose(texts: Iterable[str], terms: Terms) -> bool:
    """Whether the instructions name a high-dose regimen, as "HiDAC" does."""
    return any(terms.words["high_dose"].find(text) for text in texts)
