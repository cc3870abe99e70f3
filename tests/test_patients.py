"""Patients who once got a wrong answer, each told as a short story with what a careful clinician is to hear."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.calls import (
    ELECTROLYTES,
    RELAPSED,
    RXNORM,
    cards,
    condition,
    flt3_itd,
    gilteritinib,
    observation,
    order,
    qtcf,
    tools,
    venetoclax,
)

FINE = {"ecg": [qtcf(440)], "labs": ELECTROLYTES, "genomics": [flt3_itd("2026-11-10")]}
POSACONAZOLE = order("posaconazole 300 mg", mg=300, id="posaconazole")
HELD = gilteritinib(id="held", status="on-hold", authoredOn="2026-10-30")
STARTS_VENETOCLAX = venetoclax(id="v", status="draft")
STARTS_GILTERITINIB = gilteritinib(id="d", status="draft")
PRES = condition("I67.83", "PRES", "2026-11-15")


def told(found):
    return [f"{card['indicator']}: {card['summary']}" for card in found]


def accepted(card):
    return [suggestion["actions"][0]["type"] for suggestion in card.get("suggestions", ())]


def test_a_ramp_up_as_three_drafts_names_the_highest_dose_and_rewrites_none():
    steps = [(100, "2026-11-22"), (200, "2026-11-23"), (400, "2026-11-24")]
    drafts = [venetoclax(mg, id=f"d{mg}", status="draft", authoredOn=day) for mg, day in steps]
    card = cards("order-sign", *drafts, medications=[POSACONAZOLE])[0]
    assert card["summary"] == "Venetoclax 400 mg daily with posaconazole: at most 70 mg daily"
    assert accepted(card) == []


def test_a_ramp_up_written_in_words_is_not_rewritten_to_one_dose():
    text = "10 mg day 1, 20 mg day 2, 50 mg day 3, then 70 mg daily"
    card = cards("order-sign", STARTS_VENETOCLAX | {"dosageInstruction": [{"text": text}]}, medications=[POSACONAZOLE])[
        0
    ]
    assert (card["indicator"], accepted(card)) == ("warning", [])


def test_a_weekly_dose_is_not_rewritten_to_a_daily_one():
    weekly = venetoclax(400, id="v", status="draft")
    weekly["dosageInstruction"][0]["timing"]["repeat"]["periodUnit"] = "wk"
    card = cards("order-sign", weekly, medications=[POSACONAZOLE])[0]
    assert (card["indicator"], accepted(card)) == ("critical", [])


def test_a_start_in_lymphocytic_leukaemia_beside_a_strong_inhibitor_is_contraindicated():
    found = cards("order-sign", STARTS_VENETOCLAX, medications=[POSACONAZOLE], conditions=[condition("C91.10", "CLL")])
    assert "contraindicated when venetoclax is started" in found[0]["summary"]
    assert all("update" not in accepted(card) for card in found)


@pytest.mark.parametrize("status", ["on-hold", "stopped"])
def test_gilteritinib_is_not_restarted_after_pres_in_silence(status):
    found = cards(
        "order-sign", STARTS_GILTERITINIB, **FINE, medications=[HELD | {"status": status}], conditions=[RELAPSED, PRES]
    )
    assert "do not restart after PRES" in found[0]["summary"]
    assert found[0]["indicator"] in ("critical", "warning")


def test_pres_that_is_resolved_still_speaks_against_a_restart():
    over = PRES | {"clinicalStatus": {"coding": [{"code": "resolved"}]}}
    found = cards("order-sign", STARTS_GILTERITINIB, **FINE, medications=[HELD], conditions=[RELAPSED, over])
    assert "do not restart after PRES" in found[0]["summary"]


def test_another_drug_for_leukaemia_that_prolongs_qt_is_counted():
    quizartinib = order("quizartinib 26.5 mg", mg=53, id="q", status="draft")
    found = cards("order-sign", STARTS_GILTERITINIB, quizartinib, **FINE)
    assert any("quizartinib (draft) also prolongs the QT interval" in card["detail"] for card in found)


def test_full_dose_on_the_day_after_the_azole_ended_is_too_early():
    ended = [{"timing": {"repeat": {"boundsPeriod": {"end": "2026-11-20"}}}}]
    stopped = POSACONAZOLE | {"status": "stopped", "dosageInstruction": ended}
    renewed = STARTS_VENETOCLAX | {"priorPrescription": {"reference": "MedicationRequest/old"}}
    found = cards("order-sign", renewed, medications=[venetoclax(70, id="old"), stopped])
    assert told(found)[0] == "warning: Posaconazole ended 2026-11-20: venetoclax 400 mg daily is too early"


def test_a_hold_for_another_stated_reason_is_not_declared_over_by_the_qtc():
    held = HELD | {"statusReason": {"text": "acute pancreatitis"}}
    ecgs = [qtcf(470), qtcf(505, "2026-11-05T08:00:00Z")]
    assert cards("patient-view", **FINE | {"ecg": ecgs, "medications": [held]}) == []


def test_an_earlier_course_that_ended_long_ago_is_no_hold():
    past = gilteritinib(id="past", status="completed", authoredOn="2025-01-10")
    past["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"] = {"start": "2025-01-10", "end": "2025-03-10"}
    ecgs = [qtcf(430), qtcf(520, "2026-06-10T08:00:00Z")]
    found = cards("order-sign", STARTS_GILTERITINIB, **FINE | {"ecg": ecgs, "medications": [past]})
    assert not any("Restart" in line for line in told(found))


def test_an_old_low_potassium_is_never_calmer_than_no_potassium():
    low = observation("2823-3", 2.9, "mmol/L", "2026-11-12T08:00:00Z")
    old = cards("order-select", STARTS_GILTERITINIB, **FINE | {"labs": [low, ELECTROLYTES[1]]})
    none = cards("order-select", STARTS_GILTERITINIB, **FINE | {"labs": [ELECTROLYTES[1]]})
    assert told(old)[0].startswith("warning") and told(none)[0].startswith("warning")


def test_transaminases_above_three_times_with_raised_bilirubin_are_told():
    def result(code, value, unit, high):
        limit = {"referenceRange": [{"high": {"value": high}}]}
        return observation(code, value, unit, "2026-11-20T08:00:00Z", **limit)

    liver = [result("1742-6", 180, "U/L", 40), result("1920-8", 180, "U/L", 40), result("1975-2", 3, "mg/dL", 1.2)]
    taken = gilteritinib(authoredOn="2026-10-30")
    found = cards("patient-view", **FINE | {"medications": [taken], "labs": [*ELECTROLYTES, *liver]})
    assert "warning: AST 4.5 × ULN on gilteritinib, held above 3 × ULN with a raised bilirubin" in told(found)


def test_the_same_drug_drafted_twice_is_added_up():
    found = cards("order-sign", STARTS_GILTERITINIB, STARTS_GILTERITINIB | {"id": "d2"}, **FINE)
    assert told(found)[0] == "warning: Gilteritinib 240 mg daily: above the labelled 120 mg daily"


def test_a_draft_whose_drug_could_not_be_had_is_named_to_a_patient_on_ours():
    nameless = {key: value for key, value in POSACONAZOLE.items() if key != "medicationCodeableConcept"}
    nameless |= {"status": "draft", "medicationReference": {"reference": "Medication/elsewhere"}}
    found = cards("order-sign", nameless, medications=[venetoclax()])
    assert "names no drug that could be read" in found[0]["detail"]


_NAMELESS = {key: value for key, value in POSACONAZOLE.items() if key != "medicationCodeableConcept"}


@pytest.mark.parametrize(("named", "which"), [
    ({"medicationReference": {"reference": "Medication/elsewhere"}}, "MedicationRequest/d1: Medication/elsewhere"),
    ({"medicationCodeableConcept": {"text": "study drug"}}, "MedicationRequest/d1: study drug"),
    ({"medicationCodeableConcept": {"coding": [{"system": "urn:oid:1.2", "code": "47"}]}}, "MedicationRequest/d1: 47"),
])
def test_the_draft_that_names_no_drug_is_told_from_the_others(named, which):
    draft = _NAMELESS | named | {"id": "d1", "status": "draft"}
    found = cards("order-sign", draft, venetoclax(id="d2", status="draft"))
    (told_of,) = [card for card in found if "names no drug" in card["detail"]]
    assert f"\n- Which names no drug: {which}\n" in told_of["detail"] and "d1" not in told_of["summary"]


def test_of_many_drafts_without_a_drug_the_first_are_named():
    named = {"medicationReference": {"reference": "Medication/<b>"}, "status": "draft"}
    [card] = cards("order-sign", *(_NAMELESS | named | {"id": f"d{n}"} for n in range(4)))
    assert card["detail"].count("MedicationRequest/d") == 3
    assert "<b>" not in card["detail"]


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
@pytest.mark.parametrize(
    "named",
    [
        {"medicationReference": {"reference": "Medication/elsewhere"}},
        {"medicationReference": {"reference": "#gone"}},
        {"medicationReference": {"identifier": {"value": "3"}}},
        {"medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": ["1747561"]}]}},
        {"medicationCodeableConcept": {"coding": [{"system": "urn:oid:1.2.3", "code": "4711"}]}},
        {"medicationCodeableConcept": {"coding": [{"system": "http://hl7.org/fhir/sid/ndc", "code": "12345-678-90"}]}},
        {"medicationCodeableConcept": {"text": "study drug"}},
    ],
)
def test_a_draft_that_may_be_any_drug_is_never_met_with_silence_where_there_is_aml(hook, named):
    [card] = cards(hook, _NAMELESS | named | {"status": "draft"})
    assert card["summary"].startswith("Not checked: 1 draft order names no drug that could be read")
    assert card["indicator"] == "warning"


def test_a_draft_that_may_be_any_drug_is_no_word_where_no_aml_is_on_record():
    elsewhere = {"medicationReference": {"reference": "Medication/elsewhere"}, "status": "draft"}
    assert cards("order-sign", _NAMELESS | elsewhere, conditions=[condition("I10", "Hypertension")]) == []


@pytest.mark.parametrize(
    "named",
    [
        {},
        {"medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "161"}]}},
        {"medicationCodeableConcept": {"coding": [{"system": "http://www.whocc.no/atc", "code": "N02BE01"}]}},
        {"medicationCodeableConcept": {"coding": [{"system": "urn:oid:1.2.3", "code": "4711", "display": "Tylenol"}]}},
    ],
)
def test_a_draft_without_a_drug_yet_or_of_one_that_is_none_of_ours_is_no_word(named):
    assert cards("order-select", _NAMELESS | named | {"status": "draft"}) == []


@pytest.mark.parametrize(
    "words",
    [
        "Family history of relapsed AML",
        "Rule out relapsed AML",
        "AML (possible relapse)",
        "Relapsed AML, now in second remission",
        "AML refractory to HLA-matched platelets",
    ],
)
def test_words_that_do_not_tell_of_a_relapse_of_this_patient_offer_nothing(words):
    problem = condition("x", "x") | {"code": {"text": words}}
    found = cards("patient-view", **FINE, conditions=[problem])
    assert [card for card in found if card["source"]["topic"]["code"] != "stateNotStated"] == []


@pytest.mark.parametrize("words", ["AML, relapse after CR2", "AML-Rezidiv", "Relapsed AML, graft from his brother"])
def test_a_relapse_in_words_is_met_with_its_options(words):
    problem = condition("x", "x") | {"code": {"text": words}}
    found = cards("patient-view", **FINE, conditions=[problem])
    assert any(card["summary"].startswith("Options at relapse") for card in found)


def test_apl_by_a_short_name_is_outside_of_this_service():
    problem = condition("x", "x") | {"code": {"text": "AML M3, relapsed"}}
    [card] = cards("patient-view", **FINE, conditions=[problem])
    assert card["summary"] == "Acute promyelocytic leukaemia: outside this service"


def test_beside_an_order_apl_takes_no_card_and_the_drug_is_checked():
    chart = FINE | {"ecg": [qtcf(512)], "conditions": [condition("C92.42", "APL, in relapse")]}
    found = cards("order-sign", STARTS_GILTERITINIB, **chart)
    assert "scopeApl" not in {card["source"]["topic"]["code"] for card in found}
    assert any("512 ms" in card["summary"] for card in found)


def genetic(words):
    found = observation("51969-4", 0, "1", "2026-11-10", valueString=words)
    return {key: value for key, value in found.items() if key != "valueQuantity"}


@pytest.mark.parametrize("words", [
    "PML::RARA fusion detected", "t(15;17)(q24;q21) detected", "46,XX,t(15;17)(q24;q21)[18]/46,XX[2]",
])
def test_apl_that_only_a_genetic_result_tells_is_outside_of_this_service(words):
    found = genetic(words)
    [card] = cards("patient-view", **FINE | {"genomics": [*FINE["genomics"], found]}, conditions=RELAPSED)
    assert card["summary"] == "Acute promyelocytic leukaemia: outside this service"
    assert "told by a genetic result, no APL diagnosis on record" in card["detail"]


def test_a_negative_test_of_the_fusion_takes_no_option_away():
    absent = genetic("PML::RARA not detected")
    found = cards("patient-view", **FINE | {"genomics": [*FINE["genomics"], absent]}, conditions=RELAPSED)
    assert any(card["summary"].startswith("Options at relapse") for card in found)


def test_a_result_of_the_diagnosis_is_not_newer_than_a_relapse_that_only_the_clinical_status_tells():
    status = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "relapse"}]}
    problem = condition("C92.00", "AML", "2024-02-01", clinicalStatus=status)
    old = FINE | {"genomics": [flt3_itd("2024-03-10")]}
    found = cards("order-sign", STARTS_GILTERITINIB, **old, conditions=[problem])
    assert found[0]["summary"].startswith("FLT3-ITD result of 2024-03-10 may be older than the relapse")


def test_the_onset_of_a_relapse_that_only_the_clinical_status_tells_is_its_date():
    status = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "relapse"}]}
    problem = condition("C92.00", "AML", "2026-10-20", clinicalStatus=status)
    before, since = (FINE | {"genomics": [flt3_itd(day)]} for day in ("2026-09-30", "2026-10-25"))
    early, late = (cards("order-sign", STARTS_GILTERITINIB, **each, conditions=[problem]) for each in (before, since))
    assert "older than the relapse" in early[0]["summary"]
    assert not any("older than" in each["summary"] for each in late)


def test_no_known_allergies_except_the_drug_is_an_allergy_to_it():
    code = {"text": "No known allergies except gilteritinib"}
    entry = {"resourceType": "AllergyIntolerance", "id": "a1", "patient": {"reference": "Patient/p1"}, "code": code}
    found = cards("order-sign", STARTS_GILTERITINIB, **FINE, conditions=[RELAPSED], allergies=[entry])
    assert "Allergy on record" in found[0]["summary"]


def test_a_target_that_was_lost_is_named_at_the_order():
    results = [flt3_itd("2026-11-10", present=False), flt3_itd("2026-03-01")]
    found = cards("order-sign", STARTS_GILTERITINIB, **FINE | {"genomics": results})
    assert "FLT3-ITD absent on 2026-11-10" in found[0]["detail"]


def test_a_name_in_another_language_is_recognised():
    draft = order("posaconazol 300 mg", mg=300, id="z", status="draft")
    assert told(cards("order-sign", draft, medications=[venetoclax()]))[0].startswith("critical: Venetoclax 400 mg")


def test_venetoclax_600_mg_needs_low_dose_cytarabine_beside_it():
    high = venetoclax(600, id="v", status="draft")
    unread, low = order("cytarabine 20 mg injection"), order("cytarabine 20 mg injection", "", 40)
    alone, open_, beside = (told(cards("order-sign", high, medications=each)) for each in ([], [unread], [low]))
    assert alone[0] == "warning: Venetoclax 600 mg daily: above the labelled 400 mg daily"
    assert not any("warning: Venetoclax 600 mg" in line for line in open_)
    assert any("above the labelled" in line for line in open_), "a dose that cannot be read is said"
    assert not any("above the labelled" in line for line in beside)


def test_a_drug_on_hold_does_not_disturb_an_unrelated_order():
    paracetamol = order("paracetamol", "161", 500, status="draft")
    assert cards("order-sign", paracetamol, **FINE | {"ecg": [qtcf(510)], "medications": [HELD]}) == []


def test_nothing_is_offered_to_a_patient_who_has_died():
    patient = {"resourceType": "Patient", "id": "p1", "birthDate": "1960-01-01", "deceasedBoolean": True}
    assert cards("patient-view", **FINE, patient=patient) == []


def test_after_a_death_no_test_is_due_and_nothing_is_missed_and_a_stop_is_still_told_at_signing():
    patient = {"resourceType": "Patient", "id": "p1", "birthDate": "1960-01-01", "deceasedDateTime": "2026-11-01"}
    taken = [gilteritinib(authoredOn="2026-09-01")]
    assert cards("patient-view", medications=taken, patient=patient) == []
    assert any("overdue" in each for each in told(cards("patient-view", medications=taken)))
    signed = told(cards("order-sign", STARTS_GILTERITINIB, **FINE | {"ecg": [qtcf(512)]}, patient=patient))
    assert any("critical: QTcF 512 ms" in each for each in signed)


def test_an_order_of_unknown_status_beside_a_sure_draft_takes_nothing_from_a_stop():
    beside = gilteritinib(id="beside", status="unknown")
    found = cards("order-sign", STARTS_GILTERITINIB, **FINE | {"ecg": [qtcf(512)]}, medications=[beside])
    assert found[0]["indicator"] == "critical"
    assert "512 ms" in found[0]["summary"]


def test_values_in_american_units_have_the_limits_of_their_source_and_are_told_as_they_came():
    def magnesium(mg_dl):
        return [ELECTROLYTES[0], observation("19123-9", mg_dl, "mg/dL", "2026-11-20T08:00:00Z")]

    fine = cards("order-sign", STARTS_GILTERITINIB, **FINE | {"labs": magnesium(1.7)})
    assert not [each for each in told(fine) if each.startswith("warning")]
    low = cards("order-sign", STARTS_GILTERITINIB, **FINE | {"labs": magnesium(1.6)})[0]
    assert low["summary"] == "Magnesium 0.66 mmol/L (yesterday): correct before gilteritinib"
    assert "magnesium 0.66 mmol/L (sent as 1.6 mg/dL) on 2026-11-20" in low["detail"]


def test_a_uric_acid_of_8_mg_reaches_the_limit_of_8_mg():
    taken = venetoclax(id="v", authoredOn="2026-11-18")
    day = "2026-11-20T08:00:00Z"
    values = [observation("3084-1", 8, "mg/dL", day), observation("2777-1", 4.5, "mg/dL", day)]
    card = next(each for each in cards("patient-view", medications=[taken], labs=values) if "lysis" in each["summary"])
    assert (card["indicator"], "(sent as 8 mg/dL)" in card["detail"]) == ("warning", True)


@pytest.mark.parametrize(("mg_dl", "limit", "words"), [
    (1.9, None, "bilirubin 1.583 × ULN (sent as 1.9 mg/dL)"),
    (2.4, None, "bilirubin 2 × ULN (sent as 2.4 mg/dL)"),  # what was sent begins with the multiple
    (2, 1, "bilirubin 2 × ULN (sent as 2 mg/dL)"),
])
def test_a_multiple_of_the_upper_limit_stands_beside_what_the_laboratory_sent(mg_dl, limit, words):
    high = {"referenceRange": [{"high": {"value": limit, "unit": "mg/dL"}}]} if limit else {}
    labs = [observation("1975-2", mg_dl, "mg/dL", "2026-11-20T08:00:00Z", **high)]
    draft = order("azacitidine 100 mg vial", id="a", status="draft")
    found = cards("order-sign", draft, conditions=[RELAPSED], labs=labs)
    card = next(each for each in found if "× ULN" in each["summary"])
    assert words in card["detail"]


@pytest.mark.parametrize(("code", "words"), [
    ("3040-3", "lipase 4 × ULN (sent as 240 U/L)"), ("1742-6", "ALT 6 × ULN (sent as 240 U/L)"),
])
def test_an_enzyme_on_treatment_is_told_as_it_was_sent(code, words):
    limit = {"3040-3": 60, "1742-6": 40}[code]
    high = [{"high": {"value": limit, "unit": "U/L"}}]
    labs = [*ELECTROLYTES, observation(code, 240, "U/L", "2026-11-20T08:00:00Z", referenceRange=high)]
    taken = gilteritinib(id="g", authoredOn="2026-11-01")
    found = cards("patient-view", **FINE | {"labs": labs}, medications=[taken], conditions=[RELAPSED])
    assert any(words in each["detail"] for each in found)


def test_a_creatinine_that_rises_is_told_in_the_unit_of_the_laboratory():
    days = (("2026-11-16", 0.9), ("2026-11-20", 2.2))
    labs = [*ELECTROLYTES, *(observation("2160-0", value, "mg/dL", f"{day}T07:00:00Z") for day, value in days)]
    taken = order("clofarabine 1 mg/mL infusion", id="c", authoredOn="2026-11-17")
    found = cards("patient-view", labs=labs, medications=[taken], conditions=[RELAPSED])
    risen = "Creatinine 2.2 mg/dL, from 0.9 mg/dL on 2026-11-16, on clofarabine"
    assert any(risen in each["summary"] for each in found)


def test_white_cells_per_microlitre_are_told_as_they_were_sent():
    labs = [*ELECTROLYTES, observation("6690-2", 26000, "/uL", "2026-11-20T08:00:00Z")]
    found = cards("order-sign", STARTS_VENETOCLAX, conditions=[RELAPSED], labs=labs)
    assert any("white cells 26 ×10⁹/L (sent as 26000 /uL) on 2026-11-20" in each["detail"] for each in found)


def test_a_creatinine_without_its_upper_limit_is_named_as_it_was_sent():
    labs = [observation("2160-0", 0.9, "mg/dL", "2026-11-20T08:00:00Z")]
    found = cards("order-sign", order("idarubicin 10 mg", id="i", status="draft"), conditions=[RELAPSED], labs=labs)
    assert any("no upper limit of normal came with the result (0.9 mg/dL)" in each["detail"] for each in found)


def test_a_frequency_is_told_without_the_dose_where_that_cannot_be_read():
    draft = order("midostaurin capsules", id="m", status="draft") | {"dosageInstruction": [{"text": "1 daily"}]}
    card = next(each for each in cards("order-sign", draft, conditions=[RELAPSED]) if "once daily" in each["summary"])
    assert "draft order midostaurin, once daily." in card["detail"]


def test_a_value_that_cannot_be_used_is_named_with_its_number():
    no_unit = qtcf(512) | {"valueQuantity": {"value": 512}}
    ahead = qtcf(512, "2026-11-25T08:00:00Z")
    for ecg, words in ((no_unit, "512 without a unit"), (ahead, "512 ms dated in the future")):
        card = cards("order-sign", STARTS_GILTERITINIB, **FINE | {"ecg": [ecg]})[0]
        assert (card["indicator"], f"QTc: {words}" in card["detail"]) == ("warning", True)


def test_a_man_who_was_born_female_may_be_pregnant_and_has_two_clearances():
    born = [{"url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex", "valueCode": "F"}]
    man = {"resourceType": "Patient", "id": "p1", "birthDate": "1990-01-01", "gender": "male", "extension": born}
    details = "\n".join(card["detail"] for card in cards("order-sign", STARTS_GILTERITINIB, **FINE, patient=man))
    assert "the record says male, and female at birth" in details
    assert "Pregnancy" in details
    pregnant = [RELAPSED, condition("Z33.1", "Pregnant state", "2026-11-01")]
    found = told(cards("order-sign", STARTS_GILTERITINIB, **FINE, patient=man, conditions=pregnant))
    assert "warning: Pregnancy on record (2026-11-01): gilteritinib may harm the unborn child" in found


def test_an_inducer_that_ended_this_month_may_have_ended_lately():
    taken = {
        "resourceType": "MedicationStatement",
        "id": "s",
        "status": "completed",
        "subject": {"reference": "Patient/p1"},
        "medicationCodeableConcept": {"text": "rifampin"},
        "effectivePeriod": {"start": "2026-09", "end": "2026-11"},
    }
    details = "\n".join(each["detail"] for each in cards("order-sign", STARTS_GILTERITINIB, **FINE, statements=[taken]))
    assert "a strong CYP3A inducer, ended 2026-11; induction fades" in details


def test_an_ecg_that_is_dated_by_its_month_is_not_called_one_of_today():
    found = cards("order-sign", STARTS_GILTERITINIB, **FINE | {"ecg": [qtcf(440, "2026-11")]})
    assert "QTc: newest: 2026-11, up to 20 days ago; counts for 14 days" in found[0]["detail"]


def test_an_ecg_hides_behind_none_that_was_filed_later_on_a_day_nobody_states():
    filed = qtcf(430) | {"id": "filed", "issued": "2026-11-21T09:00:00Z"}
    del filed["effectiveDateTime"]
    found = cards("order-sign", STARTS_GILTERITINIB, **FINE | {"ecg": [qtcf(520), filed]})
    assert found[0]["summary"] == "QTcF 520 ms (yesterday): do not start gilteritinib, limit 500 ms"


def preliminary(value, when="2026-11-20T08:00:00Z"):
    return qtcf(value, when) | {"id": "preliminary", "status": "preliminary"}


def test_a_preliminary_ecg_does_not_silence_the_final_one_before_it():
    ecgs = [qtcf(520, "2026-11-19T08:00:00Z"), preliminary(440)]
    card = cards("order-sign", STARTS_GILTERITINIB, **FINE | {"ecg": ecgs})[0]
    assert (card["indicator"], card["summary"]) == (
        "warning",
        "QTcF 520 ms (2 days ago): do not start gilteritinib, limit 500 ms",
    )
    assert "a newer ECG is not certain (preliminary): 440 ms" in card["detail"]


@pytest.mark.parametrize("hook", ["order-sign", "patient-view"])
def test_a_final_ecg_that_no_longer_counts_does_not_stand_before_a_preliminary_one(hook):
    ecgs = [qtcf(520, "2026-10-27T08:00:00Z"), preliminary(440)]
    taken = [gilteritinib(id="a", authoredOn="2026-10-20")]
    drafts, more = ((STARTS_GILTERITINIB,), {}) if hook == "order-sign" else ((), {"medications": taken})
    found = cards(hook, *drafts, **FINE | {"ecg": ecgs} | more)
    assert all("520 ms" not in each["summary"] for each in found)
    assert "QTc: preliminary; 440 ms" in "\n".join(each["detail"] for each in found)


def test_a_final_ecg_from_before_the_relapse_does_not_stand_before_a_preliminary_one():
    ecgs = [qtcf(520, "2026-11-17T08:00:00Z"), preliminary(440)]
    relapse = condition("C92.02", "AML in relapse", "2026-11-18")
    found = cards("order-sign", STARTS_GILTERITINIB, **FINE | {"ecg": ecgs, "conditions": [relapse]})
    assert any("QTc: preliminary; 440 ms" in each["detail"] for each in found)


def test_a_result_from_before_the_record_of_a_relapse_that_only_the_clinical_status_tells_is_repeated_first():
    filed = condition("C92.00", "AML", None, recordedDate="2026-10-20")
    filed["clinicalStatus"] = {"coding": [{"code": "relapse"}]}
    older = FINE | {"conditions": [filed], "genomics": [flt3_itd("2026-09-30")]}
    told = [each["summary"] for each in cards("order-sign", STARTS_GILTERITINIB, **older)]
    assert "FLT3-ITD result of 2026-09-30 is older than the relapse: repeat before gilteritinib" in told


def test_a_patient_whose_one_entry_was_set_to_relapse_is_not_told_as_in_remission_by_an_older_entry():
    disease = condition("C92.00", "AML", "2025-01-10", clinicalStatus={"coding": [{"code": "relapse"}]})
    remission = condition("C92.01", "AML in remission", "2025-03-01")
    for entries in ([disease, remission], [remission, disease]):
        told = [each["summary"] for each in cards("patient-view", **FINE | {"conditions": entries})]
        assert "Relapsed AML: trial and donor search first" in told
        assert "What this check could not see: state of the AML" in told


def test_of_two_values_in_the_hour_that_comes_twice_the_later_one_is_the_newest(monkeypatch):
    night = datetime(2026, 11, 1, 9, tzinfo=ZoneInfo("America/New_York"))
    new_york = replace(tools(), now=lambda: night)
    monkeypatch.setattr("tests.calls.tools", lambda: new_york)
    before, again = "2026-11-01T05:45:00Z", "2026-11-01T06:15:00Z"
    ecgs = [qtcf(440, before) | {"id": "first"}, qtcf(512, again) | {"id": "second"}]
    potassium = [
        observation("2823-3", value, "mmol/L", when, id=when[11:13]) for value, when in ((4.4, before), (2.9, again))
    ]
    taken = [gilteritinib(authoredOn="2026-10-25")]
    told = [each["summary"] for each in cards("patient-view", medications=taken, ecg=ecgs, labs=potassium)]
    assert "QTcF 512 ms (today): hold gilteritinib, limit 500 ms" in told
    assert "Potassium 2.9 mmol/L (today): correct on gilteritinib" in told


@pytest.mark.parametrize("beside", ["ΧΑΠ", "Χρόνια νόσος", "慢性閉塞性肺疾患", "COPD"])
def test_an_entry_that_is_not_read_takes_the_question_of_the_state_not_away(beside):
    unstated = condition("C92.00", "") | {"code": {"text": "suspected relapse of AML"}}
    other = condition("J44.9", "") | {"code": {"text": beside}}
    (card,) = cards("patient-view", conditions=[unstated, other])
    assert "new, in remission, relapsed or refractory" in card["summary"]


@pytest.mark.parametrize(("unit", "told"), [("tablet", True), ("Tabl.", True), ("Stück", False), ("mEq", False)])
def test_a_dose_that_is_counted_in_tablets_is_swallowed(unit, told):
    ziftomenib = order("ziftomenib 200 mg capsule", mg=600, authoredOn="2026-11-01")
    draft = order("Sodium bicarbonate 650 mg", status="draft", dosageInstruction=[
        {"doseAndRate": [{"doseQuantity": {"value": 2, "unit": unit}}]}
    ])  # fmt: skip
    found = cards("order-sign", draft, medications=[ziftomenib])
    assert any("lowers the uptake of ziftomenib" in card["summary"] for card in found) is told
