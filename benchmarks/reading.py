"""How long one resource takes to read, by its type: `make bench-reading`. In one process, no network, under a minute.

A chart is read with few resources of a type and with many of them, no two alike; the difference, divided, is the time
of one. Kinds are interleaved and the least of several rounds counts, as a busy machine only ever adds. "Of ours" means
that a rule may ask for it; of any other resource only so much is read as shows that it is none.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from cds_service.facts.chart import read_chart
from cds_service.facts.values.results import Spans
from cds_service.gather.collect import collect
from cds_service.gather.limits import Deadline
from cds_service.hooks.request import HookRequest
from cds_service.hooks.services import Moment, Query, Service
from cds_service.knowledge.load import Knowledge
from cds_service.quantity import Quantity

Json = dict[str, Any]
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FEW, MANY, ROUNDS = 5, 105, 7
LOINC, RXNORM = "http://loinc.org", "http://www.nlm.nih.gov/research/umls/rxnorm"
ICD, SNOMED, CPT = "http://hl7.org/fhir/sid/icd-10-cm", "http://snomed.info/sct", "http://www.ama-assn.org/go/cpt"
SUBJECT = {"reference": "Patient/p1"}


def coded(system: str, code: str, text: str) -> Json:
    """A concept with one coding."""
    return {"coding": [{"system": system, "code": code, "display": text}], "text": text}


def observation(number: int, code: Json, **value: Any) -> Json:
    """A final result, another one for each number."""
    day = f"2026-{1 + number % 10:02d}-{1 + number % 27:02d}T08:{number % 60:02d}:00Z"
    return {
        "resourceType": "Observation", "id": f"o{number}", "status": "final", "code": code, "subject": SUBJECT,
        "effectiveDateTime": day, **value,
    }  # fmt: skip


def order(number: int, code: str, text: str) -> Json:
    """An active order, once daily."""
    return {
        "resourceType": "MedicationRequest", "id": f"m{number}", "status": "active", "intent": "order",
        "subject": SUBJECT, "authoredOn": "2026-10-01", "medicationCodeableConcept": coded(RXNORM, code, text),
        "dosageInstruction": [{
            "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
            "doseAndRate": [{"doseQuantity": {"value": 40 + number % 5, "unit": "mg"}}],
        }],
    }  # fmt: skip


def variant(number: int) -> Json:
    """A variant as Genomics Reporting writes it."""
    parts = [("48018-6", "FLT3"), ("48005-3", "p.Asp835Tyr"), ("81258-6", None)]
    components = [
        {"code": coded(LOINC, code, code)}
        | ({"valueCodeableConcept": {"text": text}} if text else {"valueQuantity": {"value": 0.2, "unit": "1"}})
        for code, text in parts
    ]
    return observation(
        number, coded(LOINC, "69548-6", "Genetic variant assessment"), component=components,
        valueCodeableConcept=coded(LOINC, "LA9633-4", "Present"),
    )  # fmt: skip


KINDS: dict[str, tuple[str, Callable[[int], Json]]] = {
    "Observation, potassium": ("labs", lambda n: observation(
        n, coded(LOINC, "2823-3", "Potassium"), valueQuantity={"value": 3.5 + n % 20 / 10, "unit": "mmol/L"})),
    "Observation, QTcF": ("ecg", lambda n: observation(
        n, coded(LOINC, "76634-5", "QTcF"), valueQuantity={"value": 400 + n, "unit": "ms"})),
    "Observation, FLT3-ITD": ("genomics", lambda n: observation(
        n, coded(LOINC, "79210-1", "FLT3 ITD"), valueCodeableConcept=coded(LOINC, "LA9633-4", "Present"))),
    "Observation, variant with components": ("genomics", variant),
    "Observation, in words": ("genomics", lambda n: observation(
        n, {"text": "Myeloid panel"}, valueString=f"FLT3-ITD not detected; NPM1 mutated, VAF {n % 50} %")),
    "Observation, none of ours": ("labs", lambda n: observation(
        n, coded(LOINC, "2947-0", "Sodium"), valueQuantity={"value": 140, "unit": "mmol/L"})),
    "MedicationRequest, of ours": ("medications", lambda n: order(n, "2105851", "gilteritinib 40 MG Oral Tablet")),
    "MedicationRequest, none of ours": ("medications", lambda n: order(n, f"99{n:05}", f"product {n}")),
    "Condition": ("conditions", lambda n: {
        "resourceType": "Condition", "id": f"c{n}", "subject": SUBJECT,
        "clinicalStatus": coded("http://terminology.hl7.org/CodeSystem/condition-clinical", "active", "Active"),
        "code": coded(ICD, "C92.02" if n % 2 else "I10", "on the problem list"), "onsetDateTime": "2026-01-01"}),
    "Procedure": ("procedures", lambda n: {
        "resourceType": "Procedure", "id": f"p{n}", "status": "completed", "subject": SUBJECT,
        "code": coded(CPT, "38240", "transplant"), "performedDateTime": "2026-01-01"}),
    "AllergyIntolerance": ("allergies", lambda n: {
        "resourceType": "AllergyIntolerance", "id": f"a{n}", "patient": SUBJECT,
        "code": coded(SNOMED, "91936005", "Allergy to penicillin")}),
    "ServiceRequest": ("orders", lambda n: {
        "resourceType": "ServiceRequest", "id": f"s{n}", "status": "active", "intent": "order", "subject": SUBJECT,
        "code": coded(LOINC, "11524-6", "EKG study")}),
}  # fmt: skip


class NoServer:
    """No FHIR server: everything was sent along."""

    def refusal(self, access: Any) -> str | None:
        """Nobody may be asked."""
        return "not here"

    ask_all = more_pages = refusal


def seconds(key: str, resources: list[Json], knowledge: Knowledge) -> float:
    """The time of collecting and reading a chart with these resources."""
    keys = ("patient", "conditions", "medications", "ecg", "labs", "bedside", "genomics", "orders", "procedures",
            "allergies", "statements", "administrations")  # fmt: skip
    bundles: dict[str, Any] = {name: {"resourceType": "Bundle", "type": "searchset", "entry": []} for name in keys}
    bundles["patient"] = {"resourceType": "Patient", "id": "p1", "birthDate": "1960-01-01"}
    bundles[key]["entry"] = [{"resource": each} for each in resources]
    prefetch = {name: json.dumps(bundle).encode() for name, bundle in bundles.items()}
    service = Service("s", "order-sign", Moment.SIGN, "", "", tuple(Query(name, "", "") for name in keys))
    request = HookRequest("order-sign", "i", "p1", "u", (), (), prefetch, None)
    began = time.process_time()
    gathered = collect(request, service, NoServer(), Deadline(9, time.monotonic))  # type: ignore[arg-type]
    spans = Spans(*map(Quantity.read, ("5 min", "1 d", "30 d", "365 d", "1 d", "7 d", "56 d", "300 d")))
    read_chart(gathered, "p1", (), spans, knowledge.terms, NOW)
    return time.process_time() - began


def measure(rounds: int = ROUNDS) -> dict[str, float]:
    """Microseconds of CPU for one resource, by kind."""
    knowledge = Knowledge.load()
    few: dict[str, float] = {}
    many: dict[str, float] = {}
    number = 0
    for key, make in KINDS.values():  # not counted: it makes what is made once
        number += FEW
        seconds(key, [make(number + each) for each in range(FEW)], knowledge)
    for _ in range(rounds):
        for kind, (key, make) in KINDS.items():
            for store, count in ((few, FEW), (many, MANY)):
                number += count
                spent = seconds(key, [make(number + each) for each in range(count)], knowledge)
                store[kind] = min(spent, store.get(kind, spent))
    return {kind: max(0.0, (many[kind] - few[kind]) / (MANY - FEW) * 1e6) for kind in KINDS}


def table(found: dict[str, float]) -> str:
    """The figures as docs show them."""
    lines = [f"| {kind} | {value:.0f} µs |" for kind, value in found.items()]
    return "\n".join(("| Resource | Time to read one |", "|---|---|", *lines))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each is measured (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="figures for machines")
    chosen = parser.parse_args()
    found = measure(chosen.rounds)
    print(json.dumps(found, indent=2) if chosen.json else table(found))


if __name__ == "__main__":
    main()
