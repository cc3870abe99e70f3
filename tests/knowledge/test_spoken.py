"""How well a statement was verified, as it is spoken."""

from __future__ import annotations

from datetime import date

import pytest

from cds_service.knowledge.load import Knowledge
from cds_service.knowledge.model import JURISDICTIONS, Verification
from cds_service.knowledge.spoken import borrowed_words, verified_words


@pytest.mark.parametrize(("topic", "about", "words"), [
    ("conditioning", "pathway", "read in a text that restates it: confirm in the paper"),
    ("epi", "pathway", "read in a text that restates it: confirm in the paper"),
    ("renal_not_studied_below", "ziftomenib", "read in a text that restates it: confirm on the current label"),
    ("transaminase_hold_above", "gilteritinib", "read in a text that restates it: confirm on the current label"),
    ("cardiac_assessment", "aclarubicin", "read in the paper"),
])
def test_what_papers_alone_say_of_no_drug_is_confirmed_in_the_paper(topic: str, about: str, words: str) -> None:
    found = [each for each in Knowledge.load().statements if each.topic == topic and each.about == about]
    assert {verified_words(each) for each in found} == {words}


@pytest.mark.parametrize(("statement", "place", "words"), [
    ("gilteritinib-qtc-hold", "JP", "US label"),
    ("gilteritinib-qtc-hold", "US", ""),
    ("gilteritinib-strong-inhibitor", "JP", "review"),
    ("gemtuzumab-bilirubin", "JP", "review"),
    ("venetoclax-ramp-inhibitor", "JP", "guideline"),
    ("quizartinib-return", "EU", "from memory"),
    ("clofarabine-surface-ceiling", "JP", "from memory"),
    ("revumenib-qtc-start", "EU", "US label by a digest"),
    ("azacitidine-liver-tumour-eu", "US", "EU label"),
])
def test_what_is_borrowed_is_named_by_its_source_and_as_a_label_only_where_it_is_one(
    statement: str, place: str, words: str
) -> None:
    here = Knowledge.load().at(date(2026, 11, 20), place)
    assert [borrowed_words(each) for each in here.statements.values() if each.id == statement] == [words]


def test_no_source_that_is_no_label_is_told_as_one_in_any_place() -> None:
    for place in JURISDICTIONS:
        for each in Knowledge.load().at(date(2026, 11, 20), place).statements.values():
            kinds = {said.reference.kind for said in each.sources}
            if borrowed_words(each).endswith("label") and each.verification is not Verification.POLICY:
                assert kinds & {"label", "regulator", "regulator-list", "compendium"}, (place, each.id)
