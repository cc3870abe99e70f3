"""YAML to checked knowledge; `Knowledge.at(day, jurisdiction)` is what holds on a day in a place.

Nothing is repaired: a wrong file stops the start with file, key and reason in one message. Two statements in force that
answer the same question differently are an error until one says which it settles. A hospital's overlay is laid on top:
`Snapshot.shipped` is what would hold without it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, lru_cache
from itertools import combinations
from pathlib import Path
from typing import Any, TypeVar, cast

from cds_service.errors import KnowledgeError
from cds_service.knowledge import topics
from cds_service.knowledge.files import check_days, citations, in_shape, read_yaml, verification
from cds_service.knowledge.inventory import Erratum, SourceRule, load_errata, load_source_rules
from cds_service.knowledge.local_codes import with_codes
from cds_service.knowledge.localise import LocalAnswer, checked, in_place
from cds_service.knowledge.model import Citation, Drug, Precipitant, Reference, Statement, Topic, words
from cds_service.knowledge.options import EarlierCourse, Option, evidence_of, read_courses, read_options
from cds_service.knowledge.overlay import Overlay, Switch
from cds_service.knowledge.terms import Terms
from cds_service.knowledge.therapies import Therapy, load_therapies

T = TypeVar("T")
HOME = Path(__file__).parent
_TOPICS: Mapping[str, Topic[Any]] = {topic.name: topic for topic in vars(topics).values() if isinstance(topic, Topic)}
JURISDICTIONS = ("US", "EU", "JP")
_SYSTEMIC = ("oral", "parenteral", "transdermal")
_IN_WORDS = ("small-change-matters", "benefit", "short-course")  # told on a card, never compared
_SUBSTRATE_OF = ("bcrp", "oatp1b", "oct1", "cyp3a-substrate", "cyp2c9-substrate", "cda-substrate", "contraceptive")
_EFFECTS = (
    *("cyp3a", "pgp", "qt", "electrolytes", "target-5ht2b-sigma"),
    *(*_SUBSTRATE_OF, "acid", *_IN_WORDS),
)


@dataclass(frozen=True)
class Snapshot:
    """The knowledge in force on one day in one jurisdiction: look-ups by topic and subject, made once."""

    day: date
    jurisdiction: str
    drugs: Mapping[str, Drug]
    precipitants: Mapping[str, Precipitant]
    statements: Mapping[tuple[str, str, str], Statement[Any]]
    therapies: Mapping[str, Therapy]
    options: Mapping[str, Option]
    courses: Mapping[str, EarlierCourse]
    switches: Mapping[str, Switch] = field(default_factory=dict, kw_only=True)  # rules that the hospital switched
    reasons: Mapping[str, tuple[str, ...]] = field(default_factory=dict, kw_only=True)  # override reasons it chose
    shipped: Snapshot | None = field(default=None, kw_only=True)  # what would hold without the hospital's overlay

    def find(self, topic: Topic[T], about: str, qualifier: str = "") -> Statement[T] | None:
        """What is said on that topic of that subject; None when nothing is."""
        return cast("Statement[T] | None", self.statements.get((topic.name, about, qualifier)))

    def qualifiers(self, topic: Topic[T], about: str) -> tuple[str, ...]:
        """The qualifiers under which the topic has statements of that subject."""
        return self._qualifiers.get((topic.name, about), ())

    def spoken_of(self, topics: tuple[str, ...]) -> frozenset[str]:
        """Those of our drugs of which anything is said on one of the topics, by the names of these."""
        kept = self._spoken_of.get(topics)
        if kept is None:
            told = {about for topic, about in self._qualifiers if topic in topics}
            kept = self._spoken_of[topics] = frozenset(told & self.drugs.keys())
        return kept

    @cached_property
    def effects(self) -> Mapping[tuple[str, str], Statement[str]]:
        """What is said of each precipitant's effects, by its name and the kind of effect."""
        every = ((drug, each) for drug, known in self.precipitants.items() for each in reversed(known.statements))
        return {(drug, each.topic): each for drug, each in every}

    @cached_property
    def unswitched(self) -> Snapshot:
        """The same with every rule running, whatever the hospital switched off or let run in shadow."""
        return replace(self, switches={}) if self.switches else self

    @cached_property
    def kept(self) -> dict[object, Any]:
        """What others told of this knowledge once, such as which checks concern which drug. Never of a patient."""
        return {}

    @cached_property
    def _spoken_of(self) -> dict[tuple[str, ...], frozenset[str]]:
        """What was told before: every rule asks, and options ask every rule about every drug."""
        return {}

    @cached_property
    def _qualifiers(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        """The qualifiers by topic and subject: every rule asks for them, for every drug on the list."""
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        for name, subject, qualifier in self.statements:
            found[name, subject] = (*found.get((name, subject), ()), qualifier)
        return found


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
        local = checked(overlay, self.statements, self.precipitants, _TOPICS)
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
    found: dict[tuple[str, str, str], Statement[Any]] = {}
    for statement in knowledge.statements:
        if not statement.in_force(day):
            continue
        key = (statement.topic, statement.about, statement.qualifier)
        here = jurisdiction in statement.jurisdictions
        candidate = statement if here else replace(statement, foreign=_first(statement.jurisdictions))
        present = found.get(key)
        if present is None or _wins(candidate, present):
            found[key] = candidate
    precipitants = {name: _in_force(each, day, jurisdiction) for name, each in knowledge.precipitants.items()}
    return Snapshot(
        day,
        jurisdiction,
        knowledge.drugs,
        precipitants,
        found,
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


def _in_force(precipitant: Precipitant, day: date, jurisdiction: str) -> Precipitant:
    """The precipitant with what holds of it on that day, statements of another place marked as borrowed."""
    statements = tuple(
        each if jurisdiction in each.jurisdictions else replace(each, foreign=_first(each.jurisdictions))
        for each in precipitant.statements
        if each.in_force(day)
    )
    return replace(precipitant, statements=statements)


def _wins(candidate: Statement[Any], present: Statement[Any]) -> bool:
    if bool(candidate.foreign) != bool(present.foreign):
        return not candidate.foreign
    if candidate.foreign and candidate.foreign != present.foreign:  # borrowed: the first in JURISDICTIONS lends
        return JURISDICTIONS.index(candidate.foreign) < JURISDICTIONS.index(present.foreign)
    return present.id in candidate.settles


def _first(jurisdictions: frozenset[str]) -> str:
    return next(name for name in JURISDICTIONS if name in jurisdictions)


@lru_cache(maxsize=2)
def _shipped(home: Path, version: str) -> Knowledge:
    """The knowledge of these files, as their digest says them."""
    references = _references(home)
    drugs: dict[str, Drug] = {}
    statements: list[Statement[Any]] = []
    for path in sorted((home / "drugs").glob("*.yaml")):
        with in_shape(path):
            content = read_yaml(path)
            drug = _drug(path, content)
            drugs[drug.name] = drug
            statements.extend(_statements(path, content, drug.name, references))
    for name in ("pathway", "policy", "signs"):
        path = home / f"{name}.yaml"
        with in_shape(path):
            statements.extend(_statements(path, read_yaml(path), name, references))
    precipitants = _precipitants(home / "interactions" / "precipitants.yaml", references)
    therapies = load_therapies(home / "therapies", references)
    errata = load_errata(home / "errata.yaml", references)
    with in_shape(home / "options.yaml"):
        plan = read_yaml(home / "options.yaml")
        options, courses = read_options("options.yaml", plan), read_courses("options.yaml", plan)
        for option in options.values():
            own = {"defaults": plan["defaults"], "statements": plan["options"][option.id].get("statements")}
            statements.extend(_statements(home / "options.yaml", own, option.about, references))
        statements.extend(evidence_of(options.values(), therapies, plan))
    _check(statements, precipitants, references, _also_cited(therapies, errata))
    _check_errata(therapies, errata)
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


def _drug(path: Path, content: Mapping[str, Any]) -> Drug:
    try:
        return Drug(
            content["drug"],
            content["class"],
            tuple(content["indications"]),
            content.get("spoken_indication", ""),
            bool(content.get("widely_used", False)),
        )
    except (AttributeError, KeyError, TypeError) as fault:
        raise KnowledgeError(f"{path.name}: a drug needs drug, class and indications ({fault})") from None


def _statements(
    path: Path, content: Mapping[str, Any], about: str, references: Mapping[str, Reference]
) -> Iterator[Statement[Any]]:
    defaults = content.get("defaults", {})
    for name, entries in (content.get("statements") or {}).items():
        topic = _TOPICS.get(name)
        if topic is None:
            raise KnowledgeError(f"{path.name}, {name}: no such topic; see knowledge/topics.py")
        for index, entry in enumerate(entries):
            yield _statement(f"{path.name}, {name}[{index}]", {**defaults, **entry}, topic, about, references)


def _statement(
    place: str, fields: Mapping[str, Any], topic: Topic[Any], about: str, references: Mapping[str, Reference]
) -> Statement[Any]:
    unknown = fields.keys() - _FIELDS
    if unknown:
        raise KnowledgeError(f"{place}: unknown field {sorted(unknown)[0]}")
    try:
        jurisdictions = frozenset(fields["jurisdiction"])
        if not jurisdictions <= set(JURISDICTIONS):
            raise ValueError(f"jurisdiction must be among {', '.join(JURISDICTIONS)}")
        check_days({"effective": fields["effective"], "until": fields.get("until"), **fields["reviewed"]})
        return Statement(
            id=fields["id"],
            topic=topic.name,
            about=about,
            value=topic.read(fields["value"]),
            effective=fields["effective"],
            until=fields.get("until"),
            jurisdictions=jurisdictions,
            verification=verification(fields["state"]),
            sources=citations(place, fields["source"], references),
            reviewed_on=fields["reviewed"]["on"],
            reviewed_by=fields["reviewed"].get("by", ""),
            qualifier=fields.get("qualifier", ""),
            seed_states_stop=bool(fields.get("seed_states_stop", False)),
            settles=tuple(fields.get("settles", ())),
            note=fields.get("note", "") or fields.get("reason", ""),
            withdrawn=fields.get("withdrawn", ""),
        )
    except KeyError as missing:
        raise KnowledgeError(f"{place}: {missing} is missing") from None
    except (TypeError, ValueError) as fault:
        raise KnowledgeError(f"{place}: {fault}") from None


_FIELDS = frozenset(
    [
        "id",
        "value",
        "effective",
        "until",
        "jurisdiction",
        "state",
        "source",
        "reviewed",
        "qualifier",
        "seed_states_stop",
        "settles",
        "note",
        "withdrawn",
        "reason",
        "kind",
        "grade",
        "disputed",
        "what",
    ]
)


def _precipitants(path: Path, references: Mapping[str, Reference]) -> dict[str, Precipitant]:
    with in_shape(path):
        return _precipitants_of(path, read_yaml(path), references)


def _precipitants_of(
    path: Path, content: Mapping[str, Any], references: Mapping[str, Reference]
) -> dict[str, Precipitant]:
    defaults = content.get("defaults", {})
    found: dict[str, Precipitant] = {}
    for entry in content["precipitants"]:
        name = entry["drug"]
        place = f"{path.name}, {name}"
        statements = []
        for fields in entry.get("statements", ()):
            kind = fields.get("kind")
            if kind not in _EFFECTS:
                raise KnowledgeError(f"{place}: kind must be among {', '.join(_EFFECTS)}")
            if fields.get("disputed"):
                continue
            qualified = fields.get("grade", "") or ", ".join(fields.get("what", ()))
            topic = Topic(kind, words if kind in _IN_WORDS else _with_grade(qualified))
            statements.append(_statement(place, {**defaults, **fields}, topic, name, references))
        settled = {other for statement in statements for other in statement.settles}
        kept = tuple(statement for statement in statements if statement.id not in settled)
        if name in found:
            raise KnowledgeError(f"{place}: stands twice")
        found[name] = Precipitant(
            name,
            entry.get("class", ""),
            frozenset(entry.get("route", _SYSTEMIC)) | set(entry.get("also_systemic_by", ())),
            bool(entry.get("food")),
            bool(entry.get("antiarrhythmic")),
            kept,
        )
    return found


def _with_grade(grade: str) -> Any:
    def read(value: Any) -> str:
        text = str(value).lower() if not isinstance(value, bool) else "yes"
        return f"{text} ({grade})" if grade else text

    return read


def _check(
    statements: Iterable[Statement[Any]],
    precipitants: Mapping[str, Precipitant],
    references: Mapping[str, Reference],
    also_cited: Iterable[Citation],
) -> None:
    every = [*statements, *(s for p in precipitants.values() for s in p.statements)]
    seen: set[str] = set()
    for statement in every:
        if statement.id in seen:
            raise KnowledgeError(f"statement '{statement.id}' stands twice: ids are unique")
        seen.add(statement.id)
    cited = {citation.reference.id for statement in every for citation in statement.sources}
    cited |= {citation.reference.id for citation in also_cited}
    for unused in sorted(references.keys() - cited):
        raise KnowledgeError(f"references.yaml, {unused}: nobody cites it")
    for statement in every:
        _refuse_a_gap(statement, every)
    questions: dict[tuple[str, str, str], list[Statement[Any]]] = {}
    for statement in every:
        questions.setdefault((statement.topic, statement.about, statement.qualifier), []).append(statement)
    for answers in questions.values():
        for one, other in combinations(answers, 2):
            if _disagree(one, other):
                raise KnowledgeError(
                    f"statements '{one.id}' and '{other.id}' answer the same question differently: "
                    "let one of them say which it settles, and why"
                )


def _also_cited(therapies: Mapping[str, Therapy], errata: Mapping[str, Erratum]) -> Iterator[Citation]:
    for therapy in therapies.values():
        yield from therapy.sources
    for erratum in errata.values():
        yield from erratum.sources


def _check_errata(therapies: Mapping[str, Therapy], errata: Mapping[str, Erratum]) -> None:
    """Every erratum that a therapy or its evidence names stands in errata.yaml."""
    for therapy in therapies.values():
        named = {*therapy.errata, *(name for each in therapy.evidence for name in each.errata)}
        for unknown in sorted(named - errata.keys()):
            raise KnowledgeError(f"therapy '{therapy.id}': erratum {unknown} is not in errata.yaml")


def _refuse_a_gap(ended: Statement[Any], every: Iterable[Statement[Any]]) -> None:
    """A statement that ends needs a successor from that day on, wherever it held, or words why it was withdrawn."""
    if ended.until is None or ended.withdrawn:
        return
    question = (ended.topic, ended.about, ended.qualifier)
    covered = {
        place
        for other in every
        if other is not ended
        and (other.topic, other.about, other.qualifier) == question
        and other.in_force(ended.until)
        for place in other.jurisdictions
    }
    if not ended.jurisdictions <= covered:
        raise KnowledgeError(
            f"statement '{ended.id}' ends on {ended.until} and none follows it: "
            "add its successor, or say with 'withdrawn:' why nothing holds any more"
        )


def _disagree(one: Statement[Any], other: Statement[Any]) -> bool:
    if not one.jurisdictions & other.jurisdictions:
        return False
    together = (one.until is None or other.effective < one.until) and (
        other.until is None or one.effective < other.until
    )
    return together and other.id not in one.settles and one.id not in other.settles


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
