"""Results of studies, read as they are written, so that they can be drawn: what cannot be read for sure is not drawn.

Populations are kept apart, and nothing is sorted by a figure: therapies and studies stand by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from cds_service.knowledge.files import read_yaml
from cds_service.knowledge.inventory import Erratum
from cds_service.knowledge.load import Knowledge
from cds_service.knowledge.therapies import Evidence, Therapy
from cds_service.pages.entries import Shown, shown_of

TABLE = Path(__file__).with_name("evidence.yaml")
RESPONSE, SURVIVAL = KINDS = ("response", "survival")
UNITS = {RESPONSE: "%", SURVIVAL: "months"}
_AMOUNT = r"(?:about )?(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?"
_WRITTEN = re.compile(rf"{_AMOUNT}(?: v {_AMOUNT})? (%|months)(?: \([^()]*\)|, [^\d;]*)?\Z")
_WITH = re.compile(rf"{_AMOUNT} (%|months) with, {_AMOUNT} (%|months) without (.+)\Z")


@dataclass(frozen=True, slots=True)
class Point:
    """A figure or a range of one endpoint, as drawn. `other`: what it was compared with, in the same study."""

    kind: str
    endpoint: str
    low: Decimal
    high: Decimal
    other: tuple[Decimal, Decimal] | None
    of: str = ""  # of which of the patients, where the result splits them


@dataclass(frozen=True, slots=True)
class Flag:
    """What an erratum says of a result."""

    erratum: str
    holds: str
    why: str


@dataclass(frozen=True, slots=True)
class Result:
    """One result that may be shown: of which therapy and population, what is drawn of it, and what is flagged."""

    therapy: str
    name: str
    group: str
    population: str
    shown: Shown
    points: tuple[Point, ...]
    flags: tuple[Flag, ...]
    whom: str = ""  # said where the patients are not those that a reader of the group would assume


@dataclass(frozen=True, slots=True)
class Table:
    """How results are kept apart and which endpoints are drawn, as `evidence.yaml` says."""

    populations: Mapping[str, str]  # in the order in which they are shown
    marks: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]  # in the order in which they are tried
    groups: Mapping[str, str]
    assumed: Mapping[str, tuple[str, ...]]  # by group: what the leukaemia of its patients is taken to have
    chosen_by: tuple[str, ...]
    endpoints: Mapping[str, tuple[str, str]]  # as written: the kind, and how we name it


@cache
def table() -> Table:
    """The table. Raises KnowledgeError."""
    content = read_yaml(TABLE)
    words = {each["id"]: each["words"] for each in content["populations"]}
    return Table(
        populations={name: words[name] for name in content["order"]},
        marks=tuple((each["id"], tuple(each["any"]), tuple(each.get("all", ()))) for each in content["populations"]),
        groups=content["groups"],
        assumed={group: tuple(names) for group, names in content["assumed"].items()},
        chosen_by=tuple(content["chosen_by"]),
        endpoints={
            written: (kind, name) for kind in KINDS for name, ways in content[kind].items() for written in ways
        },
    )


def population(line: str | None) -> str:
    """The population of a result by the words of its line. Raises LookupError for words that nobody foresaw."""
    if line is None:
        return "unstated"
    for name, parts, whole in table().marks:
        if line in whole or any(part in line for part in parts):
            return name
    raise LookupError(f"evidence.yaml, populations: no entry for '{line}'")


NOT_SAID = "mutation not stated"


def whom(group: str, line: str | None, value: str = "") -> str:
    """What a reader of this group would not assume of the patients of this line; "" where nothing is.

    In a group of drugs against a mutation: that neither the line nor the value names one, as all comers may have been
    treated.
    """
    assumed, held = table().assumed.get(group, ()), population(line)
    if line is None or held == "laboratory":
        return ""
    parts = re.split("[,;] ", line)
    told = line if held == "part" else ", ".join(part for part in parts if _chosen(part) and not assumed)
    unsaid = assumed and not any(each in f"{line} {value}" for each in assumed)
    return ", ".join(filter(None, (told, NOT_SAID if unsaid else "")))


def _chosen(part: str) -> bool:
    return any(each in part for each in table().chosen_by)


def results(knowledge: Knowledge, therapies: Iterable[str] | None = None) -> tuple[Result, ...]:
    """Every result that may be shown, of these therapies or of all, by name of therapy and study."""
    wanted = None if therapies is None else set(therapies)
    found = [
        _result(therapy, each, knowledge.errata)
        for therapy in knowledge.therapies.values()
        if wanted is None or therapy.id in wanted
        for each in therapy.shown
    ]
    return tuple(sorted(found, key=lambda each: (each.name.lower(), each.shown.study.lower())))


def hidden(knowledge: Knowledge, therapies: Iterable[str] | None = None) -> tuple[tuple[str, Flag], ...]:
    """The results that an erratum keeps off every page: the therapy, and what the erratum says instead."""
    wanted = None if therapies is None else set(therapies)
    return tuple(
        (therapy.name, flag)
        for therapy in knowledge.therapies.values()
        if wanted is None or therapy.id in wanted
        for each in therapy.evidence
        if each.hide
        for flag in _flags(each, knowledge.errata)
    )


def _result(therapy: Therapy, evidence: Evidence, errata: Mapping[str, Erratum]) -> Result:
    return Result(
        therapy=therapy.id,
        name=therapy.name,
        group=therapy.group,
        population=population(evidence.line),
        shown=shown_of(evidence),
        points=tuple(points(evidence.endpoint, evidence.value)),
        flags=_flags(evidence, errata),
        whom=whom(therapy.group, evidence.line, evidence.value),
    )


def _flags(evidence: Evidence, errata: Mapping[str, Erratum]) -> tuple[Flag, ...]:
    return tuple(Flag(name, errata[name].supported, errata[name].reason) for name in evidence.errata)


def points(endpoint: str | None, value: str) -> Iterator[Point]:
    """What can be drawn: each endpoint with its own figure. Where they do not pair up, nothing is guessed."""
    names = [each.strip() for each in (endpoint or "").split(";")]
    figures = [each.strip() for each in value.split(";")]
    if len(names) != len(figures):
        return
    for name, figure in zip(names, figures, strict=True):
        known = table().endpoints.get(name)
        if known is not None:
            yield from _points(*known, figure)


def _points(kind: str, name: str, figure: str) -> Iterator[Point]:
    written = _WRITTEN.match(figure)
    if written is not None and written[5] == UNITS[kind]:
        low, high = _span(written[1], written[2])
        yield Point(kind, name, low, high, _span(written[3], written[4]) if written[3] else None)
    split = _WITH.match(figure)
    if split is not None and split[3] == split[6] == UNITS[kind]:
        of = split[7].removeprefix("a ")
        yield Point(kind, name, *_span(split[1], split[2]), None, f"with {of}")
        yield Point(kind, name, *_span(split[4], split[5]), None, f"without {of}")


def _span(low: Any, high: Any) -> tuple[Decimal, Decimal]:
    return Decimal(low), Decimal(high if high is not None else low)
