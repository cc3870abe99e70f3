"""The conversation, requirement by requirement of CDS Hooks 2.0.1, over HTTP and with the real line behind it.

The names in parentheses are those of the conformance checklist (DISC, TOK, REQ, AUTHZ, PF, RES, C, S, FB). What a wrong
type or address does is in `web/`; what the FHIR server does is in `test_fetch_mode.py`.
"""

from __future__ import annotations

import copy
import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl

import pytest
from flask.testing import FlaskClient

from cds_service.answer import answer
from cds_service.settings import Settings
from cds_service.web.app import create_app
from tests import card_grammar
from tests.calls import (
    ELECTROLYTES,
    PATIENT,
    RELAPSED,
    bundle,
    flt3_itd,
    gilteritinib,
    order,
    qtcf,
    request,
    tools,
    venetoclax,
)  # fmt: skip

Json = dict[str, Any]
HOOKS = ("patient-view", "order-select", "order-sign")
DRAFT: Json = {"status": "draft"}
POSACONAZOLE = order("posaconazole 100 MG Delayed Release Oral Tablet", "1482908", 300, id="m-posa")
SIGN = request(
    "order-sign", gilteritinib(**DRAFT), ecg=[qtcf(512)], labs=ELECTROLYTES, genomics=[flt3_itd("2026-11-10")]
)
CALLS: dict[str, Json] = {
    "stop": SIGN,
    "choose": request("order-select", gilteritinib(**DRAFT), ecg=[qtcf(512)]),
    "dose": request("order-sign", venetoclax(**DRAFT), medications=[POSACONAZOLE]),
    "other direction": request("order-sign", POSACONAZOLE | DRAFT, medications=[venetoclax()]),
    "relapse": request("patient-view", genomics=[flt3_itd("2026-11-10")]),
    "treatment": request("patient-view", medications=[gilteritinib()], ecg=[qtcf(512)]),
    "no data": request("order-sign", gilteritinib(**DRAFT)),
    "unrelated": request("order-sign", order("paracetamol 500 mg", "", 1000, **DRAFT), conditions=[]),
}
OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "forbidden", "diagnostics": "Jane"}],
}
NO_HITS = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "not-found"}]}


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Settings.load({}), tools(), answer).test_client()


def post(client: FlaskClient, body: Json, **headers: str) -> Any:
    return client.post(f"/cds-services/aml-{body['hook']}", json=body, headers=headers)


def cards(client: FlaskClient, body: Json) -> list[Json]:
    response = post(client, body)
    assert response.status_code == 200, response.get_json()
    card_grammar.assert_grammar(response.data)
    found: list[Json] = response.get_json()["cards"]
    assert not any("check could not be made" in card["summary"] for card in found), "the card of last resort"
    return found


def changed(body: Json, path: str, value: Any = ...) -> Json:
    """The same body with the element at `path` replaced, or left out."""
    copied = copy.deepcopy(body)
    *above, last = path.split(".")
    holder = copied
    for step in above:
        holder = holder[step]
    if value is ...:
        del holder[last]
    else:
        holder[last] = value
    return copied


def said(found: list[Json]) -> list[tuple[str, str, str]]:
    return [(card["indicator"], card["summary"], card["detail"]) for card in found]


# Discovery


@pytest.fixture(scope="module")
def services(client: FlaskClient) -> list[Json]:
    response = client.get("/cds-services")
    assert response.status_code == 200 and response.mimetype == "application/json"
    found: list[Json] = card_grammar.parse(response.data)["services"]
    return found


def test_each_service_is_described_and_can_be_called_by_its_id(services):
    assert sorted(service["hook"] for service in services) == sorted(HOOKS)
    assert len({service["id"] for service in services}) == len(HOOKS)  # the sandbox keys services by id
    for service in services:
        assert set(service) <= {"hook", "title", "description", "id", "prefetch", "usageRequirements", "version"}
        assert all(isinstance(service[name], str) and service[name] for name in ("hook", "title", "description", "id"))
        assert re.fullmatch(r"[a-z0-9-]+", service["id"])


def test_prefetch_templates_hold_primitive_tokens_and_widely_supported_parameters_only(services):
    for template in (each for service in services for each in service["prefetch"].values()):
        tokens = re.findall(r"\{\{(.*?)\}\}", template)
        assert tokens and set(tokens) <= {
            "context.patientId",
            "context.userId",
            "context.encounterId",
            "userPractitionerId",
        }
        assert "{" not in re.sub(r"\{\{.*?\}\}", "", template)
        kind, _, query = template.partition("?")
        assert re.fullmatch(r"[A-Z][A-Za-z]+(/\{\{context\.patientId\}\})?", kind)
        for name, value in parse_qsl(query):
            assert name in ("patient", "code", "status", "category", "date", "_count", "_sort") and value
            assert not re.search(r":|\$|^_", name.lstrip("_"))


# The call


@pytest.mark.parametrize("name", CALLS)
def test_every_answer_obeys_the_grammar(client, name):
    cards(client, CALLS[name])


@pytest.mark.parametrize(
    "path", ["hook", "hookInstance", "context", "context.userId", "context.patientId", "context.draftOrders"]
)
def test_what_the_hook_requires_is_refused_when_missing_with_its_path(client, path):
    response = client.post("/cds-services/aml-order-sign", json=changed(SIGN, path))
    assert response.status_code == 400
    (issue,) = card_grammar.parse(response.data)["issue"]
    assert issue["expression"] == [path] and issue["severity"] == "error" and issue["code"] and issue["diagnostics"]


def test_an_order_select_names_what_was_selected(client):
    body = request("order-select", gilteritinib(**DRAFT))
    response = post(client, changed(body, "context.selections"))
    assert response.status_code == 400 and response.get_json()["issue"][0]["expression"] == ["context.selections"]


def test_what_was_not_selected_is_background(client):
    both = (gilteritinib(**DRAFT, id="d1"), order("paracetamol 500 mg", "", 1000, **DRAFT, id="d2"))
    assert cards(client, request("order-select", *both, selected=("MedicationRequest/d1",), ecg=[qtcf(512)]))
    assert cards(client, request("order-select", *both, selected=("MedicationRequest/d2",), ecg=[qtcf(512)])) == []


def test_a_body_for_another_hook_is_refused(client):
    response = client.post("/cds-services/aml-patient-view", json=SIGN)
    assert response.status_code == 400 and response.get_json()["issue"][0]["expression"] == ["hook"]


def test_the_same_instance_may_call_again_and_gets_the_same_words_under_fresh_ids(client):
    first, second = cards(client, SIGN), cards(client, SIGN)
    assert said(first) == said(second)
    assert not {card["uuid"] for card in first} & {card["uuid"] for card in second}


@pytest.mark.parametrize("extra", [
    {"extension": {"com.epic.cdshooks.request.bpa-trigger-action": "23", "internal.epic.x": None}},
    {"unknown": [1, {"a": None}]},
    {"fhirServer": "https://ehr.example.org/fhir", "fhirAuthorization": {
        "access_token": "opaque-secret", "token_type": "Bearer", "expires_in": 300, "scope": "Patient.Read (R4) x",
        "subject": "s"}},
])  # fmt: skip
def test_what_we_do_not_know_changes_nothing_and_no_token_comes_back(client, extra):
    assert said(cards(client, SIGN | extra)) == said(cards(client, SIGN))
    assert "opaque-secret" not in post(client, SIGN | extra, Authorization="Bearer unasked.for.token").text


# Prefetch


def test_null_means_the_client_has_none_and_missing_means_not_sent(client):
    null, missing = (cards(client, changed(SIGN, "prefetch.ecg", *value)) for value in ((None,), ()))
    assert "Not found under the codes we ask for" in null[0]["detail"] and "QTc" in null[0]["detail"]
    assert "Not sent" in missing[0]["detail"] and "QTc" in missing[0]["detail"]
    assert null[0]["indicator"] == missing[0]["indicator"] == "warning"


@pytest.mark.parametrize("key", ["conditions", "medications", "ecg", "labs", "genomics", "orders"])
def test_a_present_but_empty_answer_is_an_answer(client, key):
    for empty in (None, bundle(), {"resourceType": "Bundle"}, bundle() | {"total": 0}, bundle(NO_HITS) | {"total": 0}):
        assert said(cards(client, changed(SIGN, f"prefetch.{key}", empty))) == said(
            cards(client, changed(SIGN, f"prefetch.{key}", bundle()))
        )


@pytest.mark.parametrize("sent", [OUTCOME, bundle(OUTCOME)])
def test_an_operation_outcome_in_the_data_is_a_failure_and_not_an_empty_answer(client, sent):
    (gap, *_) = cards(client, changed(SIGN, "prefetch.ecg", sent))
    assert gap["indicator"] == "warning" and "The EHR gave no usable answer" in gap["detail"]
    assert "forbidden" in gap["detail"] and "Jane" not in gap["detail"]


def test_a_page_that_cannot_be_followed_leaves_a_doubt(client):
    page = bundle(qtcf(512)) | {"link": [{"relation": "next", "url": "https://ehr.example.org/fhir?page=2"}]}
    (card, *_) = cards(client, changed(SIGN, "prefetch.ecg", page))
    assert card["indicator"] == "warning" and "only the first page was sent" in card["detail"]
    (gap, *_) = cards(client, changed(SIGN, "prefetch.ecg", bundle(qtcf(430)) | {"link": page["link"]}))
    assert gap["summary"].startswith("Not checked for gilteritinib: QTc")


def test_keys_that_we_did_not_ask_for_are_not_read(client):
    body = copy.deepcopy(SIGN)
    body["prefetch"] |= {"item1": bundle(qtcf(600)), "user": {"resourceType": "Practitioner"}, "bad": 7}
    assert said(cards(client, body)) == said(cards(client, SIGN))


def test_without_the_patient_only_an_order_of_ours_is_answered(client):
    for hook in ("patient-view", "order-sign"):
        body = request(hook, *([order("paracetamol 500 mg", "", 1000, **DRAFT)] if hook == "order-sign" else []))
        response = post(client, body | {"prefetch": {}})
        assert response.status_code == 412
        (issue,) = response.get_json()["issue"]
        assert issue["expression"] == ["prefetch.patient"] and "p1" not in issue["diagnostics"]
    (gap,) = [card for card in cards(client, SIGN | {"prefetch": {}}) if card["indicator"] == "warning"]
    assert "Not sent" in gap["detail"]


@pytest.mark.parametrize(("was", "now"), [
    (b'"final"', b'"final", "note": [{"text": "patient well \\ud83d"}]'),
    (b'"prefetch": {', b'"prefetch": {"zz": "\\ude00", '),
    (b'{"hook"', b'\xef\xbb\xbf{"hook"'),
])
def test_half_of_an_emoji_or_a_byte_order_mark_costs_no_card(client, was, now):
    sent = json.dumps(SIGN).encode()
    assert was in sent
    body = sent.replace(was, now, 1)
    answered = client.post("/cds-services/aml-order-sign", data=body, content_type="application/json")
    assert answered.status_code == 200 and said(answered.get_json()["cards"]) == said(cards(client, SIGN))


def test_what_is_never_used_costs_no_card(client):
    odd = SIGN | {"more": None, "context": SIGN["context"] | {"encounterId": 5}}
    assert said(cards(client, odd)) == said(cards(client, SIGN))


EMPTY = dict.fromkeys(("medications", "ecg", "labs", "bedside", "genomics", "orders", "procedures"))


@pytest.mark.parametrize("sent", [
    {"patient": None, **EMPTY, "conditions": bundle(RELAPSED)},  # an EHR that has no such record has answered
    {**EMPTY, "conditions": bundle(RELAPSED)},
    {"patient": {"resourceType": "Bundle", "type": "searchset"}, "conditions": bundle(RELAPSED)},
])
def test_a_relapse_that_was_sent_is_answered_without_the_patient(client, sent):
    found = cards(client, request("patient-view") | {"prefetch": sent})
    assert any("age" in card["detail"].casefold() for card in found)
    assert {card["indicator"] for card in found} <= {"info", "warning"}


def test_empty_answers_are_answers_and_no_reason_to_refuse(client):
    for hook in ("patient-view", "order-sign"):
        body = request(hook, *([order("paracetamol 500 mg", "", 1000, **DRAFT)] if hook == "order-sign" else []))
        assert cards(client, body | {"prefetch": {"patient": None, **EMPTY, "conditions": None}}) == []
        half = post(client, body | {"prefetch": {**EMPTY, "conditions": None}})
        assert half.status_code == 412


@pytest.mark.parametrize("names", [
    {"medicationReference": {"reference": "Medication/99"}},
    {"medicationCodeableConcept": {"coding": [{"system": "urn:local", "code": "1"}]}},
])
def test_a_draft_that_names_no_drug_we_can_read_is_told_without_the_patient_too(client, names):
    draft = {"resourceType": "MedicationRequest", "id": "x", "status": "draft", "intent": "order", **names,
             "subject": {"reference": "Patient/p1"}}  # fmt: skip
    for sent in ({}, {"patient": None}):
        (gap,) = cards(client, request("order-sign", draft) | {"prefetch": sent})
        assert gap["indicator"] == "warning"
        assert "1 draft order names no drug that could be read, so nothing was checked for it" in gap["detail"]


@pytest.mark.parametrize("patient", [
    {"resourceType": "Observation", "id": "o1", "status": "final", "code": {"text": "x"}},
    {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "processing"}]},
    "x",
])
def test_what_came_in_the_place_of_the_patient_is_no_answer(client, patient):
    for draft in ({"medicationCodeableConcept": {"text": "paracetamol 500 mg"}}, {}):
        order = {"resourceType": "MedicationRequest", "id": "x", "status": "draft", "intent": "order", **draft,
                 "subject": {"reference": "Patient/p1"}}  # fmt: skip
        body = request("order-sign", order) | {"prefetch": {**EMPTY, "conditions": None, "patient": patient}}
        assert post(client, body).status_code == 412


@pytest.mark.parametrize("names", [
    {},
    {"medicationCodeableConcept": {}},
    {"medicationCodeableConcept": {"coding": [{}], "text": ""}},
    {"medicationReference": {}},
    {"_medicationCodeableConcept": {"extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}]}},
])  # fmt: skip
def test_an_order_that_is_signed_names_something(client, names):
    draft = {"resourceType": "MedicationRequest", "id": "x", "status": "draft", "intent": "order", **names,
             "subject": {"reference": "Patient/p1"}}  # fmt: skip
    (gap,) = cards(client, request("order-sign", draft, conditions=[RELAPSED]))
    assert gap["indicator"] == "warning"
    assert "1 draft order names no drug that could be read, so nothing was checked for it" in gap["detail"]
    assert cards(client, request("order-sign", draft, conditions=[])) == []
    if "medicationReference" not in names:  # still to be chosen
        assert cards(client, request("order-select", draft, conditions=[RELAPSED])) == []


def test_the_patient_of_another_id_is_422_by_its_key_and_never_by_its_id(client):
    response = post(client, changed(SIGN, "prefetch.patient", PATIENT | {"id": "somebody-else"}))
    assert response.status_code == 422
    assert response.get_json()["issue"][0]["expression"] == ["prefetch.patient"]
    assert "somebody-else" not in response.text


def test_another_patients_results_are_counted_and_not_read(client):
    other = qtcf(430, "2026-11-21T08:00:00Z") | {"id": "x", "subject": {"reference": "Patient/p2"}}
    found = cards(client, changed(SIGN, "prefetch.ecg", bundle(qtcf(512), other)))
    assert found[0]["indicator"] == "critical"
    assert any("1 entry of another patient" in card["detail"] for card in found)
    assert "p2" not in json.dumps(found)


def test_only_another_patients_orders_are_no_medication_list(client):
    other = POSACONAZOLE | {"subject": {"reference": "Patient/p2"}}
    found = cards(client, request("order-sign", venetoclax(**DRAFT), medications=[other]))
    assert "edication list: all that came belongs to another patient" in found[0]["detail"]


# The answer


def test_a_card_names_the_order_it_is_about(client):
    (card, *_) = cards(client, SIGN)
    assert card["extension"]["davinci-crd.associated-resource"] == [{"reference": "MedicationRequest/m-gilteritinib"}]
    assert "Concerns:" in card["detail"] and "gilteritinib" in card["summary"]
    assert card["source"]["topic"]["code"].isalnum()  # Epic ties its override lock-out to it


def test_an_accepted_dose_is_a_whole_draft_and_nothing_is_recommended(client):
    (card, *_) = cards(client, CALLS["dose"])
    assert card["selectionBehavior"] == "at-most-one"
    (update,) = [action for each in card["suggestions"] for action in each["actions"] if action["type"] == "update"]
    draft = CALLS["dose"]["context"]["draftOrders"]["entry"][0]["resource"]
    kept = {name: value for name, value in update["resource"].items() if not name.startswith(("dosage", "medication"))}
    assert kept == {name: value for name, value in draft.items() if not name.startswith(("dosage", "medication"))}
    dose = update["resource"]["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]
    assert (dose["value"], dose["code"]) == (70, "mg")
    assert "isRecommended" not in json.dumps(cards(client, CALLS["dose"]))


def test_the_other_direction_creates_no_second_order(client):
    (card, *_) = cards(client, CALLS["other direction"])
    actions = [action for each in card["suggestions"] for action in each["actions"]]
    assert [(action["type"], action.get("resourceId")) for action in actions] == [
        ("delete", "MedicationRequest/m-posa")
    ]


def test_an_unrelated_order_gets_nothing(client):
    assert cards(client, CALLS["unrelated"]) == []


# Feedback


FEEDBACK: tuple[Json, ...] = (
    {"outcome": "accepted", "acceptedSuggestions": [{"id": "SUGGESTION"}], "outcomeTimestamp": "2026-11-21T12:00:00Z"},
    {"outcome": "overridden", "outcomeTimestamp": "2026-11-21T12:00:00.123Z"},
    {"outcome": "overridden", "overrideReason": {"reason": {"code": "c", "system": "urn:s"}}},  # the sandbox
    {"outcome": "overridden", "overrideReason": {"userComment": "Jane Doe is fine"}},
    {"outcome": "overridden", "overrideReasons": {"reason": {"code": "c"}}},  # Epic's tutorial
    {"outcome": "overridden", "overrideReasons": [{"reason": {"code": "c"}, "userComment": "x"}]},
    {"outcome": "overridden", "overrideReasons": {"extension": {
        "com.epic.cdshooks.feedback.overrideReason.reasonDisplay": "Other"}}},
)  # fmt: skip


@pytest.mark.parametrize("entry", FEEDBACK)
def test_every_dialect_of_feedback_is_accepted_also_twice_and_in_a_batch(client, entry):
    (card, *_) = cards(client, SIGN)
    written = json.dumps(entry | {"card": card["uuid"]}).replace("SUGGESTION", card["suggestions"][0]["uuid"])
    for body in ({"feedback": [json.loads(written)]}, {"feedback": [json.loads(written)] * 3}):
        response = client.post("/cds-services/aml-order-sign/feedback", json=body)
        assert (response.status_code, response.get_json()) == (200, {})


# Many callers


def test_thirty_two_callers_at_once_get_their_own_answers(client):
    def of(number: int) -> Json:
        """A patient of its own, with a QTc and an order id that name it."""
        name = f"p{number}"
        if number % 2:
            body = request("order-sign", gilteritinib(**DRAFT, id=f"d{number}"), ecg=[qtcf(501 + number)])
        else:
            body = request("order-sign", venetoclax(200 + number, **DRAFT, id=f"d{number}"), medications=[POSACONAZOLE])
        return json.loads(json.dumps(body).replace("Patient/p1", f"Patient/{name}").replace('"p1"', f'"{name}"'))

    def ask(number: int) -> None:
        response = client.application.test_client().post("/cds-services/aml-order-sign", json=of(number))
        card = response.get_json()["cards"][0]
        value = f"QTcF {501 + number} ms" if number % 2 else f"Venetoclax {200 + number} mg daily"
        assert card["summary"].startswith(value)
        assert card["extension"]["davinci-crd.associated-resource"] == [{"reference": f"MedicationRequest/d{number}"}]
        named = set(re.findall(r"Patient/(\w+)", response.text))
        assert named <= {f"p{number}"}

    with ThreadPoolExecutor(32) as pool:
        for done in [pool.submit(ask, number % 64) for number in range(192)]:
            done.result()
