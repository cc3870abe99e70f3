"""The programs that measure still run, on small numbers, and what they reckon is right."""

from __future__ import annotations

import itertools
import json
import math
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks import (
    __main__,
    callers,
    capacity,
    cases,
    figures,
    goals,
    limits,
    payloads,
    peers,
    profiling,
    reading,
    report,
    rounds,
    scale,
    servers,
    stage,
)
from benchmarks.figures import Figure
from benchmarks.hospital import Hospital
from cds_service.answer import answer
from cds_service.security.callers import Callers
from cds_service.security.outbound import Way
from cds_service.security.replay import SeenHere
from cds_service.security.tenants import read_tenants
from tests.calls import tools
from tests.fhir_server.app import create_app
from tests.fhir_server.running import ROOT, fhir_server

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PAGE = ROOT / "docs" / "performance.md"


def test_every_kind_is_measured():
    found = reading.measure(rounds=1)
    assert found.keys() == reading.KINDS.keys()
    assert found["MedicationRequest, of ours"] > 0
    assert "| Condition |" in reading.table(found)


@pytest.mark.parametrize("hook", payloads.HOOKS)
def test_a_stamped_request_is_the_one_of_its_number(hook):
    for number, stamped in zip(range(3), payloads.stamped(hook, 20, NOW, first=5), strict=False):
        told = payloads.request(hook, 20, payloads._STAMP + 2 + 5 + number, NOW)
        assert json.loads(stamped) == told


def test_no_resource_of_fresh_requests_comes_twice():
    bodies = itertools.islice(payloads.stamped("order-sign", 60, NOW), 3)
    sent = [json.dumps(resource) for body in bodies for resource in limits.resources(json.loads(body))]
    assert len(sent) == len(set(sent)) == 3 * 60


def test_a_thousand_resources_are_a_body_of_more_than_a_megabyte_and_a_half():
    assert len(next(payloads.stamped("order-sign", 1000, NOW))) >= __main__.BIG


@pytest.fixture(scope="module")
def echo() -> Iterator[int]:
    port = servers.free_port()
    body = next(payloads.stamped("order-sign", 20, NOW))
    first = callers.message(port, "/cds-services/any", body)
    settings = {"PORT": str(port), "WORKERS": "1", "THREADS": "4"}
    with servers.running(stage.beside(cases.ECHO), port, first, settings) as server:
        assert len(server.processes) == 2
        assert server.cpu() > 0
        yield port


def test_callers_send_each_message_once_and_time_every_answer(echo):
    body = next(payloads.stamped("order-sign", 20, NOW))
    sent = [callers.message(echo, "/cds-services/any", body)] * 50
    fired = callers.volley(echo, sent, callers=3, seconds=30)
    assert (fired.calls, fired.failed) == (50, 0)
    assert fired.own_cpu > 0
    told = rounds.told(fired, cpu=0.1)
    assert told["cpu"] == pytest.approx(2.0)
    assert told["p50"] <= told["p95"] <= told["p99"]


def test_what_is_not_answered_200_is_counted(echo):
    sent = [callers.message(echo, "/elsewhere", b"{}")] * 4
    fired = callers.volley(echo, sent, callers=2, seconds=30)
    assert fired.failed == 4
    assert rounds.failures({"a case": {"echo": [rounds.told(fired, 0)]}}) == [
        "a case, echo: 4 calls were not answered 200"
    ]


def test_time_ends_a_volley(echo):
    sent = callers.message(echo, "/cds-services/any", next(payloads.stamped("order-sign", 20, NOW)))
    fired = callers.volley(echo, itertools.repeat(sent), callers=2, seconds=0.2)
    assert fired.calls > 0
    assert fired.seconds < 5


def test_the_naive_variant_looks_at_every_resource_and_refuses_what_is_invalid():
    body = payloads.request("order-sign", 20, 1, NOW)
    assert len(list(limits.resources(body))) == 20
    client = limits.naive().test_client()
    assert client.post("/cds-services/any", json=body).json == limits.CARD
    del body["prefetch"]["conditions"]["entry"][0]["resource"]["subject"]
    assert client.post("/cds-services/any", json=body).status_code == 500


def test_the_kernel_tells_cpu_and_memory_of_a_process():
    before = servers._cpu_of(os.getpid())
    sum(range(300_000))
    assert servers._cpu_of(os.getpid()) > before
    pss, rss = servers._memory_of(os.getpid())
    assert 0 < pss <= rss
    assert servers._parents()[os.getpid()] == os.getppid()


def test_a_server_is_started_as_deployed_whatever_the_caller_s_environment_says(monkeypatch):
    for name, value in (("PYTHONDONTWRITEBYTECODE", "1"), ("HTTP_PROXY", "http://proxy.invalid"), ("WORKERS", "9")):
        monkeypatch.setenv(name, value)
    told = servers.environment({"PORT": "8123"})
    assert told["PORT"] == "8123"
    assert not {"PYTHONDONTWRITEBYTECODE", "HTTP_PROXY", "WORKERS"} & told.keys()
    assert told["PATH"] == os.environ["PATH"]


def test_a_token_of_the_benchmark_is_taken_once(tmp_path):
    hospital = Hospital.opened(tmp_path)
    tenants = read_tenants(Path(hospital.settings(8080)["TENANTS"]), ("US",), Way())
    at_the_door = Callers(tenants, SeenHere(lambda: 0.0), lambda: 0.0)
    path = stage.path_of("order-sign")
    for _ in range(2):
        assert at_the_door.check(hospital.bearer(8080, path), f"http://127.0.0.1:8080{path}").name == "bench"


def test_a_chart_of_a_fetching_case_can_be_loaded():
    client = create_app(None).test_client()
    made = client.post("/fhir", json=stage._record(60, 1), headers={"Content-Type": "application/fhir+json"})
    assert made.status_code == 200
    found = client.get("/fhir/Observation?patient=Patient/bench-60-1&_count=100").json
    assert found["entry"]


def test_a_fetching_call_is_answered_as_one_that_sends_the_chart_along(tmp_path):
    case = cases.Case(way=cases.FETCH)
    with fhir_server() as fhir:
        there = stage.Stage(tmp_path, Hospital.opened(tmp_path), fhir=fhir.base)
        there.load([case])
        bodies = there.bodies(case)
        now = replace(tools(), now=lambda: datetime.now(UTC))
        service = next(each for each in now.services if each.hook == case.hook)
        asking, sending = (answer(bodies[each][0], service, now) for each in (cases.SERVICE, cases.ECHO))
    assert b"prefetch" not in bodies[cases.SERVICE][0]
    assert [card.summary for card in asking.cards] == [card.summary for card in sending.cards]


# What a run looks like, with invented numbers: the service costs 2 ms and 10 µs a resource, the echo 1 ms and 20 µs.
def a_round(cpu: float, rps: float = 100.0) -> dict[str, float]:
    return {"calls": 9, "failed": 0, "rps": rps, "p50": 1.0, "p95": 2.0, "p99": 3.0, "cpu": cpu, "callers_cpu": 0.1}


def a_run() -> dict:
    measured = {}
    for case in cases.EVERY:
        ours = 2 + 0.01 * case.resources
        all_of = {target: [a_round(0.3 * case.resources, 50.0)] * 3 for target in case.targets}
        all_of[cases.ECHO] = [a_round(1 + 0.02 * case.resources, rps) for rps in (200.0, 400.0, 100.0)]
        all_of[cases.SERVICE] = [a_round(ours, rps) for rps in (100.0, 100.0, 100.0)]
        measured[case.name] = all_of
    return {
        "date": "2026-11-21T12:00:00+00:00", "rounds": 3, "parser": "orjson", "left_out": {"HealthChain": "no network"},
        "machine": {"cores": 2, "processor": "a processor", "memory": 4, "python": "3.11.0", "load": 0.1},
        "measured": measured, "start": {"seconds": 1.0, "cpu": 0.9, "pss": 99.0, "rss": 60.0},
        "memory": {target: {"pss": 100.0, "rss": 60.0} for target in (cases.ECHO, cases.SERVICE)},
        "big_body": {"bytes": 1_700_000, "status": 200},
    }  # fmt: skip


def test_a_ratio_is_taken_within_a_round_and_its_spread_told():
    found = figures.ratio(a_run()["measured"], "order-sign 60 fresh", "rps", cases.SERVICE, cases.ECHO)
    assert found == Figure(0.5, 0.25, 1.0)


def test_growth_is_the_slope_of_a_line():
    ours = figures.growth(a_run()["measured"], cases.FRESH, cases.SERVICE)
    assert (ours.per_resource, ours.fixed, ours.r2) == pytest.approx((10.0, 2.0, 1.0))
    assert figures.of_run(a_run())["per resource fresh"].value == pytest.approx(0.5)


def test_every_goal_is_measured_by_a_whole_run():
    found = figures.of_run(a_run())
    assert not [goal.what for goal in goals.GOALS if goal.figure not in found]
    assert len({goal.figure for goal in goals.GOALS}) == len(goals.GOALS)


def test_a_goal_that_is_aimed_for_is_never_easier_than_what_must_be():
    assert all(goal.reached(goal.must, goal.aim) for goal in goals.GOALS)


@pytest.mark.parametrize(
    ("value", "verdict"), [(3.0, "aim"), (3.5, "aim"), (4.0, "must"), (6.0, "must"), (6.1, "missed")]
)
def test_a_verdict_is_one_word(value, verdict):
    (goal,) = [each for each in goals.GOALS if each.figure == "cpu order-sign 60 fresh / echo"]
    assert goal.verdict(Figure(value, value, value)) == verdict
    assert goal.verdict(None) == "not measured"


def test_the_gate_holds_cpu_alone_and_says_what_is_too_far_off():
    found = figures.of_run(a_run())
    assert goals.closed(found) == []
    slow = Figure(70.0, 70.0, 70.0)
    assert goals.closed(found | {"cpu order-sign 60 warm / echo": slow}) == [
        "cpu order-sign 60 warm / echo: 70 times, at most 22"
    ]
    assert len(goals.closed({})) == len(goals.GATES)


def test_a_short_run_measures_what_the_gates_ask():
    short = {case.name: a_run()["measured"][case.name] for case in cases.GATE}
    assert goals.closed(figures.of_run(a_run() | {"measured": short})) == []


def test_a_run_is_told_as_tables_beside_an_earlier_one():
    told = report.whole(a_run(), a_run())
    assert "| CPU of a call, 60 resources, fresh, of the echo's | 6 × | 3.5 × | 1.18 × | 1.18 × | aim |" in told
    assert "Left out: HealthChain, no network." in told
    assert "| service, fresh | 10 | 2 | 1.0000 |" in told


def test_the_plot_is_a_picture_without_a_script():
    drawn = report.plot(a_run())
    assert drawn.startswith("<svg")
    assert "<script" not in drawn
    assert "http" not in drawn.replace("http://www.w3.org/", "")


def test_the_page_has_a_place_for_everything_that_is_measured():
    page = PAGE.read_text(encoding="utf-8")
    for name in ("bench", "profile", "scale", "capacity"):
        assert "| told |" in report.put(page, name, "| told |")
    with pytest.raises(ValueError, match="no place"):
        report.put(page, "another", "")


def test_what_a_hospital_asks_is_reckoned_from_beds():
    assert sum(capacity.HOSPITAL.by_hook.values()) == 88_000
    assert capacity.HOSPITAL.peak == pytest.approx(88_000 * 0.12 / 3600 * 3)
    assert capacity.carried(1, mean=6.0) == pytest.approx(100.0)
    assert capacity.cores_for(capacity.HOSPITAL, mean=6.0) == pytest.approx(0.088)
    told = capacity.told(a_run())
    assert "nan" not in told
    assert "| a hospital of 1,000 beds: calls a day | 1,000 × (40 charts + 12 × (3 + 1) order calls) | 88,000 |" in told


def test_a_profile_tells_the_steps_and_no_place_of_this_machine():
    total, lines = profiling.profiled(calls=2)
    assert {(line.place, line.name) for line in lines} >= profiling.STEPS.keys()
    told = profiling.steps(total, lines) + profiling.top(total, lines)
    assert str(ROOT) not in told
    assert "site-packages" not in told


@pytest.mark.parametrize(("file", "told"), [
    (str(ROOT / "cds_service/answer.py"), "cds_service/answer.py"),
    (str(ROOT / ".venv/lib/python3.11/site-packages/jinja2/filters.py"), "jinja2/filters.py"),
    ("/opt/somewhere/site-packages/msgspec/__init__.py", "msgspec/__init__.py"),
    ("/opt/somewhere/lib/python3.11/json/decoder.py", "decoder.py"),
    ("~", ""),
])  # fmt: skip
def test_a_place_is_told_without_the_folders_of_this_machine(file: str, told: str):
    assert profiling.place(file) == told


def test_grown_knowledge_answers_alike_and_a_call_costs_the_same():
    grown = replace(tools(), knowledge=scale.grown(tools().knowledge, 10))
    assert len(grown.knowledge.drugs) == 10 * len(tools().knowledge.drugs)
    assert len(grown.knowledge.precipitants) == 10 * len(tools().knowledge.precipitants)
    body = json.dumps(payloads.request("order-sign", 60, 1, tools().now())).encode()
    service = next(each for each in tools().services if each.hook == "order-sign")
    few, many = (answer(body, service, each) for each in (tools(), grown))
    assert [card.summary for card in few.cards] == [card.summary for card in many.cards]
    found = scale.measure(rounds=2, times=(1, 10))
    assert all(by_size[10] < 2 * by_size[1] for by_size in found.values()), found
    assert "×10 ÷ ×1" in scale.table(found)


def test_a_figure_that_was_not_measured_is_a_dash():
    assert report.spread(None) == report.number(math.nan) == "–"


def test_what_peers_need_is_pinned():
    wanted = (ROOT / "benchmarks" / "healthchain.txt").read_text().splitlines()
    assert "healthchain==0.16.1" in wanted
    assert all("==" in line for line in [*wanted, peers.ORJSON])
