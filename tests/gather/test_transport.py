"""Connections that end when they should: a time that is over ends an answer, also one that has come."""

from __future__ import annotations

import socket
import time

import pytest
import requests
import responses

from cds_service.gather.clocks import TOLERATED, Clocks
from cds_service.gather.exchange import Exchange, Stopped
from cds_service.gather.limits import Deadline, Limits
from cds_service.gather.transport import LATE, _timed_response
from cds_service.hooks.request import FhirAccess
from cds_service.security.outbound import Way

BASE = "https://ehr.example.org/fhir"
ACCESS = FhirAccess(BASE)


class Clock:
    """A clock that the test turns on."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def fetched(deadline: Deadline) -> bytes:
    return Exchange(Limits(), Way()).fetch(ACCESS, f"{BASE}/Patient/p1", deadline, 1_000)


def test_what_lies_in_the_socket_is_not_read_when_the_time_is_over() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        late = _timed_response(ours, method="GET", end=time.monotonic())
        with pytest.raises(TimeoutError, match="the whole answer took too long"):
            late.begin()
        late.close()
        assert ours.recv(8) == b"HTTP/1.1"


@responses.activate
def test_with_no_time_left_a_page_is_not_asked_for() -> None:
    clock = Clock()
    deadline = Deadline(5, clock)
    clock.now = 5.0
    with pytest.raises(Stopped, match=LATE) as stopped:
        fetched(deadline)
    assert stopped.value.well is None and not responses.calls


@responses.activate
def test_a_body_that_comes_when_the_time_is_over_is_left_unread() -> None:
    clock = Clock()

    def late(_request: object) -> tuple[int, dict[str, str], str]:
        clock.now = 5.0
        return 200, {}, '{"resourceType": "Patient"}'

    responses.add_callback(responses.GET, f"{BASE}/Patient/p1", late)
    with pytest.raises(Stopped, match=LATE) as stopped:
        fetched(Deadline(5, clock))
    assert stopped.value.well is False


@responses.activate
def test_a_time_out_a_moment_before_the_deadline_is_said_as_late() -> None:
    responses.get(f"{BASE}/Patient/p1", body=requests.exceptions.ReadTimeout(f"{BASE}/Patient/p1"))
    with pytest.raises(Stopped, match=LATE) as stopped:
        fetched(Deadline(5, Clock()))
    assert stopped.value.well is False


def test_the_clocks_of_so_many_servers_are_remembered_and_the_oldest_is_forgotten() -> None:
    clocks = Clocks(lambda: 1_795_262_400.0)  # noon of 21 November 2026
    clocks.saw("https://first.example.org", "Sat, 21 Nov 2026 13:00:00 GMT")
    for number in range(63):
        clocks.saw(f"https://{number}.example.org", "Sat, 21 Nov 2026 12:00:01 GMT")
    assert clocks.furthest == 3600.0 and clocks.differ
    clocks.saw("https://0.example.org", "Sat, 21 Nov 2026 12:00:02 GMT")  # known already: nobody has to go
    assert clocks.furthest == 3600.0
    clocks.saw("https://last.example.org", "Sat, 21 Nov 2026 11:58:00 GMT")
    assert clocks.furthest == -TOLERATED and not clocks.differ
