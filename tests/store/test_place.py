"""Where the store is: which settings stop the start, and what one process waits for when several come at once."""

from __future__ import annotations

import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite as sqlite_dialect

from cds_service.beside import Light
from cds_service.errors import SettingsError, StoreError
from cds_service.settings import Settings
from cds_service.store import health as probes
from cds_service.store import place
from cds_service.store.keys import Keys, new_key
from cds_service.store.place import Place, _write_ahead
from cds_service.store.stand import Stand, stand, store_of
from cds_service.store.store import Store, spoken
from cds_service.store.tables import CALL, CHORE, FEEDBACK
from cds_service.store.upgrade import Version
from cds_service.store.write import insert_new, written_anew
from tests.store.conftest import NOW, a_call, read
from tests.store.test_faults import health


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Stand]:
    made = stand(Settings.load({"DATA": str(tmp_path / "data")}), lambda: NOW)
    yield made
    made.close()


# The settings


def test_a_file_may_be_named(tmp_path: Path):
    named = Place.of(f"sqlite:///{tmp_path}/elsewhere.db", tmp_path / "data", None)
    assert named.file == tmp_path / "elsewhere.db" and named.words == f"the file {tmp_path}/elsewhere.db"


def test_postgresql_without_its_driver_stops_the_start_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(SettingsError, match=r"psycopg is not installed: install aml-cds\[postgres\]"):
        Place.of("postgresql://db.example/aml", Path("data"), None)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_of_the_password_that_cannot_be_read_stops_the_start(tmp_path: Path, content: bytes | None):
    pytest.importorskip("psycopg")
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match="STORE_PASSWORD_FILE cannot be read") as refused:
        Place.of("postgresql://db.example/aml", tmp_path, file)
    assert "\xff" not in str(refused.value)


def test_a_password_is_in_no_word_about_the_place(tmp_path: Path):
    pytest.importorskip("psycopg")
    (tmp_path / "password").write_text("hush\n")
    named = Place.of("postgresql://aml@db.example/aml", tmp_path, tmp_path / "password")
    assert (named.words, named.password) == ("PostgreSQL on db.example", "hush") and "hush" not in repr(named)


def test_keys_that_cannot_be_made_are_said_and_made_later(tmp_path: Path):
    found: list[OSError | Keys] = [PermissionError("Permission denied: full.keys"), Keys((new_key(),))]

    def find() -> Keys:
        first = found.pop(0)
        if isinstance(first, OSError):
            raise first
        return first

    store = Store(Place("", tmp_path / "aml.sqlite3"), find)
    with pytest.raises(StoreError, match="keys of the store cannot be read or made: this process may not open it"):
        store.prepare()
    assert store.failure and store.keys_at_hand is None
    assert store.prepare() is store.keys_at_hand
    store.close()


# Several at once


def test_two_that_need_the_keys_first_make_them_once(tmp_path: Path):
    asked: list[str] = []

    def find() -> Keys:
        asked.append("asked")
        return Keys((new_key(),))

    store = Store(Place("", tmp_path / "aml.sqlite3"), find)
    got: list[Keys] = []
    callers = [threading.Thread(target=lambda: got.append(store.prepare())) for _ in range(2)]
    with store._lock:  # neither gets further than to the tables
        for each in callers:
            each.start()
    for each in callers:
        each.join(15)
    assert len(asked) == 1 and got[0] is got[1]
    store.close()


def test_after_a_fork_connections_are_new_ones_and_those_of_the_parent_stay_open(kept: Stand):
    with kept.store.reading() as theirs:
        assert theirs.execute(text("SELECT 1")).scalar() == 1
        parents = [each.pool for each in kept.store._engines.values()]
        kept.store._begin_anew()  # what a forked child does first
        kept.keeper.saw(a_call())
        assert kept.keeper.flush(15) and len(read(kept.store, CALL)) == 1
        assert theirs.execute(text("SELECT 1")).scalar() == 1
    for each in parents:
        each.dispose()


def test_who_switches_the_log_on_waits_for_others_that_do_and_not_for_ever(tmp_path: Path):
    file = tmp_path / "aml.sqlite3"
    other, ours = (sqlite3.connect(file, timeout=0, isolation_level=None, check_same_thread=False) for _ in range(2))
    other.execute("CREATE TABLE t (a)")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        _write_ahead(ours, 0.05)
    threading.Timer(0.05, lambda: other.execute("COMMIT")).start()
    _write_ahead(ours, 5)
    assert ours.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    for each in (other, ours):
        each.close()


def test_when_every_connection_is_busy_that_is_said_soon(kept: Stand, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(place, "CONNECTIONS", 1)
    monkeypatch.setattr(place, "POOL_SECONDS", 0.05)
    kept.store.prepare()
    began = time.monotonic()
    with kept.store.reading(), kept.store.reading():
        said = health(kept).words
        with pytest.raises(StoreError, match="every connection is busy"):
            read(kept.store, CALL)
    assert "every connection is busy" in said
    assert time.monotonic() - began < 1


# The tables


@pytest.mark.parametrize("change, words", [
    ("UPDATE alembic_version SET version_num = 'v01'", Version.OLDER.value),
    ("DELETE FROM alembic_version", Version.NONE.value),
])
def test_an_older_backup_put_in_its_place_is_red_and_says_what_to_do(kept: Stand, change: str, words: str):
    assert health(kept).light is Light.GREEN
    with kept.store.writing() as connection:
        connection.exec_driver_sql(change)
    found = health(kept)
    assert found.light is Light.RED and words in found.words and found.words.endswith("aml-cds store upgrade")


def test_a_store_that_hangs_is_red_in_time(kept: Stand, monkeypatch: pytest.MonkeyPatch):
    go = threading.Event()
    monkeypatch.setattr(probes, "SECONDS", 0.05)
    monkeypatch.setattr(kept.store, "version", lambda: go.wait(5))
    found = health(kept)
    go.set()
    assert found.light is Light.RED and found.words.endswith(
        "it does not answer; calls are answered, feedback cannot be kept"
    )


def test_what_stands_already_is_left_alone_in_both_databases():
    for dialect in (postgresql.dialect(), sqlite_dialect.dialect()):
        said = str(insert_new(SimpleNamespace(dialect=dialect), CHORE).compile(dialect=dialect))
        assert said.startswith("INSERT INTO chore") and said.endswith("ON CONFLICT DO NOTHING")


def test_nothing_written_is_nothing_new(kept: Stand):
    kept.store.prepare()
    with kept.store.writing() as connection:
        assert written_anew(connection, FEEDBACK, FEEDBACK.c.mark, []) == []


def test_what_no_word_of_ours_fits_is_told_by_its_type_and_never_by_its_text():
    assert spoken(ValueError("512 of Patient/p1")) == "it failed (ValueError)"


def test_a_store_of_settings_is_not_touched_before_it_is_used(tmp_path: Path):
    store_of(Settings.load({"DATA": str(tmp_path / "data")}))
    assert not (tmp_path / "data").exists()
