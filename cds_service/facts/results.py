"""Results: what every reader of Observations needs. When was it taken, does its status count, what number does it hold.

A value counts when its status is final, amended or corrected; preliminary values warn and never clear. Its time is when
it was taken, not when it was filed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from cds_service.facts.fact import Origin
from cds_service.facts.times import When
from cds_service.gather.resources import Resource
from cds_service.gather.views import Component, Observation
from cds_service.knowledge.terms import Terms
from cds_service.quantity import Quantity

COUNTING = frozenset({"final", "amended", "corrected"})
WITH_CAVEAT = frozenset({"preliminary", "registered"})
NEVER = frozenset({"entered-in-error", "cancelled"})
BOUNDS = frozenset({"<", "<=", ">", ">="})


@dataclass(frozen=True, slots=True)
class Reading:
    """Where and how facts are read in this call: the terms, the site's zone, and now."""

    terms: Terms
    zone: tzinfo
    now: datetime


@dataclass(frozen=True, slots=True)
class Number:
    """A measured value in its canonical unit, as received, and perhaps only as a bound."""

    quantity: Quantity
    as_received: str
    bound: str = ""


def taken(observation: Observation, reading: Reading) -> tuple[When | None, tuple[str, ...]]:
    """When the specimen or tracing was taken, with doubts: only filed, no date, or dated in the future."""
    period = observation.effectivePeriod
    for text in (
        observation.effectiveDateTime,
        observation.effectiveInstant,
        period.end if period else None,
        period.start if period else None,
    ):
        when = When.read(text, reading.zone)
        if when is not None:
            future = when.earliest > reading.now + timedelta(days=1)
            return when, ("dated in the future",) if future else ()
    filed = When.read(observation.issued, reading.zone)
    return filed, ("only the filing time is known" if filed else "no date",)


def status_doubts(observation: Observation) -> tuple[str, ...] | None:
    """The doubts that the status raises; None when the observation does not count at all."""
    if observation.status in COUNTING:
        return ()
    if observation.status in NEVER:
        return None
    return (observation.status,) if observation.status in WITH_CAVEAT else ("status not stated as final",)


def number(component: Component, key: str, terms: Terms) -> Number | str:
    """The number that an observation or component holds under `key`, or why there is none, in words."""
    value = component.valueQuantity
    if value is None and component.valueInteger is not None:
        return "a number without unit"
    if value is None or value.value is None:
        return _why_no_number(component)
    if value.comparator is not None and value.comparator not in BOUNDS:
        return "a comparator that FHIR does not have"
    table = terms.units.get(key)
    unit = value.code if value.code and terms.system(value.system).endswith("unitsofmeasure.org") else value.unit
    unit = unit or value.code
    if table is None or not unit:
        return "a number without unit" if not unit else "a kind of value that is not read here"
    converted = table.convert(value.value, unit)
    if converted is None:
        return f"unit '{unit[:20]}' is not one we convert"
    if not table.plausible(converted):
        return f"{value.value} {unit[:20]} is not a possible value"
    return Number(converted, f"{value.comparator or ''}{value.value} {unit}", value.comparator or "")


def _why_no_number(component: Component) -> str:
    if component.dataAbsentReason is not None:
        return "stated as not known"
    if component.valueSampledData is not None:
        return "a waveform, which is not read"
    if component.valueRange is not None:
        return "a range, not a value"
    return "text instead of a number" if component.valueString else "no value"


def origin(resource: Resource, source: str, as_received: str, *notes: str) -> Origin:
    """The origin of a value, with what was mended in its resource."""
    return Origin(resource.reference, source, as_received, (*resource.notes, *notes))
