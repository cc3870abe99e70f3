"""Prescriptions: which Medication is meant, what supersedes what, and what else stands for an order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cds_service.facts.demographics import LINKED
from cds_service.facts.drugs.medications import MEDICATIONS, Medication, Role
from tests.calls import cards, request
from tests.calls import gilteritinib as ordered_gilteritinib
from tests.calls import order as ordered
from tests.calls import venetoclax as ordered_venetoclax
from tests.charts import RXNORM, Json, chart, concept, measured, order
from tests.overlays import ask_with, cards_of, tools_with, written
from tests.shapes import orders as shapes

VENETOCLAX = {"resourceType": "Medication", "code": concept("1747561", system=RXNORM)}
ONCE = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}
FLAG_IDA = ("fludarabine", "cytarabine", "idarubicin")


def listed(*orders: Json, **more: Any) -> tuple[Medication, ...]:
    return chart(*orders, **more).medications.orders


def roles(*orders: Json, **more: Any) -> dict[str, Role]:
    return {drug: each.role for each in listed(*orders, **more) for drug in each.ingredients}


# Which Medication is meant


@pytest.mark.parametrize(("reference", "where"), shapes.REFERENCES)
def test_a_medication_is_found_wherever_it_stands(reference: str, where: str) -> None:
    referring, entries = shapes.referring(order("x", "draft"), reference, VENETOCLAX, where)
    for found in (listed(drafts=[referring, *entries]), listed(referring | {"status": "active"}, others=entries)):
        assert [(each.ingredients, each.matched_by) for each in found] == [(("venetoclax",), "RxNorm 1747561")]


def test_a_contained_medication_whose_id_bears_the_hash_of_its_reference_is_found() -> None:
    referring, _ = shapes.referring(order("x"), "#drug", VENETOCLAX, "contained")
    (inside,) = referring["contained"]
    (found,) = listed(referring | {"contained": [inside | {"id": "#drug"}]})
    assert found.ingredients == ("venetoclax",)


def test_a_contained_medication_that_is_no_valid_fhir_names_its_drug_with_that_doubt() -> None:
    referring, _ = shapes.referring(order("x"), "#drug", VENETOCLAX, "contained")
    inside = {"resourceType": "Medication", "id": "drug", "code": [{"text": "venetoclax 100 mg"}]}
    (found,) = listed(referring | {"contained": [inside]})
    assert found.ingredients == ("venetoclax",)
    assert "not valid FHIR R4" in found.doubts[0]
    assert found.dose.daily is None


def test_a_draft_that_contains_a_drug_and_names_none_is_not_passed_over() -> None:
    contained = [VENETOCLAX | {"id": "drug"}]
    draft = {name: part for name, part in order("x", "draft").items() if name != "medicationCodeableConcept"}
    assert not chart(drafts=[draft | {"contained": contained}]).get(MEDICATIONS).sure
    assert chart(drafts=[draft]).get(MEDICATIONS).sure


@pytest.mark.parametrize("medication", [
    {"contained": [{"resourceType": "Medication", "id": "drug", "code": 7}],
     "medicationReference": {"reference": "#drug"}},
    {"contained": [{"resourceType": "Medication", "id": "drug", "code": {"text": "posaconazole"}}]},
])
def test_a_draft_whose_medication_cannot_be_read_is_said_to_name_no_drug(medication: Json) -> None:
    draft = {name: part for name, part in ordered("x", status="draft").items() if name != "medicationCodeableConcept"}
    shown = cards("order-sign", draft | medication, medications=[ordered_venetoclax()])
    assert any("names no drug that could be read" in card["summary"] + card["detail"] for card in shown)


def test_a_drug_in_a_list_of_one_still_meets_the_draft() -> None:
    running = ordered_venetoclax() | {"medicationCodeableConcept": [{"text": "venetoclax 100 mg"}]}
    shown = cards("order-sign", ordered("posaconazole", status="draft"), medications=[running], conditions=[])
    assert any("posaconazole" in card["summary"] and card["indicator"] == "warning" for card in shown)


@pytest.mark.parametrize("named", [
    {"concept": concept("1747561", system=RXNORM)}, {"concept": {"text": "venetoclax 100 mg"}},
    {"reference": {"reference": "#drug"}}, {"reference": {"display": "venetoclax 100 mg"}},
])
def test_an_order_in_the_shape_of_r5_names_its_drug_with_the_doubt_that_it_is_not_r4(named: Json) -> None:
    written = {name: part for name, part in order("x").items() if name != "medicationCodeableConcept"}
    written |= {"medication": named, "contained": [VENETOCLAX | {"id": "drug"}]}
    written |= {"dosageInstruction": [{"text": "400 mg daily"}]}
    for found in (listed(written), listed(drafts=[written | {"status": "draft"}])):
        assert [each.ingredients for each in found] == [("venetoclax",)]
        assert "R5" in found[0].doubts[0]
        assert found[0].dose.daily is None


def test_a_draft_in_the_shape_of_r5_that_refers_to_nothing_at_hand_is_counted_as_unnamed() -> None:
    written = {name: part for name, part in order("x", "draft").items() if name != "medicationCodeableConcept"}
    facts = chart(drafts=[written | {"medication": {"reference": {"reference": "Medication/gone"}}}])
    assert facts.medications.unnamed_drafts == 1


def test_the_same_id_on_another_server_is_another_medication() -> None:
    ours = {"fullUrl": "https://ehr.example.org/fhir/Medication/drug", "resource": VENETOCLAX | {"id": "drug"}}
    elsewhere = order("", medicationReference={"reference": "https://other.example.org/fhir/Medication/drug"})
    here = order("", medicationReference={"reference": "https://ehr.example.org/fhir/Medication/drug"})
    assert listed(elsewhere, others=[ours]) == ()
    assert listed(here, others=[ours])[0].ingredients == ("venetoclax",)


@pytest.mark.parametrize("part", [
    {"itemCodeableConcept": concept("1747556", system=RXNORM)},
    {"itemReference": {"reference": "Medication/part"}}, {"itemReference": {"reference": "#substance"}},
    {"itemReference": {"reference": "Medication/gone", "display": "venetoclax"}},
])
def test_a_part_of_a_medication_may_be_a_concept_or_a_resource_of_its_own(part: Json) -> None:
    mixture = {"resourceType": "Medication", "id": "mix", "ingredient": [{"itemCodeableConcept": {"text": "x"}}, part]}
    substance = {"resourceType": "Substance", "id": "substance", "code": {"text": "venetoclax"}}
    refers = order("", medicationReference={"reference": "Medication/mix"}, contained=[substance])
    assert listed(refers, others=[mixture, VENETOCLAX | {"id": "part"}])[0].ingredients == ("venetoclax",)


def test_a_part_that_does_nothing_is_no_ingredient() -> None:
    part = {"itemCodeableConcept": {"text": "venetoclax"}, "isActive": False}
    mixture = {"resourceType": "Medication", "id": "mix", "code": {"text": "x"}, "ingredient": [part]}
    assert listed(order("", medicationReference={"reference": "Medication/mix"}), others=[mixture]) == ()


def test_a_medication_that_could_not_be_had_leaves_the_words_of_its_reference_and_says_so() -> None:
    (found,) = listed(order("", medicationReference={"reference": "Medication/gone", "display": "venetoclax 50 mg"}))
    assert found.ingredients == ("venetoclax",)
    assert found.matched_by == "its name, as its Medication did not come along"


def test_the_strength_of_the_medication_counts_its_tablets() -> None:
    strength = {"numerator": measured(50, "mg"), "denominator": measured(1, "tablet")}
    medication = {"resourceType": "Medication", "id": "drug", "code": {"text": "venetoclax"},
                  "ingredient": [{"itemCodeableConcept": {"text": "venetoclax"}, "strength": strength}]}
    four = {"timing": ONCE, "doseAndRate": [{"doseQuantity": measured(4, "tablet")}]}
    refers = order("", medicationReference={"reference": "Medication/drug"}, dosageInstruction=[four])
    assert str(listed(refers, others=[medication])[0].dose.daily) == "200 mg daily"


# What supersedes what


NAMES = (
    {"priorPrescription": {"reference": "MedicationRequest/old"}},
    {"priorPrescription": {"reference": "https://ehr.example.org/fhir/MedicationRequest/old/_history/3"}},
    {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/request-replaces",
                    "valueReference": {"reference": "MedicationRequest/old"}}]},
)
BASED = {"basedOn": [{"reference": "CarePlan/1"}, {"reference": "MedicationRequest/old"}]}


@pytest.mark.parametrize("names", NAMES)
def test_an_order_that_a_draft_names_is_no_second_partner(names: Json) -> None:
    old = order("posaconazole", id="old")
    found = chart(old, drafts=[order("fluconazole", "draft", id="new", **names)]).medications
    assert found.drugs(Role.DRAFT, Role.ACTIVE) == ("fluconazole",)
    assert found.naming("posaconazole") != ()


def test_an_order_that_is_gone_on_with_is_superseded_and_one_that_is_followed_is_not() -> None:
    same = chart(order("venetoclax", id="old"), drafts=[order("venetoclax", "draft", id="new", **BASED)]).medications
    other = chart(order("posaconazole", id="old"), drafts=[order("venetoclax", "draft", id="new", **BASED)]).medications
    assert [each.role for each in same.of(Role.DRAFT, Role.ACTIVE)] == [Role.DRAFT]
    assert other.drugs(Role.ACTIVE) == ("posaconazole",)


def test_an_order_that_names_itself_and_one_that_is_over_stay_what_they_are() -> None:
    itself = order("venetoclax", "draft", id="old", **NAMES[0])
    assert chart(drafts=[itself]).medications.drugs(Role.DRAFT) == ("venetoclax",)
    over = chart(order("posaconazole", "stopped", id="old"), drafts=[order("venetoclax", "draft", id="n", **NAMES[0])])
    assert over.medications.drugs(Role.PAST) == ("posaconazole",)


def test_a_prohibition_ends_the_order_that_it_stands_in_the_place_of() -> None:
    prohibition = order("posaconazole", "active", id="new", doNotPerform=True, **NAMES[0])
    assert roles(order("posaconazole", id="old"), drafts=[prohibition]) == {"posaconazole": Role.PAST}


def test_a_changed_azole_is_one_card_about_the_new_one_and_its_draft_keeps_what_it_names() -> None:
    old, draft = ordered("posaconazole 300 mg", mg=300, id="old"), {"status": "draft", "id": "new"}
    voriconazole = ordered("voriconazole 200 mg", mg=200, **draft, **NAMES[0])
    found = cards("order-sign", voriconazole, medications=[old, ordered_venetoclax()])
    assert not any("osaconazole" in card["summary"] for card in found)
    again = ordered_venetoclax(400, **draft, **NAMES[0])
    changed = cards("order-sign", again, medications=[ordered_venetoclax(70, id="old"), old | {"id": "azole"}])
    updates = [action["resource"] for card in changed for each in card.get("suggestions", ())
               for action in each["actions"] if action["type"] == "update"]
    assert updates and all(each["priorPrescription"] == NAMES[0]["priorPrescription"] for each in updates)


def test_an_inhibitor_that_is_stopped_as_the_higher_dose_is_signed_still_acts() -> None:
    azole, stop = ordered("posaconazole 300 mg", mg=300), {"status": "stopped"}
    found = cards("order-sign", ordered_venetoclax(400, status="draft"), azole | stop, medications=[azole])
    assert any("Posaconazole ended" in card["summary"] and "too early" in card["summary"] for card in found)


# Which drafts are selected


@pytest.mark.parametrize(("selection", "chosen"), [
    ("MedicationRequest/a", [True, False]), ("https://ehr.example.org/fhir/MedicationRequest/b", [False, True]),
    ("MedicationRequest/b/_history/1", [False, True]), ("urn:uuid:0a", [True, False]), ("b", [False, True]),
    ("ServiceRequest/a", [True, True]), ("MedicationRequest/none-of-them", [True, True]),
])
def test_a_selection_names_a_draft_by_type_and_id_or_by_its_full_url(selection: str, chosen: list[bool]) -> None:
    drafts = [{"fullUrl": "urn:uuid:0a", "resource": order("venetoclax", "draft", id="a")},
              {"fullUrl": "urn:uuid:0b", "resource": order("posaconazole", "draft", id="b")}]
    assert [each.selected for each in listed(drafts=drafts, selections=(selection,))] == chosen


# Drafts as clients send them


@pytest.mark.parametrize("more", [{"status": "active"}, {"status": None}, {"intent": None}, {"category": {"text": "x"}},
                                  {"intent": "proposal"}, {"status": "unknown"}])
def test_a_draft_is_a_draft_however_it_is_marked(more: Json) -> None:
    draft = {name: value for name, value in (order("venetoclax", "draft") | more).items() if value is not None}
    (found,) = listed(drafts=[draft])
    assert (found.role, found.doubts) == (Role.DRAFT, ())


def test_an_order_form_without_a_drug_is_no_error_and_no_noise() -> None:
    empty = {"resourceType": "MedicationRequest", "id": "d", "status": "draft", "subject": {"reference": "Patient/p1"}}
    assert chart(drafts=[empty]).get(MEDICATIONS).sure
    assert cards("order-select", empty, medications=[ordered_venetoclax()]) == []


def test_what_was_reported_counts_and_says_so() -> None:
    (found,) = listed(order("posaconazole", intent="plan", reportedBoolean=True))
    assert (found.role, found.label, found.doubts) == (
        Role.ACTIVE, "posaconazole (reported, not ordered here)", ())


# Regimens that other requests name


def requested(text: str, **more: Any) -> Json:
    return {"resourceType": "ServiceRequest", "id": "s1", "status": "draft", "intent": "order",
            "code": {"text": text}, "subject": {"reference": "Patient/p1"}} | more


GROUP = {"resourceType": "RequestGroup", "id": "g1", "status": "draft", "intent": "proposal",
         "code": {"text": "FLAG-IDA"}, "subject": {"reference": "Patient/p1"}}
PLAN = {"resourceType": "CarePlan", "id": "p1", "status": "draft", "intent": "plan", "title": "FLAG-IDA cycle 1",
        "subject": {"reference": "Patient/p1"}}


@pytest.mark.parametrize("written", [
    requested("FLAG-IDA"), requested("Chemotherapy FLAG-Ida, cycle 1"),
    requested("x") | {"code": concept("1", "FLAG-IDA")},
    GROUP, GROUP | {"code": {"text": "x"}, "action": [{"title": "FLAG-IDA"}]}, PLAN,
    requested("FLAG-IDA (fludarabine, cytarabine, idarubicin)"),
])
def test_a_request_for_a_regimen_stands_for_its_drugs(written: Json) -> None:
    (found,) = listed(drafts=[written])
    assert (found.ingredients, found.role, found.dose.daily) == (FLAG_IDA, Role.DRAFT, None)


@pytest.mark.parametrize(("text", "drugs"), [
    ("Venetoclax + azacitidine cycle 1", {"venetoclax", "azacitidine"}),
    ("Venetoclax/Azacitidine", {"venetoclax", "azacitidine"}),
    ("AML therapy: gilteritinib and azacitidine", {"gilteritinib", "azacitidine"}),
    ("Fludarabine, cytarabine, idarubicin", set(FLAG_IDA)),
])
def test_a_service_that_names_the_drugs_of_a_regimen_stands_for_them(text: str, drugs: set[str]) -> None:
    (found,) = listed(drafts=[requested(text)])
    assert (set(found.ingredients), found.role, found.dose.daily) == (drugs, Role.DRAFT, None)


@pytest.mark.parametrize("written", [
    requested("Venetoclax and azacitidine levels"), requested("ECG before venetoclax + azacitidine"),
    requested("venetoclax or azacitidine"), requested("Azacitidine"), requested("vancomycin, cefepime"),
    requested("intrathecal cytarabine and methotrexate"), requested("counselling: venetoclax, azacitidine"),
    requested("ECG before FLAG-IDA"), requested("Follow-up after 7+3"), requested("venetoclax level"),
    requested("FLAG-IDA", status="revoked"), requested("FLAG-IDA", doNotPerform=True), requested("12-lead ECG"),
    requested("FLAG-IDA", subject={"reference": "Patient/p2"}), {"resourceType": "NutritionOrder", "id": "n"},
    {"resourceType": "DeviceRequest", "codeCodeableConcept": {"text": "FLAG-IDA"}}, requested(""),
])
def test_a_request_for_something_else_orders_no_drug(written: Json) -> None:
    assert listed(drafts=[written]) == ()


def test_a_regimen_beside_the_drafts_of_its_drugs_stands_only_for_the_rest() -> None:
    own = [order(drug, "draft", id=drug) for drug in FLAG_IDA]
    assert all(each.resource.type == "MedicationRequest" for each in listed(drafts=[GROUP, *own]))
    assert listed(drafts=[GROUP, own[0]])[0].ingredients == ("cytarabine", "idarubicin")


def test_the_drugs_of_a_requested_regimen_are_checked() -> None:
    found = cards("order-sign", requested("Ven/Aza"), medications=[ordered("posaconazole 300 mg", mg=300)])
    assert any("osaconazole" in card["summary"] and "enetoclax" in card["summary"] for card in found)


def service(text: str, status: str = "active", **more: Any) -> Json:
    return {"resourceType": "ServiceRequest", "id": "r1", "status": status, "intent": "order", "code": {"text": text},
            "subject": {"reference": "Patient/p1"}, "authoredOn": "2026-11-10"} | more


ALL_OF_IT = dict.fromkeys(("fludarabine", "cytarabine", "idarubicin"), Role.ACTIVE)


@pytest.mark.parametrize(("entry", "expected"), [
    (service("FLAG-IDA"), ALL_OF_IT), (service("FLAG-IDA cycle 1", "on-hold"), dict.fromkeys(FLAG_IDA, Role.ON_HOLD)),
    (service("FLAG-IDA", occurrencePeriod={"start": "2026-09-01", "end": "2026-09-06"}),
     dict.fromkeys(FLAG_IDA, Role.PAST)),
    (service("FLAG-IDA", occurrencePeriod={"start": "2026-11-18", "end": "2026-11-30"}), ALL_OF_IT),
    (service("FLAG-IDA", "draft"), {}), (service("FLAG-IDA", "revoked"), {}), (service("FLAG-IDA", "completed"), {}),
    (service("FLAG-IDA", "entered-in-error"), {}), (service("FLAG-IDA", intent="proposal"), {}),
    (service("FLAG-IDA", doNotPerform=True), {}), (service("ECG before FLAG-IDA"), {}),
    (service("red flags leaflet"), {}),
])
def test_a_regimen_on_record_adds_its_drugs(entry: Json, expected: dict[str, Role]) -> None:
    assert roles(entry) == expected


def test_a_regimen_on_record_adds_only_what_no_order_names_and_with_a_doubt() -> None:
    *_, found = listed(service("FLAG-IDA"), order("cytarabine", "stopped"))
    assert found.ingredients == ("fludarabine", "idarubicin")
    assert found.doubts and found.label == "FLAG-IDA (ordered as a regimen, no order of the drug seen)"
    assert str(found.start) == "2026-11-10"
    assert len(listed(service("7+3 (idarubicin)"), order("cytarabine"), order("idarubicin", id="m2"))) == 2


def test_a_regimen_on_record_meets_the_draft_of_an_azole() -> None:
    found = cards("order-sign", ordered("posaconazole 300 mg", mg=300) | {"status": "draft"},
                  orders=[service("Ven/Aza")])
    said = [card for card in found if "osaconazole" in card["summary"] and "enetoclax" in card["summary"]]
    assert said and all(card["indicator"] != "critical" for card in said)


# What the patient is said to take, or was given


def stated(drug: str, status: str = "active", **more: Any) -> Json:
    return {"resourceType": "MedicationStatement", "id": f"s-{drug}", "status": status,
            "subject": {"reference": "Patient/p1"}, "medicationCodeableConcept": {"text": drug},
            "dateAsserted": "2026-11-01"} | more


def given(drug: str, status: str = "completed", when: str = "2026-11-20T08:00:00Z", **more: Any) -> Json:
    return {"resourceType": "MedicationAdministration", "id": f"a-{drug}-{when[:10]}", "status": status,
            "subject": {"reference": "Patient/p1"}, "medicationCodeableConcept": {"text": drug},
            "effectiveDateTime": when} | more


@pytest.mark.parametrize("damage", [
    {"medicationCodeableConcept": 7}, {"status": "taking"}, {"effectivePeriod": {"start": "soon"}},
])
def test_a_statement_that_cannot_be_read_leaves_open_what_is_taken(damage: Json) -> None:
    whole = chart(stated("posaconazole", **damage))
    assert whole.medications.drugs(Role.ACTIVE) == ("posaconazole",) or not whole.get(MEDICATIONS).sure


def test_a_lost_statement_is_said() -> None:
    found = chart(stated("posaconazole", medicationCodeableConcept=7)).get(MEDICATIONS)
    assert any("could not be read" in doubt for doubt in found.doubts)
    assert chart(stated("posaconazole")).get(MEDICATIONS).sure


@pytest.mark.parametrize(("status", "role"), [
    ("active", Role.ACTIVE), ("on-hold", Role.ON_HOLD), ("stopped", Role.PAST), ("completed", Role.PAST),
    ("unknown", Role.ACTIVE), ("not-taken", None), ("intended", None), ("entered-in-error", None),
])
def test_a_statement_adds_a_drug_that_no_order_names(status: str, role: Role | None) -> None:
    assert roles(stated("posaconazole", status)) == ({"posaconazole": role} if role else {})


@pytest.mark.parametrize(("entry", "role"), [
    (given("posaconazole"), Role.ACTIVE), (given("posaconazole", when="2026-11-01T08:00:00Z"), Role.PAST),
    (given("posaconazole", "in-progress"), Role.ACTIVE), (given("posaconazole", "not-done"), None),
    (given("posaconazole", "stopped"), Role.PAST), (given("posaconazole", "entered-in-error"), None),
])
def test_a_dose_that_was_given_adds_a_drug_that_no_order_names(entry: Json, role: Role | None) -> None:
    assert roles(entry) == ({"posaconazole": role} if role else {})


@pytest.mark.parametrize("dosage", [
    {"dose": {"value": 3, "unit": "g/m2", "system": "http://unitsofmeasure.org", "code": "g/m2"}},
    {"dose": {"value": 3000, "unit": "mg/m2"}}, {"text": "3 g/m2 over 3 hours"},
    {"text": "3000 mg/m2 IV", "dose": {"value": 5.4, "unit": "g"}},
])
def test_a_dose_that_was_given_by_body_surface_is_one_by_body_surface(dosage: Json) -> None:
    entry = given("cytarabine", when="2025-01-10T08:00:00Z", dosage=dosage)
    (given_once,) = chart(entry).medications.of(Role.PAST)
    assert str(given_once.dose.per_area) == "3000 mg/m²"


@pytest.mark.parametrize("amounts", [(100, 3000), (3000, 100)])
def test_of_several_doses_by_body_surface_the_highest_counts(amounts: tuple[int, int]) -> None:
    whole = chart(*(
        given("cytarabine", when=f"2025-0{month}-10T08:00:00Z", dosage={"dose": {"value": amount, "unit": "mg/m2"}})
        for month, amount in enumerate(amounts, start=1)
    ))
    (given_once,) = whole.medications.of(Role.PAST)
    assert str(given_once.dose.per_area) == "3000 mg/m²"


def test_a_past_order_that_states_no_dose_does_not_stand_for_a_dose_by_body_surface() -> None:
    ordered_once = order("cytarabine", "completed", authoredOn="2025-01-20T08:00:00Z")
    entry = given("cytarabine", when="2025-01-10T08:00:00Z", dosage={"dose": {"value": 3000, "unit": "mg/m2"}})
    past = chart(ordered_once, entry).medications.of(Role.PAST)
    assert [str(each.dose.per_area) for each in past] == ["None", "3000 mg/m²"]


def test_milligrams_that_were_given_are_no_dose_by_body_surface() -> None:
    entry = given("cytarabine", when="2025-01-10T08:00:00Z", dosage={"dose": {"value": 5400, "unit": "mg"}})
    (given_once,) = chart(entry).medications.of(Role.PAST)
    assert given_once.dose.per_area is None


@pytest.mark.parametrize(("entry", "role"), [
    (given("posaconazole", "unknown"), Role.ACTIVE), (given("posaconazole", "done"), Role.ACTIVE),
    (given("posaconazole", "unknown", effectiveDateTime="2026-11"), Role.ACTIVE),
    (given("posaconazole", "unknown", when="2026-11-01T08:00:00Z"), Role.PAST),
])
def test_a_dose_of_which_nobody_says_whether_it_was_given_is_told_with_that_doubt(entry: Json, role: Role) -> None:
    (found,) = listed(entry)
    assert found.role is role
    assert "the record does not say whether it was given" in found.doubts


def test_of_two_entries_of_a_drug_the_plainer_one_speaks() -> None:
    (found,) = listed(given("cytarabine", "unknown", when="2026-11-01"), given("cytarabine", when="2026-10-01"))
    assert (str(found.start), str(found.end), found.doubts) == ("2026-10-01", "2026-11-01", ())


@pytest.mark.parametrize("entry", [
    given("", medicationReference={"reference": "Medication/gone"}), given("", "unknown"),
    {**stated("x"), "medicationCodeableConcept": {}},
])
def test_a_statement_that_names_no_drug_leaves_the_list_open(entry: Json) -> None:
    if "medicationReference" in entry:
        del entry["medicationCodeableConcept"]
    found = chart({**entry, "status": "in-progress" if entry["status"] == "completed" else entry["status"]})
    assert any("could not be read" in doubt for doubt in found.get(MEDICATIONS).doubts)


@pytest.mark.parametrize(("code", "words", "sure"), [
    ("no-medication-info", "No information about medications", False), ("no-medication-info", None, False),
    ("no-known-medications", "No known medications", True),
])
def test_a_summary_without_information_on_medication_leaves_the_list_open(
    code: str, words: str | None, sure: bool
) -> None:
    told = concept(code, system="http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips", display=words)
    assert chart({**stated("x"), "medicationCodeableConcept": told}).get(MEDICATIONS).sure is sure


def test_how_long_a_dose_speaks_for_a_drug_that_goes_on_is_the_hospitals_policy(tmp_path: Path) -> None:
    values = "values:\n  - {statement: policy-given-goes-on, value: 20 d, reason: depot drugs are given so here}\n"
    chart = {"administrations": [given("posaconazole 300 mg", when="2026-11-05T08:00:00Z")]}
    asked = ("order-sign", ordered_venetoclax(status="draft"))
    local = cards_of(ask_with(tools_with(written(tmp_path / "site", values=values)), *asked, **chart))
    assert any("osaconazole" in card["summary"] for card in local)
    assert not any("as given" in card["detail"] for card in cards(*asked, **chart))


@pytest.mark.parametrize(("day", "role"), [("19", Role.ACTIVE), ("18", Role.PAST)], ids=["yesterday", "two days ago"])
def test_a_dose_of_yesterday_may_go_on_and_an_older_one_speaks_for_nothing_of_today(day: str, role: Role) -> None:
    (found,) = listed(given("posaconazole", when=f"2026-11-{day}T08:00:00Z"))
    assert found.role is role


def test_a_dose_given_today_may_be_the_last_one() -> None:
    (found,) = listed(given("posaconazole"))
    assert found.doubts == ("given today; whether it goes on is not known",)
    assert found.label == "posaconazole (as given, no order seen)"


def test_what_was_said_or_given_contradicts_no_order_and_repeats_none() -> None:
    facts = chart(order("venetoclax"), stated("venetoclax", "stopped"), given("venetoclax"), stated("venetoclax"))
    assert [each.role for each in facts.medications.orders] == [Role.ACTIVE]
    assert facts.get(MEDICATIONS).sure


def test_a_draft_hides_nothing_that_is_taken_and_an_older_order_no_later_end() -> None:
    drafted = chart(stated("venetoclax"), drafts=[order("venetoclax", "draft")]).medications.orders
    assert [each.role for each in drafted] == [Role.DRAFT, Role.ACTIVE]
    over = order("posaconazole", "completed", authoredOn="2025-10-18")
    late = given("posaconazole", when="2026-11-15T08:00:00Z")
    assert [(each.role, str(each.end)) for each in listed(over, late)] == [
        (Role.PAST, "None"), (Role.PAST, "2026-11-15")]
    assert listed(over, late)[1].label == "posaconazole (as given, its order has ended)"


def test_what_was_said_before_an_order_began_or_on_the_day_of_a_single_dose_adds_nothing() -> None:
    single = order("daunorubicin", "completed", authoredOn="2026-11-20")
    assert len(listed(single, given("daunorubicin"))) == 1
    assert len(listed(single, stated("daunorubicin", dateAsserted="2026-11-19"))) == 1
    assert len(listed(single, stated("daunorubicin", dateAsserted="2026-11-20"))) == 2


def test_many_doses_are_one_entry_from_the_first_to_the_last() -> None:
    doses = [given("cytarabine", when=f"2026-10-0{day}T08:00:00Z") for day in (3, 1, 2)]
    (found,) = listed(*doses)
    assert (str(found.start), str(found.end)) == ("2026-10-01", "2026-10-03")


EYES, SWALLOWED = "ciprofloxacin 0.3 % ophthalmic solution", "ciprofloxacin 500 mg oral tablet"


@pytest.mark.parametrize("first", [EYES, SWALLOWED])
def test_eye_drops_that_are_stated_do_not_stand_for_the_tablets_beside_them(first: str) -> None:
    second = SWALLOWED if first == EYES else EYES
    both = listed(stated(first, id="s1"), stated(second, id="s2"))
    assert {each.route for each in both} == {"oral", "ophthalmic/otic"}


@pytest.mark.parametrize(("ordered_as", "said", "found"), [
    (EYES, SWALLOWED, ["ophthalmic/otic", "oral"]), (SWALLOWED, EYES, ["oral"]), (EYES, "ciprofloxacin",
    ["ophthalmic/otic"]), ("ciprofloxacin", SWALLOWED, [""]),
])
def test_an_order_of_eye_drops_does_not_stand_for_stated_tablets(ordered_as: str, said: str, found: list[str]) -> None:
    assert [each.route for each in listed(order(ordered_as), stated(said))] == found


def test_the_route_of_a_dose_that_was_given_is_read() -> None:
    spinal = given("cytarabine", dosage={"route": {"text": "intrathecal"}})
    by_vein = given("cytarabine", id="a2", dosage={"route": {"text": "IV"}, "dose": measured(3000, "mg")})
    assert [each.route for each in listed(spinal, by_vein)] == ["intrathecal", "parenteral"]


def test_cytarabine_given_into_the_spinal_fluid_is_no_treatment_of_the_relapse() -> None:
    spinal = given("cytarabine", dosage={"route": {"text": "intrathecal"}})
    assert any("Relapsed AML" in card["summary"] for card in cards("patient-view", administrations=[spinal]))


def test_statements_of_one_drug_with_and_without_a_route_are_one_entry() -> None:
    (found,) = listed(stated("venetoclax"), stated("venetoclax 100 mg oral tablet", id="s2"))
    assert found.role is Role.ACTIVE


def test_what_is_reported_and_what_is_ordered_on_one_day_are_one_dose() -> None:
    both = [ordered_venetoclax(400, id="v1"), ordered_venetoclax(400, id="v2", reportedBoolean=True)]
    assert not any("above the labelled" in card["summary"] for card in cards("patient-view", medications=both))


@pytest.mark.parametrize("doses", [(100, 400), (400, 100)])
def test_of_two_doses_that_are_stated_the_higher_counts(doses: tuple[int, int]) -> None:
    both = [stated("venetoclax", id=f"s{mg}", dosage=[{"text": f"{mg} mg daily"}]) for mg in doses]
    assert [str(each.dose.daily) for each in listed(*both)] == ["400 mg daily"]


def test_the_dosage_of_a_statement_is_read_like_that_of_an_order() -> None:
    dosage = [{"timing": ONCE, "doseAndRate": [{"doseQuantity": measured(400, "mg")}]}]
    assert str(listed(stated("venetoclax", dosage=dosage))[0].dose.daily) == "400 mg daily"


def test_statements_that_came_with_the_medications_count_and_those_that_did_not_come_say_nothing() -> None:
    assert "posaconazole" in {drug for each in listed(others=[stated("posaconazole")]) for drug in each.ingredients}
    without = cards("order-sign", ordered_venetoclax(status="draft"))
    empty = cards("order-sign", ordered_venetoclax(status="draft"), statements=[], administrations=[])
    failed = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-supported"}]}
    broken = cards("order-sign", ordered_venetoclax(status="draft"), statements=failed)
    assert [each["detail"] for each in without] == [each["detail"] for each in empty] == [
        each["detail"] for each in broken]


def test_an_azole_that_the_patient_takes_from_elsewhere_meets_the_draft() -> None:
    found = cards("order-sign", ordered_venetoclax(status="draft"), statements=[stated("posaconazole 300 mg")])
    assert any("osaconazole" in card["summary"] for card in found)
    assert any("as stated, no order seen" in card["detail"] for card in found)


# Whose record it is


@pytest.mark.parametrize(("kind", "indicator", "words"), [
    ("replaced-by", "warning", "replaced by another one"), ("replaces", "info", "replaces another one"),
    ("refer", "info", "main one"), ("seealso", "info", "another record of this patient"),
])
def test_a_link_to_another_record_is_said_and_not_followed(kind: str, indicator: str, words: str) -> None:
    link = [{"other": {"reference": "Patient/p2"}, "type": kind}]
    patient = request("patient-view")["prefetch"]["patient"] | {"link": link}
    found = cards("order-sign", ordered_gilteritinib(status="draft"), patient=patient)
    (said,) = [card for card in found if "other id was not read" in card["detail"]]
    assert words in said["detail"]
    assert "p2" not in said["detail"]
    assert said["indicator"] in (indicator, "warning")


def test_a_record_without_links_says_nothing_of_them() -> None:
    facts = chart({"resourceType": "Patient", "id": "p1"})
    assert facts.get(LINKED).value == ()
