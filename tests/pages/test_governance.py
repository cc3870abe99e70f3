"""Governance: made-up figures in demo mode, and said to be; the store's in hospital mode, and not for strangers."""

from __future__ import annotations

import csv
import io
import time
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day

import pytest

from cards.reasons import by_rule
from cds_service.answer import answer
from cds_service.beside import Beside
from cds_service.errors import StoreError
from cds_service.pages.book import book
from cds_service.pages.made_up import _RULES, made_up
from cds_service.reports import GREW, SILENT, Asked, Judging, Report, Taken, week_of
from cds_service.settings import Settings
from cds_service.web.app import create_app
from tests.calls import tools

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOSPITAL = {"MODE": "hospital", "PUBLIC_URL": "https://cds.example"}


def reported(asked: Asked) -> Report:
    taken = (Taken("qtc-hold", "Practitioner", "2026-W46", "critical", 4, 3, 1),)
    return Report(asked, 4, 0, 2, ("abc",), (), taken, (), (), (), (), (), {"<b>south": 1}, ())


def lost(asked: Asked) -> Report:
    raise StoreError("it is locked by another process")


def client_of(beside: Beside | None = None, **env: str):
    settings = Settings.load(env)
    beside = beside or Beside()
    app = create_app(settings, tools(), answer, beside=beside, book=book(settings, tools(), beside))
    return app.test_client()


@pytest.fixture
def hospital(tmp_path):
    (tmp_path / "tenants.toml").write_text("")
    return {**HOSPITAL, "TENANTS": str(tmp_path / "tenants.toml")}


def test_demo_mode_shows_made_up_figures_and_says_so():
    client = client_of()
    page = client.get("/governance").get_data(as_text=True)
    assert "Made-up figures." in page and page.count("<h1>") == 1
    assert "fell silent" in page and "exploded" in page and "<svg" in page
    assert "style=" not in page and "<script" not in page
    told = client.get("/governance?format=json").get_json()
    assert told["made_up"] is True and told["taken"]
    assert "Governance" in client.get("/").get_data(as_text=True)


def test_it_tells_what_fired_by_rule_and_week_not_only_the_cards():
    client = client_of()
    told = client.get("/governance?weeks=12&format=json").get_json()
    page = client.get("/governance?weeks=12").get_data(as_text=True).partition("What fired</h2>")[2]
    fired = page.partition("<h2>")[0]
    for each in told["ended"]:
        assert each["rule"] in fired and f'data-name="calls">{each["calls"]}<' in fired
    newest = max(each["week"] for each in told["weekly"])
    assert any(f'data-name="{newest}">{each["calls"]}<' in fired for each in told["weekly"] if each["week"] == newest)


@pytest.mark.parametrize(
    ("part", "heading"), [("reasons", "Reasons to override"), ("blind", "Not evaluated, for want of")]
)
def test_reasons_and_what_was_not_evaluated_stand_by_rule_and_week(part, heading):
    client = client_of()
    told = client.get("/governance?weeks=12&format=json").get_json()
    page = client.get("/governance?weeks=12").get_data(as_text=True).partition(f"<h2>{heading}</h2>")[2]
    table = page.partition("<h2>")[0]
    newest = sorted({week for each in told[part] for week in each["weeks"]})[-6:]
    assert len(newest) == 6
    for each in told[part]:
        assert sum(each["weeks"].values()) == each["times"] and f'data-name="in all">{each["times"]}<' in table
        for week in newest:
            assert f'data-name="{week}">{each["weeks"].get(week, 0)}<' in table
    rows = csv.reader(io.StringIO(client.get("/governance?weeks=12&format=csv").get_data(as_text=True)))
    name = {"reasons": "override reason", "blind": "not evaluated"}[part]
    assert all(row[1] for row in rows if row[0] == name)


@pytest.mark.parametrize("weeks", [4, 12, 52])
def test_so_many_weeks_are_whole_but_for_the_one_that_runs(weeks):
    told = client_of().get(f"/governance?weeks={weeks}&format=json").get_json()
    since, until = (datetime.fromisoformat(told["asked"][name]) for name in ("since", "until"))
    assert since.isoweekday() == 1 and since.time() == time_of_day(0)
    assert len({week_of(since + timedelta(days=day)) for day in range((until - since).days + 1)}) == weeks


def test_it_exports_what_it_shows():
    client = client_of()
    response = client.get("/governance?format=csv&weeks=12&rule=qtc-hold")
    assert response.mimetype == "text/csv"
    rows = list(csv.reader(io.StringIO(response.get_data(as_text=True))))
    assert {row[2] for row in rows[1:] if row[0] == "cards"} == {"qtc-hold"}
    accepts_json = client.get("/governance", headers={"Accept": "application/json"})
    assert accepts_json.mimetype == "application/json"


@pytest.mark.parametrize("asked", ["weeks=3", "weeks=x", "rule=none", "rule=%3Cb%3E"])
def test_what_is_asked_wrongly_is_told_with_what_can_be_asked(asked):
    response = client_of().get(f"/governance?{asked}")
    (issue,) = response.json["issue"]
    assert response.status_code == 400 and issue["expression"] == [f"http.{asked.partition('=')[0]}"]
    assert "expected" in issue["diagnostics"] and "<" not in issue["diagnostics"]


def test_the_figures_of_the_store_in_hospital_mode(hospital):
    client = client_of(Beside(report=reported), **hospital, PAGES="on")
    page = client.get("/governance?tenant=%3Ci%3Enorth", headers={"Host": "cds.example"}).get_data(as_text=True)
    assert "Made-up" not in page and "qtc-hold" in page and "75%" in page and "Not shown twice" in page
    assert "<b>south" not in page and "&lt;b&gt;south" in page and "<i>north" not in page


def test_it_is_not_for_strangers(hospital):
    beside = Beside(report=reported)
    client = client_of(beside, **hospital)
    assert client.get("/governance").status_code == 200
    assert client.get("/governance", headers={"X-Forwarded-For": "10.0.0.1"}).status_code == 404
    assert client.get("/governance", environ_base={"REMOTE_ADDR": "10.0.0.1"}).status_code == 404
    assert client_of(beside, **hospital, PAGES="off").get("/governance").status_code == 404
    assert client_of(**hospital, PAGES="on").get("/governance").status_code == 404, "nothing is kept"


def test_a_store_that_cannot_be_asked_is_said(hospital):
    response = client_of(Beside(report=lost), **hospital).get("/governance")
    assert response.status_code == 503 and "it is locked" in response.get_data(as_text=True)
    for form in ("json", "csv"):
        response = client_of(Beside(report=lost), **hospital).get(f"/governance?format={form}")
        assert response.status_code == 503 and "it is locked" in response.json["error"]


def test_made_up_rules_are_rules_of_ours_and_the_same_time_gives_the_same():
    assert {rule for rule, *_ in _RULES} <= {*tools().rules, "gap"}
    for rule, *_, why in _RULES:
        assert set(why) <= set(by_rule()[rule])
    asked = Asked(NOW - timedelta(weeks=4), NOW)
    told = made_up(asked, Judging())
    assert told == made_up(asked, Judging())
    assert {each.what for each in told.changes} == {SILENT, GREW}
    assert all(each.accepted + each.overridden <= each.shown for each in told.taken)


def test_the_page_is_quick():
    client = client_of()
    client.get("/governance")
    started = time.perf_counter()
    for _ in range(5):
        client.get("/governance?weeks=52")
    assert (time.perf_counter() - started) / 5 < 0.1
