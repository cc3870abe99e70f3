"""Feedback: on the disk before it is accepted, counted once, and refused in time when it cannot be kept."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from cards.reasons import REASON_SYSTEM, reasons
from cds_service.errors import NotKept
from cds_service.hooks.feedback import Feedback, Reason
from cds_service.store import ledger, place
from cds_service.store.tables import FEEDBACK, REASON
from tests.store.conftest import NOW, Made, read
from tests.store.test_keeper import full_env

OTHERS = "https://ehr.example/reasons"  # a list of the client's own
CARD = "0c5e2a44-9c60-4fd3-8bd0-0f9d0b9e0f11"


def told(card: str = CARD, outcome: str = "overridden", at: datetime | None = NOW, **more) -> Feedback:
    given = {"accepted": (), "reasons": (), "comment": False} | more
    return Feedback(card=card, outcome=outcome, at=at, **given)


def test_feedback_is_there_when_add_returns(made: Made):
    kept = made()
    kept.ledger.add("aml-order-sign", "north", (told(reasons=(Reason("value-outdated"), Reason("x y"))),))
    (row,) = read(kept.store, FEEDBACK)
    assert (row["card"], row["outcome"], row["tenant"], row["week"]) == (CARD, "overridden", "north", "2026-W47")
    assert row["outcome_at"] == NOW
    assert [each["code"] for each in read(kept.store, REASON)][1:] == ["other"]


def test_the_same_feedback_three_times_is_accepted_and_counted_once(made: Made):
    kept = made()
    for _ in range(3):
        kept.ledger.add("aml-order-sign", "", (told(reasons=(Reason("a"),)), told(reasons=(Reason("a"),))))
    assert len(read(kept.store, FEEDBACK)) == len(read(kept.store, REASON)) == 1


def test_sent_again_with_other_reasons_the_first_ones_stay_and_nothing_is_mixed(made: Made):
    kept = made()
    for codes in (("a",), ("b", "c")):
        kept.ledger.add("s", "", (told(reasons=tuple(Reason(code, OTHERS) for code in codes)),))
    assert [each["code"] for each in read(kept.store, REASON)] == ["a"]


@pytest.mark.parametrize(("reason", "expected"), [
    (Reason("wife-refuses", OTHERS), ("wife-refuses", False)),
    (Reason("45", "com.epic.cdshooks.feedback.overrideReason.reasonCategory"), ("45", False)),
    (Reason("Brunhilde"), ("other", False)),
    (Reason("4711-0815", "MRN"), ("other", False)),
    (Reason("she refuses", OTHERS), ("other", False)),
    (Reason("value-outdated"), ("value-outdated", True)),
    (Reason("value-outdated", REASON_SYSTEM), ("value-outdated", True)),
    (Reason("value-outdated", OTHERS), ("value-outdated", False)),
    (Reason(None, None, reasons()["value-outdated"].coding.display), ("value-outdated", True)),
    (Reason("7", OTHERS, reasons()["value-outdated"].coding.display), ("value-outdated", True)),
    (Reason(None, None, "She refuses"), ("other", False)),
], ids=lambda each: str(each)[:40])
def test_a_code_of_nobodys_list_may_be_typed_text_and_is_not_kept(made: Made, reason: Reason, expected):
    kept = made()
    kept.ledger.add("s", "", (told(reasons=(reason,)),))
    assert [(each["code"], each["ours"]) for each in read(kept.store, REASON)] == [expected]


def test_the_same_moment_in_another_zone_is_the_same(made: Made):
    kept = made()
    east = NOW.astimezone(tz=__import__("zoneinfo").ZoneInfo("Asia/Tokyo"))
    kept.ledger.add("s", "", (told(), told(at=east)))
    assert len(read(kept.store, FEEDBACK)) == 1


def test_another_outcome_time_card_or_tenant_is_another_feedback(made: Made):
    kept = made()
    others = (told(), told(outcome="accepted"), told(at=NOW + timedelta(seconds=1)), told(at=None), told("another"))
    kept.ledger.add("s", "north", others)
    kept.ledger.add("s", "south", others)
    assert len(read(kept.store, FEEDBACK)) == 10


def test_a_card_that_is_no_uuid_is_kept_as_a_mark(made: Made):
    kept = made()
    kept.ledger.add("s", "", (told("Jane's card"),))
    (row,) = read(kept.store, FEEDBACK)
    assert row["card"].startswith("#") and "Jane" not in row["card"]


@pytest.mark.parametrize("full", [False, True])
def test_what_was_typed_is_kept_in_full_only_and_encrypted(made: Made, tmp_path: Path, full: bool):
    kept = made(**(full_env(tmp_path) if full else {}))
    kept.ledger.add("s", "", (told(comment=True, words="she refuses"),))
    (row,) = read(kept.store, FEEDBACK)
    assert row["comment"]
    if full:
        assert b"refuses" not in row["words"]
        assert kept.store.prepare().unseal(row["words"]) == b"she refuses"
    else:
        assert row["words"] is None


@pytest.mark.parametrize(
    "at", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, tzinfo=UTC)], ids=["first", "last"]
)
def test_an_impossible_time_is_no_time(made: Made, at: datetime):
    kept = made()
    kept.ledger.add("s", "", (told(at=at),))
    assert read(kept.store, FEEDBACK)[0]["outcome_at"] is None


@pytest.mark.parametrize("year, is_one", [(1900, False), (1901, True), (9998, True), (9999, False)])
def test_a_time_of_our_age_is_one(made: Made, year: int, is_one: bool):
    kept, at = made(), datetime(year, 6, 1, tzinfo=UTC)
    kept.ledger.add("s", "", (told(at=at),))
    assert read(kept.store, FEEDBACK)[0]["outcome_at"] == (at if is_one else None)


def test_a_thousand_at_once(made: Made, monkeypatch: pytest.MonkeyPatch):
    """In a few statements, so that two seconds are plenty; on a busy machine no wait ends here before they do."""
    monkeypatch.setattr(ledger, "SECONDS", 60.0)
    monkeypatch.setattr(place, "BUSY_SECONDS", 60.0)
    kept, asked = made(), []
    with kept.store.writing() as connection:
        event.listen(connection.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    kept.ledger.add("s", "", tuple(told(at=NOW + timedelta(seconds=each)) for each in range(1000)))
    assert sum("INSERT INTO" in each for each in asked) == 1 and len(asked) <= 3
    assert len(read(kept.store, FEEDBACK)) == 1000


def test_while_the_store_is_locked_feedback_is_refused_within_two_seconds_and_taken_afterwards(made: Made):
    kept = made()
    kept.ledger.add("s", "", (told(),))
    with kept.store.place.engine(patient=True).begin() as locking:
        if kept.store.place.file is None:
            locking.exec_driver_sql("LOCK TABLE feedback IN ACCESS EXCLUSIVE MODE")
        started = time.monotonic()
        with pytest.raises(NotKept):
            kept.ledger.add("s", "", (told("2"),))
        assert time.monotonic() - started < 2.3
    kept.ledger.add("s", "", (told("2"),))
    assert len(read(kept.store, FEEDBACK)) == 2
