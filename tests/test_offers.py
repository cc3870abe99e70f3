"""Offers ask only the checks that can concern a drug: asking all comes to the same, for every drug and story."""

from __future__ import annotations

import json
from unittest.mock import patch

import pytest

from cds_service.answer import answer
from cds_service.errors import RequestError
from cds_service.rules.catalogue import CHECKS
from cds_service.rules.relapse import offers
from tests.calls import tools
from tests.samples import Sample, samples


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.full_name)
def test_leaving_out_checks_that_cannot_concern_a_drug_changes_nothing(sample: Sample):
    kit = tools()
    service = next(each for each in kit.services if each.hook == sample.request["hook"])
    try:
        chart = answer(json.dumps(sample.request).encode(), service, kit).evaluation.chart
    except RequestError:
        pytest.skip("no answer, no chart")
    snapshot = kit.knowledge.at(chart.now.date(), "US")
    for drug in sorted(snapshot.drugs):
        draft = offers.imagined(drug)
        with patch.object(offers, "imagined", return_value=draft):
            few = offers.safety(drug, CHECKS, chart, snapshot)
            with patch.object(offers, "may_concern", return_value=True):
                assert offers.safety(drug, CHECKS, chart, snapshot) == few, drug


def test_some_checks_are_left_out():
    snapshot = tools().knowledge.at(tools().now().date(), "US")
    concerned = [each for each in CHECKS if offers.may_concern(each, "azacitidine", frozenset(), snapshot)]
    beside = [each for each in CHECKS if offers.may_concern(each, "azacitidine", frozenset({"venetoclax"}), snapshot)]
    assert {each.id for each in beside} - {each.id for each in concerned} >= {"dose-ceiling"}
    assert 10 < len(concerned) < 0.8 * len(CHECKS)
