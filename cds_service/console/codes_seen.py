"""Codes seen: which code systems a chart speaks, and how many of its entries we can read by code. Counts, no values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from cds_service.gather.views import CodeableConcept, Coding
from cds_service.knowledge.terms import Terms

_SHOWN = 12  # codes named for one system
_PLAIN = re.compile(r"[\w.\-]{1,40}")  # a code, and not words that may speak of somebody
_NO_SYSTEM = "(no system)"
TEXT_ONLY = "(text only)"


class _Entry(msgspec.Struct):
    resourceType: str = ""  # noqa: N815 - FHIR's name
    code: CodeableConcept | None = None
    medicationCodeableConcept: CodeableConcept | None = None  # noqa: N815


@dataclass(frozen=True, slots=True)
class Seen:
    """One code system of one type of resource: how many entries are read by it, how many not, and their codes."""

    type: str
    system: str
    read: int
    unread: int
    is_local: bool  # a system of which we read nothing
    most: tuple[tuple[str, int], ...]  # the unread codes that come most often, in a local system


def seen(resources: Iterable[bytes], terms: Terms) -> tuple[Seen, ...]:
    """The code systems of Observations, MedicationRequests and Medications, most unread entries first."""
    read, unread = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    codes: dict[tuple[str, str], Counter[str]] = {}
    known = _known(terms)
    for raw in resources:
        try:
            entry = msgspec.json.decode(raw, type=_Entry)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            continue
        concept = entry.medicationCodeableConcept or entry.code
        if concept is None:
            continue
        found = [(terms.system(each.system) or _NO_SYSTEM, each) for each in concept.coding or () if each.code]
        hit = next((system for system, each in found if _is_known(system, each, known)), None)
        system = hit or (_best(found, known) if found else TEXT_ONLY)
        key = (entry.resourceType, system)
        if hit:
            read[key] += 1
            continue
        unread[key] += 1
        code = next((str(each.code).strip() for name, each in found if name == system), "")
        if _PLAIN.fullmatch(code):
            codes.setdefault(key, Counter())[code] += 1
    systems = {system for system, _ in known}
    made = [
        Seen(
            kind, system, read[kind, system], unread[kind, system], system not in systems,
            tuple(codes.get((kind, system), Counter()).most_common(_SHOWN)) if system not in systems else (),
        )
        for kind, system in {**read, **unread}
    ]
    return tuple(sorted(made, key=lambda each: (not each.is_local, -each.unread, each.type, each.system)))


def _known(terms: Terms) -> frozenset[tuple[str, str]]:
    return frozenset((*terms.drugs, *terms.observations, *terms.genomics))


def _is_known(system: str, coding: Coding, known: frozenset[tuple[str, str]]) -> bool:
    return (system, str(coding.code).strip()) in known


def _best(found: list[tuple[str, Coding]], known: frozenset[tuple[str, str]]) -> str:
    """Of the systems of one entry that we cannot read: one that we know, else the first."""
    systems = {system for system, _ in known}
    return next((system for system, _ in found if system in systems), found[0][0])
