"""Versions of FHIR: we read R4 and R4B. Another one is refused by its number, or named where a resource betrays it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_READ = ("4.0", "4.1", "4.3")  # R4, the ballot of R4B, R4B
_NAMES = {"0": "DSTU1", "1": "DSTU2", "3": "STU3", "4": "a preview of R5", "5": "R5", "6": "R6"}
_OLD = "STU3 or older"

# Elements that only one side of R4 has, by type of resource.
_BEFORE: Mapping[str, frozenset[str]] = {
    "Condition": frozenset({"context", "assertedDate", "patient", "dateRecorded"}),
    "Observation": frozenset({"context", "comments", "related"}),
    "MedicationRequest": frozenset({"context", "dispense", "dateWritten"}),
    "Procedure": frozenset({"context", "notPerformed", "notDone", "notDoneReason"}),
    "AllergyIntolerance": frozenset({"assertedDate", "substance"}),
}
_AFTER: Mapping[str, frozenset[str]] = {
    "Condition": frozenset({"participant"}),
    "Observation": frozenset({"instantiatesReference", "triggeredBy", "bodyStructure"}),
    "MedicationRequest": frozenset({"medication", "informationSource", "renderedDosageInstruction"}),
    "Procedure": frozenset({"occurrenceDateTime", "occurrencePeriod", "recorded", "reported"}),
    "AllergyIntolerance": frozenset({"participant"}),
}


def is_read(version: str) -> bool:
    """Whether this is a `fhirVersion` that we read, such as "4.0.1"; a MIME type says "4.0"."""
    return ".".join(version.split(".")[:2]) in _READ


def refusal(version: str) -> str:
    """Why a server of this `fhirVersion` is not asked, in words."""
    name = _NAMES.get(version.partition(".")[0], "another version")
    return f"the FHIR server speaks FHIR {name}, and this service reads R4 and R4B"


def betrayed(type_name: str, content: Mapping[str, Any]) -> str:
    """The other version that a resource is written in, in words; "" where nothing betrays one."""
    if _AFTER.get(type_name, frozenset()) & content.keys():
        return "R5"
    status = content.get("clinicalStatus")
    plain = type_name in ("Condition", "AllergyIntolerance") and isinstance(status, str)
    return _OLD if plain or _BEFORE.get(type_name, frozenset()) & content.keys() else ""
