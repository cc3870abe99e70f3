"""Asking a FHIR server whether an answer has changed: only where it is set, and never in place of asking."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import responses

from cds_service.gather.conditional import Conditional
from cds_service.gather.limits import Deadline, Limits
from cds_service.gather.query import Answered, FhirSession
from cds_service.gather.replies import Status
from cds_service.hooks.request import FhirAccess

BASE = "https://ehr.example.org/fhir"
URL = f"{BASE}/Patient/p1"
ACCESS = FhirAccess(BASE, "secret-token")
PATIENT = b'{"resourceType": "Patient", "id": "p1"}'
TAG = {"ETag": 'W/"7"'}


@pytest.fixture
def ehr() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def session(seconds: float = 60.0) -> FhirSession:
    return FhirSession(Limits(keep_seconds=seconds))


def ask(fhir: FhirSession, access: FhirAccess = ACCESS) -> Answered:
    return fhir.ask_all(access, {"patient": "Patient/p1"}, Deadline(20, time.monotonic))["patient"]


def asked_with(ehr: responses.RequestsMock) -> list[str | None]:
    return [call.request.headers.get("If-None-Match") for call in ehr.calls]


def test_an_unchanged_answer_is_not_sent_again(ehr: responses.RequestsMock) -> None:
    fhir = session()
    ehr.get(URL, body=PATIENT, headers=TAG)
    first = ask(fhir)
    ehr.replace("GET", URL, status=304)
    again = ask(fhir)
    assert (again.resources, again.status) == (first.resources, first.status) == ((PATIENT,), Status.COMPLETE)
    assert asked_with(ehr) == [None, 'W/"7"']


def test_a_changed_answer_is_read_and_asked_for_by_its_new_tag(ehr: responses.RequestsMock) -> None:
    fhir, changed = session(), PATIENT.replace(b"}", b', "gender": "female"}')
    ehr.get(URL, body=PATIENT, headers=TAG)
    ask(fhir)
    ehr.replace("GET", URL, body=changed, headers={"ETag": 'W/"8"'})
    assert [ask(fhir).resources, ask(fhir).resources] == [(changed,), (changed,)]
    assert asked_with(ehr) == [None, 'W/"7"', 'W/"8"']


def test_unless_it_is_set_nothing_is_kept(ehr: responses.RequestsMock) -> None:
    fhir = session(0)
    ehr.get(URL, body=PATIENT, headers=TAG)
    assert ask(fhir) == ask(fhir)
    assert asked_with(ehr) == [None, None]


@pytest.mark.parametrize("headers", [
    {}, {"ETag": ""}, {"ETag": "7"}, {"ETag": '"' + "x" * 300 + '"'}, {**TAG, "Cache-Control": "private, No-Store"},
])
def test_what_has_no_tag_or_must_not_be_stored_is_asked_for_anew(
    ehr: responses.RequestsMock, headers: dict[str, str]
) -> None:
    fhir = session()
    ehr.get(URL, body=PATIENT, headers=headers)
    assert ask(fhir) == ask(fhir)
    assert asked_with(ehr) == [None, None]


def test_another_token_is_told_nothing_of_it(ehr: responses.RequestsMock) -> None:
    fhir = session()
    ehr.get(URL, body=PATIENT, headers=TAG)
    ask(fhir)
    ask(fhir, FhirAccess(BASE, "another-token"))
    ask(fhir, FhirAccess(BASE, None))
    assert asked_with(ehr) == [None, None, None]


def test_a_token_that_was_withdrawn_is_refused_as_ever(ehr: responses.RequestsMock) -> None:
    fhir = session()
    ehr.get(URL, body=PATIENT, headers=TAG)
    ask(fhir)
    ehr.replace("GET", URL, status=401)
    assert (ask(fhir).status, ask(fhir).resources) == (Status.FAILED, ())


def test_unchanged_where_nothing_was_known_is_no_answer(ehr: responses.RequestsMock) -> None:
    ehr.get(URL, status=304)
    assert ask(session()).status is Status.FAILED


def test_an_answer_is_kept_for_its_seconds_and_the_oldest_makes_room() -> None:
    now = 0.0
    kept = Conditional(60, most=400, clock=lambda: now)
    for place in range(4):
        kept.keep(ACCESS, f"{URL}{place}", TAG, b"x" * 90)
        now += 10
    held = [place for place in range(4) if kept.known(ACCESS, f"{URL}{place}")]
    assert held == [1, 2, 3]
    now = 75.0
    assert [place for place in range(4) if kept.known(ACCESS, f"{URL}{place}")] == [2, 3]
    kept.keep(ACCESS, URL, TAG, b"x" * 101)
    assert kept.known(ACCESS, URL) is None, "one answer takes a quarter of the room at most"


def test_what_is_kept_cannot_be_read_without_the_token() -> None:
    kept = Conditional(60)
    kept.keep(ACCESS, URL, TAG, PATIENT)
    held = repr(vars(kept)).encode()
    assert b"Patient" not in held and b"p1" not in held and b"secret-token" not in held
    again = kept.known(ACCESS, URL)
    assert again is not None and again.body == PATIENT
