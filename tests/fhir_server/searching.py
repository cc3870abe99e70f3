"""Searching: the parameters that this server knows, and a refusal of every other one, as a strict server does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.fhir_server.shelf import Json, Refused, Shelf

TOKENS = {"code": "code", "status": "status", "_tag": "meta.tag", "_id": "id", "intent": "intent"}
REFERENCES = {"patient": ("subject", "patient"), "subject": ("subject",)}
PARAMETERS = {
    "Patient": (),
    "Condition": ("patient", "subject", "code"),
    "Observation": ("patient", "subject", "code", "status"),
    "MedicationRequest": ("patient", "subject", "status", "intent"),
    "MedicationStatement": ("patient", "subject", "status"),
    "MedicationAdministration": ("patient", "subject", "status"),
    "Medication": ("code",),
    "ServiceRequest": ("patient", "subject", "status", "code"),
    "Procedure": ("patient", "subject", "status", "code"),
    "AllergyIntolerance": ("patient",),
    "DiagnosticReport": ("patient", "subject", "status", "code"),
    "Encounter": ("patient", "subject", "status"),
    "Practitioner": (),
}
EVERYWHERE = ("_id", "_tag")
INCLUDES = {"MedicationRequest": {"MedicationRequest:medication": ("medicationReference", "Medication")}}
CONTROLS = ("_count", "_offset", "_format")
Pairs = tuple[tuple[str, str], ...]


def known(kind: str, without: Iterable[str] = ()) -> tuple[str, ...]:
    """The parameters of a type, without those that a fault takes away."""
    return tuple(each for each in (*EVERYWHERE, *PARAMETERS[kind]) if each not in without)


def search(shelf: Shelf, kind: str, pairs: Pairs, base: str, without: Iterable[str]) -> list[Json]:
    """The matches. Raises Refused for anything this server does not know."""
    if kind not in PARAMETERS:
        raise Refused(404, "not-supported", f"this server knows no {kind}")
    tests: list[tuple[str, list[str]]] = []
    for name, value in pairs:
        if name in CONTROLS and name not in without:
            continue
        if name == "_include" and name not in without and value in INCLUDES.get(kind, {}):
            continue
        if name not in known(kind, without):
            # Like real servers it also lists what it does know, which a reader must not take for the culprit.
            raise Refused(
                400, "not-supported",
                f'Unknown search parameter "{name}" for {kind}. Known are: {", ".join(known(kind, without))}',
            )
        if not value:
            raise Refused(400, "value", f"search parameter {name} has no value")
        tests.append((name, value.split(",")))
    return [each for each in shelf.all(kind) if all(_fits(each, name, wanted, base) for name, wanted in tests)]


def _fits(resource: Json, name: str, wanted: list[str], base: str) -> bool:
    if name in REFERENCES:
        held = {resource[each]["reference"] for each in REFERENCES[name] if "reference" in resource.get(each, {})}
        return any(_relative(each, base) in held for each in wanted)
    return any(_has_token(resource, TOKENS[name], each) for each in wanted)


def _relative(value: str, base: str) -> str:
    value = value.removeprefix(f"{base}/")
    return value if "/" in value else f"Patient/{value}"


def _has_token(resource: Json, path: str, token: str) -> bool:
    value: Any = resource
    for step in path.split("."):
        value = value.get(step, {}) if isinstance(value, dict) else {}
    codings = value.get("coding", []) if isinstance(value, dict) else value if isinstance(value, list) else []
    system, bar, code = token.rpartition("|")
    if isinstance(value, str):
        return not bar and value == token
    return any(each.get("code") == code and (not bar or each.get("system", "") == system) for each in codings)


def included(shelf: Shelf, kind: str, matches: list[Json], includes: list[str]) -> list[Json]:
    """What the matches refer to and the caller wants along."""
    found: dict[str, Json] = {}
    for name in includes:
        element, target = INCLUDES[kind][name]
        for each in matches:
            type_, _, identity = each.get(element, {}).get("reference", "").partition("/")
            if type_ == target:
                found[identity] = shelf.read(target, identity)
    return list(found.values())
