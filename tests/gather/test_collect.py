"""Collect: prefetch first, then the server; each way of not knowing its own Reply; no other patient's data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from cds_service.errors import WrongContent
from cds_service.gather.collect import collect
from cds_service.gather.limits import Deadline
from cds_service.gather.query import Answered
from cds_service.gather.replies import Gathered, Status
from cds_service.gather.whose import belongs_to
from cds_service.hooks.request import Draft, FhirAccess, HookRequest
from cds_service.hooks.services import Moment, Query, Service
from tests.charts import order, quantity, raw

SERVICE = Service("s", "order-sign", Moment.SIGN, "", "", (
    Query("patient", "Patient/{{context.patientId}}", ""), Query("labs", "Observation?patient={{context.patientId}}",
    ""),
    Query("medications", "MedicationRequest?patient={{context.patientId}}", ""),
))
PATIENT = {"resourceType": "Patient", "id": "p1", "birthDate": "1960-01-01"}
POTASSIUM = quantity("2823-3", 4.1, "mmol/L", name="k1")


@dataclass
class Server:
    """Stands in for the FHIR server."""

    answers: Mapping[str, Answered] = field(default_factory=dict)
    refuses: str | None = None
    pages: Answered = field(default_factory=lambda: Answered((), Status.FAILED, "no time left"))
    asked: dict[str, str] = field(default_factory=dict)

    def refusal(self, access: FhirAccess) -> str | None:
        return self.refuses

    def ask_all(self, access: FhirAccess, queries: Mapping[str, str], deadline: Deadline) -> dict[str, Answered]:
        self.asked = dict(queries)
        return {key: answer for key, answer in self.answers.items() if key in queries}

    def more_pages(self, access: FhirAccess, next_url: str, deadline: Deadline) -> Answered:
        return self.pages


def bundle(*resources: Any, following: str | None = None) -> dict[str, Any]:
    link = [{"relation": "next", "url": following}] if following else []
    return {"resourceType": "Bundle", "entry": [{"resource": each} for each in resources], "link": link}


def gather(prefetch: dict[str, Any] | None = None, *drafts: Any, server: Server | None = None,
           access: bool = True) -> Gathered:
    request = HookRequest(
        "order-sign", "i", "p1", "u", tuple(Draft(raw(each), None) for each in drafts), (),
        {key: raw(value) for key, value in (prefetch or {}).items()},
        FhirAccess("https://ehr.example.org/fhir") if access else None,
    )
    return collect(request, SERVICE, server or Server(), Deadline(2, lambda: 0.0))


def names(gathered: Gathered, key: str = "labs") -> list[str]:
    return [each.reference for each in gathered.reply(key).resources]


def test_only_what_was_not_sent_along_is_asked_for() -> None:
    server = Server({"medications": Answered((raw(order("x")),), Status.COMPLETE, "")})
    found = gather({"patient": PATIENT, "labs": bundle(POTASSIUM)}, server=server)
    assert server.asked == {"medications": "MedicationRequest?patient=p1"}
    assert [(reply.status, reply.source) for reply in found.replies.values()] == [
        (Status.COMPLETE, "prefetch"), (Status.COMPLETE, "prefetch"), (Status.COMPLETE, "FHIR server"),
    ]


def test_sent_along_or_asked_for_the_same_is_read() -> None:
    sent = gather({"labs": bundle(POTASSIUM)})
    asked = gather(server=Server({"labs": Answered((raw(POTASSIUM),), Status.COMPLETE, "")}))
    assert names(sent) == names(asked) == ["Observation/k1"]


@pytest.mark.parametrize(("sent", "status"), [
    (None, Status.COMPLETE), (bundle(), Status.COMPLETE),
    ({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}, Status.FAILED),
    ("text", Status.FAILED), ({"resourceType": "Bundle", "entry": 7}, Status.FAILED),
    (bundle({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}), Status.FAILED),
    (bundle(POTASSIUM, {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}), Status.PARTIAL),
    (bundle(POTASSIUM, {"resourceType": "Observation", "status": {}}), Status.PARTIAL),
    (bundle(POTASSIUM, None), Status.PARTIAL), (bundle(POTASSIUM, following="?page=2"), Status.PARTIAL),
])
def test_each_way_of_answering_is_its_own_reply(sent: Any, status: Status) -> None:
    reply = gather({"labs": sent}).reply("labs")
    assert reply.status is status
    assert bool(reply.why) is (status is not Status.COMPLETE)


def test_a_key_that_was_sent_as_a_failure_is_not_asked_again() -> None:
    server = Server({"labs": Answered((), Status.COMPLETE, "")})
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}
    assert gather({"labs": outcome}, server=server).reply("labs").status is Status.FAILED
    assert "labs" not in server.asked


def test_without_a_server_what_was_not_sent_was_not_asked() -> None:
    reply = gather(access=False).reply("labs")
    assert (reply.status, reply.why) == (Status.NOT_ASKED, "not sent with the request, and no FHIR server was given")


def test_a_server_that_we_may_not_ask_is_not_asked_and_its_first_page_is_partial() -> None:
    server = Server(refuses="this server is not on our list")
    found = gather({"labs": bundle(POTASSIUM, following="?page=2")}, server=server)
    assert found.reply("medications").why == "this server is not on our list"
    assert (found.reply("labs").status, found.reply("labs").why) == (Status.PARTIAL, "only the first page was sent")
    assert not server.asked


def test_further_pages_of_a_bundle_that_was_sent_along_are_read() -> None:
    server = Server(pages=Answered((raw(POTASSIUM | {"id": "k2"}),), Status.COMPLETE, ""))
    found = gather({"labs": bundle(POTASSIUM, following="?page=2")}, server=server)
    assert (names(found), found.reply("labs").status) == (["Observation/k1", "Observation/k2"], Status.COMPLETE)


def test_a_failed_query_stays_failed() -> None:
    server = Server({"labs": Answered((), Status.FAILED, "the FHIR server answered 500")})
    assert gather(server=server).reply("labs").why == "the FHIR server answered 500"


def test_a_query_that_this_service_does_not_have_was_not_asked() -> None:
    assert gather().reply("procedures").status is Status.NOT_ASKED


# Other patients


def test_resources_of_another_patient_are_counted_and_never_read() -> None:
    foreign = POTASSIUM | {"id": "k2", "subject": {"reference": "Patient/p2"}}
    found = gather({"labs": bundle(POTASSIUM, foreign)})
    assert (names(found), found.foreign) == (["Observation/k1"], 1)


def test_a_draft_for_another_patient_is_not_read_and_not_passed_over_in_silence() -> None:
    found = gather({}, order("venetoclax", subject={"reference": "Patient/p2"}))
    assert (found.drafts, len(found.unreadable)) == ((), 1)


def test_a_patient_of_another_id_sent_along_stops_the_call_without_naming_the_id() -> None:
    with pytest.raises(WrongContent) as refused:
        gather({"patient": PATIENT | {"id": "p2"}})
    assert "prefetch.patient" in str(vars(refused.value)) + str(refused.value)
    assert "p2" not in str(vars(refused.value)) + str(refused.value)


def test_a_patient_of_another_id_from_the_server_is_not_read() -> None:
    other = Answered((raw(PATIENT | {"id": "p2"}),), Status.COMPLETE, "")
    found = gather(server=Server({"patient": other}))
    assert (names(found, "patient"), found.foreign) == ([], 1)


@pytest.mark.parametrize("reference", [
    "Patient/p1", "https://ehr.example.org/fhir/Patient/p1", "Patient/p1/_history/3",
])
def test_a_reference_to_this_patient_may_be_relative_absolute_or_versioned(reference: str) -> None:
    assert belongs_to(reference, "p1")


@pytest.mark.parametrize("reference", [
    "Patient/p11", "Patient/p", "Patient/P1", "OtherPatient/p1", "Patient/p1/Observation/2", "Group/p1", "#p1", "",
    "Patient/p1\n", "Patient/px", "urn:uuid:p1",
])
def test_a_reference_to_anybody_else_does_not_pass(reference: str) -> None:
    assert not belongs_to(reference, "p1")


def test_a_result_may_name_the_entry_of_this_patient_in_its_bundle() -> None:
    def told(patient: Any, url: str = "urn:uuid:1", subject: str = "urn:uuid:1") -> tuple[list[str], Status]:
        entries = [{"fullUrl": url, "resource": patient},
                   {"fullUrl": "urn:uuid:2", "resource": POTASSIUM | {"subject": {"reference": subject}}}]
        found = gather({"patient": PATIENT, "labs": {"resourceType": "Bundle", "entry": entries}})
        return [name for name in names(found) if name.startswith("Observation")], found.reply("labs").status

    assert told(PATIENT) == (["Observation/k1"], Status.COMPLETE)
    assert told(PATIENT, subject="urn:uuid:3") == ([], Status.PARTIAL)
    assert told(PATIENT, url="urn:uuid:2", subject="urn:uuid:1") == ([], Status.PARTIAL)
    nameless = {name: part for name, part in PATIENT.items() if name != "id"}
    assert told(nameless) == ([], Status.PARTIAL)
    with pytest.raises(WrongContent):
        told(PATIENT | {"id": "p2"})


def test_a_dot_in_the_id_is_a_dot() -> None:
    assert belongs_to("Patient/p.1", "p.1")
    assert not belongs_to("Patient/px1", "p.1")


# Invalid orders, and what comes along


def test_an_invalid_listed_order_is_kept_for_its_warning_and_the_list_is_partial() -> None:
    found = gather({"medications": bundle(order("posaconazole", dosageInstruction="300 mg"))})
    assert names(found, "medications") == ["MedicationRequest/m1"]
    assert found.reply("medications").status is Status.PARTIAL


@pytest.mark.parametrize("subject", [{"reference": "Patient/p2"}, ["Patient/p2"], "Patient/p2"])
def test_an_invalid_order_of_somebody_else_is_not_saved(subject: Any) -> None:
    invalid = order("posaconazole", dosageInstruction="300 mg", subject=subject)
    found = gather({"medications": bundle(invalid)}, invalid)
    assert (names(found, "medications"), found.drafts) == ([], ())


def test_an_invalid_draft_is_kept_and_a_draft_that_is_no_order_at_all_is_counted() -> None:
    found = gather({}, order("venetoclax", dosageInstruction="400 mg"), {"resourceType": "MedicationRequest"}, None)
    assert len(found.drafts) == 2
    assert len(found.unreadable) == 1


def test_medications_that_come_along_are_set_aside() -> None:
    medication = {"resourceType": "Medication", "id": "d1", "code": {"text": "venetoclax"}}
    found = gather({"medications": bundle(order("x"), medication)}, medication)
    assert [each.reference for each in found.others] == ["Medication/d1", "Medication/d1"]
    assert len(found.reply("medications").resources) == 1


# Medications that orders refer to


def referring(to: str, display: str = "") -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest", "id": "m1", "status": "active", "intent": "order",
        "subject": {"reference": "Patient/p1"},
        "medicationReference": {"reference": to} | ({"display": display} if display else {}),
    }  # fmt: skip


MEDICATION = {"resourceType": "Medication", "id": "d1", "code": {"text": "venetoclax"}}
BASE = "https://ehr.example.org/fhir"


def asking_for(reference: str, *, sent: bool = False, display: str = "") -> tuple[Server, Gathered]:
    order_ = referring(reference, display)
    answers = {"Medication/d1": Answered((raw(MEDICATION),), Status.COMPLETE, "")}
    if not sent:
        answers["medications"] = Answered((raw(order_),), Status.COMPLETE, "")
    server = Server(answers)
    return server, gather({"medications": bundle(order_)} if sent else {}, server=server)


@pytest.mark.parametrize("reference", ["Medication/d1", f"{BASE}/Medication/d1", "Medication/d1/_history/3"])
def test_a_medication_that_an_order_refers_to_is_read(reference: str) -> None:
    server, found = asking_for(reference)
    assert server.asked == {"Medication/d1": "Medication/d1"}
    assert [(each.reference, each.full_url) for each in found.others] == [("Medication/d1", reference)]


@pytest.mark.parametrize("reference", [
    "https://elsewhere.example.org/fhir/Medication/d1", "http://ehr.example.org/fhir/Medication/d1",
    "https://ehr.example.org/other/Medication/d1", "#d1", "Substance/d1", "Medication/", "urn:uuid:d1",
])
def test_a_reference_that_leads_elsewhere_is_not_followed(reference: str) -> None:
    server, found = asking_for(reference)
    assert "Medication/d1" not in server.asked and not found.others


def test_a_medication_that_came_along_is_not_asked_for_again() -> None:
    answers = {"medications": Answered((raw(referring("Medication/d1")), raw(MEDICATION)), Status.COMPLETE, "")}
    server = Server(answers)
    found = gather(server=server)
    assert len(found.others) == 1 and "Medication/d1" not in server.asked


def test_what_was_sent_along_with_a_name_waits_for_no_server() -> None:
    assert asking_for("Medication/d1", sent=True, display="venetoclax")[0].asked.keys() == {"patient", "labs"}
    assert asking_for("Medication/d1", sent=True)[0].asked.keys() == {"Medication/d1"}


def test_a_draft_that_only_refers_is_read_too() -> None:
    server = Server({"Medication/d1": Answered((raw(MEDICATION),), Status.COMPLETE, "")})
    found = gather({}, referring("Medication/d1"), server=server)
    assert [each.reference for each in found.others] == ["Medication/d1"]


def test_another_medication_than_was_asked_for_is_not_taken() -> None:
    other = Answered((raw(MEDICATION | {"id": "d2"}),), Status.COMPLETE, "")
    answers = {"medications": Answered((raw(referring("Medication/d1")),), Status.COMPLETE, ""), "Medication/d1": other}
    assert not gather(server=Server(answers)).others


def test_a_first_page_that_counts_more_than_all_pages_gave_is_partial() -> None:
    server = Server(pages=Answered((raw(POTASSIUM | {"id": "k2"}),), Status.COMPLETE, ""))
    few = "the FHIR server counts more entries than it gave"
    for total, status, why in ((2, Status.COMPLETE, ""), (3, Status.PARTIAL, few)):
        found = gather({"labs": bundle(POTASSIUM, following="?page=2") | {"total": total}}, server=server)
        assert (found.reply("labs").status, found.reply("labs").why) == (status, why)
    shifted = Server(pages=Answered((raw(POTASSIUM),), Status.COMPLETE, ""))  # the first one again
    found = gather({"labs": bundle(POTASSIUM, following="?page=2") | {"total": 2}}, server=shifted)
    assert (found.reply("labs").status, found.reply("labs").why) == (Status.PARTIAL, few)


def test_what_was_asked_in_other_words_is_noted_on_the_reply() -> None:
    note = "asked without status, which the FHIR server does not take"
    found = gather(server=Server({"labs": Answered((), Status.COMPLETE, "", (note,))}))
    assert found.reply("labs").notes == (note,)


# Medications that only a reference names


def refers(to: str, **more: Any) -> dict[str, Any]:
    return order("", medicationReference={"reference": to}, **more)


def test_a_medication_that_did_not_come_along_is_asked_for_once() -> None:
    medication = {"resourceType": "Medication", "id": "d1", "code": {"text": "venetoclax"}}
    server = Server({"Medication/d1": Answered((raw(medication),), Status.COMPLETE, "")})
    prefetch = {"patient": PATIENT, "labs": bundle(), "medications": bundle(refers("Medication/d1", id="m2"))}
    found = gather(prefetch, refers("https://ehr.example.org/fhir/Medication/d1/_history/4"), server=server)
    assert server.asked == {"Medication/d1": "Medication/d1"}
    assert [each.reference for each in found.others] == ["Medication/d1"]
    assert found.reply("medications").status is Status.COMPLETE


@pytest.mark.parametrize("reference", [
    "#d1", "urn:uuid:1", "https://elsewhere.example.org/fhir/Medication/d1", "Medication/../Patient/p2", "Medication/",
    "Medication/d1?x=1", "Patient/p2", "",
])
def test_what_is_no_medication_of_this_server_is_not_asked_for(reference: str) -> None:
    server = Server()
    gather({"patient": PATIENT, "labs": bundle(), "medications": bundle()}, refers(reference), server=server)
    assert server.asked == {}


def test_a_medication_that_came_along_and_a_server_that_refuses_are_not_asked() -> None:
    server, medication = Server(), {"resourceType": "Medication", "id": "d1", "code": {"text": "venetoclax"}}
    sent = {"patient": PATIENT, "labs": bundle(), "medications": bundle()}
    gather(sent, refers("Medication/d1"), medication, server=server)
    gather(sent, refers("Medication/d1"), server=(silent := Server(refuses="not on our list")))
    gather(sent, refers("Medication/d1"), access=False)
    assert server.asked == silent.asked == {}


def test_only_so_many_medications_are_asked_for_those_of_drafts_first() -> None:
    server = Server()
    many = bundle(*(refers(f"Medication/m{number}", id=f"o{number}") for number in range(40)))
    gather({"patient": PATIENT, "labs": bundle(), "medications": many}, refers("Medication/draft"), server=server)
    assert len(server.asked) == 24
    assert next(iter(server.asked)) == "Medication/draft"


def test_the_full_url_of_an_entry_goes_with_its_resource() -> None:
    medication = {"resourceType": "Medication", "code": {"text": "venetoclax"}}
    entries = [{"resource": order("x")}, 7, {"fullUrl": 7, "resource": medication},
               {"fullUrl": "urn:uuid:1", "resource": medication}]
    found = gather({"medications": {"resourceType": "Bundle", "entry": entries}})
    assert [each.full_url for each in found.others] == [None, "urn:uuid:1"]


def test_drafts_of_other_kinds_for_another_patient_are_counted() -> None:
    other = {"resourceType": "ServiceRequest", "id": "s", "status": "draft", "intent": "order",
             "subject": {"reference": "Patient/p2"}, "code": {"text": "FLAG-IDA"}}
    found = gather({}, other)
    assert (found.drafts, found.foreign) == ((), 1)


def test_what_was_given_is_not_asked_for() -> None:
    queries = (Query("administrations", "MedicationAdministration?patient={{context.patientId}}", "", asked=False),)
    request = HookRequest("order-sign", "i", "p1", "u", (), (), {}, FhirAccess("https://ehr.example.org/fhir"))
    server = Server()
    found = collect(request, Service("s", "order-sign", Moment.SIGN, "", "", queries), server, Deadline(2, lambda: 0.0))
    assert server.asked == {}
    assert found.reply("administrations").status is Status.NOT_ASKED


@pytest.mark.parametrize("replies, read", [(1, [5_000]), (2, [5_000, 3_000])])
def test_only_so_many_entries_are_read_and_the_rest_is_said(replies: int, read: list[int]) -> None:
    keys = ("labs", "medications")[:replies]
    gathered = gather(dict.fromkeys(keys, bundle(*[POTASSIUM] * 6_000)), access=False)
    assert all(gathered.reply(key).status is Status.PARTIAL for key in keys)
    assert [len(gathered.reply(key).resources) for key in keys] == read
