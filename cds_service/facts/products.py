"""Products: which ingredients an order is for, wherever that is said, and how it was told.

The concept may stand in the order, in a Medication beside it or within it, or in the ingredients of that one. A regimen
written as one order stands for its drugs; its name on the order of one of them does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cds_service.facts import routes
from cds_service.facts.concepts import all_text
from cds_service.facts.concepts import text as spoken
from cds_service.facts.matching import BY_NAME, Concepts, match
from cds_service.facts.results import Reading
from cds_service.gather.bundle import resource_type
from cds_service.gather.resources import Resource, Unreadable
from cds_service.gather.views import CodeableConcept, MedicationRequest
from cds_service.gather.views import Medication as MedicationView

_DEEPEST = 3  # Medications within Medications that are followed


@dataclass(frozen=True, slots=True)
class Product:
    """What was ordered: its ingredients, its words, its name with strength, its route, and how it was told."""

    ingredients: tuple[str, ...]
    words: str
    name: str
    route: str
    matched_by: str
    doubt: str = ""
    regimen: bool = False  # its doses belong to several drugs


def library_of(others: Iterable[Resource]) -> dict[str, Resource]:
    """Medication resources by every reference that may point at them."""
    found: dict[str, Resource] = {}
    for resource in others:
        for name in (resource.reference, resource.full_url):
            if name:
                found[name] = resource
    return found


@dataclass(frozen=True, slots=True)
class _Said:
    """The concepts that say which product it is, those of its parts, and its form."""

    product: Concepts
    parts: Concepts = ()
    form: CodeableConcept | None = None


def identify(view: MedicationRequest, library: Mapping[str, Resource], reading: Reading) -> Product | Unreadable:
    """The product of the order. A drug that is not in our tables has words and no ingredients."""
    said = _said(view, library)
    if isinstance(said, Unreadable):
        return said
    concepts = (*said.product, *said.parts)
    found = match(said.product, said.parts, reading.terms)
    regimen = _regimen(concepts, found.ingredients, reading) if found.told in ("", BY_NAME) else None
    ingredients, told = regimen or (found.ingredients, found.told)
    words = next((spoken(concept) for concept in concepts if spoken(concept)), "") or found.display
    everything = " ".join(filter(None, (found.display, *(all_text(concept) for concept in concepts))))
    return Product(
        ingredients,
        words[:80],
        found.display if any(character.isdigit() for character in found.display) else everything,
        routes.of_product(everything, said.form, found.route, reading.terms),
        told,
        found.conflict,
        regimen is not None,
    )


def _said(view: MedicationRequest, library: Mapping[str, Resource]) -> _Said | Unreadable:
    """The concepts that say which product was ordered, wherever they stand."""
    if view.medicationCodeableConcept is not None:
        return _Said((view.medicationCodeableConcept,))
    reference = view.medicationReference
    if reference is None:
        return _Said(())
    words = (CodeableConcept(text=reference.display),) if reference.display else ()
    target = _target(reference.reference or "", view, library)
    if target is None:
        return _Said(words)
    medication = target.view()
    if not isinstance(medication, MedicationView):
        return _Said(words) if words else Unreadable("Medication", "the Medication it refers to cannot be read")
    own = (medication.code,) if medication.code else ()
    return _Said((*own, *words), tuple(_parts(medication, view, library)), medication.form)


def _parts(
    medication: MedicationView, view: MedicationRequest, library: Mapping[str, Resource], depth: int = 1
) -> Iterator[CodeableConcept]:
    """The active ingredients of a Medication, those of Medications within it too."""
    for part in medication.ingredient or ():
        if part.isActive is False:
            continue
        if part.itemCodeableConcept:
            yield part.itemCodeableConcept
        reference = part.itemReference
        if reference is None:
            continue
        if reference.display:
            yield CodeableConcept(text=reference.display)
        inner = _target(reference.reference or "", view, library)
        content = inner.view() if inner is not None else None
        if isinstance(content, MedicationView) and depth < _DEEPEST:
            if content.code:
                yield content.code
            yield from _parts(content, view, library, depth + 1)


def _target(reference: str, view: MedicationRequest, library: Mapping[str, Resource]) -> Resource | None:
    if reference.startswith("#"):
        for raw in view.contained or ():
            content = bytes(raw)
            if resource_type(content) == "Medication":
                inside = Resource("Medication", content, "contained")
                found = inside.view()
                if isinstance(found, MedicationView) and f"#{found.id}" == reference:
                    return inside
        return None
    return library.get(reference) or library.get("/".join(reference.split("/")[-2:]))


def _regimen(product: Concepts, named: tuple[str, ...], reading: Reading) -> tuple[tuple[str, ...], str] | None:
    """The drugs of the regimens that the words name, and how they were told: a name may leave one of them open.

    None where no regimen is named, or where its name only follows that of one of its drugs, as in "cytarabine (7+3)".
    """
    text = " | ".join(all_text(concept) for concept in product)
    drugs = list(named)
    told = ["the name of its regimen"]
    found = False
    for start, parts in reading.terms.regimens.places(text):
        before = set("|".join(reading.terms.drug_names.find_all(text[:start])).split("|"))
        components = [part.split("/") for part in parts.split("|") if part]
        if not components or before & {drug for choice in components for drug in choice}:
            continue
        found = True
        for choice in components:
            if not set(choice) & set(drugs):
                drugs.append(choice[0])
                told += [f"which leaves open {' or '.join(choice)}: {choice[0]} was checked"] * (len(choice) > 1)
    return (tuple(dict.fromkeys(drugs)), ", ".join(dict.fromkeys(told))) if found else None
