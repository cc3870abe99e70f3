"""The heart from FHIR to card: other QT drugs than gilteritinib, codes of rhythm and conduction, pairs of ours."""

from __future__ import annotations

from typing import Any

from tests import calls


def quizartinib(**more: Any) -> dict[str, Any]:
    return calls.order("quizartinib 17.7 MG Oral Tablet", mg=35.4, **more)


def told(*drafts: dict[str, Any], **chart: Any) -> dict[str, tuple[str, str]]:
    """Each card by its rule: indicator and text."""
    return {
        card["source"]["topic"]["code"]: (card["indicator"], card["summary"] + card["detail"])
        for card in calls.cards("order-sign", *drafts, **chart)
    }


def test_quizartinib_is_not_started_above_its_limit():
    cards = told(quizartinib(), ecg=[calls.qtcf(460)], labs=calls.ELECTROLYTES)
    assert cards["qtcStartLimit"][0] == "critical"
    assert "qtcHold" not in cards


def test_resolved_torsades_still_forbid_quizartinib():
    torsades = calls.condition("I47.21", "Torsades", "2020-01-01", clinicalStatus={"coding": [{"code": "resolved"}]})
    cards = told(
        quizartinib(), ecg=[calls.qtcf(430)], labs=calls.ELECTROLYTES, conditions=[calls.RELAPSED, torsades]
    )
    assert cards["qtContraindicated"][0] == "critical"


def test_a_pacemaker_is_one_line_in_another_card():
    pacemaker = calls.condition("Z95.0", "Pacemaker", "2020-01-01")
    chart = {"ecg": [calls.qtcf(490)], "labs": calls.ELECTROLYTES, "conditions": [calls.RELAPSED, pacemaker]}
    cards = told(calls.gilteritinib(), **chart)
    assert "qtcOverestimated" not in cards
    assert sum("QTc may overestimate" in text for _, text in cards.values()) == 1


def test_two_drugs_of_ours_that_prolong_the_qt_interval_make_one_pair():
    taken = calls.gilteritinib(id="m-taken", authoredOn="2026-11-10")
    cards = calls.cards("order-sign", quizartinib(), medications=[taken], ecg=[calls.qtcf(440)])
    assert sum("QT added up" in card["detail"] for card in cards) == 1


def test_doxycycline_without_a_code_is_known_by_its_name():
    (medication,) = calls.ask(
        calls.request("order-sign", calls.order("doxycycline 100 MG Oral Tablet"))
    ).evaluation.chart.medications.orders
    assert medication.ingredients == ("doxycycline",)
