"""Endings: how all checks of a call ended, as one text that is kept once however many calls ended so.

They hold names and states and no value, so that calls of one patient, and of many patients, end alike. A call names
the text by its digest. Calls that an older version kept have rows of their own in `outcome`; whoever reads asks here
and need not know which.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, select

from cds_service.answer import Answer
from cds_service.rules.rule import Check, Finding, Fired, NotApplicable, NotEvaluated, NoTimeLeft
from cds_service.store.store import Store
from cds_service.store.tables import CALL, ENDINGS, LONGEST, LONGEST_BECAUSE, OUTCOME

Row = Mapping[str, Any]
NAMES = ("rule", "subject", "outcome", "shadow", "level", "cause", "because", "times")
FRESH_SECONDS = 600.0  # so exactly it is known when a text was last of use
UNUSED_SECONDS = 3600.0  # a text that no call names is taken away once it was of no use for so long
_AT_ONCE = 200
_REMEMBERED = 512  # texts, each a few kilobytes
_PATIENT = ("", "patient")  # the subjects that are no drug
_Ending = tuple[str, str, str, bool, str, str, str]


@dataclass(frozen=True, slots=True)
class Endings:
    """The text, and what it is named by."""

    id: str
    told: str

    @property
    def rows(self) -> tuple[Row, ...]:
        """Each ending with its place and how many subjects of the call ended just so."""
        return rows_of(self.told)


def endings_of(answer: Answer) -> tuple[Endings, int]:
    """How the checks of this call ended, and how many were about nothing here. What could not be told is not asked."""
    evaluation = answer.evaluation
    about = [
        _ending(check)
        for check in evaluation.telling
        if not isinstance(check.outcome, NotApplicable) or check.switch is not None
    ]
    return _told(tuple(Counter(about).items())), evaluation.many - len(about)


def rows_of(told: str) -> tuple[Row, ...]:
    """The endings in a text. Raises msgspec.DecodeError when it is none."""
    found = _TEXT.decode(told)
    return tuple({"position": place} | dict(zip(NAMES, each, strict=True)) for place, each in enumerate(found))


def id_of(told: str) -> str:
    """What a text is named by."""
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def of_call(connection: Connection, call: Any) -> tuple[tuple[Row, ...], str | tuple[Row, ...]]:
    """The endings of a kept call in their order, and what was sealed of them: the name of their text, or the rows."""
    if call["endings"] is None:
        asked = select(OUTCOME).where(OUTCOME.c.call == call["id"]).order_by(OUTCOME.c.position)
        rows = tuple(dict(row) for row in connection.execute(asked).mappings())
        return rows, rows
    told = connection.execute(select(ENDINGS.c.told).where(ENDINGS.c.id == call["endings"])).scalar() or ""
    try:
        return rows_of(told), id_of(told)
    except msgspec.DecodeError:  # somebody changed it, or took it away: the seal tells
        return (), id_of(told)


def alike(connection: Connection, which: Any) -> Iterator[tuple[str, int, tuple[Row, ...]]]:
    """Of the calls for which this holds: the week, how many ended alike in it, and how."""
    by = (CALL.c.endings, CALL.c.week)
    ended = select(*by, func.count().label("times")).where(which, CALL.c.endings.is_not(None)).group_by(*by)
    counted = ended.subquery("counted")
    asked = select(counted.c.week, counted.c.times, ENDINGS.c.told).join(ENDINGS, ENDINGS.c.id == counted.c.endings)
    for week, times, told in connection.execute(asked):
        yield str(week), int(times), rows_of(told)


def forget_unused(store: Store, now: float) -> int:
    """Take away the texts that no call names any more; how many they were. Raises StoreError.

    Whoever writes a call tells first that its text is of use, in the same transaction: what is about to be named
    is never taken away.
    """
    last = now - UNUSED_SECONDS
    named = select(CALL.c.endings).where(CALL.c.endings.is_not(None))
    with store.reading(patiently=True) as connection:
        asked = select(ENDINGS.c.id).where(ENDINGS.c.used < last, ENDINGS.c.id.not_in(named)).order_by(ENDINGS.c.id)
        unused = connection.execute(asked).scalars().all()
    gone = 0
    for start in range(0, len(unused), _AT_ONCE):
        some = unused[start : start + _AT_ONCE]
        with store.writing() as connection:
            done = connection.execute(delete(ENDINGS).where(ENDINGS.c.id.in_(some), ENDINGS.c.used < last))
            gone += done.rowcount
    return gone


_TEXT = msgspec.json.Decoder(list[tuple[str, str, str, bool, str, str, str, int]])  # learnt before threads ask


@lru_cache(maxsize=_REMEMBERED)  # of names and states, never of a patient
def _told(counted: tuple[tuple[_Ending, int], ...]) -> Endings:
    told = msgspec.json.encode([(*ending, times) for ending, times in counted]).decode()
    return Endings(id_of(told), told)


def _ending(check: Check) -> _Ending:
    rule, subject, outcome, _, _, shadow = check
    about = "pair" if rule.pairs else "patient" if subject in _PATIENT else "drug"
    level, cause, because = "", "", ""
    if isinstance(outcome, Fired):
        level, because = outcome.finding.level.indicator, _because(outcome.finding)
    elif isinstance(outcome, NotEvaluated):
        level = (outcome.level if outcome.level is not None else rule.blind).indicator
        cause = _cause(outcome)
    return rule.id, about, check.word, shadow is not None, level, cause, because


def _because(finding: Finding) -> str:
    """The facts that decided and the statements by which they did, by name: neither a value nor a word of the chart."""
    facts = ", ".join(dict.fromkeys([fact.key.name for fact in finding.because])) or "orders"
    words = facts
    for statement in dict.fromkeys([each.id for each in finding.says]):
        longer = f"{words}{' by ' if words == facts else ', '}{statement}"
        if len(longer) > LONGEST_BECAUSE:
            break
        words = longer
    return words[:LONGEST_BECAUSE]


def _cause(blind: NotEvaluated) -> str:
    """The facts that were missing, each with its state: "potassium:stale, qtc:absent"."""
    if isinstance(blind, NoTimeLeft):
        return "no time left"
    facts = sorted({f"{fact.key.name}:{fact.state.name.lower()}" for fact in blind.missing})
    return (", ".join(facts) or ("check failed" if blind.broke else "undecided"))[:LONGEST]
