"""Options: what can be offered at relapse, each with the conditions under which the sources speak of it.

An option is data: its drugs, its group, what it needs, and its statements (status here, limits), which are loaded like
all others under the name `option <id>`. Its evidence stands with the therapies; the option names the entries, and the
line that a card tells is made of them. The order in the file is no ranking. Targeted options whose phase III trial in
relapse met its endpoint stand first (D30, G7); nothing else is ordered but by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from typing import Any

from cds_service.errors import KnowledgeError
from cds_service.knowledge.model import Statement, Verification
from cds_service.knowledge.therapies import Evidence, Kind, Therapy


class Group(Enum):
    """Where an option stands on the card."""

    TARGETED = "targeted"
    INTENSIVE = "intensive"
    LOW_INTENSITY = "low-intensity"
    AFTER_HSCT = "after allogeneic HSCT"


class Fit(Enum):
    """For whom an option is described."""

    FIT = "fit"
    UNFIT = "unfit"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Status:
    """Where an option stands in one place, and how that is said."""

    kind: Kind
    words: str

    def __str__(self) -> str:
        return self.words


def a_status(value: Any) -> Status:
    """A status written as {kind: approved_rr, words: ...}."""
    if not isinstance(value, dict) or value.keys() != {"kind", "words"}:
        raise ValueError(f"expected kind and words, found {value!r}")
    return Status(Kind(value["kind"]), str(value["words"]))


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that can be done, and what has to be true of the patient first."""

    id: str
    name: str
    group: Group
    drugs: tuple[str, ...]
    high_dose: str  # the one of them that it gives in high dose
    markers: tuple[str, ...]  # one of them present
    phase_three: bool  # a phase III trial in relapsed or refractory AML met its endpoint
    fitness: Fit
    first_relapse: bool
    late_relapse: bool  # described for a late one, without a limit
    after_allogeneic: bool
    transplants: bool  # it is a transplantation
    donor_lymphocytes: bool  # it gives them, or may
    given: str  # an earlier course that the option presupposes
    not_given: str  # an earlier course after which it is described otherwise
    rules: tuple[str, ...]  # the decision rules that it stands for
    therapy: str  # its id in the inventory of therapies
    evidence: tuple[str, ...]  # entries of the inventory, by id, as the line tells them

    @property
    def about(self) -> str:
        """The name under which its statements are found."""
        return f"option {self.id}"


@dataclass(frozen=True, slots=True)
class EarlierCourse:
    """An earlier treatment, known by words in an order or a procedure, by a high dose, or by drugs given together."""

    name: str
    drugs: tuple[tuple[str, ...], ...] = ()  # one of each group was given
    high_dose_of: str = ""  # the drug whose high dose it is
    procedure: str = ""  # the key of a procedure whose words name it


_FIELDS = (
    frozenset(["name", "group", "drugs", "markers", "fitness", "first_relapse", "late_relapse", "after_allogeneic"])
    | {"given", "not_given", "high_dose", "phase_three", "transplants", "donor_lymphocytes"}
    | {"rules", "therapy", "evidence", "statements"}
)


def read_options(name: str, content: Mapping[str, Any]) -> dict[str, Option]:
    """The options of a file, by id. Raises KnowledgeError."""
    return {key: _option(f"{name}, {key}", key, fields) for key, fields in content.get("options", {}).items()}


def read_courses(name: str, content: Mapping[str, Any]) -> dict[str, EarlierCourse]:
    """The earlier courses that options speak of, by name."""
    return {
        key: EarlierCourse(
            key,
            tuple(tuple(group) for group in fields.get("drugs", ())),
            fields.get("high_dose_of", ""),
            fields.get("procedure", ""),
        )
        for key, fields in content.get("courses", {}).items()
    }


def _option(place: str, key: str, fields: Mapping[str, Any]) -> Option:
    unknown = fields.keys() - _FIELDS
    if unknown:
        raise KnowledgeError(f"{place}: unknown field {sorted(unknown)[0]}")
    if fields.get("high_dose", "") not in ("", *fields.get("drugs", ())):
        raise KnowledgeError(f"{place}: high_dose: '{fields['high_dose']}' is none of its drugs")
    try:
        return Option(
            id=key,
            name=fields["name"],
            group=Group(fields["group"]),
            drugs=tuple(fields.get("drugs", ())),
            high_dose=fields.get("high_dose", ""),
            markers=tuple(fields.get("markers", ())),
            phase_three=bool(fields.get("phase_three", False)),
            fitness=Fit(fields.get("fitness", "any")),
            first_relapse=bool(fields.get("first_relapse", False)),
            late_relapse=bool(fields.get("late_relapse", False)),
            after_allogeneic=bool(fields.get("after_allogeneic", False)),
            transplants=bool(fields.get("transplants", False)),
            donor_lymphocytes=bool(fields.get("donor_lymphocytes", False)),
            given=fields.get("given", ""),
            not_given=fields.get("not_given", ""),
            rules=tuple(fields["rules"]),
            therapy=fields.get("therapy", ""),
            evidence=tuple(fields.get("evidence", ())),
        )
    except KeyError as missing:
        raise KnowledgeError(f"{place}: {missing} is missing") from None
    except ValueError as fault:
        raise KnowledgeError(f"{place}: {fault}") from None


def evidence_of(
    options: Iterable[Option], therapies: Mapping[str, Therapy], plan: Mapping[str, Any]
) -> Iterator[Statement[str]]:
    """What each option stands on, as one statement of it in a line: the entries that it names, and no word of its own.

    `plan`: the file of the options, for the day and the places of its defaults. Raises KnowledgeError where an option
    names no therapy, or an entry that is not there, is hidden, or stands in no therapy with a drug of its own.
    """
    for option in options:
        own = therapies.get(option.therapy)
        if own is None:
            raise KnowledgeError(f"options.yaml, {option.id}: there is no therapy '{option.therapy}'")
        related = [each for each in therapies.values() if each is own or set(own.drugs) & set(each.drugs)]
        held = {entry.id: entry for each in related for entry in each.shown if entry.id}
        missing = [name for name in option.evidence if name not in held]
        if missing or not option.evidence:
            name = missing[0] if missing else ""
            place = f"options.yaml, {option.id}"
            raise KnowledgeError(f"{place}: no evidence '{name}' to be shown in '{own.id}' and its kin")
        found = [held[name] for name in option.evidence]
        try:
            line = in_a_line(found)
        except (LookupError, ValueError) as fault:
            files = sorted({f"{each.group}.yaml" for each in related if set(each.shown) & set(found)})
            place = f"{' or '.join(files)}, evidence {' or '.join(option.evidence)}"
            raise KnowledgeError(f"{place}: its endpoints, values and words do not fit together ({fault})") from fault
        defaults = plan["defaults"]
        yield Statement(
            id=f"option-{option.id}-evidence",
            topic="option_evidence",
            about=option.about,
            value=line,
            effective=defaults["effective"],
            until=None,
            jurisdictions=frozenset(defaults["jurisdiction"]),
            verification=min((entry.verification for entry in found), key=_STATES.index),
            sources=tuple(dict.fromkeys(source for entry in found for source in entry.sources)),
            reviewed_on=defaults["reviewed"]["on"],
            reviewed_by=defaults["reviewed"].get("by", ""),
            note=", ".join(dict.fromkeys(name for entry in found for name in entry.errata)),
        )


# The least sure first.
_STATES = (Verification.RECALLED, Verification.SECONDARY, Verification.LITERATURE, Verification.LABEL)


def in_a_line(found: Iterable[Evidence]) -> str:
    """Some results in a line: each study with its phase and number once, then what it found."""
    told = []
    for _, together in groupby(found, key=lambda entry: entry.study):
        entries = list(together)
        phase, n = entries[0].phase, entries[0].n
        named = f"phase {phase}" if phase and phase[0] in "IV" else phase
        head = ", ".join(filter(None, (named, f"n = {n}" if n else "")))
        told.append(f"{head}: {', '.join(map(_told, entries))}" if head else ", ".join(map(_told, entries)))
    return "; ".join(told)


def _told(entry: Evidence) -> str:
    """One result: by its own words, else each endpoint with its value."""
    endpoints = entry.endpoint.split("; ") if entry.endpoint else []
    values = entry.value.split("; ") if len(endpoints) > 1 else [entry.value]
    if entry.told:
        return entry.told.format(None, *values)
    return ", ".join(" ".join(pair) for pair in zip(endpoints, values, strict=True)) if endpoints else entry.value
