"""Abroad: where the options on a card stand in another place, from the statements that speak there.

One line for the whole card, and none where each stands as it does here. An approval is never borrowed: of what was
not read for that place, the line says so. No hospital's own word is in it.
"""

from __future__ import annotations

from collections.abc import Iterable

from cards.render import escape
from cds_service.knowledge import topics
from cds_service.knowledge.model import Statement, Verification
from cds_service.knowledge.options import Option, Status
from cds_service.knowledge.snapshot import Snapshot
from cds_service.knowledge.spoken import STATES
from cds_service.knowledge.therapies import Kind

_RELAPSE = "for relapsed or refractory AML"
_UNSURE = (Verification.SECONDARY, Verification.RECALLED)


def told_abroad(options: Iterable[str], here: Snapshot, abroad: Snapshot) -> str:
    """The line about these options, by their ids; "" where none stands otherwise there."""
    there = {here.options[name]: _status(abroad, here.options[name]) for name in options}
    if all(_kind(_status(here, option)) is _kind(status) for option, status in there.items()):
        return ""
    groups: dict[tuple[int, str], list[str]] = {}
    for option, status in there.items():
        groups.setdefault(_heading(abroad.jurisdiction, status), []).append(_named(option, status))
    said = [f"{words}: {'; '.join(names)}." for (_, words), names in sorted(groups.items())]
    told = " ".join([said[0], *(each[:1].upper() + each[1:] for each in said[1:]), *_sources(there.values())])
    return f"**{abroad.jurisdiction} status (demo):** {told}"


def _status(snapshot: Snapshot, option: Option) -> Statement[Status] | None:
    """Where the option stands in the place of the snapshot; None where nothing was read for it."""
    status = (snapshot.shipped or snapshot).find(topics.OPTION_STATUS, option.about)
    return None if status is None or status.foreign else status


def _kind(status: Statement[Status] | None) -> Kind | None:
    return status.value.kind if status is not None else None


def _heading(place: str, status: Statement[Status] | None) -> tuple[int, str]:
    """Under which words the option is named, and their place in the line."""
    if status is None:
        return 4, "not read"
    if status.verification in _UNSURE:
        found = "approval found" if _kind(status) is Kind.APPROVED_RR else f"no {place} approval found"
        return 3, f"{found} ({STATES[status.verification]})"
    if _kind(status) is Kind.APPROVED_RR:
        return 0, f"approved {_RELAPSE}"
    if _kind(status) is Kind.OFF_LABEL_PRACTICE:
        return 2, "in use, and in no label"
    return 1, f"no {place} approval {_RELAPSE}"


def _named(option: Option, status: Statement[Status] | None) -> str:
    since = f" (since {status.effective})" if status is not None and _kind(status) is Kind.APPROVED_RR else ""
    return f"{escape(option.name)}{since}"


def _sources(statuses: Iterable[Statement[Status] | None]) -> list[str]:
    """What was read for it, and when it was last held against that."""
    read = [status for status in statuses if status is not None and status.verification is not Verification.RECALLED]
    if not read:
        return []
    names = dict.fromkeys(escape(status.sources[0].reference.short) for status in read)
    return [f"*From:* {'; '.join(names)}; reviewed {min(status.reviewed_on for status in read)}."]
