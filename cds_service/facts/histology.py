"""Histology: what the extension of a diagnosis says of its morphology, as mCODE and the German oncology module have it.

It stands beside a code that often says less: its codes count as codes of the diagnosis itself, behind those.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec

from cds_service.gather.resources import Resource
from cds_service.gather.views import CodeableConcept, Coding

_MARK = b"histology-morphology-behavior"
_ENDS = ("-histology-morphology-behavior", "-histology-morphology-behavior-icdo3")


def with_histology(
    code: CodeableConcept | None, resource: Resource, *, in_words: bool = True
) -> CodeableConcept | None:
    """The concept of a diagnosis, with the codes and, where they are wanted, the words of its histology."""
    if _MARK not in resource.raw:
        return code
    told = (concept for concept in _told(resource) if concept is not None)
    beside = [coding for concept in told for coding in _codings(concept, in_words)]
    if not beside:
        return code
    own = code or CodeableConcept()
    return CodeableConcept([*(own.coding or ()), *beside], own.text)


def is_unreadable(resource: Resource) -> bool:
    """Whether it has a histology that cannot be read: it may be any diagnosis."""
    return _MARK in resource.raw and None in _told(resource)


def _told(resource: Resource) -> Iterator[CodeableConcept | None]:
    """The histologies of the resource; None for one that cannot be read."""
    try:
        content = json.loads(resource.raw)
    except (ValueError, RecursionError):
        yield None
        return
    found = content.get("extension") if isinstance(content, dict) else None
    for extension in found if isinstance(found, list) else ():
        value = extension.get("valueCodeableConcept") if isinstance(extension, dict) else None
        if value is None or not str(extension.get("url")).endswith(_ENDS):
            continue
        try:
            yield msgspec.convert(value, CodeableConcept)
        except msgspec.ValidationError:
            yield None


def _codings(concept: CodeableConcept, in_words: bool) -> list[Coding]:
    """Its codings, and its text as the words of one."""
    coded = concept.coding or ()
    if not in_words:
        return [Coding(system=each.system, code=each.code) for each in coded if each.code]
    return [*([Coding(display=concept.text)] if concept.text else []), *coded]
