"""What is known of a FHIR server: from what it says of itself, and from what it refused, each for a while."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
import responses

from cds_service.gather import servers
from cds_service.gather.limits import Deadline, Limits
from cds_service.gather.query import FhirSession
from cds_service.gather.replies import Status
from cds_service.gather.searches import PAGE
from cds_service.gather.servers import Server, Servers, Statement
from cds_service.hooks.request import FhirAccess

PAGED = f"&_count={PAGE}"
ORDERS = "MedicationRequest?patient=p1&status=active"
INCLUDED = f"{ORDERS}&_include=MedicationRequest:medication{PAGED}"


def statement(version: str = "4.0.1", **resource: Any) -> bytes:
    resources = [{"type": "MedicationRequest", **resource}]
    return json.dumps({
        "resourceType": "CapabilityStatement", "fhirVersion": version, "software": {"name": "X", "version": "1"},
        "rest": [{"mode": "server", "resource": resources, "interaction": [{"code": "transaction"}]}],
    }).encode()  # fmt: skip


class Clock:
    """A clock that the test turns on."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(servers, "monotonic", clock)
    return clock


def learned(known: Servers, fetch: Callable[[], bytes]) -> Server:
    """The server, after what is read aside has been read."""
    server = known.at("https://ehr.example.org/fhir", fetch)
    for thread in threading.enumerate():
        if thread.name == "fhir-statement":
            thread.join(10)
    return server


def test_a_statement_says_what_can_be_searched_and_included() -> None:
    read = Statement.read(statement(searchParam=[{"name": "patient"}], searchInclude=["*"]))
    assert read == Statement(
        "4.0.1", "X 1", {"MedicationRequest": frozenset({"patient"})}, {"MedicationRequest": frozenset({"*"})}
    )


@pytest.mark.parametrize("body", [
    b"", b"{}", b"<html>", b"[]", b"\xff", b'{"fhirVersion": 4}', b"[" * 20_000, b'{"fhirVersion": "4.0.1", "rest": 7}',
])
def test_what_is_no_statement_is_none(body: bytes) -> None:
    assert Statement.read(body) is None


@pytest.mark.parametrize("said, gives", [({"updateCreate": False}, True), ({"updateCreate": True}, False), ({}, False)])
def test_who_chooses_ids_is_said_for_the_patient(said: dict[str, bool], gives: bool) -> None:
    read = Statement.read(statement(updateCreate=False).replace(b"MedicationRequest", b"Unicorn"))
    assert read is not None and not read.gives_ids
    resource = {"type": "Patient", **said}
    read = Statement.read(json.dumps({"fhirVersion": "4.0.1", "rest": [{"resource": [resource]}]}).encode())
    assert read is not None and read.gives_ids is gives


def test_a_statement_with_gaps_is_read() -> None:
    read = Statement.read(b'{"fhirVersion": "4.0.1", "rest": [{"resource": [{"type": "Patient"}]}]}')
    assert read is not None and read.parameters == {"Patient": frozenset()}


def test_what_is_offered_is_wanted_along_and_nothing_else_changes(clock: Clock) -> None:
    known = Servers(60)
    assert learned(known, lambda: statement()).worded(ORDERS) == ORDERS + PAGED
    clock.now += 61
    server = learned(known, lambda: statement(searchInclude=["MedicationRequest:medication"]))
    assert server.worded(ORDERS) == INCLUDED
    assert server.worded("Condition?patient=p1") == f"Condition?patient=p1{PAGED}"
    assert server.worded("Patient/p1") == "Patient/p1"


def test_a_statement_is_asked_for_once_while_it_is_believed(clock: Clock) -> None:
    known, asked = Servers(600), []

    def fetch() -> bytes:
        asked.append(clock.now)
        return statement()

    for seconds in (0, 300, 299, 2):
        clock.now += seconds
        learned(known, fetch)
    assert asked == [1000, 1601]


@responses.activate
def test_further_pages_of_a_server_that_speaks_another_fhir_are_not_asked_for() -> None:
    base = "https://ehr.example.org/fhir"
    responses.get(f"{base}/metadata", body=statement("3.0.2"))
    session, access = FhirSession(Limits(statement_seconds=60)), FhirAccess(base)
    session.ask_all(access, {}, Deadline(5, lambda: 0.0))
    for thread in threading.enumerate():
        if thread.name == "fhir-statement":
            thread.join(10)
    more = session.more_pages(access, f"{base}?page=2", Deadline(5, lambda: 0.0))
    assert more.status is Status.FAILED and "this service reads R4 and R4B" in more.why
    assert [call.request.url for call in responses.calls] == [f"{base}/metadata"]


def test_one_that_could_not_be_read_is_asked_for_again_soon_and_nobody_minds(clock: Clock) -> None:
    known, asked = Servers(600), []

    def fetch() -> bytes:
        asked.append(clock.now)
        raise OSError("no route to https://ehr.example.org")

    for seconds in (0, 30, 31):
        clock.now += seconds
        assert learned(known, fetch).refusal is None
    assert asked == [1000, 1061]


def test_an_old_statement_stays_until_there_is_a_new_one(clock: Clock) -> None:
    known = Servers(60)
    assert learned(known, lambda: statement("3.0.2")).refusal is not None
    clock.now += 61
    assert learned(known, lambda: b"<html>").refusal is not None
    clock.now += 61
    assert learned(known, statement).refusal is None


def test_with_no_seconds_no_statement_is_asked_for() -> None:
    def fetch() -> bytes:
        raise AssertionError

    assert learned(Servers(0), fetch).statement is None


def test_a_refusal_is_remembered_for_its_words_and_for_a_while(clock: Clock) -> None:
    server = Server()
    server.refuses("MedicationRequest", "status=active")
    assert server.worded(ORDERS) == f"MedicationRequest?patient=p1{PAGED}"
    assert server.worded("MedicationRequest?patient=p1&status=stopped").endswith(f"status=stopped{PAGED}")
    assert server.worded("ServiceRequest?patient=p1&status=active").endswith(f"status=active{PAGED}")
    server.refuses_post()
    server.longest = 300
    clock.now += 901
    assert server.worded(ORDERS) == ORDERS + PAGED
    assert server.takes_post and server.longest == servers.LONGEST


def test_that_a_server_takes_no_post_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """Two queries under way at once are both refused: the second one tells nothing new."""
    server = Server()
    server.refuses_post()
    server.refuses_post()
    assert not server.takes_post
    assert [each.message for each in caplog.records] == [
        "a FHIR server refused a search by POST: long ones are asked in parts"
    ]


def test_not_every_server_is_remembered_forever() -> None:
    known = Servers(0)
    first = known.at("https://0.example.org", statement)
    for number in range(1, 65):
        known.at(f"https://{number}.example.org", statement)
    assert known.at("https://64.example.org", statement) is known.at("https://64.example.org", statement)
    assert known.at("https://0.example.org", statement) is not first
