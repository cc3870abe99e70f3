"""The store of one process: its connections, whether it is ready, and what went wrong last, in words.

Made before the fork, used after it: connections come with the first use of each process. A store that cannot be used
keeps nobody from starting; whoever needs it next tries again.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from cds_service.errors import StoreError
from cds_service.store.keys import Keys
from cds_service.store.place import READING, Place
from cds_service.store.upgrade import Version, standing, upgrade

log = logging.getLogger(__name__)
_Kind = Literal["at once", "lightly", "patiently"]  # of connections

# What an error says somewhere, and how that is told. An error's own text may hold what it stumbled over.
_SPOKEN = (
    ("locked", "it is locked by another process"),
    ("read-only", "it is read-only"),
    ("readonly", "it is read-only"),
    ("is full", "its disk is full"),
    ("disk i/o", "its disk is full or fails"),
    ("no space left", "its disk is full"),
    ("unable to open", "its file is gone or cannot be opened"),
    ("was replaced", "its file is gone or cannot be opened"),
    ("is a directory", "its file is gone or cannot be opened"),
    ("malformed", "its file is damaged: put a backup in its place"),
    ("not a database", "its file is damaged: put a backup in its place"),
    ("no such table", "it has no tables: aml-cds store upgrade"),
    ("does not exist", "it lacks a database, role or table: aml-cds store upgrade"),
    ("password", "it refuses the password: see STORE_PASSWORD_FILE"),
    ("statement timeout", "it is too slow"),
    ("lock timeout", "it is locked by another process"),
    ("permission denied", "this process may not open it"),
    ("connect", "it does not answer"),
)


def spoken(error: BaseException) -> str:
    """What went wrong, in words of ours."""
    if isinstance(error, PoolTimeout):
        return "every connection is busy"
    cause = getattr(error, "orig", None) or error
    said = str(cause).lower()
    return next((words for mark, words in _SPOKEN if mark in said), f"it failed ({type(cause).__name__})")


class Store:
    """The store at this place, with the keys of this installation."""

    def __init__(self, place: Place, keys: Callable[[], Keys]) -> None:
        self.place = place
        self._find_keys = keys
        self._keys: Keys | None = None
        self._engines: dict[_Kind, Engine] = {}
        self._lock = threading.Lock()
        self.failure = ""  # of the last writing, in words; "" once one succeeded
        os.register_at_fork(after_in_child=self._begin_anew)

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()
        for engine in self._engines.values():
            engine.dispose(close=False)  # they are the parent's
        self._engines = {}

    def prepare(self) -> Keys:
        """Make tables and keys where they are missing, and once only. Raises StoreError."""
        if self._keys is None:
            with self._lock:
                if self._keys is None:
                    self._keys = self._prepared()
        return self._keys

    @property
    def keys_at_hand(self) -> Keys | None:
        """The keys, where they were read already: nobody waits for the store to get them."""
        return self._keys

    def _prepared(self) -> Keys:
        self.upgrade()
        try:
            return self._find_keys()
        except OSError as error:
            self.failure = spoken(error)
            raise StoreError(f"the keys of the store cannot be read or made: {self.failure}") from None

    def upgrade(self) -> Version:
        """Bring the tables to this version. How they stood before. Raises StoreError."""
        try:
            before = upgrade(self.place)
        except (SQLAlchemyError, OSError) as error:
            self.failure = spoken(error)
            raise StoreError(f"the store ({self.place.words}) cannot be used: {self.failure}") from None
        self.failure = ""
        return before

    @contextmanager
    def writing(self, *, lightly: bool = False) -> Iterator[Connection]:
        """A transaction that is kept when the block ends. Raises StoreError; then nothing of it is kept.

        `lightly`: it may be lost when the power fails.
        """
        self.prepare()
        kind: _Kind = "lightly" if lightly else "at once"
        try:
            with _connected(self._engine(kind)) as connection, connection.begin():
                yield connection
        except (SQLAlchemyError, OSError) as error:
            self.failure = spoken(error)
            if "read-only" in self.failure or "damaged" in self.failure:
                self.close()  # after a failover, or a repair, only new connections see the change
            raise StoreError(self.failure) from None
        self.failure = ""

    @contextmanager
    def reading(self, *, patiently: bool = False) -> Iterator[Connection]:
        """A transaction that only reads. Raises StoreError.

        `patiently`: for what nobody waits for at the bedside, such as a report of years; its connection is its own.
        """
        try:
            engine = self._engine("patiently" if patiently else "at once")
            with _connected(engine) as connection:
                yield connection.execution_options(**{READING: True})
        except (SQLAlchemyError, OSError) as error:
            raise StoreError(spoken(error)) from None

    def version(self, *, patiently: bool = False) -> Version:
        """How the tables stand to this version of the service. Raises StoreError."""
        with self.reading(patiently=patiently) as connection:
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return standing(str(found)) if found else Version.NONE

    def warm(self, *, lightly: bool = False) -> None:
        """Have a connection of this kind ready. Raises StoreError."""
        with self.writing(lightly=lightly) as connection:
            connection.execute(text("SELECT 1"))

    def _engine(self, kind: _Kind) -> Engine:
        engine = self._engines.get(kind)
        if engine is None:
            with self._lock:
                made = self.place.engine(lightly=kind == "lightly", patient=kind == "patiently")
                engine = self._engines.setdefault(kind, made)
        return engine

    def close(self) -> None:
        """Give the connections back. The next use makes new ones."""
        for engine in list(self._engines.values()):
            engine.dispose()


@contextmanager
def _connected(engine: Engine) -> Iterator[Connection]:
    """A connection, which is not kept when all of them were given up meanwhile.

    It would live on in a pool that is nobody's, and SQLite tells every connection of a process that a file is
    read-only while one of them has it open so.
    """
    pool = engine.pool
    with engine.connect() as connection:
        try:
            yield connection
        finally:
            if engine.pool is not pool and not connection.closed:
                connection.invalidate()
