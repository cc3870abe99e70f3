"""A terminology server: the three questions that are asked of it, and what of its answers is read.

Only a code and its system go out, to the address of the setting and nowhere else. It is asked with the care that a FHIR
server is asked with: no redirects, bounded time and size. What it cannot answer is raised as NoAnswer, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic
from urllib.parse import urlencode

import msgspec

from cds_service.decoding import decode
from cds_service.gather.limits import Deadline, Limits
from cds_service.gather.query import FhirSession
from cds_service.gather.replies import Status
from cds_service.hooks.request import FhirAccess
from cds_service.security.outbound import Way

SECONDS = 5.0  # for one question; nobody waits for it
_EXACT = frozenset({"equal", "equivalent"})
_SUBSUMES = frozenset({"equivalent", "subsumes"})
_REFUSED = re.compile(r"answered (?:400|404|422)")  # how servers say that a code is not in their copy of a system
LIMITS = Limits(threads=1, answer_bytes=1_000_000, pages=1, requests=1)


class NoAnswer(Exception):
    """The server gave no usable answer, and why, in words."""


class NotKnownThere(NoAnswer):
    """The server does not know the code, or refuses the question: asking again would not help."""


class Coding(msgspec.Struct):
    """A coding as it stands in an answer."""

    system: str = ""
    code: str = ""


class Parameter(msgspec.Struct):
    """One parameter of an answer, or one part of it."""

    name: str = ""
    valueString: str = ""  # noqa: N815 - FHIR's own name
    valueCode: str = ""  # noqa: N815
    valueBoolean: bool | None = None  # noqa: N815
    valueCoding: Coding | None = None  # noqa: N815
    part: list[Parameter] = []


class _Parameters(msgspec.Struct):
    parameter: list[Parameter] = []


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look-up told of a code: its name, and the codes that it is related to by each property."""

    display: str
    related: tuple[tuple[str, str], ...]  # property, code


@dataclass(frozen=True)
class TerminologyServer:
    """Asks one terminology server, one question after the other."""

    base: str
    session: FhirSession

    @classmethod
    def at(cls, base: str, way: Way | None = None) -> TerminologyServer:
        """The server with that base URL."""
        return cls(base.rstrip("/"), FhirSession(LIMITS, way))

    def lookup(self, system: str, code: str) -> Looked:
        """What the server knows of the code. Raises NoAnswer, also for a code that it does not know."""
        parameters = self._ask("CodeSystem/$lookup", system=system, code=code)
        display = next((each.valueString for each in parameters if each.name == "display"), "")
        return Looked(display, tuple(_related(parameters)))

    def translate(self, system: str, code: str, target: str) -> tuple[str, ...]:
        """The codes of another system that are equivalent to this one, by the maps of the server."""
        parameters = self._ask("ConceptMap/$translate", system=system, code=code, targetsystem=target)
        return tuple(dict.fromkeys(_equivalent(parameters, target)))

    def subsumes(self, system: str, wider: str, code: str) -> bool:
        """Whether `wider` is the code or stands above it in the hierarchy of its system."""
        parameters = self._ask("CodeSystem/$subsumes", system=system, codeA=wider, codeB=code)
        outcome = next((each.valueCode for each in parameters if each.name == "outcome"), "")
        if not outcome:
            raise NoAnswer("the answer holds no outcome")
        return outcome in _SUBSUMES

    def _ask(self, operation: str, **asked: str) -> list[Parameter]:
        query = f"{operation}?{urlencode(asked)}"
        deadline = Deadline(SECONDS, monotonic, last_start=1.0)
        answered = self.session.ask_all(FhirAccess(self.base), {"it": query}, deadline)["it"]
        if _REFUSED.search(answered.why):
            raise NotKnownThere(answered.why)
        if answered.status is not Status.COMPLETE or not answered.resources:
            raise NoAnswer(answered.why or "nothing came back")
        try:
            return decode(answered.resources[0], _Parameters).parameter
        except (msgspec.DecodeError, RecursionError):
            raise NoAnswer("the answer cannot be read") from None


def _related(parameters: list[Parameter]) -> Iterator[tuple[str, str]]:
    for each in parameters:
        if each.name == "property":
            parts = {part.name: part for part in each.part}
            name, value = parts.get("code"), parts.get("value")
            if name is not None and value is not None:
                code = value.valueCoding.code if value.valueCoding else value.valueCode or value.valueString
                yield name.valueCode or name.valueString, code


def _equivalent(parameters: list[Parameter], target: str) -> Iterator[str]:
    for each in parameters:
        if each.name == "match":
            parts = {part.name: part for part in each.part}
            how = parts.get("equivalence") or parts.get("relationship")  # R4, R5
            concept = parts.get("concept")
            coding = concept.valueCoding if concept else None
            if how is not None and how.valueCode in _EXACT and coding is not None and coding.system == target:
                yield coding.code
