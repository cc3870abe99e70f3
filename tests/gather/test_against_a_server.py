"""Asking a strict FHIR server over real sockets: whatever words it takes, the same resources, or a reason why not."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from functools import partial
from threading import Event

import pytest
import requests

from cds_service.console.fhir_client import FhirClient
from cds_service.gather.limits import Deadline, Limits
from cds_service.gather.query import Answered, FhirSession
from cds_service.gather.replies import Status
from cds_service.gather.searches import PAGE
from cds_service.hooks.request import FhirAccess
from tests.fhir_server.running import Fhir, fhir_server
from tests.samples import services, stories

WITH_ORDER = "eStoryTwelve.A-3"  # her voriconazole refers to a Medication
QUERIES = {query.key: query.filled(WITH_ORDER) for query in next(iter(services().values())).queries}
LABS = len(QUERIES["labs"])


@pytest.fixture(scope="module")
def server() -> Iterator[Fhir]:
    with fhir_server() as running:
        for story in stories():
            bundle = (story.folder / "patient.json").read_bytes()
            sent = requests.post(running.base, bundle, headers={"Content-Type": "application/fhir+json"}, timeout=10)
            assert sent.status_code == 200
        yield running


def ask(
    server: Fhir, faults: str = "", session: FhirSession | None = None, seconds: float = 20, **queries: str
) -> dict[str, Answered]:
    session = session or FhirSession(Limits())
    base = server.having(faults) if faults else server.base
    return session.ask_all(FhirAccess(base), queries or QUERIES, Deadline(seconds, time.monotonic))


def ids(answered: Answered) -> set[str]:
    return {json.loads(raw)["id"] for raw in answered.resources}


def found(answers: dict[str, Answered]) -> dict[str, set[str]]:
    return {key: ids(answered) for key, answered in answers.items()}


def asked(server: Fhir, faults: str) -> list[str]:
    """What was asked behind these faults, without the way there."""
    return [each.replace(f"/with/{faults}/fhir/", "") for each in server.log() if f"/with/{faults}/" in each]


@pytest.mark.parametrize("faults", [
    "slow", "pages", "plain", "uncounted", "empty-warning", "no-post-search", "short-addresses",
    "short-addresses+no-post-search", "no-metadata", "r4b", "busy", "without-_include", "without-_count",
    "medplum",
])
def test_every_way_of_a_good_server_gives_the_same(server, faults):
    good, other = ask(server), ask(server, faults)
    assert found(other) == found(good)
    assert {(each.status, each.why) for each in other.values()} == {(Status.COMPLETE, "")}


def test_a_long_search_is_one_request_by_post_and_parts_only_where_post_is_refused(server):
    assert LABS > 1_800
    session = FhirSession(Limits())
    for faults, methods in (("plain+r4b", ["POST"]), ("no-post-search+r4b", ["POST", "GET", "GET"])):
        answered = ask(server, faults, session, labs=QUERIES["labs"])["labs"]
        assert [each.split()[0] for each in asked(server, faults)] == methods
        assert answered.status is Status.COMPLETE
    again = ask(server, "no-post-search+r4b", session, labs=QUERIES["labs"])["labs"]
    assert [each.split()[0] for each in asked(server, "no-post-search+r4b")][3:] == ["GET", "GET"]
    assert (again.notes, ids(again)) == ((), ids(answered))


def test_one_token_that_may_not_read_a_type_says_nothing_about_search_by_post(server):
    session = FhirSession(Limits())
    for _ in range(2):
        labs = ask(server, "403:Observation+plain", session, labs=QUERIES["labs"])["labs"]
        assert (labs.status, labs.why) == (Status.FAILED, "the FHIR server refused access (403)")
    assert [each.split()[0] for each in asked(server, "403:Observation+plain")] == ["POST", "GET"] * 2


@pytest.mark.parametrize("faults, key", [("without-status", "medications"), ("without-code+plain", "ecg")])
def test_without_a_filter_more_comes_never_less_and_the_refusal_is_remembered(server, faults, key):
    session = FhirSession(Limits())
    good, first = ask(server)[key], ask(server, faults, session, only=QUERIES[key])["only"]
    assert first.status is Status.COMPLETE and ids(first) >= ids(good) and "asked without" in first.notes[0]
    assert all(f"patient={WITH_ORDER}" in each for each in asked(server, faults))
    assert len(asked(server, faults)) == 2
    assert ids(ask(server, faults, session, only=QUERIES[key])["only"]) == ids(first)
    assert len(asked(server, faults)) == 3


def test_a_server_that_refuses_one_parameter_keeps_the_others(server):
    session = FhirSession(Limits())
    for _ in range(2):
        ask(server, "without-status+r4b", session, only=QUERIES["medications"])
    last = asked(server, "without-status+r4b")[-1]
    assert "status=" not in last and f"_count={PAGE}" in last


@pytest.mark.parametrize("faults", ["", "plain+without-_count"])
def test_a_long_chart_is_read_in_large_pages_and_whole_where_the_server_gives_them(server, faults):
    client = FhirClient(server.base)
    assert client.send("PUT", "Patient/long", {"resourceType": "Patient", "id": "long"}).is_good
    for number in range(450):
        potassium = {
            "resourceType": "Observation", "id": f"long-{number}", "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]},
            "subject": {"reference": "Patient/long"},
        }  # fmt: skip
        assert client.send("PUT", f"Observation/long-{number}", potassium).is_good
    labs = ask(server, faults, labs=QUERIES["labs"].replace(WITH_ORDER, "long"))["labs"]
    if faults:
        assert (len(labs.resources), labs.why) == (400, "the answer has more pages than we read (20)")
    else:
        assert (len(labs.resources), labs.status, labs.pages) == (450, Status.COMPLETE, 3)


def test_the_same_question_is_asked_once(server):
    session = FhirSession(Limits())
    keys = {key: QUERIES[key] for key in ("ecg", "bedside", "genomics")}
    ask(server, "without-code+uncounted", session, **keys)
    before = len(asked(server, "without-code+uncounted"))
    answers = ask(server, "without-code+uncounted", session, **keys)
    assert len(asked(server, "without-code+uncounted")) == before + 1
    assert ids(answers["ecg"]) == ids(answers["genomics"])


def test_who_a_search_is_about_is_never_left_out(server):
    refused = ask(server, "without-patient", medications=QUERIES["medications"])["medications"]
    assert (refused.status, refused.why) == (Status.FAILED, "the FHIR server answered 400")
    assert all("patient=" in each for each in asked(server, "without-patient"))


def test_a_question_that_stays_wrong_teaches_nothing(server):
    session = FhirSession(Limits())
    wrong = ask(server, "r4b+uncounted", session, x="MedicationRequest?patient=a&status=active&colour=red")["x"]
    assert wrong.status is Status.FAILED
    ask(server, "r4b+uncounted", session, only=QUERIES["medications"])
    assert "status=active" in asked(server, "r4b+uncounted")[-1]


def test_once_its_statement_is_known_a_server_is_asked_to_include(server, monkeypatch):
    session, asked_once = FhirSession(Limits(statement_seconds=60)), Event()
    statement = session._statement
    monkeypatch.setattr(session, "_statement", lambda access: asked_once.wait(60) and statement(access))
    orders = partial(ask, server, "uncounted+plain", session, only=QUERIES["medications"])
    assert "eTwelve-med-voriconazole" not in ids(orders()["only"])  # nobody waits for the statement
    asked_once.set()
    until = time.monotonic() + 10
    while "eTwelve-med-voriconazole" not in ids(orders()["only"]):
        assert time.monotonic() < until
        time.sleep(0.02)
    assert sum("metadata" in each for each in asked(server, "uncounted+plain")) == 1


@pytest.mark.parametrize("faults, name", [("stu3", "STU3"), ("r5", "R5")])
def test_a_server_of_another_fhir_is_refused_once_it_said_so(server, faults, name):
    session = FhirSession(Limits(statement_seconds=60))
    until = time.monotonic() + 10
    while (answered := ask(server, faults, session, patient="Patient/story-one")["patient"]).status is Status.COMPLETE:
        assert time.monotonic() < until
        time.sleep(0.02)
    assert (answered.status, answered.why) == (
        Status.FAILED, f"the FHIR server speaks FHIR {name}, and this service reads R4 and R4B"
    )


@pytest.mark.parametrize("faults, status, words", [
    ("miscounted", Status.PARTIAL, "counts more entries than it gave"),
    ("withheld", Status.PARTIAL, "warning: suppressed"), ("foreign-next", Status.PARTIAL, "outside of the FHIR server"),
    ("loop", Status.PARTIAL, "lead back to themselves"), ("truncated", Status.FAILED, "not FHIR"),
    ("brokenoff", Status.FAILED, "broke off"), ("html", Status.FAILED, "not FHIR"),
    ("throttled", Status.FAILED, "429 (too many requests)"),
    ("throttled-untold", Status.FAILED, "429 (too many requests)"), ("401", Status.FAILED, "refused access (401)"),
    ("500", Status.FAILED, "answered 500"),
])
def test_what_goes_wrong_is_said(server, faults, status, words):
    answered = ask(server, faults, conditions=QUERIES["conditions"])["conditions"]
    assert answered.status is status and words in answered.why


def test_a_busy_server_is_asked_again_only_when_there_is_time(server):
    query = "Condition?patient=story-two"
    began = time.monotonic()
    late = ask(server, "busy", seconds=0.9, late=query)["late"]
    assert late.why == "the FHIR server answered 429 (too many requests)"
    assert time.monotonic() - began < 0.9
    assert ask(server, "busy+plain", seconds=20, good=query)["good"].status is Status.COMPLETE
    assert time.monotonic() - began > 1


def test_a_server_that_hangs_is_left_at_the_deadline(server):
    began = time.monotonic()
    assert "in time" in ask(server, "hang", seconds=0.4, x="Condition?patient=story-two")["x"].why
    assert time.monotonic() - began < 1.5
