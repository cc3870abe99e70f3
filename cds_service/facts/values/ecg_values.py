"""ECG values: what one Observation and its components hold of QTc, QT, RR and rate, or why it cannot be used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cds_service.facts.fact import Origin
from cds_service.facts.times import When
from cds_service.facts.values.counting import counting_doubts, does_not_count, none_counts
from cds_service.facts.values.ecg_names import Name, name_of
from cds_service.facts.values.ecg_words import IN_WORDS, NOT_READ, spoken
from cds_service.facts.values.numbers import Number, is_empty, number
from cds_service.facts.values.results import (
    FUTURE,
    Reading,
    origin,
    refused_for_status,
    taken,
    time_notes,
)
from cds_service.gather.resources import Resource
from cds_service.gather.views import Component, Observation

_AMONG_ECGS = " ecg"  # how the source of what came by the query for ECGs ends
RATES = frozenset({"heart_rate", "rr_interval"})


@dataclass(frozen=True, slots=True)
class Value:
    """One discrete ECG value, or why it cannot be used (in `refused`)."""

    key: str
    number: Number | None
    refused: str
    when: When | None
    doubts: tuple[str, ...]
    origin: Origin


def values_of(resource: Resource, source: str, reading: Reading) -> list[Value]:
    """The ECG values that one Observation holds, itself or in its components."""
    quick = resource.view()
    named = _named_parts(quick, reading, source) if isinstance(quick, Observation) else []
    if not isinstance(quick, Observation) or not named:
        return []
    view = resource.checked()
    if not isinstance(view, Observation):
        when, _ = taken(quick, reading)
        where = origin(resource, source, "")
        kinds = {name.key for _, name in named}
        kind = next(iter(kinds)) if kinds <= RATES and len(kinds) == 1 else "qtc_unspecified"
        return [Value(kind, None, getattr(view, "reason", "not readable"), when, (), where)]
    status = counting_doubts(view, resource, reading)
    if status is None:
        return []
    when, time_doubts = taken(view, reading)
    refused = refused_for_status(view)
    found = []
    for part, name in named if view is quick else _named_parts(view, reading, source):
        if part is view and is_empty(part) and view.component:
            continue
        value = refused or (NOT_READ if name.key == IN_WORDS else number(name.instead or part, name.key, reading.terms))
        if FUTURE in time_doubts:
            value = FUTURE if isinstance(value, str) else f"{value.bound}{value.quantity} {FUTURE}"
        doubts = (*status, *time_doubts, *name.doubts)
        if isinstance(value, str):
            found.append(Value(name.key, None, value, when, doubts, origin(resource, source, "")))
            continue
        notes = (*name.notes, *value.notes, *time_notes(when, reading))
        found.append(
            Value(name.key, value, "", when, doubts, origin(resource, source, value.as_received, *notes))
        )
    return found


def no_ecg_counts(resources: Iterable[Resource], reading: Reading) -> str:
    """What is said where no ECG counts and one was taken back or is about somebody else; else nothing."""
    views = (view for resource in resources if isinstance(view := resource.view(), Observation))
    return none_counts((view for view in views if does_not_count(view, reading) and _is_ecg(view, reading)), reading)


def _is_ecg(view: Observation, reading: Reading) -> bool:
    return any(name.key not in RATES for _, name in _named_parts(view, reading))


def _named_parts(view: Observation, reading: Reading, source: str = "") -> list[tuple[Component, Name]]:
    """The Observation and its components, as far as they are ECG values, each with what it is."""
    every, of_ecgs = (view, *(view.component or ())), source.endswith(_AMONG_ECGS)
    parts = ((part, name_of(part, view.method, reading) or spoken(part, reading, of_ecgs=of_ecgs)) for part in every)
    return [(part, name) for part, name in parts if name is not None]
