"""Mutations: what the newest result says of a marker, by the day of its specimen, and what earlier ones said.

"No" has to be earned: an explicit negative result of a test that covers the marker. Silence, "no call" or an
indeterminate result are not negative. Contradictory results of one day are a conflict, not a choice. What a single
result says of which marker is for `reports` to read, when its specimen was taken for `specimens`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial

from msgspec.structs import replace

from cds_service.facts.concepts import text
from cds_service.facts.fact import Fact, Key, Origin, State, known, missing
from cds_service.facts.genomics import markers
from cds_service.facts.genomics.conclusions import changes_named, hinted_by
from cds_service.facts.genomics.details import NO_DETAIL, Detail, Part, detail_of, is_coded
from cds_service.facts.genomics.gene_results import OF_ONE
from cds_service.facts.genomics.panels import MAY_MISS, Panel, covered
from cds_service.facts.genomics.reports import told_by
from cds_service.facts.genomics.said import ELSEWHERE, OTHER_CHANGE, UNREAD, UNSTATED, Said
from cds_service.facts.genomics.specimens import Sheet, Sheets, read_sheets
from cds_service.facts.genomics.tested import is_unnamed, tests_in
from cds_service.facts.genomics.unread import apl_of_karyotype
from cds_service.facts.genomics.whose import not_of_the_leukaemia, noted
from cds_service.facts.genomics.wording import ABSENT, INDETERMINATE, PRESENT
from cds_service.facts.times import When
from cds_service.facts.values.labs import not_there
from cds_service.facts.values.newest import LONG_AGO
from cds_service.facts.values.results import NEVER, Reading, status_doubts
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
    told: Detail | Callable[[], Detail] = field(default=NO_DETAIL, compare=False, repr=False)  # or who tells it

    @property
    def detail(self) -> Detail:
        """What it adds to its outcome. No rule asks for that: it is read where somebody wants to see it."""
        return self.told() if callable(self.told) else self.told


VOID, HINT = "void", "hint"  # cancelled or entered in error; or the conclusion of a report: neither ever decides
_SPOKEN_OF = frozenset({PRESENT, ABSENT, INDETERMINATE, OTHER_CHANGE, UNSTATED, UNREAD, VOID})


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
_READ: dict[str, Key[Mutation]] = {  # the fusion has no fact of its own: it goes into that of APL
    **MARKER_NAMES,
    markers.APL_FUSION: Key(markers.APL_FUSION, "PML::RARA fusion"),
}


@dataclass(slots=True)
class _Found:
    """What the results say, and the first reason why one could not be read."""

    results: list[Result]
    unreadable: str = ""


def read_mutations(
    observations: Iterable[tuple[Resource, str]],
    reply: Reply,
    reading: Reading,
    others: Iterable[tuple[Resource, str]] = (),
) -> Mutations:
    """For each marker what the newest result says, or why nothing is known. `others`: reports and specimens."""
    sheets = read_sheets(others)
    found = _Found([], sheets.unreadable)
    panels = {sheet.reference: Panel(sheet) for sheet in sheets.reports}
    for resource, source in observations:
        sheet = sheets.of_result.get(resource.reference) if sheets.reports else None
        _read(resource, source, resource.reference, sheet, sheets, panels, found, reading)
    for resource, source, name, sheet in sheets.inside:
        _read(resource, source, name, sheet, sheets, panels, found, reading)
    for panel in panels.values():
        found.results += _of_report(panel, sheets, reading)
    return Mutations(_outweighed(_unexplained(found.results)), found.unreadable, reply)


def _outweighed(results: list[Result]) -> list[Result]:
    """The results; beside a test of the marker itself the silence of a sequencing that may miss it decides nothing."""
    if not any(MAY_MISS in result.doubts for result in results):
        return results
    told = {r.marker for r in results if r.outcome in (PRESENT, ABSENT) and MAY_MISS not in r.doubts}
    return [
        dataclasses.replace(result, outcome=ELSEWHERE)
        if MAY_MISS in result.doubts and result.marker in told
        else result
        for result in results
    ]


def _unexplained(results: list[Result]) -> list[Result]:
    """The results without those that leave open which change they found, where one of that time or newer names it."""
    asked: dict[str, set[str]] = {}
    for result in results:
        if result.outcome == UNSTATED:
            asked.setdefault(result.origin.resource, set()).add(result.marker)
    if not asked:
        return results
    named: dict[str, date] = {}  # until when each marker was found; one without a date may be the newest
    for result in results:
        if result.outcome == PRESENT:
            last = result.when.latest.date() if result.when else date.max
            named[result.marker] = max(last, named.get(result.marker, date.min))
    return [
        result
        for result in results
        if result.outcome != UNSTATED or not _is_named(result, asked[result.origin.resource], named)
    ]


def _is_named(result: Result, asked: Iterable[str], named: Mapping[str, date]) -> bool:
    since = result.when.earliest.date() if result.when else date.max
    return any(named.get(marker, date.min) >= since for marker in asked)


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
    return markers.is_same_change(other.detail.change, found.detail.change)


def _left_open(unsure: Result, decided: Result) -> str:
    """The doubt that a result raises which is as new as the one that decides, or newer."""
    day = unsure.when or "no date"
    newer = decided.when is None or unsure.when is None or _is_older(decided, unsure)
    if newer and unsure.outcome == INDETERMINATE:
        return f"a newer result is indeterminate ({day})"
    return f"another result ({day}): {unsure.words}"


def _undecided(key: Key[Mutation], own: list[Result], reply: Reply, unreadable: str) -> Fact[Mutation]:
    """Why nothing is known of the marker, in words: the newest result that does not decide first."""
    told = next((r for r in own if r.outcome not in (VOID, HINT)), None)
    if told is not None:
        return missing(key, State.UNREADABLE, f"result of {told.when or 'no date'}: {told.words}")
    if unreadable:
        return missing(key, State.UNREADABLE, unreadable)
    hint = next((r for r in own if r.outcome == HINT), None)
    if hint is not None:
        return missing(key, State.UNREADABLE, f"report of {hint.when or 'no date'}: {hint.words}")
    nothing = _absent(key, reply)
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


def _read(
    resource: Resource,
    source: str,
    name: str,
    sheet: Sheet | None,
    sheets: Sheets,
    panels: dict[str, Panel],
    found: _Found,
    reading: Reading,
) -> None:
    """Add what one Observation says of our markers; a reason in words when it concerns them and cannot be read."""
    quick = resource.view()
    panel = panels.get(sheet.reference) if sheet is not None else None
    if panel is not None:
        panel.met(name)
    if not isinstance(quick, Observation):
        if panel is not None:
            panel.spoilt = True
        if sheet is not None and name != resource.reference:
            found.unreadable = found.unreadable or "a result inside a report could not be read"
        return
    tests = tests_in(quick, reading)
    if panel is not None:
        panel.cover(quick, reading)
        panel.spoilt |= all(test == UNREAD for test, _ in tests) and not panel.knows(quick, reading)
    if not tests:
        return
    view = resource.checked()
    if not isinstance(view, Observation):
        found.unreadable = found.unreadable or getattr(view, "reason", "not readable")
        if panel is not None:
            panel.spoilt = True
        return
    tests = tests if view is quick else tests_in(view, reading)
    results = _results(tests, view, resource, source, name, sheet, sheets, reading)
    found.results += results
    if panel is not None:
        panel.told += [(result.marker, result.outcome) for result in results if result.outcome in _SPOKEN_OF]
        panel.spoilt |= not results and is_unnamed(view, reading)


def _results(
    tests: list[tuple[str, Observation]],
    view: Observation,
    resource: Resource,
    source: str,
    name: str,
    sheet: Sheet | None,
    sheets: Sheets,
    reading: Reading,
) -> list[Result]:
    """What one Observation says of our markers, by the time of its specimen."""
    when, time_doubts = sheets.taken(view, sheet, reading)
    void = view.status in NEVER or (sheet is not None and bool(sheet.void))
    specimen = sheets.named(view, sheet)
    raised = noted(view, specimen, reading)
    doubts = (*(status_doubts(view) or ()), *(sheet.doubts if sheet is not None else ()), *raised)
    of_others = not_of_the_leukaemia(view, specimen, reading)
    made: list[Result] = []
    for test, part in tests:
        shape = SHAPES.get(test, "test of the marker or gene")
        parts, told = told_by(part, test, reading)
        by_code = is_coded(part, reading.terms)
        for said in told:
            outcome = VOID if void else ELSEWHERE if of_others else said.outcome
            detail = partial(_detail, said, part, parts, shape, reading)
            change = detail().change if said.outcome == OTHER_CHANGE else ""
            named = f" ({change})" if change else ""
            words = f"it is {_void(view, sheet)}" if void else of_others or f"{said.words}{named}"
            in_words = said.detail.from_text if said.detail is not None else not by_code
            from_text = in_words and said.outcome in (PRESENT, ABSENT)
            came = Origin(name, source, words, (*resource.notes, "read from text") if from_text else resource.notes)
            doubted = (*doubts, *time_doubts, *said.doubts)
            if outcome == PRESENT and (share := detail().vaf) is not None and not share.value:
                doubted = (*doubted, OF_NO_READ)
            made.append(Result(said.marker, outcome, words, when, came, doubted, said.share, detail))
    return made


def _detail(said: Said, part: Observation, parts: Sequence[Part], shape: str, reading: Reading) -> Detail:
    """What it adds: of its own where it speaks of several markers, else what the result as a whole states."""
    if said.detail is None:
        return detail_of(part, parts, shape, reading)
    return said.detail if said.detail.method else replace(said.detail, method=text(part.method))


OF_NO_READ = "present, with a share of 0 % of the reads"
SHAPES = {"variant": "variant", "genomic_report": "report in words", "karyotype_FISH": "report in words"}


def _void(view: Observation, sheet: Sheet | None) -> str:
    """Why the result does not count."""
    if view.status in NEVER or sheet is None:
        return (view.status or "").replace("-", " ")
    return f"on a report that is {sheet.void}"


def _of_report(panel: Panel, sheets: Sheets, reading: Reading) -> list[Result]:
    """What a report adds as a whole: the genes that it covered without a finding, and what its conclusion hints at."""
    sheet = panel.sheet
    if sheet.void:
        return []
    if not_of_the_leukaemia(Observation(), sheets.named(Observation(), sheet), reading):
        return []
    when, doubts = sheets.taken(Observation(issued=sheet.view.issued), sheet, reading)
    came = Origin(sheet.reference, sheet.source, "")
    concluded = [said for said in hinted_by(sheet.conclusion, reading) if not _is_settled(said, panel)]
    concluded += [] if _finds_apl(concluded) else apl_of_karyotype(sheet.conclusion)
    listed = changes_named(sheet.conclusion, {said.marker for said in concluded}, reading)
    named = listed | {said.marker for said in concluded if said.outcome != ABSENT}
    earned = [
        Result(said.marker, said.outcome, said.words, when, replace(came, as_received=said.words),
               (*sheet.doubts, *doubts, *said.doubts), told=Detail("genes covered by the panel"))
        for said in covered(panel) if said.marker not in named
    ]  # fmt: skip
    concluded += [Said(marker, INDETERMINATE, sheet.conclusion[:80]) for marker in sorted(listed)]
    return earned + [_concluded(said, panel, when, came) for said in concluded]


def _is_settled(said: Said, panel: Panel) -> bool:
    """Whether the conclusion leaves open which change of FLT3 was found, and a result of the report says which."""
    return said.outcome == UNSTATED and any(
        marker in markers.MARKERS_OF[markers.FLT3] and outcome == PRESENT for marker, outcome in panel.told
    )


def _finds_apl(told: Iterable[Said]) -> bool:
    return any((said.marker, said.outcome) == (markers.APL_FUSION, PRESENT) for said in told)


def _concluded(said: Said, panel: Panel, when: When | None, came: Origin) -> Result:
    """What the conclusion says of a marker: a hint, and a contradiction where every result of the report denies it."""
    detail = Detail("conclusion of a report", from_text=True)
    results = {outcome for marker, outcome in panel.told if marker == said.marker}
    if results == {PRESENT if said.outcome == ABSENT else ABSENT} and said.outcome in (PRESENT, ABSENT):
        words = f'the conclusion of the report says "{said.words}", its result says {results.pop()}'
        return Result(said.marker, INDETERMINATE, words, when, replace(came, as_received=words), told=detail)
    if _finds_apl([said]):  # a whole disease, which a report may state in its conclusion alone
        words = f'its conclusion says "{said.words}"'
        doubts = (*panel.sheet.doubts, *said.doubts, "read from the conclusion of a report")
        return Result(said.marker, PRESENT, words, when, replace(came, as_received=words), doubts, told=detail)
    words = said.words if said.outcome == UNSTATED else f'"{said.words}"'
    return Result(said.marker, HINT, f"its conclusion says {words}, no result does", when, came, told=detail)
