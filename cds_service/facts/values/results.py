"""Results: what every reader of Observations needs. When was it taken, and does its status count.

A value counts when its status is final, amended or corrected; preliminary values warn and never clear. Its time is when
it was taken, not when it was filed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo

from cds_service.facts.fact import Origin
from cds_service.facts.times import When
from cds_service.gather.resources import Resource
from cds_service.gather.views import Observation
from cds_service.knowledge.terms import Terms
from cds_service.quantity import Quantity

COUNTING = frozenset({"final", "amended", "corrected"})
WITH_CAVEAT = frozenset({"preliminary", "registered"})
NEVER = frozenset({"entered-in-error", "cancelled"})
FUTURE = "dated in the future"
FILED = "only the filing time is known"
_MOST_PROSE = 300_000  # characters of reports that are followed in one call: more would take the time of the checks
_ZONES = timedelta(days=1)  # a clock of another zone is ahead by less: only what is further ahead is a wrong date


@dataclass(frozen=True, slots=True)
class Spans:
    """How far apart things may lie and still belong together, as the hospital's policy says."""

    same_ecg: Quantity  # values of one ECG
    goes_on: Quantity  # a dose that was given, and today: it may be one of many
    ordered: Quantity  # an order of a test, and today: one that stands open for longer is offered again
    named_again: Quantity  # a relapse on record, and the visit that names it again: later it is another one
    renewed: Quantity  # the last day of an order, and the draft that goes on with it
    renewed_by_name: Quantity  # the same, of a draft that names that order
    paused: Quantity  # the start of a course, and the draft that goes on with it where no last day is stated
    pregnant: Quantity  # a pregnancy on record, and today: an older one may be over


@dataclass(frozen=True, slots=True)
class Reading:
    """Where and how facts are read in this call: the terms, the site's zone, and now; and of whom."""

    terms: Terms
    zone: tzinfo
    now: datetime
    patient_id: str = ""
    _prose: list[int] = field(default_factory=lambda: [0], repr=False, compare=False)  # characters of reports so far
    _times: dict[str | None, When | None] = field(default_factory=dict, repr=False, compare=False)
    wrong_after: datetime = field(init=False, repr=False, compare=False)  # what is dated later has a wrong date

    def __post_init__(self) -> None:
        object.__setattr__(self, "wrong_after", (self.now + _ZONES).astimezone(UTC))

    def follows(self, prose: str) -> bool:
        """Whether there is time in this call to follow the words of one more report."""
        self._prose[0] += len(prose)
        return self._prose[0] <= _MOST_PROSE

    def when(self, text: str | None) -> When | None:
        """The time that is written, as `When.read` has it: many results of a call share one."""
        found = self._times.get(text, ...)
        if found is ...:
            found = self._times[text] = When.read(text, self.zone)
        return found


def taken(observation: Observation, reading: Reading) -> tuple[When | None, tuple[str, ...]]:
    """When the specimen or tracing was taken, with doubts: only filed, no date, or dated in the future."""
    when, doubts = at_effective(observation, reading)
    if when is not None:
        return when, doubts
    filed = reading.when(observation.issued)
    return filed, (FILED if filed else "no date", *_ahead(filed, reading))


def at_effective(observation: Observation, reading: Reading) -> tuple[When | None, tuple[str, ...]]:
    """When it was taken as its effective time says, and the doubt that it lies in the future."""
    when = reading.when(observation.effectiveDateTime)
    if when is None:
        period = observation.effectivePeriod
        others = (
            observation.effectiveInstant,
            period.end if period else None,
            period.start if period else None,
            *_moments(observation),
        )
        when = next((found for text in others if (found := reading.when(text)) is not None), None)
    return when, _ahead(when, reading)


def _ahead(when: When | None, reading: Reading) -> tuple[str, ...]:
    return (FUTURE,) if when is not None and when.earliest > reading.wrong_after else ()


def _moments(observation: Observation) -> list[str]:
    """The moments that its Timing names, the last one first; what they say is read, not how they are written."""
    return sorted((observation.effectiveTiming.event or ()) if observation.effectiveTiming else (), reverse=True)


def time_notes(when: When | None, reading: Reading) -> tuple[str, ...]:
    """What was assumed about the time, and that a clock goes wrong somewhere."""
    if when is None:
        return ()
    ahead = when.earliest > reading.now
    return (*(("time zone assumed",) if when.zone_assumed else ()), *(("dated later than now",) if ahead else ()))


def refused_for_status(observation: Observation) -> str:
    """Why a result of that status is never used though nobody took it back; "" where it may be."""
    return "its status is unknown" if observation.status == "unknown" else ""


def status_doubts(observation: Observation) -> tuple[str, ...] | None:
    """The doubts that the status raises; None when the observation does not count at all."""
    if observation.status in COUNTING:
        return ()
    if observation.status in NEVER:
        return None
    return (observation.status,) if observation.status in WITH_CAVEAT else ("status not stated as final",)


def origin(resource: Resource, source: str, as_received: str, *notes: str) -> Origin:
    """The origin of a value, with what was mended in its resource."""
    return Origin(resource.reference, source, as_received, (*resource.notes, *notes))
