"""What a clinician may accept: valid FHIR that keeps everything else of the order."""

import pytest
from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.servicerequest import ServiceRequest

from tests.calls import PATIENT, cards, gilteritinib, order, qtcf, venetoclax

POSACONAZOLE = order("posaconazole 300 mg delayed release")


def only_action(card):
    (suggestion,) = card["suggestions"]
    (action,) = suggestion["actions"]
    return action


def test_a_corrected_dose_keeps_everything_else_of_the_draft():
    draft = venetoclax(
        400,
        status="draft",
        note=[{"text": "with breakfast"}],
        dispenseRequest={"numberOfRepeatsAllowed": 2},
        encounter={"reference": "Encounter/7"},
    )
    draft["dosageInstruction"][0]["additionalInstruction"] = [{"text": "with food"}]
    action = only_action(cards("order-sign", draft, medications=[POSACONAZOLE])[0])
    changed = action["resource"]
    MedicationRequest.model_validate(changed)
    assert action["type"] == "update"
    assert changed["id"] == draft["id"]
    for kept in ("status", "intent", "subject", "authoredOn", "note", "dispenseRequest", "encounter"):
        assert changed[kept] == draft[kept]
    dosage = changed["dosageInstruction"][0]
    assert dosage["additionalInstruction"] == [{"text": "with food"}]
    assert dosage["doseAndRate"][0]["doseQuantity"]["value"] == 70


def test_a_corrected_dose_leaves_no_word_of_the_old_one():
    draft = venetoclax(
        400,
        status="draft",
        dispenseRequest={"quantity": {"value": 112, "unit": "tablet"}, "numberOfRepeatsAllowed": 2},
    )
    draft["text"] = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">400 mg daily</div>'}
    draft["dosageInstruction"][0] |= {
        "text": "4 tablets daily",
        "patientInstruction": "Take four tablets with a meal",
        "additionalInstruction": [{"text": "with food"}, {"text": "4 tablets at once"}],
        "maxDosePerAdministration": {"value": 400, "unit": "mg"},
        "route": {"text": "oral"},
    }
    action = only_action(cards("order-sign", draft, medications=[POSACONAZOLE])[0])
    changed = action["resource"]
    MedicationRequest.model_validate(changed)
    (dosage,) = changed["dosageInstruction"]
    assert "text" not in changed
    assert changed["dispenseRequest"] == {"numberOfRepeatsAllowed": 2}
    assert not {"patientInstruction", "maxDosePerAdministration"} & dosage.keys()
    assert dosage["additionalInstruction"] == [{"text": "with food"}]
    assert (dosage["text"], dosage["route"]) == ("70 mg once daily", {"text": "oral"})
    for named in ("instruction to the patient", "further instruction", "highest dose", "quantity to dispense"):
        assert named in action["description"]


def test_words_to_the_patient_that_tell_no_amount_stay():
    draft = venetoclax(400, status="draft")
    draft["dosageInstruction"][0] |= {"patientInstruction": "Swallow whole with a meal and water"}
    action = only_action(cards("order-sign", draft, medications=[POSACONAZOLE])[0])
    assert action["resource"]["dosageInstruction"][0]["patientInstruction"] == "Swallow whole with a meal and water"
    assert "left out" not in action["description"]


def test_a_restart_that_is_to_be_taken_as_needed_is_not_rewritten():
    held = gilteritinib(id="a1", status="on-hold", authoredOn="2026-10-20")
    draft = gilteritinib(status="draft", id="d1")
    draft["dosageInstruction"][0]["asNeededCodeableConcept"] = {"text": "pain"}
    ecgs = [qtcf(450), qtcf(520, "2026-11-10T08:00:00Z")]
    card = cards("order-sign", draft, medications=[held], ecg=ecgs)[0]
    assert card["summary"].startswith("Restart gilteritinib at 80 mg daily")
    assert "suggestions" not in card


def test_an_order_whose_drug_is_disputed_is_not_rewritten():
    disputed = order("gilteritinib 40 MG Oral Tablet", "1747561", 400, status="draft")  # the code is venetoclax
    found = cards("order-sign", disputed, medications=[POSACONAZOLE])
    assert found[0]["summary"].startswith("Venetoclax 400 mg daily with posaconazole")
    assert all("suggestions" not in card for card in found if card["source"]["topic"]["code"] == "doseCeiling")


def test_an_order_of_two_drugs_is_not_rewritten_for_one():
    both = order("venetoclax and azacitidine", mg=400, status="draft")
    found = cards("order-sign", both, medications=[POSACONAZOLE])
    assert found[0]["summary"].startswith("Venetoclax 400 mg daily with posaconazole")
    assert "suggestions" not in found[0]


@pytest.mark.parametrize("more", [{"authoredOn": "2026-11-20T08:00"}, {"localField": {"code": "x"}}])
def test_a_draft_that_could_not_be_sent_back_whole_is_not_rewritten(more):
    card = cards("order-sign", venetoclax(status="draft") | more, medications=[POSACONAZOLE])[0]
    assert card["indicator"] == "critical"
    assert "suggestions" not in card


def test_the_ingredient_is_named_where_the_drafted_strength_cannot_make_the_dose():
    changed = only_action(cards("order-sign", venetoclax(status="draft"), medications=[POSACONAZOLE])[0])["resource"]
    assert changed["medicationCodeableConcept"]["text"] == "venetoclax"
    assert changed["medicationCodeableConcept"]["coding"][0]["code"] == "1747556"


def test_the_product_stays_where_its_strength_makes_the_dose():
    voriconazole = order("voriconazole 200 MG Oral Tablet", "349434")
    changed = only_action(cards("order-sign", venetoclax(status="draft"), medications=[voriconazole])[0])["resource"]
    assert changed["medicationCodeableConcept"]["text"] == "venetoclax 100 MG Oral Tablet"
    assert changed["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] == 100


def test_a_contained_medication_that_is_no_longer_meant_goes_with_it():
    draft = venetoclax(status="draft")
    concept = draft.pop("medicationCodeableConcept")
    draft |= {
        "medicationReference": {"reference": "#m"},
        "contained": [{"resourceType": "Medication", "id": "m", "code": concept}],
    }
    changed = only_action(cards("order-sign", draft, medications=[POSACONAZOLE])[0])["resource"]
    assert "contained" not in changed
    assert "medicationReference" not in changed


def test_no_order_is_created_or_changed_where_ours_is_already_active():
    card = cards("order-sign", POSACONAZOLE | {"status": "draft"}, medications=[venetoclax()])[0]
    assert card["indicator"] == "critical"
    assert "MedicationRequest/m-venetoclax" in card["detail"]
    assert only_action(card) == {
        "type": "delete",
        "description": "Remove the posaconazole draft (posaconazole 300 mg delayed release)",
        "resourceId": "MedicationRequest/m-posaconazole",
    }


def test_nothing_is_ever_marked_as_recommended():
    calls = (
        cards("order-sign", venetoclax(status="draft"), medications=[POSACONAZOLE]),
        cards("order-sign", gilteritinib(status="draft"), ecg=[qtcf(512)]),
    )
    suggestions = [each for found in calls for card in found for each in card.get("suggestions", ())]
    assert suggestions
    assert not any("isRecommended" in each for each in suggestions)


def test_a_suggested_test_is_a_valid_draft_for_this_patient():
    for card in cards("order-sign", gilteritinib(status="draft")):
        for suggestion in card.get("suggestions", ()):
            resource = suggestion["actions"][0]["resource"]
            ServiceRequest.model_validate(resource)
            assert (resource["status"], resource["subject"]) == ("draft", {"reference": "Patient/p1"})


def test_a_draft_without_an_id_is_not_deleted_or_changed():
    draft = venetoclax(status="draft")
    del draft["id"]
    assert "suggestions" not in cards("order-sign", draft, medications=[POSACONAZOLE])[0]


def test_a_corrected_draft_names_the_patient_by_a_name_that_holds_outside_its_bundle():
    urn = "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a"
    patient = {"resourceType": "Bundle", "entry": [{"fullUrl": urn, "resource": PATIENT}]}
    draft = venetoclax(400, status="draft", subject={"reference": urn})
    changed = only_action(cards("order-sign", draft, patient=patient, medications=[POSACONAZOLE])[0])["resource"]
    assert changed["subject"] == {"reference": "Patient/p1"}
