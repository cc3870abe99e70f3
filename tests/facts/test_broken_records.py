"""No damage makes a fact that was not there: every type of record that is read, each broken at any place.

Whatever an element is replaced by, the facts that are known beyond doubt are among those of the whole record, in which
denied, stopped and erroneous entries stand beside those that count.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.facts.allergies import ALLERGIES
from cds_service.facts.chart import Chart
from cds_service.facts.disease import APL, DISEASE, Disease
from cds_service.facts.drugs.medications import MEDICATIONS
from cds_service.facts.entries import PROBLEMS, PROCEDURES
from cds_service.facts.genomics.mutations import MARKERS
from cds_service.facts.orders import ORDERED
from cds_service.facts.reproduction import PREGNANT
from cds_service.facts.values.ecg import QTC
from cds_service.facts.values.labs import BEDSIDE, LABS
from tests.charts import ICD, RXNORM, Json, chart, clinical, concept, condition, measured, observation, order
from tests.facts.test_dose_shapes import broken, places

VERIFIED = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
ABSENT = concept("LA9634-2")


def about(kind: str, **more: Any) -> Json:
    return {"resourceType": kind, "id": kind.lower(), "subject": {"reference": "Patient/p1"}} | more


RECORDS: dict[str, Json] = {
    "lab": observation("2823-3", valueQuantity=measured(4.1, "mmol/L")),
    "lab by its name": observation({"text": "Potassium"}, valueQuantity=measured(4.1, "mmol/L")),
    "lab in text": observation("2823-3", valueString="4.1 mmol/L"),
    "lab in error": observation("2823-3", valueQuantity=measured(4.1, "mmol/L"), status="entered-in-error"),
    "panel": observation("24326-1", component=[{"code": concept("2823-3"), "valueQuantity": measured(4.1, "mmol/L")}]),
    "ECOG": observation("89247-1", valueCodeableConcept=concept("LA9623-5")),
    "ECG": observation("76634-5", valueQuantity=measured(430, "ms")),
    "ECG in words": observation({"text": "ECG"}, valueString="QTc 430 ms (Fridericia)"),
    "genomics": observation("79210-1", valueCodeableConcept=ABSENT),
    "genomics in words": observation("51969-4", valueString="FLT3-ITD not detected, NPM1 mutation detected"),
    "karyotype": observation("59267-5", valueString="46,XX,t(9;11)(p21;q23)[20]"),
    "variant": observation("69548-6", valueCodeableConcept=concept("LA9633-4"), component=[
        {"code": concept("48018-6"), "valueCodeableConcept": concept("HGNC:5382")},
        {"code": concept("48005-3"), "valueCodeableConcept": {"text": "p.Arg132His"}}]),
    "report": about("DiagnosticReport", status="final", code={"text": "Myeloid panel"},
                    effectiveDateTime="2026-11-10", conclusion="NPM1 mutation detected",
                    contained=[observation("79210-1", valueCodeableConcept=ABSENT, name="in")],
                    result=[{"reference": "#in"}]),
    "pregnancy": observation("82810-3", valueCodeableConcept=concept("60001007", system="http://snomed.info/sct")),
    "order": order(concept("1747561", "venetoclax", RXNORM)),
    "prohibition": order("venetoclax", doNotPerform=True),
    "regimen": about("ServiceRequest", status="active", intent="order", code={"text": "FLAG-IDA"}),
    "test ordered": about("ServiceRequest", status="active", intent="order", code={"text": "12 lead ECG"}),
    "test not to be done": about("ServiceRequest", status="active", intent="order", code={"text": "12 lead ECG"},
                                 doNotPerform=True),
    "statement": about("MedicationStatement", status="active", medicationCodeableConcept={"text": "posaconazole"},
                       effectiveDateTime="2026-11-01"),
    "not taken": about("MedicationStatement", status="not-taken", medicationCodeableConcept={"text": "posaconazole"}),
    "administration": about("MedicationAdministration", status="completed", effectiveDateTime="2026-11-20",
                            medicationCodeableConcept={"text": "cytarabine"}),
    "condition": condition(concept("C92.02", system=ICD), recordedDate="2026-11-01"),
    "refuted": condition(concept("C92.42", system=ICD), verificationStatus=concept("refuted", system=VERIFIED)),
    "resolved": condition(concept("I47.21", system=ICD), clinicalStatus=clinical("resolved")),
    "procedure": about("Procedure", status="completed", code=concept("38240", system="http://www.ama-assn.org/go/cpt"),
                       performedDateTime="2025-01-01"),
    "procedure not done": about("Procedure", status="not-done", code=concept(
        "38240", system="http://www.ama-assn.org/go/cpt")),
    "allergy": {"resourceType": "AllergyIntolerance", "id": "a", "patient": {"reference": "Patient/p1"},
                "code": {"text": "venetoclax"}, "clinicalStatus": concept("active")},
    "refuted allergy": {"resourceType": "AllergyIntolerance", "id": "a", "patient": {"reference": "Patient/p1"},
                        "code": {"text": "cytarabine"}, "verificationStatus": concept("refuted", system=VERIFIED)},
}  # fmt: skip
# Without null, [], {} and "": they take an element out, and a denial that is not there denies nothing.
JUNK = st.sampled_from([
    True, False, " ", "x", "\x00", "?" * 300, [[]], [None], ["x"], {"x": 1}, {"value": "x"},
    {"text": "x"}, [{"text": 7}], {"coding": "x"}, {"coding": [{"code": []}]}, "2026-99-99", "#x", "Patient/other",
])  # fmt: skip


def beyond_doubt(found: Chart) -> set[tuple[str, str]]:
    """Everything that is known without any doubt, in words."""
    told: set[tuple[str, str]] = set()
    for key in (*LABS, *BEDSIDE, PREGNANT, APL):
        fact = found.get(key)
        told |= {(key.name, f"{fact.bound}{fact.value}")} if fact.sure and fact.value not in (None, False) else set()
    qtc = found.get(QTC)
    told |= {("qtc", f"{qtc.bound}{qtc.value.qtc} {qtc.value.formula}")} if qtc.sure and qtc.value else set()
    for marker in MARKERS:
        result = found.get(marker)
        told |= {(marker.name, str(result.value.present))} if result.sure and result.value else set()
    disease = found.get(DISEASE)
    if disease.sure and disease.value is not Disease.NONE:
        told.add(("disease", str(disease.value)))
    for name in (PROBLEMS, PROCEDURES):
        entries = found.get(name)
        told |= {(name.name, each) for entry in entries.value or () if entry.certain for each in entry.keys}
    allergies = found.get(ALLERGIES).value or ()
    told |= {("allergy", drug) for entry in allergies if not entry.doubts for drug in entry.drugs}
    told |= {("ordered", test) for test in found.get(ORDERED).value or ()}
    orders = found.medications.orders
    told |= {(f"drug {each.role.value}", drug) for each in orders if not each.doubts for drug in each.ingredients}
    return told


def test_every_type_of_record_that_is_read_is_broken_here() -> None:
    kinds = {each["resourceType"] for each in RECORDS.values()}
    assert kinds == {"Observation", "DiagnosticReport", "MedicationRequest", "MedicationStatement",
                     "MedicationAdministration", "ServiceRequest", "Condition", "Procedure", "AllergyIntolerance"}
    positive = {name for name in RECORDS if beyond_doubt(read(RECORDS[name]))}
    denied = {"lab in error", "prohibition", "test not to be done", "not taken", "refuted", "resolved",
              "procedure not done", "refuted allergy"}
    doubted = {"lab by its name", "ECG in words", "pregnancy", "variant", "karyotype", "regimen", "administration"}
    assert positive == set(RECORDS) - denied - doubted


def read(record: Json) -> Chart:
    if record["resourceType"] == "DiagnosticReport":
        return chart(others=[record])
    return chart(record)


@pytest.mark.parametrize("name", RECORDS)
@settings(max_examples=25)
@given(data=st.data())
def test_damage_makes_no_fact_that_was_not_there(name: str, data: Any) -> None:
    whole = RECORDS[name]
    damaged = broken(whole, data.draw(st.sampled_from(places(whole))), data.draw(JUNK))
    assert beyond_doubt(read(damaged)) <= beyond_doubt(read(whole)), damaged


@pytest.mark.parametrize("name", RECORDS)
def test_one_broken_record_beside_a_good_one_takes_no_doubt_away(name: str) -> None:
    """With a record that cannot be read at all, the medication list and the problems are not beyond doubt."""
    whole = RECORDS[name]
    facts = read({key: value for key, value in whole.items() if key in ("resourceType", "id")})
    assert not beyond_doubt(facts)
    if whole["resourceType"] in ("MedicationRequest", "MedicationStatement"):
        assert not facts.get(MEDICATIONS).sure
