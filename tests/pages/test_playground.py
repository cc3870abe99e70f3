"""The playground from the server's side: what it hands out, what it answers, and what it refuses."""

from __future__ import annotations

import re

import pytest

from cds_service.console import samples
from tests.samples import samples as stored

NOON = "2026-11-21T10:00:00-06:00"


def _body(story: str, name: str) -> bytes:
    return samples.find(story).sample(name).body


def _answer(client, body: bytes, now: str = NOON, **more):
    more = {"content_type": "application/json", **more}
    return client.post("/playground/answer", query_string={"now": now}, data=body, **more)


def _summaries(answered) -> list[str]:
    return [card["summary"] for card in answered.get_json()["response"]["cards"]]


def test_there_is_none_where_it_is_off(make_app):
    client = make_app(PLAYGROUND="off").test_client()
    for path in ("/playground", "/playground/stories/gilteritinib-qtc-512/sign"):
        assert client.get(path).status_code == 404
    assert _answer(client, _body("gilteritinib-qtc-512", "sign")).status_code == 404


def test_the_page_offers_every_story_and_holds_no_script_of_its_own(client):
    text = client.get("/playground").text
    for story in samples.stories():
        assert all(f'value="{story.name}/{sample.name}"' in text for sample in story.samples)
    assert not re.search(r"<script(?![^>]* src=)|style=|\son\w+=|(?:src|<link[^>]*href)=\"http", text)
    assert text.count("<h1") == 1


def test_the_offer_names_drugs_values_and_mutations_with_the_codes_they_are_read_under(client, tools):
    offer = client.get("/playground?format=json").get_json()
    drugs = {each["name"]: each for each in offer["controls"]["drugs"]}
    assert drugs["gilteritinib"]["ours"] and drugs["gilteritinib"]["code"]
    assert not drugs["voriconazole"]["ours"] and "strong inhibitor of CYP3A" in drugs["voriconazole"]["what"]
    assert "grapefruit juice" not in drugs
    terms = tools.knowledge.terms
    for value in offer["controls"]["values"]:
        assert value["code"] in value["codes"], value
        assert all(("http://loinc.org", code) in terms.observations for code in value["codes"])
        template = next(q["template"] for q in offer["services"][0]["queries"] if q["key"] == value["query"])
        assert value["code"] in template, "a new value is found by the query that asks for it"
    for marker in offer["controls"]["markers"]:
        template = next(q["template"] for q in offer["services"][0]["queries"] if q["key"] == "genomics")
        assert marker["codes"] and marker["codes"][0] in template
    for state, code in offer["controls"]["answers"].items():
        assert offer["controls"]["presence"][f"http://loinc.org|{code}"] == state


SENT_ALONG = [each for each in stored() if each.fhir == "refused"]


@pytest.mark.parametrize("sample", SENT_ALONG, ids=lambda each: each.full_name)
def test_each_story_gets_the_cards_that_an_ehr_of_its_day_gets(client, sample):
    story = client.get(f"/playground/stories/{sample.story.name}/{sample.name}").get_json()
    assert story["request"] == sample.request
    told = _answer(client, samples.find(sample.story.name).sample(sample.name).body, story["now"])
    assert told.status_code == sample.status
    if sample.status == 200:
        assert tuple(card["indicator"] for card in told.get_json()["response"]["cards"]) == sample.cards


def test_an_answer_carries_cards_details_as_elements_and_every_check(client):
    told = _answer(client, _body("gilteritinib-qtc-512", "sign")).get_json()
    assert told["service"] == "aml-order-sign" and 0 < told["seconds"] < 10
    assert len(told["details"]) == len(told["response"]["cards"]) == 1
    assert told["details"][0][0] == {
        "tag": "p", "children": [{"tag": "strong", "children": ["Seen:"]}, " 512 ms (QTcF) on 2026-11-20, yesterday."],
    }  # fmt: skip
    hold = next(step for step in told["trace"] if step["rule"] == "qtc-hold" and step["outcome"] == "fired")
    qtc = next(read for read in hold["reads"] if read["label"] == "QTc")
    assert (qtc["unit"], qtc["date"], qtc["resource"]) == ("ms", "2026-11-20", "Observation/story-one-ecg-2026-11-20")
    assert {step["outcome"] for step in told["trace"]} == {"fired", "clear", "not evaluated", "not applicable"}


def test_a_later_day_makes_results_old(client):
    body = _body("gilteritinib-qtc-512", "sign")
    later = _answer(client, body, "2027-03-01T10:00:00Z")
    assert later.get_json()["as_of"].startswith("2027-03-01")
    assert _summaries(later) != _summaries(_answer(client, body))


@pytest.mark.parametrize(
    ("body", "now", "status", "path"),
    [
        (b"{}", NOON, 400, "hook"),
        (b'{"hook": "encounter-start"}', NOON, 400, "hook"),
        (b"no JSON", NOON, 400, None),
        (b'{"hook": 1}', NOON, 400, "hook"),
        (b"{}", "yesterday", 400, "http.now"),
        (b"{}", "1900-01-01T00:00:00Z", 400, "http.now"),
    ],
)
def test_what_nobody_could_answer_is_said_as_to_an_ehr(client, body, now, status, path):
    told = _answer(client, body, now)
    assert told.status_code == status
    assert told.get_json()["resourceType"] == "OperationOutcome"
    assert told.get_json()["issue"][0].get("expression", [None]) == [path]


def test_the_limits_are_those_of_the_hooks(make_app):
    client = make_app(MAX_BODY_MB="1", RATE_LIMIT_STRANGERS="3/minute").test_client()
    large = b'{"hook": "order-sign", "more": "' + b"x" * 1024 * 1024 + b'"}'
    assert _answer(client, large).status_code == 413
    assert client.post("/playground/answer", data=b"{}", content_type="text/plain").status_code == 415
    assert [_answer(client, b"{}").status_code for _ in range(4)][-1] == 429


def test_no_fhir_server_is_asked(client, monkeypatch):
    monkeypatch.setattr("cds_service.gather.query.FhirSession.ask_all", lambda *_: pytest.fail("a server was asked"))
    body = b"""{"hook": "patient-view", "hookInstance": "1", "fhirServer": "http://127.0.0.1:9/fhir",
        "context": {"userId": "Practitioner/x", "patientId": "x"}}"""
    assert _answer(client, body).status_code == 412


def test_nothing_of_it_is_shown_to_those_who_keep_calls(make_app):
    from cds_service.beside import Beside

    class Witness:
        def saw(self, call):
            pytest.fail("a call of the playground was kept")

    client = make_app(beside=Beside(witnesses=(Witness(),))).test_client()
    with _answer(client, _body("gilteritinib-qtc-512", "sign")) as told:
        assert told.status_code == 200


def test_a_story_that_does_not_exist_is_not_found(client):
    for path in ("none/sign", "gilteritinib-qtc-512/none", "../x", "..%2f..%2fetc/passwd"):
        assert client.get(f"/playground/stories/{path}").status_code == 404


@pytest.mark.parametrize("keep", ["nothing", "audit", "full"])
def test_a_card_of_the_playground_links_a_page_that_opens(served, keep):
    """Nothing of the call is kept, so the page is that of the rule."""
    client = served(KEEP=keep).test_client()
    cards = _answer(client, _body("gilteritinib-qtc-512", "sign")).get_json()["response"]["cards"]
    links = [each["url"] for card in cards for each in card["links"] if each["label"] == "Why this card"]
    assert links == [f"http://127.0.0.1:8080/why/rule/{card['source']['topic']['code']}" for card in cards]
    for link in links:
        page = client.get(link.removeprefix("http://127.0.0.1:8080"))
        assert page.status_code == 200 and "nothing of a patient" in page.text


def test_a_card_is_shown_every_time(served):
    client = served().test_client()
    body = _body("gilteritinib-qtc-512", "sign")
    for path in ("/cds-services/aml-order-select", "/cds-services/aml-order-sign"):
        client.post(path, data=body, content_type="application/json").close()
    assert _summaries(_answer(client, body)) == _summaries(_answer(client, body)) != []


def test_an_answer_at_relapse_links_the_lit_path_and_the_studies_of_its_options(client):
    told = _answer(client, _body("relapse-first-steps", "view")).get_json()
    assert "scope:here" in told["pathway"] and "gilteritinib" in told["options"]
    lit = client.get("/pathway", query_string={"lit": told["pathway"]})
    assert lit.status_code == 200 and "on this patient&#39;s path" in lit.text.replace("'", "&#39;")
    studies = client.get("/evidence", query_string={"options": ",".join(told["options"])})
    assert studies.status_code == 200 and "Not known here" not in studies.text
