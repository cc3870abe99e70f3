"""Versions: the same resource may come twice, by two queries or before and after a correction.

The version that was stored last counts, else the one with the highest number. Where nobody can tell which one that is,
all are kept, and the readers see a conflict. Results of which one version was taken back clear nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from cds_service.facts.times import When
from cds_service.facts.values.results import NEVER
from cds_service.gather.resources import Resource

Placed = tuple[Resource, str]
DIFFER = "it came in versions that differ, and which is the newest is not known"
_RESULT = ("value", "component", "interpretation", "dataAbsentReason")
_NUMBER = re.compile(r"[0-9]{1,9}")
_Stamp = tuple[datetime | None, int | None]  # when it was stored, and the number of its version


def newest_versions(came: list[Placed]) -> list[Placed]:
    """Of all that came under one name, the versions that count."""
    if len({resource.raw for resource, _ in came}) == 1:
        return came[:1]
    distinct: dict[bytes, tuple[Placed, _Stamp]] = {}
    for placed in came:
        content = _content(placed[0])
        said = msgspec.json.encode({**content, "meta": None}, order="sorted")
        stamp = _stamp(content.get("meta"))
        if said not in distinct or _is_newer(stamp, distinct[said][1]):
            distinct[said] = (placed, stamp)
    kept = tuple(distinct.values())
    newest = [placed for placed, stamp in kept if not any(_is_newer(other, stamp) for _, other in kept)]
    counting = newest or [placed for placed, _ in kept]  # times and numbers may go round in a circle
    if len(counting) > 1 and _disagree([_content(resource) for resource, _ in counting]):
        for resource, _ in counting:
            resource.doubts = (DIFFER,)
    return counting


def _disagree(contents: list[dict[str, Any]]) -> bool:
    """Whether one of them was taken back and another was not, or they differ in status and in what they say."""
    statuses = {str(content.get("status")) for content in contents}
    return len(statuses) > 1 and (not statuses.isdisjoint(NEVER) or len({_result(each) for each in contents}) > 1)


def _result(content: dict[str, Any]) -> bytes:
    said = {name: part for name, part in content.items() if name.startswith(_RESULT)}
    return msgspec.json.encode(said, order="sorted")


def versions_that_count(resources: Iterable[Resource]) -> list[tuple[Resource, ...]]:
    """Of each resource, in the order in which their names came first, its newest version, or all that may be it."""
    named: dict[str, list[Placed]] = {}
    for number, resource in enumerate(resources):
        name = resource.reference
        named.setdefault(name if "/" in name else f"unnamed {number}", []).append((resource, ""))
    return [
        (came[0][0],) if len(came) == 1 else tuple(resource for resource, _ in newest_versions(came))
        for came in named.values()
    ]


def each_version(resources: Iterable[Resource]) -> Iterator[tuple[Resource, tuple[str, ...]]]:
    """Of each resource its newest version; or all that may be it, each with that doubt."""
    for versions in versions_that_count(resources):
        doubts = () if len(versions) == 1 else (DIFFER,)
        for resource in versions:
            yield resource, doubts


def _is_newer(one: _Stamp, other: _Stamp) -> bool:
    """Whether one was surely stored after the other, or bears a higher number where the time does not tell."""
    if one[0] is not None and other[0] is not None and one[0] != other[0]:
        return one[0] > other[0]
    return one[1] is not None and other[1] is not None and one[1] > other[1]


def _content(resource: Resource) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(resource.raw)
    except (msgspec.DecodeError, RecursionError):
        return {"unreadable": resource.raw.decode(errors="replace")}
    return found if isinstance(found, dict) else {"unreadable": str(found)}


def _stamp(meta: object) -> _Stamp:
    if not isinstance(meta, dict):
        return None, None
    written, number = meta.get("lastUpdated"), meta.get("versionId")
    when = When.read(written, UTC) if isinstance(written, str) else None
    counted = int(number) if isinstance(number, str) and _NUMBER.fullmatch(number) else None
    return (when.latest if when is not None else None), counted
