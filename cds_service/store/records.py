"""Records: a call as the rows that are kept of it. This is the one place that decides what of a patient is kept.

Audit: no value, no name, no free text; ids as marks. What a check could not see is named by fact and state only
("potassium:stale"), never in the words that the clinician read: those hold values. Why a check fired stands as names
of facts and ids of statements ("qtc by gilteritinib-qtc-hold").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC
from operator import itemgetter
from typing import Any

import msgspec

from cds_service import __version__
from cds_service.answer import Answer
from cds_service.beside import Call
from cds_service.repeats import ALWAYS_SHOWN, Who
from cds_service.reports import week_of
from cds_service.store import whole
from cds_service.store.endings import Endings, endings_of
from cds_service.store.keys import Keys
from cds_service.store.repeats import HOOK, finding_mark
from cds_service.store.tables import LONGEST

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """The rows of one call, by table."""

    call: Row
    cards: tuple[Row, ...] = ()
    endings: Endings | None = None
    whole: Row | None = None
    knowledge: Row | None = None

    @property
    def size(self) -> int:
        """Roughly, in bytes of memory; as if nobody ended alike."""
        sealed = len(self.whole["sealed"]) if self.whole else 0
        told = len(self.endings.told) if self.endings else 0
        return sealed + told + 2_000 + 700 * len(self.cards)


def record(call: Call, keys: Keys, full: bool) -> Record:
    """What is kept of this call. `full`: request, response and what the FHIR server gave too, encrypted."""
    answer = call.answer
    bare = whole.without_token(call.body, was_read=answer is not None)
    told = _call(call, keys, bare)
    if answer is None:
        return Record(told)
    endings, not_applicable = endings_of(answer)
    told |= {"not_applicable": not_applicable, "not_repeated": len(answer.not_repeated), "endings": endings.id}
    cards = tuple([_card(call, answer, place, keys) for place in range(len(answer.cards))])
    told["rows_mark"] = mark_of_rows(keys, told, cards, endings.id)
    return Record(
        told,
        cards,
        endings,
        {"call": call.id, "sealed": keys.seal(whole.packed(bare, answer))} if full and bare is not None else None,
        {"digest": answer.knowledge, "software": __version__, "first_seen": call.at},
    )


_SEALED_CALL = (
    "id", "service", "hook", "tenant", "status", "body_mark", "role", "software", "knowledge", "not_applicable",
)  # fmt: skip
_SEALED_CARD = ("position", "uuid", "topic", "indicator", "suggestions")
_SEALED_OUTCOME = ("position", "rule", "subject", "outcome", "shadow", "level", "cause", "because", "times")


def mark_of_rows(keys: Keys, call: Row, cards: Iterable[Row], endings: str | Iterable[Row]) -> str:
    """What stands for the rows of a call: other rows, another mark. Columns that come later do not change it.

    `endings`: the name of their text, made anew from it; of a call that an older version kept the rows of `outcome`.
    """
    told = [
        call["at"].astimezone(UTC).isoformat(),
        [call[name] for name in _SEALED_CALL],
        [[row[name] for name in _SEALED_CARD] for row in _in_order(cards)],
        endings
        if isinstance(endings, str)
        else [[row[name] for name in _SEALED_OUTCOME] for row in _in_order(endings)],
    ]
    return keys.mark_of(b"rows " + msgspec.json.encode(told))


def _in_order(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=itemgetter("position"))


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
        "endings": None,
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
