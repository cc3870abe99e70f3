"""Statistics: only what we issued to whom, the last word about a card, and what could not be seen."""

from __future__ import annotations

import time
from datetime import timedelta

from sqlalchemy import update

from cds_service.hooks.feedback import Reason
from cds_service.reports import Taken, Why
from cds_service.store import queries
from cds_service.store.endings import UNUSED_SECONDS, forget_unused
from cds_service.store.purge import purge, purge_daily
from cds_service.store.queries import Span
from cds_service.store.tables import CALL, CARD, ENDINGS, FEEDBACK, REASON
from tests.calls import gilteritinib, request
from tests.store.conftest import CHART, NOW, Made, a_call, endings, read
from tests.store.test_ledger import told

DAY = Span(NOW - timedelta(days=1), NOW + timedelta(days=1))


def of(kept, function, span=DAY):
    with kept.store.reading() as connection:
        return function(connection, span)


def kept_with(made: Made, *calls):
    kept = made()
    for call in calls:
        kept.keeper.saw(call)
    assert kept.keeper.flush(15)
    return kept


def hold(call) -> str:
    """The uuid of the card about the hold."""
    return next(card.uuid for card in call.answer.cards if card.source.topic.code == "qtcHold")


def test_the_last_word_about_a_card_counts_by_rule_role_and_week(made: Made):
    first, second, third = a_call(tenant="north"), a_call(tenant="north"), a_call(tenant="north")
    kept = kept_with(made, first, second, third)
    kept.ledger.add("s", "north", (told(hold(first), reasons=(Reason("x", "urn:x"),)), told(hold(second).upper())))
    kept.ledger.add("s", "north", (told(hold(second), "accepted", NOW + timedelta(minutes=1)),))
    (row,) = [each for each in of(kept, queries.taken) if each.topic == "qtcHold"]
    assert row == Taken("qtcHold", "Practitioner", "2026-W47", "critical", 3, 1, 1)
    assert of(kept, queries.reasons_given) == [Why("qtcHold", "x", False, 1, {"2026-W47": 1})]


def test_feedback_about_cards_of_another_tenant_or_of_nobody_is_kept_and_not_counted(made: Made):
    call = a_call(tenant="north")
    kept = kept_with(made, call)
    kept.ledger.add("s", "south", (told(hold(call)), told("none of ours")))
    kept.ledger.add("s", "north", (told(hold(call), "accepted"),))
    (row,) = [each for each in of(kept, queries.taken) if each.topic == "qtcHold"]
    assert (row.accepted, row.overridden) == (1, 0)
    with kept.store.reading() as connection:
        unknown = queries.unknown_feedback(connection, DAY.since, DAY.until)
    assert unknown == {"south": 2}
    assert len(read(kept.store, FEEDBACK)) == 3


def test_feedback_that_comes_before_its_card_was_written_counts(made: Made):
    kept, call = made(), a_call()
    kept.ledger.add("s", "", (told(hold(call)),))
    kept.keeper.saw(call)
    assert kept.keeper.flush(15)
    (row,) = [each for each in of(kept, queries.taken) if each.topic == "qtcHold"]
    assert row.overridden == 1


def test_what_fired_and_what_could_not_be_seen(made: Made):
    kept = kept_with(made, a_call(), a_call(body=request("order-sign", gilteritinib(status="draft"))))
    fired = {(each.rule, each.level): each for each in of(kept, queries.ended) if each.outcome == "fired"}
    assert fired["qtc-hold", "critical"].calls == 1
    assert any(each.fact == "potassium" and each.state == "absent" for each in of(kept, queries.not_evaluated))
    assert of(kept, queries.would_have_fired) == []
    assert of(kept, queries.calls) == {("aml-order-sign", 200): 2}


def test_reasons_and_what_could_not_be_seen_are_told_by_week(made: Made):
    before = timedelta(weeks=1)
    bare = request("order-sign", gilteritinib(status="draft"))
    calls = [a_call(tenant="north"), a_call(tenant="north", at=NOW - before)]
    kept = kept_with(made, *calls, a_call(body=bare), *(a_call(body=bare, at=NOW - before) for _ in range(2)))
    kept.ledger.add("s", "north", tuple(told(hold(call), reasons=(Reason("x", "urn:x"),)) for call in calls))
    span = Span(DAY.since - before, DAY.until)
    (why,) = of(kept, queries.reasons_given, span)
    assert (why.times, why.weeks) == (2, {"2026-W46": 1, "2026-W47": 1})
    rows = of(kept, queries.not_evaluated, span)
    assert rows == sorted(rows, key=lambda each: -each.times)
    assert all(each.times == sum(each.weeks.values()) for each in rows)
    (qtc,) = [each for each in rows if (each.rule, each.fact) == ("qtc-hold", "qtc")]
    assert qtc.weeks == {"2026-W46": 2, "2026-W47": 1}


def test_what_would_have_fired_in_shadow(made: Made, tmp_path):
    from tests.overlays import ask_with, tools_with, written

    rules = {"rules": "rules:\n  qtc-hold: {switch: shadow, reason: the board looks first, until: 2027-02-01}\n"}
    answered = ask_with(
        tools_with(written(tmp_path / "overlay", **rules)), "order-sign", gilteritinib(status="draft"), **CHART
    )
    kept = kept_with(made, a_call(answer=answered))
    assert [(each.rule, each.level) for each in of(kept, queries.would_have_fired)] == [("qtc-hold", "critical")]


def test_another_span_or_tenant_has_nothing(made: Made):
    kept = kept_with(made, a_call(tenant="north"))
    assert of(kept, queries.taken, Span(DAY.since, NOW)) == []
    assert of(kept, queries.taken, Span(DAY.since, DAY.until, "south")) == []
    assert of(kept, queries.taken, Span(DAY.since, DAY.until, "north")) != []


def test_a_purge_takes_what_is_old_with_all_that_hangs_on_it_and_nothing_else(made: Made):
    old = [a_call(at=NOW - timedelta(days=10)) for _ in range(3)]
    kept = kept_with(made, *old, a_call())
    kept.ledger.add("s", "", (told(reasons=(Reason("x", "urn:x"),)),))
    gone = purge(kept.store, NOW - timedelta(days=5))
    assert (gone.calls, gone.feedback) == (3, 0)
    (left,) = read(kept.store, CALL)
    assert {row["call"] for row in (*read(kept.store, CARD), *endings(kept.store))} == {left["id"]}
    assert purge(kept.store, NOW + timedelta(days=1)).feedback == 1
    assert read(kept.store, FEEDBACK) == read(kept.store, REASON) == []


def test_how_calls_ended_goes_when_no_call_ended_so_any_more(made: Made):
    old = a_call(body=request("order-sign", gilteritinib(status="draft")), at=NOW - timedelta(days=10))
    kept = kept_with(made, old, a_call())
    later = time.time() + 2 * UNUSED_SECONDS
    assert forget_unused(kept.store, later) == 0, "calls name both"
    purge(kept.store, NOW - timedelta(days=5))
    assert len(read(kept.store, ENDINGS)) == 2, "one might be named at this very moment"
    assert forget_unused(kept.store, later) == 1
    (row,) = read(kept.store, CALL)
    assert [each["id"] for each in read(kept.store, ENDINGS)] == [row["endings"]]


def test_what_is_of_use_again_is_known_to_be(made: Made):
    kept, call = made(), a_call()
    kept.keeper.saw(call)
    assert kept.keeper.flush(15)
    with kept.store.writing() as connection:
        connection.execute(update(ENDINGS).values(used=5.0))
    kept.keeper.saw(a_call())
    assert kept.keeper.flush(15)
    (row,) = read(kept.store, ENDINGS)
    assert time.time() - row["used"] < 60


def test_one_of_all_workers_purges_once_a_day(made: Made):
    kept = made()
    purge_daily(kept.store, 5, lambda: NOW)
    assert purge_daily(kept.store, 5, lambda: NOW + timedelta(hours=23)) is None
    assert purge_daily(kept.store, 5, lambda: NOW + timedelta(hours=25)) is not None
    assert purge_daily(kept.store, 5, lambda: NOW - timedelta(days=400)) is not None, "a clock that was ahead"
