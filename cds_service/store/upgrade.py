"""Upgrade: the tables of this version, made in one transaction by whoever comes first.

Cut off in the middle, nothing was done and the next one does it. A store of a newer version is left as it is: tables
are only ever added to, so this version can use it.
"""

from __future__ import annotations

import logging
from enum import Enum
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from cds_service.store.place import READING, Place

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
    logging.getLogger("alembic").setLevel(logging.WARNING)
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
            if before in (Version.NONE, Version.OLDER):
                config = _config()
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        return before
    finally:
        engine.dispose()


def version(connection: Connection) -> Version:
    """How the tables of this store stand to this version of the service."""
    found = MigrationContext.configure(connection).get_current_revision()
    if found is None:
        return Version.NONE
    return standing(found)


def standing(revision: str) -> Version:
    """How a revision stands to this version of the service. One that we do not know was made by a newer one."""
    steps = ScriptDirectory.from_config(_config())
    if revision == steps.get_current_head():
        return Version.SAME
    known = {step.revision for step in steps.walk_revisions()}
    return Version.OLDER if revision in known else Version.NEWER


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(STEPS).replace("%", "%%"))
    return config
