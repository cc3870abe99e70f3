"""Feedback: what became of our cards, in every dialect that clients speak.

`overrideReason` or `overrideReasons`, one object or a list, reasons under `reason`, bare, or in Epic's extension;
card ids that are no UUIDs; a coding without system. What a clinician typed shows in no repr, log or error: only a store
that keeps calls whole keeps it too, encrypted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Any

import msgspec

from cds_service.decoding import any_twice, as_meant
from cds_service.errors import BadRequest, TooLarge
from cds_service.hooks.request import NOT_JSON

OUTCOMES = ("accepted", "overridden")
MOST = 1_000  # entries at once
_LONGEST_WORDS = 4_000  # characters of what was typed; the rest is cut
_MOST_REASONS = 20  # of one entry
_EPIC = "com.epic.cdshooks.feedback.overrideReason.reason"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a card was overridden. The sandbox sends no display, Epic's extension no code of ours."""

    code: str | None
    system: str | None = None
    display: str | None = None


@dataclass(frozen=True, slots=True)
class Feedback:
    """What became of one card."""

    card: str
    outcome: str
    accepted: tuple[str, ...]
    reasons: tuple[Reason, ...]
    comment: bool
    at: datetime | None
    words: str = field(default="", repr=False, compare=False)  # what was typed

    @classmethod
    def read(cls, body: bytes) -> tuple[Feedback, ...]:
        """Every entry of a feedback body. Raises BadRequest, naming the path of the fault, or TooLarge."""
        envelope = _object(_decoded(body), None)
        if envelope.get("feedback") is None:
            raise BadRequest('feedback is missing: send {"feedback": [...]}', "feedback")
        entries = _each(envelope["feedback"], "feedback")
        if len(entries) > MOST:
            raise TooLarge(f"more than {MOST} entries at once: send them in several parts", "feedback")
        return tuple(_entry(entry, path) for entry, path in entries)


class FeedbackCounts:
    """How often each outcome was reported for each service since the start of this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, service: str, tenant: str, feedback: tuple[Feedback, ...]) -> None:
        """Count these."""
        with self._lock:
            self._counts.update((service, entry.outcome) for entry in feedback)

    def as_dict(self) -> dict[str, dict[str, int]]:
        """The counts: service, then outcome."""
        with self._lock:
            counted = sorted(self._counts.items())
        result: dict[str, dict[str, int]] = {}
        for (service, outcome), count in counted:
            result.setdefault(service, {})[outcome] = count
        return result


def _decoded(body: bytes) -> Any:
    sent = as_meant(body)
    try:
        decoded = msgspec.json.decode(sent)
        twice = any_twice(sent)
    except RecursionError:
        raise BadRequest("the JSON is nested too deeply to be read") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadRequest(NOT_JSON) from None
    if twice:  # one of the two would be lost, and acknowledged all the same
        raise BadRequest("an element stands twice in one object: send each of them once")
    return decoded


def _entry(value: Any, path: str) -> Feedback:
    entry = _object(value, path)
    overrides = tuple(
        (_object(override, at), at)
        for name in ("overrideReason", "overrideReasons")
        for override, at in _each(entry.get(name), f"{path}.{name}")
    )
    typed = [str(override["userComment"]) for override, _ in overrides if override.get("userComment")]
    return Feedback(
        card=_text(entry.get("card"), f"{path}.card"),
        outcome=_outcome(entry.get("outcome"), f"{path}.outcome"),
        accepted=tuple(
            _suggestion(each, at) for each, at in _each(entry.get("acceptedSuggestions"), f"{path}.acceptedSuggestions")
        ),
        reasons=tuple(reason for override, at in overrides for reason in _reasons(override, at))[:_MOST_REASONS],
        comment=bool(typed),
        at=_instant(entry.get("outcomeTimestamp"), f"{path}.outcomeTimestamp"),
        words="\n".join(typed)[:_LONGEST_WORDS],
    )


def _outcome(value: Any, path: str) -> str:
    outcome = _text(value, path).lower()
    if outcome not in OUTCOMES:
        raise BadRequest("the outcome must be accepted or overridden", path)
    return outcome


def _suggestion(value: Any, path: str) -> str:
    return _text(value.get("id"), f"{path}.id") if isinstance(value, dict) else _text(value, path)


def _reasons(override: dict[str, Any], path: str) -> tuple[Reason, ...]:
    if override.get("reason") is not None:
        return tuple(_coding(each, at) for each, at in _each(override["reason"], f"{path}.reason"))
    if override.get("code") is not None:
        return (_coding(override, path),)
    return _epic(override.get("extension"), f"{path}.extension")


def _coding(value: Any, path: str) -> Reason:
    if isinstance(value, str):
        return Reason(_text(value, path))
    coding = _object(value, path)
    return Reason(*(_optional(coding.get(name), f"{path}.{name}") for name in ("code", "system", "display")))


def _epic(value: Any, path: str) -> tuple[Reason, ...]:
    if value is None:
        return ()
    extension = _object(value, path)
    named = extension.get(f"{_EPIC}Display") or extension.get(f"{_EPIC}Title")
    display, category = (_optional(each, path) for each in (named, extension.get(f"{_EPIC}Category")))
    if display is None and category is None:
        return ()
    return (Reason(category, f"{_EPIC}Category" if category else None, display),)


def _instant(value: Any, path: str) -> datetime | None:
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(_text(value, path).upper())  # RFC 3339 takes "t" and "z"
    except ValueError:
        raise BadRequest("the time must be as in 2026-11-20T08:30:00Z", path) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _each(value: Any, path: str) -> tuple[tuple[Any, str], ...]:
    if value is None:
        return ()
    if isinstance(value, list):
        return tuple((each, f"{path}[{index}]") for index, each in enumerate(value))
    return ((value, path),)


def _object(value: Any, path: str | None) -> dict[str, Any]:
    if not isinstance(value, dict):
        hint = "" if path else ': send {"feedback": [...]}'
        raise BadRequest(f"expected a JSON object{hint}", path)
    return value


def _text(value: Any, path: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value.strip():
        raise BadRequest("expected a text that is not empty", path)
    return value


def _optional(value: Any, path: str) -> str | None:
    """A text that may be missing; an empty one says no more than none, and costs no feedback."""
    return None if value is None or (isinstance(value, str) and not value.strip()) else _text(value, path)
