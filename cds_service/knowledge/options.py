"""Options: what can be offered at relapse, each with the conditions under which the sources speak of it.

An option is data: its drugs, its group, what it needs, and its statements (status here, evidence, limits), which are
loaded like all others under the name `option <id>`. The order in the file is no ranking; cards sort by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from cds_service.errors import KnowledgeError
from cds_service.knowledge.inventory import Erratum
from cds_service.knowledge.model import Statement
from cds_service.knowledge.therapies import Kind, Therapy, figures


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
    markers: tuple[str, ...]  # one of them present
    fitness: Fit
    first_relapse: bool
    after_allogeneic: bool
    given: str  # an earlier course that the option presupposes
    not_given: str  # an earlier course after which it is described otherwise
    rules: tuple[str, ...]  # the decision rules that it stands for
    therapy: str  # its id in the inventory of therapies

    @property
    def about(self) -> str:
        """The name under which its statements are found."""
        return f"option {self.id}"


@dataclass(frozen=True, slots=True)
class EarlierCourse:
    """An earlier treatment, known by words in an order or by drugs given together."""

    name: str
    drugs: tuple[tuple[str, ...], ...]  # one of each group was given


_FIELDS = frozenset(
    ["name", "group", "drugs", "markers", "fitness", "first_relapse", "after_allogeneic", "given", "not_given"]
) | {"rules", "therapy", "statements"}


def read_options(name: str, content: Mapping[str, Any]) -> dict[str, Option]:
    """The options of a file, by id. Raises KnowledgeError."""
    return {key: _option(f"{name}, {key}", key, fields) for key, fields in content.get("options", {}).items()}


def read_courses(name: str, content: Mapping[str, Any]) -> dict[str, EarlierCourse]:
    """The earlier courses that options speak of, by name."""
    return {
        key: EarlierCourse(key, tuple(tuple(group) for group in groups))
        for key, groups in content.get("courses", {}).items()
    }


def _option(place: str, key: str, fields: Mapping[str, Any]) -> Option:
    unknown = fields.keys() - _FIELDS
    if unknown:
        raise KnowledgeError(f"{place}: unknown field {sorted(unknown)[0]}")
    try:
        return Option(
            id=key,
            name=fields["name"],
            group=Group(fields["group"]),
            drugs=tuple(fields.get("drugs", ())),
            markers=tuple(fields.get("markers", ())),
            fitness=Fit(fields.get("fitness", "any")),
            first_relapse=bool(fields.get("first_relapse", False)),
            after_allogeneic=bool(fields.get("after_allogeneic", False)),
            given=fields.get("given", ""),
            not_given=fields.get("not_given", ""),
            rules=tuple(fields["rules"]),
            therapy=fields.get("therapy", ""),
        )
    except KeyError as missing:
        raise KnowledgeError(f"{place}: {missing} is missing") from None
    except ValueError as fault:
        raise KnowledgeError(f"{place}: {fault}") from None


def check_evidence(
    options: Iterable[Option],
    statements: Iterable[Statement[Any]],
    therapies: Mapping[str, Therapy],
    errata: Mapping[str, Erratum],
) -> None:
    """Each option stands on a therapy, and tells only figures of that or of one with a drug of it, or of their errata.

    Raises KnowledgeError.
    """
    said = [each for each in statements if each.topic == "option_evidence"]
    for option in options:
        own = therapies.get(option.therapy)
        if own is None:
            raise KnowledgeError(f"options.yaml, {option.id}: there is no therapy '{option.therapy}'")
        related = [each for each in therapies.values() if each is own or set(own.drugs) & set(each.drugs)]
        held = {figure for each in related for evidence in each.shown for figure in evidence.figures}
        held |= {figure for each in related for name in each.errata for figure in figures(errata[name].supported)}
        for statement in said:
            loose = figures(str(statement.value)) - held if statement.about == option.about else frozenset()
            if loose:
                told = ", ".join(sorted(loose))
                raise KnowledgeError(f"statement '{statement.id}': {told} stands in no evidence of '{own.id}'")
