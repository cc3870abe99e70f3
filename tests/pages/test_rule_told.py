"""A rule in words: whoever has to judge it reads when it speaks and where it ends, without a figure of our own."""

from __future__ import annotations

import re

import pytest

from cds_service.pages.rule_told import in_words
from cds_service.rules.catalogue import RULES

TOLD = ("cds_service.rules.heart", "cds_service.rules.dose", "cds_service.rules.interactions")
TELLING = [each for each in RULES if each.function.__module__.startswith(TOLD)]


@pytest.mark.parametrize("rule", TELLING, ids=lambda rule: rule.id)
def test_a_rule_is_told_beyond_its_title(rule):
    title, *more = in_words(rule)
    assert title.rstrip(".") == rule.title
    assert more and not re.findall(r"(?<![\w-])\d+(?![\w-])", " ".join(more)), "a clinical number belongs to knowledge"
