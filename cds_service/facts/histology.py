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
    beside = [coding for concept in _told(resource) for coding in _codings(concept, in_words)]
    if not beside:
        return code
    own = code or CodeableConcept()
    return CodeableConcept([*(own.coding or ()), *beside], own.text)


def _told(resource: Resource) -> Iterator[CodeableConcept]:
    """The histologies of the resource, as far as they can be read."""
    try:
        content = json.loads(resource.raw)
    except (ValueError, RecursionError):
        return
    found = content.get("extension") if isinstance(content, dict) else None
    for extension in found if isinstance(found, list) else ():
        if isinstance(extension, dict) and str(extension.get("url")).endswith(_ENDS):
            try:
                yield msgspec.convert(extension.get("valueCodeableConcept"), CodeableConcept)
            except msgspec.ValidationError:
                continue


def _codings(concept: CodeableConcept, in_words: bool) -> list[Coding]:
    """Its codings, and its text as the words of one."""
    coded = concept.coding or ()
    if not in_words:
        return [Coding(system=each.system, code=each.code) for each in coded if each.code]
    return [*([Coding(display=concept.text)] if concept.text else []), *coded]
