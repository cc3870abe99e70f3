"""YAML to checked knowledge; `Knowledge.at(day, jurisdiction)` is what holds on a day in a place.

Nothing is repaired: a wrong file stops the start with file, key and reason in one message. Two statements in force that
answer the same question differently are an error until one says which it settles. A hospital's overlay is laid on top:
`Snapshot.shipped` is what would hold without it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from cds_service.errors import KnowledgeError
from cds_service.knowledge.agreement import also_cited, check_errata, check_statements
from cds_service.knowledge.files import in_shape, read_yaml
from cds_service.knowledge.inventory import Erratum, SourceRule, load_errata, load_source_rules
from cds_service.knowledge.local_codes import with_codes
from cds_service.knowledge.localise import LocalAnswer, checked, in_place
from cds_service.knowledge.model import Drug, Precipitant, Reference, Statement
from cds_service.knowledge.options import EarlierCourse, Option, evidence_of, read_courses, read_options
from cds_service.knowledge.overlay import Overlay
from cds_service.knowledge.snapshot import Snapshot, precipitant_in_force, statements_in_force
from cds_service.knowledge.statements import TOPICS, read_drug, read_precipitants, read_statements
from cds_service.knowledge.terms import Terms
from cds_service.knowledge.therapies import Therapy, load_therapies

HOME = Path(__file__).parent

@dataclass(frozen=True)
class Knowledge:
    """All statements, of every day and place, with their references and terms."""

    references: Mapping[str, Reference]
    drugs: Mapping[str, Drug]
    precipitants: Mapping[str, Precipitant]
    statements: tuple[Statement[Any], ...]
    therapies: Mapping[str, Therapy]
    errata: Mapping[str, Erratum]
    decision_rules: Mapping[str, SourceRule]
    safety_rules: Mapping[str, SourceRule]
    open_questions: Mapping[str, SourceRule]  # left open by the sources, and decided here
    options: Mapping[str, Option]
    courses: Mapping[str, EarlierCourse]
    terms: Terms
    version: str
    overlay: Overlay | None = field(default=None, kw_only=True)
    local: tuple[LocalAnswer, ...] = field(default=(), kw_only=True)

    @classmethod
    def load(cls, home: Path = HOME, overlay: Path | None = None, pinned: str = "") -> Knowledge:
        """The knowledge below `home`, with the hospital's own on top of it, whose digest may be pinned.

        The same files are read once: all tenants of a process have the same statements, and what each looks up in
        them stays its own. Raises KnowledgeError.
        """
        read = _shipped(home, _version(home))
        shipped = replace(read, terms=replace(read.terms))
        return shipped if overlay is None else shipped.with_overlay(Overlay.read(overlay, pinned))

    def with_overlay(self, overlay: Overlay) -> Knowledge:
        """The same knowledge with a hospital's own on top of it. Raises KnowledgeError."""
        version = hashlib.sha256(f"{self.version} {overlay.digest}".encode()).hexdigest()[:12]
        local = checked(overlay, self.statements, self.precipitants, TOPICS)
        return replace(self, terms=with_codes(self.terms, overlay.codes), version=version, overlay=overlay, local=local)

    @cached_property
    def _snapshots(self) -> dict[tuple[date, str], Snapshot]:
        return {}

    def at(self, day: date, jurisdiction: str) -> Snapshot:
        """What holds on that day in that jurisdiction. A statement of another place fills a gap, marked as foreign."""
        kept = self._snapshots.get((day, jurisdiction))
        if kept is None:
            kept = _at_this_hospital(_snapshot(self, day, jurisdiction), self)
            for key in [key for key in tuple(self._snapshots) if key[0] != day]:
                self._snapshots.pop(key, None)  # one day at a time is enough, and memory stays flat
            self._snapshots[day, jurisdiction] = kept
        return kept

    @cached_property
    def reviewed_until(self) -> date:
        """The day on which a statement was last held against its source."""
        return max(statement.reviewed_on for statement in self.all_statements())

    def all_statements(self) -> Iterator[Statement[Any]]:
        """Every statement, those on precipitants included."""
        yield from self.statements
        for precipitant in self.precipitants.values():
            yield from precipitant.statements


def _snapshot(knowledge: Knowledge, day: date, jurisdiction: str) -> Snapshot:
    return Snapshot(
        day,
        jurisdiction,
        knowledge.drugs,
        {name: precipitant_in_force(each, day, jurisdiction) for name, each in knowledge.precipitants.items()},
        statements_in_force(knowledge.statements, day, jurisdiction),
        {name: each.on(day) for name, each in knowledge.therapies.items()},
        knowledge.options,
        knowledge.courses,
    )


def _at_this_hospital(shipped: Snapshot, knowledge: Knowledge) -> Snapshot:
    """What holds on that day with the hospital's own in place of ours."""
    overlay = knowledge.overlay
    if overlay is None:
        return shipped

    def ours(statement: Statement[Any]) -> Statement[Any]:
        return in_place(statement, knowledge.local, shipped.day)

    return replace(
        shipped,
        precipitants={
            name: replace(each, statements=tuple(ours(statement) for statement in each.statements))
            for name, each in shipped.precipitants.items()
        },
        statements={question: ours(statement) for question, statement in shipped.statements.items()},
        switches={each.rule: each for each in overlay.switches if each.decision.in_force(shipped.day)},
        reasons={each.rule: each.codes for each in overlay.reasons if each.decision.in_force(shipped.day)},
        shipped=shipped,
    )


@lru_cache(maxsize=2)
def _shipped(home: Path, version: str) -> Knowledge:
    """The knowledge of these files, as their digest says them."""
    references = _references(home)
    drugs: dict[str, Drug] = {}
    statements: list[Statement[Any]] = []
    for path in sorted((home / "drugs").glob("*.yaml")):
        with in_shape(path):
            content = read_yaml(path)
            drug = read_drug(path, content)
            drugs[drug.name] = drug
            statements.extend(read_statements(path, content, drug.name, references))
    for name in ("pathway", "policy", "signs"):
        path = home / f"{name}.yaml"
        with in_shape(path):
            statements.extend(read_statements(path, read_yaml(path), name, references))
    precipitants = read_precipitants(home / "interactions" / "precipitants.yaml", references)
    therapies = load_therapies(home / "therapies", references)
    errata = load_errata(home / "errata.yaml", references)
    with in_shape(home / "options.yaml"):
        plan = read_yaml(home / "options.yaml")
        options, courses = read_options("options.yaml", plan), read_courses("options.yaml", plan)
        for option in options.values():
            own = {"defaults": plan["defaults"], "statements": plan["options"][option.id].get("statements")}
            statements.extend(read_statements(home / "options.yaml", own, option.about, references))
        statements.extend(evidence_of(options.values(), therapies, plan))
    check_statements(statements, precipitants, references, also_cited(therapies, errata))
    check_errata(therapies, errata)
    return Knowledge(
        references=references,
        drugs=drugs,
        precipitants=precipitants,
        statements=tuple(statements),
        therapies=therapies,
        errata=errata,
        decision_rules=load_source_rules(home / "sources" / "decision_rules.yaml"),
        safety_rules=load_source_rules(home / "sources" / "safety_rules.yaml"),
        open_questions=load_source_rules(home / "sources" / "open_questions.yaml"),
        options=options,
        courses=courses,
        terms=Terms.load(home / "terminology"),
        version=version,
    )


def _references(home: Path) -> dict[str, Reference]:
    found: dict[str, Reference] = {}
    folders = (home, home / "interactions", home / "sources")
    for path in (folder / "references.yaml" for folder in folders):
        for name, fields in read_yaml(path).items():
            if name in found:
                raise KnowledgeError(f"{path.name}, {name}: defined twice")
            try:
                found[name] = Reference(
                    id=name,
                    title=fields["title"],
                    short=fields.get("short", fields["title"]),
                    kind=fields["kind"],
                    published=str(fields.get("published", "")),
                    retrieved=str(fields.get("retrieved", "")),
                    where=str(fields.get("url") or fields.get("doi") or ""),
                    jurisdiction=_joined(fields.get("jurisdiction", "")),
                )
            except (AttributeError, KeyError, TypeError) as fault:
                raise KnowledgeError(f"{path.name}, {name}: a reference needs title and kind ({fault})") from None
    return found


def _joined(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _version(home: Path) -> str:
    """A short digest of every knowledge file: the same files, the same version."""
    digest = hashlib.sha256()
    for path in sorted(home.rglob("*")):
        if path.suffix in (".yaml", ".csv"):
            digest.update(path.relative_to(home).as_posix().encode())
            try:
                digest.update(path.read_bytes())
            except OSError:
                raise KnowledgeError(f"{path.name}: cannot be read; is the installation complete?") from None
    return digest.hexdigest()[:12]
