"""Statements: read from the files of knowledge, each field checked. What is odd is named with file and place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cds_service.errors import KnowledgeError
from cds_service.knowledge import topics
from cds_service.knowledge.files import check_days, citations, in_shape, read_yaml, verification
from cds_service.knowledge.model import JURISDICTIONS, Drug, Precipitant, Reference, Statement, Topic, words

TOPICS: Mapping[str, Topic[Any]] = {topic.name: topic for topic in vars(topics).values() if isinstance(topic, Topic)}
_SYSTEMIC = ("oral", "parenteral", "transdermal")
_IN_WORDS = ("small-change-matters", "benefit", "short-course", "long-acting")  # told on a card, never compared
_SUBSTRATE_OF = ("bcrp", "oatp1b", "oct1", "cyp3a-substrate", "cyp2c9-substrate", "cda-substrate", "contraceptive")
_EFFECTS = (
    *("cyp3a", "pgp", "qt", "electrolytes", "target-5ht2b-sigma"),
    *(*_SUBSTRATE_OF, "acid", "live-vaccine", *_IN_WORDS),
)


def read_drug(path: Path, content: Mapping[str, Any]) -> Drug:
    """The drug that a file is about. Raises KnowledgeError."""
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


def read_statements(
    path: Path, content: Mapping[str, Any], about: str, references: Mapping[str, Reference]
) -> Iterator[Statement[Any]]:
    """What a file says of its subject, topic by topic. Raises KnowledgeError."""
    defaults = content.get("defaults", {})
    for name, entries in (content.get("statements") or {}).items():
        topic = TOPICS.get(name)
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


def read_precipitants(path: Path, references: Mapping[str, Reference]) -> dict[str, Precipitant]:
    """Every precipitant of the file, by its name. Raises KnowledgeError."""
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
            frozenset(entry.get("route", _SYSTEMIC))
            | set(entry.get("also_systemic_by", ()))
            | set(() if entry.get("only_if_route_told") else ("",)),
            bool(entry.get("food")),
            bool(entry.get("antiarrhythmic")),
            bool(entry.get("keep")),
            kept,
        )
    return found


def _with_grade(grade: str) -> Any:
    def read(value: Any) -> str:
        text = str(value).lower() if not isinstance(value, bool) else "yes"
        return f"{text} ({grade})" if grade else text

    return read
