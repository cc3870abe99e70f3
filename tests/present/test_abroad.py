"""In demo mode with US labels the options card tells where its targeted options stand in the EU, where that differs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from cds_service.answer import Tools, answer, load_tools
from cds_service.knowledge import topics
from cds_service.knowledge.load import Knowledge
from cds_service.knowledge.model import Verification
from cds_service.knowledge.options import Group
from cds_service.knowledge.snapshot import Snapshot
from cds_service.present.abroad import told_abroad
from cds_service.settings import Settings
from cds_service.web.app import create_app
from tests.calls import ELECTROLYTES, NOW, UNHURRIED, order, qtcf, request, tools

LINE = "**EU status (demo):**"
FLT3, IDH1, IDH2 = ("79210-1", "LA9633-4"), ("100022-3", "p.R132H"), ("100023-1", "p.R140Q")
NPM1 = ("75034-9", "p.W288fs")
KNOWLEDGE = Knowledge.load()
US, EU = KNOWLEDGE.at(NOW.date(), "US"), KNOWLEDGE.at(NOW.date(), "EU")


def present_now(code: str, value: str) -> dict[str, Any]:
    said: dict[str, Any] = {"coding": [{"system": "http://loinc.org", "code": value}]}
    return {
        "resourceType": "Observation", "id": f"g{code}", "status": "final", "subject": {"reference": "Patient/p1"},
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]}, "effectiveDateTime": "2026-11-10",
        "valueCodeableConcept": said if value.startswith("LA") else {"text": value},
    }  # fmt: skip


def asked(*markers: tuple[str, str], hook: str = "patient-view", **chart: Any) -> dict[str, Any]:
    drafts = chart.pop("drafts", ())
    values = {"ecg": [qtcf(420)], "labs": ELECTROLYTES, "genomics": [present_now(*each) for each in markers]}
    return request(hook, *drafts, **(values | chart))


def told(there: Tools, body: dict[str, Any]) -> list[str]:
    """The details of the cards, from the body that the EHR gets over HTTP."""
    client = create_app(Settings.load({}), there, answer).test_client()
    response = client.post(f"/cds-services/aml-{body['hook']}", json=body)
    assert response.status_code == 200
    return [card["detail"] for card in response.get_json()["cards"]]


def lines(details: list[str]) -> list[str]:
    return [part for detail in details for part in detail.split("\n\n") if "EU status" in part]


def test_what_is_approved_here_and_not_in_the_eu_is_told_so_in_demo_mode():
    (line,) = lines(told(tools(), asked(IDH1, IDH2, FLT3)))
    assert line.startswith(
        f"{LINE} approved for relapsed or refractory AML: gilteritinib (since 2019-10-24). "
        "No EU approval for relapsed or refractory AML: quizartinib; enasidenib; ivosidenib. "
        "No EU approval found (read in a text that restates it: confirm on the current label): olutasidenib. "
    )
    assert line.endswith("*From:* FDA and EMA indications (MOAlmanac); Thol et al. 2021; reviewed 2026-11-21.")


def test_it_is_the_last_word_before_the_sources_and_stands_on_the_options_card_alone():
    details = told(tools(), asked(IDH2))
    (detail,) = [each for each in details if LINE in each]
    assert "*Here:* approved for relapsed" in detail
    assert detail.index("**Elsewhere:**") < detail.index(LINE) < detail.index("**Sources**")


def test_a_drug_whose_target_is_not_shown_is_not_named():
    (line,) = lines(told(tools(), asked(IDH2)))
    assert "enasidenib" in line
    assert "ivosidenib" not in line


def test_a_narrow_panel_shows_it_whole():
    card = next(each for each in _cards(asked(IDH1, IDH2, NPM1)) if LINE in each.detail.whole())
    (line,) = lines([card.detail.whole()])
    assert line in card.detail.short(1_000)


def _cards(body: dict[str, Any]) -> Any:
    service = next(each for each in tools().services if each.hook == body["hook"])
    return answer(json.dumps(body).encode(), service, tools()).cards


@pytest.mark.parametrize("markers", [(FLT3,), ()], ids=["the same there", "nothing offered"])
def test_where_it_is_the_same_there_or_nothing_is_offered_there_is_no_line(markers):
    assert not lines(told(tools(), asked(*markers)))


def test_a_child_or_a_patient_in_remission_gets_no_line():
    child = {"resourceType": "Patient", "id": "p1", "birthDate": "2018-01-01", "gender": "female"}
    assert not lines(told(tools(), asked(IDH2, patient=child)))
    assert not lines(told(tools(), asked(IDH2, conditions=[])))


@pytest.mark.parametrize("changes", [
    {"demo": False}, {"jurisdiction": "EU"}, {"jurisdiction": "JP"}, {"demo": False, "jurisdiction": "EU"},
], ids=["a hospital in the US", "demo in the EU", "demo in Japan", "a hospital in the EU"])
def test_it_is_told_in_no_hospital_and_in_no_other_place(changes):
    details = told(replace(tools(), **changes), asked(IDH1, IDH2, FLT3))
    assert any("*Here:*" in each for each in details)
    assert not lines(details)


def test_the_tools_of_a_hospital_tell_none_of_it():
    hospital = load_tools(replace(Settings.load(UNHURRIED), mode="hospital", jurisdiction="US"))
    details = told(replace(hospital, now=lambda: NOW), asked(IDH2))
    assert any("*Here:* approved for relapsed" in each for each in details)
    assert not lines(details)


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
@pytest.mark.parametrize("drug", ["enasidenib 100 mg", "quizartinib 35.4 mg"])
def test_an_order_is_told_nothing_of_it(hook, drug):
    assert not lines(told(tools(), asked(IDH2, FLT3, hook=hook, drafts=(order(drug, status="draft"),))))


def test_what_an_order_card_calls_off_label_here_is_so_by_the_same_word_in_the_eu():
    """So that no card of an order tells a status that differs: where one comes to differ, it needs the line too."""
    here = {key: each for key, each in US.statements.items() if each.topic == topics.OFF_LABEL.name}
    own = {key for key, each in here.items() if not each.foreign}
    assert own
    assert [key for key in own if EU.statements[key].id != here[key].id] == []


def test_only_targeted_options_stand_elsewhere_in_the_eu():
    differing = {
        option.group
        for option in KNOWLEDGE.options.values()
        if US.find(topics.OPTION_STATUS, option.about).value.kind
        is not EU.find(topics.OPTION_STATUS, option.about).value.kind
    }
    assert differing == {Group.TARGETED}


def _with(snapshot: Snapshot, option: str, **changes: Any) -> Snapshot:
    key = (topics.OPTION_STATUS.name, f"option {option}", "")
    changed = replace(snapshot.statements[key], **changes)
    return replace(snapshot, statements={**snapshot.statements, key: changed})


def test_what_was_not_read_for_the_eu_is_told_as_unknown_and_never_borrowed():
    abroad = _with(EU, "gilteritinib", foreign="US")
    assert told_abroad(["gilteritinib"], US, abroad).startswith(f"{LINE} not read: gilteritinib.")
    without = replace(EU, statements={
        key: each for key, each in EU.statements.items() if key[:2] != ("option_status", "option gilteritinib")
    })  # fmt: skip
    assert told_abroad(["gilteritinib"], US, without) == f"{LINE} not read: gilteritinib."


def test_what_was_read_in_a_text_that_restates_it_asks_to_be_confirmed():
    abroad = _with(EU, "enasidenib", verification=Verification.SECONDARY)
    words = "no EU approval found (read in a text that restates it: confirm on the current label): enasidenib."
    assert told_abroad(["enasidenib"], US, abroad).startswith(f"{LINE} {words}")


def test_before_the_eu_approval_the_line_says_that_it_was_not_read():
    day = date(2019, 3, 1)
    line = told_abroad(["gilteritinib"], KNOWLEDGE.at(day, "US"), KNOWLEDGE.at(day, "EU"))
    assert line.startswith(f"{LINE} not read: gilteritinib")


def test_both_places_are_looked_up_once_a_day():
    knowledge = Knowledge.load()
    here, there = knowledge.at(NOW.date(), "US"), knowledge.at(NOW.date(), "EU")
    assert knowledge.at(NOW.date(), "US") is here
    assert knowledge.at(NOW.date(), "EU") is there
    assert knowledge.at(date(2026, 11, 22), "US") is not here
    assert knowledge.at(NOW.date(), "EU") is not there  # memory stays flat: one day is kept


def test_a_combination_that_no_label_names_and_an_approval_that_was_only_recalled_are_each_called_so():
    abroad = _with(EU, "gilteritinib", verification=Verification.RECALLED)
    line = told_abroad(["enasidenib", "gemtuzumab-cytarabine", "gilteritinib"], US, abroad)
    assert "In use, and in no label: gemtuzumab ozogamicin with standard-dose cytarabine." in line
    assert "Approval found (not read: confirm on the current label): gilteritinib (since 2019-10-24)." in line


def test_a_hospitals_own_word_is_no_status_in_the_eu():
    own = replace(_with(EU, "enasidenib", value=US.find(topics.OPTION_STATUS, "option enasidenib").value), shipped=EU)
    assert "no EU approval for relapsed or refractory AML: enasidenib" in told_abroad(["enasidenib"], US, own)
