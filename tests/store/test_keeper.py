"""What is kept of a call, in each mode, and what is not."""

from __future__ import annotations

import hmac
import json
import re
import stat
import threading
import time
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event

from cds_service.rules.catalogue import RULES
from cds_service.settings import Settings
from cds_service.store import whole
from cds_service.store.endings import id_of
from cds_service.store.keys import Keys
from cds_service.store.records import record
from cds_service.store.stand import stand
from cds_service.store.tables import CALL, CARD, ENDINGS, KNOWLEDGE, WHOLE
from cds_service.store.write import write_records
from tests.calls import gilteritinib, request
from tests.postgres import wait_until
from tests.store.conftest import CHART, NOW, Made, a_call, endings, read


def test_a_call_is_kept_with_its_cards_and_outcomes(made: Made):
    kept = made()
    call = a_call(tenant="north")
    kept.keeper.saw(call)
    assert kept.keeper.flush(10)
    (row,) = read(kept.store, CALL)
    assert (row["id"], row["at"], row["week"], row["tenant"], row["status"]) == (call.id, NOW, "2026-W47", "north", 200)
    assert (row["hook"], row["role"], row["knowledge"]) == ("order-sign", "Practitioner", call.answer.knowledge)
    cards = sorted(read(kept.store, CARD), key=lambda card: card["position"])
    assert [(card["uuid"], card["topic"], card["indicator"]) for card in cards] == [
        (card.uuid, card.source.topic.code, card.indicator) for card in call.answer.cards
    ]
    outcomes = endings(kept.store)
    assert ("qtc-hold", "drug", "fired", "critical") in {
        (each["rule"], each["subject"], each["outcome"], each["level"]) for each in outcomes
    }
    telling = call.answer.evaluation.many  # what is told only at viewing is not asked beside an order
    assert sum(each["times"] for each in outcomes) + row["not_applicable"] == telling
    assert not {each["rule"] for each in outcomes} & {each.id for each in RULES if each.viewing}
    assert [each["digest"] for each in read(kept.store, KNOWLEDGE)] == [call.answer.knowledge]
    assert read(kept.store, WHOLE) == []


def test_what_was_not_evaluated_is_told_by_fact_and_state_without_words(made: Made):
    kept = made()
    kept.keeper.saw(a_call(body=request("order-sign", gilteritinib(status="draft"))))
    assert kept.keeper.flush(10)
    causes = {(each["rule"], each["cause"]) for each in endings(kept.store) if each["outcome"] == "not evaluated"}
    assert ("qtc-hold", "qtc_fridericia:absent") in causes or any("absent" in cause for _, cause in causes)
    assert all(" " not in cause.replace(", ", "") or cause == "check failed" for _, cause in causes)


def test_the_same_patient_has_the_same_mark_within_a_tenant_only(made: Made):
    kept = made()
    for tenant in ("north", "north", "south"):
        kept.keeper.saw(a_call(tenant=tenant))
    assert kept.keeper.flush(10)
    rows = read(kept.store, CALL)
    marks = {tenant: {row["patient_mark"] for row in rows if row["tenant"] == tenant} for tenant in ("north", "south")}
    assert len(marks["north"]) == len(marks["south"]) == 1
    assert marks["north"] != marks["south"]


def test_many_calls_are_few_statements_as_the_file_is_locked_meanwhile(tmp_path: Path):
    """The driver waits for Python's lock at each statement, behind every thread that is busy."""
    kept = stand(Settings.load({"DATA": str(tmp_path / "data")}), lambda: NOW)
    keys, answered, said = kept.store.prepare(), a_call(), []
    calls = [replace(answered, id=f"{place:032x}") for place in range(300)]
    records = [record(call, keys, full=False) for call in calls]
    with kept.store.writing() as connection:
        event.listen(connection, "before_cursor_execute", lambda *told: said.append(told[2]))
        write_records(connection, [*records, *records])
    assert len(endings(kept.store)) > 5_000 and len(read(kept.store, CALL)) == 300 and len(said) < 60
    assert len(set(said)) < 30, "each is kept by the driver"
    assert {row["at"] for row in read(kept.store, CALL)} == {NOW}
    kept.close()


def test_calls_that_ended_alike_share_what_is_kept_of_that(made: Made):
    kept, blind = made(), a_call(body=request("order-sign", gilteritinib(status="draft")))
    for call in (a_call(), blind, a_call(tenant="north"), blind):
        kept.keeper.saw(replace(call, id=uuid.uuid4().hex))
    assert kept.keeper.flush(10)
    named = [row["endings"] for row in read(kept.store, CALL)]
    assert len(named) == 4 and len(set(named)) == 2
    texts = read(kept.store, ENDINGS)
    assert {each["id"] for each in texts} == set(named)
    assert all(id_of(each["told"]) == each["id"] for each in texts)


def test_calls_are_written_together_and_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from cds_service.store import keeper

    many = []
    monkeypatch.setattr(keeper, "write_records", lambda connection, records: many.append(len(records)))
    kept, call = stand(Settings.load({"DATA": str(tmp_path / "data")}), lambda: NOW), a_call()
    began = time.monotonic()
    for _ in range(20):
        kept.keeper.saw(call)
    assert wait_until(lambda: sum(many) == 20, 5, 0.01)
    assert len(many) <= 2 and time.monotonic() - began < 2
    kept.close()


def test_its_rows_are_made_by_whoever_answered_so_that_no_backlog_of_charts_arises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from cds_service.store import keeper

    by = []
    made_of = keeper.record
    monkeypatch.setattr(keeper, "record", lambda *told: by.append(threading.current_thread()) or made_of(*told))
    kept = stand(Settings.load({"DATA": str(tmp_path / "data")}), lambda: NOW)
    kept.keeper.saw(a_call())
    assert by == [threading.current_thread()] and not kept.keeper._waiting
    kept.close()
    assert len(read(kept.store, CALL)) == 1


@pytest.mark.parametrize("status", [401, 404])
def test_strangers_and_wrong_addresses_are_not_kept(made: Made, status: int):
    kept = made()
    kept.keeper.saw(a_call(status=status, answer=None))
    assert kept.keeper.flush(10)
    assert read(kept.store, CALL) == []


def test_a_call_that_was_refused_is_kept_with_its_cause(made: Made):
    kept = made()
    kept.keeper.saw(a_call(status=400, cause="BadRequest", answer=None, body={"hook": "order-sign"}))
    assert kept.keeper.flush(10)
    (row,) = read(kept.store, CALL)
    assert (row["status"], row["cause"], row["patient_mark"]) == (400, "BadRequest", None)


def test_with_nothing_no_call_is_kept(made: Made, env: dict[str, str]):
    assert made(KEEP="nothing").store is None  # demo mode: no tokens either
    assert not Path(env["DATA"]).exists()


def full_env(tmp_path: Path) -> dict[str, str]:
    from cds_service.store.keys import new_key

    file = tmp_path / "full.keys"
    file.write_text(f"{new_key()}\n{new_key()}\n")
    return {"KEEP": "full", "KEEP_KEY_FILE": str(file)}


def test_in_full_a_call_can_be_answered_again_and_its_token_is_gone(made: Made, tmp_path: Path):
    kept = made(**full_env(tmp_path))
    body = request("order-sign", gilteritinib(status="draft"), **CHART)
    body["fhirServer"] = "http://127.0.0.1:9/fhir"
    body["fhirAuthorization"] = {
        "access_token": "marked-token", "token_type": "Bearer", "expires_in": 300, "scope": "", "subject": "x",
    }
    call = a_call(body=body)
    kept.keeper.saw(call)
    assert kept.keeper.flush(10)
    (row,) = read(kept.store, WHOLE)
    assert b"prefetch" not in row["sealed"] and b"indicator" not in row["sealed"]
    opened = kept.store.prepare().unseal(row["sealed"])
    assert opened is not None
    told = whole.unpacked(opened)
    assert b"marked-token" not in told.request
    assert json.loads(told.request)["prefetch"] == body["prefetch"]
    assert told.response == call.answer.body
    assert told.now == call.answer.evaluation.chart.now


def test_a_mark_is_the_same_today_and_tomorrow_and_the_hmac_that_anybody_can_reckon():
    from base64 import urlsafe_b64encode

    keys = Keys((urlsafe_b64encode(b"k" * 32).decode(),))
    secret = hmac.digest(b"k" * 32, b"aml-cds marks", "sha256")
    for content in (b"one", b"", b"x" * 100_000, b"one"):
        assert keys.mark_of(content) == hmac.digest(secret, content, "sha256").hex()[:32]
    assert keys.mark("patient", "p1") == keys.mark_of(b"\0\0\0\7patient\0\0\0\2p1")
    assert keys.mark_of_link(b"one") != keys.mark_of(b"one")


def test_without_a_key_nothing_kept_whole_can_be_read(made: Made, tmp_path: Path):
    from cds_service.store.keys import Keys, new_key

    kept = made(**full_env(tmp_path))
    kept.keeper.saw(a_call())
    assert kept.keeper.flush(10)
    (row,) = read(kept.store, WHOLE)
    assert Keys((new_key(),)).unseal(row["sealed"]) is None


def test_no_word_of_the_patient_is_in_an_audit_store(made: Made, env: dict[str, str]):
    kept = made()
    body = request("order-sign", gilteritinib(status="draft"), **CHART)
    text = json.dumps(body).replace('"p1"', '"marked-patient"').replace("Patient/p1", "Patient/marked-patient")
    body = json.loads(text.replace("Practitioner/1", "Practitioner/marked-user"))
    body["hookInstance"] = "marked-instance"
    kept.keeper.saw(a_call(body=body))
    assert kept.keeper.flush(10)
    told = "".join(str(dict(row)) for table in CALL.metadata.sorted_tables for row in read(kept.store, table))
    assert "qtc-hold" in told
    told = re.sub(r"[0-9a-f-]{16,}", "", told)  # ids and digests hold any three digits by chance
    assert "marked-" not in told and not re.search(r"(?<![\d.])(?:512|1960)(?!\d)", told)  # nor do parts of a second


def test_key_and_file_are_for_their_owner_only(made: Made, env: dict[str, str]):
    kept = made()
    if kept.store.place.file is None:
        pytest.skip("a matter of SQLite")
    for path in Path(env["DATA"]).iterdir():
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path.name
