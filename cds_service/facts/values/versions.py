"""Versions: the same Observation may come twice, by two queries or before and after a correction.

The version that was stored last counts. Where nobody can tell which one that is, all are kept, and the readers see a
conflict.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from cds_service.facts.times import When
from cds_service.gather.resources import Resource

Placed = tuple[Resource, str]


def newest_versions(came: list[Placed]) -> list[Placed]:
    """Of all that came under one name, the versions that count."""
    if len({resource.raw for resource, _ in came}) == 1:
        return came[:1]
    distinct: dict[bytes, tuple[Placed, datetime | None]] = {}
    for placed in came:
        content = _content(placed[0])
        said = msgspec.json.encode({**content, "meta": None}, order="sorted")
        stored = _stored(content.get("meta"))
        if said not in distinct or (stored and stored > (distinct[said][1] or stored)):
            distinct[said] = (placed, stored)
    times = [stored for _, stored in distinct.values() if stored is not None]
    if len(times) < len(distinct):
        return [placed for placed, _ in distinct.values()]
    return [placed for placed, stored in distinct.values() if stored == max(times)]


def _content(resource: Resource) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(resource.raw)
    except (msgspec.DecodeError, RecursionError):
        return {"unreadable": resource.raw.decode(errors="replace")}
    return found if isinstance(found, dict) else {"unreadable": str(found)}


def _stored(meta: object) -> datetime | None:
    written = meta.get("lastUpdated") if isinstance(meta, dict) else None
    when = When.read(written, UTC) if isinstance(written, str) else None
    return when.latest if when is not None else None
