"""Offers ask only the checks that can concern a drug: asking all comes to the same, for every drug and story."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from unittest.mock import patch

import pytest

from cds_service.answer import answer
from cds_service.errors import RequestError
from cds_service.facts.drugs.medications import Role
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
            with patch.object(offers, "asked_of", return_value=CHECKS):
                assert offers.safety(drug, CHECKS, chart, snapshot) == few, drug


def test_some_checks_are_left_out():
    snapshot = tools().knowledge.at(tools().now().date(), "US")
    concerned = offers.asked_of("azacitidine", CHECKS, snapshot)
    assert "dose-ceiling" in {each.id for each in concerned}, "it is about the drug beside it"
    assert 10 < len(concerned) < 0.8 * len(CHECKS)


@pytest.mark.parametrize("drug", ["gilteritinib", "posaconazole"])
@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.full_name)
def test_a_list_with_a_draft_that_nobody_wrote_tells_what_a_list_read_with_it_tells(sample: Sample, drug: str):
    kit = tools()
    service = next(each for each in kit.services if each.hook == sample.request["hook"])
    try:
        told = answer(json.dumps(sample.request).encode(), service, kit).evaluation.chart.medications
    except RequestError:
        pytest.skip("no answer, no chart")
    draft = offers.imagined(drug)
    beside, read = offers.Beside.made(draft, told), replace(told, orders=(draft, *told.orders))
    assert beside.superseded == read.superseded
    for number in range(1, len(Role) + 1):
        for roles in itertools.permutations(Role, number):
            assert beside.of(*roles) == read.of(*roles)
            assert beside.drugs(*roles) == read.drugs(*roles)
    for each in (drug, *told.drugs(*Role), "no such drug"):
        assert beside.naming(each) == read.naming(each)
