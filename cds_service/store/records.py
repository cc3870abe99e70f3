"""Records: a call as the rows that are kept of it. This is the one place that decides what of a patient is kept.

Audit: no value, no name, no free text; ids as marks. What a check could not see is named by fact and state only
("potassium:stale"), never in the words that the clinician read: those hold values. Why a check fired stands as names
of facts and ids of statements ("qtc by gilteritinib-qtc-hold").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import msgspec

from cds_service import __version__
from cds_service.answer import Answer
from cds_service.beside import Call
from cds_service.repeats import ALWAYS_SHOWN, Who
from cds_service.reports import week_of
from cds_service.rules.rule import Check, Finding, Fired, NotApplicable, NotEvaluated, NoTimeLeft
from cds_service.store import whole
from cds_service.store.keys import Keys
from cds_service.store.repeats import HOOK, finding_mark
from cds_service.store.tables import LONGEST, LONGEST_BECAUSE

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
        return sealed + 400 * (1 + len(self.cards) + len(self.outcomes))


def record(call: Call, keys: Keys, full: bool) -> Record:
    """What is kept of this call. `full`: request, response and what the FHIR server gave too, encrypted."""
    answer = call.answer
    bare = whole.without_token(call.body)
    told = _call(call, keys, bare)
    if answer is None:
        return Record(told)
    endings, not_applicable = outcomes_of(answer)
    told |= {"not_applicable": not_applicable, "not_repeated": len(answer.not_repeated)}
    cards = tuple(_card(call, answer, place, keys) for place in range(len(answer.cards)))
    outcomes = tuple({"call": call.id, "position": place} | row for place, row in enumerate(endings))
    return Record(
        told | {"rows_mark": mark_of_rows(keys, told, cards, outcomes)},
        cards,
        outcomes,
        {"call": call.id, "sealed": keys.seal(whole.packed(bare, answer))} if full and bare is not None else None,
        {"digest": answer.knowledge, "software": __version__, "first_seen": call.at},
    )


_SEALED_CALL = (
    "id", "service", "hook", "tenant", "status", "body_mark", "role", "software", "knowledge", "not_applicable",
)  # fmt: skip
_SEALED_CARD = ("position", "uuid", "topic", "indicator", "suggestions")
_SEALED_OUTCOME = ("position", "rule", "subject", "outcome", "shadow", "level", "cause", "because", "times")


def mark_of_rows(keys: Keys, call: Row, cards: Iterable[Row], outcomes: Iterable[Row]) -> str:
    """What stands for the rows of a call: other rows, another mark. Columns that come later do not change it."""
    in_order = [sorted(rows, key=lambda row: row["position"]) for rows in (cards, outcomes)]
    told = [
        call["at"].astimezone(UTC).isoformat(),
        [call[name] for name in _SEALED_CALL],
        [[row[name] for name in _SEALED_CARD] for row in in_order[0]],
        [[row[name] for name in _SEALED_OUTCOME] for row in in_order[1]],
    ]
    return keys.mark_of(b"rows " + msgspec.json.encode(told))


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
        "rows_mark": None,
        "not_repeated": 0,
    }


_ROLES = ("Practitioner", "PractitionerRole", "Patient", "RelatedPerson", "Device")


def _role(user: str) -> str:
    """The type of the user. What is none of those that CDS Hooks names is not kept: it may be a name."""
    kind = user.rpartition("/")[0].rpartition("/")[2]
    return kind if kind in _ROLES else "other"


def _card(call: Call, answer: Answer, place: int, keys: Keys) -> Row:
    card, who = answer.cards[place], Who(call.tenant, answer.request.user_id, answer.request.patient_id)
    may_repeat = card.fingerprint and call.hook == HOOK and card.indicator != ALWAYS_SHOWN
    return {
        "call": call.id,
        "position": place,
        "uuid": card.uuid,
        "tenant": call.tenant[:LONGEST],
        "topic": card.source.topic.code,
        "indicator": card.indicator,
        "suggestions": len(card.suggestions),
        "finding_mark": finding_mark(keys, who, card.fingerprint) if may_repeat else None,
    }


_Ending = tuple[str, str, str, bool, str, str, str]
_NAMES = ("rule", "subject", "outcome", "shadow", "level", "cause", "because")


def outcomes_of(answer: Answer) -> tuple[list[dict[str, Any]], int]:
    """Each ending with how many subjects it had, and how many checks were about nothing here."""
    checks = answer.evaluation.checks
    about = [each for each in checks if not isinstance(each.outcome, NotApplicable) or each.switch]
    counted = Counter(_ending(each) for each in about)
    rows = [dict(zip(_NAMES, ending, strict=True)) | {"times": times} for ending, times in counted.items()]
    return rows, len(checks) - len(about)


def _ending(check: Check) -> _Ending:
    level, cause, because = "", "", ""
    match check.outcome:
        case Fired(finding):
            level, because = finding.level.indicator, _because(finding)
        case NotEvaluated() as blind:
            level = (blind.level if blind.level is not None else check.rule.blind).indicator
            cause = _cause(blind)
        case _:
            pass
    return check.rule.id, _subject(check), check.word, check.shadow is not None, level, cause, because


def _because(finding: Finding) -> str:
    """The facts that decided and the statements by which they did, by name: neither a value nor a word of the chart."""
    facts = ", ".join(dict.fromkeys(fact.key.name for fact in finding.because)) or "orders"
    words = facts
    for statement in dict.fromkeys(each.id for each in finding.says):
        longer = f"{words}{' by ' if words == facts else ', '}{statement}"
        if len(longer) > LONGEST_BECAUSE:
            break
        words = longer
    return words[:LONGEST_BECAUSE]


def _subject(check: Check) -> str:
    if check.rule.pairs:
        return "pair"
    return "patient" if check.subject in ("", "patient") else "drug"


def _cause(blind: NotEvaluated) -> str:
    """The facts that were missing, each with its state: "potassium:stale, qtc:absent"."""
    if isinstance(blind, NoTimeLeft):
        return "no time left"
    facts = sorted({f"{fact.key.name}:{fact.state.name.lower()}" for fact in blind.missing})
    return (", ".join(facts) or ("check failed" if blind.broke else "undecided"))[:LONGEST]
