"""Breakers: a FHIR server that answers nothing is left alone, and tried again every few seconds."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import pytest

from cds_service.gather.breaker import AGAIN, FAILURES, WITHIN, Breakers

BASE, OTHER = "https://ehr.example.org/fhir", "https://other.example.org/fhir"


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breakers(clock: Clock) -> Breakers:
    return Breakers(clock)


def fail(breakers: Breakers, times: int = FAILURES, base: str = BASE) -> None:
    for _ in range(times):
        breakers.failed(base)


def test_it_opens_after_five_calls_without_an_answer_and_for_that_server_only(breakers):
    fail(breakers, FAILURES - 1)
    assert breakers.may_ask(BASE) and breakers.open == 0
    fail(breakers, 1)
    assert not breakers.may_ask(BASE) and breakers.may_ask(OTHER)
    assert (breakers.open, breakers.opened, breakers.spared) == (1, 1, 1)


def test_failures_far_apart_do_not_open_it(breakers, clock):
    for _ in range(3 * FAILURES):
        breakers.failed(BASE)
        clock.now += WITHIN / (FAILURES - 1) + 0.1
    assert breakers.may_ask(BASE)


def test_one_answer_in_between_forgets_the_failures(breakers):
    fail(breakers, FAILURES - 1)
    breakers.answered(BASE)
    fail(breakers, FAILURES - 1)
    assert breakers.may_ask(BASE)


def test_every_few_seconds_one_call_tries(breakers, clock):
    fail(breakers)
    clock.now += AGAIN
    assert [breakers.may_ask(BASE) for _ in range(3)] == [True, False, False]
    breakers.failed(BASE)
    assert not breakers.may_ask(BASE) and breakers.opened == 1
    clock.now += AGAIN
    assert breakers.may_ask(BASE)


def test_an_answer_to_the_one_that_tries_closes_it(breakers, clock, caplog):
    caplog.set_level(logging.WARNING)
    fail(breakers)
    clock.now += AGAIN
    assert breakers.may_ask(BASE)
    breakers.answered(BASE)
    assert all(breakers.may_ask(BASE) for _ in range(3)) and breakers.open == 0
    assert [record.getMessage().split("fhir ")[1] for record in caplog.records] == [
        "does not answer: it is tried again every 5 seconds", "answers again"
    ]


def test_one_that_tries_and_never_comes_back_holds_up_nobody_for_long(breakers, clock):
    fail(breakers)
    clock.now += AGAIN
    assert breakers.may_ask(BASE)
    clock.now += AGAIN
    assert breakers.may_ask(BASE)


def test_not_every_server_is_remembered_forever(breakers):
    for number in range(200):
        fail(breakers, base=f"https://{number}.example.org")
    assert breakers.open == 64
