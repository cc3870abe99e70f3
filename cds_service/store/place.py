"""Where the store is: a file of SQLite, or PostgreSQL by URL; and how connections to it behave.

Nothing waits long: 1.5 s for a lock or a statement, 1 s for a connection, 0.5 s for a free one. What is committed is on
the disk. A file that was put in the place of another is noticed before the next use, so that nothing is written to a
file that is gone.
"""

from __future__ import annotations

import os
import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, NullPool, Pool, QueuePool, create_engine, event, make_url
from sqlalchemy.exc import DisconnectionError

from cds_service.errors import SettingsError

BUSY_SECONDS = 1.5
CONNECT_SECONDS = 1
POOL_SECONDS = 0.5
PATIENT_SECONDS = 60.0  # for what nobody waits for: migrations, reports, purging
CONNECTIONS = 4
_NEXT_TRY = 0.02  # seconds
READING = "reading"  # an execution option: this transaction writes nothing


@dataclass(frozen=True, slots=True)
class Place:
    """Where the store is. `file` is that of SQLite; None for PostgreSQL."""

    url: str
    file: Path | None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, store: str, data: Path, password_file: Path | None) -> Place:
        """The place of these settings. Raises SettingsError."""
        if not store:
            return cls("", data / "aml-cds.sqlite3")
        if store.startswith("sqlite:"):
            return cls("", Path(make_url(store).database or ""))
        try:
            import psycopg  # noqa: F401 - only here to say at the start what is missing
        except ImportError:
            raise SettingsError(
                "STORE names PostgreSQL, and psycopg is not installed: install aml-cds[postgres]"
            ) from None
        return cls(store, None, _content(password_file))

    @property
    def words(self) -> str:
        """The place in words, without password."""
        return f"the file {self.file}" if self.file else f"PostgreSQL on {make_url(self.url).host or 'this machine'}"

    def engine(self, *, patient: bool = False, create: bool = False, lightly: bool = False) -> Engine:
        """Connections to it. `patient`: for what nobody waits for. `create`: make the file when there is none.

        `lightly`: a commit may be lost when the power fails, not when a process ends.
        """
        seconds = PATIENT_SECONDS if patient else BUSY_SECONDS
        if self.file is not None:
            return _sqlite(self.file, seconds, create, lightly, NullPool if patient else QueuePool)
        return _postgres(self.url, self.password, seconds, lightly, NullPool if patient else QueuePool)


def _content(file: Path | None) -> str | None:
    try:
        return file.read_text(encoding="utf-8").strip() if file else None
    except (OSError, UnicodeDecodeError):
        raise SettingsError("STORE_PASSWORD_FILE cannot be read: it holds the password, and nothing else") from None


def _pool(kind: type[Pool]) -> dict[str, Any]:
    if kind is NullPool:
        return {"poolclass": kind}
    return {"poolclass": kind, "pool_size": CONNECTIONS, "max_overflow": CONNECTIONS, "pool_timeout": POOL_SECONDS}


def _write_ahead(made: sqlite3.Connection, seconds: float) -> None:
    """Switch to the write-ahead log. SQLite does not wait for others that do the same at this very moment: we do."""
    end = time.monotonic() + seconds
    while True:
        try:
            made.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(_NEXT_TRY)
        else:
            return


def _sqlite(file: Path, seconds: float, create: bool, lightly: bool, pool: type[Pool]) -> Engine:
    def connect() -> sqlite3.Connection:
        if create:
            _touch(file)
        made = sqlite3.connect(
            f"file:{quote(str(file))}?mode=rw", uri=True, timeout=seconds, isolation_level=None, check_same_thread=False
        )
        try:
            if create:
                _write_ahead(made, seconds)
            made.execute(f"PRAGMA synchronous={'NORMAL' if lightly else 'FULL'}")
            made.execute("PRAGMA foreign_keys=ON")
        except sqlite3.Error:
            made.close()
            raise
        return made

    engine = create_engine("sqlite://", creator=connect, hide_parameters=True, **_pool(pool))

    @event.listens_for(engine, "connect")
    def note(_: Any, record: Any) -> None:
        record.info["file"] = _identity(file)

    @event.listens_for(engine, "checkout")
    def still_there(_: Any, record: Any, __: Any) -> None:
        if record.info.get("file") != _identity(file):
            raise DisconnectionError("the file was replaced")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that first reads and then wants to write is refused at once when another wrote meanwhile,
        # without waiting. So whoever will write says so at the beginning.
        reading = connection.get_execution_options().get(READING)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _touch(file: Path) -> None:
    """The file, readable by its owner only, with its folder."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _postgres(url: str, password: str | None, seconds: float, lightly: bool, pool: type[Pool]) -> Engine:
    target = make_url(url).set(drivername="postgresql+psycopg")
    target = target.set(password=password) if password else target
    waits = f"-c statement_timeout={seconds * 1000:.0f} -c lock_timeout={seconds * 1000:.0f}"
    return create_engine(
        target,
        hide_parameters=True,
        pool_pre_ping=pool is not NullPool,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "options": f"{waits} -c synchronous_commit={'off' if lightly else 'on'}",
            "application_name": "aml-cds",
            "target_session_attrs": "read-write",  # not a standby
            "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 2, "tcp_user_timeout": 5000,
        },
        **_pool(pool),
    )
