"""Questions to the store: how cards were taken, what fired, what could not be seen, what would have fired.

Each answers with plain rows, the same from SQLite and PostgreSQL. Statistics count only cards that we issued to the
tenant whose feedback it is, and of several feedbacks about one card the last: feedback about other cards is kept and
counted apart (`unknown_feedback`), so that nobody can make a rule look useless from outside.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Subquery, and_, case, exists, func, select

from cds_service.reports import Blind, Ended, Taken, Unknown, Weekly, Why, Would
from cds_service.store.endings import alike
from cds_service.store.tables import CALL, CARD, FEEDBACK, OUTCOME, REASON, UNKNOWN_CODE


@dataclass(frozen=True, slots=True)
class Span:
    """From a moment (included) to another (excluded), of one tenant or, with None, of all."""

    since: datetime
    until: datetime
    tenant: str | None = None

    def holds(self) -> ColumnElement[bool]:
        """The calls within."""
        within = and_(self.since <= CALL.c.at, self.until > CALL.c.at)
        return within if self.tenant is None else and_(within, CALL.c.tenant == self.tenant)


def taken(connection: Connection, span: Span) -> list[Taken]:
    """Acceptance and override, by rule, role of the user, week and indicator."""
    last = _last_feedback()

    def counted(outcome: str) -> ColumnElement[int]:
        return func.sum(case((last.c.outcome == outcome, 1), else_=0))

    by = (CARD.c.topic, CALL.c.role, CALL.c.week, CARD.c.indicator)
    asked = (
        select(*by, func.count(), counted("accepted"), counted("overridden"))
        .select_from(CARD.join(CALL, CARD.c.call == CALL.c.id).outerjoin(last, _is_about(last)))
        .where(span.holds())
        .group_by(*by)
        .order_by(*by)
    )
    return [Taken(*row) for row in connection.execute(asked)]


def reasons_given(connection: Connection, span: Span) -> list[Why]:
    """Why cards were overridden, by rule and reason, the most frequent first; in all and of each week."""
    last = _last_feedback()
    by = (CARD.c.topic, REASON.c.code, REASON.c.ours, CALL.c.week)
    asked = (
        select(*by, func.count())
        .select_from(
            CARD.join(CALL, CARD.c.call == CALL.c.id)
            .join(last, _is_about(last))
            .join(REASON, REASON.c.feedback == last.c.mark)
        )
        .where(span.holds(), last.c.outcome == "overridden")
        .group_by(*by)
        .order_by(*by)
    )
    found: defaultdict[tuple[str, str, bool], dict[str, int]] = defaultdict(dict)
    for topic, code, ours, week, times in connection.execute(asked):
        found[topic, code, ours][week] = times
    given = [Why(*key, sum(weeks.values()), weeks) for key, weeks in found.items()]
    return sorted(given, key=lambda each: (each.topic, -each.times, each.code))


def ended(connection: Connection, span: Span) -> list[Ended]:
    """How checks ended, by rule, outcome and level. In shadow: what would have fired, and was shown to nobody."""
    return [Ended(*row) for row in _endings(connection, span, ("rule", "outcome", "level", "shadow"))]


def would_have_fired(connection: Connection, span: Span) -> list[Would]:
    """What fired in shadow and was shown to nobody, and because of what."""
    by = ("rule", "level", "because")
    return [Would(*row) for row in _endings(connection, span, by, shadow=True, outcome="fired")]


def weekly(connection: Connection, span: Span) -> list[Weekly]:
    """In how many calls of each week each rule fired, in shadow or not."""
    return [Weekly(*row[:3]) for row in _endings(connection, span, ("rule", "week"), outcome="fired")]


def answered_by_week(connection: Connection, span: Span) -> dict[str, int]:
    """How many calls of each week were answered with knowledge."""
    asked = select(CALL.c.week, func.count()).where(span.holds(), CALL.c.knowledge != "").group_by(CALL.c.week)
    return {str(week): int(times) for week, times in connection.execute(asked)}


def knowledge(connection: Connection, span: Span) -> list[str]:
    """The versions of the knowledge that answered."""
    asked = select(CALL.c.knowledge).where(span.holds(), CALL.c.knowledge != "").distinct().order_by(CALL.c.knowledge)
    return [str(version) for version in connection.execute(asked).scalars()]


def tenants(connection: Connection, span: Span) -> list[str]:
    """Of whom calls are kept; "" in demo mode."""
    return [str(name) for name in connection.execute(select(CALL.c.tenant).where(span.holds()).distinct()).scalars()]


def not_repeated(connection: Connection, span: Span) -> int:
    """How many cards were not shown, as the same user had just seen them."""
    return int(connection.execute(select(func.sum(CALL.c.not_repeated)).where(span.holds())).scalar() or 0)


def unknown_codes(connection: Connection, first: str, last: str) -> list[Unknown]:
    """The codes that no table holds, from one week to another, both included. They are not kept by tenant."""
    columns = (UNKNOWN_CODE.c.week, UNKNOWN_CODE.c.kind, UNKNOWN_CODE.c.system)
    asked = (
        select(*columns, UNKNOWN_CODE.c.times)
        .where(first <= UNKNOWN_CODE.c.week, last >= UNKNOWN_CODE.c.week)
        .order_by(*columns)
    )
    return [Unknown(*row) for row in connection.execute(asked)]


def not_evaluated(connection: Connection, span: Span) -> list[Blind]:
    """Which facts were missing, in which state, by rule, the most frequent first; in all and of each week.

    What lacked two counts twice.
    """
    counted: defaultdict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for rule, cause, week, _, times in _endings(connection, span, ("rule", "cause", "week"), outcome="not evaluated"):
        for each in cause.split(", "):
            fact, _, state = each.partition(":")
            counted[rule, fact, state][week] += times
    found = [Blind(*key, weeks.total(), dict(sorted(weeks.items()))) for key, weeks in counted.items()]
    return sorted(found, key=lambda each: (-each.times, each.rule, each.fact, each.state))


def unknown_feedback(connection: Connection, since: datetime, until: datetime) -> dict[str, int]:
    """By tenant, how much feedback was about cards that we did not issue to it, or no longer know of."""
    issued = exists().where(CARD.c.uuid == FEEDBACK.c.card, CARD.c.tenant == FEEDBACK.c.tenant)
    asked = (
        select(FEEDBACK.c.tenant, func.count())
        .where(since <= FEEDBACK.c.at, until > FEEDBACK.c.at, ~issued)
        .group_by(FEEDBACK.c.tenant)
    )
    return {str(tenant): int(times) for tenant, times in connection.execute(asked)}


def calls(connection: Connection, span: Span) -> dict[tuple[str, int], int]:
    """How many calls, by service and HTTP status."""
    asked = select(CALL.c.service, CALL.c.status, func.count()).where(span.holds())
    rows = connection.execute(asked.group_by(CALL.c.service, CALL.c.status))
    return {(str(service), int(status)): int(times) for service, status, times in rows}


def _endings(connection: Connection, span: Span, by: tuple[str, ...], **only: object) -> list[tuple[Any, ...]]:
    """By these columns: in how many calls checks ended so, and how many did. `only`: those with these values."""
    found: dict[tuple[Any, ...], list[int]] = {}
    for *key, calls, times in _rows_of_older_versions(connection, span, by, only):
        found[tuple(key)] = [int(calls), int(times)]
    for week, calls, endings in alike(connection, span.holds()):
        in_each: Counter[tuple[Any, ...]] = Counter()
        for row in endings:
            if all(row[name] == value for name, value in only.items()):
                in_each[tuple([week if name == "week" else row[name] for name in by])] += row["times"]
        for each, times in in_each.items():
            so_far = found.setdefault(each, [0, 0])
            so_far[0] += calls
            so_far[1] += calls * times
    return [(*key, *found[key]) for key in sorted(found)]


def _rows_of_older_versions(
    connection: Connection, span: Span, by: tuple[str, ...], only: Mapping[str, object]
) -> Iterable[Any]:
    columns = [CALL.c.week if name == "week" else func.coalesce(OUTCOME.c[name], "") if name == "because"
               else OUTCOME.c[name] for name in by]
    asked = (
        select(*columns, func.count(OUTCOME.c.call.distinct()), func.sum(OUTCOME.c.times))
        .select_from(OUTCOME.join(CALL, OUTCOME.c.call == CALL.c.id))
        .where(span.holds(), *(OUTCOME.c[name] == value for name, value in only.items()))
        .group_by(*columns)
    )
    return connection.execute(asked)


def _last_feedback() -> Subquery:
    """Of each card of each tenant the last that was told of it: by the client's time, else by when it came."""
    when = func.coalesce(FEEDBACK.c.outcome_at, FEEDBACK.c.at)
    place = func.row_number().over(
        partition_by=(FEEDBACK.c.tenant, FEEDBACK.c.card), order_by=(when.desc(), FEEDBACK.c.at.desc(), FEEDBACK.c.mark)
    )
    ranked: Select[Any] = select(
        FEEDBACK.c.mark, FEEDBACK.c.tenant, FEEDBACK.c.card, FEEDBACK.c.outcome, place.label("place")
    )
    every = ranked.subquery("every_feedback")
    return select(every).where(every.c.place == 1).subquery("last_feedback")


def _is_about(last: Subquery) -> ColumnElement[bool]:
    return and_(last.c.card == CARD.c.uuid, last.c.tenant == CARD.c.tenant)
