"""Abbreviations: LAM and LMA, which are AML in four languages of Europe, and in all of them other things too.

In capitals, and beside a word that only the leukaemia has, such as a mutation or a relapse, they name it. Beside a word
of the lung, of tuberous sclerosis or of an airway they do not. Alone they name nothing, and that is said.
"""

from __future__ import annotations

import re

from cds_service.facts.clauses import CLAUSE, PART
from cds_service.facts.denials import is_denied
from cds_service.knowledge.terms import Terms
from cds_service.knowledge.words import Span

MAY_BE_AML = "may_be_aml"  # the key of an entry that may name the leukaemia, and may name another thing
_MOST = 100  # in one text: nobody writes it more often
_ALONE = "alone"
_OF_LEUKAEMIA, _OF_ANOTHER, _OF_ANOTHER_NEARBY = "leukaemia", "another", "another nearby"


def abbreviated(words: str, terms: Terms) -> tuple[list[Span], bool]:
    """Where such an abbreviation names the leukaemia; and whether one stands there that may."""
    found = terms.words["abbreviated leukaemia"].spans(words)[:_MOST]
    spans = [span for span in found if words[span[0] : span[1]].isupper()]
    beside = terms.words["beside an abbreviation"].spans(words) if spans else ()
    if any(value == _OF_ANOTHER for _, _, value in beside):
        return [], False
    named: list[Span] = []
    perhaps = False
    for start, end, meant in spans:
        told = meant != _ALONE or _stands(_OF_LEUKAEMIA, beside, _around(words, start, end, CLAUSE))
        nearby = _stands(_OF_ANOTHER_NEARBY, beside, _around(words, start, end, PART))
        denied = is_denied(words, start, end, MAY_BE_AML)
        if told and not nearby and not denied:
            named.append((start, end, "aml" if meant == _ALONE else meant))
        perhaps = perhaps or told or not (nearby or denied)  # "no relapse of LAM" denies the relapse
    return named, perhaps and not named


def _stands(kind: str, beside: tuple[Span, ...], part: tuple[int, int]) -> bool:
    return any(value == kind and part[0] <= start < part[1] for start, _, value in beside)


def _around(words: str, start: int, end: int, ends: re.Pattern[str]) -> tuple[int, int]:
    """The part of the words in which that place lies."""
    begin = max((found.end() for found in ends.finditer(words, 0, start)), default=0)
    until = ends.search(words, end)
    return begin, until.start() if until else len(words)
