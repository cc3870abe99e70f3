"""Whose a resource is that has no reference: by number, by type, or not plainly anybody's."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.gather.collect import NOT_OURS, UNCLEAR, collect
from cds_service.gather.limits import Deadline
from cds_service.gather.query import Answered
from cds_service.gather.replies import Gathered, Status
from cds_service.hooks.request import Draft, FhirAccess, HookRequest
from cds_service.hooks.services import Moment, Query, Service
from tests.charts import NoServer, order, quantity, raw

SERVICE = Service("s", "order-sign", Moment.SIGN, "", "", (
    Query("labs", "Observation?patient=p1", ""), Query("allergies", "AllergyIntolerance?patient=p1", ""),
    Query("patient", "Patient/p1", ""),
))  # fmt: skip
MRN = "urn:oid:1.2.3"
PATIENT = {"resourceType": "Patient", "id": "p1", "identifier": [
    {"system": MRN, "value": "77"}, {"system": MRN, "value": "78", "use": "old"}, {"value": "bare"},
    {"system": "http://hl7.org/fhir/sid/us-ssn"},
]}  # fmt: skip
OURS = quantity("2823-3", 4.1, "mmol/L", name="k1")
URN = "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a"


class Gives(NoServer):
    """A FHIR server that answers with this Patient."""

    def refusal(self, access: FhirAccess) -> None:  # type: ignore[override]
        return None

    def ask_all(self, access: Any, queries: Any, deadline: Any) -> dict[str, Answered]:
        return {key: Answered((raw(PATIENT),), Status.COMPLETE, "") for key in queries if key == "patient"}


def gather(
    *labs: dict[str, Any], patient: Any = PATIENT, drafts: tuple[dict[str, Any], ...] = (), **sent: Any
) -> Gathered:
    prefetch = {"labs": {"resourceType": "Bundle", "entry": [{"resource": each} for each in labs]}, **sent}
    prefetch |= {"patient": patient} if patient else {}
    server = FhirAccess("https://e.example/fhir") if patient is None else None
    request = HookRequest(
        "order-sign", "i", "p1", "u", tuple(Draft(raw(each), None) for each in drafts), (),
        {key: raw(value) for key, value in prefetch.items()}, server,
    )  # fmt: skip
    return collect(request, SERVICE, Gives() if server else NoServer(), Deadline(2, lambda: 0.0))


def odd(subject: Any) -> dict[str, Any]:
    return OURS | {"id": "k2", "subject": subject}


def number(value: str, system: str | None = MRN, **more: Any) -> dict[str, Any]:
    return {"identifier": {"value": value} | ({"system": system} if system else {})} | more


KEPT, ONE = ["Observation/k1", "Observation/k2"], ["Observation/k1"]


@pytest.mark.parametrize("subject", [
    number("77"), number("78"), number("77", MRN.upper()), number("77", MRN + "/"), number(" 77 "),
    number("bare", None), number("77", type="Patient", display="Doe, John"),
    number("77", type="http://hl7.org/fhir/StructureDefinition/Patient"),
    {"reference": "Patient/p1", "display": "Doe, John"}, {"reference": "Patient/p1", **number("99", "urn:of:a:visit")},
    {"reference": "Patient/p1", **number("99")}, {},
])
def test_a_subject_by_a_number_of_this_patient_or_by_reference_is_this_patient(subject: dict[str, Any]) -> None:
    found = gather(OURS, odd(subject)).reply("labs")
    assert (found.status, [each.reference for each in found.resources]) == (Status.COMPLETE, KEPT)


def test_what_names_no_subject_at_all_is_of_this_patient() -> None:
    nobodys = {name: value for name, value in odd({}).items() if name != "subject"}
    found = gather(OURS, nobodys).reply("labs")
    assert (found.status, [each.reference for each in found.resources]) == (Status.COMPLETE, KEPT)


@pytest.mark.parametrize("subject", [number("99"), number("99", display="Doe, John"), number("7")])
def test_another_number_of_the_same_system_is_another_patient(subject: dict[str, Any]) -> None:
    found = gather(OURS, odd(subject))
    assert [each.reference for each in found.reply("labs").resources] == ONE
    assert (found.reply("labs").status, found.foreign) == (Status.COMPLETE, 1)
    assert gather(odd(subject)).reply("labs").why == NOT_OURS


@pytest.mark.parametrize("subject", [
    number("77", "urn:other"), number("77", None), number("other", None), number(""), {"display": "Doe, John"},
    {"identifier": {"system": MRN}}, {"type": "Patient"}, number("77", type="Device"), {"type": "Location"},
    {"type": "Device", "display": "pump"}, {"reference": "Device/p1"},
])
def test_what_cannot_be_compared_is_not_read_and_its_answer_is_partial(subject: dict[str, Any]) -> None:
    found = gather(OURS, odd(subject))
    reply = found.reply("labs")
    assert (reply.status, reply.why, found.foreign) == (Status.PARTIAL, UNCLEAR, 0)
    assert [each.reference for each in reply.resources] == ONE
    assert gather(odd(subject)).reply("labs").why == UNCLEAR


def test_without_a_patient_that_was_sent_no_number_can_be_compared() -> None:
    assert gather(OURS, odd(number("77")), patient=False).reply("labs").why == UNCLEAR
    broken = {"resourceType": "Patient", "id": "p1", "identifier": 5}
    assert gather(OURS, odd(number("77")), patient=broken).reply("labs").why == UNCLEAR


def test_the_patient_that_the_server_gives_is_compared_with_as_well() -> None:
    assert [each.reference for each in gather(OURS, odd(number("77")), patient=None).reply("labs").resources] == KEPT
    assert gather(OURS, odd(number("99")), patient=None).foreign == 1


def test_an_allergy_names_its_patient_under_another_name() -> None:
    entry = {"resourceType": "AllergyIntolerance", "id": "a1", "code": {"text": "venetoclax"}}
    for patient, status in ((number("77"), Status.COMPLETE), ({"display": "Doe, John"}, Status.PARTIAL)):
        found = gather(OURS, allergies=entry | {"patient": patient}).reply("allergies")
        assert (found.status, len(found.resources)) == (status, status is Status.COMPLETE)


def test_what_is_not_valid_and_of_another_patient_does_not_warn_for_this_one() -> None:
    entry = {"resourceType": "AllergyIntolerance", "code": {"text": "venetoclax"}, "clinicalStatus": "active"}
    for patient, kept in ((number("77"), 1), (number("99"), 0), ({"display": "Doe, John"}, 0)):
        found = gather(OURS, allergies=entry | {"patient": patient}).reply("allergies")
        assert (found.status is not Status.COMPLETE, len(found.resources)) == (True, kept)


@pytest.mark.parametrize(("subject", "read"), [
    ({"display": "Doe, John"}, True), ({"type": "Patient"}, True), (number("77"), True), ({"reference": URN}, True),
    (number("99"), False), (number("77", "urn:other"), False), ({"type": "Group"}, False),
    ({"reference": "urn:uuid:another"}, False),
])
def test_a_draft_is_read_unless_it_names_another_or_somebody_who_cannot_be_compared(subject: Any, read: bool) -> None:
    bundle = {"resourceType": "Bundle", "entry": [{"fullUrl": URN, "resource": PATIENT}]}
    found = gather(OURS, patient=bundle, drafts=(order("venetoclax", "draft") | {"subject": subject},))
    assert (len(found.drafts), len(found.unreadable)) == ((1, 0) if read else (0, 1))


@pytest.mark.parametrize("broken", [{"system": MRN, "value": 7}, "77", None])
def test_a_number_of_the_patient_that_cannot_be_read_takes_nothing_from_the_others(broken: Any) -> None:
    patient = PATIENT | {"identifier": [broken, *PATIENT["identifier"]]}  # type: ignore[misc]
    found = gather(odd(number("77")), patient=patient).reply("labs")
    assert (len(found.resources), found.status) == (1, Status.COMPLETE)
