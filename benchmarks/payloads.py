"""Hook requests of any size, as an EHR sends them: some 1.7 kB of JSON for each resource, with all that rules skip.

The patient has relapsed AML with FLT3-ITD; gilteritinib and voriconazole are drafted. Of the resources two in five are
results (half of them none of ours), one in five orders, the rest conditions, variants and procedures. `Fresh` makes
each request another one: no resource is ever sent twice.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]
LOINC, RXNORM = "http://loinc.org", "http://www.nlm.nih.gov/research/umls/rxnorm"
ICD, UCUM = "http://hl7.org/fhir/sid/icd-10-cm", "http://unitsofmeasure.org"
HL7 = "http://terminology.hl7.org/CodeSystem/"
LOCAL = "urn:oid:1.2.840.114350.1.13.0.1.7.2.768282"
HOOKS = ("order-sign", "order-select", "patient-view")
SIZES = (20, 60, 200, 1000)
NARRATIVE = "<div xmlns='http://www.w3.org/1999/xhtml'><p>" + "Entered by the laboratory interface. " * 9 + "</p></div>"

# code, text, unit, value: those that rules read, and those of the same panels that none does
RESULTS = (
    ("76634-5", "QTcF interval", "ms", 431.0), ("2823-3", "Potassium", "mmol/L", 4.2),
    ("2947-0", "Sodium", "mmol/L", 139.0), ("2601-3", "Magnesium", "mmol/L", 0.86),
    ("2075-0", "Chloride", "mmol/L", 103.0), ("2160-0", "Creatinine", "mg/dL", 0.9),
    ("1963-8", "Bicarbonate", "mmol/L", 24.0), ("1975-2", "Bilirubin total", "mg/dL", 0.7),
    ("2885-2", "Protein", "g/dL", 6.9), ("1742-6", "ALT", "U/L", 28.0),
    ("2951-2", "Sodium in serum", "mmol/L", 138.0), ("6690-2", "Leukocytes", "10*3/uL", 5.1),
    ("785-6", "MCH", "pg", 29.0), ("777-3", "Platelets", "10*3/uL", 61.0),
    ("786-4", "MCHC", "g/dL", 33.0), ("718-7", "Haemoglobin", "g/dL", 9.2),
    ("788-0", "Erythrocyte distribution width", "%", 15.0), ("17861-6", "Calcium", "mg/dL", 9.1),
)  # fmt: skip
ORDERS = (
    ("197511", "ciprofloxacin 250 MG Oral Tablet", 500.0), ("313782", "acetaminophen 325 MG Oral Tablet", 650.0),
    ("197319", "allopurinol 300 MG Oral Tablet", 300.0), ("197803", "ibuprofen 100 MG/5ML", 200.0),
    ("314231", "simvastatin 10 MG Oral Tablet", 10.0), ("310965", "ibuprofen 200 MG Oral Tablet", 200.0),
    ("197361", "amlodipine 5 MG Oral Tablet", 5.0), ("314076", "lisinopril 10 MG Oral Tablet", 10.0),
    ("312086", "ondansetron 8 MG Oral Tablet", 8.0), ("197517", "clarithromycin 500 MG Oral Tablet", 500.0),
)  # fmt: skip
CONDITIONS = (
    ("C92.02", "Acute myeloblastic leukemia, in relapse"), ("I10", "Essential hypertension"),
    ("E78.5", "Hyperlipidemia"), ("K21.9", "Gastro-esophageal reflux disease"), ("D70.1", "Neutropenia"),
    ("Z79.899", "Other long term drug therapy"), ("M54.5", "Low back pain"), ("F41.9", "Anxiety disorder"),
)  # fmt: skip
GENES = (("FLT3", "p.Asp600_Leu601insTyr"), ("NPM1", "p.Trp288fs"), ("DNMT3A", "p.Arg882His"), ("TET2", "p.Gln916Ter"))


class Fresh:
    """Requests without end. `again`: every resource of the first so many requests comes back (warm), 0: none does."""

    def __init__(self, hook: str, resources: int, now: datetime | None = None, again: int = 0) -> None:
        self.hook, self.resources = hook, resources
        self.now = now or datetime.now(UTC)
        self._numbers: Iterator[int] = itertools.count() if not again else itertools.cycle(range(again))

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """The next request, as the bytes of its JSON."""
        return json.dumps(request(self.hook, self.resources, next(self._numbers), self.now)).encode()


def stamped(hook: str, resources: int, now: datetime, first: int = 0) -> Iterator[bytes]:
    """The same requests from that number on, as bytes, at a fraction of the cost: one is made, the others differ from
    it by their number, which stands in every resource.
    """
    pattern = json.dumps(request(hook, resources, _STAMP, now)).encode()
    for number in itertools.count(_STAMP + 2 + first):
        yield pattern.replace(b"%d" % (_STAMP + 1), b"%d" % (number + 1)).replace(b"%d" % _STAMP, b"%d" % number)


_STAMP = 7_365_182  # seven digits that stand nowhere else in a request; those that follow have seven digits too


def request(hook: str, resources: int, number: int, now: datetime) -> Json:
    """The request of that number, with so many resources: the Patient, two drafts, and the prefetch."""
    made = _Maker(number, now)
    drafts = [made.order("2105851", "gilteritinib 40 MG Oral Tablet", 120.0, "draft"),
              made.order("349434", "voriconazole 200 MG Oral Tablet", 200.0, "draft")]  # fmt: skip
    rest = max(0, resources - 1 - (0 if hook == "patient-view" else 2))
    shares = {"labs": 0.42, "medications": 0.20, "conditions": 0.17, "genomics": 0.12, "procedures": 0.09}
    counts = {key: int(rest * share) for key, share in shares.items()}
    counts["labs"] += rest - sum(counts.values())
    results = [made.result(index) for index in range(counts["labs"])]
    ecg = [each for each in results if each["code"]["coding"][0]["code"] == "76634-5"]
    prefetch = {
        "patient": made.patient(),
        "ecg": _bundle(ecg),
        "labs": _bundle([each for each in results if each not in ecg]),
        "medications": _bundle([made.order(*ORDERS[n % len(ORDERS)], "active") for n in range(counts["medications"])]),
        "conditions": _bundle([made.condition(n) for n in range(counts["conditions"])]),
        "genomics": _bundle([made.variant(n) for n in range(counts["genomics"])]),
        "procedures": _bundle([made.procedure(n) for n in range(counts["procedures"])]),
        **{key: _bundle([]) for key in ("bedside", "orders", "allergies", "statements")},
    }
    context: Json = {"patientId": "p1", "userId": "Practitioner/1", "encounterId": "e1"}
    if hook != "patient-view":
        context["draftOrders"] = _bundle(drafts)
    if hook == "order-select":
        context["selections"] = [f"MedicationRequest/{drafts[0]['id']}"]
    instance = f"6f1d8a3e-0000-4000-8000-{number:012d}"
    return {"hook": hook, "hookInstance": instance, "context": context, "prefetch": prefetch}


def _bundle(resources: list[Json]) -> Json:
    entries = [{"fullUrl": f"https://ehr.example/fhir/{each['resourceType']}/{each['id']}", "resource": each}
               for each in resources]  # fmt: skip
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


class _Maker:
    """Resources of one request; its number stands in each of them."""

    def __init__(self, number: int, now: datetime) -> None:
        self.number, self.now, self.made = number, now, itertools.count()

    def patient(self) -> Json:
        return self._resource("Patient", id="p1", active=True, gender="female", birthDate="1961-03-14",
                              name=[{"use": "official", "family": "Sample", "given": ["Pat"]}])  # fmt: skip

    def result(self, index: int) -> Json:
        code, text, unit, value = RESULTS[index % len(RESULTS)]
        hours = 6 + 24 * (index // len(RESULTS))
        return self._resource(
            "Observation", status="final", subject={"reference": "Patient/p1"}, code=_concept(LOINC, code, text),
            category=[_concept(f"{HL7}observation-category", "laboratory", "Laboratory")],
            effectiveDateTime=self._ago(hours), issued=self._ago(hours - 1),
            encounter={"reference": "Encounter/e1"}, performer=[{"reference": "Organization/lab", "display": "Lab"}],
            valueQuantity={"value": value, "unit": unit, "system": UCUM, "code": unit},
            referenceRange=[{"low": {"value": round(value * 0.8, 2), "unit": unit},
                             "high": {"value": round(value * 1.2, 2), "unit": unit}}],
            text={"status": "generated", "div": NARRATIVE},
        )  # fmt: skip

    def order(self, code: str, text: str, dose: float, status: str) -> Json:
        return self._resource(
            "MedicationRequest", status=status, intent="order", subject={"reference": "Patient/p1"},
            medicationCodeableConcept=_concept(RXNORM, code, text), authoredOn=self._ago(24),
            encounter={"reference": "Encounter/e1"}, requester={"reference": "Practitioner/1", "display": "Dr Sample"},
            dosageInstruction=[{
                "text": f"{dose:g} mg once daily",
                "route": _concept("http://snomed.info/sct", "26643006", "Oral route"),
                "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
                "doseAndRate": [{"doseQuantity": {"value": dose, "unit": "mg", "system": UCUM, "code": "mg"}}],
            }],
            dispenseRequest={"quantity": {"value": 30, "unit": "tablet"}, "numberOfRepeatsAllowed": 1},
            text={"status": "generated", "div": NARRATIVE},
        )  # fmt: skip

    def condition(self, index: int) -> Json:
        code, text = CONDITIONS[index % len(CONDITIONS)]
        clinical, verified = "condition-clinical", "condition-ver-status"
        return self._resource(
            "Condition", subject={"reference": "Patient/p1"}, code=_concept(ICD, code, text),
            clinicalStatus=_concept(HL7 + clinical, "active", "Active"),
            verificationStatus=_concept(HL7 + verified, "confirmed", "Confirmed"),
            onsetDateTime=self._ago(24 * (20 + index))[:10], recordedDate=self._ago(24 * 9)[:10],
            text={"status": "generated", "div": NARRATIVE},
        )  # fmt: skip

    def variant(self, index: int) -> Json:
        gene, change = GENES[index % len(GENES)]
        return self._resource(
            "Observation", status="final", subject={"reference": "Patient/p1"},
            code=_concept(LOINC, "69548-6", "Genetic variant assessment"), effectiveDateTime=self._ago(24 * 12),
            valueCodeableConcept=_concept(LOINC, "LA9633-4", "Present"),
            component=[
                {"code": _concept(LOINC, "48018-6", "Gene studied [ID]"),
                 "valueCodeableConcept": _concept("http://www.genenames.org/geneId", f"HGNC:{3765 + index}", gene)},
                {"code": _concept(LOINC, "48005-3", "Amino acid change (pHGVS)"),
                 "valueCodeableConcept": {"text": change}},
                {"code": _concept(LOINC, "81258-6", "Sample variant allelic frequency"),
                 "valueQuantity": {"value": 0.31, "unit": "1", "system": UCUM, "code": "1"}},
            ],
        )  # fmt: skip

    def procedure(self, index: int) -> Json:
        return self._resource(
            "Procedure", status="completed", subject={"reference": "Patient/p1"},
            code=_concept("http://www.ama-assn.org/go/cpt", f"{36400 + index % 40}", "Venipuncture"),
            performedDateTime=self._ago(24 * (3 + index)), text={"status": "generated", "div": NARRATIVE},
        )  # fmt: skip

    def _resource(self, kind: str, **more: Any) -> Json:
        number = next(self.made)
        return {
            "resourceType": kind, "id": f"{kind[:3].lower()}-{self.number}-{number}",
            "meta": {"versionId": str(1 + self.number), "lastUpdated": self._ago(2),
                     "source": f"urn:sample:{self.number}:{number}"},
            "identifier": [{"system": LOCAL, "value": f"{self.number:06d}{number:06d}"}],
            **more,
        }  # fmt: skip

    def _ago(self, hours: float) -> str:
        return (self.now - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _concept(system: str, code: str, text: str) -> Json:
    local = {"system": LOCAL, "code": f"L{code}", "display": text.upper()}
    return {"coding": [{"system": system, "code": code, "display": text}, local], "text": text}
