"""Results inside a report or a panel: a DiagnosticReport, or the head of a panel, may contain its Observations.

When such an Observation was taken, it may leave to its holder. Of a holder that was taken back nothing counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec.structs import replace

from cds_service.facts.values.results import NEVER
from cds_service.facts.values.versions import Placed
from cds_service.gather.replies import Reply, Status
from cds_service.gather.resources import Resource, Unreadable
from cds_service.gather.views import DiagnosticReport, Observation, Reference, View
from cds_service.gather.whose import may_be_patient

Holder = DiagnosticReport | Observation
_TIMES = ("effectiveDateTime", "effectivePeriod", "effectiveInstant", "effectiveTiming")


def results_inside(resources: Iterable[Resource]) -> Iterator[Resource]:
    """The Observations that the reports and panels among these contain, each named by its holder."""
    for resource in resources:
        view = _holder(resource)
        holder = view if isinstance(view, (DiagnosticReport, Observation)) else None
        for place, raw in enumerate(holder.contained or () if holder else ()):
            part = _decoded(raw)
            if holder and _is_result(part, holder):
                content = msgspec.json.encode(_completed(part, holder))
                name = f"{resource.reference}#{part.get('id') or place}"
                yield Resource("Observation", content, resource.where, inside=name, mending=resource.mending)


def _holder(resource: Resource) -> View | Unreadable | None:
    """The resource, held against R4, where it may contain results."""
    quick = resource.view() if resource.type == "Observation" else None
    heads = isinstance(quick, Observation) and bool(quick.contained)
    return resource.checked() if heads or resource.type == "DiagnosticReport" else None


def with_reports(reply: Reply, holders: Iterable[Resource], observations: Iterable[Placed]) -> Reply:
    """The reply, partial where a report in it neither contains its results nor came with them, or cannot be read.

    `holders`: the reports and panels of the reply; `observations`: every Observation that came.
    """
    came: set[str] | None = None
    for resource in holders:
        if came is None:
            came = {each.reference for each, _ in observations}
        report = _holder(resource)
        if report is None or isinstance(report, Observation) or getattr(report, "status", None) in NEVER:
            continue
        if not isinstance(report, DiagnosticReport):
            what = "a report" if resource.type == "DiagnosticReport" else "a panel"
            return _partial(reply, f"{what} could not be read ({getattr(report, 'reason', 'not readable')})")
        named = [each.reference or "" for each in report.result or ()]
        inside = _inside(report)
        lost = not (named or inside) or any(
            each[1:] not in inside if each.startswith("#") else _local(each) not in came for each in named
        )
        if lost:
            return _partial(reply, "a report came without its results")
    return reply


def _inside(report: DiagnosticReport) -> set[str]:
    """The ids of the Observations that a report contains, of its own patient."""
    parts = (_decoded(raw) for raw in report.contained or ())
    return {str(part.get("id")) for part in parts if _is_result(part, report)}


def _is_result(part: dict[str, Any], holder: Holder) -> bool:
    return part.get("resourceType") == "Observation" and _is_same_patient(part, holder)


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


def _is_same_patient(part: dict[str, Any], holder: Holder) -> bool:
    """Whether the part names nobody, or whom its holder names."""
    try:
        subject = msgspec.convert(part.get("subject"), Reference | None)
    except msgspec.ValidationError:
        return False
    if subject is None or subject.reference is None:
        return may_be_same(subject, holder.subject)
    of_holder = holder.subject.reference if holder.subject is not None else None
    return of_holder is not None and _local(subject.reference) == _local(of_holder)


def may_be_same(subject: Reference | None, of_holder: Reference | None) -> bool:
    """Whether a subject without a reference, of what is contained, may be that of its holder."""
    if subject is None:
        return True
    number = of_holder.identifier if of_holder is not None else None
    return may_be_patient(subject) and subject.identifier in (None, number)


def _completed(part: dict[str, Any], holder: Holder) -> dict[str, Any]:
    content = part | ({"status": holder.status} if holder.status in NEVER else {})
    if not any(content.get(name) for name in _TIMES):
        for name, value in (("effectiveDateTime", holder.effectiveDateTime), ("issued", holder.issued)):
            content |= {name: value} if value and not content.get(name) else {}
        if holder.effectivePeriod is not None and not holder.effectiveDateTime:
            content["effectivePeriod"] = {
                name: end
                for name, end in (("start", holder.effectivePeriod.start), ("end", holder.effectivePeriod.end))
                if end
            }
    return content
