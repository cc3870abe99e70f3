"""Histology: what the extension of a diagnosis says of its morphology, as mCODE and the German oncology module have it.

It stands beside a code that often says less: its codes count as codes of the diagnosis itself, behind those.
"""

from __future__ import annotations

from cds_service.gather.extensions import histologies
from cds_service.gather.resources import Resource
from cds_service.gather.views import CodeableConcept, Coding


def with_histology(
    code: CodeableConcept | None, resource: Resource, *, in_words: bool = True
) -> CodeableConcept | None:
    """The concept of a diagnosis, with the codes and, where they are wanted, the words of its histology."""
    told = (concept for concept in histologies(resource) if concept is not None)
    beside = [coding for concept in told for coding in _codings(concept, in_words)]
    if not beside:
        return code
    own = code or CodeableConcept()
    return CodeableConcept([*(own.coding or ()), *beside], own.text)


def is_unreadable(resource: Resource) -> bool:
    """Whether it has a histology that cannot be read: it may be any diagnosis."""
    return None in histologies(resource)


def _codings(concept: CodeableConcept, in_words: bool) -> list[Coding]:
    """Its codings, and its text as the words of one."""
    coded = concept.coding or ()
    if not in_words:
        return [Coding(system=each.system, code=each.code) for each in coded if each.code]
    return [*([Coding(display=concept.text)] if concept.text else []), *coded]
