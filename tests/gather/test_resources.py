"""Resources: what is mended and noted, what is never left out, and that nothing in them can harm us."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cds_service.gather.mending import LEAVES_PER_CALL, Mending
from cds_service.gather.resources import DRAFTS, Resource, Unreadable
from cds_service.gather.views import MedicationRequest, Observation
from tests.charts import TODAY, clinical, concept, condition, measured, order, quantity, raw, resource

POTASSIUM = quantity("2823-3", 4.1, "mmol/L")


def checked(content: dict[str, Any], where: str = "labs") -> tuple[Any, tuple[str, ...]]:
    one = resource(content, where)
    return one.checked(), one.notes


def refusal(content: dict[str, Any]) -> str:
    view, _ = checked(content)
    assert isinstance(view, Unreadable)
    return view.reason


def test_a_valid_resource_is_read_without_notes() -> None:
    view, notes = checked(POTASSIUM)
    assert isinstance(view, Observation)
    assert view.valueQuantity is not None
    assert (str(view.valueQuantity.value), notes) == ("4.1", ())


# What is mended


def test_an_object_where_a_list_belongs_is_wrapped_and_noted() -> None:
    view, notes = checked(POTASSIUM | {"category": concept("laboratory", system="x")})
    assert isinstance(view, Observation)
    assert notes == ("category was an object where a list belongs",)


def test_an_object_where_a_list_belongs_is_wrapped_even_where_it_carries_meaning() -> None:
    coding = {"system": "http://loinc.org", "code": "2823-3"}
    view, notes = checked(POTASSIUM | {"code": {"coding": coding}})
    assert isinstance(view, Observation)
    assert view.code is not None
    assert view.code.coding is not None
    assert [each.code for each in view.code.coding] == ["2823-3"]
    assert notes == ("code.coding was an object where a list belongs",)


@pytest.mark.parametrize(("extra", "path"), [
    ({"favouriteColour": "red"}, "favouriteColour"), ({"issued": "yesterday"}, "issued"),
    ({"note": "haemolytic"}, "note"), ({"code": concept("2823-3") | {"colour": "red"}}, "code.colour"),
    ({"code": {"coding": [{"system": "http://loinc.org", "code": "2823-3", "userSelected": "perhaps"}]}},
     "code.coding[0].userSelected"),
])
def test_a_leaf_without_meaning_is_left_out_and_named(extra: dict[str, Any], path: str) -> None:
    view, notes = checked(POTASSIUM | extra)
    assert isinstance(view, Observation)
    assert notes == (f"{path} was left out: not valid FHIR R4",)


@pytest.mark.parametrize(("extra", "path"), [
    ({"text": {"status": "generated"}}, "text"), ({"note": [{"time": TODAY}]}, "note[0]"),
    ({"note": [{"time": TODAY}, {"text": "haemolytic"}]}, "note[0]"),
])
def test_what_lacks_a_part_and_has_no_meaning_is_left_out_as_a_whole(extra: dict[str, Any], path: str) -> None:
    view, notes = checked(POTASSIUM | extra)
    assert isinstance(view, Observation)
    assert notes == (f"{path} was left out: not valid FHIR R4",)


@pytest.mark.parametrize("extra", [{"component": [{"valueQuantity": {"value": 3}}]}, {"status": None}])
def test_what_lacks_a_part_and_has_a_meaning_is_not_left_out(extra: dict[str, Any]) -> None:
    assert "not valid" in refusal(POTASSIUM | extra)


@pytest.mark.parametrize("time", [
    "2026-11-20T08:00", "2026-11-20T08:00:00", "2026-11-20T08:00Z", "2026-11-20 08:00:00",
    "2026-11-20T08:00:00.000+0000",
])
def test_a_time_that_lacks_a_part_and_is_plain_all_the_same_is_kept_and_noted_if_need_be(time: str) -> None:
    view, _ = checked(POTASSIUM | {"effectiveDateTime": time})
    assert isinstance(view, Observation)
    assert view.effectiveDateTime == time


@pytest.mark.parametrize("more", [{"authoredOn": "2026-11-20T08:00"}, {"colour": "red"}])
def test_what_would_not_be_whole_is_not_sent_back(more: dict[str, Any]) -> None:
    one = resource(order("venetoclax") | more, DRAFTS)
    assert isinstance(one.checked(), MedicationRequest)
    assert one.valid_json() is None


def test_the_intent_that_a_draft_lacks_is_filled_while_it_is_checked_only() -> None:
    draft = {key: value for key, value in order("venetoclax").items() if key not in ("intent", "status", "subject")}
    one = resource(draft, DRAFTS)
    view = one.checked()
    assert isinstance(view, MedicationRequest)
    assert (view.intent, view.status, view.subject) == (None, None, None)
    assert set(one.notes) == {"intent is missing", "status is missing", "subject is missing"}
    valid = one.valid_json()
    assert valid is not None
    assert (valid["intent"], valid["status"]) == ("order", "draft")


def test_a_draft_without_medication_yet_is_readable() -> None:
    draft = {key: value for key, value in order("x").items() if key != "medicationCodeableConcept"}
    view, notes = checked(draft, DRAFTS)
    assert isinstance(view, MedicationRequest)
    assert notes == ("medicationCodeableConcept is missing",)
    assert view.medicationCodeableConcept is None


def test_a_listed_order_without_medication_or_status_is_not_made_readable() -> None:
    for missing in ("medicationCodeableConcept", "status"):
        assert "not valid" in refusal({key: value for key, value in order("x").items() if key != missing})


@pytest.mark.parametrize("code, text", [(28233, "28233"), (0, "0")])
def test_a_code_that_came_as_a_number_is_read_as_its_digits_and_noted(code: int, text: str) -> None:
    view, notes = checked(POTASSIUM | {"code": {"coding": [{"system": "http://example.org/lab", "code": code}]}})
    assert isinstance(view, Observation) and view.code is not None and view.code.coding is not None
    assert [each.code for each in view.code.coding] == [text]
    assert notes == ("code.coding[0].code was a number where a code belongs",)


def test_a_draft_with_a_subject_that_is_wrong_is_not_given_another_one() -> None:
    draft = order("venetoclax") | {"subject": {"reference": 7}}
    assert isinstance(resource(draft, DRAFTS).checked(), Unreadable)


# What is never left out


@pytest.mark.parametrize("extra", [
    {"status": 7}, {"status": None}, {"valueQuantity": {"value": "high", "unit": "mmol/L"}},
    {"valueQuantity": measured(4.1, "mmol/L", comparator=3)}, {"valueQuantity": {"value": 4.1, "unit": 7}},
    {"code": "2823-3"}, {"effectiveDateTime": "20/11/2026"}, {"dataAbsentReason": "unknown"},
    {"valueString": "and a second value"}, {"component": [{"valueQuantity": measured(1, "ms")}]},
    {"subject": "p1"},
])
def test_a_leaf_with_meaning_is_never_left_out(extra: dict[str, Any]) -> None:
    assert "not valid FHIR R4" in refusal(POTASSIUM | extra)


@pytest.mark.parametrize("extra", [
    {"doNotPerform": "no"}, {"dosageInstruction": [{"doseAndRate": [{"doseQuantity": {"value": "four"}}]}]},
    {"medicationReference": {"reference": "Medication/1"}},
])
def test_dose_and_prohibition_of_an_order_are_never_left_out(extra: dict[str, Any]) -> None:
    assert "not valid FHIR R4" in refusal(order("venetoclax") | extra)


def test_the_status_of_a_condition_is_never_left_out() -> None:
    assert "not valid" in refusal(condition(concept("C92.02")) | {"verificationStatus": "refuted"})


@pytest.mark.parametrize("content", [
    POTASSIUM | {"modifierExtension": [{"url": "http://example.org/not", "valueBoolean": True}]},
    POTASSIUM | {"component": [{"code": concept("8867-4"), "valueQuantity": measured(70, "/min"),
                                "modifierExtension": [{"url": "http://example.org/not", "valueBoolean": True}]}]},
    order("venetoclax", dosageInstruction=[{"text": "400 mg daily", "modifierExtension": [
        {"url": "http://example.org/not", "valueBoolean": True}]}]),
])
def test_a_modifier_that_we_do_not_know_makes_a_resource_unusable(content: dict[str, Any]) -> None:
    assert "changes its meaning" in refusal(content)


# How much is mended


def faults(number: int) -> dict[str, Any]:
    return {f"odd{index}": index for index in range(number)}


def test_eight_leaves_of_a_resource_are_mended_and_no_more() -> None:
    view, notes = checked(POTASSIUM | faults(8))
    assert isinstance(view, Observation)
    assert len(notes) == 8
    assert refusal(POTASSIUM | faults(9)) == "not valid FHIR R4 in many places"


def test_sixty_four_leaves_of_a_call_are_mended_and_no_more() -> None:
    mending = Mending()
    call = [Resource("Observation", raw(POTASSIUM | faults(8)), "labs", mending=mending) for _ in range(9)]
    assert all(isinstance(one.checked(), Observation) for one in call[:-1])
    assert (LEAVES_PER_CALL, mending.left) == (64, 0)
    last = call[-1].checked()
    assert isinstance(last, Unreadable)
    assert "too many faults in this call" in last.reason


def test_a_sound_resource_is_read_even_when_nothing_may_be_mended_any_more() -> None:
    assert isinstance(Resource("Observation", raw(POTASSIUM), "labs", mending=Mending(0)).checked(), Observation)


# What cannot be read


@pytest.mark.parametrize(
    "number", ["1e5000", "1e999999", "1e99999999999", "1e-99999999999", "9" * 5000, "1e99999999999999999999"]
)
def test_a_number_of_impossible_size_is_refused_and_costs_nothing(number: str) -> None:
    text = raw(POTASSIUM).replace(b"4.1", number.encode())
    assert isinstance(Resource("Observation", text, "labs").checked(), Unreadable)


@pytest.mark.parametrize("number, is_read", [
    ("1e100", True), ("1e101", False), ("1e-100", True), ("1e-101", False), ("9" * 100, True), ("9" * 101, False),
])
@pytest.mark.parametrize("strict_all", [True, False])
def test_a_number_is_read_up_to_its_largest_size_and_no_further(number: str, is_read: bool, strict_all: bool) -> None:
    text = raw(POTASSIUM).replace(b"4.1", number.encode())
    read = Resource("Observation", text, "labs", mending=Mending(strict_all=strict_all)).checked()
    value = read.valueQuantity.value if isinstance(read, Observation) and read.valueQuantity else None
    assert (value is not None) is is_read and value in (None, Decimal(number))


@pytest.mark.parametrize("text", [
    b"", b"{", b"[]", b"null", b'{"resourceType": "Observation"',
    b'{"resourceType":"Observation","code":' + b"[" * 5000,
    b'{"resourceType": "Observation", "code": ' + b'{"coding":[' * 400 + b"]}" * 400 + b"}", b"\xff\xfe",
])
def test_what_is_no_resource_is_unreadable_and_never_a_crash(text: bytes) -> None:
    one = Resource("Observation", text, "labs")
    assert isinstance(one.checked(), Unreadable)
    assert one.valid_json() is None


def test_an_element_that_stands_twice_is_no_value() -> None:
    text = raw(POTASSIUM).replace(b'"value": 4.1', b'"value": 4.1, "value": 2.1')
    found = Resource("Observation", text, "labs").checked()
    assert isinstance(found, Unreadable) and "stands twice" in found.reason


def test_a_type_that_is_not_read_here_is_unreadable() -> None:
    assert isinstance(Resource("Device", b'{"resourceType": "Device"}', "labs").view(), Unreadable)


def test_the_reason_holds_no_patient_data() -> None:
    assert "Jane" not in refusal(POTASSIUM | {"status": {"Jane": "Doe"}})


@pytest.mark.parametrize("extra", [
    {"timing": {"repeat": {"boundsPeriod": {"start": 20260101}}}}, {"timing": {"repeat": {"frequency": "1"}}},
    {"asNeededBoolean": "true"},
])
def test_what_r4_s_reader_takes_for_a_time_or_a_number_and_ours_does_not_is_unreadable(extra: dict[str, Any]) -> None:
    assert refusal(order("venetoclax", dosageInstruction=[extra])) == "not typed as FHIR R4 has it"


@pytest.mark.parametrize("extra", [{"contained": [{"resourceType": "Unicorn"}]}, {"contained": [{"resourceType": 5}]}])
def test_what_makes_r4_s_reader_stumble_is_unreadable_and_never_a_crash(extra: dict[str, Any]) -> None:
    assert refusal(POTASSIUM | extra) == "not valid FHIR R4 at the top"


def test_an_extension_nested_beyond_r4_s_reader_is_unreadable_and_never_a_crash() -> None:
    nested: dict[str, Any] = {"url": "http://example.org/x", "valueString": "x"}
    for _ in range(300):
        nested = {"url": "http://example.org/x", "extension": [nested]}
    deep = Resource("Observation", raw(POTASSIUM | {"extension": [nested]}), "labs", mending=Mending(strict_all=True))
    assert deep.checked() == Unreadable("Observation", "not valid FHIR R4 at the top")


# Where everything is checked (STRICT_ALL)


def test_where_everything_is_checked_a_sound_resource_is_the_same_and_has_no_fault() -> None:
    one = Resource("Observation", raw(POTASSIUM), "labs", mending=Mending(strict_all=True))
    assert one.checked() == resource(POTASSIUM).view() and one.fault() == ""
    valid = one.valid_json()
    assert valid is not None and valid["valueQuantity"] == {"value": 4.1, "unit": "mmol/L"}


@pytest.mark.parametrize("content, says", [
    (POTASSIUM | {"colour": "red"}, "colour was left out: not valid FHIR R4"),
    (POTASSIUM | {"status": 7}, "not valid FHIR R4 at status"),
    ({"resourceType": "Device", "colour": "red"}, ""),
])
def test_the_fault_of_a_resource_is_told_and_changes_nothing(content: dict[str, Any], says: str) -> None:
    one = resource(content)
    before = one.view()
    assert one.fault() == says
    assert (one.view(), one.notes) == (before, ())


# What is saved of an invalid order


def test_an_invalid_order_is_saved_element_by_element() -> None:
    saved = resource(order("posaconazole", dosageInstruction="300 mg")).salvaged()
    assert isinstance(saved, MedicationRequest)
    assert saved.medicationCodeableConcept is not None
    assert (saved.medicationCodeableConcept.text, saved.dosageInstruction) == ("posaconazole", None)


def test_a_drug_in_a_list_of_one_is_saved() -> None:
    saved = resource(order("posaconazole", medicationCodeableConcept=[{"text": "posaconazole"}])).salvaged()
    assert isinstance(saved, MedicationRequest) and saved.medicationCodeableConcept is not None
    assert saved.medicationCodeableConcept.text == "posaconazole"


@pytest.mark.parametrize("written", [
    [], [{"text": "posaconazole"}, {"text": "fluconazole"}], "", "posaconazole", ["posaconazole"], [["x"]],
])
def test_of_a_list_of_several_and_of_bare_words_nobody_knows_what_is_meant(written: Any) -> None:
    saved = resource(order("posaconazole", medicationCodeableConcept=written)).salvaged()
    assert saved is None or (isinstance(saved, MedicationRequest) and saved.medicationCodeableConcept is None)


def test_the_place_of_a_fault_is_told_as_fhir_names_it() -> None:
    found = resource(order("x", medicationCodeableConcept=[{"text": "x"}])).checked()
    assert isinstance(found, Unreadable) and found.reason == "not valid FHIR R4 at medicationCodeableConcept"


def test_a_subject_in_a_list_of_one_says_whose_the_order_is() -> None:
    saved = resource(order("posaconazole", subject=[{"reference": "Patient/p2"}])).salvaged()
    assert isinstance(saved, MedicationRequest) and saved.subject is not None
    assert saved.subject.reference == "Patient/p2"


@pytest.mark.parametrize("number", ["1e5000", "1e99999999999999999999", "9" * 5000])
def test_a_dose_of_impossible_size_is_lost_and_the_drug_is_saved(number: str) -> None:
    dose = {"doseAndRate": [{"doseQuantity": {"value": "DOSE", "unit": "mg"}}]}
    text = raw(order("posaconazole", dosageInstruction=[dose])).replace(b'"DOSE"', number.encode())
    saved = Resource("MedicationRequest", text, "medications").salvaged()
    assert isinstance(saved, MedicationRequest) and saved.medicationCodeableConcept is not None
    (instruction,) = saved.dosageInstruction or ()
    (rate,) = instruction.doseAndRate or ()
    assert rate.doseQuantity is not None
    assert (rate.doseQuantity.value, rate.doseQuantity.unit) == (None, "mg")


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"[]", b'{"subject":' + b"[" * 100_000])
def test_of_what_is_no_resource_nothing_is_saved(text: bytes) -> None:
    assert Resource("MedicationRequest", text, "medications").salvaged() is None


def test_an_order_of_nobody_knows_whom_is_not_saved() -> None:
    assert resource(order("posaconazole", subject=["Patient/p2"])).salvaged() is None


def test_the_reference_is_type_and_id_or_the_type_alone() -> None:
    assert resource(POTASSIUM | {"id": "k1"}).reference == "Observation/k1"
    assert resource({"resourceType": "Condition", "clinicalStatus": clinical("active")}).reference == "Condition"


def test_a_contained_one_is_named_by_what_holds_it() -> None:
    medication = raw({"resourceType": "Medication", "id": "med"})
    held = Resource("Medication", medication, "contained", inside="MedicationRequest/m1#med")
    assert held.reference == "MedicationRequest/m1#med"
