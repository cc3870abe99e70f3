"""What came of each query, kept apart: complete, partial, failed or not asked. None of them becomes "nothing there"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import msgspec

from cds_service.gather.resources import Resource, Unreadable


class Status(Enum):
    """How a query ended."""

    COMPLETE = "complete"  # every page was read; it may hold nothing
    PARTIAL = "partial"  # something was read, something is missing
    FAILED = "failed"  # asked, and no usable answer
    NOT_ASKED = "not asked"  # not sent along, and no FHIR server that we may ask


class Reply(msgspec.Struct, frozen=True):
    """The answer to one query, with its status, where it came from and, when incomplete, why (in words).

    `notes`: what was asked in other words than first meant, and still answered whole.
    """

    key: str
    status: Status
    resources: tuple[Resource, ...] = ()
    source: str = "prefetch"
    why: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything that one call brought: the replies by key, the drafts, and what was set aside."""

    replies: Mapping[str, Reply]
    drafts: tuple[Resource, ...] = ()
    others: tuple[Resource, ...] = ()  # Medications and the like that came as further entries
    foreign: int = 0  # resources of another patient: never read, only counted
    unreadable: tuple[Unreadable, ...] = ()  # drafts that cannot be read at all
    notes: tuple[str, ...] = ()  # what `fhir.resources` found amiss, where everything is checked (STRICT_ALL)

    def reply(self, key: str) -> Reply:
        """The reply of that key; a query that this service does not have was not asked."""
        return self.replies.get(key) or Reply(key, Status.NOT_ASKED, why="not asked at this moment")
