"""A terminology server extends the tables, and no answer ever waits for it, fails with it or goes elsewhere for it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses

from cds_service.answer import load_tools
from cds_service.elsewhere import FromServer, Noted
from cds_service.errors import SettingsError
from cds_service.facts.disease import DISEASE, Disease
from cds_service.facts.entries import PROBLEMS
from cds_service.gather.terminology import TerminologyServer
from cds_service.knowledge.spelling import RXNORM, SNOMED
from cds_service.settings import Settings
from tests import charts

BASE = "https://terms.example.org/r4"
Json = dict[str, Any]


def parameters(*each: Json) -> Json:
    return {"resourceType": "Parameters", "parameter": list(each)}


def looked(display: str, **related: str) -> Json:
    properties = [
        {"name": "property", "part": [{"name": "code", "valueCode": name}, {"name": "value", "valueCode": code}]}
        for name, code in related.items()
    ]
    return parameters({"name": "display", "valueString": display}, *properties)


def translated(code: str, how: str = "equivalent", system: str = RXNORM) -> Json:
    concept = {"name": "concept", "valueCoding": {"system": system, "code": code}}
    return parameters({"name": "result", "valueBoolean": True},
                      {"name": "match", "part": [{"name": "equivalence", "valueCode": how}, concept]})


@pytest.fixture
def server() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def elsewhere(**more: Any) -> FromServer:
    return FromServer(TerminologyServer.at(BASE), charts.terms(), **({"hours": 1} | more))


def asked(server: responses.RequestsMock) -> list[dict[str, str]]:
    return [{name: values[0] for name, values in parse_qs(urlsplit(str(call.request.url)).query).items()}
            for call in server.calls]


def test_an_unknown_code_is_unknown_at_once_and_known_at_the_next_call(server):
    server.get(f"{BASE}/CodeSystem/$lookup", json=looked("venetoclax 55 MG Oral Tablet", has_ingredient="1747556"))
    terms = elsewhere()
    assert terms.drug(RXNORM, "9999001") is None
    terms.settle()
    found = terms.drug(RXNORM, "9999001")
    assert found is not None
    assert (found.ingredients, found.display) == (("venetoclax",), "venetoclax 55 MG Oral Tablet")
    assert asked(server) == [{"system": RXNORM, "code": "9999001"}]
    assert terms.counts == {"told": 1}


def test_ingredients_are_followed_by_exact_relations_and_no_others(server):
    answers = {"9999001": looked("pack", contains="9999002", ingredient_of="1747556"),
               "9999002": looked("drug", consists_of="9999003"),
               "9999003": looked("component", has_ingredient="1747556", has_tradename="2105807")}

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        code = parse_qs(urlsplit(str(request.url)).query)["code"][0]
        return 200, {}, json.dumps(answers[code])

    server.add_callback("GET", f"{BASE}/CodeSystem/$lookup", answer)
    terms = elsewhere()
    terms.drug(RXNORM, "9999001")
    terms.settle()
    found = terms.drug(RXNORM, "9999001")
    assert found is not None
    assert found.ingredients == ("venetoclax",)


@pytest.mark.parametrize(("how", "drugs"), [("equivalent", ("venetoclax",)), ("wider", None), ("inexact", None)])
def test_a_code_of_another_system_counts_by_an_equivalent_one_only(server, how, drugs):
    server.get(f"{BASE}/ConceptMap/$translate", json=translated("1747561", how))
    terms = elsewhere()
    terms.drug(SNOMED, "772808003")
    terms.settle()
    found = terms.drug(SNOMED, "772808003")
    assert (found.ingredients if found else None) == drugs
    assert asked(server)[0] == {"system": SNOMED, "code": "772808003", "targetsystem": RXNORM}


def subsuming(*roots: str) -> Any:
    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        wider = parse_qs(urlsplit(str(request.url)).query)["codeA"][0]
        outcome = "subsumes" if wider in roots else "not-subsumed"
        return 200, {}, json.dumps(parameters({"name": "outcome", "valueCode": outcome}))

    return answer


@pytest.mark.parametrize(("roots", "keys"), [
    (("91861009",), ("aml",)), (("91861009", "110004001"), ("apl",)), (("84114007",), ("heart_failure",)), ((), None)])
def test_a_condition_below_one_of_ours_counts_as_that_one(server, roots, keys):
    server.add_callback("GET", f"{BASE}/CodeSystem/$subsumes", subsuming(*roots))
    terms = elsewhere()
    terms.condition(SNOMED, "1234567001")
    terms.settle()
    found = terms.condition(SNOMED, "1234567001")
    assert (found.keys if found else None) == keys


def test_what_the_server_does_not_know_is_remembered_and_not_asked_again(server):
    server.get(f"{BASE}/CodeSystem/$lookup", status=404, json={"resourceType": "OperationOutcome", "issue": []})
    terms = elsewhere()
    for _ in range(3):
        assert terms.drug(RXNORM, "9999001") is None
        terms.settle()
    assert len(server.calls) == 1
    assert terms.counts == {"unknown": 1}


@pytest.mark.parametrize("answer", [
    {"status": 500}, {"status": 302, "headers": {"Location": "https://evil.example.org/"}}, {"body": "no json"},
    {"json": {"resourceType": "Patient"}}, {"body": requests.exceptions.ConnectionError()},
    {"json": {"resourceType": "Parameters", "parameter": "x"}}])
def test_a_failure_is_counted_never_raised_and_tried_again_later(server, answer):
    server.get(f"{BASE}/CodeSystem/$lookup", **answer)
    now = [0.0]
    terms = elsewhere(clock=lambda: now[0])
    for _ in range(2):
        assert terms.drug(RXNORM, "9999001") is None
        terms.settle()
    assert (len(server.calls), terms.counts["failed"]) == (1, 1)
    now[0] += 301
    terms.drug(RXNORM, "9999001")
    terms.settle()
    assert (len(server.calls), terms.counts["failed"]) == (2, 2)
    assert all(str(call.request.url).startswith(BASE) for call in server.calls)


def test_an_answer_is_asked_for_again_after_its_time_and_holds_until_then(server):
    server.get(f"{BASE}/CodeSystem/$lookup", json=looked("venetoclax", has_ingredient="1747556"))
    now = [0.0]
    terms = elsewhere(clock=lambda: now[0])
    terms.drug(RXNORM, "9999001")
    terms.settle()
    now[0] += 3601
    assert terms.drug(RXNORM, "9999001") is not None
    terms.settle()
    assert len(server.calls) == 2


def test_a_slow_server_holds_nobody_up_and_the_line_stays_short(server):
    go = threading.Event()

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        go.wait(10)
        return 200, {}, json.dumps(looked("x"))

    server.add_callback("GET", f"{BASE}/CodeSystem/$lookup", answer)
    terms = elsewhere(waiting=5)
    began = time.monotonic()
    for number in range(50):
        assert terms.drug(RXNORM, f"9{number:06d}") is None
    assert time.monotonic() - began < 1
    assert terms.counts["refused"] >= 44
    go.set()
    terms.settle()


def test_the_chart_says_what_the_server_told(server):
    server.get(f"{BASE}/CodeSystem/$lookup", json=looked("venetoclax", has_ingredient="1747556"))
    server.add_callback("GET", f"{BASE}/CodeSystem/$subsumes", subsuming("91861009"))
    told = elsewhere()
    terms = replace(charts.terms(), elsewhere=told)
    drug = charts.order(charts.concept("9999001", system=RXNORM))
    disease = charts.condition(charts.concept("1234567001", system=SNOMED))
    reading_with(terms, drug, disease)
    told.settle()
    facts = reading_with(terms, drug, disease)
    (order,) = facts.medications.orders
    assert order.ingredients == ("venetoclax",)
    assert order.matched_by == "RxNorm 9999001, told by the terminology server"
    assert facts.get(DISEASE).value is Disease.UNSTATED
    (entry,) = facts.get(PROBLEMS).value or ()
    assert entry.origin.notes == ("told by SNOMED CT 1234567001, by the terminology server",)


def reading_with(terms: Any, *resources: Json) -> Any:
    shipped = charts.terms
    try:
        charts.terms = lambda: terms  # type: ignore[assignment]
        return charts.chart(*resources)
    finally:
        charts.terms = shipped


def test_codes_that_no_table_holds_are_told_once_the_chart_is_read(server):
    server.get(f"{BASE}/CodeSystem/$lookup", json=looked("venetoclax", has_ingredient="1747556"))
    noted: list[tuple[str, str, int]] = []
    behind = elsewhere()
    terms = replace(charts.terms(), elsewhere=Noted(behind, lambda *told: noted.append(told)))
    drugs = [charts.order(charts.concept("9999001", system=RXNORM), id=f"m{number}") for number in range(3)]
    local = charts.condition(charts.concept("X1", "headache", system="urn:oid:1.2.3.4.5"))
    for times in (1, 2):
        found = reading_with(terms, *drugs, local)
        behind.settle()
        assert noted == []
        terms.chart_was_read()
        assert sorted(noted) == [("condition", "", 1), ("drug", "RxNorm", 3)]
        assert len(found.medications.orders) == (0, 3)[times - 1]  # told by the server before the second chart
        noted.clear()
    terms.chart_was_read()
    assert noted == []


def test_the_setting_puts_the_server_behind_the_terms_and_refuses_an_odd_address():
    terms = load_tools(Settings.load({"TERMINOLOGY_SERVER": BASE})).knowledge.terms
    assert isinstance(terms.elsewhere, FromServer)
    assert load_tools(Settings.load({})).knowledge.terms.elsewhere is None
    with pytest.raises(SettingsError, match=r"TERMINOLOGY_SERVER: .*no FHIR server has"):
        load_tools(Settings.load({"TERMINOLOGY_SERVER": "http://169.254.169.254/fhir"}))


def test_a_fork_starts_with_a_line_and_a_thread_of_its_own(server, monkeypatch):
    server.get(f"{BASE}/CodeSystem/$lookup", json=looked("venetoclax", has_ingredient="1747556"))
    terms = elsewhere()
    terms.drug(RXNORM, "9999001")
    terms.settle()
    monkeypatch.setattr("cds_service.elsewhere.os.getpid", lambda: 1)
    terms.drug(RXNORM, "9999002")
    terms.settle()
    assert terms.drug(RXNORM, "9999002") is not None
