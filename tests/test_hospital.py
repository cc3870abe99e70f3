"""A hospital makes it its own, end to end: from the overlay folder to the card, the trace, the log and the counts."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from cds_service.answer import answer
from cds_service.rules.catalogue import RULES
from cds_service.rules.relapse.offers import safety
from cds_service.settings import Settings
from cds_service.trace import trace
from cds_service.web.app import create_app
from tests.calls import ELECTROLYTES, NOW, flt3_itd, gilteritinib, observation, order, qtcf, request
from tests.card_grammar import assert_grammar
from tests.overlays import HOLD_480, ask_with, cards_of, tools_with, written

TARGET = [flt3_itd("2026-11-10T08:00:00Z")]
FOLDER = Path(__file__).parents[1] / "docs" / "overlay_example"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "overlay"


def signed(folder: Path, qtc: float, hook: str = "order-sign", **env: str):
    return ask_with(
        tools_with(folder, **env),
        hook,
        gilteritinib(status="draft"),
        ecg=[qtcf(qtc)],
        labs=ELECTROLYTES,
        genomics=TARGET,
    )


def values(entry: str) -> dict[str, str]:
    return {"values": f"values:\n  - {{{entry}}}\n"}


def rules(entry: str) -> dict[str, str]:
    return {"rules": f"rules:\n  {entry}\n"}


def check(answered, rule: str):
    (step,) = [each for each in trace(answered.evaluation) if each.rule == rule]
    return step


def about_qtc(answered) -> list[dict]:
    return [card for card in cards_of(answered) if card["source"]["topic"]["code"] == "qtcHold"]


def test_with_a_local_limit_of_480_ms_a_qtcf_of_490_ms_fires_and_the_card_names_local_policy(folder):
    (card,) = about_qtc(signed(written(folder, values=HOLD_480), 490))
    assert card["indicator"] == "warning"
    assert card["summary"] == "QTcF 490 ms (yesterday): do not start gilteritinib, limit 480 ms"
    assert card["source"]["label"] == "aml-cds demo: local policy (leukaemia board, 2026-11-01)"
    assert (
        "- Local policy (leukaemia board, 2026-11-01): a margin below the limit; "
        "in place of 500 ms (Xospata US label of 2022)" in card["detail"]
    )


def test_as_shipped_490_ms_is_no_hold():
    from tests.calls import cards

    found = cards("order-sign", gilteritinib(status="draft"), ecg=[qtcf(490)], labs=ELECTROLYTES, genomics=TARGET)
    assert not [card for card in found if card["source"]["topic"]["code"] == "qtcHold"]


@pytest.mark.parametrize(("qtc", "fires"), [(479, False), (480, False), (481, True)])
def test_the_edge_lies_at_the_local_limit(folder, qtc, fires):
    assert bool(about_qtc(signed(written(folder, values=HOLD_480), qtc))) is fires


def test_a_stricter_local_limit_takes_nothing_from_the_stop_of_the_label(folder):
    (card,) = about_qtc(signed(written(folder, values=HOLD_480), 512))
    assert card["indicator"] == "critical"
    assert "limit 480 ms" in card["summary"]
    assert "Local policy (leukaemia board" in card["detail"]
    assert "Xospata US label of 2022, Table 1 (read in the label)" in card["detail"]


def test_a_laxer_local_limit_is_the_hospitals_to_decide_and_stands_in_the_trace(folder):
    lax = values("statement: gilteritinib-qtc-hold, value: 520 ms, reason: cardiology takes over above 500 ms")
    answered = signed(written(folder, **lax), 512)
    assert not [each for each in about_qtc(answered) if each["indicator"] == "critical"]
    step = check(answered, "qtc-hold")
    assert step.outcome == "clear"
    (said,) = [each for each in step.cites if each.topic == "qtc_hold_above"]
    assert said.local == (
        "local policy (leukaemia board, 2026-11-01): cardiology takes over above 500 ms; "
        "in place of gilteritinib-qtc-hold, 500 ms"
    )


def test_where_several_statements_decide_the_local_one_is_named_as_the_source(folder):
    entry = values("statement: policy-potassium-low, value: 3.8 mmol/L, reason: our cardiologists want it so")
    low = [observation("2823-3", 3.7, "mmol/L", "2026-11-20T08:00:00Z"), ELECTROLYTES[1]]
    answered = ask_with(tools_with(written(folder, **entry)), "order-sign", gilteritinib(status="draft"), labs=low)
    (card,) = [each for each in cards_of(answered) if "3.7 mmol/L" in each["summary"]]
    assert card["source"]["label"].endswith("local policy (leukaemia board, 2026-11-01)")
    assert "our cardiologists want it so; in place of 3.5 mmol/L (service default)" in card["detail"]
    lines = [line for line in card["detail"].partition("**Sources**")[2].splitlines() if line.startswith("- ")]
    assert "our cardiologists want it so" in lines[0]
    assert "Service default, not from a source" in lines[-1]  # of the target, which the hospital left alone


CHOSEN = "rules:\n  qtc-hold: {overrides: [specialist-advice, value-outdated, local-protocol], reason: agreed}\n"


@pytest.mark.parametrize("effective, codes", [
    ("2026-11-01", ["value-outdated", "local-protocol", "specialist-advice"]),
    ("2026-12-01", ["ecg-repeated", "measurement-unreliable", "value-outdated", "already-stopped", "already-corrected",
                    "specialist-advice", "benefit-outweighs-risk"]),
])
def test_a_rule_offers_the_override_reasons_that_the_hospital_chose_from_their_day_on(folder, effective, codes):
    chosen = CHOSEN.replace("reason: agreed", f"reason: agreed, effective: {effective}")
    (card,) = about_qtc(signed(written(folder, rules=chosen), 512))
    assert [each["code"] for each in card["overrideReasons"]] == codes


def test_a_rule_can_be_in_shadow_and_have_its_own_reasons(folder):
    shadow = CHOSEN.replace("overrides", "switch: shadow, overrides")
    answered = signed(written(folder, rules=shadow), 512)
    assert not about_qtc(answered)
    assert check(answered, "qtc-hold").outcome == "fired"


def test_before_its_day_a_local_value_changes_nothing(folder):
    later = values("statement: gilteritinib-qtc-hold, value: 480 ms, reason: x, effective: 2026-12-01")
    assert not about_qtc(signed(written(folder, **later), 490))


def test_an_old_dangerous_ecg_is_still_said_on_local_policy(folder):
    answered = ask_with(
        tools_with(written(folder, values=HOLD_480)),
        "order-sign",
        gilteritinib(status="draft"),
        ecg=[qtcf(490, "2026-10-20T08:00:00Z")],
        labs=ELECTROLYTES,
        genomics=TARGET,
    )
    assert any("QTcF 490 ms" in card["summary"] for card in cards_of(answered))


@pytest.mark.parametrize("hook", ["order-sign", "order-select", "patient-view"])
def test_every_card_with_an_overlay_keeps_the_grammar(hook):
    tools = tools_with(FOLDER)
    drafts = [] if hook == "patient-view" else [gilteritinib(status="draft")]
    active = [gilteritinib()] if hook == "patient-view" else []
    assert_grammar(ask_with(tools, hook, *drafts, ecg=[qtcf(512)], medications=active, labs=ELECTROLYTES).body)


def test_a_rule_switched_off_says_so_in_the_trace_and_a_critical_one_on_a_card(folder):
    off = rules("qtc-hold: {switch: off, reason: our EHR stops this order itself, owner: cardiology}")
    answered = signed(written(folder, **off), 512)
    step = check(answered, "qtc-hold")
    assert step.outcome == "switched off"
    words = "switched off by local policy (cardiology, 2026-11-01): our EHR stops this order itself"
    assert (step.why, step.local) == (words, words)
    assert not about_qtc(answered)
    (gap,) = [card for card in cards_of(answered) if card["source"]["topic"]["code"] == "gap"]
    assert gap["indicator"] == "info"
    assert "**Switched off by local policy**" in gap["detail"]
    assert "QTc against the limit above which the drug is held (cardiology, 2026-11-01)".replace(
        "(cardiology", "(local policy (cardiology"
    ) in gap["detail"]


def test_a_critical_rule_switched_off_is_no_word_where_its_drug_is_not(folder):
    off = rules("qtc-hold: {switch: off, reason: x}")
    answered = ask_with(tools_with(written(folder, **off)), "order-sign", order("paracetamol tablet", status="draft"))
    assert not cards_of(answered)


def test_a_smaller_rule_switched_off_makes_no_card_of_its_own(folder):
    ready = signed(written(folder, **rules("ecg-schedule: {switch: off, reason: x}")), 440)
    assert not [card for card in cards_of(ready) if card["source"]["topic"]["code"] == "gap"]
    assert check(ready, "ecg-schedule").outcome == "switched off"


@pytest.mark.parametrize("switch", ["off", "shadow"])
def test_what_a_switched_check_would_stop_is_still_not_offered(folder, switch):
    tools = tools_with(written(folder, **rules(f"qtc-hold: {{switch: {switch}, reason: x}}")))
    chart = ask_with(tools, "patient-view", ecg=[qtcf(512)], labs=ELECTROLYTES).evaluation.chart
    hold = [rule for rule in RULES if rule.id == "qtc-hold"]
    found = safety("gilteritinib", hold, chart, tools.knowledge.at(NOW.date(), "US"))
    assert [stop.card for stop in found.stops] == ["qtc_over_hold_limit"]


def test_a_rule_in_shadow_runs_is_counted_and_shows_no_card(folder, caplog):
    shadow = rules("qtc-hold: {switch: shadow, reason: tried out first, until: 2027-02-01}")
    with caplog.at_level(logging.INFO, "aml_cds.rules"):
        answered = signed(written(folder, **shadow), 512)
    step = check(answered, "qtc-hold")
    assert (step.outcome, step.level) == ("fired", "critical")
    assert step.local == "in shadow, shown on no card, by local policy (leukaemia board, 2026-11-01): tried out first"
    assert not about_qtc(answered)
    assert "rule qtc-hold in shadow: fired" in caplog.messages


def test_a_gap_of_a_rule_in_shadow_is_on_no_card(folder):
    shadow = rules("qtc-hold: {switch: shadow, reason: x}")
    tools = tools_with(written(folder, **shadow))
    answered = ask_with(tools, "order-sign", gilteritinib(status="draft"), labs=ELECTROLYTES, genomics=TARGET)
    assert not any("QTc against the limit" in card["detail"] for card in cards_of(answered))


def test_a_switch_ends_on_its_day(folder):
    ended = rules("qtc-hold: {switch: off, reason: x, until: 2026-11-21}")
    assert about_qtc(signed(written(folder, **ended), 512))


def test_local_wording_is_shown_and_says_that_it_is_local(folder):
    shipped = Path("cards/templates/qtc_over_hold_limit.md").read_text(encoding="utf-8")
    reworded = f"{shipped}\n\n**Call cardiology: extension 12**\n"
    (card,) = about_qtc(signed(written(folder, qtc_over_hold_limit=reworded), 512))
    assert "**Call cardiology" in card["detail"] and "*Worded by this hospital.*" in card["detail"]
    near = signed(folder, 490)  # another card, in the words as shipped
    assert cards_of(near)
    assert not any("Worded by this hospital" in each["detail"] for each in cards_of(near))


def test_local_codes_are_asked_for_and_read(folder):
    rows = "system,code,key,kind,evidence\nurn:oid:1.2.3,K,potassium,observation,lab manual\n"
    rows += "urn:oid:1.2.4,900,gilteritinib,drug,formulary\n"
    tools = tools_with(written(folder, codes=rows))
    sign = next(each for each in tools.services if each.hook == "order-sign")
    queries = {query.key: query.template for query in sign.queries}
    assert "urn:oid:1.2.3|K" in queries["labs"] and "urn:oid:1.2.3|K" not in queries["ecg"]
    low = observation("K", 3.1, "mmol/L", "2026-11-20T08:00:00Z")
    low["code"]["coding"][0]["system"] = "urn:oid:1.2.3"
    draft = order("tablet 40 mg", status="draft")
    draft["medicationCodeableConcept"]["coding"] = [{"system": "urn:oid:1.2.4", "code": "900"}]
    found = cards_of(ask_with(tools, "order-sign", draft, labs=[low]))
    assert any("3.1 mmol/L" in card["summary"] for card in found)


def test_the_server_names_the_version_with_the_overlay_and_answers_with_it(folder):
    tools = tools_with(written(folder, values=HOLD_480))
    client = create_app(Settings.load({}), tools, answer).test_client()
    assert client.get("/readyz").get_json()["knowledge"] == tools.knowledge.version
    body = request("order-sign", gilteritinib(status="draft"), ecg=[qtcf(490)], labs=ELECTROLYTES)
    told = client.post("/cds-services/aml-order-sign", data=json.dumps(body), content_type="application/json")
    assert "limit 480 ms" in told.get_json()["cards"][0]["summary"]
