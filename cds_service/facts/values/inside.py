"""Results inside a report: a DiagnosticReport may contain its Observations instead of pointing to them.

When such an Observation was taken, it may leave to its report. Of a report that was taken back nothing counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import msgspec

from cds_service.facts.values.results import NEVER
from cds_service.gather.replies import Reply, Status
from cds_service.gather.resources import Resource
from cds_service.gather.views import DiagnosticReport

_TIMES = ("effectiveDateTime", "effectivePeriod", "effectiveInstant", "effectiveTiming")


def results_inside(resources: Iterable[Resource]) -> Iterator[Resource]:
    """The Observations that the reports among these contain, each named by its report."""
    for resource in resources:
        report = resource.checked() if resource.type == "DiagnosticReport" else None
        if isinstance(report, DiagnosticReport):
            for place, raw in enumerate(report.contained or ()):
                part = _decoded(raw)
                if part.get("resourceType") == "Observation" and _is_same_patient(part, report):
                    content = msgspec.json.encode(_completed(part, report))
                    name = f"{resource.reference}#{part.get('id') or place}"
                    yield Resource("Observation", content, resource.where, inside=name, mending=resource.mending)


def with_reports(reply: Reply, seen: Iterable[str]) -> Reply:
    """The reply, partial where a report in it neither contains its results nor came with them.

    `seen`: the references of every Observation that came.
    """
    came = set(seen)
    for resource in reply.resources:
        report = resource.checked() if resource.type == "DiagnosticReport" else None
        if report is None or (isinstance(report, DiagnosticReport) and report.status in NEVER):
            continue
        if not isinstance(report, DiagnosticReport):
            return _partial(reply, f"a report could not be read ({getattr(report, 'reason', 'not readable')})")
        named = [each.reference or "" for each in report.result or ()]
        outside = [each for each in named if not each.startswith("#")]
        lost = not (named or any(results_inside([resource]))) or any(_local(each) not in came for each in outside)
        if lost:
            return _partial(reply, "a report came without its results")
    return reply


def _partial(reply: Reply, why: str) -> Reply:
    return replace(reply, status=Status.PARTIAL, why=why) if reply.status is Status.COMPLETE else reply


def _local(reference: str) -> str:
    """`Type/id` of a reference, absolute or versioned ones too."""
    return "/".join(reference.split("/_history/")[0].split("/")[-2:])


def _decoded(raw: msgspec.Raw) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return {}  # then its report came without a result, which is said
    return found if isinstance(found, dict) else {}


def _is_same_patient(part: dict[str, Any], report: DiagnosticReport) -> bool:
    """Whether the part names nobody, or whom its report names."""
    subject = part.get("subject")
    named = subject.get("reference") if isinstance(subject, dict) else subject
    return named is None or (report.subject is not None and named == report.subject.reference)


def _completed(part: dict[str, Any], report: DiagnosticReport) -> dict[str, Any]:
    content = part | ({"status": report.status} if report.status in NEVER else {})
    if not any(content.get(name) for name in _TIMES):
        for name, value in (("effectiveDateTime", report.effectiveDateTime), ("issued", report.issued)):
            content |= {name: value} if value and not content.get(name) else {}
        if report.effectivePeriod is not None and not report.effectiveDateTime:
            content["effectivePeriod"] = {
                name: end
                for name, end in (("start", report.effectivePeriod.start), ("end", report.effectivePeriod.end))
                if end
            }
    return content
