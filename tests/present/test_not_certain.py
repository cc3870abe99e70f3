"""A diagnosis that is not confirmed reaches the clinician as not certain, and no such entry clears a check."""

from __future__ import annotations

from typing import Any

import pytest

from tests.calls import ELECTROLYTES, cards, condition, gilteritinib

WORDS = {
    "provisional": "provisional, not certain",
    "differential": "differential diagnosis, not certain",
}


def thought(status: str, code: str = "C92.02", text: str = "AML in relapse") -> dict[str, Any]:
    return condition(code, text, verificationStatus={"coding": [{"code": status}]})


@pytest.mark.parametrize("status", WORDS)
def test_the_first_steps_at_a_relapse_that_is_not_confirmed_say_so(status: str) -> None:
    shown = cards("patient-view", conditions=[thought(status)], labs=ELECTROLYTES)
    assert any(WORDS[status] in card["detail"] for card in shown)


def test_a_confirmed_relapse_says_nothing_of_the_kind() -> None:
    for card in cards("patient-view", conditions=[thought("confirmed")], labs=ELECTROLYTES):
        assert "not certain" not in card["detail"]


def test_another_disease_that_is_only_thought_of_does_not_stand_for_the_indication() -> None:
    draft = gilteritinib(status="draft")
    sure = cards("order-sign", draft, conditions=[thought("confirmed", "C91.10", "CLL")], labs=ELECTROLYTES)
    unsure = cards("order-sign", draft, conditions=[thought("provisional", "C91.10", "CLL")], labs=ELECTROLYTES)
    assert len(unsure) >= len(sure)


def test_a_transplantation_that_was_broken_off_spares_nobody_the_donor_search() -> None:
    def done(status: str) -> dict[str, Any]:
        return {"resourceType": "Procedure", "id": "t", "status": status, "subject": {"reference": "Patient/p1"},
                "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "38240"}]}}

    def searched(status: str) -> bool:
        shown = cards("patient-view", procedures=[done(status)], labs=ELECTROLYTES)
        return any("Request a donor search" in str(card.get("suggestions")) for card in shown)

    assert not searched("completed")
    assert searched("stopped")


def test_a_molecular_relapse_is_told_on_the_card_of_the_relapse_and_not_as_a_gap() -> None:
    found = cards("patient-view", conditions=[condition("C92.02", "AML, molecular relapse (NPM1 MRD)")])
    said = [card["summary"] for card in found if "measurable residual disease and no other" in card["detail"]]
    assert said[0].startswith("Relapsed AML")
    assert not [card for card in found if card["summary"].startswith(("What this check", "Not checked"))]


def test_while_it_is_treated_the_doubt_is_told_as_a_gap() -> None:
    told = condition("C92.02", "AML, molecular relapse (NPM1 MRD)")
    found = cards("patient-view", conditions=[told], medications=[gilteritinib(authoredOn="2026-11-10")])
    said = [card["summary"] for card in found if "measurable residual disease and no other" in card["detail"]]
    assert len(said) == 1 and said[0].startswith(("What this check", "Not checked"))
