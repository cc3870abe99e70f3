"""Replay: the same call gives the same answer; what differs, was changed or was not kept is said plainly."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from cds_service import cli
from cds_service.console import replay
from cds_service.errors import UsageError
from cds_service.settings import Settings
from cds_service.store.tables import CALL, ENDINGS
from tests.calls import gilteritinib, request
from tests.calls import tools as shipped
from tests.overlays import HOLD_480, written
from tests.store.conftest import NOW, Made, a_call
from tests.store.test_keeper import full_env
from tests.store.test_queries import kept_with
from tests.store.test_repeats import asked, call_of, sent, shown_and_answered, tools_of

DAY = (NOW - timedelta(days=1), NOW + timedelta(days=1), None)


def kept_whole(made: Made, tmp_path: Path, *calls):
    kept = made(**full_env(tmp_path))
    for call in calls:
        kept.keeper.saw(call)
    assert kept.keeper.flush(15)
    return kept


def whole_settings(env: dict[str, str], tmp_path: Path, **more: str) -> Settings:
    return Settings.load({**env, "KEEP": "full", "KEEP_KEY_FILE": str(tmp_path / "full.keys"), **more})


def test_a_call_kept_whole_is_answered_the_same_again(made: Made, env: dict[str, str], tmp_path: Path):
    call = a_call()
    kept_whole(made, tmp_path, call)
    told = replay.replayed(whole_settings(env, tmp_path), call.id[:8])
    assert told.same and told.intact and told.differences == () and told.replayed_with == told.answered_with
    assert "the same is answered now" in replay.as_text(told)


@pytest.mark.parametrize("address", ["https://cds.north.example", "http://127.0.0.1:9999/aml"])
def test_where_it_was_served_and_links_that_end_are_no_difference(
    made: Made, env: dict[str, str], tmp_path: Path, address: str
):
    ours = replace(
        shipped(), public_url=address, why=lambda card, _: f"{address}/why/{card}?key=1795297665-{'a' * 32}"
    )
    answered = asked(ours, "order-sign")
    assert address.encode() in answered.body and b"/why/" in answered.body
    call = replace(call_of(answered, "order-sign"), body=sent("order-sign"))
    kept_whole(made, tmp_path, call)
    told = replay.replayed(whole_settings(env, tmp_path), call.id)
    assert told.same and told.differences == ()


def test_beside_cards_that_were_not_repeated_other_words_are_still_found(
    made: Made, env: dict[str, str], tmp_path: Path
):
    kept = made(REPEATS="on", **full_env(tmp_path))
    tools = tools_of(kept)
    shown_and_answered(kept, tools)
    again = asked(tools, "order-sign")
    assert again.not_repeated and again.cards
    first, *others = again.cards
    other_words = replace(again, cards=(replace(first, summary="Something else"), *others))
    same, differs = (replace(call_of(each, "order-sign"), body=sent("order-sign")) for each in (again, other_words))
    for call in (same, differs):
        kept.keeper.saw(call)
    assert kept.keeper.flush(15)
    settings = whole_settings(env, tmp_path, REPEATS="on")
    assert replay.replayed(settings, same.id).differences == ()
    told = replay.replayed(settings, differs.id).differences
    assert f"card no more: {first.indicator}: Something else" in told
    assert f"new card: {first.indicator}: {first.summary}" in told
    assert f"{len(again.not_repeated)} of the cards of now were not shown then" in told[-1]


def test_other_knowledge_is_said_and_so_is_what_it_changes(made: Made, env: dict[str, str], tmp_path: Path):
    call = a_call()
    kept_whole(made, tmp_path, call)
    overlay = written(tmp_path / "overlay", rules="rules:\n  qtc-hold: {switch: 'off', reason: a pause of the board}\n")
    told = replay.replayed(whole_settings(env, tmp_path, OVERLAY=str(overlay)), call.id)
    assert not told.same and told.replayed_with != told.answered_with
    assert any(call.answer.knowledge in note and told.replayed_with in note for note in told.notes)
    assert any(each.startswith("no more: qtc-hold fired, critical") for each in told.differences)
    assert any(each.startswith("card no more: critical: ") for each in told.differences)


def test_in_audit_rows_are_held_against_their_seal_and_nothing_is_answered(made: Made, env: dict[str, str]):
    call, changed = a_call(), a_call(body=request("order-sign", gilteritinib(status="draft")))
    kept = kept_with(made, call, changed)
    told = replay.replayed(Settings.load(env), call.id)
    assert told.same and told.intact and not told.replayed_with
    assert any("KEEP=audit" in note for note in told.notes)
    with kept.store.writing() as connection:
        theirs = select(CALL.c.endings).where(CALL.c.id == changed.id).scalar_subquery()
        ours = func.replace(ENDINGS.c.told, "not evaluated", "clear")
        connection.execute(update(ENDINGS).where(ENDINGS.c.id == theirs).values(told=ours))
    told = replay.replayed(Settings.load(env), changed.id)
    assert told.intact is False and not told.same
    assert "ROWS WERE CHANGED" in replay.as_text(told)
    every = replay.replayed_all(Settings.load(env), *DAY, lambda _: None)
    assert {each.call: each.same for each in every} == {call.id: True, changed.id: False}
    assert "1 as written, 1 changed since, 0 without a seal" in replay.as_summary(every)


@pytest.mark.parametrize(("status", "cause"), [(422, "Unprocessable"), (200, "RuntimeError")])
def test_a_call_that_was_refused_or_broke_says_so_and_not_that_it_was_kept_for_audit(
    made: Made, env: dict[str, str], tmp_path: Path, status: int, cause: str
):
    call = a_call(answer=None, status=status, cause=cause)
    kept_whole(made, tmp_path, call)
    told = replay.replayed(whole_settings(env, tmp_path), call.id)
    assert not told.replayed_with and told.same
    assert told.notes == (f"it was not answered ({cause}, HTTP {status}): there is nothing to hold against",)


def test_a_call_of_an_older_version_has_no_seal_and_that_is_said(made: Made, env: dict[str, str]):
    call = a_call()
    kept = kept_with(made, call)
    with kept.store.writing() as connection:
        connection.execute(update(CALL).values(rows_mark=None))
    told = replay.replayed(Settings.load(env), call.id)
    assert told.intact is None and told.same and any("no seal" in note for note in told.notes)


def test_without_its_key_it_cannot_be_answered_and_that_is_said(made: Made, env: dict[str, str], tmp_path: Path):
    from cds_service.store.keys import new_key

    call = a_call()
    kept_whole(made, tmp_path, call)
    (tmp_path / "full.keys").write_text(new_key() + "\n")
    told = replay.replayed(whole_settings(env, tmp_path), call.id)
    assert not told.replayed_with and any("none of the keys" in note for note in told.notes)


def test_the_command(
    made: Made, env: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    call = a_call()
    kept_with(made, call)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert cli.main(["replay", call.id, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["calls"][0]["same"] is True
    assert cli.main(["replay", "--all", "--since", "2026-11-20", "--until", "2026-11-21"]) == 0
    assert capsys.readouterr().out.startswith("1 calls; 0 answered again")
    assert cli.main(["replay"]) == cli.main(["replay", "ffff"]) == cli.main(["replay", "no id"]) == 2


def test_an_id_that_is_none_is_refused(env: dict[str, str]):
    with pytest.raises(UsageError):
        replay.replayed(Settings.load(env), "%")


def test_every_answer_names_its_knowledge_also_without_a_card(tmp_path: Path):
    from cds_service.answer import answer
    from cds_service.web.app import create_app
    from tests.overlays import tools_with

    for values in ("values: []\n", HOLD_480):
        tools = tools_with(written(tmp_path / "overlay", values=values))
        client = create_app(Settings.load({}), tools, answer).test_client()
        headers = client.get("/cds-services").headers
        assert headers["X-Aml-Cds-Knowledge"] == tools.knowledge_version
