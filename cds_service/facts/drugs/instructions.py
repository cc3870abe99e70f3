"""Instructions: what those of an order come to for its product: the daily dose, the route, a high dose that they name.

They follow from what is written and from the product alone, so they are kept. The days between which an order holds are
none of them: those are read for each patient, and here only asked whether two instructions share a day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
    spoken_route: str = ""  # by the words of the instructions, for an order that states none elsewhere


def instructed(order: MedicationRequest, strength: Decimal | None, product: Product, terms: Terms) -> Instructed:
    """What the order says of dose and route. `strength`: the mg of one piece, where its Medication states them."""
    dosages: list[Dosage] = []
    apart = _apart(order.dosageInstruction or ())
    for dosage in order.dosageInstruction or ():
        if dosage.timing is not None and dosage.timing.event:
            return _read(order, strength, product, terms, apart)  # given on single days, which are the patient's own
        dosages.append(_undated(dosage))
    kept = terms.kept("instructions")
    written = as_written(product.name, product.regimen, len(product.ingredients) > 1, strength, dosages, apart)
    known: Instructed | None = kept.get(written)
    if known is None:
        texts = (dosage.text for dosage in dosages)
        known = kept.keep(written, _read(order, strength, product, terms, apart), product.name, *texts)
    return known


def _undated(dosage: Dosage) -> Dosage:
    """The instruction without the days between which it holds."""
    timing = dosage.timing
    if timing is None or timing.repeat is None or timing.repeat.boundsPeriod is None:
        return dosage
    repeat = structs.replace(timing.repeat, boundsPeriod=None)
    return structs.replace(dosage, timing=structs.replace(timing, repeat=repeat))


def _apart(dosages: Sequence[Dosage]) -> bool:
    """Whether two of the instructions hold in periods that share no day."""
    if len(dosages) == 1:
        return False
    repeats = [dosage.timing.repeat if dosage.timing is not None else None for dosage in dosages]
    periods = [repeat.boundsPeriod for repeat in repeats if repeat is not None and repeat.boundsPeriod is not None]
    starts = [period.start[:10] for period in periods if period.start]
    return any(period.end and start > period.end[:10] for period in periods for start in starts)


def _read(
    order: MedicationRequest, strength: Decimal | None, product: Product, terms: Terms, apart: bool
) -> Instructed:
    texts = [dosage.text or "" for dosage in order.dosageInstruction or ()]
    named = _names_high_dose(texts, terms)
    route = routes.ordered(order, terms)
    spoken = "" if route else routes.instructed(texts, terms) or routes.of_pieces(_units(order))
    return Instructed(_dose(order, strength, product, terms, apart), route, named, spoken)


def _units(order: MedicationRequest) -> Iterator[str]:
    """What each dose is counted in, as it came: "tablet"."""
    for dosage in order.dosageInstruction or ():
        for each in dosage.doseAndRate or ():
            if each.doseQuantity is not None:
                yield each.doseQuantity.unit or each.doseQuantity.code or ""


def _dose(order: MedicationRequest, strength: Decimal | None, product: Product, terms: Terms, apart: bool) -> Dose:
    if product.regimen:
        return Dose(None, WHOLE_REGIMEN, plain=False)
    dose = daily_dose(order, product.name, terms, strength, apart=apart)
    return dose if len(product.ingredients) == 1 else replace(dose, per_area=None)  # whose surface dose it is, is open


def _names_high_dose(texts: Iterable[str], terms: Terms) -> bool:
    """Whether the instructions name a high-dose regimen, as "HiDAC" does."""
    return any(terms.words["high_dose"].find(text) for text in texts)
