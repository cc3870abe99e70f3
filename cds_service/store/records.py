"""Records: a call as the rows that are kept of it. This is the one place that decides what of a patient is kept.

Audit: no value, no name, no free text; ids as marks. What a check could not see is named by fact and state only
("potassium:stale"), never in the words that the clinician read: those hold values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cds_service import __version__
from cds_service.answer import Answer
from cds_service.beside import Call
from cds_service.rules.rule import Check, Fired, NotApplicable, NotEvaluated
from cds_service.store import whole
from cds_service.store.keys import Keys
from cds_service.store.tables import LONGEST

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """The rows of one call, by table."""

    call: Row
    cards: tuple[Row, ...] = ()
    outcomes: tuple[Row, ...] = ()
    whole: Row | None = None
    knowledge: Row | None = None

    @property
    def size(self) -> int:
        """Roughly, in bytes."""
        sealed = len(self.whole["sealed"]) if self.whole else 0
        return sealed + 200 * (1 + len(self.cards) + len(self.outcomes))


def record(call: Call, keys: Keys, full: bool) -> Record:
    """What is kept of this call. `full`: request, response and what the FHIR server gave too, encrypted."""
    answer = call.answer
    bare = whole.without_token(call.body)
    told = _call(call, keys, bare)
    if answer is None:
        return Record(told)
    outcomes, not_applicable = _outcomes(answer)
    return Record(
        told | {"not_applicable": not_applicable},
        tuple(_card(call, answer, place) for place in range(len(answer.cards))),
        tuple({"call": call.id, "position": place} | row for place, row in enumerate(outcomes)),
        {"call": call.id, "sealed": keys.seal(whole.packed(bare, answer))} if full and bare is not None else None,
        {"digest": answer.knowledge, "software": __version__, "first_seen": call.at},
    )


def week_of(moment: datetime) -> str:
    """The ISO week, of UTC: "2026-W47"."""
    year, week, _ = moment.astimezone(UTC).isocalendar()
    return f"{year}-W{week:02}"


def _call(call: Call, keys: Keys, bare: bytes | None) -> dict[str, Any]:
    answer, tenant = call.answer, call.tenant
    request = answer.request if answer else None

    def mark(what: str, of: str | None) -> str | None:
        return keys.mark(what, tenant, of) if of else None

    return {
        "id": call.id,
        "at": call.at,
        "week": week_of(call.at),
        "seconds": call.seconds,
        "service": call.service[:64],
        "hook": call.hook[:32],
        "tenant": tenant[:LONGEST],
        "status": call.status,
        "cause": call.cause[:64],
        "patient_mark": mark("patient", request.patient_id if request else None),
        "user_mark": mark("user", request.user_id if request else None),
        "instance_mark": mark("instance", request.instance if request else None),
        "body_mark": keys.mark_of(bare) if bare is not None else None,
        "role": _role(request.user_id) if request else "",
        "profile": answer.profile.name[:64] if answer else "",
        "software": __version__,
        "knowledge": answer.knowledge if answer else "",
        "not_applicable": 0,
    }


_ROLES = ("Practitioner", "PractitionerRole", "Patient", "RelatedPerson", "Device")


def _role(user: str) -> str:
    """The type of the user. What is none of those that CDS Hooks names is not kept: it may be a name."""
    kind = user.rpartition("/")[0].rpartition("/")[2]
    return kind if kind in _ROLES else "other"


def _card(call: Call, answer: Answer, place: int) -> Row:
    card = answer.cards[place]
    return {
        "call": call.id,
        "position": place,
        "uuid": card.uuid,
        "tenant": call.tenant[:LONGEST],
        "topic": card.source.topic.code,
        "indicator": card.indicator,
        "suggestions": len(card.suggestions),
    }


_Ending = tuple[str, str, str, bool, str, str]
_NAMES = ("rule", "subject", "outcome", "shadow", "level", "cause")


def _outcomes(answer: Answer) -> tuple[list[dict[str, Any]], int]:
    """Each ending with how many subjects it had, and how many checks were about nothing here."""
    checks = answer.evaluation.checks
    about = [each for each in checks if not isinstance(each.outcome, NotApplicable) or each.switch]
    counted = Counter(_ending(each) for each in about)
    rows = [dict(zip(_NAMES, ending, strict=True)) | {"times": times} for ending, times in counted.items()]
    return rows, len(checks) - len(about)


def _ending(check: Check) -> _Ending:
    level, cause = "", ""
    match check.outcome:
        case Fired(finding):
            level = finding.level.indicator
        case NotEvaluated() as blind:
            level = (blind.level if blind.level is not None else check.rule.blind).indicator
            cause = _cause(blind)
        case _:
            pass
    return check.rule.id, _subject(check), check.word, check.shadow is not None, level, cause


def _subject(check: Check) -> str:
    if check.rule.pairs:
        return "pair"
    return "patient" if check.subject in ("", "patient") else "drug"


def _cause(blind: NotEvaluated) -> str:
    """The facts that were missing, each with its state: "potassium:stale, qtc:absent"."""
    facts = sorted({f"{fact.key.name}:{fact.state.name.lower()}" for fact in blind.missing})
    kind = type(blind).__name__
    other = "check failed" if "failed in this service" in blind.why else "undecided" if kind == "NotEvaluated" else kind
    return (", ".join(facts) or other)[:LONGEST]
