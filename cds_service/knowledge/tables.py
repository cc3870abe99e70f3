"""Tables: the CSV files of `terminology/`, read. Whatever is odd is named with its file and line."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from cds_service.errors import KnowledgeError
from cds_service.knowledge.codes import Code, ConditionCode, DrugCode, OrderCode, OrderPanel
from cds_service.knowledge.words import END, END_OF_COURSE, Words


class Row(dict[str, str]):
    """A row that knows where it stands, so that a column that is not there is told with its file."""

    __slots__ = ("place",)

    def __init__(self, fields: Iterable[tuple[str, str]], place: str) -> None:
        super().__init__(fields)
        self.place = place

    def __missing__(self, column: str) -> str:
        raise KnowledgeError(f"{self.place}: there is no column '{column}'; its names stand in the first line")


def read_rows(path: Path) -> Iterator[Row]:
    """Each row by the names of its columns. Texts that are alike are one: most columns say few things.

    Raises KnowledgeError.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            names, *rows = [fields for fields in csv.reader(file) if fields] or [[]]
    except OSError:
        raise KnowledgeError(f"{path.name}: cannot be read; is the installation complete?") from None
    except (ValueError, csv.Error):
        raise KnowledgeError(f"{path.name}: cannot be read as CSV in UTF-8") from None
    said: dict[str, str] = {}
    name = path.name  # once: there are thousands of rows
    for number, fields in enumerate(rows, start=2):
        if len(fields) != len(names):
            raise KnowledgeError(f"{name}, line {number}: has more or fewer columns than the first line")
        yield Row(zip(names, map(said.setdefault, fields, fields), strict=True), f"{name}, line {number}")


def read_drugs(path: Path) -> dict[Code, DrugCode]:
    """What each code of a drug stands for. Raises KnowledgeError."""
    return {
        (row["system"], row["code"]): DrugCode(
            tuple(row["drug"].split("|")), row["route"], row["display"], row["level"]
        )
        for row in read_rows(path)
    }


def read_conditions(path: Path) -> dict[Code, ConditionCode]:
    """What each code of a condition or procedure stands for. Raises KnowledgeError."""
    return {
        (row["system"], row["code"]): ConditionCode(tuple(row["key"].split("|")), row["status"], row["display"])
        for row in read_rows(path)
    }


def read_regions(path: Path) -> dict[str, range]:
    """The codons in which the duplications of a marker lie. Raises KnowledgeError."""
    try:
        return {row["marker"]: range(int(row["first"]), int(row["last"]) + 1) for row in read_rows(path)}
    except ValueError:
        raise KnowledgeError(f"{path.name}: the first and the last codon of a region are whole numbers") from None


_OF_COURSES = ("course", "high_dose")


def read_words(path: Path) -> dict[str, Words]:
    """The tables of words, by their kind. Raises KnowledgeError."""
    entries: dict[str, list[tuple[str, str]]] = {}
    for row in read_rows(path):
        entries.setdefault(row["kind"], []).append((row["words"], row["value"]))
    return {kind: Words(every, end=END_OF_COURSE if kind in _OF_COURSES else END) for kind, every in entries.items()}


def read_groups(path: Path, told: frozenset[str], coded: Mapping[Code, ConditionCode]) -> dict[str, frozenset[str]]:
    """Which keys belong together; each must be one that a code or words can stand for. Raises KnowledgeError."""
    known = told.union(*(found.keys for found in coded.values()))
    found: dict[str, frozenset[str]] = {}
    for row in read_rows(path):
        if row["key"] not in known:
            raise KnowledgeError(f"{path.name}, {row['group']}: no code and no words stand for '{row['key']}'")
        found[row["group"]] = found.get(row["group"], frozenset()) | {row["key"]}
    return found


def read_orders(path: Path) -> dict[str, OrderCode]:
    """The tests and services that can be proposed, by their key. Raises KnowledgeError."""
    found: dict[str, OrderCode] = {}
    for row in read_rows(path):
        earlier = found.get(row["key"])
        codings = earlier.codings if earlier else ()
        if row["code"]:
            codings = (*codings, (row["system"], row["code"], row["display"]))
        found[row["key"]] = OrderCode(row["key"], codings, earlier.text if earlier else row["display"])
    return found


def read_order_panels(path: Path, words: frozenset[str]) -> tuple[OrderPanel, ...]:
    """The panels whose order is one of each test in them; each has a code or words. Raises KnowledgeError."""
    found = []
    for row in read_rows(path):
        code = (row["system"], row["code"]) if row["code"] else None
        if code is None and row["key"] not in words:
            raise KnowledgeError(f"{path.name}: no code and no words stand for '{row['key']}'")
        found.append(OrderPanel(row["key"], code, frozenset(row["covers"].split("|"))))
    return tuple(found)
