"""A call kept whole: its token never is, and what is none is said to be none."""

from __future__ import annotations

import json
import zlib
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from cds_service.console import replay
from cds_service.settings import Settings
from cds_service.store import endings as module
from cds_service.store import whole
from cds_service.store.replaying import between
from cds_service.store.tables import WHOLE
from tests.store.conftest import NOW, Made, a_call, endings
from tests.store.test_keeper import full_env


def test_the_token_is_taken_out_and_the_rest_stays_as_it_came():
    body = b'{"hook": "x", "fhirAuthorization": {"access_token": "marked"}, "n": 1.0}'
    without = whole.without_token(body)
    assert without is not None and b"marked" not in without and json.loads(without) == {"hook": "x", "n": 1.0}
    assert whole.without_token(b'{"hook":  "x"}') == b'{"hook":  "x"}'


@pytest.mark.parametrize("name", [rb"fhirAuthorization", rb"fhir\u0041uthorization", rb"\u0066hirAuthorization"])
def test_of_a_request_that_was_read_the_token_is_taken_out_however_its_name_is_spelled(name: bytes):
    body = b'{"hook": "x", "note": "a\\n b", "%s": {"access_token": "marked"}}' % name
    assert whole.without_token(body, was_read=True) == b'{"hook":"x","note":"a\\n b"}'
    other = b'{"hook":  "x", "note": "a\\n b"}'
    assert whole.without_token(other, was_read=True) is other


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"fhirAuthorization"', b"\xff", b"[" * 100_000])
def test_of_a_request_that_cannot_be_read_nothing_is_kept(body: bytes):
    assert whole.without_token(body) is None


def test_a_call_is_unpacked_as_it_was_packed():
    call = a_call()
    found = whole.unpacked(whole.packed(call.body, call.answer))
    assert (found.request, found.response, found.now) == (call.body, call.answer.body, call.answer.evaluation.chart.now)
    assert (found.fhir.refused, found.fhir.answers) == (call.answer.asked.refused, call.answer.asked.answers)


@pytest.mark.parametrize("content", [
    b"", b"no zip", zlib.compress(b"no call"), zlib.compress(b"\x95"), zlib.compress(b"\x90"),
    whole.packed(b"{}", a_call().answer)[:-20],
])
def test_what_is_no_call_is_said_to_be_none(content: bytes):
    with pytest.raises(ValueError, match="no call as this version keeps it"):
        whole.unpacked(content)


def test_a_call_that_another_version_kept_is_named_and_not_answered(made: Made, env: dict[str, str], tmp_path: Path):
    kept, call = made(**full_env(tmp_path)), a_call()
    kept.keeper.saw(call)
    assert kept.keeper.flush(15)
    with kept.store.writing() as connection:
        connection.execute(update(WHOLE).values(sealed=kept.store.prepare().seal(b"of another kind")))
    settings = Settings.load({**env, "KEEP": "full", "KEEP_KEY_FILE": str(tmp_path / "full.keys")})
    told = replay.replayed(settings, call.id)
    assert not told.replayed_with and any("no call as this version keeps it" in note for note in told.notes)


def test_the_calls_of_one_tenant_are_found_apart_the_newest_first(made: Made):
    kept = made()
    calls = [a_call(tenant, NOW - timedelta(hours=hours)) for hours, tenant in ((3, "n"), (2, "s"), (1, "n"))]
    for each in calls:
        kept.keeper.saw(each)
    assert kept.keeper.flush(15)
    keys, times = kept.store.prepare(), (NOW - timedelta(days=1), NOW)
    north = between(kept.store, keys, *times, "n", 9)
    assert [each.call["id"] for each in north] == [calls[2].id, calls[0].id]
    assert len(between(kept.store, keys, *times, None, 9)) == 3 and len(between(kept.store, keys, *times, "n", 1)) == 1
    until = NOW - timedelta(hours=1)  # is not within
    assert [each.call["id"] for each in between(kept.store, keys, times[0], until, "n", 9)] == [calls[0].id]


def test_the_statements_by_which_a_check_fired_are_named_as_far_as_there_is_room(
    made: Made, monkeypatch: pytest.MonkeyPatch
):
    def because(room: int) -> str:
        monkeypatch.setattr(module, "LONGEST_BECAUSE", room)
        kept, call = made(), a_call()
        kept.keeper.saw(call)
        assert kept.keeper.flush(15)
        every = [each for each in endings(kept.store) if each["call"] == call.id]
        (found,) = {each["because"] for each in every if (each["rule"], each["outcome"]) == ("qtc-hold", "fired")}
        return str(found)

    whole = because(300)
    facts, _, statements = whole.partition(" by ")
    assert facts and statements
    assert because(len(whole)) == whole
    assert because(len(whole) - 1) == (whole.rpartition(", ")[0] if ", " in statements else facts)
    assert because(3) == facts[:3]
