"""Every option stands on the inventory of therapies, names drugs that are checked, and has its status and evidence."""

from __future__ import annotations

import re
from datetime import date

import pytest

from cds_service.knowledge import topics
from cds_service.knowledge.load import Knowledge
from cds_service.knowledge.options import Kind

KNOWLEDGE = Knowledge.load()
OPTIONS = KNOWLEDGE.options.values()
DAY = date(2026, 11, 21)
FIGURE = re.compile(r"\d+(?:\.\d+)?")


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.id)
def test_an_option_stands_on_the_inventory_and_on_drugs_that_are_checked(option):
    assert option.therapy in KNOWLEDGE.therapies
    assert set(option.drugs) <= set(KNOWLEDGE.drugs)
    assert {option.given, option.not_given} - {""} <= set(KNOWLEDGE.courses)


@pytest.mark.parametrize("place", ["US", "EU"])
@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.id)
def test_an_option_says_where_it_stands_and_on_what_evidence(option, place):
    snapshot = KNOWLEDGE.at(DAY, place)
    status = snapshot.find(topics.OPTION_STATUS, option.about)
    assert status is not None
    assert not status.foreign
    assert snapshot.find(topics.OPTION_EVIDENCE, option.about) is not None


@pytest.mark.parametrize("place", ["US", "EU"])
@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.id)
def test_an_approval_for_relapse_is_the_one_of_the_inventory(option, place):
    status = KNOWLEDGE.at(DAY, place).find(topics.OPTION_STATUS, option.about)
    standing = KNOWLEDGE.therapies[option.therapy].standing(place)
    assert (status.value.kind is Kind.APPROVED_RR) == (standing.kind.value == Kind.APPROVED_RR.value)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.id)
def test_every_figure_of_its_evidence_stands_in_the_inventory_or_in_an_erratum_to_it(option):
    said = KNOWLEDGE.at(DAY, "US").find(topics.OPTION_EVIDENCE, option.about)
    drugs = set(KNOWLEDGE.therapies[option.therapy].drugs)
    related = [each for each in KNOWLEDGE.therapies.values() if each.id == option.therapy or drugs & set(each.drugs)]
    told = [evidence for each in related for evidence in each.evidence if not evidence.hide]
    held = [f"{e.study} {e.n} {e.year} {e.line} {e.endpoint} {e.value} {e.note}" for e in told]
    held += [KNOWLEDGE.errata[name].supported for each in related for name in each.errata]
    assert set(FIGURE.findall(str(said.value))) <= {figure for words in held for figure in FIGURE.findall(words)}


def test_no_figure_that_errata_hide_stands_in_an_option():
    words = " ".join(str(s.value) for s in KNOWLEDGE.statements if s.topic == topics.OPTION_EVIDENCE.name)
    for hidden in ("47.7", "76 %", "20.2", "17.5 months", "73 %", "13 %", "56.5", "38 %"):
        assert hidden not in words
