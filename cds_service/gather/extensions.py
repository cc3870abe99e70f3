"""Extensions: the few that carry meaning for the rules and stand in few charts, read from the bytes of their resource.

The typed views hold the elements of FHIR itself, which nearly every resource has. An extension is looked for only
where its name stands somewhere in the bytes. One that is there and cannot be read is None, never left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from cds_service.gather.plain_json import read_what_is_possible
from cds_service.gather.resources import Resource
from cds_service.gather.views import CodeableConcept

# mCODE and the German oncology module: the histology beside the code of a diagnosis.
_HISTOLOGY = b"histology-morphology-behavior"
_HISTOLOGIES = ("-histology-morphology-behavior", "-histology-morphology-behavior-icdo3")
# German base profiles: how certain the diagnosis is, beside one of its codes.
_CERTAINTY = "icd-10-gm-diagnosesicherheit"


def histologies(resource: Resource) -> tuple[CodeableConcept | None, ...]:
    """The histologies that stand beside the code of a diagnosis; None for each that cannot be read."""
    if _HISTOLOGY not in resource.raw:
        return ()
    content = _content(resource)
    if content is None:
        return (None,)
    values = (value for url, value in _extensions(content, "valueCodeableConcept") if url.endswith(_HISTOLOGIES))
    return tuple(_concept(value) for value in values if value is not None)


def certainty_letters(resource: Resource) -> tuple[str | None, ...]:
    """The letters of certainty that stand beside the codes of a diagnosis, as written; None for each not readable."""
    if _CERTAINTY.encode() not in resource.raw:
        return ()
    content = _content(resource)
    if content is None:
        return (None,)
    found = (each for coding in _each(_part(content, "code"), "coding") for each in _extensions(coding, "valueCoding"))
    letters = (_part(value, "code") for url, value in found if url.endswith(_CERTAINTY))
    return tuple(letter if isinstance(letter, str) else None for letter in letters)


def _content(resource: Resource) -> Any:
    """What the resource holds; None where it is no JSON."""
    try:
        return read_what_is_possible(resource.raw)
    except (ValueError, RecursionError):
        return None


def _concept(value: Any) -> CodeableConcept | None:
    try:
        return msgspec.convert(value, CodeableConcept)
    except msgspec.ValidationError:
        return None


def _extensions(holder: Any, value: str) -> Iterator[tuple[str, Any]]:
    """The extensions of one element: the address of each, and what stands under that name."""
    return ((str(_part(each, "url")), _part(each, value)) for each in _each(holder, "extension"))


def _part(holder: Any, name: str) -> Any:
    return holder.get(name) if isinstance(holder, dict) else None


def _each(holder: Any, name: str) -> list[Any]:
    """The items of that list, or the one item that stands where the list belongs."""
    part = _part(holder, name)
    return part if isinstance(part, list) else [part]
