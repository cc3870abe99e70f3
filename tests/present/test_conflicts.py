"""Where code and words of an order name different drugs, the clinician is told, whatever else is found."""

from __future__ import annotations

from typing import Any

from tests.calls import ELECTROLYTES, cards, order


def gap(shown: list[dict[str, Any]]) -> dict[str, Any] | None:
    return next((card for card in shown if card["source"]["topic"]["code"] == "gap"), None)


def mixed(**more: Any) -> dict[str, Any]:
    return order("cytarabine 100 MG Injection", "197361", **more)


def test_a_draft_whose_code_names_another_drug_is_a_warning() -> None:
    card = gap(cards("order-sign", mixed(status="draft"), labs=ELECTROLYTES))
    assert card is not None
    assert card["indicator"] == "warning"
    assert "**Conflicting**" in card["detail"]
    assert "code and name disagree (amlodipine / cytarabine)" in card["detail"]


def test_so_is_an_order_on_the_list_when_the_chart_is_opened() -> None:
    card = gap(cards("patient-view", medications=[mixed()], labs=ELECTROLYTES))
    assert card is not None
    assert "code and name disagree (amlodipine / cytarabine)" in card["detail"]


def test_an_order_of_which_all_agrees_says_nothing_of_it() -> None:
    for card in cards("order-sign", order("cytarabine 100 MG Injection", status="draft"), labs=ELECTROLYTES):
        assert "disagree" not in card["detail"]


def test_an_order_of_two_readings_does_not_interact_with_itself() -> None:
    either = order("venetoclax 100 mg", "282446", mg=400, status="draft")  # the code is that of posaconazole
    assert not any("with posaconazole" in card["summary"] for card in cards("order-sign", either, labs=ELECTROLYTES))
    beside = order("posaconazole 100 mg", mg=300)
    found = cards("order-sign", either, medications=[beside], labs=ELECTROLYTES)
    assert any("Venetoclax 400 mg daily with posaconazole" in card["summary"] for card in found)


def test_each_of_its_readings_meets_what_the_patient_takes() -> None:
    either = order("cytarabine 100 mg", "282446", mg=300, status="draft")
    taken = order("venetoclax 100 MG Oral Tablet", "1747561", 400)
    found = cards("order-sign", either, medications=[taken], labs=ELECTROLYTES)
    assert any("Venetoclax 400 mg daily with posaconazole" in card["summary"] for card in found)
