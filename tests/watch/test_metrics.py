"""What is counted, and that callers can neither name a series nor make one."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from cds_service.answer import Observer, Tools, answer, load_tools
from cds_service.beside import Beside, Call, Health, Light
from cds_service.console.samples import stories
from cds_service.hooks.feedback import Feedback
from cds_service.rules.catalogue import RULES
from cds_service.rules.heart import qtc
from cds_service.rules.rule import NotEvaluated, NoTimeLeft
from cds_service.settings import Settings
from cds_service.watch import definitions as of
from cds_service.watch.metrics import Metrics, cause
from cds_service.web.app import create_app

ORDER_SIGN = "/cds-services/aml-order-sign"


@pytest.fixture
def metrics() -> Metrics:
    made = Metrics()
    made.names(["aml-order-sign"], [rule.id for rule in RULES], ["labs", "ecg"])
    return made


def told(metrics: Metrics) -> dict[str, float]:
    """Each series of the page and its number."""
    lines = (line for line in metrics.page().decode().splitlines() if not line.startswith("#"))
    return {series: float(number) for series, _, number in (line.rpartition(" ") for line in lines)}


def call(**changes: object) -> Call:
    fields = {
        "id": "0" * 32, "at": datetime(2026, 11, 21, tzinfo=UTC), "seconds": 0.003, "service": "aml-order-sign",
        "hook": "order-sign", "tenant": "", "caller": None, "status": 400, "cause": "BadRequest", "body": b"",
        "answer": None,
    }  # fmt: skip
    return Call(**{**fields, **changes})  # type: ignore[arg-type]


def test_no_traffic_can_make_more_than_500_series():
    tools = load_tools(Settings.load({}))
    queries = {query.key for service in tools.services for query in service.queries}
    sets = of.label_sets((each.id for each in tools.services), tools.rules, queries)
    assert of.most_series(sets) <= 500


def test_every_label_of_every_metric_has_a_closed_set():
    sets = of.label_sets((), (), ())
    for metric in of.METRICS:
        if metric.kind != of.GAUGE:
            assert set(metric.labels) <= sets.keys(), metric.name


def test_what_is_in_no_set_counts_as_other(metrics):
    metrics.saw(call(service="MARK", status=404))
    metrics.asked("MARK", 0.1, whole=False)
    metrics.turned_away("MARK")
    metrics.not_known("MARK", "MARK")
    metrics.add("MARK", "MARK", (Feedback("MARK", "MARK", (), (), True, None),))
    metrics.not_stored("MARK")
    metrics.saw(call())
    assert b"MARK" not in metrics.page()
    assert told(metrics)['aml_cds_callers_turned_away_total{reason="other"}'] == 1


def test_a_call_that_broke_is_counted_as_such(metrics):
    metrics.saw(call(status=200, cause="RuntimeError"))
    counted = told(metrics)
    assert counted['aml_cds_calls_broken_total{service="aml-order-sign"}'] == 1
    assert counted['aml_cds_calls_total{service="aml-order-sign",status="2xx"}'] == 1


def test_checks_that_broke_are_counted(metrics, monkeypatch):
    def broken(*_: object) -> None:
        raise ValueError

    tools = load_tools(Settings.load({}))
    stop = next(each for each in stories() if each.name == "gilteritinib-qtc-512")
    sample = next(each for each in stop.samples if each.service == "aml-order-sign")
    service = next(each for each in tools.services if each.id == sample.service)
    monkeypatch.setattr(qtc, "weighed", broken)
    answered = answer(sample.body, service, tools)
    metrics.saw(call(status=200, answer=answered))
    failed = [each for each in answered.evaluation.checks if getattr(each.outcome, "broke", False)]
    assert failed and told(metrics)["aml_cds_checks_broken_total"] == len(failed)


def test_the_calls_of_the_samples_are_counted_by_service_card_and_gap():
    metrics, settings = Metrics(), Settings.load({})
    tools: Tools = load_tools(settings, observer=Observer(metrics.asked, metrics.not_known))
    keys = (query.key for service in tools.services for query in service.queries)
    metrics.names((each.id for each in tools.services), tools.rules, keys)
    app = create_app(settings, tools, answer, beside=Beside((metrics,), (metrics,), {}, metrics.page))
    client = app.test_client()
    sent = [each for story in stories() for each in story.samples if (each.status, each.fhir) == (200, "refused")]
    cards = 0
    for each in sent:
        body = each.body
        with client.post(f"/cds-services/{each.service}", data=body, content_type="application/json") as response:
            cards += len(response.get_json()["cards"])
    feedback = {"feedback": [{"card": "1", "outcome": "overridden"}]}
    assert client.post(f"{ORDER_SIGN}/feedback", json=feedback).status_code == 200
    counted = told(metrics)
    assert sum(number for name, number in counted.items() if name.startswith("aml_cds_calls_total")) == len(sent)
    assert sum(number for name, number in counted.items() if name.startswith("aml_cds_cards_total")) == cards > 0
    assert sum(n for name, n in counted.items() if name.startswith("aml_cds_cards_by_indicator")) == cards
    assert 'aml_cds_cards_total{rule="other"}' not in counted
    assert counted['aml_cds_feedback_total{outcome="overridden",service="aml-order-sign"}'] == 1
    assert any(name.startswith("aml_cds_codes_not_known_total") for name in counted)
    assert len(counted) <= 500
    with client.get("/metrics") as page:
        assert page.status_code == 200 and page.mimetype == "text/plain"


def test_parts_and_versions_are_those_of_the_moment(metrics):
    metrics.asks(lambda: {"store": Health(Light.AMBER, "in words")}, ["0123456789ab"])
    counted = told(metrics)
    assert counted['aml_cds_part_state{part="store"}'] == 1
    assert any(re.match(r'aml_cds_info\{knowledge="0123456789ab",version="[\d.]+"\}', name) for name in counted)


def test_a_broken_check_has_that_for_its_cause():
    assert cause(NotEvaluated(broke=True)) == "broke"
    assert cause(NoTimeLeft(why="no time left")) == "no_time"
    assert cause(NotEvaluated(why="whether the patient takes such a drug is not known")) == "other"


@pytest.mark.parametrize(
    ("setting", "address", "headers", "status"),
    [
        ("loopback", "127.0.0.1", {}, 200),
        ("loopback", "::1", {}, 200),
        ("loopback", "127.0.0.1", {"X-Forwarded-For": "198.51.100.7"}, 404),
        ("loopback", "127.0.0.1", {"Via": "1.1 proxy"}, 404),
        ("loopback", "198.51.100.7", {}, 404),
        ("on", "198.51.100.7", {"Host": "10.1.2.3:8080"}, 200),
        ("off", "127.0.0.1", {}, 404),
    ],
)
def test_the_page_is_for_those_whom_the_setting_names(make_app, metrics, setting, address, headers, status):
    client = make_app(METRICS=setting, beside=Beside(metrics=metrics.page)).test_client()
    answered = client.get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": address})
    assert answered.status_code == status


def test_a_stranger_sees_no_difference_to_an_address_that_does_not_exist(make_app, metrics):
    client = make_app(METRICS="off", beside=Beside(metrics=metrics.page)).test_client()
    hidden, nowhere = client.get("/metrics"), client.get("/metricz")
    assert (hidden.data, sorted(hidden.headers)) == (nowhere.data, sorted(nowhere.headers))
