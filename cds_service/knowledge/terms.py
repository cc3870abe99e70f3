"""Terms: codes, names, words and units, from the tables in `terminology/` to look-ups made once.

Codes decide; names and words help where no code does, as whole words only. System names are folded to one spelling,
and so are words with and without their accents: "Vénétoclax" is venetoclax.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import yaml

from cds_service.errors import KnowledgeError
from cds_service.kept import Kept, by_digest, is_short
from cds_service.knowledge import spelling
from cds_service.knowledge.spelling import Systems, plain
from cds_service.quantity import Quantity

_LONGEST_ICD = 16  # characters; the codes in use have up to 8
_TEXTS = 500  # whose words a table remembers; what is made of a whole concept is kept by those who read it


class SafeLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML as of 1.2 for booleans: "on", "off", "yes" and "no" stay words."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the base class has it so
        first: [resolver for resolver in resolvers if first in "tTfF" or not resolver[0].endswith(":bool")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


Code = tuple[str, str]
VARIANT = "variant"  # the code of a Genomics Reporting variant
_ATC_GROUPS = (3, 4, 5)  # characters of a group; the codes of drugs have seven
LOCAL, SERVER = "local", "terminology server"  # levels of codes that our own tables do not hold


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
    level: str = ""  # where it is told, when not in our own tables


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
    step: Decimal | None = None  # to which a value is rounded that a molar mass converted

    @property
    def is_score(self) -> bool:
        """Whether it is counted in whole steps of a scale, which have no unit."""
        return self.canonical == "{score}"

    def convert(self, value: Decimal, unit: str) -> Quantity | None:
        """The value in the canonical unit; None when the unit is not listed: units are never guessed.

        What a molar mass converts is rounded to the step of its kind: 1.7 mg/dL of magnesium are 0.70 mmol/L.
        """
        found = self.units.get(unit.strip())
        if found is None:
            folded = _folded(unit)
            found = self.units.get(folded)
            if found is not None:  # any other may be somebody's words
                _FOLDED.keep(unit, folded, unit)
        if found is None and "{" in unit:
            found = self.units.get(_folded(_ANNOTATION.sub("", unit)))
        if found is None:
            return None
        offset, factor = found
        converted = (value + offset) * factor
        return Quantity(self._stepped(converted) if self.rounds(factor) else converted, self.canonical)

    def rounds(self, factor: Decimal) -> bool:
        """Whether a value so converted is rounded: a factor between units of one kind has one decimal at most."""
        return self.step is not None and int(factor.as_tuple().exponent) < -1

    def _stepped(self, value: Decimal) -> Decimal:
        assert self.step is not None
        try:
            return value.quantize(self.step, ROUND_HALF_UP)
        except InvalidOperation:  # more digits than arithmetic keeps: no possible value, and left as it is
            return value

    def plausible(self, quantity: Quantity) -> bool:
        """Whether a living person can have this value."""
        return self.low <= quantity.value <= self.high


Span = tuple[int, int, str]  # where an entry begins and ends in a text, and its value


# Where an entry may begin and end: a hyphen makes it part of a longer word.
_BEGIN, _END = r"(?<![\w-])", r"(?:(?<=')|(?![\w-]))"  # "suspicion d'" ends where its noun begins
# The name of a drug is that drug in "lopinavir-ritonavir", "voriconazole-IV" and "gilteritinib-induced" too, not in
# "anti-" anything, and not where the words are that there is none of it. Catalogues write "VORICONAZOLE_200MG_TAB".
_BEGIN_OF_NAME = r"(?:(?<![^\W_])(?<!-)|(?<=\w{5}-))"
_WITHOUT = r"-(?:free|like|na[iï]ve|sparing|placebo|resistan\w+|refractory|sensitive|specific|levels?)\b"
_END_OF_NAME = rf"(?![^\W\d_]|(?<=\d)\d|{_WITHOUT})"


class Words:
    """A table of words: finds the first entry (longest first) that stands in a text as whole words.

    What stands in a short text is kept, and not the text: records use the same words all day.
    """

    def __init__(self, entries: Iterable[tuple[str, str]], begin: str = _BEGIN, end: str = _END) -> None:
        self._values = {plain(words): value for words, value in entries}
        self._pattern = re.compile(f"{begin}{spelling.any_of(self._values)}{end}")  # of a plain text
        self._spans: Kept[bytes, tuple[Span, ...]] = Kept(_TEXTS)
        self._told: Kept[bytes, tuple[str, ...]] = Kept(_TEXTS)

    @property
    def values(self) -> frozenset[str]:
        """Everything that the entries stand for."""
        return frozenset(self._values.values())

    def find(self, text: str) -> str | None:
        """The value of the first entry in the text, None when there is none."""
        if not is_short(text):
            return next((value for _, _, value in self._search(text)), None)
        found = self.spans(text)
        return found[0][2] if found else None

    def without(self, text: str) -> str:
        """The text in small letters and without accents, and without every entry that stands in it."""
        return self._pattern.sub(" ", plain(text))

    def holds(self, word: str) -> bool:
        """Whether the word is an entry by itself."""
        return plain(word) in self._values

    def find_all(self, text: str) -> tuple[str, ...]:
        """The values of all entries in the text, each once, in order."""
        known = by_digest(text)
        told = self._told.get(known)
        if told is None:
            told = self._told.keep(known, tuple(dict.fromkeys(value for _, _, value in self._search(text))), text)
        return told

    def places(self, text: str) -> Iterator[tuple[int, str]]:
        """Where each entry begins in the text, and its value."""
        return ((start, value) for start, _, value in self.spans(text))

    def spans(self, text: str) -> tuple[Span, ...]:
        """Where each entry begins and ends in the text, and its value."""
        known = by_digest(text)
        found = self._spans.get(known)
        if found is None:
            found = self._spans.keep(known, tuple(self._search(text)), text)
        return found

    def _search(self, text: str) -> Iterator[Span]:
        return ((m.start(), m.end(), self._values[m.group()]) for m in self._pattern.finditer(plain(text)))

    @property
    def entries(self) -> frozenset[str]:
        """Every entry, in small letters and without accents."""
        return frozenset(self._values)


class Elsewhere(Protocol):
    """What a terminology server is known to say of codes that our tables do not hold. Asking it never waits."""

    def drug(self, system: str, code: str) -> DrugCode | None:
        """What it said of a drug's code earlier; None where it said nothing, or was not asked yet."""

    def condition(self, system: str, code: str) -> ConditionCode | None:
        """The same for the code of a condition or procedure."""

    def chart_was_read(self) -> None:
        """One patient's codes have been looked up."""


@dataclass(frozen=True)
class Terms:
    """All look-ups. Keys of the code tables are (system, code) with the system in its one spelling."""

    systems: Systems
    drugs: Mapping[Code, DrugCode]
    combined: Mapping[str, frozenset[str]]  # of a drug that is a fixed combination here, the names of its parts
    routes: Mapping[Code, str]
    drug_names: Words
    regimens: Words
    observations: Mapping[Code, str]
    genomics: Mapping[Code, tuple[str, str]]
    answers: Mapping[Code, tuple[str, str]]
    conditions: Mapping[Code, ConditionCode]
    roots: Mapping[str, str]  # SNOMED CT codes whose descendants count too, and the one that each replaces
    orders: Mapping[str, OrderCode]
    units: Mapping[str, UnitTable]
    changes: Mapping[tuple[str, str], str]
    words: Mapping[str, Words]
    groups: Mapping[str, frozenset[str]]  # keys of conditions and procedures that tell the same
    elsewhere: Elsewhere | None = None

    @cached_property
    def standard_systems(self) -> frozenset[str]:
        """The code systems that are everybody's, not one site's."""
        return frozenset(self.systems.known.values())

    def system(self, name: str | None) -> str:
        """The one spelling of a code system's name."""
        return self.systems.spelled(name)

    def spoken_system(self, system: str) -> str:
        """A code system as one speaks of it."""
        return spelling.SPOKEN.get(system, system)

    def drug(self, system: str, code: str) -> DrugCode | None:
        """What a drug's code stands for, in our tables or, where they do not hold it, by a terminology server."""
        found = self.listed_drug(system, code)
        return self.elsewhere.drug(system, code) if found is None and self.elsewhere else found

    def listed_drug(self, system: str, code: str) -> DrugCode | None:
        """What our tables hold for a drug's code."""
        found = self.drugs.get((system, code))
        if found is None:
            others = (self.drugs.get((system, other)) for other in spelling.drug_codes(system, code))
            found = next(filter(None, others), None)
        return found

    def holds_every_drug_of(self, system: str) -> bool:
        """Whether our tables hold each drug of ours under that system, so that a code they do not hold is another's."""
        return system in spelling.HELD_WHOLE

    def drugs_elsewhere(self, codes: Iterable[Code]) -> dict[Code, DrugCode]:
        """What a terminology server says of drugs' codes that our tables do not hold; nothing without one."""
        told = ((code, self.elsewhere.drug(*code)) for code in codes) if self.elsewhere else ()
        return {code: found for code, found in told if found is not None}

    def is_atc(self, system: str) -> bool:
        """Whether the code system is that of ATC, whose codes are groups too."""
        return system == spelling.ATC

    def drugs_of_group(self, group: str) -> frozenset[str]:
        """The drugs of an ATC group, and the fixed combinations with one of them in it; none where it is no group."""
        members = self._groups_of_drugs.get(group.upper(), frozenset())
        return members.union(whole for whole, parts in self.combined.items() if members & parts)

    @cached_property
    def _groups_of_drugs(self) -> dict[str, frozenset[str]]:
        """The drugs of each ATC group, from the therapeutic one down, by the codes of single drugs."""
        found: dict[str, set[str]] = {}
        for (system, code), told in self.drugs.items():
            if system == spelling.ATC and len(told.ingredients) == 1:
                for length in _ATC_GROUPS:
                    found.setdefault(code[:length], set()).update(told.ingredients)
        return {group: frozenset(drugs) for group, drugs in found.items()}

    @property
    def known_drugs(self) -> frozenset[str]:
        """Every drug that has a code or a name here."""
        named = {drug for drugs in self.drug_names.values for drug in drugs.split("|")}
        return frozenset(named.union(*(each.ingredients for each in self.drugs.values())))

    def with_parts(self, drugs: Iterable[str]) -> frozenset[str]:
        """These drugs, and the parts of those that are fixed combinations."""
        every = frozenset(drugs)
        return every.union(*(self.combined[drug] for drug in every if drug in self.combined))

    @cached_property
    def gene_names(self) -> frozenset[str]:
        """Every name of a gene, old ones too, in lower case."""
        current = (key.lower() for key, category in self.genomics.values() if category == "gene")
        return frozenset(current) | self.words["gene"].entries

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

    def listed_condition(self, system: str, code: str) -> ConditionCode | None:
        """What our tables hold for a code; an ICD-10 code not listed stands for its nearest listed parent."""
        found = self.conditions.get((system, code)) or self.conditions.get((system, code.upper()))
        return self._by_parents(system, spelling.icd(code)) if found is None and "icd-10" in system else found

    def conditions_elsewhere(self, codes: Iterable[Code]) -> dict[Code, ConditionCode]:
        """What a terminology server says of codes of conditions that our tables do not hold; nothing without one."""
        told = ((code, self.elsewhere.condition(*code)) for code in codes) if self.elsewhere else ()
        return {code: found for code, found in told if found is not None}

    def chart_was_read(self) -> None:
        """One patient's codes have been looked up: who notes those that our tables do not hold may tell of them."""
        if self.elsewhere:
            self.elsewhere.chart_was_read()

    def kept(self, kind: str) -> Kept[Any, Any]:
        """What readers found out with these terms about wordings and codes of that kind."""
        found = self._kept.get(kind)
        return self._kept.setdefault(kind, Kept()) if found is None else found

    @cached_property
    def _kept(self) -> dict[str, Kept[Any, Any]]:
        return {}

    def _by_parents(self, system: str, code: str) -> ConditionCode | None:
        if len(code) > _LONGEST_ICD:  # no code: each of its letters would cost a copy of it
            return None
        while len(code) >= 3:
            if found := self.conditions.get((system, code)):
                return found
            code = code[:-1].rstrip(".")
        return None

    @classmethod
    def load(cls, home: Path) -> Terms:
        """The terms in the tables below `home`. Raises KnowledgeError naming file and row."""
        words = _words(home / "words.csv")
        drugs, conditions = _drugs(home / "drug_codes.csv"), _conditions(home / "conditions.csv")
        routes = {(row["system"], row["code"]): row["route"] for row in _rows(home / "routes.csv")}
        observations = {(row["system"], row["code"]): row["key"] for row in _rows(home / "observations.csv")}
        genomics = {(row["system"], row["code"]): (row["key"], row["category"]) for row in _rows(home / "genomics.csv")}
        answers = {(row["system"], row["code"]): (row["key"], row["value"]) for row in _rows(home / "answers.csv")}
        used = {system for table in (drugs, conditions, routes, observations, genomics, answers) for system, _ in table}
        aliases = [(row["alias"], row["system"]) for row in _rows(home / "systems.csv")]
        return cls(
            systems=Systems.of((*((system, system) for system in sorted(used)), *aliases)),
            drugs=drugs,
            combined={row["drug"]: frozenset(row["parts"].split("|")) for row in _rows(home / "combinations.csv")},
            routes=routes,
            drug_names=Words(
                ((row["name"], row["drug"]) for row in _rows(home / "drug_names.csv")), _BEGIN_OF_NAME, _END_OF_NAME
            ),
            regimens=Words((row["name"], row["drugs"]) for row in _rows(home / "regimens.csv")),
            observations=observations,
            genomics=genomics,
            answers=answers,
            conditions=conditions,
            roots={row["code"]: row["instead_of"] for row in _rows(home / "roots.csv")},
            orders=_orders(home / "orders.csv"),
            units=_units(home / "units.yaml"),
            changes={
                (row["gene"], row["change"].lower()): row["marker"] for row in _rows(home / "protein_changes.csv")
            },
            words=words,
            groups=_groups(home / "groups.csv", words["condition"].values, conditions),
        )


class _Row(dict[str, str]):
    """A row that knows where it stands, so that a column that is not there is told with its file."""

    __slots__ = ("place",)

    def __init__(self, fields: Iterable[tuple[str, str]], place: str) -> None:
        super().__init__(fields)
        self.place = place

    def __missing__(self, column: str) -> str:
        raise KnowledgeError(f"{self.place}: there is no column '{column}'; its names stand in the first line")


def _rows(path: Path) -> Iterator[_Row]:
    """Each row by the names of its columns. Texts that are alike are one: most columns say few things."""
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
        yield _Row(zip(names, map(said.setdefault, fields, fields), strict=True), f"{name}, line {number}")


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


def _words(path: Path) -> dict[str, Words]:
    """The tables of words, by their kind."""
    entries: dict[str, list[tuple[str, str]]] = {}
    for row in _rows(path):
        entries.setdefault(row["kind"], []).append((row["words"], row["value"]))
    return {kind: Words(every) for kind, every in entries.items()}


def _groups(path: Path, told: frozenset[str], coded: Mapping[Code, ConditionCode]) -> dict[str, frozenset[str]]:
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


# What stands in braces in UCUM says what is counted and changes no value. With a digit in it, as {1.73_m2}, it does.
_ANNOTATION = re.compile(r"\{[^{}\d]*\}")
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_SIGNS = str.maketrans({"µ": "u", "μ": "u", "×": "x", "²": "2", "³": "3"})
_POWER_OF_TEN = re.compile(r"^x?10(?:\*\*?|\^|e|\((?=\d+\)))(\d+)\)?(?=[/{])")


_FOLDED: Kept[str, str] = Kept()


def _folded(unit: str) -> str:
    """The unit without case, spaces and ways of writing: µ is u, ×10⁹, x10^9 and 10e9 are 10*9."""
    found = _FOLDED.get(unit)
    if found is None:
        plain = re.sub("10([⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda power: "10*" + power[1].translate(_RAISED), "".join(unit.split()))
        found = _POWER_OF_TEN.sub(r"10*\1", plain.translate(_SIGNS).lower())
    return found


def _units(path: Path) -> dict[str, UnitTable]:
    try:
        content: Mapping[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=SafeLoader)  # noqa: S506
        return {key: _unit_table(fields) for key, fields in content.items()}
    except (OSError, AttributeError, KeyError, TypeError, ValueError, ArithmeticError, yaml.YAMLError) as fault:
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
    step = Decimal(fields["step"]) if "step" in fields else None
    low, high = Decimal(plausible["min"]), Decimal(plausible["max"])
    return UnitTable(fields["canonical"], unambiguous | exact, low, high, step)
