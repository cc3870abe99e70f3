"""Repeats: what the same user has answered at order-select is not shown again at order-sign, and nothing else."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest

from cds_service.answer import Answer, Tools, answer
from cds_service.beside import Call
from cds_service.settings import Settings
from cds_service.store import repeats
from cds_service.store.repeats import AnsweredCards
from cds_service.store.stand import Stand
from cds_service.store.tables import CALL, CARD
from tests.calls import gilteritinib, qtcf, request
from tests.calls import tools as shipped
from tests.store.conftest import CHART, NOW, Made, read
from tests.store.test_ledger import told

WARNING_CHART = CHART | {"ecg": [qtcf(488)]}


def sent(hook: str, user: str = "Practitioner/1", **chart) -> bytes:
    body = request(hook, gilteritinib(status="draft"), **(chart or WARNING_CHART))
    body["context"]["userId"] = user
    return json.dumps(body).encode()


def asked(tools: Tools, hook: str, user: str = "Practitioner/1", **chart) -> Answer:
    service = next(each for each in tools.services if each.hook == hook)
    return answer(sent(hook, user, **chart), service, tools)


def call_of(made: Answer, hook: str) -> Call:
    return Call(
        uuid.uuid4().hex, NOW, 0.01, f"aml-{hook}", hook, "", None, 200, "", b"{}", made, made.knowledge
    )


def shown_and_answered(kept: Stand, tools: Tools, *, tell: bool = True, **more) -> Answer:
    """Cards at order-select, and feedback about each."""
    made = asked(tools, "order-select", **more)
    for witness in kept.beside.witnesses:
        witness.saw(call_of(made, "order-select"))
    if tell:
        for ledger in kept.beside.ledgers:
            ledger.add("aml-order-select", "", tuple(told(card.uuid) for card in made.cards))
    assert kept.keeper is None or kept.keeper.flush(15)
    return made


@pytest.fixture
def kept(made: Made) -> Stand:
    return made(REPEATS="on")


def tools_of(kept: Stand) -> Tools:
    assert kept.repeats is not None
    kept.repeats._seconds = 10.0  # a busy machine is no other behaviour
    return replace(shipped(), repeats=kept.repeats)


def topics(made: Answer) -> set[str]:
    return {card.source.topic.code for card in made.cards}


def test_what_was_answered_is_not_shown_again_and_a_line_says_so(kept: Stand):
    tools = tools_of(kept)
    first = asked(tools, "order-sign")
    before = shown_and_answered(kept, tools)
    again = asked(tools, "order-sign")
    hidden = {card.source.topic.code for card in again.not_repeated}
    assert hidden and hidden <= topics(before)
    assert topics(first) == topics(again) | hidden
    assert "gap" not in hidden
    if again.cards:
        assert "not shown again" in json.dumps(json.loads(again.body))
    kept.keeper.saw(call_of(again, "order-sign"))
    assert kept.keeper.flush(15)
    assert [row["not_repeated"] for row in read(kept.store, CALL)] == [0, len(again.not_repeated)]


@pytest.mark.parametrize("change", [
    {"user": "Practitioner/2"},
    WARNING_CHART | {"ecg": [qtcf(489)]},
], ids=["another user", "another value"])
def test_another_user_or_another_value_sees_every_card(kept: Stand, change):
    tools = tools_of(kept)
    shown_and_answered(kept, tools)
    qt = {"qtcNearHold", "qtcStartLimit", "qtcHold", "qtcAction", "qtcRise", "additiveQt"}
    assert not qt & {card.source.topic.code for card in asked(tools, "order-sign", **change).not_repeated}
    if "user" in change:
        assert asked(tools, "order-sign", **change).not_repeated == ()


def test_without_feedback_nothing_is_hidden(kept: Stand):
    tools = tools_of(kept)
    shown_and_answered(kept, tools, tell=False)
    assert asked(tools, "order-sign").not_repeated == ()


def test_a_critical_card_is_always_shown(kept: Stand):
    tools = tools_of(kept)
    before = shown_and_answered(kept, tools, **CHART)
    assert "critical" in {card.indicator for card in before.cards}
    again = asked(tools, "order-sign", **CHART)
    assert "qtcHold" in topics(again)
    assert "critical" not in {card.indicator for card in again.not_repeated}


def test_another_worker_knows_it_from_the_store(kept: Stand, made: Made):
    shown_and_answered(kept, tools_of(kept))
    other = made(REPEATS="on")
    assert asked(tools_of(other), "order-sign").not_repeated
    marks = [row["finding_mark"] for row in read(kept.store, CARD)]
    assert any(marks) and all(mark is None or len(mark) == 32 for mark in marks)


def test_after_the_minutes_it_is_shown_again(kept: Stand):
    shown_and_answered(kept, tools_of(kept))
    late = AnsweredCards(kept.store, 60, lambda: NOW + timedelta(minutes=61), seconds=10.0)
    assert asked(replace(shipped(), repeats=late), "order-sign").not_repeated == ()
    now = [0.0]
    here = AnsweredCards(None, 60, lambda: NOW, lambda: now[0])
    tools = replace(shipped(), repeats=here)
    before = asked(tools, "order-select")
    here.saw(call_of(before, "order-select"))
    here.add("s", "", tuple(told(card.uuid) for card in before.cards))
    assert asked(tools, "order-sign").not_repeated
    now[0] += 3601
    assert asked(tools, "order-sign").not_repeated == ()


def test_a_store_that_hangs_delays_nothing_and_hides_nothing(kept: Stand, monkeypatch: pytest.MonkeyPatch):
    memory = AnsweredCards(kept.store, 60, lambda: NOW)
    monkeypatch.setattr(memory, "_asked", lambda *_: time.sleep(3) or set())
    tools = replace(shipped(), repeats=memory)
    for limit in (2.0, 1.0):
        started = time.monotonic()
        assert asked(tools, "order-sign").not_repeated == ()
        assert time.monotonic() - started < limit
    assert memory.missed == 1, "it is left alone for a while"


def test_off_unless_it_is_wanted(made: Made):
    assert made().repeats is None
    assert Settings.load({}).repeats == "off"
    assert all(card.fingerprint == "" for card in asked(shipped(), "order-select").cards)


def test_without_a_store_the_process_remembers_by_itself(made: Made):
    kept = made(REPEATS="on", KEEP="nothing")
    shown_and_answered(kept, tools_of(kept))
    assert asked(tools_of(kept), "order-sign").not_repeated


def test_what_was_shown_elsewhere_or_never_answered_is_no_showing(kept: Stand):
    tools = tools_of(kept)
    made = asked(tools, "order-select")
    refused = replace(call_of(made, "order-select"), answer=None, status=400)
    for call in (call_of(made, "order-sign"), call_of(made, "patient-view"), refused):
        kept.repeats.saw(call)
    kept.repeats.add("s", "", tuple(told(card.uuid) for card in made.cards))
    assert asked(tools, "order-sign").not_repeated == ()


def test_so_many_showings_are_remembered_and_the_oldest_is_shown_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(repeats, "_MOST", 1)
    here = AnsweredCards(None, 60, lambda: NOW)
    tools = replace(shipped(), repeats=here)
    users = ("Practitioner/1", "Practitioner/2")
    for user in users:
        made = asked(tools, "order-select", user)
        here.saw(call_of(made, "order-select"))
        here.add("s", "", tuple(told(card.uuid) for card in made.cards))
    assert [len(asked(tools, "order-sign", user).not_repeated) for user in users] == [0, 1]
