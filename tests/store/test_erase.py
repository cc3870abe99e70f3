"""The right to be forgotten: all that is kept of one patient goes, and nothing of anybody else."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from cds_service import cli
from cds_service.errors import StoreError
from cds_service.store.erase import AT_ONCE, Erased, count, erase
from cds_service.store.keys import new_key
from cds_service.store.tables import CALL, CARD, FEEDBACK, REASON, WHOLE
from tests.calls import gilteritinib, request
from tests.store.conftest import CHART, Made, a_call, endings, read
from tests.store.test_ledger import told

WHO = "p1"
TABLES = (CALL, CARD, WHOLE, FEEDBACK, REASON)


def of(patient: str, tenant: str = "north"):
    body = json.loads(json.dumps(request("order-sign", gilteritinib(status="draft"), **CHART)).replace(WHO, patient))
    return a_call(tenant, body=body)


@pytest.fixture
def kept(made: Made):
    """Two calls of the patient, one of another, and one of the same id at another hospital; feedback about each."""
    stand = made(KEEP="full")
    calls = [of(WHO), of(WHO), of("p2"), of(WHO, "south")]
    for call in calls:
        stand.keeper.saw(call)
    assert stand.keeper.flush(10)
    for call in calls:
        stand.ledger.add(call.service, call.tenant, (told(call.answer.cards[0].uuid),))
    stand.ledger.add("aml-order-sign", "north", (told(str(uuid4())),))
    return stand


def test_the_count_tells_what_would_go_and_nothing_goes(kept):
    before = {table: len(read(kept.store, table)) for table in TABLES}
    counted = count(kept.store, "north", WHO)
    assert (counted.calls, counted.whole, counted.feedback) == (2, 2, 2) and counted.cards >= 2 and counted.checks > 10
    assert {table: len(read(kept.store, table)) for table in TABLES} == before


def test_all_of_the_patient_goes_and_nothing_of_anybody_else(kept):
    counted = count(kept.store, "north", WHO)
    before = {table: len(read(kept.store, table)) for table in TABLES}
    checks = len(endings(kept.store))
    assert erase(kept.store, "north", WHO) == counted
    assert [(each["tenant"], len(each["patient_mark"])) for each in read(kept.store, CALL)] in (
        [("north", 32), ("south", 32)], [("south", 32), ("north", 32)],
    )  # fmt: skip
    after = {table: len(read(kept.store, table)) for table in TABLES}
    assert before[WHOLE] - after[WHOLE] == 2 and before[FEEDBACK] - after[FEEDBACK] == 2
    assert after[CARD] == before[CARD] - counted.cards and len(endings(kept.store)) == checks - counted.checks
    assert after[REASON] == before[REASON] * after[FEEDBACK] // before[FEEDBACK]
    assert erase(kept.store, "north", WHO) == count(kept.store, "north", WHO) == Erased()
    assert count(kept.store, "south", WHO).calls == count(kept.store, "north", "p2").calls == 1


def test_in_a_file_not_even_the_hash_is_left(kept):
    if kept.store.place.file is None:
        pytest.skip("of PostgreSQL the files are its own")
    mark = kept.store.prepare().mark("patient", "north", WHO).encode()
    files = [kept.store.place.file, kept.store.place.file.with_name(kept.store.place.file.name + "-wal")]
    assert any(mark in file.read_bytes() for file in files)
    erase(kept.store, "north", WHO)
    assert not any(mark in file.read_bytes() for file in files if file.exists())


def test_more_than_go_at_once(made: Made, monkeypatch):
    monkeypatch.setattr("cds_service.store.erase.AT_ONCE", 2)
    assert AT_ONCE > 2
    stand = made()
    for _ in range(5):
        stand.keeper.saw(of(WHO))
    assert stand.keeper.flush(10)
    assert erase(stand.store, "north", WHO).calls == 5 and read(stand.store, CALL) == []


def test_with_another_key_it_does_not_say_none(kept, env, tmp_path):
    other = tmp_path / "other"
    other.write_text(new_key() + "\n")
    from cds_service.console.storing import store_of
    from cds_service.settings import Settings

    store = store_of(Settings.load(env | {"KEEP_KEY_FILE": str(other)}))
    for act in (count, erase):
        with pytest.raises(StoreError, match="is not the key that marked what is kept"):
            act(store, "north", WHO)
    store.close()
    assert len(read(kept.store, CALL)) == 4


def test_the_command_counts_and_erases(kept, env, tmp_path, monkeypatch, capsys):
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "id").write_text(f"{WHO}\n")
    asked = ["store", "erase", "--tenant", "north", "--patient-file", str(tmp_path / "id")]
    assert cli.main([*asked, "--dry-run"]) == 0
    assert "2 feedback would be erased" in capsys.readouterr().out
    assert cli.main([*asked, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["erased"], told["calls"], told["feedback"]) == (True, 2, 2)
    assert cli.main(asked) == 0
    assert ": 0 calls (0 kept whole) with 0 cards" in capsys.readouterr().out


@pytest.mark.parametrize("content, says", [("a/b", "no FHIR id"), ("", "no FHIR id"), (None, "cannot be read")])
def test_what_is_no_id_is_refused(tmp_path, monkeypatch, capsys, content, says):
    monkeypatch.setenv("DATA", str(tmp_path))
    if content is not None:
        (tmp_path / "id").write_text(content)
    assert cli.main(["store", "erase", "--patient-file", str(tmp_path / "id")]) == 2
    assert says in capsys.readouterr().err
