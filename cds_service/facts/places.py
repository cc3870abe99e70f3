"""Places: where in an Observation a value stands, in itself or in one of the parts of a panel.

Codes say what it is; where none of a standard system does, its name may.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from cds_service.facts.concepts import Wording, wording
from cds_service.facts.values.lab_names import Named, holds_number
from cds_service.facts.values.numbers import is_empty
from cds_service.facts.values.results import Reading
from cds_service.gather.resources import Resource
from cds_service.gather.views import Component, Observation


class Place(NamedTuple):
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


KindOf = Callable[[Wording], "str | Named | None"]


def places(
    view: Observation, resource: Resource, source: str, kind_of: KindOf, reading: Reading
) -> Iterator[tuple[str, Place]]:
    """Every kind of value that this Observation holds, and where; the head of a panel without value is none."""
    parts = [
        (place, kind)
        for place, part in enumerate(view.component or ())
        if (kind := _kind(part, kind_of, reading)) is not None
    ]
    own = _kind(view, kind_of, reading)
    if own is not None and not (parts and is_empty(view)):
        yield _placed(own, resource, source, None)
    for place, kind in parts:
        yield _placed(kind, resource, source, place)


def _placed(kind: str | Named, resource: Resource, source: str, component: int | None) -> tuple[str, Place]:
    if isinstance(kind, str):
        return kind, Place(resource, source, component)
    return kind.key, Place(resource, source, component, by_name=True, unclear=kind.unclear)


def _kind(part: Component, kind_of: KindOf, reading: Reading) -> str | Named | None:
    """Which kind the part is; a name counts where it holds a number."""
    kind = kind_of(wording(part.code, reading.terms))
    return None if isinstance(kind, Named) and not holds_number(part) else kind
