"""A store of one's own for each test: the same tests on SQLite and, where it is installed, on PostgreSQL."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cds_service.beside import Call
from cds_service.settings import Settings
from cds_service.store.endings import of_call
from cds_service.store.keys import new_key
from cds_service.store.stand import Stand, stand
from cds_service.store.store import Store
from cds_service.store.tables import CALL
from tests.calls import ELECTROLYTES, ask, flt3_itd, gilteritinib, qtcf, request
from tests.postgres import Postgres, programs

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    if programs() is None:
        pytest.skip("PostgreSQL is not installed here")
    made = Postgres.start()
    yield made
    made.remove()


def postgres_env(server: Postgres, folder: Path) -> dict[str, str]:
    key = folder / "keys"
    key.write_text(new_key() + "\n")
    return {"STORE": server.database(f"s{uuid.uuid4().hex[:12]}"), "KEEP_KEY_FILE": str(key)}


@pytest.fixture(params=["sqlite", "postgresql"])
def env(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """The settings of an empty store."""
    data = {"DATA": str(tmp_path / "data")}
    if request.param == "sqlite":
        return data
    return data | postgres_env(request.getfixturevalue("server"), tmp_path)


Made = Callable[..., Stand]


@pytest.fixture
def made(env: dict[str, str]) -> Iterator[Made]:
    """Makes the store at work, with further settings."""
    with ExitStack() as stack:

        def make(**more: str) -> Stand:
            kept = stand(Settings.load(env | more), lambda: NOW)
            stack.callback(kept.close)
            return kept

        yield make


def read(store: Store, table: Any) -> list[Any]:
    """Every row."""
    with store.reading() as connection:
        return list(connection.execute(table.select()).mappings())


CHART: dict[str, Any] = {
    "ecg": [qtcf(512)], "labs": ELECTROLYTES, "genomics": [flt3_itd("2026-11-10T08:00:00Z")],
}


def a_call(tenant: str = "", at: datetime = NOW, body: dict[str, Any] | None = None, **more: Any) -> Call:
    """A call that was answered with cards."""
    body = body or request("order-sign", gilteritinib(status="draft"), **CHART)
    fields: dict[str, Any] = {
        "id": uuid.uuid4().hex, "at": at, "seconds": 0.01, "service": "aml-order-sign", "hook": body["hook"],
        "tenant": tenant, "caller": None, "status": 200, "cause": "", "body": json.dumps(body).encode(),
    }  # fmt: skip
    fields |= more
    return Call(answer=fields.pop("answer") if "answer" in fields else ask(body), **fields)


def endings(store: Store) -> list[dict[str, Any]]:
    """How the checks of every call ended, each with its call."""
    with store.reading() as connection:
        calls = connection.execute(CALL.select()).mappings().all()
        return [dict(row) | {"call": call["id"]} for call in calls for row in of_call(connection, call)[0]]
