"""A rule in words: a committee reads what it does and what each id says, without any code."""

from __future__ import annotations

import re
from html import unescape

import pytest

from cards.topic import topic_code
from cds_service.knowledge.load import Knowledge
from cds_service.pages.rule_told import in_words, told_of
from cds_service.rules.catalogue import RULES

KNOWLEDGE = Knowledge.load()
# A number with what it is measured in: such a value stands in the knowledge, where it has a source and a day.
_MEASURED = re.compile(
    r"\d\s*(?:%|×|ms\b|m?mol|m?g\b|mL|µ|U/|°|x?\s?ULN|days?\b|hours?\b|weeks?\b|months?\b|years?\b|/min)", re.IGNORECASE
)

every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


@every_rule
def test_no_rule_names_an_id_without_words(rule):
    told = told_of(rule, KNOWLEDGE)
    assert told.sources and [each.id for each in told.sources if not each.says] == []


@every_rule
def test_every_rule_has_words_beyond_its_title(rule):
    assert in_words(rule)


@every_rule
def test_the_words_hold_no_clinical_number_and_no_name_of_the_code(rule):
    for paragraph in in_words(rule):
        assert not _MEASURED.search(paragraph), paragraph
        assert "_" not in paragraph and "`" not in paragraph, paragraph


@every_rule
def test_the_sentences_are_short_enough_to_be_read_aloud(rule):
    sentences = re.split(r"(?<=[.])\s", " ".join(in_words(rule)))
    assert [each for each in sentences if len(each.split()) > 35] == []


@every_rule
def test_both_pages_tell_the_words_and_what_each_id_says(client, rule):
    told = told_of(rule, KNOWLEDGE)
    for path in (f"/knowledge/rules/{rule.id}", f"/why/rule/{topic_code(rule.id)}"):
        page = " ".join(client.get(path, headers={"Accept": "text/html"}).text.split())
        said = unescape(page)
        for words in (*told.more, *(each.says for each in told.sources)):
            assert " ".join(words.split()) in said, words


def test_an_erratum_is_told_by_what_holds():
    rule = next(each for each in RULES if "E61" in each.sources)
    said = next(each.says for each in told_of(rule, KNOWLEDGE).sources if each.id == "E61")
    assert said.startswith("erratum, ") and KNOWLEDGE.errata["E61"].supported in said
