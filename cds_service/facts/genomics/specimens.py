"""Specimens: when what a result speaks of was taken, and on which report the result stands.

The collection of the specimen counts before the time of the result, and that before the time of its report. A filing
time is an end only: when the specimen was taken is then not known. What a report's conclusion says is a hint.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from cds_service.decoding import decode
from cds_service.facts.concepts import all_text
from cds_service.facts.times import When
from cds_service.facts.values.inside import may_be_same
from cds_service.facts.values.results import NEVER, Reading, at_effective, status_doubts, taken
from cds_service.gather.resources import Resource
from cds_service.gather.views import DiagnosticReport, Observation, Reference, Specimen, View

V = TypeVar("V", bound=View)
Place = tuple[When | None, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A DiagnosticReport: what it holds, what it names, and whether all of that came."""

    view: DiagnosticReport
    reference: str
    source: str
    specimens: Mapping[str, Specimen]

    @property
    def void(self) -> str:
        """Why its results do not count, "" when they do."""
        return self.view.status.replace("-", " ") if self.view.status in NEVER and self.view.status else ""

    @property
    def doubts(self) -> tuple[str, ...]:
        """What the state of the report leaves open."""
        if self.view.status == "appended":  # to a report that was final
            return ()
        if self.view.status == "partial":
            return ("its report: partial",)
        found = status_doubts(Observation(status=self.view.status))
        return tuple(f"its report: {doubt}" for doubt in found or ())

    @property
    def conclusion(self) -> str:
        """Its conclusion in words, coded ones too."""
        coded = (all_text(each) for each in self.view.conclusionCode or ())
        return "; ".join(filter(None, (self.view.conclusion, *coded)))


@dataclass(frozen=True, slots=True)
class Sheets:
    """The reports and specimens of a call, found by the results that they belong to."""

    specimens: Mapping[str, Specimen] = field(default_factory=dict)
    reports: tuple[Sheet, ...] = ()
    of_result: Mapping[str, Sheet] = field(default_factory=dict)
    inside: tuple[tuple[Resource, str, str, Sheet], ...] = ()  # contained results: source and what they are called
    unreadable: str = ""

    def taken(self, view: Observation, sheet: Sheet | None, reading: Reading) -> Place:
        """When the specimen of a result was taken, and what is doubtful about that."""
        for specimen in self._specimens(view, sheet):
            period = specimen.collection.collectedPeriod if specimen.collection else None
            collected = specimen.collection.collectedDateTime if specimen.collection else None
            found, doubts = taken(Observation(effectiveDateTime=collected, effectivePeriod=period), reading)
            if found is not None:
                return found, doubts
        own, doubts = at_effective(view, reading)
        if own is not None or sheet is None:
            return (own, doubts) if own is not None else _filed(view.issued, reading)
        of_report = sheet.view
        told = Observation(effectiveDateTime=of_report.effectiveDateTime, effectivePeriod=of_report.effectivePeriod)
        found, doubts = taken(told, reading)
        return (found, doubts) if found is not None else _filed(view.issued or of_report.issued, reading)

    def named(self, view: Observation, sheet: Sheet | None) -> str:
        """What its specimen is called, and of which kind it is, in words."""
        shown = (each.display for each in _references(view, sheet))
        return " | ".join(filter(None, (*shown, *(all_text(each.type) for each in self._specimens(view, sheet)))))

    def _specimens(self, view: Observation, sheet: Sheet | None) -> list[Specimen]:
        """The specimen of the result; that of its report when the report names one only."""
        named = _references(view, sheet)
        if not named:
            return []
        own = _contained(view.contained, Specimen)
        held = sheet.specimens if sheet is not None else {}
        found = []
        for each in named:
            name = each.reference or ""
            specimen = own.get(name) or held.get(name) or self.specimens.get(local(name))
            found += [specimen] if specimen is not None else []
        return found


def _references(view: Observation, sheet: Sheet | None) -> list[Reference]:
    if view.specimen is not None:
        return [view.specimen]
    of_report = (sheet.view.specimen or []) if sheet is not None else []
    return of_report if len(of_report) == 1 else []


def read_sheets(others: Iterable[tuple[Resource, str]]) -> Sheets:
    """The reports and specimens that came, each report with the results inside it."""
    specimens: dict[str, Specimen] = {}
    reports: list[Sheet] = []
    of_result: dict[str, Sheet] = {}
    inside: list[tuple[Resource, str, str, Sheet]] = []
    unreadable = ""
    for resource, source in others:
        view = resource.checked()
        if isinstance(view, Specimen):
            specimens[resource.reference] = view
        elif isinstance(view, DiagnosticReport):
            sheet = Sheet(view, resource.reference, source, _contained(view.contained, Specimen))
            reports.append(sheet)
            of_result |= {local(each.reference or ""): sheet for each in view.result or ()}
            inside += _results_inside(resource, view, sheet)
        else:
            unreadable = unreadable or f"a report: {getattr(view, 'reason', 'not readable')}"
    return Sheets(specimens, tuple(reports), of_result, tuple(inside), unreadable)


def _results_inside(resource: Resource, view: DiagnosticReport, sheet: Sheet) -> list[tuple[Resource, str, str, Sheet]]:
    """The Observations that the report contains; one that names another subject is nobody's here."""
    found = []
    for raw in view.contained or ():
        if _named(raw).resourceType != "Observation":
            continue
        inner = Resource("Observation", bytes(raw), resource.where, mending=resource.mending)
        part = inner.view()
        named = part.subject if isinstance(part, Observation) else None
        subject = named.reference if named is not None else None
        if not subject and not may_be_same(named, view.subject):
            continue
        if not subject or subject.startswith("#") or (view.subject and subject == view.subject.reference):
            found.append((inner, sheet.source, f"{sheet.reference}#{_named(raw).id or ''}", sheet))
    return found


class _Named(msgspec.Struct):
    resourceType: str = ""  # noqa: N815 - FHIR's name
    id: str | None = None


def _named(raw: msgspec.Raw) -> _Named:
    try:
        return decode(raw, _Named)
    except (msgspec.DecodeError, RecursionError):
        return _Named()  # what has no type is no result; R4 refuses the report that holds it


def _contained(parts: list[msgspec.Raw] | None, shape: type[V]) -> dict[str, V]:
    """The contained resources of that type, by "#id". One that cannot be read gives no date."""
    found: dict[str, V] = {}
    for raw in parts or ():
        name = _named(raw)
        try:
            if name.resourceType == shape.__name__:
                found[f"#{name.id}"] = decode(raw, shape)
        except (msgspec.DecodeError, RecursionError):
            continue
    return found


def local(reference: str) -> str:
    """`Type/id` of a reference, absolute or versioned ones too."""
    parts = reference.split("/_history/")[0].split("/")
    return "/".join(parts[-2:])


def _filed(issued: str | None, reading: Reading) -> Place:
    """A filing time: the specimen was taken some time before."""
    when = reading.when(issued)
    if when is None:
        return None, ("no date",)
    return When.not_after(when), (f"filed on {when.latest.date()}, specimen date not stated",)
