"""Versions: the same resource may come twice, by two queries or before and after a correction.

The version that was stored last counts, else the one with the highest number, else the one that was amended or
corrected, which is written after the final one. Where nobody can tell which one that is, all are kept, and the readers
see a conflict. Results of which one version was taken back clear nothing.
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
from cds_service.gather.views import Observation

Placed = tuple[Resource, str]
DIFFER = "it came in versions that differ, and which is the newest is not known"
_RESULT = ("value", "component", "interpretation", "dataAbsentReason")
CORRECTED = frozenset({"amended", "corrected"})
BEFORE = frozenset({"registered", "preliminary", "final"})  # what a result is before it is corrected
_NUMBER = re.compile(r"[0-9]{1,9}")
_Stamp = tuple[datetime | None, int | None]  # when it was stored, and the number of its version


def newest_versions(came: list[Placed]) -> list[Placed]:
    """Of all that came under one name, the versions that count."""
    if len({resource.raw for resource, _ in came}) == 1:
        return came[:1]
    distinct: dict[bytes, tuple[Placed, _Stamp]] = {}
    for placed in came:
        content = _content(placed[0])
        said = _encoded({**content, "meta": None})
        stamp = _stamp(content.get("meta"))
        if said not in distinct or _is_newer(stamp, distinct[said][1]):
            distinct[said] = (placed, stamp)
    kept = tuple(distinct.values())
    newest = [placed for placed, stamp in kept if not any(_is_newer(other, stamp) for _, other in kept)]
    counting = newest or [placed for placed, _ in kept]  # times and numbers may go round in a circle
    counting = _as_corrected(counting)
    if len(counting) > 1 and _disagree([_content(resource) for resource, _ in counting]):
        for resource, _ in counting:
            resource.doubts = (DIFFER,)
    return counting


def _as_corrected(versions: list[Placed]) -> list[Placed]:
    """Without what was final before: an amended or corrected one of the same time was surely written after it."""
    contents = [_content(resource) for resource, _ in versions]
    statuses = {content.get("status") for content in contents if isinstance(content.get("status"), str)}
    if statuses.isdisjoint(CORRECTED) or not statuses <= CORRECTED | BEFORE or len({*map(_taken, contents)}) > 1:
        return versions
    return [each for each, content in zip(versions, contents, strict=True) if content.get("status") in CORRECTED]


def without_replaced(observations: Iterable[Placed]) -> tuple[Placed, ...]:
    """Without a result that another resource with its identifier, its code and its time amends or corrects.

    One amended beside one final of the same code and time, that share no identifier, may be versions of one result:
    both are kept, each with that doubt.
    """
    came = tuple(observations)
    views = [_observation(resource) for resource, _ in came]
    times = {view.effectiveDateTime for view in views if view.status in CORRECTED}
    gone: set[int] = set()
    alike: dict[tuple[bytes, bytes], list[tuple[int, dict[str, Any]]]] = {}
    for index, view in enumerate(views):
        if view.effectiveDateTime in times and view.status in CORRECTED | BEFORE:
            content = _content(came[index][0])
            alike.setdefault((_taken(content), _encoded(content.get("code"))), []).append((index, content))
    for (taken, _), group in alike.items():
        corrected = [(index, content) for index, content in group if content.get("status") in CORRECTED]
        before = [(index, content) for index, content in group if content.get("status") in BEFORE]
        if taken == _taken({}) or not corrected or not before:
            continue
        names = _identifiers(corrected[0][1])
        named = [place for place, other in before if names & _identifiers(other)]
        if len(named) == 1 == len(corrected):
            gone.add(named[0])
        elif len({_result(each) for _, each in group}) > 1:
            for place, _ in group:
                came[place][0].doubts = (DIFFER,)
    return tuple(each for place, each in enumerate(came) if place not in gone)


def _observation(resource: Resource) -> Observation:
    view = resource.view()
    return view if isinstance(view, Observation) else Observation()


def _taken(content: dict[str, Any]) -> bytes:
    """When it was taken, as it came."""
    return _encoded({name: part for name, part in content.items() if name.startswith("effective")})


def _identifiers(content: dict[str, Any]) -> set[tuple[str, str]]:
    found = content.get("identifier")
    named = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    pairs = {(str(each.get("system", "")), str(each.get("value", ""))) for each in named}
    return {(system, value) for system, value in pairs if system and value}


def _disagree(contents: list[dict[str, Any]]) -> bool:
    """Whether one of them was taken back and another was not, or they differ in what they say."""
    statuses = {str(content.get("status")) for content in contents}
    taken_back = len(statuses) > 1 and not statuses.isdisjoint(NEVER)
    return taken_back or len({_result(each) for each in contents}) > 1


def _result(content: dict[str, Any]) -> bytes:
    return _encoded({name: part for name, part in content.items() if name.startswith(_RESULT)})


def _encoded(content: Any) -> bytes:
    """The same bytes for the same content, in whatever order it came."""
    return msgspec.json.encode(content, order="sorted")


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
