"""Tables: the steps lead to the tables of the code, once, whoever comes first, and whole or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from cds_service.errors import SettingsError
from cds_service.settings import Settings
from cds_service.store import upgrade as of_upgrade
from cds_service.store.keys import Keys, new_key
from cds_service.store.place import Place
from cds_service.store.stand import stand, store_of
from cds_service.store.store import Store
from cds_service.store.tables import METADATA, TOKEN
from cds_service.store.upgrade import NEWEST, Version, upgrade
from tests.store.conftest import NOW, Made, read

ROOT = Path(__file__).parents[2]


def place_of(env: dict[str, str]) -> Place:
    return store_of(Settings.load(env)).place


def by_steps(place: Place) -> None:
    """The tables as each step made them, from the first on."""
    engine = place.engine(patient=True, create=True)
    with engine.begin() as connection:
        of_upgrade._bring_up(connection)
    engine.dispose()


@pytest.mark.parametrize("made_by", [by_steps, upgrade])
def test_the_steps_lead_to_the_tables_of_the_code(env: dict[str, str], made_by: Callable[[Place], object]):
    place = place_of(env)
    assert made_by(place) in (None, Version.NONE)
    assert upgrade(place) is Version.SAME
    engine = place.engine(patient=True)
    with engine.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == NEWEST
        found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), METADATA)
    engine.dispose()
    assert found == []


def test_the_newest_step_is_the_one_that_is_known_without_looking(env: dict[str, str]):
    assert ScriptDirectory.from_config(of_upgrade._config()).get_current_head() == NEWEST
    assert of_upgrade.standing("v01") is of_upgrade.standing("v02") is Version.OLDER
    assert (of_upgrade.standing(NEWEST), of_upgrade.standing("v99")) == (Version.SAME, Version.NEWER)


def test_a_store_of_the_first_version_is_brought_up_with_what_it_holds(env: dict[str, str]):
    place = place_of(env)
    engine = place.engine(patient=True, create=True)
    with engine.begin() as connection:
        config = of_upgrade._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "v01")
        connection.exec_driver_sql("INSERT INTO token (mark, until) VALUES ('x', 1.0)")
    engine.dispose()
    assert upgrade(place) is Version.OLDER
    assert upgrade(place) is Version.SAME
    assert [row["mark"] for row in read(store_of(Settings.load(env)), TOKEN)] == ["x"]


def test_a_store_that_is_new_or_ready_needs_no_alembic(env: dict[str, str]):
    """In a process of its own, which finds the store new and then ready."""
    program = (
        "import os, sys; from cds_service.settings import Settings; from cds_service.store.stand import store_of; "
        "from cds_service.store.upgrade import Version; settings = Settings.load(os.environ); "
        "assert [store_of(settings).upgrade() for _ in range(2)] == [Version.NONE, Version.SAME]; "
        "store_of(settings).prepare(); assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], env={**os.environ, **env}, cwd=ROOT, timeout=120, check=True)


def test_several_at_once_are_no_trouble(env: dict[str, str]):
    place = place_of(env)
    with ThreadPoolExecutor(6) as pool:
        before = list(pool.map(lambda _: upgrade(place), range(6)))
    assert Version.NONE in before


KILLED = """
import os, signal, sys
from cds_service.settings import Settings
from cds_service.store.stand import store_of
from cds_service.store.tables import FEEDBACK
from sqlalchemy import event
event.listen(FEEDBACK, "before_create", lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
store_of(Settings.load(os.environ)).upgrade()
"""


def test_killed_in_the_middle_nothing_was_done_and_the_next_start_does_it(env: dict[str, str]):
    done = subprocess.run(
        [sys.executable, "-c", KILLED], env={**os.environ, **env, "PYTHONPATH": str(ROOT)}, cwd=ROOT, timeout=120,
        check=False, capture_output=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    place = place_of(env)
    engine = place.engine(patient=True)
    assert inspect(engine).get_table_names() == []
    engine.dispose()
    assert upgrade(place) is Version.NONE
    assert upgrade(place) is Version.SAME


def test_postgresql_and_full_want_a_key_and_say_so(tmp_path: Path):
    (tmp_path / "tenants.toml").write_text("")
    hospital = {"MODE": "hospital", "TENANTS": str(tmp_path / "tenants.toml"), "PUBLIC_URL": "https://cds.example"}
    for env, word in (
        ({"STORE": "postgresql://aml@127.0.0.1/x"}, "every replica"),
        ({"STORE": "postgresql://aml@127.0.0.1/x", "KEEP": "full"}, "every replica"),
        ({"KEEP": "full", "DATA": str(tmp_path), **hospital}, "KEEP=full"),
    ):
        with pytest.raises(SettingsError, match=word):
            store_of(Settings.load(env))


def test_full_keeping_of_a_demo_makes_its_key(tmp_path: Path):
    store = store_of(Settings.load({"KEEP": "full", "DATA": str(tmp_path)}))
    assert store.prepare().unseal(store.prepare().seal(b"x")) == b"x"
    assert (tmp_path / "aml-cds.key").stat().st_mode & 0o077 == 0
    store.close()


@pytest.mark.parametrize("content", ["", "short\n", "no key at all\n" + new_key()], ids=["empty", "short", "one wrong"])
def test_a_file_without_keys_stops_the_start(tmp_path: Path, content: str):
    file = tmp_path / "keys"
    file.write_text(content)
    with pytest.raises(SettingsError, match="KEEP_KEY_FILE"):
        stand(Settings.load({"KEEP_KEY_FILE": str(file), "DATA": str(tmp_path / "data")}), lambda: NOW)


def test_a_new_key_in_front_opens_what_the_old_one_sealed_and_makes_the_same_marks():
    old, new = new_key(), new_key()
    before, after = Keys((old,)), Keys((new, old))
    assert after.unseal(before.seal(b"x")) == b"x"
    assert before.unseal(after.seal(b"x")) is None
    assert after.mark("patient", "north", "1") == before.mark("patient", "north", "1")
    assert after.mark("patient", "1", "north") != after.mark("patient", "north", "1") != after.mark("patientnorth", "1")


def test_a_key_is_made_once_by_whoever_comes_first(tmp_path: Path):
    with ThreadPoolExecutor(6) as pool:
        made = set(pool.map(lambda _: Keys.read_or_make(tmp_path / "k" / "a.key").lines, range(12)))
    assert len(made) == 1
    assert [path.name for path in (tmp_path / "k").iterdir()] == ["a.key"]


@pytest.mark.parametrize("store", [
    "sqlite://", "sqlite:///", "mysql://a/b", "postgresql://host", "postgresql://aml:secret@host/db", "file",
])
def test_an_odd_store_is_refused_without_its_password(store: str):
    with pytest.raises(SettingsError) as caught:
        Settings.load({"STORE": store})
    assert "secret" not in str(caught.value)


def test_the_password_comes_from_its_file_and_is_never_shown(tmp_path: Path):
    file = tmp_path / "password"
    file.write_text("marked-secret\n")
    place = Place.of("postgresql://aml@db.example/aml", tmp_path, file)
    engine = place.engine()
    assert engine.url.password == "marked-secret"
    assert "marked-secret" not in f"{place} {place.words} {engine}"
    engine.dispose()


def test_nothing_of_a_value_stands_in_an_error(made: Made):
    from cds_service.errors import StoreError

    store: Store = made().store
    with pytest.raises(StoreError) as caught, store.writing() as connection:
        connection.exec_driver_sql("INSERT INTO nowhere VALUES ('marked')")
    assert "marked" not in str(caught.value)
