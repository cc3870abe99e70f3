"""Drugs of the sources that most patients take for another disease: there only warnings are worth a card."""

from __future__ import annotations

from typing import Any

import pytest

from tests.calls import RELAPSED, cards, condition, observation, order

LUNG = condition("C34.90", "Lung cancer", "2026-01-01")
THROMBOCYTHAEMIA = condition("D47.3", "Essential thrombocythaemia", "2020-01-01")


def draft(text: str) -> dict[str, Any]:
    return order(text, "", 100, status="draft", id="d1")


@pytest.mark.parametrize("drug", ["etoposide", "hydroxyurea 500 mg capsule", "azacitidine", "fludarabine"])
@pytest.mark.parametrize("hook", ["order-sign", "order-select"])
def test_no_mere_information_where_no_leukaemia_is_on_record(drug, hook):
    told = cards(hook, draft(drug), conditions=[LUNG], labs=[observation("2160-0", 0.8, "mg/dL", "2026-11-20")])
    assert "info" not in [card["indicator"] for card in told]


def test_nothing_at_each_view_of_a_patient_on_hydroxycarbamide_for_another_disease():
    taken = order("hydroxyurea 500 mg capsule", "", 1000, authoredOn="2026-06-01")
    assert cards("patient-view", conditions=[THROMBOCYTHAEMIA], medications=[taken]) == []


def test_a_warning_stays_a_warning_there():
    labs = [observation("2164-2", 25, "mL/min", "2026-11-20"), observation("2160-0", 2.6, "mg/dL", "2026-11-20")]
    told = cards("order-sign", draft("etoposide"), conditions=[LUNG], labs=labs)
    assert "warning" in [card["indicator"] for card in told]


def test_with_leukaemia_on_record_or_a_problem_list_that_was_not_had_the_information_is_there():
    assert cards("order-sign", draft("etoposide"), conditions=[RELAPSED])
    outage = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
    assert cards("order-sign", draft("etoposide"), conditions=outage)


def test_a_drug_for_leukaemia_alone_is_told_whatever_is_on_record():
    assert cards("order-sign", draft("gilteritinib"), conditions=[LUNG])
