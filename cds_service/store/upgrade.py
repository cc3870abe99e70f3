"""Upgrade: the tables of this version, made in one transaction by whoever comes first.

Cut off in the middle, nothing was done and the next one does it. A store of a newer version is left as it is: tables
are only ever added to, so this version can use it. Alembic is large, and loaded only where there are older tables.
"""

from __future__ import annotations

import logging
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from cds_service.store.place import READING, Place
from cds_service.store.tables import METADATA

if TYPE_CHECKING:
    from alembic.config import Config

NEWEST = "v03"  # the last step: the tables of this version
STEPS = Path(__file__).parent / "migrations"
_LOCK = 0x616D6C63  # "amlc": every process of ours asks PostgreSQL for this very lock


class Version(Enum):
    """How the tables stand to this version of the service."""

    NONE = "there are no tables yet"
    OLDER = "the tables are of an older version"
    SAME = "the tables are of this version"
    NEWER = "the tables are of a newer version"


def upgrade(place: Place) -> Version:
    """Bring the tables to this version. What they were before; raises what SQLAlchemy raises."""
    engine = place.engine(patient=True, create=True)
    try:
        with engine.connect().execution_options(**{READING: True}) as connection:
            before = version(connection)
        if before in (Version.SAME, Version.NEWER):
            return before  # without waiting for whoever writes
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            before = version(connection)
            if before is Version.NONE:
                _make(connection)
            elif before is Version.OLDER:
                _bring_up(connection)
        return before
    finally:
        engine.dispose()


def version(connection: Connection) -> Version:
    """How the tables of this store stand to this version of the service."""
    if not inspect(connection).has_table("alembic_version"):
        return Version.NONE
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return standing(str(found)) if found else Version.NONE


def standing(revision: str) -> Version:
    """How a revision stands to this version of the service. One that we do not know was made by a newer one."""
    if revision == NEWEST:
        return Version.SAME
    return Version.OLDER if revision in _known() else Version.NEWER


def _known() -> frozenset[str]:
    """Every step of this version."""
    from alembic.script import ScriptDirectory

    return frozenset(step.revision for step in ScriptDirectory.from_config(_config()).walk_revisions())


def _make(connection: Connection) -> None:
    """The tables of this version, at once. A test holds them against what all steps lead to."""
    METADATA.create_all(connection)
    connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(text("INSERT INTO alembic_version (version_num) VALUES (:newest)"), {"newest": NEWEST})


def _bring_up(connection: Connection) -> None:
    """Every step that is missing."""
    from alembic import command

    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(STEPS).replace("%", "%%"))
    return config
