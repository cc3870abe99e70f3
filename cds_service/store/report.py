"""The report of a store: the questions of `queries`, asked together in one reading."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from sqlalchemy import Connection

from cards.topic import topic_code
from cds_service.reports import Asked, Judging, Report, Taken, Why, changes, last_weeks, week_of
from cds_service.store import queries
from cds_service.store.queries import Span
from cds_service.store.store import Store

T = TypeVar("T", Taken, Why)


def report(store: Store, asked: Asked, judging: Judging) -> Report:
    """What the store knows of this time. Raises StoreError."""
    with store.reading(patiently=True) as connection:
        told = _told(connection, asked, judging)
    return told if asked.rule is None else told.of_rule(asked.rule)


def _told(connection: Connection, asked: Asked, judging: Judging) -> Report:
    span = Span(asked.since, asked.until, asked.tenant)
    ended = queries.ended(connection, span)
    rules = {topic_code(each.rule): each.rule for each in ended}
    calls = queries.calls(connection, span)
    first, end = last_weeks(asked.until, judging.weeks)
    judged = Span(first, end, asked.tenant)
    last = week_of(end - timedelta(days=1))
    week_changes = changes(
        queries.weekly(connection, judged), queries.answered_by_week(connection, judged), last, judging
    )
    strange = queries.unknown_feedback(connection, asked.since, asked.until)
    return Report(
        asked=asked,
        answered=sum(times for (_, status), times in calls.items() if status == 200),
        refused=sum(times for (_, status), times in calls.items() if status != 200),
        not_repeated=queries.not_repeated(connection, span),
        knowledge=tuple(queries.knowledge(connection, span)),
        ended=tuple(ended),
        taken=tuple(_named(each, rules) for each in queries.taken(connection, span)),
        reasons=tuple(_named(each, rules) for each in queries.reasons_given(connection, span)),
        blind=tuple(queries.not_evaluated(connection, span)),
        shadow=tuple(queries.would_have_fired(connection, span)),
        weekly=tuple(queries.weekly(connection, span)),
        changes=week_changes,
        strange_feedback={
            tenant: times for tenant, times in strange.items() if asked.tenant is None or tenant == asked.tenant
        },
        unknown_codes=tuple(
            queries.unknown_codes(connection, week_of(asked.since), week_of(asked.until - timedelta(seconds=1)))
        ),
        tenants=tuple(queries.tenants(connection, Span(asked.since, asked.until))),
    )


def _named(row: T, rules: dict[str, str]) -> T:
    """With the id of the rule in the place of its code."""
    return replace(row, topic=rules.get(row.topic, row.topic))
