"""Course: how the AML went so far. Which relapse this is, how long the first remission held, whether it saw a donor.

Whole calendar months, as an interval where a date is a month or a year. Nothing is filled in: what no entry says stays
unknown, and what rests on an entry that is not certain, or on the day on which one was recorded, is doubtful. An
autologous transplantation is no allogeneic one; a bare "transplant status" does not say which it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import msgspec

from cds_service.facts.denials import is_no_aberration
from cds_service.facts.diagnoses import IN_RELAPSE, IN_REMISSION
from cds_service.facts.disease import is_aml, may_follow, no_relapse_in
from cds_service.facts.entries import Entry
from cds_service.facts.fact import Fact, Key, State, known, missing
from cds_service.facts.genomics.karyotype import Karyotype
from cds_service.facts.times import When
from cds_service.facts.values.results import Reading


@dataclass(frozen=True, slots=True)
class Months:
    """Whole calendar months, from the fewest to the most that the dates allow."""

    fewest: int
    most: int

    def __str__(self) -> str:
        return f"{self.fewest} months" if self.fewest == self.most else f"{self.fewest} to {self.most} months"


FIRST_REMISSION: Key[Months] = Key("first_remission", "duration of the first remission")
TO_RELAPSE: Key[Months] = Key("to_relapse", "months from the first remission to this relapse")
RELAPSE_NUMBER: Key[int] = Key("relapse_number", "number of the relapse")
ALLOGENEIC: Key[bool] = Key("allogeneic_hsct", "earlier allogeneic transplantation")
CYTOGENETICS: Key[str] = Key("cytogenetics", "cytogenetics at diagnosis")

COURSE_FACTS = tuple(key.name for key in (FIRST_REMISSION, TO_RELAPSE, RELAPSE_NUMBER, ALLOGENEIC, CYTOGENETICS))

_COUNTED = "counted from the entries on record"
_NOTED = "counted by the days on which the entries were recorded"
_GRAFT = "hsct_procedure"  # the one entry whose date is that of the transplant


class Course:
    """What the problem list, past entries included, and the procedures say of the course, when it is asked for."""

    def __init__(
        self,
        history: Fact[tuple[Entry, ...]],
        procedures: Fact[tuple[Entry, ...]],
        relapse: Fact[Entry],
        reading: Reading,
        karyotypes: Callable[[], list[Karyotype]],
    ) -> None:
        self._history, self._procedures, self._relapse, self._reading = history, procedures, relapse, reading
        self._karyotypes = karyotypes

    def fact(self, name: str) -> Fact[Any]:
        """The fact of that name."""
        return self._facts[name]

    @cached_property
    def _facts(self) -> dict[str, Fact[Any]]:
        history, reading = self._history, self._reading
        aml = _placed([entry for entry in history.value or () if is_aml(entry)])
        first = _first_remission(aml, reading)
        found: tuple[Fact[Any], ...] = (
            *_lasted(history, aml, first, self._relapse),
            _number(history, aml, reading),
            _allogeneic(history, self._procedures, reading),
            _cytogenetics(history, aml, self._karyotypes(), first, reading),
        )
        return {fact.key.name: fact for fact in found}


def _placed(aml: list[Entry]) -> list[Entry]:
    """The entries; a relapse that may have come after a remission, by the date of the disease, is without date."""
    remissions = [entry for entry in aml if entry.status in IN_REMISSION]
    return [
        msgspec.structs.replace(entry, when=None) if any(may_follow(entry, each) for each in remissions) else entry
        for entry in aml
    ]


def _first_remission(aml: list[Entry], reading: Reading) -> Entry | None:
    """The earliest dated remission that no word calls a later one, and that no relapse precedes."""
    remissions = [e for e in aml if e.status in IN_REMISSION and e.when and _ordinal(e, reading) in (0, 1)]
    first = min(remissions, key=_start, default=None)
    relapses = [e for e in aml if e.status in IN_RELAPSE and e.when]
    if first is None or any(_start(relapse) < _start(first) for relapse in relapses):
        return None
    return first


def _lasted(
    history: Fact[tuple[Entry, ...]], aml: list[Entry], first: Entry | None, relapse: Fact[Entry]
) -> tuple[Fact[Months], Fact[Months]]:
    """How long the first remission held, and how long after its begin this relapse came."""
    if history.value is None:
        return missing(FIRST_REMISSION, history.state, history.why), missing(TO_RELAPSE, history.state, history.why)
    if first is None or first.when is None:
        why = "no entry of a first remission with its date"
        return missing(FIRST_REMISSION, State.ABSENT, why), missing(TO_RELAPSE, State.ABSENT, why)
    lasted = _held(history, aml, first, first.when)
    if relapse.when is None or (relapse.value is not None and may_follow(relapse.value, first)):
        return lasted, missing(TO_RELAPSE, State.ABSENT, relapse.why or "the relapse has no date")
    months, doubts = _between(first.when, relapse.when), _doubts(history, first, relapse.value)
    return lasted, known(TO_RELAPSE, months, relapse.when, first.origin, doubts=doubts)


def _held(history: Fact[tuple[Entry, ...]], aml: list[Entry], first: Entry, begin: When) -> Fact[Months]:
    """How long the first remission held: until it abated, and no longer than until the relapse after it."""
    relapses = [entry for entry in aml if entry.status in IN_RELAPSE and entry.when and _start(entry) >= _start(first)]
    relapse = min(relapses, key=_start, default=None)
    ends = [when for when in (first.ended, relapse.when if relapse else None) if when is not None]
    end = min(ends, key=lambda when: when.earliest, default=None)
    if end is None:
        return missing(FIRST_REMISSION, State.ABSENT, "the end of the first remission has no date")
    if end.latest.date() < begin.earliest.date():
        return missing(FIRST_REMISSION, State.CONFLICTING, f"the first remission began on {begin} and ended on {end}")
    doubts = _doubts(history, first, relapse if relapse is not None and end is relapse.when else None)
    return known(FIRST_REMISSION, _between(begin, end), end, first.origin, doubts=doubts)


def _doubts(history: Fact[tuple[Entry, ...]], *entries: Entry | None) -> tuple[str, ...]:
    """What makes one doubt a time that is counted from these entries."""
    used = [entry for entry in entries if entry is not None]
    by_record = (_NOTED,) if any(entry.noted for entry in used) else ()
    return tuple(dict.fromkeys((*history.doubts, *(doubt for entry in used for doubt in entry.doubts), *by_record)))


def _number(history: Fact[tuple[Entry, ...]], aml: list[Entry], reading: Reading) -> Fact[int]:
    """Which relapse this is: as a word states it, else counted, each after a remission of its own."""
    if history.value is None:
        return missing(RELAPSE_NUMBER, history.state, history.why)
    relapses = [entry for entry in aml if entry.status in IN_RELAPSE]
    if not relapses:
        return missing(RELAPSE_NUMBER, State.ABSENT, no_relapse_in(history))
    last = max(relapses, key=lambda entry: (entry.when is not None, _day(entry)))
    named = max(relapses, key=lambda entry: (_ordinal(entry, reading), entry.certain))
    stated = _ordinal(named, reading)
    counted = max(1, _after_remissions(aml))
    if stated >= counted:
        return known(RELAPSE_NUMBER, stated, last.when, last.origin, doubts=(*history.doubts, *named.doubts))
    return known(RELAPSE_NUMBER, counted, last.when, last.origin, doubts=(*history.doubts, _COUNTED))


def _after_remissions(aml: list[Entry]) -> int:
    """How many relapses stand on record with a remission of their own before each but the first."""
    dated = sorted((entry for entry in aml if entry.when), key=_start)
    found, in_relapse = 0, False
    for entry in dated:
        if entry.status in IN_RELAPSE and not in_relapse:
            found, in_relapse = found + 1, True
        elif entry.status in IN_REMISSION:
            in_relapse = False
    return found


def _allogeneic(
    history: Fact[tuple[Entry, ...]], procedures: Fact[tuple[Entry, ...]], reading: Reading
) -> Fact[bool]:
    entries = [*(history.value or ()), *(procedures.value or ())]

    def of(group: str) -> list[Entry]:
        names = reading.terms.groups[group]
        return [entry for entry in entries if not names.isdisjoint(entry.keys)]

    if sure := of("allogeneic transplant"):
        certain = [entry for entry in sure if entry.certain] or sure
        grafts = [entry for entry in certain if _GRAFT in entry.keys]
        newest = max(grafts or certain, key=lambda entry: (entry.when is not None, _day(entry)))
        return known(ALLOGENEIC, True, newest.when if grafts else None, newest.origin, doubts=newest.doubts)
    own = of("autologous transplant")
    untold = next((each for each in of("some transplant") if not own or _is_another(each, own, procedures)), None)
    if untold is not None:
        return missing(ALLOGENEIC, State.UNREADABLE, f"'{untold.words}' does not say whether it was allogeneic")
    for fact in (procedures, history):
        if fact.value is None:
            return missing(ALLOGENEIC, fact.state, fact.why)
    doubts = tuple(dict.fromkeys((*procedures.doubts, *history.doubts)))
    return known(ALLOGENEIC, False, None, procedures.origin, doubts=doubts)


def _is_another(graft: Entry, others: list[Entry], procedures: Fact[tuple[Entry, ...]]) -> bool:
    """Whether the procedure was done on another day than all of these: it is another one than they."""
    if graft.when is None or graft.noted or graft not in (procedures.value or ()):
        return False
    days = [each.when for each in others if each.when is not None]
    return bool(days) and all(
        each.latest < graft.when.earliest or graft.when.latest < each.earliest for each in days
    )


def _cytogenetics(
    history: Fact[tuple[Entry, ...]], aml: list[Entry], results: list[Karyotype], first: Entry | None, reading: Reading
) -> Fact[str]:
    """The group that the names of the AML entries state, and karyotypes from before the first remission; two of them
    decide nothing. A karyotype of another or an unknown time leaves open what it was at diagnosis.
    """
    table = reading.terms.words["cytogenetics"]
    found = {
        group: entry
        for entry in sorted(aml, key=lambda entry: entry.certain)
        for start, _, group in table.spans(entry.words)
        if not is_no_aberration(entry.words, start)
    }
    began = _start(first) if first is not None and not first.noted else date.min
    results = sorted(results, key=_weight)  # the last one of a group counts
    early = [each for each in results if each.when and each.when.latest.date() <= began]
    measured = {each.group: each for each in early if each.group is not None}
    if len(found.keys() | measured.keys()) > 1:
        named = " and ".join(sorted(found.keys() | measured.keys()))
        return missing(CYTOGENETICS, State.CONFLICTING, f"the record names {named}")
    for group, entry in found.items():
        return known(CYTOGENETICS, group, entry.when, entry.origin, doubts=(*history.doubts, *entry.doubts))
    for group, each in measured.items():
        return known(CYTOGENETICS, group, each.when, each.origin, doubts=(*history.doubts, *each.doubts))
    others = {each.group: each for each in results if each.group is not None}
    if len(others) > 1:
        return missing(CYTOGENETICS, State.CONFLICTING, f"the record names {' and '.join(sorted(others))}")
    for group, each in others.items():
        doubts = (*history.doubts, *each.doubts, "whether it is the karyotype of the diagnosis is not known")
        return known(CYTOGENETICS, group, each.when, each.origin, doubts=doubts)
    if results:
        return missing(CYTOGENETICS, State.UNREADABLE, "a karyotype could not be read")
    if history.value is None:
        return missing(CYTOGENETICS, history.state, history.why)
    return missing(CYTOGENETICS, State.ABSENT, "no entry and no result names the karyotype")


def _weight(result: Karyotype) -> tuple[bool, float, str]:
    """In which order karyotypes count, in whatever order they came: certain ones last, and of those the oldest."""
    when = result.when
    return not result.doubts, -when.latest.timestamp() if when is not None else 0.0, result.origin.resource


def _ordinal(entry: Entry, reading: Reading) -> int:
    return max((int(number) for number in reading.terms.words["ordinal"].find_all(entry.words)), default=0)


def _start(entry: Entry) -> date:
    return entry.when.earliest.date() if entry.when else date.max


def _day(entry: Entry) -> date:
    return entry.when.earliest.date() if entry.when else date.min


def _between(start: When, end: When) -> Months:
    fewest = _months(start.latest.date(), end.earliest.date())
    return Months(max(0, fewest), max(0, _months(start.earliest.date(), end.latest.date())))


def _months(start: date, end: date) -> int:
    """Whole calendar months from one day to another."""
    return (end.year - start.year) * 12 + end.month - start.month - (end.day < start.day)
