"""Mutations: what the newest result says of a marker, by the day of its specimen, and what earlier ones said.

"No" has to be earned: an explicit negative result of a test that covers the marker. Silence, "no call" or an
indeterminate result are not negative. Contradictory results of one day are a conflict, not a choice. What a single
report says of which marker is for `reports` to read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cds_service.facts import markers
from cds_service.facts.fact import Fact, Key, Origin, State, known, missing
from cds_service.facts.labs import LONG_AGO, not_there
from cds_service.facts.reports import ABSENT, INDETERMINATE, PRESENT, said_by, test_of
from cds_service.facts.results import Reading, origin, status_doubts, taken
from cds_service.facts.times import When
from cds_service.gather.replies import Reply, Status
from cds_service.gather.resources import Resource
from cds_service.gather.views import Observation
from cds_service.quantity import Quantity


@dataclass(frozen=True, slots=True)
class Result:
    """One result of one marker: present, absent or indeterminate, by specimen time; a share where one is measured."""

    marker: str
    outcome: str
    words: str
    when: When | None
    origin: Origin
    doubts: tuple[str, ...] = ()
    share: Quantity | None = None


@dataclass(frozen=True, slots=True)
class Mutation:
    """Whether a marker is present in the newest result, and all results, newest first."""

    present: bool
    results: tuple[Result, ...]


FLT3_ITD: Key[Mutation] = Key(markers.ITD, "FLT3-ITD", "flt3_itd")
FLT3_TKD: Key[Mutation] = Key(markers.TKD, "FLT3-TKD (D835 or I836)", "flt3_tkd")
IDH1: Key[Mutation] = Key("IDH1", "IDH1 mutation (R132)", "myeloid_panel")
IDH2: Key[Mutation] = Key("IDH2", "IDH2 mutation (R140 or R172)", "myeloid_panel")
NPM1: Key[Mutation] = Key("NPM1", "NPM1 mutation", "myeloid_panel")
KMT2A_R: Key[Mutation] = Key(markers.REARRANGEMENT, "KMT2A rearrangement", "kmt2a")
TP53: Key[Mutation] = Key("TP53", "TP53 mutation", "myeloid_panel")
RUNX1: Key[Mutation] = Key("RUNX1", "RUNX1 mutation", "myeloid_panel")
CD33: Key[Mutation] = Key(markers.CD33, "CD33 on the blasts", "cd33")
MARKERS: tuple[Key[Mutation], ...] = (FLT3_ITD, FLT3_TKD, IDH1, IDH2, NPM1, KMT2A_R, TP53, RUNX1, CD33)
MARKER_NAMES = {key.name: key for key in MARKERS}


def read_mutations(
    observations: Iterable[tuple[Resource, str]], reply: Reply, reading: Reading
) -> dict[str, Fact[Mutation]]:
    """For each marker what the newest result says, or why nothing is known."""
    results: list[Result] = []
    unreadable = ""
    for resource, source in observations:
        found = _results(resource, source, reading)
        if isinstance(found, str):
            unreadable = unreadable or found
        else:
            results.extend(found)
    return {key.name: _fact(key, results, reply, unreadable) for key in MARKERS}


def _fact(key: Key[Mutation], results: list[Result], reply: Reply, unreadable: str) -> Fact[Mutation]:
    own = sorted((r for r in results if r.marker == key.name), key=_place)
    decided = [result for result in own if result.outcome in (PRESENT, ABSENT)]
    if not decided:
        if own:
            return missing(key, State.UNREADABLE, f"result of {own[0].when or 'no date'}: {own[0].words}")
        return missing(key, State.UNREADABLE, unreadable) if unreadable else _absent(key, reply)
    first = decided[0]
    same_day = [r for r in decided if r.when is first.when is None or _may_be_of_one_day(r, first)]
    conflict = {r.outcome for r in same_day} == {PRESENT, ABSENT}
    doubts = list(first.doubts)
    unsure = next((r for r in own if r.outcome == INDETERMINATE and not _is_older(r, first)), None)
    if unsure is not None:
        doubts.append(f"a newer result is indeterminate ({unsure.when or 'no date'})")
    if any(r.when is None and r.outcome != first.outcome for r in decided) and not conflict:
        doubts.append("a result without date says otherwise")
    if unreadable:
        doubts.append(f"another result could not be read: {unreadable}")
    if reply.status is not Status.COMPLETE:
        doubts.append(f"not every result was read: {reply.why}")
    value = Mutation(conflict or first.outcome == PRESENT, tuple(decided))
    fact = known(key, value, first.when, first.origin, doubts=tuple(doubts))
    if not conflict:
        return fact
    return Fact(
        key,
        State.CONFLICTING,
        value,
        first.when,
        first.origin,
        doubts=(*doubts, "conflicting results of one day"),
        why=f"results of {first.when} say both present and absent",
    )


def _absent(key: Key[Mutation], reply: Reply) -> Fact[Mutation]:
    nothing = not_there(Key(key.name, key.label), reply)
    return missing(key, nothing.state, nothing.why)


def _place(result: Result) -> tuple[float, str, str]:
    """Newest first, present before absent, and an order of their own for results of one time."""
    latest = result.when.latest if result.when else LONG_AGO
    return -latest.timestamp(), "" if result.outcome == PRESENT else result.outcome, result.origin.resource


def _may_be_of_one_day(one: Result, other: Result) -> bool:
    return (
        one.when is not None
        and other.when is not None
        and one.when.latest.date() >= other.when.earliest.date()
        and other.when.latest.date() >= one.when.earliest.date()
    )


def _is_older(one: Result, other: Result) -> bool:
    """Whether `one` lies before the day of `other`; a result without a date may be the newest."""
    return one.when is not None and (other.when is None or one.when.latest.date() < other.when.earliest.date())


def _results(resource: Resource, source: str, reading: Reading) -> list[Result] | str:
    """What one Observation says of our markers; a reason in words when it concerns them and cannot be read."""
    quick = resource.view()
    if not isinstance(quick, Observation):
        return []
    test = test_of(quick, reading)
    if test is None:
        return []
    view = resource.checked()
    if not isinstance(view, Observation):
        return getattr(view, "reason", "not readable")
    doubts = status_doubts(view)
    if doubts is None:
        return []
    when, time_doubts = taken(view, reading)
    return [
        Result(
            said.marker,
            said.outcome,
            said.words,
            when,
            origin(resource, source, said.words),
            (*doubts, *time_doubts, *said.doubts),
            said.share,
        )
        for said in said_by(view, test, reading)
    ]
