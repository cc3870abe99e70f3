"""Shelter: calls that wait for FHIR servers hold no more than their share, and a dead server costs no time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from cds_service.gather.clocks import Clocks
from cds_service.gather.limits import Deadline
from cds_service.gather.query import Answered, FhirSession, Limits
from cds_service.gather.replies import Status
from cds_service.gather.shelter import BUSY, LEFT_ALONE, Bulkhead, Shelter
from cds_service.hooks.request import FhirAccess
from tests.fhir_server.running import Fhir, fhir_server

SERVER = FhirAccess("https://ehr.example.org/fhir")
QUERIES = {"a": "Observation?patient=p1", "b": "Condition?patient=p1"}
GOOD, REFUSED = Answered((), Status.COMPLETE, "", well=True), Answered((), Status.FAILED, "403", well=True)
LOST, UNASKED = Answered((), Status.FAILED, "late", well=False), Answered((), Status.FAILED, "no time", well=None)


@dataclass
class Session:
    """Stands in for the session: gives what it is told, once the gate is open."""

    gives: tuple[Answered, Answered] = (GOOD, GOOD)
    gate: threading.Event = field(default_factory=threading.Event)
    asked: int = 0

    def ask_all(self, access: FhirAccess, queries: Mapping[str, str], deadline: Deadline) -> dict[str, Answered]:
        self.asked += 1
        self.gate.wait(5)
        return dict(zip(queries, self.gives, strict=True))

    def more_pages(self, access: FhirAccess, next_url: str, deadline: Deadline) -> Answered:
        self.asked += 1
        return self.gives[0]


def deadline() -> Deadline:
    return Deadline(2, time.monotonic)


def ask(shelter: Shelter, session: Session) -> list[str]:
    return [each.why for each in shelter.ask_all(session, SERVER, QUERIES, deadline()).values()]


def opened(*gives: Answered) -> Session:
    session = Session((gives * 2)[:2])  # type: ignore[arg-type]
    session.gate.set()
    return session


@pytest.mark.parametrize("threads, places", [(16, 12), (4, 3), (2, 1), (1, 1), (64, 48)])
def test_three_quarters_of_the_threads_may_wait(threads, places):
    assert Shelter.of(threads).bulkhead.places == places


def test_who_finds_no_place_goes_on_at_once_and_says_so():
    shelter, session = Shelter.of(4), Session()
    waiting = [threading.Thread(target=ask, args=(shelter, session)) for _ in range(3)]
    for each in waiting:
        each.start()
    while session.asked < 3:
        time.sleep(0.01)
    began = time.monotonic()
    assert ask(shelter, session) == [BUSY, BUSY]
    assert shelter.more_pages(session, SERVER, "?page=2", deadline()).why == BUSY
    assert time.monotonic() - began < 0.5  # of the two seconds that one may wait
    assert shelter.bulkhead.full_lately and shelter.bulkhead.turned_away == 2
    session.gate.set()
    for each in waiting:
        each.join()
    assert ask(shelter, session) == ["", ""] and shelter.bulkhead.taken == 0


def test_a_place_is_given_back_whatever_happens():
    class Broken(Session):
        def ask_all(self, *_: object) -> dict[str, Answered]:
            raise RuntimeError

    shelter = Shelter.of(2)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            ask(shelter, Broken())
    assert shelter.bulkhead.taken == 0


def test_fullness_is_forgotten_after_a_minute():
    now = [0.0]
    bulkhead = Bulkhead(0, lambda: now[0])
    assert not bulkhead.full_lately and not bulkhead.enter() and bulkhead.full_lately
    now[0] = 61
    assert not bulkhead.full_lately


@pytest.mark.parametrize("gives, open_after", [
    ((LOST, LOST), 1), ((LOST, UNASKED), 1), ((LOST, GOOD), 0), ((LOST, REFUSED), 0), ((UNASKED, UNASKED), 0),
    ((REFUSED, REFUSED), 0),
])  # fmt: skip
def test_only_a_server_that_answered_nothing_is_left_alone(gives, open_after):
    shelter, session = Shelter.of(4), opened(*gives)
    for _ in range(6):
        ask(shelter, session)
    assert shelter.breakers.open == open_after
    if open_after:
        assert session.asked == 5 and ask(shelter, session) == [LEFT_ALONE, LEFT_ALONE]
        assert shelter.more_pages(session, SERVER, "?page=2", deadline()).why == LEFT_ALONE


def test_further_pages_tell_how_a_server_does_too():
    shelter, session = Shelter.of(4), opened(LOST)
    for _ in range(5):
        shelter.more_pages(session, SERVER, "?page=2", deadline())
    assert shelter.breakers.open == 1


@pytest.fixture(scope="module")
def server() -> Iterator[Fhir]:
    with fhir_server() as running:
        yield running


@pytest.mark.parametrize("faults, well", [
    ("", True), ("403", True), ("404", True), ("401", True), ("html", True), ("truncated", True), ("pages", True),
    ("500", False), ("hang", False), ("throttled", False),
])  # fmt: skip
def test_the_session_tells_whether_the_server_answered(server, faults, well):
    session = FhirSession(Limits())
    access = FhirAccess(server.having(faults) if faults else server.base)
    found = session.ask_all(access, QUERIES, Deadline(0.5 if faults == "hang" else 10, time.monotonic))
    assert {each.well for each in found.values()} == {well}


def test_a_port_where_nobody_listens_speaks_against_a_server_and_an_odd_address_says_nothing():
    session = FhirSession(Limits())
    closed = session.ask_all(FhirAccess("http://127.0.0.1:9"), QUERIES, deadline())
    assert {each.well for each in closed.values()} == {False}
    assert session.more_pages(SERVER, "https://elsewhere.example.org/", deadline()).well is None


@pytest.mark.parametrize("date, differ", [
    ("Sat, 21 Nov 2026 12:00:00 GMT", False), ("Sat, 21 Nov 2026 12:01:59 GMT", False),
    ("Sat, 21 Nov 2026 12:02:01 GMT", True), ("Sat, 21 Nov 2026 11:00:00 GMT", True), ("", False), ("soon", False),
])  # fmt: skip
def test_a_clock_that_differs_by_more_than_two_minutes_is_noticed(date, differ):
    clocks = Clocks(lambda: 1_795_262_400.0)  # noon of that day
    clocks.saw(SERVER.server, date)
    assert clocks.differ is differ


def test_the_clock_of_a_server_is_read_from_its_answers(server):
    clocks = Clocks()
    FhirSession(Limits(), clocks=clocks).ask_all(FhirAccess(server.base), QUERIES, deadline())
    assert not clocks.differ
    FhirSession(Limits(), clocks=clocks).ask_all(FhirAccess(server.having("skewed")), QUERIES, deadline())
    assert -3700 < clocks.furthest < -3500
