"""How well a statement was verified, as it is spoken."""

from __future__ import annotations

import pytest

from cds_service.knowledge.load import Knowledge
from cds_service.knowledge.spoken import verified_words


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
