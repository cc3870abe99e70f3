"""Results: what Observations and reports say of our markers, each as one result by the time of its specimen.

What a single result says of which marker is for `reports` to read, when its specimen was taken for `specimens`. Which
result holds is for `mutations` to tell.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial

from msgspec.structs import replace

from cds_service.facts.concepts import text
from cds_service.facts.fact import Origin
from cds_service.facts.genomics import markers
from cds_service.facts.genomics.conclusions import changes_named, hinted_by
from cds_service.facts.genomics.details import NO_DETAIL, Detail, Part, detail_of, is_coded
from cds_service.facts.genomics.panels import MAY_MISS, Panel, covered
from cds_service.facts.genomics.reports import told_by
from cds_service.facts.genomics.said import ELSEWHERE, OTHER_CHANGE, UNREAD, UNSTATED, Said
from cds_service.facts.genomics.specimens import Sheet, Sheets, read_sheets
from cds_service.facts.genomics.tested import is_unnamed, tests_in
from cds_service.facts.genomics.unread import apl_of_karyotype
from cds_service.facts.genomics.whose import not_of_the_leukaemia, noted
from cds_service.facts.genomics.wording import ABSENT, INDETERMINATE, PRESENT
from cds_service.facts.times import When
from cds_service.facts.values.results import NEVER, Reading, status_doubts
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


VOID, HINT = "void", "hint"  # cancelled or entered in error; or words of a conclusion or diagnosis: none ever decides
_SPOKEN_OF = frozenset({PRESENT, ABSENT, INDETERMINATE, OTHER_CHANGE, UNSTATED, UNREAD, VOID})


@dataclass(slots=True)
class Found:
    """What the results say, and the first reason why one could not be read."""

    results: list[Result]
    unreadable: str = ""


def read_results(
    observations: Iterable[tuple[Resource, str]], reading: Reading, others: Iterable[tuple[Resource, str]] = ()
) -> Found:
    """All results of our markers. `others`: reports and specimens."""
    sheets = read_sheets(others)
    found = Found([], sheets.unreadable)
    panels = {sheet.reference: Panel(sheet) for sheet in sheets.reports}
    for resource, source in observations:
        sheet = sheets.of_result.get(resource.reference) if sheets.reports else None
        _read(resource, source, resource.reference, sheet, sheets, panels, found, reading)
    for resource, source, name, sheet in sheets.inside:
        _read(resource, source, name, sheet, sheets, panels, found, reading)
    for panel in panels.values():
        found.results += _of_report(panel, sheets, reading)
    found.results = _outweighed(_unexplained(found.results))
    return found


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


def _read(
    resource: Resource,
    source: str,
    name: str,
    sheet: Sheet | None,
    sheets: Sheets,
    panels: dict[str, Panel],
    found: Found,
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
    doubts = (*(status_doubts(view) or ()), *resource.doubts, *(sheet.doubts if sheet is not None else ()), *raised)
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
    said_so = f"report of {when or 'no date'}: its conclusion says {words}, no result does"
    return Result(said.marker, HINT, said_so, when, came, told=detail)
