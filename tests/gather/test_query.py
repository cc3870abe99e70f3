"""Asking a FHIR server: what is read, what is refused, and that we are always back in time."""

from __future__ import annotations

import gzip
import json
import logging
import os
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
import responses

from cds_service.gather.limits import Deadline, Limits
from cds_service.gather.query import Answered, FhirSession
from cds_service.gather.replies import Status
from cds_service.gather.searches import PAGE
from cds_service.hooks.request import FhirAccess

BASE = "https://ehr.example.org/fhir"
ACCESS = FhirAccess(BASE, "secret-token")
SEARCH = f"Observation?patient=p1&_count={PAGE}"
FIRST = f"{BASE}/{SEARCH}"
SLACK = 0.8  # for a busy machine; a wait that is not ended takes longer than any of these bounds


def bundle(*ids: str, following: str | None = None) -> dict[str, object]:
    links = [{"relation": "next", "url": following}] if following else []
    entries = [{"resource": {"resourceType": "Observation", "id": each}} for each in ids]
    return {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries}


def outcome(severity: str, code: str = "processing") -> dict[str, object]:
    issue = {"severity": severity, "code": code, "diagnostics": "patient Jane Doe"}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def ask(query: str = SEARCH, limits: Limits | None = None, access: FhirAccess = ACCESS) -> Answered:
    session = FhirSession(limits or Limits())
    return session.ask_all(access, {"labs": query}, Deadline(20, time.monotonic))["labs"]


def ids(answered: Answered) -> list[str]:
    return [json.loads(raw)["id"] for raw in answered.resources]


@pytest.fixture
def ehr() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


# What is read


def test_a_search_is_read_to_its_last_page(ehr: responses.RequestsMock) -> None:
    ehr.get(f"{BASE}?page=2", json=bundle("b", following="Observation?page=3"))
    ehr.get(f"{BASE}/Observation?page=3", json=bundle("c"))
    ehr.get(FIRST, json=bundle("a", following=f"{BASE}?page=2"))
    answered = ask()
    assert (ids(answered), answered.status, answered.why) == (["a", "b", "c"], Status.COMPLETE, "")


def test_one_that_came_on_two_pages_does_not_make_up_for_one_that_is_missing(ehr: responses.RequestsMock) -> None:
    for second, status in (("b", Status.PARTIAL), ("c", Status.COMPLETE)):
        ehr.get(FIRST, json=bundle("a", "b", following=f"{BASE}?page=2") | {"total": 3})
        ehr.get(f"{BASE}?page=2", json=bundle(second))
        assert ask().status is status
        ehr.reset()


def test_a_patient_is_read_by_its_id(ehr: responses.RequestsMock) -> None:
    ehr.get(f"{BASE}/Patient/p1", json={"resourceType": "Patient", "id": "p1"})
    answered = ask("Patient/p1")
    assert (ids(answered), answered.status) == (["p1"], Status.COMPLETE)


def test_an_empty_search_is_complete(ehr: responses.RequestsMock) -> None:
    ehr.get(FIRST, json={"resourceType": "Bundle", "type": "searchset", "total": 0})
    assert ask() == Answered((), Status.COMPLETE, "")


def test_all_queries_are_asked_and_answered_by_their_key(ehr: responses.RequestsMock) -> None:
    ehr.get(FIRST, json=bundle("a"))
    ehr.get(f"{BASE}/Condition", status=500)
    asked = {"labs": SEARCH, "conditions": "Condition?patient=p1"}
    answers = FhirSession(Limits()).ask_all(ACCESS, asked, Deadline(20, time.monotonic))
    assert {key: answer.status for key, answer in answers.items()} == {
        "labs": Status.COMPLETE, "conditions": Status.FAILED,
    }


def test_no_queries_bring_no_answers() -> None:
    assert FhirSession(Limits()).ask_all(ACCESS, {}, Deadline(20, time.monotonic)) == {}


def test_further_pages_of_a_bundle_that_was_sent_along_are_read(ehr: responses.RequestsMock) -> None:
    ehr.get(f"{BASE}?page=2", json=bundle("b"))
    answered = FhirSession(Limits()).more_pages(ACCESS, "?page=2", Deadline(20, time.monotonic))
    assert (ids(answered), answered.status) == (["b"], Status.COMPLETE)


# What the server says instead


@pytest.mark.parametrize(("status", "words"), [
    (401, "refused access (401)"), (403, "refused access (403)"), (404, "answered 404 (not found)"),
    (410, "answered 410 (deleted)"), (429, "answered 429 (too many requests)"), (500, "answered 500"),
    (503, "answered 503"), (204, "answered 204"),
])
@pytest.mark.parametrize("query", [SEARCH, "Patient/p1"])
def test_an_answer_other_than_200_fails_and_is_named(
    ehr: responses.RequestsMock, query: str, status: int, words: str,
) -> None:
    ehr.get(f"{BASE}/{query}", status=status, json=outcome("error"))
    assert ask(query) == Answered((), Status.FAILED, f"the FHIR server {words}")
    assert len(ehr.calls) == 1


def test_a_refused_token_is_logged_once_and_without_the_token(
    ehr: responses.RequestsMock, caplog: pytest.LogCaptureFixture
) -> None:
    for status in (403, 401, 401):
        ehr.get(f"{BASE}/{SEARCH}", status=status, json=outcome("error"))
    session = FhirSession(Limits())
    for _ in range(3):
        session.ask_all(ACCESS, {"labs": SEARCH}, Deadline(20, time.monotonic))
    said = [record.getMessage() for record in caplog.records if "token_refused" in record.getMessage()]
    assert said == ["token_refused: a FHIR server answered 401 to the token of a call"]
    assert ACCESS.token is not None
    assert ACCESS.token not in caplog.text


@pytest.mark.parametrize("body", [
    b"", b"<html>Sign in</html>", b"\xff\xfe\x00", b"null", b'"text"', b"[]", b"{}", b'{"resourceType": "Bund',
    b"[" * 20_000, b'{"resourceType": 3}',
])
@pytest.mark.parametrize("query", [SEARCH, "Patient/p1"])
def test_an_answer_that_is_not_fhir_fails(ehr: responses.RequestsMock, query: str, body: bytes) -> None:
    ehr.get(f"{BASE}/{query}", body=body)
    assert ask(query) == Answered((), Status.FAILED, "the FHIR server sent something that is not FHIR")


@pytest.mark.parametrize(("query", "sent"), [(SEARCH, "Patient"), ("Patient/p1", "Bundle"), ("Patient/p1", "Group")])
def test_another_kind_of_resource_is_no_answer(ehr: responses.RequestsMock, query: str, sent: str) -> None:
    ehr.get(f"{BASE}/{query}", json={"resourceType": sent})
    assert ask(query) == Answered((), Status.FAILED, "the FHIR server sent another kind of resource than was asked for")


def test_a_problem_in_place_of_an_answer_fails_without_its_text(ehr: responses.RequestsMock) -> None:
    ehr.get(FIRST, json=outcome("fatal", "timeout"))
    assert ask() == Answered((), Status.FAILED, "the EHR reported a problem (fatal: timeout)")


def test_a_problem_beside_resources_makes_the_answer_partial(ehr: responses.RequestsMock) -> None:
    page = bundle("a")
    page["entry"] = [*page["entry"], {"resource": outcome("error")}]  # type: ignore[misc]
    ehr.get(FIRST, json=page)
    answered = ask()
    assert (ids(answered), answered.status) == (["a"], Status.PARTIAL)
    assert answered.why == "the EHR reported a problem (error: processing)"


def test_a_mere_warning_that_there_are_no_hits_is_no_problem(ehr: responses.RequestsMock) -> None:
    ehr.get(FIRST, json={"resourceType": "Bundle", "entry": [{"resource": outcome("warning")}]})
    assert ask() == Answered((), Status.COMPLETE, "")


def test_a_hundred_problems_are_not_all_recited(ehr: responses.RequestsMock) -> None:
    problems = [{"resource": outcome("error", "x" * (1 + count % 40))} for count in range(100)]
    ehr.get(FIRST, json={"resourceType": "Bundle", "entry": problems})
    assert ask().why.count(";") == 2


@pytest.mark.parametrize(("media_type", "status"), [
    ("application/fhir+json", Status.COMPLETE), ("application/fhir+json; fhirVersion=4.0", Status.COMPLETE),
    ("application/fhir+json;fhirVersion=4.3;charset=utf-8", Status.COMPLETE),
    ("application/fhir+json; fhirVersion=3.0", Status.FAILED),
    ('application/fhir+json; fhirVersion="5.0"', Status.FAILED),
])
def test_an_answer_that_says_it_is_another_fhir_is_not_read(
    ehr: responses.RequestsMock, media_type: str, status: Status,
) -> None:
    ehr.get(FIRST, json=bundle("a"), content_type=media_type)
    answered = ask()
    assert answered.status is status
    assert status is Status.COMPLETE or "and this service reads R4 and R4B" in answered.why


@pytest.mark.parametrize("retry_after", ["0", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_busy_server_that_names_a_time_is_asked_once_more(ehr: responses.RequestsMock, retry_after: str) -> None:
    ehr.get(FIRST, status=503, headers={"Retry-After": retry_after})
    ehr.get(FIRST, json=bundle("a"))
    assert ids(ask()) == ["a"]


@pytest.mark.parametrize("retry_after", ["", "3600", "soon", "9" * 400, "-1", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_busy_server_that_wants_more_time_than_there_is_is_left(
    ehr: responses.RequestsMock, retry_after: str,
) -> None:
    ehr.get(FIRST, status=429, headers={"Retry-After": retry_after} if retry_after else {})
    assert ask().why == "the FHIR server answered 429 (too many requests)"
    assert len(ehr.calls) == 1


def test_a_server_that_finds_every_address_too_long_is_not_asked_forever(ehr: responses.RequestsMock) -> None:
    ehr.get(f"{BASE}/Observation", status=414)
    ehr.post(f"{BASE}/Observation/_search", status=405)
    codes = ",".join(f"http://loinc.org|{number:05}-1" for number in range(90))
    answered = ask(f"Observation?patient=p1&code={codes}")
    assert answered.status is Status.FAILED
    assert len(ehr.calls) <= 12


@pytest.mark.parametrize("size, calls", [(200, 1), (201, 2)])
def test_what_no_server_finds_too_long_is_not_asked_in_parts(
    ehr: responses.RequestsMock, size: int, calls: int,
) -> None:
    ehr.get(f"{BASE}/Observation", status=414)
    ehr.post(f"{BASE}/Observation/_search", status=414)
    query = f"Observation?patient=p1&_count={PAGE}&code="
    assert ask(query + "x" * (size - len(query))).status is Status.FAILED
    assert len(ehr.calls) == calls


@pytest.mark.parametrize("down, status, why", [
    ("00020-1", Status.PARTIAL, "the FHIR server answered 500"),
    ("00000-1", Status.PARTIAL, "the FHIR server answered 500"),
    ("none", Status.COMPLETE, ""), ("http", Status.FAILED, "the FHIR server answered 500"),
])
def test_a_question_that_has_to_be_asked_in_parts_is_answered_as_one(
    ehr: responses.RequestsMock, down: str, status: Status, why: str,
) -> None:
    """What the first call met, the second knows: it asks in parts at once, and whole only when each part is."""
    asked: list[str] = []

    def short(request: Any) -> tuple[int, dict[str, str], str]:
        if len(request.url) > 500:
            return 414, {}, ""
        asked.append(request.url)
        first = re.search(r"0\d{4}-1", request.url)
        return (500, {}, "") if down in request.url else (200, {}, json.dumps(bundle(first[0] if first else "none")))

    ehr.add_callback(responses.GET, f"{BASE}/Observation", short)
    ehr.post(f"{BASE}/Observation/_search", status=405)
    codes = ",".join(f"http://loinc.org|{number:05}-1" for number in range(30))
    session, query = FhirSession(Limits()), {"labs": f"Observation?patient=p1&code={codes}"}
    session.ask_all(ACCESS, query, Deadline(20, time.monotonic))
    asked.clear()
    answered = session.ask_all(ACCESS, query, Deadline(20, time.monotonic))["labs"]
    assert len(asked) > 1 and (answered.status, answered.why) == (status, why)
    well = sorted(found[0] for each in asked if down not in each and (found := re.search(r"0\d{4}-1", each)))
    assert sorted(ids(answered)) == well and answered.pages == len(well)
    assert answered.well is bool(well) and answered.seconds > 0


def test_a_server_that_refuses_every_wording_of_every_part_is_not_asked_forever(ehr: responses.RequestsMock) -> None:
    """Too long for it, not by POST, and each part only without any filter: twelve refusals, and what came is kept."""

    def fussy(request: Any) -> tuple[int, dict[str, str], str]:
        if len(request.url) > 500:
            return 414, {}, ""
        filters = ("status=", "code=", "_count=")
        return (400, {}, "") if any(each in request.url for each in filters) else (200, {}, json.dumps(bundle("a")))

    ehr.add_callback(responses.GET, f"{BASE}/Observation", fussy)
    ehr.post(f"{BASE}/Observation/_search", status=405)
    codes = ",".join(f"http://loinc.org|{number:05}-1" for number in range(30))
    answered = ask(f"Observation?patient=p1&status=final&code={codes}")
    assert (ids(answered)[:1], answered.status) == (["a"], Status.PARTIAL)
    assert "the FHIR server refused the question in every wording" in answered.why
    assert [call.response.status_code for call in ehr.calls if call.response.status_code != 200].count(400) == 10
    assert len([call for call in ehr.calls if call.response.status_code != 200]) == 12


# What is refused


@pytest.mark.parametrize("link", [
    "https://attacker.example/fhir?page=2", "http://ehr.example.org/fhir?page=2", "https://ehr.example.org/other?page=2",
    "//attacker.example/fhir", "../admin?page=2", f"{BASE}/%2e%2e/admin", "https://ehr.example.org\\@attacker.example/fhir",
    "https://u:p@ehr.example.org/fhir", "https://[attacker", "https://ehr.example.org:444/fhir",
])
def test_a_next_page_elsewhere_is_never_asked_for(ehr: responses.RequestsMock, link: str) -> None:
    ehr.get(FIRST, json=bundle("a", following=link))
    answered = ask()
    assert (ids(answered), answered.status) == (["a"], Status.PARTIAL)
    assert answered.why == "a page of the answer lies outside of the FHIR server's own address, so it was not read"
    assert len(ehr.calls) == 1


def test_a_foreign_next_page_of_a_bundle_that_was_sent_along_is_never_asked_for(ehr: responses.RequestsMock) -> None:
    session = FhirSession(Limits())
    answered = session.more_pages(ACCESS, "https://attacker.example/fhir", Deadline(20, time.monotonic))
    assert (answered.status, len(ehr.calls)) == (Status.FAILED, 0)


def test_unchanged_is_no_other_address(ehr: responses.RequestsMock) -> None:
    ehr.get(FIRST, status=304)
    assert ask().why == "the FHIR server answered 304"


def test_a_redirect_is_not_followed(ehr: responses.RequestsMock) -> None:
    ehr.get(FIRST, status=302, headers={"Location": f"{BASE}/elsewhere"})
    ehr.get(f"{BASE}/elsewhere", json=bundle("a"))
    assert ask().why == "the FHIR server sent us to another address (302), which we do not follow"
    assert len(ehr.calls) == 1


def test_pages_that_lead_back_to_themselves_are_left(ehr: responses.RequestsMock) -> None:
    ehr.get(f"{BASE}?page=2", json=bundle("b", following=FIRST))
    ehr.get(FIRST, json=bundle("a", following=f"{BASE}?page=2"))
    answered = ask()
    assert (ids(answered), answered.status) == (["a", "b"], Status.PARTIAL)
    assert answered.why == "the FHIR server's pages lead back to themselves"


def endless(ehr: responses.RequestsMock) -> None:
    def page(_request: object) -> tuple[int, dict[str, str], str]:
        return 200, {}, json.dumps(bundle("x", following=f"{BASE}?page={len(ehr.calls)}"))

    ehr.add_callback(responses.GET, BASE, page)
    ehr.add_callback(responses.GET, f"{BASE}/Observation", page)


def test_endless_pages_end_at_our_limit(ehr: responses.RequestsMock) -> None:
    endless(ehr)
    answered = ask()
    assert (len(answered.resources), answered.status) == (20, Status.PARTIAL)
    assert answered.why == "the answer has more pages than we read (20)"
    assert len(ehr.calls) == 20


def test_endless_pages_of_all_queries_together_end_at_our_limit(ehr: responses.RequestsMock) -> None:
    endless(ehr)
    asked = {str(number): f"Observation?n={number}" for number in range(5)}
    answers = FhirSession(Limits(pages=1000, requests=25)).ask_all(ACCESS, asked, Deadline(20, time.monotonic))
    assert len(ehr.calls) <= 25
    assert all(answer.resources for answer in answers.values())


def test_the_bytes_of_all_pages_count_together(ehr: responses.RequestsMock) -> None:
    ehr.get(f"{BASE}?page=2", json=bundle("b"))
    ehr.get(FIRST, json=bundle("a", following=f"{BASE}?page=2"))
    size = len(json.dumps(bundle("a", following=f"{BASE}?page=2")))
    answered = ask(limits=Limits(answer_bytes=size + 10))
    assert (ids(answered), answered.status) == (["a"], Status.PARTIAL)
    assert "larger than we read" in answered.why


# A host at its limits


@pytest.fixture
def no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody here can start a thread any more."""

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)


@pytest.mark.parametrize("seconds", [0.0, 60.0])
@pytest.mark.usefixtures("no_thread")
def test_a_host_without_a_thread_for_it_asks_nothing_and_says_so(
    ehr: responses.RequestsMock, caplog: pytest.LogCaptureFixture, seconds: float,
) -> None:
    session = FhirSession(Limits(statement_seconds=seconds))
    answers = session.ask_all(ACCESS, {"labs": SEARCH, "patient": "Patient/p1"}, Deadline(0.05, time.monotonic))
    assert set(answers.values()) == {
        Answered((), Status.FAILED, "there was no time left to ask the FHIR server")
    }
    assert not ehr.calls
    told = "CapabilityStatement was not asked for: there is no thread for it"
    assert "a FHIR query was not started: there is no thread for it" in caplog.text
    assert (told in caplog.text) is bool(seconds)


# The token


def test_the_token_goes_along_only_when_there_is_one(ehr: responses.RequestsMock) -> None:
    ehr.get(FIRST, json=bundle())
    ask()
    ask(access=FhirAccess(BASE))
    first, second = (call.request.headers for call in ehr.calls)
    assert first["Authorization"] == "Bearer secret-token"
    assert "Authorization" not in second
    assert first["Accept"] == "application/fhir+json"


@pytest.mark.parametrize("token", ["", "two words", "line\r\nX-Injected: yes", "t\u00f6ken"])
def test_a_token_that_is_none_is_not_sent(ehr: responses.RequestsMock, token: str) -> None:
    answered = ask(access=FhirAccess(BASE, token))
    assert (answered.status, answered.why) == (Status.FAILED, "the access token that came with the call cannot be sent")
    assert not ehr.calls


@pytest.mark.parametrize("key", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"])
def test_the_environment_sends_us_nowhere(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(key, "http://127.0.0.1:9")
    with server(lambda here: here.answer(json.dumps(bundle("a")).encode())) as base:
        assert ask(access=FhirAccess(base)).status is Status.COMPLETE


def test_neither_token_nor_address_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def odd_headers(here: Here) -> None:
        here.wfile.write(b"HTTP/1.1 200 OK\r\nno header at all\r\nContent-Length: 2\r\n\r\n{}")
        here.close_connection = True

    with caplog.at_level(logging.DEBUG), server(odd_headers) as base:
        ask(access=FhirAccess(base, "secret-token"))
        ask(access=FhirAccess("http://127.0.0.1:9/fhir", "secret-token"))
    assert "secret-token" not in caplog.text
    assert "p1" not in caplog.text


def test_a_fault_of_our_own_costs_one_query_and_shows_no_address(
    ehr: responses.RequestsMock, caplog: pytest.LogCaptureFixture,
) -> None:
    ehr.get(FIRST, body=RuntimeError(f"{FIRST} secret-token"))
    assert ask() == Answered((), Status.FAILED, "reading the FHIR server's answer failed in this service")
    assert "RuntimeError" in caplog.text
    assert "secret-token" not in caplog.text


# A server that misbehaves, in real time


class Here(BaseHTTPRequestHandler):
    """One request at the server of a test."""

    protocol_version = "HTTP/1.1"
    behave: ClassVar[Callable[[Here], None]]
    paths: ClassVar[list[str]]
    peers: ClassVar[set[object]]

    def do_GET(self) -> None:
        self.paths.append(self.path)
        self.peers.add(self.client_address)
        with suppress(OSError):
            self.behave()

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Quiet(ThreadingHTTPServer):
    """A server of a test: it ends without waiting for its clients."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """Say nothing: clients leave here in the middle."""


@contextmanager
def server(behave: Callable[[Here], None]) -> Iterator[str]:
    with serving(behave) as (base, _):
        yield base


@contextmanager
def serving(behave: Callable[[Here], None]) -> Iterator[tuple[str, type[Here]]]:
    here = type("Here", (Here,), {"behave": behave, "paths": [], "peers": set()})
    with Quiet(("127.0.0.1", 0), here) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_port}/fhir", here
        finally:
            running.shutdown()
            thread.join()


def drip(here: Here, piece: bytes) -> None:
    for _ in range(100):
        here.wfile.write(piece)
        here.wfile.flush()
        time.sleep(0.02)


def hang(_here: Here) -> None:
    time.sleep(1.5)


def drip_headers(here: Here) -> None:
    here.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    drip(here, b"x")


def drip_body(here: Here) -> None:
    here.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    drip(here, b" ")


def drip_chunks(here: Here) -> None:
    here.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    drip(here, b"1\r\n \r\n")


def drip_chunk_size(here: Here) -> None:
    here.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;")
    drip(here, b"x")


def drip_continue(here: Here) -> None:
    drip(here, b"HTTP/1.1 100 Continue\r\n\r\n")


def drip_gzip(here: Here) -> None:
    here.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"")[:10])
    drip(here, b"\x00\x00\x00\xff\xff")


@pytest.mark.parametrize("behave", [
    hang, drip_headers, drip_body, drip_chunks, drip_chunk_size, drip_continue, drip_gzip,
])
def test_a_slow_server_does_not_keep_us_beyond_the_deadline(behave: Callable[[Here], None]) -> None:
    session = FhirSession(Limits(threads=2))
    with server(behave) as base:
        begin = time.monotonic()
        answers = session.ask_all(FhirAccess(base), {"a": SEARCH, "b": SEARCH}, Deadline(0.5, time.monotonic, 1.0))
        took = time.monotonic() - begin
        assert took < 0.5 + SLACK
        assert set(answers.values()) == {Answered((), Status.FAILED, "the FHIR server did not answer in time")}
        # Its threads are free again: the pool of two answers the next call.
        time.sleep(0.1)
        with server(lambda here: here.answer(json.dumps(bundle("a")).encode())) as healthy:
            answers = session.ask_all(FhirAccess(healthy), {"a": SEARCH, "b": SEARCH}, Deadline(20, time.monotonic))
            assert {each.status for each in answers.values()} == {Status.COMPLETE}


def test_what_was_read_before_the_deadline_is_kept() -> None:
    asker, second_page, begun = threading.current_thread(), threading.Event(), []

    def second_page_hangs(here: Here) -> None:
        if "page=2" in here.path:
            begun.append(time.monotonic())
            second_page.set()
            hang(here)
        here.answer(json.dumps(bundle("a", following="?page=2")).encode())

    def clock() -> float:
        """Plenty of time until the second page is asked for, however busy the machine is; then a quarter second."""
        if threading.current_thread() is asker and asking:
            assert second_page.wait(60)
        return time.monotonic() + (99.75 if second_page.is_set() else 0)

    asking: list[bool] = []
    with server(second_page_hangs) as base:
        session, deadline = FhirSession(Limits()), Deadline(100, clock)
        asking.append(True)
        answered = session.ask_all(FhirAccess(base), {"labs": SEARCH}, deadline)["labs"]
        assert time.monotonic() - begun[0] < 0.25 + SLACK
    assert (ids(answered), answered.status) == (["a"], Status.PARTIAL)
    assert answered.why == "the FHIR server did not answer in time"


def test_a_query_that_queues_too_long_is_never_started() -> None:
    with serving(hang) as (base, here):
        begin = time.monotonic()
        session = FhirSession(Limits(threads=1))
        answers = session.ask_all(FhirAccess(base), {"a": SEARCH, "b": "Condition"}, Deadline(0.3, time.monotonic))
        assert time.monotonic() - begin < 0.3 + SLACK
        time.sleep(0.1)
    assert answers["b"] == Answered((), Status.FAILED, "there was no time left to ask the FHIR server")
    assert here.paths == [f"/fhir/{SEARCH}"]


def test_a_call_whose_queries_all_queue_gives_up_before_its_deadline() -> None:
    session = FhirSession(Limits(threads=1))
    with server(hang) as base:
        other = threading.Thread(
            target=session.ask_all, args=(FhirAccess(base), {"a": SEARCH}, Deadline(0.6, time.monotonic))
        )
        other.start()
        time.sleep(0.05)
        begin = time.monotonic()
        answers = session.ask_all(FhirAccess(base), {"b": SEARCH}, Deadline(0.5, time.monotonic, last_start=0.2))
        assert time.monotonic() - begin < 0.1 + SLACK
        other.join()
    assert answers["b"] == Answered((), Status.FAILED, "there was no time left to ask the FHIR server")


def test_a_server_that_falls_silent_midway_is_left_at_the_deadline() -> None:
    left: list[float] = []

    def fall_silent(here: Here) -> None:
        here.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        time.sleep(0.2)
        here.wfile.write(b"{")
        here.connection.settimeout(1)
        with suppress(OSError):
            here.connection.recv(1)
        left.append(time.monotonic())

    with server(fall_silent) as base:
        begin = time.monotonic()
        FhirSession(Limits()).ask_all(FhirAccess(base), {"labs": SEARCH}, Deadline(0.25, time.monotonic))
        time.sleep(0.1)
    assert left
    assert left[0] - begin < 0.25 + SLACK


def test_with_little_time_left_nothing_is_asked(ehr: responses.RequestsMock) -> None:
    times = iter([0.0])
    deadline = Deadline(10, lambda: next(times, 7.0))
    answers = FhirSession(Limits()).ask_all(ACCESS, {"labs": SEARCH}, deadline)
    assert (answers["labs"].status, len(ehr.calls)) == (Status.FAILED, 0)


def test_with_no_time_left_nothing_is_asked(ehr: responses.RequestsMock) -> None:
    answers = FhirSession(Limits()).ask_all(ACCESS, {"labs": SEARCH}, Deadline(0, time.monotonic))
    assert (answers["labs"].status, len(ehr.calls)) == (Status.FAILED, 0)


def flood(here: Here) -> None:
    here.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(2_000):
        here.wfile.write(b" " * 100_000)


def gzip_bomb(here: Here) -> None:
    here.answer(gzip.compress(b" " * 60_000_000, 1), Content_Encoding="gzip")


@pytest.mark.parametrize("behave", [flood, gzip_bomb])
def test_a_huge_answer_is_left_once_it_is_larger_than_we_read(behave: Callable[[Here], None]) -> None:
    with server(behave) as base:
        answered = ask(access=FhirAccess(base))
    assert answered == Answered((), Status.FAILED, "the answer is larger than we read (5 MB)")


def test_the_body_of_a_redirect_is_not_read() -> None:
    def moved(here: Here) -> None:
        here.wfile.write(b"HTTP/1.1 302 Found\r\nLocation: /fhir/x\r\nContent-Length: 100000\r\n\r\n")
        drip(here, b" ")

    with serving(moved) as (base, here):
        begin = time.monotonic()
        assert "sent us to another address (302)" in ask(access=FhirAccess(base)).why
        assert time.monotonic() - begin < SLACK
    assert len(here.paths) == 1


def reset(here: Here) -> None:
    here.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    here.connection.close()
    here.close_connection = True


def half(here: Here) -> None:
    here.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"resourceType":')
    here.close_connection = True


@pytest.mark.parametrize("behave", [reset, half])
def test_a_connection_that_breaks_fails_in_words(behave: Callable[[Here], None]) -> None:
    with server(behave) as base:
        assert ask(access=FhirAccess(base)) == Answered((), Status.FAILED, "the FHIR server broke off its answer")


def test_compressed_nonsense_is_not_fhir() -> None:
    with server(lambda here: here.answer(b"no gzip", Content_Encoding="gzip")) as base:
        assert ask(access=FhirAccess(base)).why == "the FHIR server sent something that is not FHIR"


def test_an_answer_of_two_lengths_cannot_be_read() -> None:
    def two_lengths(here: Here) -> None:
        here.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 9\r\n\r\n{}")

    with server(two_lengths) as base:
        assert ask(access=FhirAccess(base)).why == "the FHIR server's answer could not be read"


def test_a_closed_port_cannot_be_reached() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        access = FhirAccess(f"http://127.0.0.1:{unused.getsockname()[1]}/fhir")
        assert ask(access=access) == Answered((), Status.FAILED, "the FHIR server could not be reached")


def test_a_server_that_does_not_speak_tls_gets_no_token() -> None:
    with serving(lambda here: here.answer(b"")) as (base, here):
        answered = ask(access=FhirAccess(base.replace("http:", "https:"), "secret-token"))
    assert answered.status is Status.FAILED
    assert answered.why.startswith("no secure connection to the FHIR server could be made")
    assert not here.paths


def test_codes_go_over_the_wire_as_servers_expect_them() -> None:
    with serving(lambda here: here.answer(json.dumps(bundle()).encode())) as (base, here):
        ask("Observation?patient=p1&code=http://loinc.org|1,http://loinc.org|2", access=FhirAccess(base))
    codes = "http://loinc.org%7C1,http://loinc.org%7C2"
    assert here.paths == [f"/fhir/Observation?patient=p1&code={codes}&_count={PAGE}"]


def test_connections_are_kept_and_cookies_are_not() -> None:
    cookies = []

    def with_cookie(here: Here) -> None:
        cookies.append(here.headers["Cookie"])
        body = gzip.compress(json.dumps(bundle("a")).encode())
        here.answer(body, Content_Encoding="gzip", Set_Cookie="session=nurse")

    with serving(with_cookie) as (base, here):
        session = FhirSession(Limits(threads=1))
        for _ in range(3):
            answers = session.ask_all(FhirAccess(base), {"labs": SEARCH}, Deadline(20, time.monotonic))
            assert answers["labs"].status is Status.COMPLETE
    assert (cookies, len(here.peers)) == ([None, None, None], 1)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Python 3.12 warns of what this test is about
def test_a_session_made_and_used_before_a_fork_works_after_it() -> None:
    with server(lambda here: here.answer(json.dumps(bundle("a")).encode())) as base:
        session = FhirSession(Limits())

        def works() -> bool:
            answers = session.ask_all(FhirAccess(base), {"labs": SEARCH}, Deadline(20, time.monotonic))
            return answers["labs"].status is Status.COMPLETE

        assert works()
        child = os.fork()
        if child == 0:
            os._exit(0 if works() else 1)
        assert os.waitpid(child, 0)[1] == 0


# The deadline itself


def test_after_sixty_percent_of_the_time_nothing_is_started() -> None:
    now = [100.0]
    deadline = Deadline(10, lambda: now[0])
    assert (deadline.left(), deadline.may_start(), deadline.over) == (10, True, False)
    now[0] = 105.9
    assert deadline.may_start()
    now[0] = 106.0
    assert (deadline.left(), deadline.may_start(), deadline.over) == (4, False, False)
    now[0] = 111.0
    assert (deadline.left(), deadline.may_start(), deadline.over) == (0, False, True)


def test_a_part_of_the_time_is_over_with_the_whole_at_the_latest() -> None:
    now = [100.0]
    whole = Deadline(10, lambda: now[0])
    now[0] = 104.0
    assert (whole.within(3).left(), whole.within(30).left()) == (3, 6)
    now[0] = 111.0
    assert whole.within(3).over
