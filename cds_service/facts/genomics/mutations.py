"""Mutations: what the newest result says of a marker, by the day of its specimen, and what earlier ones said.

"No" has to be earned: an explicit negative result of a test that covers the marker. Silence, "no call" or an
indeterminate result are not negative. Contradictory results of one day are a conflict, not a choice. Which results
there are is for `results` to read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from cds_service.facts.entries import Entry
from cds_service.facts.fact import Fact, Key, State, known, missing
from cds_service.facts.genomics import markers, variants
from cds_service.facts.genomics.answers import NO_VALUE
from cds_service.facts.genomics.diagnosed import BY_DIAGNOSIS, diagnosed
from cds_service.facts.genomics.gene_results import OF_ONE
from cds_service.facts.genomics.panels import MAY_MISS
from cds_service.facts.genomics.results import HINT, VOID, Result, read_results
from cds_service.facts.genomics.said import ELSEWHERE, OTHER_CHANGE, UNSTATED
from cds_service.facts.genomics.wording import ABSENT, INDETERMINATE, PRESENT
from cds_service.facts.values.labs import not_there
from cds_service.facts.values.newest import LONG_AGO
from cds_service.facts.values.results import Reading
from cds_service.gather.replies import Reply, Status
from cds_service.gather.resources import Resource


@dataclass(frozen=True, slots=True)
class Mutation:
    """Whether a marker is present in the newest result, and all results, newest first."""

    present: bool
    results: tuple[Result, ...]

    @property
    def told(self) -> str:
        """What the newest result says, in a word; of a share its number."""
        words = self.results[0].words
        return words if words.endswith("%") else PRESENT if self.present else ABSENT


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
_READ: dict[str, Key[Mutation]] = {  # the fusion has no fact of its own: it goes into that of APL
    **MARKER_NAMES,
    markers.APL_FUSION: Key(markers.APL_FUSION, "PML::RARA fusion"),
}


def read_mutations(
    observations: Iterable[tuple[Resource, str]],
    reply: Reply,
    reading: Reading,
    others: Iterable[tuple[Resource, str]] = (),
    history: Iterable[Entry] = (),
) -> Mutations:
    """For each marker what the newest result says, or why nothing is known.

    `others`: reports and specimens. `history`: the diagnoses, whose words may name what no result tells.
    """
    found = read_results(observations, reading, others)
    return Mutations([*found.results, *diagnosed(history, reading)], found.unreadable, reply)


class Mutations:
    """The results by marker. The fact of each marker is read when it is asked for."""

    def __init__(self, results: Iterable[Result], unreadable: str, reply: Reply) -> None:
        self._unreadable, self._reply = unreadable, reply
        self._own: dict[str, list[Result]] = {name: [] for name in _READ}
        self._asides: list[Result] = []
        for result in results:
            if result.marker in self._own:
                self._own[result.marker].append(result)
            if result.marker not in MARKER_NAMES or result.outcome not in (PRESENT, ABSENT):
                self._asides.append(result)

    def fact(self, marker: str) -> Fact[Mutation]:
        """What the newest result says of that marker, or why nothing is known."""
        return _fact(_READ[marker], self._own[marker], self._reply, self._unreadable)

    def beside(self) -> tuple[Result, ...]:
        """What came in and decides nothing: no call, cancelled, a hint, a change that is none of our markers."""
        return tuple(sorted(self._asides, key=_place))


def _fact(key: Key[Mutation], results: list[Result], reply: Reply, unreadable: str) -> Fact[Mutation]:
    """What the results of one marker say."""
    own = sorted(results, key=_place)
    decided = [result for result in own if result.outcome in (PRESENT, ABSENT)]
    if not decided:
        return _undecided(key, own, reply, unreadable)
    first = decided[0]
    same_day = [r for r in decided if r.when is first.when is None or _may_be_of_one_day(r, first)]
    conflict = {r.outcome for r in same_day} == {PRESENT, ABSENT}
    doubts = list(first.doubts)
    open_beside = {INDETERMINATE} if first.outcome == PRESENT else {INDETERMINATE, OTHER_CHANGE, UNSTATED}
    unsure = next((r for r in own if r.outcome in open_beside and not _is_older(r, first)), None)
    if unsure is not None:
        doubts.append(_left_open(unsure, first))
    if any(r.when is None and r.outcome != first.outcome for r in decided) and not conflict:
        doubts.append("a result without date says otherwise")
    denied = next((r for r in own if first.outcome == PRESENT and _denies(r, first)), None)
    if denied is not None:
        doubts.append(f"{first.detail.change} is absent in a result of {denied.when or 'no date'}")
    if first.outcome == PRESENT and any(MAY_MISS in r.doubts and _is_older(first, r) for r in own):
        doubts.append("a newer sequencing found none, and may miss it")
    if unreadable:
        doubts.append(f"another result could not be read: {unreadable}")
    if reply.status is not Status.COMPLETE:
        doubts.append(f"not every result was read: {reply.why}")
    value = Mutation(conflict or first.outcome == PRESENT, tuple(decided))
    fact = known(key, value, first.when, first.origin, doubts=tuple(doubts))
    if not conflict:
        return fact
    undated = any(r.when is not None and r.when.filed for r in same_day)
    rivals = "conflicting results, whose order in time is not known" if undated else "conflicting results of one day"
    return Fact(
        key,
        State.CONFLICTING,
        value,
        first.when,
        first.origin,
        doubts=(*doubts, rivals),
        why=f"results of {first.when} say both present and absent",
    )


def _denies(other: Result, found: Result) -> bool:
    """Whether the other result is as new, or newer, and says that the very change which was found is absent."""
    if other.outcome != ELSEWHERE or other.words != OF_ONE or _is_older(other, found):
        return False
    return variants.is_same_change(other.detail.change, found.detail.change)


def _left_open(unsure: Result, decided: Result) -> str:
    """The doubt that a result raises which is as new as the one that decides, or newer."""
    day = unsure.when or "no date"
    newer = decided.when is None or unsure.when is None or _is_older(decided, unsure)
    if newer and unsure.outcome == INDETERMINATE:
        silent = unsure.words == NO_VALUE  # registered, say, and not reported yet
        return f"a newer result {'has no value' if silent else 'is indeterminate'} ({day})"
    return f"another result ({day}): {unsure.words}"


def _undecided(key: Key[Mutation], own: list[Result], reply: Reply, unreadable: str) -> Fact[Mutation]:
    """Why nothing is known of the marker, in words: the newest result that does not decide first."""
    told = next((r for r in own if r.outcome not in (VOID, HINT)), None)
    if told is not None:
        return missing(key, State.UNREADABLE, f"result of {told.when or 'no date'}: {told.words}")
    if unreadable:
        return missing(key, State.UNREADABLE, unreadable)
    nothing = _absent(key, reply)
    hints = [r for r in own if r.outcome == HINT]
    hint = min(hints, key=lambda r: r.told is BY_DIAGNOSIS, default=None)  # what a report concludes goes before
    if hint is not None and nothing.state is State.ABSENT:
        return missing(key, State.UNREADABLE, hint.words)
    if hint is not None:
        return replace(nothing, why=f"{nothing.why}; {hint.words}")
    void = next((r for r in own if r.outcome == VOID), None)
    return nothing if void is None else replace(nothing, why=f"result of {void.when or 'no date'}: {void.words}")


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


