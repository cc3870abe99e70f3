"""A hospital's own codes: read from its overlay, held against our tables, and joined to them.

Each says what it stands for, how that is known, who looked, and when. A code that our tables hold already is never read
as something else.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from cds_service.knowledge.codes import LOCAL, ConditionCode, DrugCode
from cds_service.knowledge.slips import near, wrong
from cds_service.knowledge.terms import Terms

KINDS = ("observation", "answer", "drug", "route", "condition", "procedure", "genomics")
_NEEDED = ("system", "code", "key", "kind", "evidence")
_FURTHER = ("display", "value", "route", "status", "owner", "checked")
_BELONGS = {"value": ("answer",), "route": ("drug",), "status": ("condition",)}  # of which kind a cell tells something


@dataclass(frozen=True, slots=True)
class LocalCode:
    """A code of the hospital's own: what it stands for, how that is known, who looked, and when."""

    place: str
    system: str
    code: str
    key: str
    kind: str
    display: str
    evidence: str
    owner: str
    checked: date
    value: str = ""  # of an answer: what it answers
    route: str = ""  # of a drug
    status: str = ""  # of a condition: where the disease stands

    @property
    def words(self) -> str:
        """The whole of it, in one line."""
        shown = f" ({self.display})" if self.display else ""
        more = ", ".join(filter(None, (self.value, self.route, self.status)))
        read_as = f"{self.key}: {more}" if more else self.key
        whose = f"{self.evidence}; {self.owner}, {self.checked}"
        return f"{self.system}|{self.code}{shown} is read as {read_as} ({self.kind}): {whose}"


def read_codes(path: Path, owner: str, effective: date) -> Iterator[LocalCode]:
    """The rows of codes.csv; whose they are, and when they were looked at, where a row does not say."""
    if not path.is_file():
        return
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            columns = tuple(reader.fieldnames or ())
            if not set(_NEEDED) <= set(columns) or not set(columns) <= {*_NEEDED, *_FURTHER}:
                expected = f"{', '.join(_NEEDED)}, and perhaps {', '.join(_FURTHER)}"
                raise wrong(path.name, f"expected the columns {expected}, found {columns}")
            rows = list(reader)
    except (OSError, ValueError, csv.Error):
        raise wrong(path.name, "cannot be read as CSV in UTF-8") from None
    seen: dict[tuple[str, str, str], str] = {}
    for number, row in enumerate(rows, start=2):
        found = _code(f"{path.name}, line {number}", row, owner, effective)
        earlier = seen.setdefault((found.system, found.code, found.kind), found.place)
        if earlier != found.place:
            raise wrong(f"{found.place}, code", f"{found.system}|{found.code} stands in {earlier} already")
        yield found


def _code(place: str, row: Mapping[Any, Any], owner: str, effective: date) -> LocalCode:
    fields = {name: value.strip() if isinstance(value, str) else "" for name, value in row.items() if name is not None}
    for name in _NEEDED:
        if not fields.get(name):
            hint = ": how it is known what the code stands for" if name == "evidence" else ""
            raise wrong(f"{place}, {name}", f"is missing{hint}")
    if None in row:
        raise wrong(place, "has more cells than there are columns")
    kind = fields["kind"]
    if kind not in KINDS:
        raise wrong(f"{place}, kind", f"expected one of {', '.join(KINDS)}, found '{kind}'{near(kind, KINDS)}")
    if ":" not in fields["system"] or any(letter in fields["system"] + fields["code"] for letter in " ,|&"):
        raise wrong(f"{place}, system", "expected a URI such as urn:oid:1.2.3, and a code without space, comma or bar")
    for name, kinds in _BELONGS.items():
        if fields.get(name) and kind not in kinds:
            raise wrong(f"{place}, {name}", f"tells nothing of kind {kind}; it is for {' and '.join(kinds)}")
    return LocalCode(
        place,
        fields["system"],
        fields["code"],
        fields["key"],
        kind,
        fields.get("display", ""),
        fields["evidence"],
        fields.get("owner") or owner,
        _day(place, fields.get("checked", "")) or effective,
        *(fields.get(name, "") for name in _BELONGS),
    )


def _day(place: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise wrong(f"{place}, checked", f"expected a date, YYYY-MM-DD, found '{text}'") from None


def with_codes(terms: Terms, local: Iterable[LocalCode]) -> Terms:
    """The terms with the hospital's codes. Raises KnowledgeError."""
    drugs, conditions, routes = dict(terms.drugs), dict(terms.conditions), dict(terms.routes)
    observations, genomics, answers = dict(terms.observations), dict(terms.genomics), dict(terms.answers)
    for each in local:
        code = (terms.system(each.system), each.code)
        match each.kind:
            case "drug":
                found = _drug(each, terms)
                _same(each, found.ingredients, drugs[code].ingredients if code in drugs else None)
                drugs.setdefault(code, found)
            case "route":
                _known(each, each.key, set(terms.routes.values()))
                _same(each, each.key, routes.setdefault(code, each.key))
            case "observation":
                _known(each, each.key, set(terms.observations.values()))
                _same(each, each.key, observations.setdefault(code, each.key))
            case "answer":
                _same(each, _answer(each, terms), answers.setdefault(code, (each.key, each.value)))
            case "genomics":
                _known(each, each.key, {key for key, category in terms.genomics.values() if category == "test"})
                _same(each, each.key, genomics.setdefault(code, (each.key, "test"))[0])
            case _:  # condition and procedure: there are no other kinds
                condition = _condition(each, terms)
                _same(each, condition.keys, conditions.setdefault(code, condition).keys)
    return replace(
        terms,
        drugs=drugs,
        routes=routes,
        observations=observations,
        answers=answers,
        conditions=conditions,
        genomics=genomics,
    )


def _drug(each: LocalCode, terms: Terms) -> DrugCode:
    """A drug by all of its ingredients, with bars between them."""
    ingredients = tuple(each.key.split("|"))
    for name in ingredients:
        _known(each, name, terms.known_drugs)
    if each.route:
        _known(each, each.route, set(terms.routes.values()), "route")
    return DrugCode(ingredients, each.route, each.display or each.key, LOCAL)


def _condition(each: LocalCode, terms: Terms) -> ConditionCode:
    keys = tuple(each.key.split("|"))
    for key in keys:
        _known(each, key, {key for condition in terms.conditions.values() for key in condition.keys})
    if each.status:
        _known(each, each.status, {found.status for found in terms.conditions.values() if found.status}, "status")
    return ConditionCode(keys, each.status, each.display or each.key)


def _answer(each: LocalCode, terms: Terms) -> tuple[str, str]:
    _known(each, each.key, {key for key, _ in terms.answers.values()})
    _known(each, each.value, {value for key, value in terms.answers.values() if key == each.key}, "value")
    return each.key, each.value


def _known(code: LocalCode, name: str, names: Iterable[str], column: str = "key") -> None:
    known = set(names)
    if name not in known:
        what = code.kind if column == "key" else column
        raise wrong(f"{code.place}, {column}", f"there is no {what} '{name}'{near(name, known)}")


def _same(code: LocalCode, meant: object, read: object) -> None:
    """A code that is read already may be listed again, but not as something else."""
    if read is not None and read != meant:
        told = " + ".join(read) if isinstance(read, tuple) else read
        raise wrong(f"{code.place}, code", f"{code.system}|{code.code} is read as '{told}' already")
