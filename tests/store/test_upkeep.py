"""What runs behind the answers: the upkeep by what is kept, the purge in small parts, and counts that are not lost."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from cds_service.errors import StoreError
from cds_service.settings import Settings
from cds_service.store import purge
from cds_service.store.stand import Stand, stand
from cds_service.store.tables import CHORE, FEEDBACK, TOKEN, UNKNOWN_CODE
from cds_service.store.unknown import UnknownCodes
from tests.postgres import wait_until
from tests.store.conftest import NOW, Made, read
from tests.store.test_ledger import told
from tests.tokens import key_set


def hospital(tmp_path: Path, **more: str) -> Stand:
    """A store where tokens are verified."""
    (tmp_path / "keys.json").write_text(str(key_set()).replace("'", '"'), encoding="utf-8")
    (tmp_path / "tenants.toml").write_text(
        '[[tenant]]\nname = "n"\nissuer = "https://n.example"\njwks_file = "keys.json"\njurisdiction = "EU"\n'
    )
    env = {"DATA": str(tmp_path / "data"), "MODE": "hospital", "TENANTS": str(tmp_path / "tenants.toml"),
           "PUBLIC_URL": "https://cds.example"}  # fmt: skip
    return stand(Settings.load(env | more), lambda: NOW)


def test_upkeep_begins_with_the_process_and_purges_what_is_old(made: Made, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(purge, "AT_ONCE", 2)
    kept = made(KEEP_DAYS="5")
    kept.ledger._now = lambda: NOW - timedelta(days=6)
    kept.ledger.add("s", "", tuple(told(str(each)) for each in range(5)))
    kept.ledger._now = lambda: NOW
    kept.ledger.add("s", "", (told("of today"),))
    kept.begin()
    assert wait_until(lambda: len(read(kept.store, FEEDBACK)) == 1, 15)
    assert read(kept.store, FEEDBACK)[0]["at"] == NOW


def test_where_nothing_is_kept_only_the_marks_of_tokens_are_and_they_end(tmp_path: Path):
    kept = hospital(tmp_path, KEEP="nothing")
    kept.seen._seconds = 15.0  # a busy machine
    try:
        assert kept.ledger is None and kept.beside.memory is None and kept.beside.report is None
        assert not kept.seen.before("i", "ended", NOW.timestamp() - 24 * 3600 - 1)
        assert not kept.seen.before("i", "lives", NOW.timestamp() + 10**9)
        assert kept.marker() is not None and kept.not_known("drug", "RxNorm", 1) is None
        kept.keeper._upkeep()
        assert len(read(kept.store, TOKEN)) == 1
        assert read(kept.store, CHORE) == read(kept.store, UNKNOWN_CODE) == []
    finally:
        kept.close()


def test_without_a_store_nothing_begins_and_nothing_marks(made: Made):
    kept = made(KEEP="nothing")
    kept.begin()
    assert kept.store is None and kept.keeper is None and kept.marker() is None


def test_counts_that_the_store_does_not_take_are_added_with_the_next_upkeep(made: Made):
    kept = made()
    codes = UnknownCodes(lambda: NOW)
    codes.note("drug", "RxNorm", 3)
    kept.store.prepare()

    class Gone:
        def writing(self):
            raise StoreError("it does not answer")

    with pytest.raises(StoreError):
        codes.write(Gone())
    codes.note("drug", "RxNorm")
    codes.write(kept.store)
    assert [(row["system"], row["times"]) for row in read(kept.store, UNKNOWN_CODE)] == [("RxNorm", 4)]


def test_a_code_that_no_table_holds_is_counted_with_the_upkeep(made: Made):
    kept = made()
    for _ in range(2):
        kept.not_known("drug", "RxNorm", 1)
    kept.keeper._upkeep()
    assert [(row["kind"], row["system"], row["times"]) for row in read(kept.store, UNKNOWN_CODE)] == [
        ("drug", "RxNorm", 2)
    ]
