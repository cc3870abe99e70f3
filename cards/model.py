"""The card grammar of CDS Hooks 2.0.1. A card that would break it cannot be made.

Nothing empty is ever written: an optional attribute without a value is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cards.detail import Detail

INDICATORS = ("info", "warning", "critical")
LONGEST_SUMMARY = 139  # characters; the specification says fewer than 140


@dataclass(frozen=True, slots=True)
class Coding:
    """A code with its system and how it is spoken."""

    system: str
    code: str
    display: str

    def as_json(self) -> dict[str, Any]:
        """The coding as CDS Hooks writes it."""
        return {"system": self.system, "code": self.code, "display": self.display}


@dataclass(frozen=True, slots=True)
class Source:
    """Whose word the card is: a label, where to read more, and a stable topic code."""

    label: str
    url: str
    topic: Coding

    def as_json(self) -> dict[str, Any]:
        """The source as CDS Hooks writes it."""
        return {"label": self.label, "url": self.url, "topic": self.topic.as_json()}


@dataclass(frozen=True, slots=True)
class Action:
    """Something the client does when the suggestion is accepted: create, update (whole resource) or delete (by id).

    `order`: by which name the test that is ordered stands in our tables; clients may have a code of their own for it.
    """

    type: str
    description: str
    resource: Mapping[str, Any] | None = None
    resource_id: str | None = None
    order: str = ""

    def __post_init__(self) -> None:
        if self.type not in ("create", "update", "delete"):
            raise ValueError(f"an action cannot be '{self.type}'")
        if (self.type == "delete") == (self.resource_id is None) or (self.type != "delete") == (self.resource is None):
            raise ValueError("create and update carry a resource, delete an id")

    def as_json(self) -> dict[str, Any]:
        """The action as CDS Hooks writes it."""
        written: dict[str, Any] = {"type": self.type, "description": self.description}
        if self.resource is not None:
            written["resource"] = self.resource
        if self.resource_id is not None:
            written["resourceId"] = self.resource_id
        return written


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One thing the clinician may accept; its actions belong together."""

    label: str
    uuid: str
    actions: tuple[Action, ...]

    def as_json(self) -> dict[str, Any]:
        """The suggestion as CDS Hooks writes it. `isRecommended` is never set: the choice is the clinician's."""
        return {"label": self.label, "uuid": self.uuid, "actions": [action.as_json() for action in self.actions]}


@dataclass(frozen=True, slots=True)
class Link:
    """A page to open."""

    label: str
    url: str

    def as_json(self) -> dict[str, Any]:
        """The link as CDS Hooks writes it."""
        return {"label": self.label, "url": self.url, "type": "absolute"}


@dataclass(frozen=True, slots=True)
class Card:
    """One card. `about`: local references of the orders that it concerns. `write` writes it for a client.

    `fingerprint`: of what it says and rests on, "" where nobody asks; never written.
    """

    uuid: str
    summary: str
    indicator: str
    detail: Detail
    source: Source
    suggestions: tuple[Suggestion, ...] = ()
    selection: str = "any"
    override_reasons: tuple[Coding, ...] = ()
    links: tuple[Link, ...] = ()
    about: tuple[str, ...] = field(default=())
    fingerprint: str = field(default="", repr=False)
    checks: tuple[tuple[str, str], ...] = ()  # rule and subject of each check that it rests on; never written
    why: str = ""  # the page that tells how the card came about

    def __post_init__(self) -> None:
        if not self.summary or len(self.summary) > LONGEST_SUMMARY or "\n" in self.summary:
            raise ValueError(f"a summary is one line of at most {LONGEST_SUMMARY} characters")
        if self.indicator not in INDICATORS:
            raise ValueError(f"an indicator is one of {', '.join(INDICATORS)}")
        if self.selection not in ("any", "at-most-one"):
            raise ValueError("selectionBehavior is 'any' or 'at-most-one'")
