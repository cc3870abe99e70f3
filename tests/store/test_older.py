"""What an older version kept, with a row for each ending, is read as ever: beside what this one keeps."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from cds_service.beside import Call
from cds_service.console import replay
from cds_service.settings import Settings
from cds_service.store import queries
from cds_service.store.erase import count, erase
from cds_service.store.purge import purge
from cds_service.store.records import mark_of_rows
from cds_service.store.stand import Stand
from cds_service.store.tables import CALL, CARD, ENDINGS, OUTCOME
from cds_service.store.write import write_new
from tests.calls import gilteritinib, request
from tests.store.conftest import NOW, Made, a_call, endings, read
from tests.store.test_queries import DAY, kept_with, of

QUESTIONS = (queries.ended, queries.weekly, queries.not_evaluated, queries.would_have_fired)


def as_of_an_older_version(kept: Stand, *calls: Call) -> None:
    """Let the rows of these calls stand as version v02 wrote them."""
    assert kept.store is not None
    keys = kept.store.prepare()
    names = {each.id for each in calls}
    every = [row for row in endings(kept.store) if row["call"] in names]
    told = {row["id"]: row for row in read(kept.store, CALL)}
    cards = read(kept.store, CARD)
    with kept.store.writing() as connection:
        write_new(connection, OUTCOME, every)
        for name in names:
            rows = [[row for row in table if row["call"] == name] for table in (cards, every)]
            mark = mark_of_rows(keys, told[name], *rows)
            connection.execute(update(CALL).where(CALL.c.id == name).values(endings=None, rows_mark=mark))


@pytest.fixture
def calls() -> tuple[Call, ...]:
    blind = request("order-sign", gilteritinib(status="draft"))
    return tuple(a_call(tenant="north", body=body, at=NOW - timedelta(minutes=n)) for n, body in
                 enumerate((None, blind, None, blind)))


@pytest.mark.parametrize("older", [(0, 1), (1, 2), (0, 1, 2, 3)])
def test_every_question_has_the_same_answer(made: Made, calls: tuple[Call, ...], older: tuple[int, ...]):
    kept = kept_with(made, *calls)
    before = [of(kept, question) for question in QUESTIONS]
    assert all(before[:3])
    as_of_an_older_version(kept, *(calls[place] for place in older))
    assert [of(kept, question) for question in QUESTIONS] == before
    assert of(kept, queries.ended, queries.Span(DAY.since, DAY.until, "south")) == []


def test_their_seal_holds_and_a_changed_row_breaks_it(made: Made, calls: tuple[Call, ...], env: dict[str, str]):
    kept = kept_with(made, *calls)
    as_of_an_older_version(kept, *calls[:2])
    settings = Settings.load(env)
    assert all(replay.replayed(settings, call.id).intact for call in calls)
    with kept.store.writing() as connection:
        of_one = (OUTCOME.c.call == calls[0].id, OUTCOME.c.outcome == "fired")
        connection.execute(update(OUTCOME).where(*of_one).values(level="info"))
    assert [replay.replayed(settings, call.id).intact for call in calls] == [False, True, True, True]


def test_a_call_that_names_what_is_gone_or_another_ending_was_changed(
    made: Made, calls: tuple[Call, ...], env: dict[str, str]
):
    kept = kept_with(made, *calls)
    settings = Settings.load(env)
    theirs = {row["id"]: row["endings"] for row in read(kept.store, CALL)}
    with kept.store.writing() as connection:
        connection.execute(update(CALL).where(CALL.c.id == calls[0].id).values(endings=theirs[calls[1].id]))
        connection.execute(update(CALL).where(CALL.c.id == calls[2].id).values(endings="f" * 32))
    assert [replay.replayed(settings, call.id).intact for call in calls] == [False, True, False, True]


def test_they_are_shown_erased_and_purged_with_the_others(made: Made, calls: tuple[Call, ...], tmp_path: Path):
    kept = kept_with(made, *calls)
    assert kept.beside.memory is not None
    card = calls[0].answer.cards[0].uuid
    told, counted = kept.beside.memory.of_card(card), count(kept.store, "north", "p1")
    assert told is not None and told.endings and counted.checks > 20
    as_of_an_older_version(kept, *calls[:3])
    assert kept.beside.memory.of_card(card) == told
    assert count(kept.store, "north", "p1") == counted
    purge(kept.store, NOW - timedelta(minutes=1, seconds=30))
    assert {row["call"] for row in read(kept.store, OUTCOME)} == {call.id for call in calls[:2]}
    assert erase(kept.store, "north", "p1").calls == 2
    assert read(kept.store, OUTCOME) == endings(kept.store) == []
    assert all("p1" not in row["told"] for row in read(kept.store, ENDINGS))
