"""The shelf: what is stored, validated on its way in, with references that lead somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import RLock
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

Json = dict[str, Any]
FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_REFERENCE = re.compile(r"(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9\-.]{1,64})")
TYPES = (
    "Patient", "Condition", "Observation", "MedicationRequest", "MedicationStatement",
    "MedicationAdministration", "Medication", "ServiceRequest", "Procedure",
    "AllergyIntolerance", "DiagnosticReport", "Practitioner", "Encounter",
)  # fmt: skip


@dataclass(frozen=True)
class Refused(Exception):
    """Why a request is refused: HTTP status, issue code and words."""

    status: int
    code: str
    words: str
    expression: str = ""


@dataclass
class Shelf:
    """Resources by type and id; None where one was deleted."""

    held: dict[tuple[str, str], Json | None] = field(default_factory=dict)
    lock: RLock = field(default_factory=RLock)

    def read(self, kind: str, identity: str) -> Json:
        """The resource. Raises Refused: 404 when it never was, 410 when it was deleted."""
        if (kind, identity) not in self.held:
            raise Refused(404, "not-found", f"there is no {kind} of that id")
        found = self.held[kind, identity]
        if found is None:
            raise Refused(410, "deleted", f"this {kind} was deleted")
        return found

    def all(self, kind: str) -> Iterator[Json]:
        """Every resource of a type, in the order in which they came."""
        yield from [found for (type_, _), found in self.held.items() if type_ == kind and found is not None]

    def write(self, changes: Mapping[tuple[str, str], Json | None]) -> dict[tuple[str, str], int]:
        """Write all changes, or none; None deletes. The HTTP status of each. Raises Refused."""
        with self.lock:
            for (kind, identity), resource in changes.items():
                if resource is not None:
                    _check(kind, identity, resource)
            after = {key: each for key, each in {**self.held, **changes}.items() if each is not None}
            _keep_whole(changes, after)
            return {key: self._put(key, resource) for key, resource in changes.items()}

    def _put(self, key: tuple[str, str], resource: Json | None) -> int:
        before = self.held.get(key)
        if resource is None:
            if before is not None:
                self.held[key] = None
            return 204
        version = int(before["meta"]["versionId"]) + 1 if before else 1
        meta = {**resource.get("meta", {}), "versionId": str(version)}
        meta["lastUpdated"] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.held[key] = {**resource, "meta": meta}
        return 200 if before else 201


def _check(kind: str, identity: str, resource: Json) -> None:
    if kind not in TYPES:
        raise Refused(404, "not-supported", f"this server knows no {kind}")
    if not FHIR_ID.fullmatch(identity):
        raise Refused(400, "value", "the id is not one that FHIR allows")
    if (resource.get("resourceType"), resource.get("id")) != (kind, identity):
        raise Refused(400, "invariant", "type or id in the body differ from those of the address")
    try:
        get_fhir_model_class(kind).model_validate(resource)
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        raise Refused(422, "structure", str(first["msg"]), ".".join((kind, *map(str, first["loc"])))) from None


def _keep_whole(changes: Mapping[tuple[str, str], Json | None], after: Mapping[tuple[str, str], Json]) -> None:
    """No reference may lead nowhere. Raises Refused."""
    for resource in changes.values():
        for target in references(resource):
            if target not in after:
                raise Refused(422, "not-found", f"a reference leads to {target[0]}/…, which is not on this server")
    gone = {key for key, resource in changes.items() if resource is None}
    for key, resource in after.items() if gone else ():
        lost = gone & set(references(resource))
        if lost:
            raise Refused(409, "conflict", f"{next(iter(lost))[0]} cannot be deleted: {key[0]} refers to it")


def references(value: Any) -> Iterator[tuple[str, str]]:
    """What a resource refers to on this server, as type and id."""
    if isinstance(value, dict):
        written = value.get("reference")
        found = _REFERENCE.fullmatch(written) if isinstance(written, str) else None
        if found:
            yield found["type"], found["id"]
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)
