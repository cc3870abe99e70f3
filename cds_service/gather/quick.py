"""Quick: a view straight from the bytes of its resource. Concepts that are written alike are read once.

A hospital codes the same few thousand tests, drugs and problems all day. A concept that comes again in the very same
bytes is the one that was read before: it holds codes of a catalogue and their short names, and nothing of a patient.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any, TypeVar, cast

import msgspec
from msgspec.structs import fields

from cds_service.decoding import decode, decoder
from cds_service.gather.views import VIEWS, CodeableConcept, Component, Observation, View
from cds_service.kept import Kept, are_names

V = TypeVar("V", bound=View)
Concepts = dict[bytes, CodeableConcept | None]
_LONGEST = 1_000  # bytes of a concept that is known again
_KNOWN: Kept[bytes, CodeableConcept] = Kept()
_CONCEPT: Any = CodeableConcept | None
_decoded = decoder(_CONCEPT).decode


class _PlainCoding(msgspec.Struct, forbid_unknown_fields=True):
    code: str
    system: str | None = None
    version: str | None = None
    display: str | None = None
    userSelected: bool | None = None  # noqa: N815 - FHIR's name


class _PlainConcept(msgspec.Struct, forbid_unknown_fields=True):
    """A concept that is coded and holds nothing else than a concept should."""

    coding: list[_PlainCoding]
    text: str | None = None


def is_known_again(raw: bytes) -> bool:
    """Whether these are the bytes of a concept that is kept: one of a catalogue, and nobody's own words."""
    return raw in _KNOWN or (_read(raw) is not None and raw in _KNOWN)


def _read(raw: bytes) -> CodeableConcept | None:
    """The concept of these bytes. Raises what `decode` raises."""
    found: CodeableConcept | None = _decoded(raw)
    if found is None or not found.coding or len(raw) > _LONGEST:
        return found
    try:
        plain = decode(raw, _PlainConcept)
    except msgspec.DecodeError:
        return found  # it holds what is somebody's own
    names = (name for each in plain.coding for name in (each.display, each.code))
    if not all(each.code for each in plain.coding) or not are_names(plain.text, names):
        return found  # somebody's own words, perhaps about one patient
    texts = (text for each in plain.coding for text in (each.system, each.code, each.version, each.display))
    return _KNOWN.keep(raw, found, *texts)


def _shape(view: type[View]) -> type[View]:
    """The view as it is decoded: its concepts as their bytes."""
    told: dict[Any, Any] = {_CONCEPT: msgspec.Raw, list[Component] | None: list[_COMPONENT] | None}
    changed = [(each.name, told[each.type], None) for each in fields(view) if each.type in told]
    made: Any = msgspec.defstruct(
        view.__name__, changed, bases=(view,), kw_only=True, gc=False, tag_field="resourceType", tag=view.__name__,
        module=__name__,
    )  # fmt: skip
    return cast("type[View]", made)


_COMPONENT: Any = Component
_COMPONENT = _shape(Component)
_SHAPES: dict[type[View], type[View]] = {view: _shape(view) for view in VIEWS.values()}
_CONCEPTS = {
    shape: tuple(each.name for each in fields(view) if each.type == _CONCEPT)
    for view, shape in (_SHAPES | {Component: _COMPONENT}).items()
}
_ANY: Any = reduce(or_, _SHAPES.values())  # told apart by its resourceType in the very pass that reads it
_any = decoder(_ANY).decode


def any_view(raw: bytes | msgspec.Raw, met: Concepts) -> View:
    """The view of a resource of any type that we read. Raises what `decode` raises.

    `met`: the concepts of those that were read with it, somebody's own words too: they go when these go.
    """
    return _settled(_any(raw), met)


def view_as(raw: bytes, view: type[V]) -> V:
    """The view of a resource of that type. Raises what `decode` raises."""
    return cast("V", _settled(decode(raw, _SHAPES[view]), {}))


def _settled(view: View, met: Concepts) -> View:
    """The same view with its concepts read."""
    for name in _CONCEPTS[type(view)]:
        written = getattr(view, name)
        if written is not None:
            raw = bytes(written)
            found = _KNOWN.get(raw) or met.get(raw)
            if found is None:
                found = met[raw] = _read(raw)
            setattr(view, name, found)
    if isinstance(view, Observation) and view.component:
        for part in view.component:
            _settled(part, met)
    return view


def learn() -> None:
    """Have the other decoders made."""
    for shape in _SHAPES.values():
        decoder(shape)
    decoder(_PlainConcept)
