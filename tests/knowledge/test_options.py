"""Every option stands on the inventory of therapies, names drugs that are checked, and has its status and evidence."""

from __future__ import annotations

import shutil
from datetime import date

import pytest

from cds_service.errors import KnowledgeError
from cds_service.knowledge import topics
from cds_service.knowledge.load import HOME, Knowledge
from cds_service.knowledge.therapies import Kind

KNOWLEDGE = Knowledge.load()
OPTIONS = KNOWLEDGE.options.values()
DAY = date(2026, 11, 21)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.id)
def test_an_option_stands_on_the_inventory_and_on_drugs_that_are_checked(option):
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


@pytest.mark.parametrize(("file", "old", "new", "reason"), [
    ("options.yaml", "survival 9.3 v 5.6 months with", "survival 9.9 v 5.6 months with",
     "statement 'option-gilteritinib-evidence': 9.9 stands in no evidence of 'gilteritinib'"),
    ("therapies/flt3.yaml", "value: 6.2 v 4.7 months, state", "value: 6.2 v 4.8 months, state",
     "statement 'option-quizartinib-evidence': 4.7 stands in no evidence of 'quizartinib'"),
    ("options.yaml", "therapy: ivosidenib\n", "therapy: ivosidenip\n", "there is no therapy 'ivosidenip'"),
])
def test_an_option_tells_no_figure_that_its_therapy_does_not(tmp_path, file, old, new, reason):
    home = tmp_path / "knowledge"
    shutil.copytree(HOME, home)
    text = (home / file).read_text(encoding="utf-8")
    assert old in text
    (home / file).write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(KnowledgeError) as refused:
        Knowledge.load(home)
    assert reason in str(refused.value)


def test_no_figure_that_errata_hide_stands_in_an_option():
    words = " ".join(str(s.value) for s in KNOWLEDGE.statements if s.topic == topics.OPTION_EVIDENCE.name)
    for hidden in ("47.7", "76 %", "20.2", "17.5 months", "73 %", "13 %", "56.5", "38 %"):
        assert hidden not in words
