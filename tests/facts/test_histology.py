"""Histology: diagnoses that are coded by the morphology of ICD-O-3, alone or beside another code."""

from __future__ import annotations

import pytest

from cds_service.facts.disease import APL, DISEASE, Disease
from cds_service.facts.entries import PROBLEMS
from tests.charts import ICD, Json, chart, clinical, concept, condition

ICD_O = "http://terminology.hl7.org/CodeSystem/icd-o-3"
ICD_10 = "http://hl7.org/fhir/sid/icd-10"
MCODE = "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-histology-morphology-behavior"
MII = (
    "https://www.medizininformatik-initiative.de/fhir/ext/modul-onko/StructureDefinition/"
    "mii-ex-onko-histology-morphology-behavior-icdo3"
)


def histology(code: str, url: str = MCODE, system: str = ICD_O, text: str | None = None) -> Json:
    return {"extension": [{"url": url, "valueCodeableConcept": concept(code, text, system)}]}


def keys(*entries: Json) -> set[str]:
    return {key for entry in chart(*entries).get(PROBLEMS).value or () for key in entry.keys}


@pytest.mark.parametrize("code", [
    "9840/3", "9861/3", "9865/3", "9867/3", "9869/3", "9870/3", "9871/3", "9872/3", "9873/3", "9874/3", "9877/3",
    "9878/3", "9891/3", "9895/3", "9896/3", "9897/3", "9898/3", "9910/3", "9911/3", "9920/3", "9930/3", "9931/3",
])
def test_a_morphology_of_aml_is_aml(code: str) -> None:
    facts = chart(condition(concept(code, system=ICD_O), clinicalStatus=clinical("relapse")))
    assert facts.get(DISEASE).value is Disease.RELAPSED
    assert facts.get(APL).value is False


@pytest.mark.parametrize("system", [
    ICD_O, "http://hl7.org/fhir/sid/icd-o-3", "urn:oid:2.16.840.1.113883.6.43.1", "2.16.840.1.113883.6.43.1",
    "http://terminology.hl7.org/CodeSystem/icd-o-3-m", "http://terminology.hl7.org/CodeSystem/icd-o-3-morphology",
    "http://hl7.org/fhir/sid/icd-o-3-morph", f"{ICD_O}|2019",
])
@pytest.mark.parametrize("code", ["9861/3", "9861", "98613", "M9861/3", "M-9861/3", "9861/6", "9861/9", "m 9861/3"])
def test_systems_and_spellings_of_one_morphology_mean_the_same(system: str, code: str) -> None:
    assert keys(condition(concept(code, system=system))) == {"aml"}


@pytest.mark.parametrize(("code", "found"), [
    ("9866/3", {"apl"}), ("9860/3", {"myeloid_other"}), ("9801/3", {"acute_leukaemia_unspecified"}),
    ("9823/3", {"cll"}), ("9670/3", {"sll"}), ("9983/3", {"mds"}), ("9741/3", {"mastocytosis"}),
    ("8160/3", {"cholangiocarcinoma"}),
    ("9863/3", set()), ("9875/3", set()), ("9805/3", set()), ("9835/3", set()), ("9945/3", set()),
    ("9732/3", set()), ("9898/1", set()), ("9898", set()), ("9861/0", set()), ("9861/1", set()), ("9861/2", set()),
    ("98610/3", set()), ("9861/33", set()), ("C42.1", set()), ("C92.0", set()), ("861/3", set()), ("", set()),
])
def test_another_morphology_is_no_aml(code: str, found: set[str]) -> None:
    assert keys(condition(concept(code, system=ICD_O))) == found


@pytest.mark.parametrize("system", [None, ICD_10, "http://snomed.info/sct", "http://loinc.org"])
def test_the_same_digits_of_another_system_are_no_morphology(system: str | None) -> None:
    assert keys(condition({"coding": [{"system": system, "code": "9861/3"}]})) == set()


@pytest.mark.parametrize("url", [MCODE, MII])
def test_the_histology_beside_a_code_that_says_less_is_read(url: str) -> None:
    bare = condition({"text": "Haematological neoplasm"}, **histology("9895/3", url))
    assert keys(bare) == {"aml"}
    entry = (chart(bare).get(PROBLEMS).value or ())[0]
    assert entry.words == "Haematological neoplasm"
    assert entry.origin.notes == ("told by ICD-O-3 9895/3",)


def test_a_condition_without_code_is_read_by_its_histology() -> None:
    entry = condition({}, **histology("9861/3", text="Akute myeloische Leukämie o.n.A."))
    del entry["code"]
    assert keys(entry) == {"aml"}
    assert (chart(entry).get(PROBLEMS).value or ())[0].words == "Akute myeloische Leukämie o.n.A."


def test_a_histology_of_apl_beside_a_code_of_aml_is_apl() -> None:
    facts = chart(condition(concept("C92.0", system=ICD_10), **histology("9866/3")))
    assert (facts.get(APL).value, facts.get(DISEASE).value) == (True, Disease.NONE)


def test_the_state_is_still_told_by_the_code() -> None:
    relapsed = condition(concept("C92.02", system="http://hl7.org/fhir/sid/icd-10-cm"), **histology("9874/3"))
    assert chart(relapsed).get(DISEASE).value is Disease.RELAPSED


@pytest.mark.parametrize("extension", [
    {"url": "http://example.org/histology-of-another-tumour", "valueCodeableConcept": concept("9861/3", system=ICD_O)},
    {"url": MCODE, "valueString": "9861/3"}, {"url": MCODE, "valueCodeableConcept": "9861/3"}, {"url": MCODE},
    {"url": f"{MCODE}-of-donor", "valueCodeableConcept": concept("9861/3", system=ICD_O)},
])
def test_what_is_no_histology_of_the_patient_changes_nothing(extension: Json) -> None:
    assert keys(condition({"text": "Hypertension"}, extension=[extension])) == set()


def test_a_refuted_diagnosis_with_a_histology_stays_refuted() -> None:
    refuted = concept("refuted", system="http://terminology.hl7.org/CodeSystem/condition-ver-status")
    facts = chart(condition({"text": "Neoplasm"}, verificationStatus=refuted, **histology("9861/3")))
    assert facts.get(DISEASE).value is Disease.NONE


@pytest.mark.parametrize("text", ["AML in remission", "Suspected AML", "?AML", "AML ruled out"])
def test_the_words_of_a_histology_take_no_relapse_from_the_diagnosis(text: str) -> None:
    for own in (concept("C92.02", system=ICD), {"text": "AML in relapse"}):
        facts = chart(condition(own, **histology("9861/3", text=text)))
        assert (facts.get(DISEASE).value, facts.get(DISEASE).sure) == (Disease.RELAPSED, True)


@pytest.mark.parametrize("own", [{"text": "AML"}, concept("C92.00", system=ICD)])
def test_a_relapse_that_only_the_words_of_a_histology_tell_is_one(own: Json) -> None:
    for text, expected in (
        ("relapsed acute myeloid leukemia", Disease.RELAPSED), ("refractory AML", Disease.REFRACTORY),
        ("Suspected relapsed AML", Disease.UNSTATED), ("AML, no relapse", Disease.UNSTATED),
    ):
        facts = chart(condition(own, **histology("9861/3", text=text)))
        assert facts.get(DISEASE).value is expected, text


@pytest.mark.parametrize("own", [{"text": "History of AML"}, concept("Z85.6", system=ICD_10)])
def test_the_histology_of_a_leukaemia_of_the_past_makes_none_of_today(own: Json) -> None:
    assert chart(condition(own, **histology("9861/3"))).get(DISEASE).value is Disease.NONE


@pytest.mark.parametrize("value", [
    {"coding": {"system": ICD_O, "code": "9861/3"}}, {"coding": [{"system": ICD_O, "code": 98613}]}, "9861/3",
])
@pytest.mark.parametrize("code", [{"text": "Haematological neoplasm"}, concept("C50.9", system=ICD_10)])
def test_a_histology_that_cannot_be_read_is_told_and_no_proof_that_there_is_no_aml(value: object, code: Json) -> None:
    told = chart(condition(code, extension=[{"url": MCODE, "valueCodeableConcept": value}])).get(DISEASE)
    assert told.value is Disease.NONE and not told.sure
    assert "histology" in " ".join(told.doubts)


def test_a_histology_without_a_value_says_nothing() -> None:
    assert chart(condition({"text": "Haematological neoplasm"}, extension=[{"url": MCODE}])).get(DISEASE).sure
