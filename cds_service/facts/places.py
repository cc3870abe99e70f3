"""Places: where in an Observation a value stands, in itself or in one of the parts of a panel.

Codes say what it is; where none of a standard system does, its name may.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace

from cds_service.facts.concepts import codes
from cds_service.facts.values.lab_names import Named, named
from cds_service.facts.values.numbers import is_empty
from cds_service.facts.values.results import Reading
from cds_service.gather.resources import Resource
from cds_service.gather.views import Component, Observation


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value of a kind stands: an Observation, or one of its components by number."""

    resource: Resource
    source: str
    component: int | None = None
    by_name: bool = False
    unclear: str = ""  # the name, where it may mean another test too

    def part(self, view: Observation) -> Component | None:
        """That part of the Observation; None when it has no such part."""
        if self.component is None:
            return view
        parts = view.component or []
        return parts[self.component] if self.component < len(parts) else None


def places(
    view: Observation, resource: Resource, source: str, kinds: Container[str], reading: Reading
) -> Iterator[tuple[str, Place]]:
    """Every kind of value that this Observation holds, and where; the head of a panel without value is none."""
    parts = [(place, kind) for place, part in enumerate(view.component or ()) if (kind := _kind(part, kinds, reading))]
    own = _kind(view, kinds, reading)
    if own and not (parts and is_empty(view)):
        yield _placed(own, Place(resource, source))
    for place, kind in parts:
        yield _placed(kind, Place(resource, source, place))


def _placed(kind: str | Named, place: Place) -> tuple[str, Place]:
    if isinstance(kind, str):
        return kind, place
    return kind.key, replace(place, by_name=True, unclear=kind.unclear)


def _kind(part: Component, kinds: Container[str], reading: Reading) -> str | Named | None:
    """Which of the kinds the first known code names; else what its name says."""
    found = [reading.terms.observations.get(code) for code in codes(part.code, reading.terms)]
    key = next((name for name in found if name in kinds), None)
    return key if key or any(found) else named(part, kinds, reading)
