"""The report: rules by their ids, shadow with reasons, rules that changed; the same from both stores, and as CSV."""

from __future__ import annotations

import csv
import io
import json
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from cds_service import cli
from cds_service.console import reporting
from cds_service.errors import StoreError, UsageError
from cds_service.hooks.feedback import Reason
from cds_service.reports import GREW, SILENT, Asked, Judging, Weekly, changes, last_weeks, week_of
from cds_service.store.report import report
from tests.calls import gilteritinib, request
from tests.overlays import ask_with, tools_with, written
from tests.store.conftest import CHART, NOW, Made, a_call
from tests.store.test_ledger import told
from tests.store.test_queries import hold, kept_with

ASKED = Asked(NOW - timedelta(days=1), NOW + timedelta(days=1))
SHADOW = {"rules": "rules:\n  qtc-hold: {switch: shadow, reason: the board looks first, until: 2027-02-01}\n"}


def test_cards_stand_under_the_id_of_their_rule_with_acceptance_and_reasons(made: Made):
    first, second = a_call(tenant="north"), a_call(tenant="north")
    kept = kept_with(made, first, second)
    kept.ledger.add("s", "north", (told(hold(first), reasons=(Reason("x", "urn:x"),)), told(hold(second), "accepted")))
    found = report(kept.store, ASKED, Judging())
    (row,) = [each for each in found.taken if each.topic == "qtc-hold"]
    assert (row.shown, row.accepted, row.overridden, row.role, row.week) == (2, 1, 1, "Practitioner", "2026-W47")
    assert [(each.topic, each.code) for each in found.reasons] == [("qtc-hold", "x")]
    assert ("qtc-hold", "critical", 2) in {(each.rule, each.level, each.calls) for each in found.fired}
    assert (found.answered, found.refused, len(found.knowledge)) == (2, 0, 1)


def test_one_rule_alone(made: Made):
    kept = kept_with(made, a_call())
    found = report(kept.store, Asked(ASKED.since, ASKED.until, rule="qtc-hold"), Judging())
    assert {each.rule for each in found.ended} == {each.topic for each in found.taken} == {"qtc-hold"}


def test_a_report_of_years_may_take_its_time_and_takes_no_connection_that_feedback_needs(made: Made):
    kept = kept_with(made, a_call())
    store, slow = kept.store, 1.8  # seconds: more than whoever waits at the bedside is kept
    with ExitStack() as readers:
        for _ in range(12):
            readers.enter_context(store.reading(patiently=True))
        kept.ledger.add("s", "", (told(),))
    if store.place.file is None:
        with store.reading(patiently=True) as connection:
            connection.execute(text(f"SELECT pg_sleep({slow})"))
        with pytest.raises(StoreError), store.reading() as connection:
            connection.execute(text(f"SELECT pg_sleep({slow})"))


def test_of_one_rule_nothing_is_told_that_is_of_none(made: Made):
    kept = kept_with(made, a_call(tenant="north"))
    kept.ledger.add("s", "north", (told(),))  # about no card of ours
    assert report(kept.store, ASKED, Judging()).strange_feedback == {"north": 1}
    found = report(kept.store, Asked(ASKED.since, ASKED.until, rule="qtc-hold"), Judging())
    assert found.strange_feedback == {} and found.unknown_codes == ()


def test_a_hospital_that_nothing_is_kept_of_is_said(made: Made):
    kept = kept_with(made, a_call(tenant="north"))
    found = report(kept.store, Asked(ASKED.since, ASKED.until, tenant="nroth"), Judging())
    words = "Of a tenant of that name no call of this time is kept; there are calls of north"
    assert words in reporting.as_text(found, 200)
    found = report(kept.store, Asked(ASKED.since, ASKED.until, tenant="north"), Judging())
    assert "no call" not in reporting.as_text(found, 200)


def test_shadow_says_what_would_have_fired_and_because_of_what(made: Made, tmp_path: Path):
    answered = ask_with(
        tools_with(written(tmp_path / "overlay", **SHADOW)), "order-sign", gilteritinib(status="draft"), **CHART
    )
    kept = kept_with(made, a_call(answer=answered))
    found = report(kept.store, ASKED, Judging())
    (would,) = found.shadow
    assert (would.rule, would.level, would.calls) == ("qtc-hold", "critical", 1)
    assert would.because == "qtc by gilteritinib-qtc-hold"
    assert "512" not in would.because
    assert "qtc-hold" not in {each.rule for each in found.fired}
    text = reporting.as_text(found, 200)
    assert "shown to nobody" in text and would.because in text


def test_a_rule_that_fell_silent_and_one_that_exploded(made: Made):
    end = last_weeks(NOW, 4)[1]
    before = [a_call(at=end - timedelta(weeks=number, days=3)) for number in (2, 3, 4, 5) for _ in range(3)]
    bare = request("order-sign", gilteritinib(status="draft"))
    last = [a_call(at=end - timedelta(days=3), body=bare) for _ in range(3)]
    kept = kept_with(made, *before, *last)
    found = report(kept.store, ASKED, Judging(silent_from=2))
    assert ("qtc-hold", SILENT) in {(each.rule, each.what) for each in found.changes}


def test_what_counts_as_changed():
    calls = {"2026-W44": 10, "2026-W45": 10, "2026-W46": 20}
    fired = [
        Weekly("quiet", "2026-W44", 5), Weekly("quiet", "2026-W45", 5),
        Weekly("loud", "2026-W45", 2), Weekly("loud", "2026-W46", 18),
        Weekly("new", "2026-W46", 9),
        Weekly("rare", "2026-W44", 1), Weekly("new but rare", "2026-W46", 1),
        Weekly("same", "2026-W44", 5), Weekly("same", "2026-W46", 9),
    ]  # fmt: skip
    found = {each.rule: (each.what, each.expected) for each in changes(fired, calls, "2026-W46", Judging())}
    assert found == {"quiet": (SILENT, 10.0), "loud": (GREW, 2.0), "new": (GREW, 0.0)}
    assert changes(fired, {"2026-W46": 20}, "2026-W46", Judging()) == ()
    assert changes(fired, {"2026-W44": 20}, "2026-W46", Judging()) == ()


def test_the_last_whole_week():
    start, end = last_weeks(datetime(2026, 11, 21, 12, tzinfo=UTC), 4)
    assert (start, end) == (datetime(2026, 10, 12, tzinfo=UTC), datetime(2026, 11, 16, tzinfo=UTC))
    assert week_of(end - timedelta(days=1)) == "2026-W46"


def test_the_command_tells_csv_json_and_text(
    made: Made, env: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    kept_with(made, a_call())
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    days = ["--since", "2026-11-20", "--until", "2026-11-21"]
    assert cli.main(["report", *days]) == 0
    assert "Fired, in how many calls" in capsys.readouterr().out
    assert cli.main(["report", *days, "--json", "--rule", "qtc-hold"]) == 0
    assert json.loads(capsys.readouterr().out)["taken"][0]["topic"] == "qtc-hold"
    assert cli.main(["report", *days, "--csv"]) == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert {len(row) for row in rows} == {7}
    assert ["fired", "", "qtc-hold", "critical", "", "calls", "1"] in rows
    assert cli.main(["report", "--rule", "nothing"]) == 2


def test_an_empty_store_is_told_and_none_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setenv("DATA", str(tmp_path / "data"))
    monkeypatch.delenv("STORE", raising=False)
    assert cli.main(["report"]) == 1
    assert "gone or cannot be opened" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()
    monkeypatch.setenv("KEEP", "nothing")
    assert cli.main(["report"]) == 2


@pytest.mark.parametrize(("since", "until"), [("2026-11-22", "2026-11-21"), ("yesterday", None)])
def test_odd_days_are_refused(since: str, until: str | None):
    with pytest.raises(UsageError):
        reporting.asked(since, until, None, None, NOW)
