"""Prescribed: which Medication an order means, wherever it stands, and the concepts that say what it is.

It may be coded on the order, contained in it, come along as a further entry under its id or its fullUrl, or consist of
parts that are resources of their own. What cannot be had leaves the words of the reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from cds_service.facts.drugs.amounts import strength_in_mg
from cds_service.gather.bundle import resource_type
from cds_service.gather.resources import Resource, Unreadable
from cds_service.gather.views import CodeableConcept, Ingredient, MedicationRequest, Reference, Substance, View
from cds_service.gather.views import Medication as MedicationView

Concepts = tuple[CodeableConcept, ...]
Library = Mapping[str, Resource]

_LOCAL = re.compile(r"(?P<base>.*/)?(?P<local>[A-Za-z]+/[A-Za-z0-9\-.]{1,64})(?:/_history/[^/]+)?\Z")
_CONTAINED = "contained"
_DEPTH = 2  # a part may be a Medication with parts of its own, and no deeper


def local(reference: str) -> str:
    """`Type/id` of a relative, absolute or versioned reference; what is none of these stays as it is."""
    match = _LOCAL.match(reference)
    return match["local"] if match else reference


def library_of(others: Iterable[Resource]) -> dict[str, Resource]:
    """Medication resources by every reference that may point at them."""
    found: dict[str, Resource] = {}
    for resource in others:
        for name in (resource.reference, resource.full_url):
            if name:
                found[name] = resource
    return found


class Said(NamedTuple):
    """The concepts that say which product it is, those of its parts, its form, and the Medication where they stood."""

    product: Concepts
    parts: Concepts = ()
    form: CodeableConcept | None = None
    medication: MedicationView | None = None
    not_had: bool = False  # it refers to a Medication that did not come along and could not be asked for

    @property
    def strength(self) -> Decimal | None:
        """The mg of one piece, as the Medication itself states them."""
        return strength_in_mg(self.medication) if self.medication is not None else None


def named(view: MedicationRequest) -> tuple[CodeableConcept | None, Reference | None]:
    """The concept and the reference that name the drug, where R4 has them, else where R5 has."""
    if view.medicationCodeableConcept is None and view.medicationReference is None and view.medication is not None:
        return view.medication.concept, view.medication.reference
    return view.medicationCodeableConcept, view.medicationReference


def said_of(view: MedicationRequest, library: Library) -> Said | Unreadable:
    """What says which product was ordered, wherever it stands."""
    concept, reference = named(view)
    if reference is None and concept is None and next(_inside(view), None) is not None:
        return Unreadable("MedicationRequest", "it contains a Medication and does not say that it orders it")
    if reference is None:
        return Said((concept,) if concept is not None else ())
    target = _target(reference, view, library)
    medication = _read(target) if target is not None else None
    if concept is not None:
        strong = medication if isinstance(medication, MedicationView) else None
        return Said((concept,), medication=strong)
    words = (CodeableConcept(text=reference.display),) if reference.display else ()
    if medication is None:
        return Said(words, not_had=bool(reference.reference))
    if not isinstance(medication, MedicationView):
        return Said(words) if words else Unreadable("Medication", "the Medication it refers to cannot be read")
    own = (medication.code,) if medication.code else ()
    return Said((*own, *words), tuple(_parts(medication, view, library, _DEPTH)), medication.form, medication)


def _parts(
    medication: MedicationView, view: MedicationRequest, library: Library, depth: int
) -> Iterator[CodeableConcept]:
    """What each active part of the Medication is, also where that part is a resource of its own."""
    for part in medication.ingredient or ():
        if part.isActive is not False:
            yield from _part(part, view, library, depth)


def _part(part: Ingredient, view: MedicationRequest, library: Library, depth: int) -> Iterator[CodeableConcept]:
    if part.itemCodeableConcept is not None:
        yield part.itemCodeableConcept
    reference = part.itemReference
    if reference is None or depth == 0:
        return
    if reference.display:
        yield CodeableConcept(text=reference.display)
    target = _target(reference, view, library)
    inside = target.view() if target is not None else None
    if isinstance(inside, (MedicationView, Substance)) and inside.code is not None:
        yield inside.code
    if isinstance(inside, MedicationView):
        yield from _parts(inside, view, library, depth - 1)


def _target(reference: Reference, view: MedicationRequest, library: Library) -> Resource | None:
    """The resource that is meant; one under the same id on another server is another resource."""
    written = reference.reference or ""
    if written.startswith("#"):
        return _contained(written, view)
    exact = library.get(written)
    match = _LOCAL.match(written) if exact is None else None
    if match is None:
        return exact
    found, base = library.get(match["local"]), match["base"]
    if found is None or not base or not (found.full_url or "").startswith("http"):
        return found
    return found if (found.full_url or "").startswith(base) else None


def _contained(reference: str, view: MedicationRequest) -> Resource | None:
    for inside in _inside(view):
        found = _read(inside)
        if not isinstance(found, Unreadable) and f"#{(found.id or '').removeprefix('#')}" == reference:
            return inside
    return None


def _read(resource: Resource) -> View | Unreadable:
    """The Medication; of a contained one what can be saved: it makes its whole order no R4, which is a doubt there."""
    view = resource.view()
    if isinstance(view, Unreadable) and resource.where == _CONTAINED:
        return resource.salvaged() or view
    return view


def _inside(view: MedicationRequest) -> Iterator[Resource]:
    """The contained resources that may say what is ordered."""
    for raw in view.contained or ():
        content = bytes(raw)
        kind = resource_type(content)
        if kind in ("Medication", "Substance"):
            yield Resource(kind, content, _CONTAINED)
