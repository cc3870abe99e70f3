"""Write: rows into tables, the same for SQLite and PostgreSQL. What is there already stays as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite

from cds_service.store.records import Record
from cds_service.store.tables import CALL, CARD, KNOWLEDGE, OUTCOME, WHOLE

_AT_ONCE = (256, 32, 4, 1)  # rows in one statement: few sizes, as the driver keeps each statement that it has met


def insert_new(connection: Connection, table: Table) -> Insert:
    """An INSERT that leaves alone what has the same key."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def write_new(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write these rows, all with the same columns; those that are there already excepted."""
    many: Sequence[Mapping[str, Any]] = tuple(rows)
    if len(many) > 1 and connection.dialect.name == "sqlite":
        _write_at_once(connection, table, many)
    elif many:
        connection.execute(insert_new(connection, table), many)


def _write_at_once(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """The same in few statements.

    With a statement for each row the driver gives up Python's lock at every row, and waits for it behind every busy
    thread, while nobody else can write to the file: seconds for what takes milliseconds.
    """
    names = tuple(rows[0])
    made = [table.c[name].type.dialect_impl(connection.dialect).bind_processor(connection.dialect) for name in names]
    each = f"({', '.join('?' * len(names))})"
    start = 0
    while start < len(rows):
        size = next(size for size in _AT_ONCE if size <= len(rows) - start)
        some = rows[start : start + size]
        start += size
        values = tuple(
            process(row[name]) if process else row[name]
            for row in some
            for name, process in zip(names, made, strict=True)
        )
        into = f"INSERT INTO {table.name} ({', '.join(names)})"  # names of ours
        connection.exec_driver_sql(f"{into} VALUES {', '.join([each] * len(some))} ON CONFLICT DO NOTHING", values)


def written_anew(
    connection: Connection, table: Table, key: Column[str], rows: Sequence[Mapping[str, Any]]
) -> list[str]:
    """The same; the keys of those that were not there before."""
    if not rows:
        return []
    return list(connection.execute(insert_new(connection, table).returning(key), rows).scalars())


def write_records(connection: Connection, records: Sequence[Record]) -> None:
    """Write these calls. One that is there already, as after a commit whose answer was lost, is not written twice."""
    write_new(connection, CALL, (each.call for each in records))
    write_new(connection, CARD, (row for each in records for row in each.cards))
    write_new(connection, OUTCOME, (row for each in records for row in each.outcomes))
    write_new(connection, WHOLE, (each.whole for each in records if each.whole))
    write_new(connection, KNOWLEDGE, (each.knowledge for each in records if each.knowledge))
