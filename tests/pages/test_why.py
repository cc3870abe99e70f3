"""Why this card: what the page shows by how much is kept, and to whom it opens."""

from __future__ import annotations

import json
import re
import time
from typing import Any

from flask import Flask

from cards.topic import topic_code
from cds_service.web import serving
from tests.calls import ELECTROLYTES, PATIENT, RELAPSED, flt3_itd, gilteritinib, observation, order, qtcf, request

SIGN = "/cds-services/aml-order-sign"
CHART: dict[str, Any] = {
    "ecg": [qtcf(512), qtcf(441, "2026-10-20T08:00:00Z")], "labs": ELECTROLYTES, "medications": [],
}


def signed(app: Flask, body: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """The cards of a call."""
    body = body or request("order-sign", gilteritinib(status="draft"), **CHART)
    response = app.test_client().post(SIGN, json=body)
    response.close()
    return list(response.get_json()["cards"])


def link(card: dict[str, Any]) -> str:
    """Where "Why this card" leads, without the host."""
    (found,) = [each for each in card["links"] if each["label"] == "Why this card"]
    assert found["type"] == "absolute"
    return str(found["url"]).removeprefix("http://127.0.0.1:8080")


def stop(cards: list[dict[str, Any]]) -> dict[str, Any]:
    """The card about the QTc."""
    return next(each for each in cards if each["source"]["topic"]["code"] in ("qtcHold", "qtcStartLimit"))


def test_every_card_links_its_page_without_anything_of_the_patient(served):
    for card in signed(served()):
        assert re.fullmatch(r"/why/[0-9a-f-]{36}\?key=\d{10}-[0-9a-f]{32}", link(card))
        assert card["links"][0]["label"] == "Why this card"


def test_everything_is_shown_where_everything_is_kept(served):
    app = served()
    page = app.test_client().get(link(stop(signed(app)))).text
    for words in (
        "kept: everything", "512 ms", "Observation/o76634-5-2026-11-20", "500 ms", "What would change the answer",
        "What was not seen", "Other checks made", "QTc over time", "<svg", "441 ms",
    ):  # fmt: skip
        assert words in page, words


def test_where_each_check_is_told_and_why_one_did_not_apply(served):
    app = served()
    again = app.test_client().get(link(stop(signed(app))), headers={"Accept": "application/json"}).get_json()["again"]
    assert len(again["told"]) == len(again["others"])
    pairs = list(zip(again["others"], again["told"], strict=True))
    assert all(bool(where) == (each["outcome"] == "fired") for each, where in pairs if not each["local"])
    assert ("trial-first", "told where the patient is viewed") in {(each["rule"], where) for each, where in pairs}
    assert any(each.endswith(": not drafted") or ": not " in each for each in again["not_applicable"])


def test_a_check_that_is_told_in_another_card_of_the_call_names_it(served):
    app = served()
    taken = [order("posaconazole 100 MG Delayed Release Oral Tablet", "1482669", 300, id="m-posa")]
    body = request("order-sign", gilteritinib(status="draft"), **{**CHART, "medications": taken})
    cards = signed(app, body)
    again = app.test_client().get(link(stop(cards)) + "&format=json").get_json()["again"]
    named = {where for where in again["told"] if where.startswith("told in the card: ")}
    assert named and named <= {f"told in the card: {card['summary']}" for card in cards}


def test_the_bar_of_an_order_on_hold_says_so(served):
    """Its length is since the order began, not since the hold: the record does not say when that came."""
    held = gilteritinib(status="on-hold", id="m-held", authoredOn="2026-09-08")
    app = served()
    cards = signed(app, request("order-sign", gilteritinib(status="draft"), **{**CHART, "medications": [held]}))
    page = app.test_client().get(link(stop(cards))).text
    assert "120 mg daily, on hold now</text>" in page and "A pale bar is an order that is on hold now" in page
    assert "on hold now" not in app.test_client().get(link(stop(signed(app)))).text


def test_what_would_change_the_answer_was_tried(served):
    app = served()
    told = app.test_client().get(link(stop(signed(app))) + "&format=json").get_json()
    ground = told["again"]["grounds"][0]
    given = {change["given"]: change for change in ground["changes"]}
    assert any(each["outcome"] == "clear" and "500 ms" in words for words, each in given.items()), given
    assert told["again"]["same"]


def test_outcomes_without_values_are_shown_where_only_those_are_kept(served):
    app = served(KEEP="audit")
    page = app.test_client().get(link(stop(signed(app)))).text
    assert "kept: outcomes, no values" in page and "Other checks made" in page
    assert not re.search(r"\b512\b", page) and "Observation/" not in page
    cited = page.partition("What it went by")[2].partition("</table>")[0]
    assert "hold above" in cited and "500 ms" in cited and "Ma and Ge 2021" in cited  # what the knowledge says
    assert "bilirubin upper limit: none found under the codes we ask for" in page and "_uln" not in page


def test_where_only_outcomes_are_kept_a_check_without_a_card_of_its_own_is_told_apart(served):
    app = served(KEEP="audit")
    taken = [gilteritinib(), order("ondansetron 8 MG Oral Tablet", "312086", 16, id="m-onda")]
    draft = order("posaconazole 100 MG Delayed Release Oral Tablet", "1482669", 300, status="draft", id="m-posa")
    cards = signed(app, request("order-sign", draft, **{**CHART, "medications": taken}))
    told = app.test_client().get(link(stop(cards)) + "&format=json").get_json()
    topics = {each["topic"] for each in told["cards"]}
    assert "additive-qt" in {each["rule"] for each in told["folded"]}
    assert all(each["outcome"] == "fired" and topic_code(each["rule"]) not in topics for each in told["folded"])
    assert all(topic_code(each["rule"]) in topics for each in told["others"] if each["outcome"] == "fired")
    page = app.test_client().get(link(stop(cards))).text
    assert page.index("Fired about") < page.index("More about this rule"), "first what happened"
    assert "Fired too, without a card of their own" in page


def test_the_rule_is_told_where_nothing_is_kept(served):
    app = served(KEEP="nothing")
    where = link(stop(signed(app)))
    assert re.fullmatch(r"/why/rule/[A-Za-z0-9]+", where)
    page = app.test_client().get(where).text
    assert "nothing of a patient" in page and not re.search(r"\b512\b", page)


def test_a_wrong_an_ended_and_an_unknown_link_get_the_same_answer(served, monkeypatch):
    app = served()
    client = app.test_client()
    where = link(stop(signed(app)))
    path, _, key = where.partition("?key=")
    until, _, mark = key.partition("-")
    assert client.get(where).status_code == 200
    wrong = [
        path, f"{path}?key=", f"{path}?key=x", f"{path}?key={until}-{'0' * 32}", f"{path}?key={int(until) + 1}-{mark}",
        f"/why/00000000-0000-4000-8000-000000000000?key={key}", f"/why/{'x' * 36}?key={key}", "/why/rule/nobody",
    ]
    answers = {(each.status_code, each.text) for each in map(client.get, wrong)}
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 15 * 60 + 1)
    app_later = serving.from_environment()
    ended = app_later.test_client().get(where)
    answers.add((ended.status_code, ended.text))
    assert len(answers) == 1 and answers.pop()[0] == 404


def test_nothing_links_where_links_are_off(served):
    app = served(WHY_LINKS="off")
    for card in signed(app):
        assert all(each["label"] != "Why this card" for each in card.get("links", ()))
    assert app.test_client().get("/why/00000000-0000-4000-8000-000000000000").status_code == 404


def test_open_links_need_no_key_in_demo_mode(served):
    app = served(WHY_LINKS="open")
    where = link(stop(signed(app)))
    assert "?" not in where and app.test_client().get(where).status_code == 200


def test_a_client_that_shows_no_links_finds_the_page_behind_the_source(served):
    app = served(DEFAULT_PROFILE="oracle")
    card = stop(signed(app))
    assert "links" not in card and re.search(r"/why/[0-9a-f-]{36}\?key=", card["source"]["url"])


NASTY = '<img src=x onerror=alert(1)>"\'><script>alert(2)</script>'


def nasty(value: Any) -> Any:
    """The same with every text that is no code, date, reference or URL made hostile."""
    if isinstance(value, dict):
        return {name: NASTY if name in _FREE and isinstance(each, str) else nasty(each) for name, each in value.items()}
    return [nasty(each) for each in value] if isinstance(value, list) else value


_FREE = ("text", "display", "note", "title", "description", "family", "value_text", "lastName")


def test_text_of_the_chart_is_never_markup(served):
    app = served()
    drug = gilteritinib(status="draft")
    drug["medicationCodeableConcept"]["text"] = f"gilteritinib {NASTY}"
    drug["note"] = [{"text": NASTY}]
    patient = PATIENT | {"name": [{"text": NASTY, "family": NASTY}]}
    ecg = qtcf(512) | {"note": [{"text": NASTY}]}
    lab = observation("2823-3", 3.1, "mmol/L", "2026-11-20T08:00:00Z")
    lab["code"]["text"] = NASTY
    other = order(f"posaconazole {NASTY}", "282446", 300, id="m-posa")
    other["dosageInstruction"][0]["text"] = NASTY
    relapsed = json.loads(json.dumps(RELAPSED)) | {"code": {**RELAPSED["code"], "text": f"AML in relapse {NASTY}"}}
    body = request("order-sign", drug, ecg=[ecg], labs=[lab], medications=[other], conditions=[relapsed])
    body["prefetch"]["patient"] = patient
    client = app.test_client()
    for card in signed(app, body):
        page = client.get(link(card)).text
        assert "<img" not in page and "<script>" not in page and "onerror=alert(1)>" not in page.replace("&gt;", "")
        assert not re.search(r"<[^>]*\son\w+=", page) and not re.search(r"<[^>]*\sstyle=", page)


def test_a_changed_knowledge_is_told(served, monkeypatch):
    app = served()
    where = link(stop(signed(app)))
    assert "has changed since" not in app.test_client().get(where).text
    app.extensions["store"].keeper.flush(5)
    with app.extensions["store"].store.writing() as connection:
        from cds_service.store.tables import CALL

        connection.execute(CALL.update().values(knowledge="older"))
    assert "has changed since" in app.test_client().get(where).text


def test_a_card_at_relapse_shows_the_path_lit_and_no_address_says_who(served):
    app = served()
    view = request("patient-view", genomics=[flt3_itd("2026-11-05T08:00:00Z")], **CHART)
    response = app.test_client().post("/cds-services/aml-patient-view", json=view)
    response.close()
    pages = [app.test_client().get(link(card)).text for card in response.get_json()["cards"]]
    about = [page for page in pages if "this patient's path lit" in page]
    assert about and all('class="node here"' in page for page in about)
    assert any("<details open><summary>The pathway" in page for page in about)
    assert all("lit=" not in page for page in pages), "the picture stands in the page, not in an address"
    assert any("/evidence?options=" in page for page in about)
