"""Clients: who gets which profile, and that a profile changes the form of an answer and nothing else.

Every sample and every vignette is written in every profile; a token that nobody verified changes no more than that.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from cards.profile import Profile, shipped
from cards.write import written as as_json
from cds_service.answer import Answer, answer
from cds_service.clients import Clients
from cds_service.errors import SettingsError
from cds_service.hooks.caller import Caller
from cds_service.settings import Settings
from cds_service.trace import trace
from cds_service.web.app import create_app
from tests.calls import NOW, gilteritinib, order, qtcf, request, tools, venetoclax
from tests.card_grammar import assert_grammar, faults
from tests.hooks.test_caller import bearer
from tests.overlays import tools_with, written
from tests.samples import Sample, answered, samples
from tests.vignette_runner import Vignette, tell, vignettes

Json = dict[str, Any]
CODES = {"ecg": "4711", "potassium": "5"}
EPIC_PLAIN = replace(shipped()["epic"], name="epic-plain", detail="plain", order_codes=CODES)
PROFILES = (*shipped().values(), EPIC_PLAIN)
LONGEST_URGENT = 2_200  # characters of the longest warning or stop in a narrow panel, none of its findings cut
ANSWERED = tuple(sample for sample in samples() if sample.status == 200)
each_profile = pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
each_sample = pytest.mark.parametrize("sample", ANSWERED, ids=lambda sample: sample.full_name)


# Who gets which


def clients(**env: str) -> Clients:
    return Clients.load(Settings.load(env), None, ())


@pytest.mark.parametrize(("caller", "expected"), [
    (None, "default"),
    (Caller("https://nobody.example"), "default"),
    (Caller("https://sandbox.cds-hooks.org"), "sandbox"),
    (Caller("https://cds-hooks.cerner.com"), "oracle"),
    (Caller("https://ehr.example/r4"), "epic"),
    (Caller("https://ehr.example/r4", "unheard-of"), "epic"),
    (Caller("https://shared.example", "north"), "epic"),
    (Caller("https://shared.example", "south"), "oracle"),
    (Caller("https://shared.example", "west"), "default"),
    (Caller("https://shared.example"), "default"),
])
def test_the_tenant_decides_then_the_issuer_then_the_default(caller, expected):
    told = "https://ehr.example/r4/=epic, https://shared.example#north=epic, https://shared.example#south=oracle"
    assert clients(CLIENT_PROFILES=told).of(caller).name == expected


def test_settings_come_before_the_issuers_that_a_profile_names():
    told = clients(CLIENT_PROFILES="https://sandbox.cds-hooks.org=default", DEFAULT_PROFILE="oracle")
    assert told.of(Caller("https://sandbox.cds-hooks.org")).name == "default"
    assert told.of(None).name == "oracle"


@pytest.mark.parametrize("env", [{"CLIENT_PROFILES": "https://a.example=epci"}, {"DEFAULT_PROFILE": "epci"}])
def test_an_unknown_profile_stops_the_start_by_setting_and_name(env):
    with pytest.raises(SettingsError) as refused:
        clients(**env)
    (name,) = env
    assert str(refused.value).startswith(f"{name} names the profile 'epci', and there is none; there are default, epic")
    assert "did you mean epic?" in str(refused.value)


OURS = "like: epic\nreason: our preference list\nissuers: [https://ours.example]\norder_codes: {ecg: '4711'}\n"


def test_a_hospital_writes_a_profile_of_its_own(tmp_path: Path):
    found = tools_with(written(tmp_path / "o", profiles={"ours": OURS}), CLIENT_PROFILES="https://b.example=ours")
    for issuer in ("https://ours.example", "https://b.example"):
        assert found.clients.of(Caller(issuer)).order_codes == {"ecg": "4711"}
    asked = request("order-sign", gilteritinib(status="draft"), ecg=[])
    service = next(each for each in found.services if each.hook == "order-sign")
    made = answer(json.dumps(asked).encode(), service, found, Caller("https://ours.example"))
    codes = [
        action["resource"]["code"]["coding"][0]["code"]
        for card in json.loads(made.body)["cards"]
        for suggestion in card.get("suggestions", ())
        for action in suggestion["actions"]
        if action["type"] == "create"
    ]
    assert codes and set(codes) == {"4711"}
    assert_grammar(made.body)


def test_a_hospital_may_put_its_own_in_the_place_of_ours(tmp_path: Path):
    same_name = "like: epic\nreason: our screens show stars\ndetail: plain\n"
    found = tools_with(written(tmp_path / "o", profiles={"epic": same_name}), DEFAULT_PROFILE="epic")
    assert found.clients.default.detail == "plain"
    assert found.knowledge.version != tools().knowledge.version


# The form and nothing else


ANSWERS: dict[str, Answer] = {}


def answer_to(sample: Sample) -> Answer:
    if sample.full_name not in ANSWERS:
        ANSWERS[sample.full_name] = answered(sample)
    return ANSWERS[sample.full_name]


@each_profile
@each_sample
def test_every_answer_is_valid_in_every_profile_and_holds_every_card(sample: Sample, profile: Profile) -> None:
    made = answer_to(sample)
    shaped = replace(made, profile=profile).body
    assert_grammar(shaped)
    _require_form(json.loads(shaped)["cards"], profile)
    whole = json.loads(replace(made, profile=shipped()["default"]).body)["cards"]
    assert _kept(json.loads(shaped)["cards"]) == _kept(whole)


@pytest.mark.parametrize("vignette", vignettes(), ids=lambda vignette: f"{vignette.rule}: {vignette.name}")
def test_every_vignette_is_valid_in_every_profile_and_loses_no_urgent_word(vignette: Vignette) -> None:
    cards = tell(vignette).cards
    for profile in PROFILES:
        found = [as_json(card, profile) for card in cards]
        assert not faults({"cards": found}), profile.name
        _require_form(found, profile)
        for card, json_card in zip(cards, found, strict=True):
            text = json_card["detail"]
            for said in card.detail.findings:
                if said.urgent and profile.detail == "markdown":
                    assert said.text in text, profile.name
            for note in card.detail.notes:
                if profile.detail == "markdown":
                    assert note in text
            by_hand = {each.label for each in card.suggestions} - _labels(json_card)
            assert not [label for label in by_hand if _bare(label) not in _bare(text)], profile.name


def _require_form(cards: list[Json], profile: Profile) -> None:
    """What a client of this profile can take, and nothing else."""
    for card in cards:
        suggestions = card.get("suggestions", [])
        assert profile.suggestions or not suggestions
        assert not suggestions or card["selectionBehavior"] in profile.selection_behaviors
        assert profile.override_reasons or "overrideReasons" not in card
        assert profile.links or "links" not in card
        assert profile.actions_together or all(len(each["actions"]) == 1 for each in suggestions)
        assert card["source"]["topic"]["code"].isalnum() and len(card["source"]["topic"]["code"]) <= 100
        for action in (action for each in suggestions for action in each["actions"]):
            kind = action["resource"]["resourceType"] if "resource" in action else action["resourceId"].split("/")[0]
            assert f"{action['type']} {kind}" in profile.actions
            if kind == "ServiceRequest" and profile.orders_need_code:
                assert action["resource"]["code"]["coding"][0]["system"] == profile.order_system
        _require_text(card, profile)


def _require_text(card: Json, profile: Profile) -> None:
    detail = card["detail"]
    if profile.detail == "plain":
        assert "**" not in detail and "&lt;" not in detail
        assert card["extension"]["com.epic.cdshooks.card.detail.content-type"] == "text/plain"
    if profile.longest_detail is not None:
        assert not [line for line in detail.splitlines() if line.startswith("|")], "a table"
        most = profile.longest_detail if card["indicator"] == "info" else LONGEST_URGENT
        assert len(detail) <= most, f"{len(detail)} characters in a narrow panel"


def _kept(cards: list[Json]) -> list[Any]:
    """What no profile may change."""
    return [(card["source"], card["indicator"], card["summary"], card["extension"]["davinci-crd.associated-resource"]
             if "davinci-crd.associated-resource" in card.get("extension", {}) else None) for card in cards]


def _labels(card: Json) -> set[str]:
    return {each["label"] for each in card.get("suggestions", ())}


def _bare(text: str) -> str:
    """Without what Markdown escapes."""
    return text.replace("\\", "").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


# A token that nobody verified


CALLS = (
    request("order-sign", gilteritinib(status="draft"), ecg=[qtcf(512)]),
    request("order-sign", venetoclax(status="draft"), medications=[order("posaconazole 100 MG", "1482908", 300)]),
    request("patient-view"),
    request("order-sign", order("paracetamol 500 mg", "", 1000, status="draft"), conditions=[]),
)
ISSUERS = ("https://sandbox.cds-hooks.org", "https://cds-hooks.cerner.com", "https://ehr.example", "<script>")


@pytest.mark.parametrize("issuer", ISSUERS)
@pytest.mark.parametrize("body", CALLS, ids=["stop", "dose", "relapse", "unrelated"])
def test_whoever_claims_to_call_the_same_is_read_checked_and_found(body: Json, issuer: str) -> None:
    its_tools = replace(tools(), clients=clients(CLIENT_PROFILES="https://ehr.example=epic"))
    service = next(each for each in its_tools.services if each.hook == body["hook"])
    plain_call = answer(json.dumps(body).encode(), service, its_tools)
    claimed = answer(json.dumps(body).encode(), service, its_tools, Caller(issuer))
    assert trace(claimed.evaluation) == trace(plain_call.evaluation)
    assert _kept(json.loads(claimed.body)["cards"]) == _kept(json.loads(plain_call.body)["cards"])


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Settings.load({}), replace(tools(), now=lambda: NOW), answer).test_client()


def cards_for(client: FlaskClient, **headers: str) -> list[Json]:
    response = client.post("/cds-services/aml-order-sign", json=CALLS[0], headers=headers)
    assert response.status_code == 200
    assert_grammar(response.data)
    found: list[Json] = response.get_json()["cards"]
    return found


def test_over_http_the_issuer_of_the_token_chooses_the_form(client):
    as_oracle = cards_for(client, Authorization=bearer({"iss": "https://cds-hooks.cerner.com"}))
    assert not any("suggestions" in card for card in as_oracle)
    assert any("suggestions" in card for card in cards_for(client))
    assert _kept(as_oracle) == _kept(cards_for(client))


@pytest.mark.parametrize("header", ["Bearer x", "Basic abc", "Bearer a.!!.c", bearer([]), bearer({"iss": 7})])
def test_a_header_that_cannot_be_read_changes_nothing(client, header):
    assert [card["detail"] for card in cards_for(client, Authorization=header)] == [
        card["detail"] for card in cards_for(client)
    ]
