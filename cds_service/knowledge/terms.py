"""Terms: codes, names, words and units, from the tables in `terminology/` to look-ups made once.

Codes decide; names and words help where no code does, as whole words only. System names are folded to one spelling.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from cds_service.errors import KnowledgeError
from cds_service.quantity import Quantity


class SafeLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML as of 1.2 for booleans: "on", "off", "yes" and "no" stay words."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the base class has it so
        first: [resolver for resolver in resolvers if first in "tTfF" or not resolver[0].endswith(":bool")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


Code = tuple[str, str]
VARIANT = "variant"  # the code of a Genomics Reporting variant


@dataclass(frozen=True, slots=True)
class DrugCode:
    """What a drug code stands for: its ingredients, its route, and the strength its name states."""

    ingredients: tuple[str, ...]
    route: str
    display: str
    level: str


@dataclass(frozen=True, slots=True)
class ConditionCode:
    """What a condition or procedure code stands for: our keys, and the disease status it states, if any."""

    keys: tuple[str, ...]
    status: str
    display: str


@dataclass(frozen=True, slots=True)
class OrderCode:
    """A test or service that can be proposed: a coding, or text alone."""

    key: str
    codings: tuple[tuple[str, str, str], ...]
    text: str


@dataclass(frozen=True, slots=True)
class UnitTable:
    """The units in which one kind of value is accepted, and the range in which it is plausible."""

    canonical: str
    units: Mapping[str, tuple[Decimal, Decimal]]  # as written, and folded: offset, factor
    low: Decimal
    high: Decimal

    def convert(self, value: Decimal, unit: str) -> Quantity | None:
        """The value in the canonical unit; None when the unit is not listed: units are never guessed."""
        found = self.units.get(unit.strip()) or self.units.get(_folded(unit))
        return None if found is None else Quantity((value + found[0]) * found[1], self.canonical)

    def plausible(self, quantity: Quantity) -> bool:
        """Whether a living person can have this value."""
        return self.low <= quantity.value <= self.high


class Words:
    """A table of words: finds the first entry (longest first) that stands in a text as whole words."""

    def __init__(self, entries: Iterable[tuple[str, str]]) -> None:
        self._values = {words.lower(): value for words, value in entries}
        ordered = sorted(self._values, key=len, reverse=True)
        joined = "|".join(re.escape(words) for words in ordered) or r"(?!)"
        self._pattern = re.compile(rf"(?<![\w-])(?:{joined})(?![\w-])", re.IGNORECASE)

    def find(self, text: str) -> str | None:
        """The value of the first entry in the text, None when there is none."""
        match = self._pattern.search(text)
        return self._values[match.group().lower()] if match else None

    def find_all(self, text: str) -> tuple[str, ...]:
        """The values of all entries in the text, each once, in order."""
        return tuple(dict.fromkeys(value for _, value in self.places(text)))

    def places(self, text: str) -> Iterator[tuple[int, str]]:
        """Where each entry begins in the text, and its value."""
        return ((match.start(), self._values[match.group().lower()]) for match in self._pattern.finditer(text))


@dataclass(frozen=True)
class Terms:
    """All look-ups. Keys of the code tables are (system, code) with the system in its one spelling."""

    systems: Mapping[str, str]
    drugs: Mapping[Code, DrugCode]
    drug_names: Words
    regimens: Words
    observations: Mapping[Code, str]
    genomics: Mapping[Code, tuple[str, str]]
    answers: Mapping[Code, tuple[str, str]]
    conditions: Mapping[Code, ConditionCode]
    orders: Mapping[str, OrderCode]
    units: Mapping[str, UnitTable]
    changes: Mapping[tuple[str, str], str]
    words: Mapping[str, Words]
    groups: Mapping[str, frozenset[str]]  # keys of conditions and procedures that tell the same

    def system(self, name: str | None) -> str:
        """The one spelling of a code system's name."""
        plain = (name or "").strip().rstrip("/").replace("https://", "http://")
        return self.systems.get(plain, plain)

    def codes(self, key: str) -> tuple[str, ...]:
        """The LOINC codes under which an observation of that key is read."""
        return tuple(code for (system, code), found in self.observations.items() if found == key and "loinc" in system)

    def test_codes(self, *keys: str) -> tuple[str, ...]:
        """The LOINC codes of the genomic tests and variant reports of those genes or markers."""
        return tuple(
            code
            for (system, code), (key, category) in self.genomics.items()
            if "loinc" in system and key in keys and (category == "test" or key == VARIANT)
        )

    def condition(self, system: str, code: str) -> ConditionCode | None:
        """What a code stands for; an ICD-10 code not listed stands for its nearest listed parent."""
        found = self.conditions.get((system, code))
        if found is not None or "icd-10" not in system:
            return found
        parent = code
        while len(parent) > 3:
            parent = parent[:-1].rstrip(".")
            if found := self.conditions.get((system, parent)):
                return found
        return None

    @classmethod
    def load(cls, home: Path) -> Terms:
        """The terms in the tables below `home`. Raises KnowledgeError naming file and row."""
        systems = {row["alias"].rstrip("/"): row["system"] for row in _rows(home / "systems.csv")}
        words = list(_rows(home / "words.csv"))
        kinds = {row["kind"] for row in words}
        conditions = _conditions(home / "conditions.csv")
        return cls(
            systems=systems,
            drugs=_drugs(home / "drug_codes.csv"),
            drug_names=Words((row["name"], row["drug"]) for row in _rows(home / "drug_names.csv")),
            regimens=Words((row["name"], row["drugs"]) for row in _rows(home / "regimens.csv")),
            observations={(row["system"], row["code"]): row["key"] for row in _rows(home / "observations.csv")},
            genomics={
                (row["system"], row["code"]): (row["key"], row["category"]) for row in _rows(home / "genomics.csv")
            },
            answers={(row["system"], row["code"]): (row["key"], row["value"]) for row in _rows(home / "answers.csv")},
            conditions=conditions,
            orders=_orders(home / "orders.csv"),
            units=_units(home / "units.yaml"),
            changes={
                (row["gene"], row["change"].lower()): row["marker"] for row in _rows(home / "protein_changes.csv")
            },
            words={kind: Words((r["words"], r["value"]) for r in words if r["kind"] == kind) for kind in kinds},
            groups=_groups(home / "groups.csv", {r["value"] for r in words if r["kind"] == "condition"}, conditions),
        )


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)
    except OSError:
        raise KnowledgeError(f"{path.name}: cannot be read; is the installation complete?") from None


def _drugs(path: Path) -> dict[Code, DrugCode]:
    return {
        (row["system"], row["code"]): DrugCode(
            tuple(row["drug"].split("|")), row["route"], row["display"], row["level"]
        )
        for row in _rows(path)
    }


def _conditions(path: Path) -> dict[Code, ConditionCode]:
    return {
        (row["system"], row["code"]): ConditionCode(tuple(row["key"].split("|")), row["status"], row["display"])
        for row in _rows(path)
    }


def _groups(path: Path, told: set[str], coded: Mapping[Code, ConditionCode]) -> dict[str, frozenset[str]]:
    """Which keys belong together; each must be one that a code or words can stand for."""
    known = told.union(*(found.keys for found in coded.values()))
    found: dict[str, frozenset[str]] = {}
    for row in _rows(path):
        if row["key"] not in known:
            raise KnowledgeError(f"{path.name}, {row['group']}: no code and no words stand for '{row['key']}'")
        found[row["group"]] = found.get(row["group"], frozenset()) | {row["key"]}
    return found


def _orders(path: Path) -> dict[str, OrderCode]:
    found: dict[str, OrderCode] = {}
    for row in _rows(path):
        earlier = found.get(row["key"])
        codings = earlier.codings if earlier else ()
        if row["code"]:
            codings = (*codings, (row["system"], row["code"], row["display"]))
        found[row["key"]] = OrderCode(row["key"], codings, earlier.text if earlier else row["display"])
    return found


def _folded(unit: str) -> str:
    return "".join(unit.split()).lower()


def _units(path: Path) -> dict[str, UnitTable]:
    try:
        content: Mapping[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=SafeLoader)  # noqa: S506
        return {key: _unit_table(fields) for key, fields in content.items()}
    except (OSError, KeyError, TypeError, ArithmeticError, yaml.YAMLError) as fault:
        raise KnowledgeError(f"{path.name}: {fault}") from None


def _unit_table(fields: Mapping[str, Any]) -> UnitTable:
    exact = {
        unit: (Decimal(entry.get("offset", "0")), Decimal(entry["factor"])) for unit, entry in fields["units"].items()
    }
    folded: dict[str, set[tuple[Decimal, Decimal]]] = {}
    for unit, conversion in exact.items():
        folded.setdefault(_folded(unit), set()).add(conversion)
    unambiguous = {unit: next(iter(found)) for unit, found in folded.items() if len(found) == 1}
    plausible = fields["plausible"]
    return UnitTable(fields["canonical"], unambiguous | exact, Decimal(plausible["min"]), Decimal(plausible["max"]))
