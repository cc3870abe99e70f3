"""From the order to the card: the wrong marker, an allergy, a pregnancy, and another patient's entries."""

from __future__ import annotations

from typing import Any

from tests.calls import ELECTROLYTES, PATIENT, cards, qtcf

Json = dict[str, Any]
CLINICAL = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"


def draft(drug: str) -> Json:
    return {"resourceType": "MedicationRequest", "id": "d1", "status": "draft", "intent": "order",
            "subject": {"reference": "Patient/p1"}, "medicationCodeableConcept": {"text": drug}}


def result(code: str, words: str) -> Json:
    return {"resourceType": "Observation", "id": f"o{code}", "status": "final", "valueString": words,
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "subject": {"reference": "Patient/p1"}, "effectiveDateTime": "2026-11-15"}


def allergy(words: str, patient: str = "p1") -> Json:
    return {"resourceType": "AllergyIntolerance", "id": "a1", "patient": {"reference": f"Patient/{patient}"},
            "code": {"text": words}, "clinicalStatus": {"coding": [{"system": CLINICAL, "code": "active"}]}}


def summaries(drug: str, **chart: Any) -> dict[str, str]:
    return {card["summary"]: card["indicator"] for card in cards("order-sign", draft(drug), **chart)}


def test_an_idh2_inhibitor_for_an_idh1_mutation():
    told = summaries("enasidenib 100 mg", genomics=[result("100022-3", "p.R132H")])
    assert told["IDH1 mutation (R132) present (2026-11-15): not what enasidenib aims at"] == "warning"


def test_an_allergy_on_record_to_the_drafted_drug():
    told = summaries("venetoclax 100 mg", allergies=[allergy("Venetoclax")])
    assert any(words.startswith("Allergy on record: Venetoclax") for words in told)


def test_another_patients_allergy_is_not_told():
    told = summaries("venetoclax 100 mg", allergies=[allergy("Venetoclax", "p2")])
    assert not any(words.startswith("Allergy") for words in told)


def test_a_positive_pregnancy_test_before_a_drug_with_a_boxed_warning():
    woman = {**PATIENT, "gender": "female", "birthDate": "1990-01-01"}
    told = summaries("glasdegib 100 mg", patient=woman, bedside=[result("2118-8", "positive")])
    assert told["Pregnancy on record (2026-11-15): glasdegib may harm the unborn child"] in ("critical", "warning")


def test_an_allergy_that_is_not_valid_fhir_still_warns():
    broken = allergy("gilteritinib") | {"reaction": [{"severity": "very"}]}
    told = summaries("gilteritinib 40 mg", allergies=[broken])
    assert told["Allergy on record: gilteritinib; clarify it before gilteritinib"] == "warning"


def gap(drug: str, **chart: Any) -> dict[str, Any]:
    found = cards("order-sign", draft(drug), **chart)
    return next(card for card in found if "llergies on record" in card["detail"])


def test_an_allergy_that_nobody_can_read_warns_where_it_could_stop_the_drug():
    nameless = allergy("x") | {"code": {"coding": [{"system": "urn:local", "code": "77"}]}}
    ready: dict[str, Any] = {"genomics": [result("79210-1", "positive")], "ecg": [qtcf(430)], "labs": ELECTROLYTES}
    assert gap("gilteritinib 40 mg", allergies=[nameless], **ready)["indicator"] == "warning"
    assert gap("gilteritinib 40 mg", allergies="zzz", **ready)["indicator"] == "info"


def test_a_pregnancy_test_that_decides_nothing_warns_before_a_drug_with_a_boxed_warning():
    woman = {**PATIENT, "gender": "female", "birthDate": "1990-01-01"}
    ready: dict[str, Any] = {"ecg": [qtcf(430)], "labs": ELECTROLYTES, "patient": woman}
    for spoiled in ({"valueString": "see the report"}, {"effectiveDateTime": "zzz"}, {"status": "zzz"}):
        told = summaries("glasdegib 100 mg", bedside=[result("2118-8", "positive") | spoiled], **ready)
        assert "warning" in [level for words, level in told.items() if "pregnancy" in words.lower()], spoiled


def test_an_allergy_holds_an_option_until_it_is_clarified_and_an_intolerance_is_a_caution():
    def options(kind: str) -> str:
        found = cards("patient-view", allergies=[allergy("Azacitidine") | {"type": kind}])
        return next(card["detail"] for card in found if card["summary"].startswith("Options"))

    assert "clarify it before azacitidine" in options("allergy")
    assert "what holds it now: Allergy on record: Azacitidine" in options("allergy")
    assert "what holds it now: Intolerance" not in options("intolerance")


def test_an_intolerance_that_stands_first_does_not_hide_an_allergy() -> None:
    confirmed = {"verificationStatus": {"coding": [{"code": "confirmed"}]}}
    entries = [allergy("gilteritinib") | confirmed | {"id": "i", "type": "intolerance"},
               allergy("gilteritinib, anaphylaxis") | confirmed | {"id": "a", "type": "allergy"}]  # fmt: skip
    card = cards("order-sign", draft("gilteritinib 40 mg"), allergies=entries)[0]
    assert card["summary"] == "Allergy on record: gilteritinib, anaphylaxis; clarify it before gilteritinib"
    assert "; intolerance to gilteritinib (" in card["detail"]
