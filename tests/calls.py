"""Calls in short: FHIR resources and hook requests that tests put together in a line each, answered in process."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cds_service.answer import Answer, Tools, answer, load_tools
from cds_service.settings import Settings

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
UNHURRIED = {"ANSWER_SECONDS": "30"}  # a busy machine is no other behaviour
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM = "http://unitsofmeasure.org"
SUBJECT = {"reference": "Patient/p1"}
PATIENT = {"resourceType": "Patient", "id": "p1", "birthDate": "1960-01-01", "gender": "female"}


@cache
def tools() -> Tools:
    """The service's own tools, with a fixed day."""
    return replace(load_tools(Settings.load(UNHURRIED)), now=lambda: NOW)


def observation(code: str, value: float, unit: str, when: str, **more: Any) -> dict[str, Any]:
    """A final LOINC-coded result."""
    return {
        "resourceType": "Observation",
        "id": f"o{code}-{when[:10]}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": SUBJECT,
        "effectiveDateTime": when,
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
    } | more


def qtcf(value: float, when: str = "2026-11-20T08:00:00Z") -> dict[str, Any]:
    """A QTcF in ms."""
    return observation("76634-5", value, "ms", when)


def flt3_itd(when: str, present: bool = True) -> dict[str, Any]:
    """A result of the FLT3-ITD test."""
    answer_code = "LA9633-4" if present else "LA9634-2"
    result = observation("79210-1", 0, "1", when)
    del result["valueQuantity"]
    return result | {"valueCodeableConcept": {"coding": [{"system": "http://loinc.org", "code": answer_code}]}}


def order(text: str, rxnorm: str = "", mg: float | None = None, **more: Any) -> dict[str, Any]:
    """A MedicationRequest; `mg` once daily."""
    concept: dict[str, Any] = {"text": text}
    if rxnorm:
        concept["coding"] = [{"system": RXNORM, "code": rxnorm}]
    built: dict[str, Any] = {
        "resourceType": "MedicationRequest",
        "id": "m-" + text.split()[0].lower(),
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": concept,
        "subject": SUBJECT,
        "authoredOn": "2026-11-20",
    }
    if mg is not None:
        built["dosageInstruction"] = [
            {
                "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
                "doseAndRate": [{"doseQuantity": {"value": mg, "unit": "mg", "system": UCUM, "code": "mg"}}],
            }
        ]
    return built | more


def gilteritinib(**more: Any) -> dict[str, Any]:
    """Gilteritinib 120 mg daily."""
    return order("gilteritinib 40 MG Oral Tablet", "2105811", 120, **more)


def venetoclax(mg: float = 400, **more: Any) -> dict[str, Any]:
    """Venetoclax, as 100 mg tablets."""
    return order("venetoclax 100 MG Oral Tablet", "1747561", mg, **more)


def condition(code: str, text: str, onset: str | None = "2026-11-01", **more: Any) -> dict[str, Any]:
    """An active ICD-10-CM coded condition."""
    return {
        "resourceType": "Condition",
        "id": f"c-{code}",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": code}], "text": text},
        "subject": SUBJECT,
        **({"onsetDateTime": onset} if onset else {}),
    } | more


RELAPSED = condition("C92.02", "AML in relapse")
ELECTROLYTES = [
    observation("2823-3", 4.4, "mmol/L", "2026-11-20T08:00:00Z"),
    observation("2601-3", 0.9, "mmol/L", "2026-11-20T08:00:00Z"),
]


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    """A searchset."""
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": each} for each in resources]}


def request(
    hook: str, *drafts: dict[str, Any], selected: tuple[str, ...] | None = None, **chart: Any
) -> dict[str, Any]:
    """A hook request with every prefetch key answered. `chart`: prefetch key = list of resources (or any JSON)."""
    prefetch: dict[str, Any] = {"patient": PATIENT, "conditions": bundle(RELAPSED)}
    prefetch |= {key: bundle() for key in ("medications", "ecg", "labs", "bedside", "genomics", "orders", "procedures")}
    prefetch["allergies"] = bundle()
    prefetch |= {key: bundle(*value) if isinstance(value, list) else value for key, value in chart.items()}
    context: dict[str, Any] = {"patientId": "p1", "userId": "Practitioner/1"}
    if hook != "patient-view":
        context["draftOrders"] = bundle(*drafts)
    if hook == "order-select":
        context["selections"] = list(selected or (f"{each['resourceType']}/{each['id']}" for each in drafts))
    return {
        "hook": hook,
        "hookInstance": "6f1d8a3e-0000-4000-8000-000000000001",
        "context": context,
        "prefetch": prefetch,
    }


def ask(body: dict[str, Any]) -> Answer:
    """The answer to a hook request, in process."""
    service = next(each for each in tools().services if each.hook == body["hook"])
    return answer(json.dumps(body).encode(), service, tools())


def cards(hook: str, *drafts: dict[str, Any], **chart: Any) -> list[dict[str, Any]]:
    """The cards of such a request, as JSON."""
    found: list[dict[str, Any]] = json.loads(ask(request(hook, *drafts, **chart)).body)["cards"]
    return found
