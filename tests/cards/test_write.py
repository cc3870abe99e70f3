"""Writing for a client: what it cannot take stands in the text, nothing urgent is cut, and nothing else changes."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from cards.detail import Detail, Said
from cards.model import Action, Card, Coding, Link, Source, Suggestion
from cards.profile import Profile, shipped
from cards.write import written
from tests.card_grammar import assert_grammar

DEFAULT, EPIC, ORACLE, SANDBOX = (shipped()[name] for name in ("default", "epic", "oracle", "sandbox"))
PREFERENCE_LIST = "urn:com.epic.cdshooks.action.code.system.preference-list-item"
SUBJECT = {"reference": "Patient/p1"}
ECG = Action(
    "create",
    "Order a 12-lead ECG",
    {
        "resourceType": "ServiceRequest", "status": "draft", "intent": "order", "subject": SUBJECT,
        "code": {"text": "ECG", "coding": [{"system": "http://loinc.org", "code": "34534-8"}]},
    },
    order="ecg",
)  # fmt: skip
REMOVE = Action("delete", "Remove the draft (drug <b>)", resource_id="MedicationRequest/m1")
DOSE = Action(
    "update",
    "Change the dose to 70 mg",
    {
        "resourceType": "MedicationRequest", "id": "m1", "status": "draft", "intent": "order", "subject": SUBJECT,
        "medicationReference": {"reference": "Medication/1"},
    },
)  # fmt: skip


def suggested(*actions: Action) -> Suggestion:
    return Suggestion(actions[0].description, str(uuid.uuid4()), actions)


def card(*suggestions: Suggestion, selection: str = "any", **changes: object) -> Card:
    detail = Detail(
        (Said("**Seen:** 512 ms.", True),), ("A note.",), "**Concerns:** draft.", ("- A source, place",), ("A source",),
        "*The foot.*",
    )  # fmt: skip
    made = Card(
        str(uuid.uuid4()), "QTcF 512 ms", "critical", detail,
        Source("aml-cds", "https://cds.example", Coding("urn:aml-cds:rule", "qtcHold", "QTc")),
        suggestions, selection, (Coding("urn:aml-cds:override-reason", "x", "X"),),
        (Link("Source: label", "https://label.example"),), ("MedicationRequest/m1",),
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def labels(json: dict) -> list[str]:
    return [each["label"] for each in json.get("suggestions", ())]


def with_codes(profile: Profile, **codes: str) -> Profile:
    return replace(profile, order_codes=codes)


@pytest.mark.parametrize("profile", shipped().values(), ids=lambda profile: profile.name)
def test_every_profile_writes_a_card_that_obeys_the_grammar(profile):
    import json

    made = card(suggested(ECG), suggested(REMOVE), suggested(DOSE))
    assert_grammar(json.dumps({"cards": [written(made, profile)]}))


@pytest.mark.parametrize("profile", shipped().values(), ids=lambda profile: profile.name)
def test_no_profile_changes_what_the_card_is_about(profile):
    made = card(suggested(ECG), suggested(REMOVE))
    as_default, json = written(made, DEFAULT), written(made, profile)
    for name in ("uuid", "summary", "indicator", "source"):
        assert json[name] == as_default[name]
    assert json["extension"]["davinci-crd.associated-resource"] == [{"reference": "MedicationRequest/m1"}]


@pytest.mark.parametrize("profile", shipped().values(), ids=lambda profile: profile.name)
@pytest.mark.parametrize("selection", ["any", "at-most-one"])
def test_what_is_not_offered_stands_in_the_text(profile, selection):
    made = card(suggested(ECG), suggested(REMOVE), suggested(DOSE), suggested(ECG, REMOVE), selection=selection)
    json = written(made, profile)
    for suggestion in made.suggestions:
        offered = suggestion.label in labels(json)
        in_text = suggestion.label.replace("<b>", "&lt;b&gt;") in json["detail"]
        assert offered or in_text


def test_epic_removes_a_draft_and_leaves_the_rest_to_the_hand_while_it_has_no_codes():
    json = written(card(suggested(ECG), suggested(REMOVE), suggested(DOSE)), EPIC)
    assert labels(json) == ["Remove the draft (drug <b>)"]
    assert json["selectionBehavior"] == "any"
    assert "**By hand:** Order a 12-lead ECG; Change the dose to 70 mg." in json["detail"]


def test_with_the_hospitals_code_epic_gets_the_order_by_that_code_first():
    (offered,) = written(card(suggested(ECG)), with_codes(EPIC, ecg="4711"))["suggestions"]
    codings = offered["actions"][0]["resource"]["code"]["coding"]
    assert codings[0] == {"system": PREFERENCE_LIST, "code": "4711"}
    assert codings[1:] == ECG.resource["code"]["coding"]
    assert "order" not in offered["actions"][0]
    assert ECG.resource["code"]["coding"][0]["code"] == "34534-8"  # the card itself is as it was


def test_an_order_that_has_no_code_of_any_system_gets_the_hospitals():
    by_name = replace(ECG, resource={**ECG.resource, "code": {"text": "Panel"}}, order="myeloid_panel")
    (offered,) = written(card(suggested(by_name)), with_codes(EPIC, myeloid_panel="9"))["suggestions"]
    assert offered["actions"][0]["resource"]["code"] == {
        "text": "Panel", "coding": [{"system": PREFERENCE_LIST, "code": "9"}]
    }  # fmt: skip


def test_of_alternatives_a_client_that_knows_only_any_is_offered_the_first():
    json = written(card(suggested(REMOVE), suggested(ECG), selection="at-most-one"), with_codes(EPIC, ecg="1"))
    assert labels(json) == [REMOVE.description]
    assert "**By hand:** Order a 12-lead ECG." in json["detail"]
    both = written(card(suggested(REMOVE), suggested(ECG)), with_codes(EPIC, ecg="1"))
    assert labels(both) == [REMOVE.description, ECG.description]


def test_actions_that_belong_together_are_not_torn_apart():
    both = suggested(REMOVE, ECG)
    assert labels(written(card(both), DEFAULT)) == [both.label]
    json = written(card(both), with_codes(EPIC, ecg="1"))
    assert labels(json) == [] and "selectionBehavior" not in json
    assert "**By hand:** Remove the draft" in json["detail"]


def test_oracle_gets_text_alone():
    json = written(card(suggested(ECG), suggested(REMOVE)), ORACLE)
    assert not {"suggestions", "selectionBehavior", "overrideReasons", "links"} & set(json)
    assert "**By hand:** Order a 12-lead ECG; Remove the draft (drug &lt;b&gt;)." in json["detail"]


def test_the_sandbox_is_offered_a_changed_order_only_with_text_and_code():
    assert labels(written(card(suggested(DOSE)), SANDBOX)) == []
    named = {**DOSE.resource, "medicationCodeableConcept": {"text": "x", "coding": [{"system": "urn:a", "code": "1"}]}}
    del named["medicationReference"]
    assert labels(written(card(suggested(replace(DOSE, resource=named))), SANDBOX)) == [DOSE.description]
    no_text = {**named, "medicationCodeableConcept": {"coding": [{"code": "1"}]}}
    assert labels(written(card(suggested(replace(DOSE, resource=no_text))), SANDBOX)) == []


def test_plain_text_has_no_marks_and_says_so_where_the_client_wants_it_said():
    json = written(card(suggested(DOSE)), replace(EPIC, detail="plain"))
    assert "*" not in json["detail"] and "Seen: 512 ms." in json["detail"]
    assert json["extension"]["com.epic.cdshooks.card.detail.content-type"] == "text/plain"
    assert "com.epic.cdshooks.card.detail.content-type" not in written(card(), EPIC)["extension"]


LONG = "\n\n".join(f"**Paragraph {number}:** " + "words " * 30 for number in range(20))


def detailed(*findings: Said, indicator: str = "info") -> str:
    made = card(indicator=indicator, detail=replace(card().detail, findings=findings))
    return str(written(made, ORACLE)["detail"])


def test_information_is_shortened_to_the_panel_and_says_so():
    text = detailed(Said(LONG, urgent=False))
    assert len(text) <= ORACLE.longest_detail
    assert "**Paragraph 0:**" in text and "**Paragraph 19:**" not in text
    assert "further lines not shown.*" in text
    assert "A note." in text and "*The foot.*" in text and "**Sources:** A source." in text


def test_a_warning_or_a_stop_is_never_cut_however_long():
    text = detailed(Said(LONG, urgent=True), indicator="critical")
    assert "**Paragraph 19:**" in text and "not shown" not in text


def test_every_finding_keeps_its_first_line():
    said = [Said(f"**Finding {number}**\n\n" + "words " * 60, urgent=False) for number in range(8)]
    text = detailed(Said(LONG, urgent=True), *said, indicator="warning")
    assert all(f"**Finding {number}**" in text for number in range(8))
    assert "*Shortened for a narrow panel: 8 further lines not shown.*" in text


def test_a_heading_without_its_list_is_not_shown():
    entries = "\n".join(f"- {'entry ' * 300}{number}" for number in range(3))
    text = detailed(Said(f"First.\n\n**Heading**\n\n{entries}", urgent=False))
    assert "**Heading**" not in text and "First." in text


def test_what_fits_is_whole():
    text = detailed(Said("Short.", urgent=False))
    assert "**Sources**\n\n- A source, place" in text and "not shown" not in text
