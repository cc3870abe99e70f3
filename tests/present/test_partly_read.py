"""Lists that came only in part: the cards that speak of them are written, and say so."""

from __future__ import annotations

import json

import pytest

from tests.calls import RELAPSED, ask, bundle, gilteritinib, order, request, venetoclax

DRAFTS = (
    order("gemtuzumab ozogamicin 4.5 MG Injection", mg=5, status="draft"), gilteritinib(status="draft"),
    venetoclax(status="draft"), order("quizartinib 26.5 MG Oral Tablet", mg=26.5, status="draft"),
    order("cytarabine high dose 3 g/m2", status="draft"), order("midostaurin 25 MG", mg=100, status="draft"),
    order("daunorubicin 60 mg/m2", status="draft"), order("clofarabine 20 mg/m2", status="draft"),
    order("ivosidenib 250 MG Oral Tablet", mg=500, status="draft"), order("azacitidine 75 mg/m2", status="draft"),
)  # fmt: skip
LISTS = ("conditions", "procedures", "medications", "labs", "ecg", "bedside", "genomics", "allergies", "orders")


@pytest.mark.parametrize("draft", DRAFTS, ids=lambda draft: draft["id"])
@pytest.mark.parametrize("hook", ["order-sign", "order-select", "patient-view"])
def test_every_card_is_written_where_a_list_came_in_part(draft, hook):
    more = [{"relation": "next", "url": "https://ehr.example/fhir?page=2"}]
    for name in LISTS:
        came = bundle(RELAPSED) if name == "conditions" else bundle()
        chart = {name: came | {"link": more}, **({"medications": [draft]} if hook == "patient-view" else {})}
        answer = json.loads(ask(request(hook, *([draft] if hook != "patient-view" else []), **chart)).body)
        said = [card["summary"] + card["detail"] for card in answer["cards"]]
        assert not [each for each in said if "could not be written" in each], name


def test_whether_sos_is_on_record_is_said_to_be_open_where_the_problem_list_came_in_part():
    part = bundle(RELAPSED) | {"link": [{"relation": "next", "url": "https://ehr.example/fhir?page=2"}]}
    found = json.loads(ask(request("order-sign", DRAFTS[0], conditions=part)).body)["cards"]
    (told,) = [card["detail"] for card in found if "SOS/VOD" in card["summary"]]
    assert "so whether SOS/VOD is among them is not known" in told
    assert "only the first page was sent" in told
