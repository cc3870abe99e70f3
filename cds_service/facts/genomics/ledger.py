"""Ledger: for each marker what came in, from where and how: what was found, what was tested and negative, of what there
is no result, what does not decide, and what contradicts itself. It decides nothing; rules and pages read it aloud.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cds_service.facts.fact import Fact, Key, State, known
from cds_service.facts.genomics.markers import APL_FUSION
from cds_service.facts.genomics.mutations import MARKER_NAMES, MARKERS, Mutation
from cds_service.facts.genomics.results import Result
from cds_service.facts.later import Later

PRESENT, ABSENT, CONFLICTING, OPEN, NO_RESULT = "present", "absent", "conflicting", "open", "no result"


@dataclass(frozen=True, slots=True)
class Entry:
    """One result as it came in: what it says, of which specimen, in which resource and shape, by which method."""

    outcome: str
    day: str
    resource: str
    source: str
    shape: str
    method: str
    detail: str
    received: str
    doubts: tuple[str, ...]

    @property
    def words(self) -> str:
        """The entry in one line."""
        how = ", ".join(filter(None, (self.shape, self.method, self.detail)))
        doubts = f"; {'; '.join(self.doubts)}" if self.doubts else ""
        if self.outcome not in (PRESENT, ABSENT):
            return f"{self.outcome} on {self.day} from {self.resource} ({self.received or self.shape}){doubts}"
        return f"{self.outcome} on {self.day} from {self.resource}{f' ({how})' if how else ''}{doubts}"


@dataclass(frozen=True, slots=True)
class Line:
    """What is known of one marker, why it is not, and every result of it, newest first."""

    marker: str
    label: str
    state: str
    why: str
    entries: tuple[Entry, ...]
    change: str = ""

    @property
    def words(self) -> str:
        """The line as it is read aloud."""
        if not self.entries:
            return f"{self.label}: {self.state}{f' ({self.why})' if self.why else ''}"
        every = "; also: ".join(entry.words for entry in self.entries)
        return f"{self.label}: {f'{self.state}: ' if self.state == CONFLICTING else ''}{every}"

    @property
    def short(self) -> str:
        """What the deciding result adds, in a few words: "p.Arg132His, VAF 34 %"."""
        return self.entries[0].detail if self.entries else ""


@dataclass(frozen=True, slots=True)
class Ledger:
    """One line a marker."""

    lines: Sequence[Line]

    def of(self, marker: str) -> Line:
        """The line of that marker."""
        return next(line for line in self.lines if line.marker == marker)

    def in_state(self, *states: str) -> tuple[Line, ...]:
        """The lines that stand so."""
        return tuple(line for line in self.lines if line.state in states)

    @property
    def words(self) -> tuple[str, ...]:
        """Every line as it is read aloud; the markers without any result in one."""
        silent = [line for line in self.lines if line.state == NO_RESULT and not line.entries]
        reasons = dict.fromkeys(line.why for line in silent)
        none = (
            f"{NO_RESULT} ({why}): {', '.join(line.label for line in silent if line.why == why)}" for why in reasons
        )
        return (*(line.words for line in self.lines if line not in silent), *none)

    def as_json(self) -> list[dict[str, Any]]:
        """The ledger as plain data, for a page or a file."""
        return [asdict(line) for line in self.lines]


LEDGER: Key[Ledger] = Key("genomic_ledger", "genomic results as they came in")


def read_ledger(facts: Mapping[str, Fact[Any]], beside: Callable[[], tuple[Result, ...]] = tuple) -> Fact[Ledger]:
    """The ledger of the markers among the facts, and of what came in beside them and decides nothing."""
    return known(LEDGER, Ledger(Later(lambda: _lines(facts, beside()))))


def _lines(facts: Mapping[str, Fact[Any]], beside: tuple[Result, ...]) -> tuple[Line, ...]:
    ours = tuple(_line(facts[key.name], beside) for key in MARKERS)
    others = dict.fromkeys(result.marker for result in beside if result.marker not in MARKER_NAMES)
    return (*ours, *(_noted(marker, beside) for marker in others))


def _line(fact: Fact[Mutation], beside: tuple[Result, ...]) -> Line:
    results = fact.value.results if fact.value is not None else ()
    every = (*results, *(result for result in beside if result.marker == fact.key.name))
    entries = tuple(_entry(result) for result in every)
    return Line(fact.key.name, fact.key.label, _state(fact), fact.why, entries, changed(results))


def _noted(marker: str, beside: tuple[Result, ...]) -> Line:
    """A change that is no marker of ours: told, and no rule asks for it."""
    entries = tuple(_entry(result) for result in beside if result.marker == marker)
    asked = "it tells of acute promyelocytic leukaemia" if marker == APL_FUSION else "no rule asks for it"
    return Line(marker, f"{marker} ({asked})", OPEN, "", entries)


def _state(fact: Fact[Mutation]) -> str:
    if fact.state is State.CONFLICTING:
        return CONFLICTING
    if fact.value is None:
        return NO_RESULT if fact.state is State.ABSENT else OPEN
    return PRESENT if fact.value.present else ABSENT


def _entry(result: Result) -> Entry:
    detail = result.detail
    return Entry(
        result.outcome,
        str(result.when) if result.when else "no date",
        result.origin.resource,
        result.origin.source,
        detail.shape,
        detail.method,
        detail.words,
        result.origin.as_received,
        result.doubts,
    )


def changed(results: tuple[Result, ...]) -> str:
    """Whether the marker was lost or gained between the newest result and the last that said otherwise."""
    earlier = next((each for each in results[1:] if each.outcome != results[0].outcome), None)
    if earlier is None:
        return ""
    newest = results[0]
    word = "gained" if newest.outcome == PRESENT else "lost"
    return f"{word}: {earlier.outcome} on {earlier.when or 'no date'}, {newest.outcome} on {newest.when or 'no date'}"
