"""Write: rows into tables, the same for SQLite and PostgreSQL. What is there already stays as it is."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Column, Connection, Insert, Table
from sqlalchemy.dialects import sqlite

from cds_service.store.endings import FRESH_SECONDS
from cds_service.store.records import Record
from cds_service.store.tables import CALL, CARD, ENDINGS, KNOWLEDGE, WHOLE

_AT_ONCE = (1, 8, 32, 128, 256)  # rows in one statement: few sizes, as the driver keeps each that it has met
_STAYS = "ON CONFLICT DO NOTHING"
_OF_USE = (
    f"ON CONFLICT (id) DO UPDATE SET used = excluded.used WHERE endings.used < excluded.used - {FRESH_SECONDS:.0f}"
)


def insert_new(connection: Connection, table: Table) -> Insert:
    """An INSERT that leaves alone what has the same key."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # large, and not for everybody

        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def write_one(connection: Connection, table: Table, row: Mapping[str, str | float]) -> bool:
    """Write this row of texts and numbers, unless its key is there already. Whether it was written."""
    into = f"INSERT INTO {table.name} ({', '.join(row)}) VALUES"  # names of ours
    places = ", ".join((_place(connection),) * len(row))
    return connection.exec_driver_sql(f"{into} ({places}) {_STAYS}", tuple(row.values())).rowcount == 1


def _place(connection: Connection) -> str:
    """What stands for a value in a statement."""
    return "?" if connection.dialect.name == "sqlite" else "%s"


def write_new(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]], else_: str = _STAYS) -> None:
    """Write these rows, all with the same two columns or more; those that are there already excepted.

    In few statements. With a statement for each row the driver gives up Python's lock at every row, and waits for it
    behind every busy thread, while nobody else can write to the file: seconds for what takes milliseconds. So a
    statement is filled up with its last row again, which is there already by then; PostgreSQL changes no row twice.
    """
    many = tuple(rows)
    if not many:
        return
    names, dialect = tuple(many[0]), connection.dialect
    made = [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]
    processed = [(place, process) for place, process in enumerate(made) if process is not None]
    take = itemgetter(*names)
    each = f"({', '.join((_place(connection),) * len(names))})"
    into = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES"  # names of ours
    start = 0
    while start < len(many):
        size = _size(len(many) - start, fill=else_ is _STAYS)
        values: list[Any] = []
        ready: list[Any] = []
        for row in many[start : start + size]:
            ready = [*take(row)]
            for place, process in processed:
                ready[place] = process(ready[place])
            values += ready
        values += ready * (size - len(many[start : start + size]))
        start += size
        connection.exec_driver_sql(f"{into} {', '.join((each,) * size)} {else_}", tuple(values))


def _size(left: int, *, fill: bool) -> int:
    """How many rows the next statement has: as few as hold what is left; without `fill` as many as are there."""
    if fill:
        return next((size for size in _AT_ONCE if size >= left), _AT_ONCE[-1])
    return max(size for size in _AT_ONCE if size <= left)


def written_anew(
    connection: Connection, table: Table, key: Column[str], rows: Sequence[Mapping[str, Any]]
) -> list[str]:
    """The same; the keys of those that were not there before."""
    if not rows:
        return []
    return list(connection.execute(insert_new(connection, table).returning(key), rows).scalars())


def write_records(connection: Connection, records: Sequence[Record]) -> None:
    """Write these calls. One that is there already, as after a commit whose answer was lost, is not written twice."""
    now = time.time()
    endings = {each.endings.id: each.endings.told for each in records if each.endings}
    told = ({"id": name, "told": endings[name], "used": now} for name in sorted(endings))  # in one order: no deadlock
    write_new(connection, ENDINGS, told, _OF_USE)
    write_new(connection, CALL, (each.call for each in records))
    write_new(connection, CARD, (row for each in records for row in each.cards))
    write_new(connection, WHOLE, (each.whole for each in records if each.whole))
    versions = {(row["digest"], row["software"]): row for each in records if (row := each.knowledge)}
    write_new(connection, KNOWLEDGE, versions.values())
