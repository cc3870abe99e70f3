"""Our own FHIR server is as strict as a real one, so that a journey that passes here means something."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.fhir_server.app import create_app
from tests.fhir_server.faults import FAULTS
from tests.samples import stories

Json = dict[str, Any]
FHIR = {"Content-Type": "application/fhir+json"}


@pytest.fixture(scope="module")
def server() -> Iterator[FlaskClient]:
    client = create_app().test_client()
    for story in stories():
        bundle = (story.folder / "patient.json").read_bytes()
        assert client.post("/fhir", data=bundle, headers=FHIR).status_code == 200, story.name
    yield client


def ids(bundle: Json, mode: str = "match") -> list[str]:
    return [each["resource"]["id"] for each in bundle.get("entry", ()) if each["search"]["mode"] == mode]


def put(server: FlaskClient, resource: Json) -> Any:
    address = f"/fhir/{resource['resourceType']}/{resource['id']}"
    return server.put(address, data=json.dumps(resource), headers=FHIR)


def test_every_story_is_taken_as_valid_r4(server):
    assert server.get("/fhir/Patient/story-one").get_json()["id"] == "story-one"
    assert server.get("/fhir/Patient?_id=story-one").get_json()["total"] == 1


@pytest.mark.parametrize("patient", ["story-one", "Patient/story-one", "http://localhost/fhir/Patient/story-one"])
def test_a_patient_is_named_in_each_of_the_ways_of_fhir(server, patient):
    assert "story-one-aml" in ids(server.get(f"/fhir/Condition?patient={patient}").get_json())


@pytest.mark.parametrize("code, found", [
    ("http://loinc.org|2823-3", 1), ("2823-3", 1), ("http://loinc.org|2823-3,http://loinc.org|0", 1),
    ("http://snomed.info/sct|2823-3", 0), ("|2823-3", 0),
])
def test_a_code_is_looked_for_with_its_system(server, code, found):
    address = "/fhir/Observation?patient=story-one&code="
    assert len(ids(server.get(address + code).get_json())) == found


def test_post_finds_what_get_finds(server):
    form = {"patient": "story-one", "code": "http://loinc.org|2823-3"}
    assert server.post("/fhir/Observation/_search", data=form).get_json()["total"] == 1
    assert server.post("/fhir/Observation/_search", json=form).status_code == 415


def test_the_medication_comes_along_only_when_it_is_wanted(server):
    address = "/fhir/MedicationRequest?patient=eStoryTwelve.A-3"
    assert ids(server.get(address).get_json(), "include") == []
    wanted = server.get(f"{address}&_include=MedicationRequest:medication").get_json()
    assert ids(wanted, "include") == ["eTwelve-med-voriconazole"]


def test_pages_hold_everything_once(server):
    address, found = "/with/pages/fhir/Observation?patient=story-one", []
    while address:
        page = server.get(address).get_json()
        found += ids(page)
        address = next((each["url"] for each in page["link"] if each["relation"] == "next"), "")
    assert len(found) == len(set(found)) == page["total"] > 2


@pytest.mark.parametrize("address, status", [
    ("/fhir/Observation?patient=story-one&colour=red", 400), ("/fhir/Observation?patient:missing=true", 400),
    ("/fhir/Observation?patient=", 400), ("/fhir/Observation?_count=many", 400), ("/fhir/Unicorn?patient=x", 404),
    ("/fhir/Condition?_include=MedicationRequest:medication", 400), ("/fhir/Patient/nobody", 404),
    ("/with/without-status/fhir/MedicationRequest?patient=x&status=active", 400), ("/fhir/a/b/c", 404),
])
def test_what_it_does_not_know_it_refuses_with_an_outcome(server, address, status):
    answer = server.get(address)
    assert (answer.status_code, answer.get_json()["resourceType"]) == (status, "OperationOutcome")


def test_what_is_not_r4_is_not_stored(server):
    wrong = {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/story-one"}}
    answer = put(server, wrong | {"clinicalStatus": "active"})
    assert (answer.status_code, answer.get_json()["issue"][0]["expression"]) == (422, ["Condition.clinicalStatus"])
    assert put(server, wrong | {"subject": {"reference": "Patient/nobody"}}).status_code == 422
    assert server.delete("/fhir/Patient/story-one").status_code == 409
    assert server.put("/fhir/Condition/other", data=json.dumps(wrong), headers=FHIR).status_code == 400
    assert server.put("/fhir/Condition/c", data="{", headers=FHIR).status_code == 400


def test_a_transaction_is_taken_whole_or_not_at_all(server):
    good = {"resourceType": "Patient", "id": "t1"}
    entries = [
        {"resource": each, "request": {"method": "PUT", "url": f"Patient/{each['id']}"}}
        for each in (good, {"resourceType": "Patient", "id": "t2", "birthDate": "yesterday"})
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    assert server.post("/fhir", data=json.dumps(bundle), headers=FHIR).status_code == 422
    assert server.get("/fhir/Patient/t1").status_code == 404


def test_versions_count_and_the_deleted_are_gone(server):
    patient = {"resourceType": "Patient", "id": "v1"}
    assert [put(server, patient).status_code for _ in range(2)] == [201, 200]
    assert server.get("/fhir/Patient/v1").get_json()["meta"]["versionId"] == "2"
    assert [server.delete("/fhir/Patient/v1").status_code for _ in range(2)] == [204, 204]
    assert server.get("/fhir/Patient/v1").status_code == 410


def test_with_a_token_nobody_else_is_let_in():
    server = create_app("let-me-in").test_client()
    assert server.get("/fhir/metadata").status_code == 200
    assert server.get("/fhir/Patient").status_code == 401
    assert server.get("/fhir/Patient", headers={"Authorization": "Bearer let-me-in"}).status_code == 200


def test_a_browser_is_told_that_it_may(server):
    assert server.options("/fhir/Patient").headers["Access-Control-Allow-Origin"] == "*"


def test_its_statement_says_what_it_can(server):
    statement = server.get("/fhir/metadata").get_json()
    order = next(each for each in statement["rest"][0]["resource"] if each["type"] == "MedicationRequest")
    assert (statement["fhirVersion"], order["searchInclude"]) == ("4.0.1", ["MedicationRequest:medication"])


@pytest.mark.parametrize("fault", sorted(FAULTS.keys() - {"hang", "without"}))
def test_each_fault_shows_and_leaves_no_trace(server, fault):
    address = "Observation?patient=story-one&code=" + ",".join(f"http://loinc.org|{number}" for number in range(60))
    asked = {"pages", "loop", "foreign-next"}
    if fault in asked:
        address = "Observation?patient=story-one"
    good = server.get(f"/fhir/{address}", headers={"Accept-Encoding": ""})
    bad = server.get(f"/with/{fault}/fhir/{address}", headers={"Accept-Encoding": ""})
    elsewhere = {"plain", "absolute", "slow", "no-post-search", "no-metadata", "stu3", "r5", "r4b", "no-transactions"}
    if fault not in elsewhere | {"no-own-ids", "skewed"}:
        assert (bad.status_code, bad.get_data()) != (good.status_code, good.get_data())
    assert server.get(f"/fhir/{address}", headers={"Accept-Encoding": ""}).get_data() == good.get_data()
