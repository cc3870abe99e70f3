"""One card for one problem: what was found of one hazard of one drug stands together."""

from __future__ import annotations

from typing import Any

from cds_service.present.problems import HAZARDS, TO_OURS, TO_THEIRS
from cds_service.rules.catalogue import RULES
from tests.calls import ELECTROLYTES, cards, flt3_itd, gilteritinib, observation, order, qtcf

DRAFT = gilteritinib(status="draft", id="d1")
LOW = [
    observation("2823-3", 3.1, "mmol/L", "2026-11-20T08:00:00Z"),
    observation("2601-3", 0.6, "mmol/L", "2026-11-20T08:00:00Z"),
]


def sign(**chart: Any) -> dict[str, dict[str, Any]]:
    found = cards("order-sign", DRAFT, **({"labs": ELECTROLYTES, "genomics": [flt3_itd("2026-11-10")]} | chart))
    return {card["source"]["topic"]["code"]: card for card in found}


def test_the_hazards_name_rules_that_exist_and_each_once():
    named = [rule for rules in HAZARDS.values() for rule in rules]
    assert set(named) <= {rule.id for rule in RULES}
    assert len(named) == len(set(named))
    assert TO_OURS | {TO_THEIRS} <= {rule.id for rule in RULES}


def test_a_second_qt_drug_stands_in_the_card_of_the_long_qtc():
    told = sign(ecg=[qtcf(512)], medications=[order("amiodarone 200 mg", "", 200)])
    assert "additiveQt" not in told
    card = told["qtcHold"]
    assert card["indicator"] == "critical"
    assert card["summary"].endswith("(and 1 more)")
    assert "Amiodarone" in card["detail"]
    assert "Less certain" not in card["detail"]
    assert {"Remove the gilteritinib draft", "Order a 12-lead ECG"} <= {each["label"] for each in card["suggestions"]}


def test_without_a_long_qtc_it_has_a_card_of_its_own():
    told = sign(ecg=[qtcf(430)], medications=[order("amiodarone 200 mg", "", 200)])
    assert told["additiveQt"]["indicator"] == "warning"


def test_low_potassium_and_magnesium_are_one_card_with_what_lowers_them():
    told = sign(ecg=[qtcf(430)], labs=LOW, medications=[order("furosemide 40 mg", "", 40)])
    card = told["electrolytes"]
    assert "electrolyteWasting" not in told
    assert card["summary"].startswith("Potassium 3.1 mmol/L")
    assert "Magnesium 0.6 mmol/L" in card["detail"] and "furosemide" in card["detail"]
    assert {"Repeat potassium", "Repeat magnesium"} <= {each["label"] for each in card["suggestions"]}


def test_what_lowers_another_electrolyte_is_not_blamed():
    low = [LOW[0], observation("2601-3", 0.9, "mmol/L", "2026-11-20T08:00:00Z")]
    told = sign(ecg=[qtcf(430)], labs=low, medications=[order(n, "", 40, id=n) for n in ("pantoprazole", "furosemide")])
    assert "Potassium 3.1 mmol/L with gilteritinib, lowered by furosemide" in told["electrolytes"]["detail"]


def beside_ivosidenib(*others: str) -> dict[str, dict[str, Any]]:
    """The cards by topic when itraconazole is signed beside ivosidenib 500 mg and these."""
    taken = [order(name, "", mg, id=name) for name, mg in (("ivosidenib", 500), *((other, 5) for other in others))]
    found = cards("order-sign", order("itraconazole", id="d1"), medications=taken, ecg=[qtcf(430)], labs=ELECTROLYTES)
    return {card["source"]["topic"]["code"]: card for card in found}


def test_both_directions_of_one_pair_are_one_card():
    told = beside_ivosidenib()
    card = told["doseBesideInhibitor"]
    assert "effectOnOthers" not in told
    assert card["indicator"] == "critical" and card["summary"].endswith("at most 250 mg once daily (and 1 more)")
    assert "Ivosidenib may change the effect of itraconazole" in card["detail"]
    assert [each["label"] for each in card["suggestions"]] == ["Remove the itraconazole draft"]


def test_what_it_does_to_a_third_drug_stands_alone():
    told = beside_ivosidenib("warfarin")
    assert {"doseBesideInhibitor", "effectOnOthers"} <= told.keys()
    assert "warfarin" in told["effectOnOthers"]["detail"].lower()


def test_beside_the_lowered_dose_what_it_does_to_the_other_is_the_card():
    found = cards(
        "order-sign",
        order("ivosidenib", "", 250, id="d1"),
        medications=[order("itraconazole", id="a")],
        ecg=[qtcf(430)],
        labs=ELECTROLYTES,
    )
    assert "effectOnOthers" in {card["source"]["topic"]["code"] for card in found}
