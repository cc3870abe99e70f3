"""What is remembered of the call in which a card was shown, by how much was kept; and when it cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import update

from cds_service.errors import StoreError
from cds_service.settings import Settings
from cds_service.store import memory
from cds_service.store.keys import Keys, new_key
from cds_service.store.memory import StoredCalls
from cds_service.store.stand import Stand, store_of
from cds_service.store.tables import WHOLE
from tests.store.conftest import NOW, Made, a_call
from tests.store.test_keeper import full_env


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Nobody waits here; the pauses that would have been made."""
    slept: list[float] = []
    monkeypatch.setattr(memory, "time", SimpleNamespace(sleep=slept.append))
    return slept


def kept_one(made: Made, **more: str) -> tuple[Stand, str]:
    """A store with one call, and the last card of it."""
    kept, call = made(**more), a_call(tenant="north")
    kept.keeper.saw(call)
    assert kept.keeper.flush(15) and call.answer is not None
    return kept, call.answer.cards[-1].uuid


def test_in_audit_a_card_is_found_with_its_neighbours_and_how_the_checks_ended(made: Made):
    kept, card = kept_one(made)
    found = kept.beside.memory.of_card(card)
    assert (found.at, found.service, found.hook, found.tenant) == (NOW, "aml-order-sign", "order-sign", "north")
    assert found.cards[found.place].uuid == card and found.place == len(found.cards) - 1
    assert ("qtcHold", "critical") in {(each.topic, each.indicator) for each in found.cards}
    assert ("qtc-hold", "fired") in {(each.rule, each.outcome) for each in found.endings}
    assert found.whole is None and found.lost == "" and found.not_applicable > 0


def test_kept_whole_it_can_be_answered_again(made: Made, tmp_path: Path):
    kept, card = kept_one(made, **full_env(tmp_path))
    found = kept.beside.memory.of_card(card)
    assert found.lost == "" and found.whole is not None
    assert json.loads(found.whole.request)["hook"] == "order-sign"
    assert card in {each["uuid"] for each in json.loads(found.whole.response)["cards"]}


def test_a_card_that_nobody_showed_is_looked_for_again_and_again_and_not_found(made: Made, pauses: list[float]):
    kept, _ = kept_one(made)
    assert kept.beside.memory.of_card("0c5e2a44-9c60-4fd3-8bd0-0f9d0b9e0f11") is None
    assert pauses == [*memory._PAUSES] and 0 < sum(pauses) < 2


def test_a_card_asked_about_before_it_is_written_is_found_a_moment_later(made: Made, monkeypatch: pytest.MonkeyPatch):
    kept, call = made(), a_call()
    kept.store.prepare()

    def write(_seconds: float) -> None:
        kept.keeper.saw(call)
        assert kept.keeper.flush(15)

    monkeypatch.setattr(memory, "time", SimpleNamespace(sleep=write))
    assert kept.beside.memory.of_card(call.answer.cards[0].uuid).place == 0


def test_when_its_key_is_gone_that_is_said(made: Made, env: dict[str, str], tmp_path: Path):
    _, card = kept_one(made, **full_env(tmp_path))
    (tmp_path / "full.keys").write_text(new_key())
    found = made(KEEP="full", KEEP_KEY_FILE=str(tmp_path / "full.keys")).beside.memory.of_card(card)
    assert found.whole is None and "key that it was encrypted with is not there any more" in found.lost
    assert found.cards and found.endings


def test_what_another_version_kept_is_said_and_the_rest_is_shown(made: Made, tmp_path: Path):
    kept, card = kept_one(made, **full_env(tmp_path))
    with kept.store.writing() as connection:
        connection.execute(update(WHOLE).values(sealed=kept.store.prepare().seal(b"of another kind")))
    found = kept.beside.memory.of_card(card)
    assert found.whole is None and found.lost == "another version of this service kept it" and found.cards


def test_while_the_keys_are_not_at_hand_nothing_is_said_to_be_lost(made: Made, env: dict[str, str], tmp_path: Path):
    _, card = kept_one(made, **full_env(tmp_path))
    fresh = store_of(Settings.load(env | {"KEEP": "full", "KEEP_KEY_FILE": str(tmp_path / "full.keys")}))
    with pytest.raises(StoreError, match="not at hand"):
        StoredCalls(fresh).of_card(card)
    assert isinstance(fresh.prepare(), Keys)
    assert StoredCalls(fresh).of_card(card).whole is not None
    fresh.close()
