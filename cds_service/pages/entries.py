"""Statements and therapies as one reads them: plain data, for pages and their JSON twins alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from cds_service.knowledge.model import JURISDICTIONS, Citation, Statement
from cds_service.knowledge.spoken import topic_words, value_words, verified_words, what_words
from cds_service.knowledge.therapies import Evidence, Kind, Standing, Therapy
from cds_service.quantity import Quantity
from cds_service.trace import spoken

KINDS = {
    Kind.APPROVED_RR: "approved for relapsed or refractory AML",
    Kind.APPROVED_OTHER: "approved for something else only",
    Kind.OFF_LABEL_PRACTICE: "established use, no label",
    Kind.INVESTIGATIONAL: "trial only",
    Kind.STOPPED: "stopped",
    Kind.NOT_APPROVED: "not approved",
    Kind.UNKNOWN: "not known",
}

@dataclass(frozen=True, slots=True)
class Source:
    """A place in a source."""

    reference: str
    title: str
    at: str
    says: str
    kind: str
    published: str
    url: str


@dataclass(frozen=True, slots=True)
class Past:
    """Another statement that answers the same question: before, after, or in another place."""

    id: str
    value: str
    effective: str
    until: str
    jurisdictions: tuple[str, ...]
    state: str
    settles: bool  # it wins over this one
    settled: bool  # this one wins over it
    withdrawn: str


@dataclass(frozen=True, slots=True)
class Line:
    """One statement: of one of our drugs, of another medicine, or of the pathway and our own defaults."""

    id: str
    of: str  # "drug", "interaction", "pathway", "default" or "option"
    topic: str
    words: str
    what: str  # with the qualifier
    about: str
    qualifier: str
    value: str
    unit: str
    jurisdictions: tuple[str, ...]
    effective: str
    until: str
    withdrawn: str
    holds: bool  # today, in this jurisdiction
    state: str
    state_words: str
    strongest: str
    sources: tuple[Source, ...]
    reviewed_on: str
    reviewed_by: str
    note: str
    local: str  # what the hospital says in its place
    history: tuple[Past, ...]  # other answers in a place of this one: before or after it
    elsewhere: tuple[Past, ...]  # those of other places only

    @property
    def sought(self) -> str:
        """The words that a search looks through."""
        places = " ".join(f"{each.title} {each.at} {each.says}" for each in self.sources)
        parts = (self.id, self.words, self.topic, self.about, self.qualifier, self.value, self.note, self.state, places)
        return " ".join(parts).lower()


@dataclass(frozen=True, slots=True)
class Stands:
    """Where a therapy stands in one jurisdiction."""

    jurisdiction: str
    kind: str
    words: str
    says: str
    since: str
    state: str
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A result of a study that may be shown."""

    study: str
    phase: str
    n: int | None
    year: int | None
    line: str
    endpoint: str
    value: str
    state: str
    note: str
    errata: tuple[str, ...]
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One therapy."""

    id: str
    name: str
    group: str
    drugs: tuple[str, ...]
    drug_class: str
    targets: tuple[str, ...]
    roles: tuple[str, ...]
    setting: str
    status: tuple[Stands, ...]
    evidence: tuple[Shown, ...]
    hidden: int  # results that an erratum keeps off every page
    toxicity: tuple[str, ...]
    errata: tuple[str, ...]

    @property
    def states(self) -> frozenset[str]:
        """Every verification state in it."""
        found = {each.state for each in self.status} | {each.state for each in self.evidence}
        return frozenset(found - {""})

    @property
    def sought(self) -> str:
        """The words that a search looks through."""
        results = ((each.study, each.line, each.endpoint, each.value, each.note) for each in self.evidence)
        studies = " ".join(" ".join(each) for each in results)
        parts = (self.id, self.name, *self.drugs, self.drug_class, *self.targets, *self.roles, self.setting, studies)
        return " ".join((*parts, *self.toxicity, *self.errata)).lower()


@dataclass(frozen=True, slots=True)
class Today:
    """The day and the place for which statements are read; no place where each tenant has its own."""

    day: date
    jurisdiction: str


def line_of(
    statement: Statement[Any], shelf: str, answers: Iterable[Statement[Any]], local: str, today: Today
) -> Line:
    """A statement as one reads it. `answers`: all that answer its question; `local`: what the hospital says instead."""
    value, others = statement.value, [each for each in _by_day(answers) if each is not statement]
    return Line(
        id=statement.id,
        of=shelf,
        topic=statement.topic,
        words=topic_words(statement.topic),
        what=what_words(statement.topic, statement.qualifier),
        about=statement.about,
        qualifier=statement.qualifier,
        value=value_words(statement.topic, spoken(value)),
        unit=value.unit if isinstance(value, Quantity) else "",
        jurisdictions=_in_order(statement.jurisdictions),
        effective=statement.effective.isoformat(),
        until=statement.until.isoformat() if statement.until else "",
        withdrawn=statement.withdrawn,
        holds=statement.in_force(today.day) and today.jurisdiction in ("", *statement.jurisdictions),
        state=statement.verification.value,
        state_words=verified_words(statement),
        strongest=statement.strongest.indicator,
        sources=sources_of(statement.sources),
        reviewed_on=statement.reviewed_on.isoformat(),
        reviewed_by=statement.reviewed_by,
        note=statement.note,
        local=local,
        history=tuple(_past(each, statement) for each in others if each.jurisdictions & statement.jurisdictions),
        elsewhere=tuple(_past(each, statement) for each in others if not each.jurisdictions & statement.jurisdictions),
    )


def _by_day(statements: Iterable[Statement[Any]]) -> list[Statement[Any]]:
    return sorted(statements, key=lambda each: (each.effective, each.id))


def _past(other: Statement[Any], this: Statement[Any]) -> Past:
    return Past(
        id=other.id,
        value=value_words(other.topic, spoken(other.value)),
        effective=other.effective.isoformat(),
        until=other.until.isoformat() if other.until else "",
        jurisdictions=_in_order(other.jurisdictions),
        state=other.verification.value,
        settles=this.id in other.settles,
        settled=other.id in this.settles,
        withdrawn=other.withdrawn,
    )


def _in_order(jurisdictions: frozenset[str]) -> tuple[str, ...]:
    return tuple(each for each in JURISDICTIONS if each in jurisdictions)


def sources_of(citations: Iterable[Citation]) -> tuple[Source, ...]:
    """The places of these citations."""
    return tuple(
        Source(each.reference.id, each.reference.short, each.at, each.says, each.reference.kind,
               each.reference.published, each.reference.where)
        for each in citations
    )  # fmt: skip


def entry_of(therapy: Therapy) -> Entry:
    """A therapy as one reads it."""
    return Entry(
        id=therapy.id,
        name=therapy.name,
        group=therapy.group.replace("_", " "),
        drugs=therapy.drugs,
        drug_class=therapy.drug_class,
        targets=therapy.targets,
        roles=tuple(role.replace("_", " ") for role in therapy.roles),
        setting=therapy.setting,
        status=tuple(_stands(therapy.standing(place)) for place in JURISDICTIONS),
        evidence=tuple(shown_of(each) for each in therapy.shown),
        hidden=len(therapy.evidence) - len(therapy.shown),
        toxicity=therapy.toxicity,
        errata=therapy.errata,
    )


def _stands(standing: Standing) -> Stands:
    return Stands(
        jurisdiction=standing.jurisdiction,
        kind=standing.kind.value,
        words=KINDS[standing.kind],
        says=standing.says,
        since=standing.since.isoformat() if standing.since else "",
        state=standing.verification.value if standing.verification else "",
        sources=sources_of(standing.sources),
    )


def shown_of(evidence: Evidence) -> Shown:
    """A result as one reads it."""
    return Shown(
        study=evidence.study,
        phase=evidence.phase or "",
        n=evidence.n,
        year=evidence.year,
        line=evidence.line or "",
        endpoint=evidence.endpoint or "",
        value=evidence.value,
        state=evidence.verification.value,
        note=evidence.note,
        errata=evidence.errata,
        sources=sources_of(evidence.sources),
    )
