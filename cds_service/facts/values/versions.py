"""Versions: the same resource may come twice, by two queries or before and after a correction.

The version that was stored last counts, else the one with the highest number. Where nobody can tell which one that is,
all are kept, and the readers see a conflict.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from cds_service.facts.times import When
from cds_service.gather.resources import Resource

Placed = tuple[Resource, str]
DIFFER = "it came in versions that differ, and which is the newest is not known"
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
    return newest or [placed for placed, _ in kept]  # times and numbers may go round in a circle


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
