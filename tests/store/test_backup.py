"""Backup and restore as docs/store.md has them: what was kept when the copy was made is there again."""

from __future__ import annotations

import sqlite3
import subprocess
import uuid
from contextlib import closing
from pathlib import Path

import pytest

from cds_service.settings import Settings
from cds_service.store.health import Light
from cds_service.store.stand import Stand, stand
from cds_service.store.tables import CALL, FEEDBACK
from tests.postgres import Postgres
from tests.store.conftest import NOW, a_call, postgres_env, read
from tests.store.test_faults import health
from tests.store.test_ledger import CARD, told

LATER = "1c5e2a44-9c60-4fd3-8bd0-0f9d0b9e0f12"


def at_work(env: dict[str, str]) -> Stand:
    return stand(Settings.load(env), lambda: NOW)


def filled(kept: Stand) -> None:
    """A call and a feedback, of before the copy."""
    kept.keeper.saw(a_call())
    assert kept.keeper.flush(10)
    kept.ledger.add("aml-order-sign", "north", (told(CARD),))


def is_as_at_the_copy(kept: Stand) -> bool:
    rows = read(kept.store, FEEDBACK)
    return [row["card"] for row in rows] == [CARD] and len(read(kept.store, CALL)) == 1


def test_a_sqlite_store_that_was_copied_at_work_comes_back(tmp_path: Path) -> None:
    env = {"DATA": str(tmp_path / "data")}
    file, copy = tmp_path / "data" / "aml-cds.sqlite3", tmp_path / "copy.sqlite3"
    with closing(at_work(env)) as kept:
        filled(kept)
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)  # what `.backup` does
        kept.ledger.add("aml-order-sign", "north", (told(LATER),))
        assert not is_as_at_the_copy(kept)
    for end in ("-wal", "-shm"):
        Path(f"{file}{end}").unlink(missing_ok=True)
    copy.replace(file)
    with closing(at_work(env)) as kept:
        assert is_as_at_the_copy(kept) and health(kept).light is Light.GREEN


def test_a_dump_of_postgresql_comes_back(server: Postgres, tmp_path: Path) -> None:
    if not (server.bin / "pg_dump").exists():
        pytest.skip("pg_dump is not installed here")
    env = {"DATA": str(tmp_path / "data")} | postgres_env(server, tmp_path)
    with closing(at_work(env)) as kept:
        filled(kept)
        dumped = subprocess.run(
            [server.bin / "pg_dump", "--format=custom", env["STORE"]], check=True, capture_output=True
        ).stdout
        kept.ledger.add("aml-order-sign", "north", (told(LATER),))
    restored = env | {"STORE": server.database(f"s{uuid.uuid4().hex[:12]}")}
    subprocess.run(
        [server.bin / "pg_restore", f"--dbname={restored['STORE']}"], input=dumped, check=True, capture_output=True
    )
    with closing(at_work(restored)) as kept:
        assert is_as_at_the_copy(kept) and health(kept).light is Light.GREEN
