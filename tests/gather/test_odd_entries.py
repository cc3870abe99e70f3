"""Entries that cannot be used as they came: each is said, or rightly passed over, and never read as nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.gather.bundle import unpack
from cds_service.gather.collect import collect
from cds_service.gather.limits import Deadline
from cds_service.gather.replies import Gathered, Status
from cds_service.gather.resources import Resource, Unreadable
from cds_service.gather.views import Observation
from cds_service.hooks.request import Draft, HookRequest
from cds_service.hooks.services import Moment, Query, Service
from tests.charts import NoServer, observation, order, quantity, raw

SERVICE = Service("s", "order-sign", Moment.SIGN, "", "", (Query("labs", "Observation?patient=p1", ""),))
POTASSIUM = quantity("2823-3", 4.1, "mmol/L", name="k1")


def gather(bundle: dict[str, Any] | None = None, *drafts: dict[str, Any], strict_all: bool = False) -> Gathered:
    request = HookRequest(
        "order-sign", "i", "p1", "u", tuple(Draft(raw(each), None) for each in drafts), (),
        {"labs": raw(bundle)} if bundle else {}, None,
    )  # fmt: skip
    return collect(request, SERVICE, NoServer(), Deadline(2, lambda: 0.0), strict_all=strict_all)


def bundle(*resources: Any, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "entry": [{"resource": each} for each in resources], **more}


def test_a_bundle_that_counts_more_than_came_is_partial() -> None:
    reply = gather(bundle(POTASSIUM, type="searchset", total=5)).reply("labs")
    assert (reply.status, reply.why) == (Status.PARTIAL, "the Bundle counts more entries than came")
    assert [each.reference for each in reply.resources] == ["Observation/k1"]


@pytest.mark.parametrize(("more", "why"), [
    ({"link": [{"relation": "Next", "url": "https://e.example/2"}]}, "only the first page was sent"),
    ({"link": [{"relation": "next"}]}, "the Bundle has a further page and does not say where"),
    ({"link": [{"relation": "next", "url": ""}]}, "the Bundle has a further page and does not say where"),
    ({"link": [{"relation": "next", "url": 5}]}, "the Bundle has a further page and does not say where"),
    ({"link": ["https://e.example/2"]}, "a link of the Bundle cannot be read"),
    ({"type": "searchset", "total": "5"}, "the Bundle counts more entries than came"),
])
def test_a_bundle_whose_further_pages_are_told_oddly_is_partial(more: dict[str, Any], why: str) -> None:
    reply = gather(bundle(POTASSIUM, **more)).reply("labs")
    assert (reply.status, reply.why) == (Status.PARTIAL, why)


@pytest.mark.parametrize("more", [
    {"link": [{"relation": "self", "url": "https://e.example/1"}, {"relation": "last", "url": 1}, {}]},
    {"link": None}, {"link": []}, {"link": [{"url": "https://e.example/1"}]}, {"total": "1"}, {"total": None},
])
def test_other_links_of_a_bundle_open_nothing(more: dict[str, Any]) -> None:
    assert gather(bundle(POTASSIUM, **more)).reply("labs").status is Status.COMPLETE


@pytest.mark.parametrize("reference", ["urn:uuid:1", "Group/1", "Patient", "#p1"])
def test_an_entry_that_does_not_say_whose_it_is_is_not_read_and_the_answer_is_partial(reference: str) -> None:
    odd = POTASSIUM | {"id": "k2", "subject": {"reference": reference}}
    reply = gather(bundle(POTASSIUM, odd)).reply("labs")
    assert (reply.status, reply.why) == (Status.PARTIAL, "an entry does not say plainly whose it is")
    assert [each.reference for each in reply.resources] == ["Observation/k1"]


@pytest.mark.parametrize("reference", ["p1", "patient/p1", "Patient/p1/", "PATIENT/p1", "https://e.example/Patient/p1/"])
def test_a_subject_that_is_written_carelessly_and_has_the_id_of_the_call_is_its_patient(reference: str) -> None:
    odd = POTASSIUM | {"id": "k2", "subject": {"reference": reference}}
    reply = gather(bundle(POTASSIUM, odd)).reply("labs")
    assert (reply.status, [each.reference for each in reply.resources]) == (
        Status.COMPLETE, ["Observation/k1", "Observation/k2"],
    )  # fmt: skip


@pytest.mark.parametrize("reference", ["P1", "Patient/P1", "p2", "patient/p2", "x/p1", "xPatient/p1", "Group/p1"])
def test_a_subject_of_another_id_is_nobody_of_this_call(reference: str) -> None:
    reply = gather(bundle(POTASSIUM, POTASSIUM | {"id": "k2", "subject": {"reference": reference}})).reply("labs")
    assert [each.reference for each in reply.resources] == ["Observation/k1"]


@pytest.mark.parametrize("issue", [5, {"severity": "error"}, [5], [{"severity": ["error"]}]])
def test_a_problem_whose_words_cannot_be_read_is_a_problem_all_the_same(issue: Any) -> None:
    problem = {"resourceType": "OperationOutcome", "issue": issue}
    told = ("the EHR reported a problem that cannot be read",)
    assert unpack(json.dumps(problem).encode()).problems == told
    assert unpack(json.dumps(bundle(POTASSIUM, problem)).encode()).problems == told


def test_an_unreadable_draft_that_orders_no_drug_is_no_unreadable_order() -> None:
    imaging = {"resourceType": "ServiceRequest", "status": 7, "subject": 5}
    found = gather(None, imaging, order("venetoclax") | {"status": 7})
    assert [each.type for each in found.drafts] == ["MedicationRequest"] and not found.unreadable
    unread = gather(None, imaging | {"medicationCodeableConcept": 7}).unreadable
    assert [each.type for each in unread] == ["ServiceRequest"]


@pytest.mark.parametrize("kind", ["MedicationStatement", "MedicationAdministration"])
def test_what_is_drafted_as_no_order_is_not_passed_over_in_silence(kind: str) -> None:
    found = gather(None, order("venetoclax") | {"resourceType": kind})
    assert ([each.type for each in found.unreadable], found.drafts) == ([kind], ())


@pytest.mark.parametrize("kind", ["RequestGroup", "CarePlan"])
def test_orders_within_a_plan_are_not_passed_over_in_silence(kind: str) -> None:
    patient = {"reference": "Patient/p1"}
    plan = {"resourceType": kind, "id": "g1", "status": "draft", "intent": "order", "subject": patient}
    inside = gather(None, plan | {"contained": [order("venetoclax")]})
    assert ([each.type for each in inside.unreadable], [each.type for each in inside.drafts]) == ([kind], [kind])
    assert not gather(None, plan).unreadable


def test_where_everything_is_checked_what_is_wrong_is_noted_and_no_card_changes() -> None:
    odd = POTASSIUM | {"id": "k2", "colour": "red"}
    found = gather(bundle(POTASSIUM, odd), strict_all=True)
    assert found.notes == ("Observation in labs: colour was left out: not valid FHIR R4",)
    assert found.reply("labs").status is gather(bundle(POTASSIUM, odd)).reply("labs").status is Status.COMPLETE


@pytest.mark.parametrize("number", ['"NaN"', '"Infinity"', '"sNaN"', "1e5000", "1e-5000"])
def test_a_value_that_nobody_measures_is_no_value(number: str) -> None:
    text = raw(POTASSIUM).replace(b"4.1", number.encode())
    view = Resource("Observation", text, "labs").view()
    read = view.valueQuantity.value if isinstance(view, Observation) and view.valueQuantity else None
    assert read is None


def test_the_parts_of_a_panel_are_read_with_their_concepts_and_values() -> None:
    def part(code: str, **value: Any) -> dict[str, Any]:
        return {"code": {"coding": [{"system": "http://loinc.org", "code": code}]}, **value}

    panel = observation("85354-9", component=[
        part("8480-6", valueQuantity={"value": 120}), part("8462-4", dataAbsentReason={"text": "cuff too small"}),
    ])  # fmt: skip
    view = Resource("Observation", raw(panel), "labs").view()
    assert isinstance(view, Observation) and view.component is not None
    first, second = view.component
    assert first.code is not None and first.code.coding is not None and first.code.coding[0].code == "8480-6"
    assert first.valueQuantity is not None and first.valueQuantity.value == 120
    assert second.dataAbsentReason is not None and second.dataAbsentReason.text == "cuff too small"
    assert second.valueQuantity is None


def test_one_that_came_twice_does_not_make_up_for_one_that_is_missing() -> None:
    one, other = POTASSIUM, POTASSIUM | {"id": "k2"}
    for came, short in (((one, one), True), ((one, other), False), ((one, one, other), False)):
        reply = gather(bundle(*came, total=2)).reply("labs")
        assert (reply.status is Status.PARTIAL) is short


def test_what_has_no_id_counts_each_time() -> None:
    nameless = {name: value for name, value in POTASSIUM.items() if name != "id"}
    assert gather(bundle(nameless, nameless, total=2)).reply("labs").status is Status.COMPLETE
    device = {"resourceType": "Device", "id": "k1"}
    assert gather(bundle(POTASSIUM, device, device, total=2)).reply("labs").status is Status.COMPLETE
    assert gather(bundle(POTASSIUM, device, device, total=3)).reply("labs").status is Status.PARTIAL


def test_what_is_contained_and_nobody_asks_for_may_be_wrong() -> None:
    device, lab = {"resourceType": "Device", "id": "d"}, {"resourceType": "Organization", "id": "o", "name": ["Lab"]}
    found = Resource("Observation", raw(POTASSIUM | {"contained": [device, lab]}), "labs")
    view = found.checked()
    assert isinstance(view, Observation) and len(view.contained or ()) == 1
    assert found.notes == ("contained[1] was left out: not valid FHIR R4",) and found.valid_json() is None
    alone = Resource("Observation", raw(POTASSIUM | {"contained": [lab]}), "labs").checked()
    assert isinstance(alone, Observation) and alone.contained is None


@pytest.mark.parametrize("kind", ["Specimen", "Observation", "organization", "Medication", None, 5])
def test_what_is_contained_and_may_be_asked_for_may_not_be_wrong(kind: Any) -> None:
    wrong = {"resourceType": kind, "id": "o", "status": ["x"], "name": ["Lab"]}
    assert isinstance(Resource("Observation", raw(POTASSIUM | {"contained": [wrong]}), "labs").checked(), Unreadable)
