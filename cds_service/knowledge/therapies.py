"""Therapies: every one that the sources name, with its drugs, where it stands in each jurisdiction, and its evidence.

A regimen is made of drugs, so what holds for a drug holds for every regimen with it. A figure marked `hide` is kept as
what the source prints and shown nowhere; what corrects it stands in errata.yaml under the number given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any

from cds_service.errors import KnowledgeError
from cds_service.knowledge.files import check_days, citations, in_shape, read_list, verification
from cds_service.knowledge.model import Citation, Reference, Verification

PLACES = ("US", "EU", "JP")

class Kind(Enum):
    """Where a therapy stands in one jurisdiction."""

    APPROVED_RR = "approved_rr"  # for relapsed or refractory AML
    APPROVED_OTHER = "approved_other"  # for something else only: off-label here
    OFF_LABEL_PRACTICE = "off_label_practice"  # an established use that no label carries
    INVESTIGATIONAL = "investigational"
    STOPPED = "stopped"
    NOT_APPROVED = "not_approved"
    UNKNOWN = "unknown"  # the sources read say nothing


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a therapy stands in one jurisdiction, since when, and who says so."""

    jurisdiction: str
    kind: Kind
    says: str
    since: date | None
    verification: Verification | None  # none where nothing is known
    sources: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One result of one study, in the words of its endpoint. What is not stated is None.

    `id`: how options refer to it; `told`: how a line tells it where not by its endpoints, {1}, {2} being its values.
    """

    study: str
    phase: str | None
    n: int | None
    year: int | None
    line: str | None
    endpoint: str | None
    value: str
    verification: Verification
    sources: tuple[Citation, ...]
    errata: tuple[str, ...]
    hide: bool
    note: str
    id: str = ""
    told: str = ""


@dataclass(frozen=True, slots=True)
class Therapy:
    """One therapy of the sources. `group`: the file that it stands in; `rules`: those that no drug of it leads to."""

    id: str
    name: str
    drugs: tuple[str, ...]
    drug_class: str
    targets: tuple[str, ...]
    roles: tuple[str, ...]
    setting: str
    status: Mapping[str, Standing]
    evidence: tuple[Evidence, ...]
    toxicity: tuple[str, ...]
    errata: tuple[str, ...]
    group: str
    rules: tuple[str, ...] = ()

    def standing(self, jurisdiction: str) -> Standing:
        """Where it stands there. A jurisdiction that no file speaks of is unknown."""
        known = self.status.get(jurisdiction)
        return known if known is not None else Standing(jurisdiction, Kind.UNKNOWN, "", None, None, ())

    def on(self, day: date) -> Therapy:
        """The therapy as it stood on a day: where an approval came later, nothing is known of that day."""
        status = {
            place: Standing(place, Kind.UNKNOWN, "", None, None, ()) if each.since and each.since > day else each
            for place, each in self.status.items()
        }
        return replace(self, status=status)

    @property
    def shown(self) -> tuple[Evidence, ...]:
        """The evidence that may be shown."""
        return tuple(each for each in self.evidence if not each.hide)

    @property
    def sources(self) -> Iterator[Citation]:
        """Every citation of it."""
        for standing in self.status.values():
            yield from standing.sources
        for each in self.evidence:
            yield from each.sources


ROLES = frozenset(
    [
        "bridge_to_hsct",
        "curative",
        "salvage_intensive",
        "salvage_targeted",
        "low_intensity",
        "palliative",
        "maintenance",
        "frontline_only",
        "investigational",
        "supportive",
        "comparator_only",
    ]
)
_REQUIRED = ("id", "name", "drugs", "class", "targets", "role", "setting", "status", "evidence", "toxicity", "errata")
_THERAPY = frozenset([*_REQUIRED, "rules"])
_STANDING = frozenset(["kind", "since", "says", "state", "source"])
_SHOWN = ["study", "phase", "n", "year", "line", "endpoint", "value", "state", "source"]
_EVIDENCE = frozenset([*_SHOWN, "errata", "hide", "note", "id", "told"])


def load_therapies(folder: Path, references: Mapping[str, Reference]) -> dict[str, Therapy]:
    """Every therapy of the files in a folder, by id. Raises KnowledgeError."""
    found: dict[str, Therapy] = {}
    for path in sorted(folder.glob("*.yaml")):
        with in_shape(path):
            for index, fields in enumerate(read_list(path)):
                place = f"{path.name}, {fields.get('id') or f'entry {index + 1}'}"
                therapy = _therapy(place, path.stem, fields, references)
                if therapy.id in found:
                    raise KnowledgeError(f"{place}: stands twice")
                found[therapy.id] = therapy
    return found


def _therapy(place: str, group: str, fields: Mapping[str, Any], references: Mapping[str, Reference]) -> Therapy:
    _only(place, fields, _THERAPY)
    try:
        unknown_roles = set(fields["role"]) - ROLES
        if unknown_roles:
            raise ValueError(f"role must be among {', '.join(sorted(ROLES))}, found {sorted(unknown_roles)[0]!r}")
        if set(fields["status"]) != set(PLACES):
            raise ValueError(f"status must speak of {', '.join(PLACES)}, each once")
        return Therapy(
            id=_words("id", fields["id"]),
            name=_words("name", fields["name"]),
            drugs=_names("drugs", fields["drugs"]),
            drug_class=_words("class", fields["class"]),
            targets=_names("targets", fields["targets"]),
            roles=_names("role", fields["role"]),
            setting=_words("setting", fields["setting"]),
            status={
                where: _standing(f"{place}, status {where}", where, fields["status"][where], references)
                for where in PLACES
            },
            evidence=tuple(
                _evidence(f"{place}, evidence[{index}]", each, references)
                for index, each in enumerate(fields["evidence"])
            ),
            toxicity=_names("toxicity", fields["toxicity"]),
            errata=_names("errata", fields["errata"]),
            group=group,
            rules=_names("rules", fields.get("rules", [])),
        )
    except KeyError as missing:
        raise KnowledgeError(f"{place}: {missing} is missing") from None
    except (TypeError, ValueError) as fault:
        raise KnowledgeError(f"{place}: {fault}") from None


def _standing(place: str, where: str, fields: Mapping[str, Any], references: Mapping[str, Reference]) -> Standing:
    _only(place, fields, _STANDING)
    try:
        kind = _kind(fields["kind"])
        if kind is Kind.UNKNOWN and "source" not in fields:
            return Standing(where, kind, fields.get("says", ""), None, None, ())
        check_days({"since": fields.get("since")})
        return Standing(
            jurisdiction=where,
            kind=kind,
            says=_words("says", fields["says"]),
            since=fields.get("since"),
            verification=verification(fields["state"]),
            sources=citations(place, fields["source"], references),
        )
    except KeyError as missing:
        raise KnowledgeError(f"{place}: {missing} is missing") from None
    except (TypeError, ValueError) as fault:
        raise KnowledgeError(f"{place}: {fault}") from None


def _evidence(place: str, fields: Mapping[str, Any], references: Mapping[str, Reference]) -> Evidence:
    _only(place, fields, _EVIDENCE)
    try:
        return Evidence(
            study=_words("study", fields["study"]),
            phase=_words_or_none("phase", fields["phase"]),
            n=_number_or_none("n", fields["n"]),
            year=_number_or_none("year", fields["year"]),
            line=_words_or_none("line", fields["line"]),
            endpoint=_words_or_none("endpoint", fields["endpoint"]),
            value=_words("value", fields["value"]),
            verification=verification(fields["state"]),
            sources=citations(place, fields["source"], references),
            errata=_names("errata", fields.get("errata", [])),
            hide=_yes_or_no("hide", fields.get("hide", False)),
            note=fields.get("note", ""),
            id=fields.get("id", ""),
            told=fields.get("told", ""),
        )
    except KeyError as missing:
        raise KnowledgeError(f"{place}: {missing} is missing") from None
    except (TypeError, ValueError) as fault:
        raise KnowledgeError(f"{place}: {fault}") from None


def _only(place: str, fields: Any, known: frozenset[str]) -> None:
    if not isinstance(fields, dict):
        raise KnowledgeError(f"{place}: expected a mapping, found {fields!r}")
    unknown = fields.keys() - known
    if unknown:
        raise KnowledgeError(f"{place}: unknown field {sorted(unknown)[0]}")


def _kind(value: Any) -> Kind:
    try:
        return Kind(value)
    except ValueError:
        known = ", ".join(each.value for each in Kind)
        raise ValueError(f"kind must be one of {known}, found {value!r}") from None


def _words(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name} must be words, found {value!r}")
    return value


def _words_or_none(name: str, value: Any) -> str | None:
    return None if value is None else _words(name, value)


def _number_or_none(name: str, value: Any) -> int | None:
    if value is not None and type(value) is not int:
        raise ValueError(f"{name} must be a whole number or null, found {value!r}")
    return value


def _yes_or_no(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false, found {value!r}")
    return value


def _names(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError(f"{name} must be a list, found {value!r}")
    return tuple(_words(name, each) for each in value)
