"""Abbreviations: LAM and LMA, which are AML in four languages of Europe, and in all of them other things too.

In capitals, and beside a word that only the leukaemia has, such as a mutation, they name it; beside a relapse only
where no word of the lung, of an airway or of a vessel is there. Beside the name of what else they mean they do not.
Alone they name nothing, and that is said.

What else is short, as PRES and VOD, names its condition where it stands alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

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
_TDP = "TdP"
_WORD = re.compile(r"\w+")
_YEAR = re.compile(r"\b(?:\d{1,2}[./-]){0,2}(?:19|20)\d\d\b|\bgrade? ?(?:[1-5]|i{1,3}|iv)\b", re.IGNORECASE)
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


def abbreviated_conditions(words: str, terms: Terms) -> Iterator[Span]:
    """Where PRES, VOD, TdP or KMT names its condition: in capitals, and alone or beside words that leave it so.

    "VOD 20/25" is a visual acuity, and "près de" is French.
    """
    for start, end, key in terms.words["abbreviated condition"].spans(words)[:_MOST]:
        if words[start:end].isupper() or words[start:end] == _TDP:
            begin, until = _around(words, start, end, PART)
            if _leaves_it(f"{words[begin:start]} {words[end:until]}", terms):
                yield start, end, key


def _leaves_it(rest: str, terms: Terms) -> bool:
    beside = terms.words["beside an abbreviated condition"]
    others = _WORD.findall(_YEAR.sub(" ", terms.drug_names.without(terms.words["doubtful"].without(rest))))
    return all(beside.holds(word) for word in others)


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
