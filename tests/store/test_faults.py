"""The store locked, gone, full, damaged or stopped: calls go on, feedback is refused, and it comes back by itself."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cds_service.beside import Health, Light
from cds_service.errors import NotKept, StoreError
from cds_service.settings import Settings
from cds_service.store.stand import Stand, stand
from cds_service.store.tables import CALL, CARD, CHORE, FEEDBACK
from cds_service.store.write import write_new
from tests.postgres import Postgres, programs, wait_until
from tests.store.conftest import NOW, Made, a_call, postgres_env, read
from tests.store.test_ledger import told

ROOT = Path(__file__).parents[2]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Stand]:
    """On a SQLite file."""
    made = stand(Settings.load({"DATA": str(tmp_path / "data")}), lambda: NOW)
    yield made
    made.close()


def file_of(kept: Stand) -> Path:
    assert kept.store is not None and kept.store.place.file is not None
    return kept.store.place.file


def health(kept: Stand) -> Health:
    probe = kept.beside.probes["store"]
    probe._last = None  # type: ignore[attr-defined] # asked afresh
    return probe()


def accepts(kept: Stand, name: str) -> bool:
    try:
        kept.ledger.add("s", "", (told(name),))
    except NotKept:
        return False
    return True


def fits(kept: Stand, name: str) -> bool:
    """Whether the smallest row of all can be written."""
    try:
        with kept.store.writing() as connection:
            write_new(connection, CHORE, [{"name": name, "at": 0.0}])
    except StoreError:
        return False
    return True


def red(kept: Stand, words: str) -> None:
    """Feedback is refused in time, a call costs nothing, and the readiness says why."""
    started = time.monotonic()
    assert not accepts(kept, "while it is broken")
    assert time.monotonic() - started < 2.5
    started = time.monotonic()
    kept.keeper.saw(a_call())
    found = health(kept)
    assert found.light is Light.RED and words in found.words, found
    assert str(file_of(kept)) in found.words if kept.store.place.file else True


def green(kept: Stand) -> None:
    """It came back by itself, with what waited."""
    assert wait_until(lambda: health(kept).light is Light.GREEN, 15, 0.2), health(kept)
    assert accepts(kept, "when it is well again")
    assert kept.keeper.flush(15)


def test_a_store_that_is_well_is_green(kept: Stand):
    assert health(kept) == Health(Light.GREEN)


def test_a_locked_file(kept: Stand):
    with kept.store.place.engine(patient=True).begin():
        red(kept, "locked")
    green(kept)
    assert kept.keeper.dropped == 0


def test_a_folder_in_its_place(kept: Stand):
    file = file_of(kept)
    accepts(kept, "before")
    aside = file.with_suffix(".aside")
    file.rename(aside)
    file.mkdir()
    red(kept, "gone")
    file.rmdir()
    aside.rename(file)
    green(kept)
    assert len(read(kept.store, FEEDBACK)) == 2 and len(read(kept.store, CALL)) == 1


def test_a_file_that_was_deleted_is_not_made_anew_behind_ones_back(kept: Stand, tmp_path: Path):
    file = file_of(kept)
    accepts(kept, "before")
    kept.store.close()  # so that all of it stands in the one file
    backup = shutil.copy(file, tmp_path / "backup")
    for path in file.parent.glob("*.sqlite3*"):
        path.unlink()
    red(kept, "gone")
    assert not file.exists()
    shutil.copy(backup, file)
    green(kept)
    assert len(read(kept.store, FEEDBACK)) == 2


def test_nothing_is_acknowledged_into_a_file_that_is_gone(kept: Stand):
    file = file_of(kept)
    assert accepts(kept, "before")  # the connection is open from now on
    for path in file.parent.glob("*.sqlite3*"):
        path.unlink()
    assert not accepts(kept, "after")


@pytest.mark.skipif(os.geteuid() == 0 and shutil.which("setpriv") is None, reason="root may write everywhere")
def test_a_file_that_may_only_be_read():
    """A process of its own, as root may write everywhere, and a folder of its own, as pytest closes its to others."""
    with TemporaryDirectory() as folder:
        told_to_another_user(Path(folder))


def told_to_another_user(folder: Path) -> None:
    program = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from tests.store.test_faults import *
made = stand(Settings.load({{"DATA": {str(folder / "data")!r}}}), lambda: NOW)
file = file_of(made)
assert accepts(made, "before")
made.store.close()
for each in file.parent.iterdir(): each.chmod(0o400)
assert not accepts(made, "while")
found = health(made)
assert found.light is Light.RED and "read-only" in found.words, found
for each in file.parent.iterdir(): each.chmod(0o600)
green(made)
made.close()
print("well")
"""
    folder.chmod(0o777)
    away = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*away, sys.executable, "-B", "-c", program], cwd="/", capture_output=True, text=True, timeout=120,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
    )
    lost = ("Permission", "error while loading shared libraries")  # of the checkout, or of Python itself
    if not done.stdout and any(each in done.stderr for each in lost):
        pytest.skip("this checkout, or this Python, cannot be read by another user")
    assert done.stdout.strip() == "well", done.stderr


def test_a_full_disk_takes_whole_transactions_or_none(kept: Stand):
    file = file_of(kept)
    accepts(kept, "before")
    used = max(path.stat().st_size for path in file.parent.iterdir())
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (used + 4096, before[1]))
    try:
        assert not accepts(kept, "x" * 100) or not all(accepts(kept, f"{each}") for each in range(200))
        assert any(not fits(kept, f"{each}") for each in range(200))  # what the readiness writes is smaller
        kept.keeper.saw(a_call())
        found = health(kept)
        assert found.light is Light.RED and "disk" in found.words, found
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    green(kept)
    with kept.store.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    calls, cards = read(kept.store, CALL), read(kept.store, CARD)
    assert {card["call"] for card in cards} == {call["id"] for call in calls}


def test_a_damaged_file_is_told_and_stops_nothing(kept: Stand):
    file = file_of(kept)
    for each in range(50):
        accepts(kept, f"before {each}")
    kept.store.close()
    content = bytearray(file.read_bytes())
    for page in range(1, len(content) // 4096):
        content[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    file.write_bytes(content)
    red(kept, "damaged")


def test_a_damaged_file_stops_no_start(tmp_path: Path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "aml-cds.sqlite3").write_bytes(b"no database at all" * 1000)
    made = stand(Settings.load({"DATA": str(data)}), lambda: NOW)
    try:
        red(made, "damaged")
    finally:
        made.close()


def test_a_folder_that_cannot_be_made_stops_no_start_and_is_made_later(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    made = stand(Settings.load({"DATA": str(tmp_path / "file" / "data")}), lambda: NOW)
    try:
        made.keeper.saw(a_call())
        assert health(made).light is Light.RED
        (tmp_path / "file").unlink()
        green(made)
        assert len(read(made.store, CALL)) == 1
    finally:
        made.close()


def test_a_store_that_stays_away_costs_bounded_memory_and_what_is_dropped_is_counted(kept: Stand, monkeypatch):
    from cds_service.store import keeper

    call = a_call()
    monkeypatch.setattr(keeper, "MOST_BYTES", 30_000)  # the rows of a call take some thousands
    with kept.store.place.engine(patient=True).begin():
        for _ in range(30):
            kept.keeper.saw(call)
        assert kept.keeper.dropped >= 20
        assert len(kept.keeper._ready) <= 10
    green_or_amber = wait_until(lambda: health(kept).light is Light.AMBER, 15, 0.2)
    assert green_or_amber and "not kept" in health(kept).words


def test_while_the_store_is_away_rows_wait_and_no_chart_is_held(kept: Stand):
    with kept.store.place.engine(patient=True).begin():
        for _ in range(120):
            kept.keeper.saw(a_call())
        assert not kept.keeper._waiting
        assert not kept.keeper.flush(0.1)
    assert kept.keeper.flush(15)
    assert len(read(kept.store, CALL)) == 120 and kept.keeper.dropped == 0


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[tuple[Stand, Postgres]]:
    """A PostgreSQL that may be broken."""
    if programs() is None:
        pytest.skip("PostgreSQL is not installed here")
    server = Postgres.start()
    made = stand(Settings.load({"DATA": str(tmp_path), **postgres_env(server, tmp_path)}), lambda: NOW)
    yield made, server
    made.close()
    server.remove()


def test_postgresql_stopped_terminated_and_started_again(own_server: tuple[Stand, Postgres]):
    kept, server = own_server
    assert accepts(kept, "before")
    server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'aml-cds'")
    assert accepts(kept, "every connection was cut")
    server.down()
    red(kept, "does not answer")
    server.up()
    green(kept)
    assert len(read(kept.store, FEEDBACK)) == 3 and len(read(kept.store, CALL)) == 1


def test_postgresql_that_hangs(own_server: tuple[Stand, Postgres]):
    kept, server = own_server
    assert accepts(kept, "before")
    pids = server.pids()
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        red(kept, "does not answer")
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    green(kept)


def test_postgresql_that_became_a_standby(own_server: tuple[Stand, Postgres]):
    kept, server = own_server
    assert accepts(kept, "before")
    server.sql("ALTER SYSTEM SET default_transaction_read_only = on")
    server.sql("SELECT pg_reload_conf()")
    time.sleep(0.3)
    red(kept, "read-only")
    server.sql("BEGIN; SET TRANSACTION READ WRITE; SELECT 1; COMMIT")
    subprocess.run(["true"], check=True)
    Path(server.data, "postgresql.auto.conf").write_text("")
    server.sql("SELECT pg_reload_conf()")
    green(kept)


def test_a_postgresql_that_was_away_at_the_start_is_made_ready_later(tmp_path: Path):
    if programs() is None:
        pytest.skip("PostgreSQL is not installed here")
    server = Postgres.start()
    try:
        env = {"DATA": str(tmp_path), **postgres_env(server, tmp_path)}
        server.down()
        made = stand(Settings.load(env), lambda: NOW)
        made.keeper.saw(a_call())
        assert health(made).light is Light.RED
        server.up()
        green(made)
        assert len(read(made.store, CALL)) == 1
        made.close()
    finally:
        server.remove()


def test_a_newer_store_can_be_used_and_shows(made: Made):
    kept = made()
    with kept.store.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'v99'")
        connection.exec_driver_sql("ALTER TABLE call ADD COLUMN later VARCHAR(10)")
        connection.exec_driver_sql("ALTER TABLE feedback ADD COLUMN later VARCHAR(10)")
    again = made()
    assert accepts(again, "by the older version")
    again.keeper.saw(a_call())
    assert again.keeper.flush(10)
    found = health(again)
    assert found.light is Light.AMBER and "newer" in found.words
