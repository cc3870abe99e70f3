"""Are the tables of codes, names and words sound: their shape, what stands twice, what contradicts, where it is from?

The tables are read anew, row by row, as they lie on the disk: what the service makes of them would hide a row that
stands twice. Check digits are those of SNOMED CT (Verhoeff) and LOINC (modulus 10).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cds_service.knowledge.load import HOME as KNOWLEDGE
from cds_service.knowledge.terms import Terms

HOME = KNOWLEDGE / "terminology"
RECALLED = "recalled"
BEYOND = "beyond the last column"
ROUTES = frozenset(
    {"oral", "parenteral", "intrathecal", "transdermal", "topical", "ophthalmic/otic", "inhaled/nasal"}
    | {"vaginal/rectal/intrauterine"}
)
# What names a row in each table. A table that is not listed here is a problem of its own.
NAMED_BY: Mapping[str, tuple[str, ...]] = {
    "answers": ("system", "code"),
    "combinations": ("drug",),
    "conditions": ("system", "code"),
    "drug_codes": ("system", "code"),
    "drug_names": ("name",),
    "genomics": ("system", "code"),
    "groups": ("group", "key"),
    "observations": ("system", "code"),
    "order_panels": ("key", "system", "code"),
    "orders": ("key", "system", "code"),
    "protein_changes": ("gene", "change"),
    "regimens": ("name",),
    "regions": ("gene", "first"),
    "rejected": ("system", "code", "key"),
    "roots": ("system", "code"),
    "routes": ("system", "code"),
    "sources": ("table", "kind"),
    "systems": ("alias",),
    "words": ("kind", "words"),
}
_MAY_BE_EMPTY = frozenset({"route", "status", "therapy", "instead_of", "kind", "value", "drugs"})
_MAY_BE_EMPTY |= {"system", "code", "key"}  # an order may be text alone
_MEANING = {"drug_codes": "drug", "conditions": "key", "observations": "key", "genomics": "key", "answers": "value"}

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Tables:
    """Every table, its rows as they lie on the disk."""

    rows: Mapping[str, tuple[Row, ...]]

    @classmethod
    def read(cls, home: Path = HOME) -> Tables:
        """The tables in that folder."""
        return cls({path.stem: tuple(_rows(path)) for path in sorted(home.glob("*.csv"))})

    def __iter__(self) -> Iterator[tuple[str, int, Row]]:
        for name, rows in self.rows.items():
            for number, row in enumerate(rows, start=2):
                yield name, number, row

    @property
    def recalled(self) -> int:
        """Rows that nobody held against a public source yet."""
        return sum(row.get("evidence", "").startswith(RECALLED) for _, _, row in self)


def _rows(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            beyond = row.pop(None, None)
            cells = {name: value or "" for name, value in row.items()}
            yield cells | {BEYOND: ", ".join(beyond)} if beyond else cells


def look(tables: Tables, terms: Terms) -> list[str]:
    """Everything that is wrong with the tables, each with its table and line."""
    problems = [f"terminology/{name}.csv: nobody reads it" for name in tables.rows if name not in NAMED_BY]
    problems += [f"terminology/{name}.csv: is missing" for name in NAMED_BY if name not in tables.rows]
    parts = (_twice(tables), _cells(tables), _unsourced(tables), _shapes(tables), _contradict(tables, terms))
    return [*problems, *(each for part in parts for each in part)]


def _twice(tables: Tables) -> Iterator[str]:
    seen: dict[tuple[str, ...], int] = {}
    for name, number, row in tables:
        key = (name, *(row.get(column, "").strip().lower() for column in NAMED_BY.get(name, ())))
        earlier = seen.setdefault(key, number)
        if earlier != number:
            yield f"terminology/{name}.csv, line {number}: {' '.join(key[1:])} stands in line {earlier} already"


def _cells(tables: Tables) -> Iterator[str]:
    for name, number, row in tables:
        if BEYOND in row:
            yield f"terminology/{name}.csv, line {number}: has more cells than there are columns"
        for column, value in row.items():
            if value != value.strip():
                yield f"terminology/{name}.csv, line {number}, {column}: begins or ends with a blank"
            if not value and column not in _MAY_BE_EMPTY:
                yield f"terminology/{name}.csv, line {number}, {column}: is empty"
        route = row.get("route", "")
        if route and route not in ROUTES:
            yield f"terminology/{name}.csv, line {number}, route: there is no route '{route}'"


def _unsourced(tables: Tables) -> Iterator[str]:
    """Each row says where it is from, or `sources` says it for its table, or for its kind of words."""
    told = {(row["table"], row["kind"]) for row in tables.rows.get("sources", ()) if row.get("evidence")}
    for name, rows in tables.rows.items():
        if rows and not {"evidence", "why"} & set(rows[0]):
            kinds = {row["kind"] for row in rows} if name == "words" else {""}
            for kind in sorted(kinds - {kind for table, kind in told if table == name}):
                yield f"terminology/sources.csv: says nothing of {' '.join(filter(None, (name, kind)))}"


def _shapes(tables: Tables) -> Iterator[str]:
    for name, number, row in tables:
        code = row.get("code", "")
        shape = _SHAPES.get(row.get("system", ""))
        if code and shape is not None and not shape(code) and name != "rejected":
            yield f"terminology/{name}.csv, line {number}, code: {code} is no code of {row['system']}"


def _contradict(tables: Tables, terms: Terms) -> Iterator[str]:
    """Displays that name another drug than their code, names and parts of unknown drugs, and what was rejected."""
    for number, row in enumerate(tables.rows.get("drug_codes", ()), start=2):
        coded = terms.with_parts(row["drug"].split("|"))
        named = {drug for drugs in terms.drug_names.find_all(row["display"]) for drug in drugs.split("|")}
        if named - coded:
            yield f"terminology/drug_codes.csv, line {number}: its display names {', '.join(sorted(named - coded))} too"
    coded_drugs = {drug for row in tables.rows.get("drug_codes", ()) for drug in row["drug"].split("|")}
    for number, row in enumerate(tables.rows.get("combinations", ()), start=2):
        for drug in sorted({row["drug"], *row["parts"].split("|")} - coded_drugs):
            yield f"terminology/combinations.csv, line {number}: there is no drug '{drug}'"
    proposed = {row["key"] for row in tables.rows.get("orders", ())}
    for number, row in enumerate(tables.rows.get("order_panels", ()), start=2):
        for key in sorted({*row["covers"].split("|")} - proposed):
            yield f"terminology/order_panels.csv, line {number}: there is no order '{key}'"
    meant = {
        (row["system"], row["code"], key)
        for name, column in _MEANING.items()
        for row in tables.rows.get(name, ())
        for key in row[column].split("|")
    }
    for number, row in enumerate(tables.rows.get("rejected", ()), start=2):
        if (row["system"], row["code"], row["key"]) in meant:
            yield f"terminology/rejected.csv, line {number}: {row['code']} is read as {row['key']} all the same"


def _of(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda code: compiled.fullmatch(code) is not None


def _loinc(code: str) -> bool:
    if re.fullmatch(r"LA\d+-\d", code):  # answers have a check digit of another kind
        return True
    found = re.fullmatch(r"(\d+)-(\d)", code)
    if found is None:
        return False
    doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(found[1]))]
    return (sum(value // 10 + value % 10 for value in doubled) + int(found[2])) % 10 == 0


def _dihedral(one: int, other: int) -> int:
    """The product of two elements of the symmetry group of the pentagon, on which Verhoeff's check digit rests.

    0 to 4 are turns, 5 to 9 reflections: a reflection turns what follows it the other way round.
    """
    turn = (one % 5 + (other % 5 if one < 5 else -(other % 5))) % 5
    return turn + (5 if (one < 5) != (other < 5) else 0)


_STEP = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)  # Verhoeff's permutation, applied once more at each place


def _snomed(code: str) -> bool:
    if not re.fullmatch(r"[1-9]\d{5,17}", code):
        return False
    check = 0
    for place, digit in enumerate(reversed(code)):
        value = int(digit)
        for _ in range(place % 8):
            value = _STEP[value]
        check = _dihedral(check, value)
    return check == 0


_SHAPES: Mapping[str, Callable[[str], bool]] = {
    "http://www.nlm.nih.gov/research/umls/rxnorm": _of(r"[1-9]\d{0,7}"),
    "http://www.whocc.no/atc": _of(r"[A-Z]\d\d[A-Z]{2}\d\d"),
    "http://hl7.org/fhir/sid/ndc": _of(r"\d{4,5}-\d{3,4}"),
    "http://snomed.info/sct": _snomed,
    "http://loinc.org": _loinc,
    "http://hl7.org/fhir/sid/icd-10": _of(r"[A-Z]\d\d(?:\.\d{1,2})?"),
    "http://hl7.org/fhir/sid/icd-10-cm": _of(r"[A-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?"),
    "http://www.cms.gov/Medicare/Coding/ICD10": _of(r"[0-9A-HJ-NP-Z]{7}"),
    "http://www.ama-assn.org/go/cpt": _of(r"\d{5}"),
    "http://terminology.hl7.org/CodeSystem/icd-o-3": _of(r"\d{4}(?:/\d)?"),
    "http://fhir.de/CodeSystem/bfarm/ops": _of(r"\d-\d{3}(?:\.[0-9a-z]{1,2})?"),
}
