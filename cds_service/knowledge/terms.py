"""Terms: codes, names, words and units, from the tables in `terminology/` to look-ups made once.

Codes decide; names and words help where no code does, as whole words only. System names are folded to one spelling,
and so are words with and without their accents: "Vénétoclax" is venetoclax.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from cds_service.kept import Kept
from cds_service.knowledge import spelling
from cds_service.knowledge.codes import VARIANT, Code, ConditionCode, DrugCode, OrderCode, OrderPanel
from cds_service.knowledge.spelling import Systems
from cds_service.knowledge.tables import (
    read_conditions,
    read_drugs,
    read_groups,
    read_order_panels,
    read_orders,
    read_regions,
    read_rows,
    read_words,
)
from cds_service.knowledge.units import UnitTable, read_units
from cds_service.knowledge.words import END_OF_COURSE, Words

_LONGEST_ICD = 16  # characters; the codes in use have up to 8
_ATC_GROUPS = (3, 4, 5)  # characters of a group; the codes of drugs have seven
_PREFIXES = ("suba", "apo", "teva", "pms", "novo", "jamp", "auro", "riva")  # of makers and forms, before a hyphen
# The name of a drug is that drug in "lopinavir-ritonavir", "voriconazole-IV" and "gilteritinib-induced" too, not in
# "anti-" anything, and not where the words are that there is none of it. Catalogues write "VORICONAZOLE_200MG_TAB".
_MADE_BY = "|".join(rf"(?<=\b{prefix}-)" for prefix in _PREFIXES)
_BEGIN_OF_NAME = rf"(?:(?<![^\W_{spelling.WITHOUT_SPACES}])(?<!-)|(?<=\w{{5}}-)|{_MADE_BY})"
_WITHOUT = r"-(?:free|like|na[iï]ve|sparing|placebo|resistan\w+|refractory|sensitive|specific|levels?)\b"
_END_OF_NAME = rf"(?![^\W\d_{spelling.WITHOUT_SPACES}]|(?<=\d)\d|{_WITHOUT})"


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
    panels: tuple[OrderPanel, ...]  # orders of several tests at once
    units: Mapping[str, UnitTable]
    changes: Mapping[tuple[str, str], str]
    regions: Mapping[str, range]  # of a marker, the codons in which its duplications lie
    words: Mapping[str, Words]
    groups: Mapping[str, frozenset[str]]  # keys of conditions and procedures that tell the same
    elsewhere: Elsewhere | None = None

    @cached_property
    def standard_systems(self) -> frozenset[str]:
        """The code systems that are everybody's, not one site's."""
        return frozenset(self.systems.known.values())

    @cached_property
    def regimen_drugs(self) -> frozenset[str]:
        """Every drug of the regimens that have names."""
        choices = (choice for drugs in self.regimens.values for choice in drugs.split("|"))
        return frozenset(drug for choice in choices for drug in choice.split("/") if drug)

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
        if system == spelling.ICD_O:
            return self.conditions.get((system, spelling.morphology(code)))
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
        words = read_words(home / "words.csv")
        drugs, conditions = read_drugs(home / "drug_codes.csv"), read_conditions(home / "conditions.csv")
        routes = {(row["system"], row["code"]): row["route"] for row in read_rows(home / "routes.csv")}
        observations = {(row["system"], row["code"]): row["key"] for row in read_rows(home / "observations.csv")}
        genomics = {
            (row["system"], row["code"]): (row["key"], row["category"]) for row in read_rows(home / "genomics.csv")
        }
        answers = {(row["system"], row["code"]): (row["key"], row["value"]) for row in read_rows(home / "answers.csv")}
        used = {system for table in (drugs, conditions, routes, observations, genomics, answers) for system, _ in table}
        aliases = [(row["alias"], row["system"]) for row in read_rows(home / "systems.csv")]
        return cls(
            systems=Systems.of((*((system, system) for system in sorted(used)), *aliases)),
            drugs=drugs,
            combined={row["drug"]: frozenset(row["parts"].split("|")) for row in read_rows(home / "combinations.csv")},
            routes=routes,
            drug_names=Words(
                ((row["name"], row["drug"]) for row in read_rows(home / "drug_names.csv")), _BEGIN_OF_NAME, _END_OF_NAME
            ),
            regimens=Words(
                ((row["name"], row["drugs"]) for row in read_rows(home / "regimens.csv")), end=END_OF_COURSE
            ),
            observations=observations,
            genomics=genomics,
            answers=answers,
            conditions=conditions,
            roots={row["code"]: row["instead_of"] for row in read_rows(home / "roots.csv")},
            orders=read_orders(home / "orders.csv"),
            panels=read_order_panels(home / "order_panels.csv", words["order"].values),
            units=read_units(home / "units.yaml"),
            changes={
                (row["gene"], row["change"].lower()): row["marker"] for row in read_rows(home / "protein_changes.csv")
            },
            regions=read_regions(home / "regions.csv"),
            words=words,
            groups=read_groups(home / "groups.csv", words["condition"].values, conditions),
        )
