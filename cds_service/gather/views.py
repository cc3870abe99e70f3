# ruff: noqa: N815  (field names are FHIR's own)
"""Typed views: of each FHIR R4 resource the few elements that the readers need, and no more.

The names are FHIR's. What is not listed here is not read. `MEANING` lists the elements that carry meaning for the
rules: `resources` never leaves one of them out to make a resource pass.

A view is a tree and holds no circle, so that Python's collector of circles need not look at it (`gc=False`).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

_MOST_DIGITS = 100  # before or behind the point; what is measured has far fewer


def _usable(number: Decimal | None) -> Decimal | None:
    """The number, if it is one of possible size: "NaN" is none, and neither is what could fill the memory."""
    if number is None or (number.is_finite() and abs(number.adjusted()) <= _MOST_DIGITS):
        return number
    return None


class Coding(msgspec.Struct, gc=False, omit_defaults=True):
    system: str | None = None
    code: str | None = None
    display: str | None = None


class CodeableConcept(msgspec.Struct, dict=True, omit_defaults=True):  # where readers keep what they made of it
    coding: list[Coding] | None = None
    text: str | None = None


class Quantity(msgspec.Struct, gc=False, omit_defaults=True):
    """`written`: the value as it came. It is judged when it is asked for: most are never."""

    written: Decimal | None = msgspec.field(default=None, name="value")
    comparator: str | None = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None

    @property
    def value(self) -> Decimal | None:
        """The value, if it is a number of possible size."""
        return _usable(self.written)


class Range(msgspec.Struct, gc=False, omit_defaults=True):
    low: Quantity | None = None
    high: Quantity | None = None


class Ratio(msgspec.Struct, gc=False, omit_defaults=True):
    numerator: Quantity | None = None
    denominator: Quantity | None = None


class Identifier(msgspec.Struct, gc=False):
    system: str | None = None
    value: str | None = None


class Reference(msgspec.Struct, gc=False):
    reference: str | None = None
    display: str | None = None
    type: str | None = None
    identifier: Identifier | None = None


class Either(msgspec.Struct, gc=False):
    """A concept or a reference in one element, as R5 writes what R4 has two elements for."""

    concept: CodeableConcept | None = None
    reference: Reference | None = None


class Period(msgspec.Struct, gc=False):
    start: str | None = None
    end: str | None = None


class Link(msgspec.Struct, gc=False):
    other: Reference | None = None
    type: str | None = None


class Extension(msgspec.Struct, gc=False):
    url: str | None = None
    valueReference: Reference | None = None
    valueCode: str | None = None


class View(msgspec.Struct, kw_only=True, tag_field="resourceType", tag=True, gc=False):
    """A resource. Its name is that of its class, so that one decoder tells all types apart (`ANY`)."""

    id: str | None = None


class Patient(View, kw_only=True):
    birthDate: str | None = None
    gender: str | None = None
    deceasedBoolean: bool | None = None
    deceasedDateTime: str | None = None
    link: list[Link] | None = None
    extension: list[Extension] | None = None


class Condition(View, kw_only=True):
    clinicalStatus: CodeableConcept | None = None
    verificationStatus: CodeableConcept | None = None
    category: list[CodeableConcept] | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    onsetDateTime: str | None = None
    onsetString: str | None = None
    onsetPeriod: Period | None = None
    abatementDateTime: str | None = None
    abatementPeriod: Period | None = None
    recordedDate: str | None = None


class ReferenceRange(msgspec.Struct, gc=False):
    low: Quantity | None = None
    high: Quantity | None = None
    type: CodeableConcept | None = None


class Happened(msgspec.Struct, gc=False):
    """Of a Timing the moments that it names."""

    event: list[str] | None = None


class Component(View, kw_only=True):
    """What an Observation and each of its components have in common: a code and a value in one of many shapes."""

    code: CodeableConcept | None = None
    valueQuantity: Quantity | None = None
    valueCodeableConcept: CodeableConcept | None = None
    valueString: str | None = None
    valueBoolean: bool | None = None
    valueInteger: int | None = None
    valueRange: Range | None = None
    valueRatio: Ratio | None = None
    valueSampledData: dict[str, Any] | None = None
    dataAbsentReason: CodeableConcept | None = None
    interpretation: list[CodeableConcept] | None = None
    referenceRange: list[ReferenceRange] | None = None


class Note(msgspec.Struct, gc=False):
    text: str | None = None


class Observation(Component, kw_only=True):
    status: str | None = None
    subject: Reference | None = None
    effectiveDateTime: str | None = None
    effectivePeriod: Period | None = None
    effectiveInstant: str | None = None
    effectiveTiming: Happened | None = None
    issued: str | None = None
    component: list[Component] | None = None
    specimen: Reference | None = None
    focus: list[Reference] | None = None
    note: list[Note] | None = None
    method: CodeableConcept | None = None
    contained: list[msgspec.Raw] | None = None


class Collection(msgspec.Struct, gc=False):
    collectedDateTime: str | None = None
    collectedPeriod: Period | None = None


class Specimen(View, kw_only=True):
    subject: Reference | None = None
    type: CodeableConcept | None = None
    collection: Collection | None = None


class DiagnosticReport(View, kw_only=True):
    status: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    effectiveDateTime: str | None = None
    effectivePeriod: Period | None = None
    issued: str | None = None
    specimen: list[Reference] | None = None
    result: list[Reference] | None = None
    conclusion: str | None = None
    conclusionCode: list[CodeableConcept] | None = None
    contained: list[msgspec.Raw] | None = None


class Repeat(msgspec.Struct, gc=False, omit_defaults=True):
    frequency: int | None = None
    frequencyMax: int | None = None
    period: Decimal | None = None
    periodMax: Decimal | None = None
    periodUnit: str | None = None
    timeOfDay: list[str] | None = None
    when: list[str] | None = None
    dayOfWeek: list[str] | None = None
    count: int | None = None
    countMax: int | None = None
    duration: Decimal | None = None
    durationMax: Decimal | None = None
    durationUnit: str | None = None
    boundsPeriod: Period | None = None
    boundsDuration: Quantity | None = None
    boundsRange: Range | None = None

    def __post_init__(self) -> None:
        self.period, self.periodMax = _usable(self.period), _usable(self.periodMax)
        self.duration, self.durationMax = _usable(self.duration), _usable(self.durationMax)


class Timing(msgspec.Struct, gc=False, omit_defaults=True):
    event: list[str] | None = None
    repeat: Repeat | None = None
    code: CodeableConcept | None = None


class DoseAndRate(msgspec.Struct, gc=False, omit_defaults=True):
    type: CodeableConcept | None = None
    doseQuantity: Quantity | None = None
    doseRange: Range | None = None
    rateRatio: Ratio | None = None
    rateRange: Range | None = None
    rateQuantity: Quantity | None = None


class Dosage(msgspec.Struct, gc=False, omit_defaults=True):
    sequence: int | None = None
    text: str | None = None
    timing: Timing | None = None
    asNeededBoolean: bool | None = None
    asNeededCodeableConcept: CodeableConcept | None = None
    maxDosePerPeriod: Ratio | None = None
    route: CodeableConcept | None = None
    doseAndRate: list[DoseAndRate] | None = None


class DispenseRequest(msgspec.Struct, gc=False):
    validityPeriod: Period | None = None


class MedicationRequest(View, kw_only=True):
    status: str | None = None
    statusReason: CodeableConcept | None = None
    intent: str | None = None
    doNotPerform: bool | None = None
    medicationCodeableConcept: CodeableConcept | None = None
    medicationReference: Reference | None = None
    medication: Either | None = None  # of R5: such an order is not valid, and names its drug with that doubt
    subject: Reference | None = None
    authoredOn: str | None = None
    dosageInstruction: list[Dosage] | None = None
    dispenseRequest: DispenseRequest | None = None
    priorPrescription: Reference | None = None
    basedOn: list[Reference] | None = None
    extension: list[Extension] | None = None
    reportedBoolean: bool | None = None
    reportedReference: Reference | None = None
    contained: list[msgspec.Raw] | None = None


class MedicationStatement(View, kw_only=True):
    """What somebody says that the patient takes. Its dosage is that of an order, under another name."""

    status: str | None = None
    statusReason: list[CodeableConcept] | None = None
    medicationCodeableConcept: CodeableConcept | None = None
    medicationReference: Reference | None = None
    subject: Reference | None = None
    effectiveDateTime: str | None = None
    effectivePeriod: Period | None = None
    dateAsserted: str | None = None
    dosage: list[Dosage] | None = None
    contained: list[msgspec.Raw] | None = None
    taken: str | None = None  # of STU3, where it says whether it is taken at all


class Given(msgspec.Struct, gc=False):
    """How a dose was given."""

    text: str | None = None
    route: CodeableConcept | None = None
    dose: Quantity | None = None


class MedicationAdministration(View, kw_only=True):
    """One dose, or a time of doses, that was given."""

    status: str | None = None
    medicationCodeableConcept: CodeableConcept | None = None
    medicationReference: Reference | None = None
    subject: Reference | None = None
    effectiveDateTime: str | None = None
    effectivePeriod: Period | None = None
    dosage: Given | None = None
    contained: list[msgspec.Raw] | None = None


class Substance(View, kw_only=True):
    code: CodeableConcept | None = None


class Ingredient(msgspec.Struct, gc=False):
    itemCodeableConcept: CodeableConcept | None = None
    itemReference: Reference | None = None
    isActive: bool | None = None
    strength: Ratio | None = None


class Medication(View, kw_only=True):
    code: CodeableConcept | None = None
    form: CodeableConcept | None = None
    ingredient: list[Ingredient] | None = None


class ServiceRequest(View, kw_only=True):
    status: str | None = None
    intent: str | None = None
    doNotPerform: bool | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    occurrenceDateTime: str | None = None
    occurrencePeriod: Period | None = None
    occurrenceTiming: Timing | None = None
    authoredOn: str | None = None
    basedOn: list[Reference] | None = None
    replaces: list[Reference] | None = None


class RequestAction(msgspec.Struct, gc=False):
    title: str | None = None
    code: list[CodeableConcept] | None = None
    resource: Reference | None = None
    action: list[RequestAction] | None = None


class RequestGroup(View, kw_only=True):
    status: str | None = None
    intent: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    authoredOn: str | None = None
    action: list[RequestAction] | None = None


class ActivityDetail(msgspec.Struct, gc=False):
    kind: str | None = None
    code: CodeableConcept | None = None
    status: str | None = None
    doNotPerform: bool | None = None
    productCodeableConcept: CodeableConcept | None = None
    productReference: Reference | None = None


class Activity(msgspec.Struct, gc=False):
    reference: Reference | None = None
    detail: ActivityDetail | None = None


class CarePlan(View, kw_only=True):
    status: str | None = None
    intent: str | None = None
    title: str | None = None
    category: list[CodeableConcept] | None = None
    subject: Reference | None = None
    created: str | None = None
    activity: list[Activity] | None = None


class Procedure(View, kw_only=True):
    status: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    performedDateTime: str | None = None
    performedPeriod: Period | None = None


class Reaction(msgspec.Struct, gc=False):
    substance: CodeableConcept | None = None
    manifestation: list[CodeableConcept] | None = None


class AllergyIntolerance(View, kw_only=True):
    clinicalStatus: CodeableConcept | None = None
    verificationStatus: CodeableConcept | None = None
    type: str | None = None
    criticality: str | None = None
    code: CodeableConcept | None = None
    patient: Reference | None = None
    onsetDateTime: str | None = None
    recordedDate: str | None = None
    reaction: list[Reaction] | None = None


VIEWS: Mapping[str, type[View]] = {
    view.__name__: view
    for view in (
        Patient,
        Condition,
        Observation,
        Specimen,
        DiagnosticReport,
        MedicationRequest,
        MedicationStatement,
        MedicationAdministration,
        Medication,
        Substance,
        ServiceRequest,
        RequestGroup,
        CarePlan,
        Procedure,
        AllergyIntolerance,
    )
}

_ALWAYS = frozenset({"resourceType", "status", "code", "subject", "modifierExtension", "implicitRules"})
MEANING: Mapping[str, frozenset[str]] = {
    "Patient": _ALWAYS | {"birthDate", "deceasedBoolean", "deceasedDateTime"},
    "Condition": _ALWAYS | {"clinicalStatus", "verificationStatus"},
    "Observation": _ALWAYS
    | {"component", "dataAbsentReason", "effectiveDateTime", "specimen", "focus", "contained"}
    | {name for name in Component.__struct_fields__ if name.startswith("value")},
    "Specimen": _ALWAYS | {"collection"},
    "DiagnosticReport": _ALWAYS | {"effectiveDateTime", "effectivePeriod", "specimen", "result", "contained"},
    "MedicationRequest": _ALWAYS
    | {
        "medicationCodeableConcept",
        "medicationReference",
        "dosageInstruction",
        "medication",
        "doNotPerform",
        "contained",
    },
    "MedicationStatement": _ALWAYS
    | {"medicationCodeableConcept", "medicationReference", "dosage", "medication", "contained"},
    "MedicationAdministration": _ALWAYS
    | {"medicationCodeableConcept", "medicationReference", "medication", "contained"}
    | {"effectiveDateTime", "effectivePeriod"},
    "Medication": _ALWAYS | {"ingredient"},
    "Substance": _ALWAYS,
    "ServiceRequest": _ALWAYS | {"doNotPerform"},
    "RequestGroup": _ALWAYS | {"action"},
    "CarePlan": _ALWAYS | {"title", "activity"},
    "Procedure": _ALWAYS | {"performedDateTime", "performedPeriod"},
    "AllergyIntolerance": _ALWAYS | {"clinicalStatus", "verificationStatus", "patient", "reaction"},
}
