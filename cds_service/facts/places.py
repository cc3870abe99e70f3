"""Places: where in an Observation a value stands, in itself or in one of the parts of a panel."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass

from cds_service.facts.concepts import codes
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
        yield own, Place(resource, source)
    for place, kind in parts:
        yield kind, Place(resource, source, place)


def _kind(part: Component, kinds: Container[str], reading: Reading) -> str | None:
    """Which of the kinds the first known code names."""
    named = (reading.terms.observations.get(code) for code in codes(part.code, reading.terms))
    return next((name for name in named if name in kinds), None)
