"""Abbreviations: LAM and LMA, which are AML in four languages of Europe, and in all of them other things too.

In capitals, and beside a word that only the leukaemia has, such as a mutation, they name it; beside a relapse only
where no word of the lung, of an airway or of a vessel is there. Beside the name of what else they mean they do not.
Alone they name nothing, and that is said.
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
_OF_LEUKAEMIA = "leukaemia"
_OF_STATE = "state"  # of the leukaemia, and of other things too: "neumotórax recidivante"
_RIGHT_BEHIND = "right behind"  # it speaks of the leukaemia only there: "ascite secondaire à LAM"
_OF_ANOTHER, _OF_ANOTHER_NEARBY, _PERHAPS_OF_ANOTHER = "another", "another nearby", "perhaps another"
_GAP = re.compile(r"[\s,(-]*")


def abbreviated(words: str, terms: Terms) -> tuple[list[Span], bool]:
    """Where such an abbreviation names the leukaemia; and whether one stands there that may."""
    found = terms.words["abbreviated leukaemia"].spans(words)[:_MOST]
    spans = [span for span in found if words[span[0] : span[1]].isupper()]
    beside = terms.words["beside an abbreviation"].spans(words) if spans else ()
    kinds = {value for _, _, value in beside}
    if _OF_ANOTHER in kinds:
        return [], False
    named: list[Span] = []
    perhaps = False
    for start, end, meant in spans:
        clause = _around(words, start, end, CLAUSE)
        surely = meant != _ALONE or _stands(_OF_LEUKAEMIA, beside, clause)
        told = surely or _stands(_OF_STATE, beside, clause) or _stands_behind(words, end, beside)
        nearby = _stands(_OF_ANOTHER_NEARBY, beside, _around(words, start, end, PART))
        denied = is_denied(words, start, end, MAY_BE_AML)
        if (surely or (told and _PERHAPS_OF_ANOTHER not in kinds)) and not nearby and not denied:
            named.append((start, end, "aml" if meant == _ALONE else meant))
        perhaps = perhaps or told or not (nearby or denied or _PERHAPS_OF_ANOTHER in kinds)  # "no relapse of LAM"
    return named, perhaps and not named


def _stands_behind(words: str, end: int, beside: tuple[Span, ...]) -> bool:
    return any(value == _RIGHT_BEHIND and start >= end and _GAP.fullmatch(words, end, start)
               for start, _, value in beside)  # fmt: skip


def _stands(kind: str, beside: tuple[Span, ...], part: tuple[int, int]) -> bool:
    return any(value == kind and part[0] <= start < part[1] for start, _, value in beside)


def _around(words: str, start: int, end: int, ends: re.Pattern[str]) -> tuple[int, int]:
    """The part of the words in which that place lies."""
    begin = max((found.end() for found in ends.finditer(words, 0, start)), default=0)
    until = ends.search(words, end)
    return begin, until.start() if until else len(words)
