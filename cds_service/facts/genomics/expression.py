"""CD33 on the blasts: which results report it, by code or by a name that says nothing else, and what they say."""

from __future__ import annotations

import re
from decimal import Decimal

from cds_service.facts.concepts import Wording, text, told_once, wording
from cds_service.facts.genomics import markers
from cds_service.facts.genomics.answers import answer
from cds_service.facts.genomics.said import Said
from cds_service.facts.genomics.wording import ABSENT, INDETERMINATE, PRESENT
from cds_service.facts.values.lab_names import observed
from cds_service.facts.values.numbers import Number, number
from cds_service.facts.values.results import Reading
from cds_service.gather.views import Observation
from cds_service.quantity import Quantity

OF_CELLS = "cd33_of_cells"  # a share of all cells, healthy ones among them
OF_ALL = "a share of all cells, not of the blasts"
OF_WHAT = "not stated whether it is a share of the blasts or of all cells"
_NAME = re.compile(r"(?<![A-Za-z0-9])CD-?33\+?(?![A-Za-z0-9])", re.IGNORECASE)
_BLASTS = re.compile(r"\b(?:myelo)?blasts?\b|\bleuka?emic cells?\b", re.IGNORECASE)
_UPPER = r"(?P<upper>[<≤]\s*=?\s*|(?:below|under|less than|fewer than|up to|at most|no more than|unter|max\.?)\s+)?"
_LOWER = r"(?:[>≥~]\s*=?\s*|(?:at least|more than|over|above|about|approx\.?|approximately|ca\.?)\s+)?"
_NUMBER = r"(?P<share>\d{1,3}(?:[.,]\d{1,2})?)(?:\s*%?\s*(?:-|–|to)\s*\d{1,3}(?:[.,]\d{1,2})?)?\s*(?:%|percent\b)"
_THE_BLASTS = (
    r"(?:on|in|of|by|der)\s+(?:the\s+)?"
    r"(?:(?:aml\s+|leuka?emic\s+)?(?:(?:myelo)?blasts?|blasten)|leuka?emic\s+cells)"
)
_POSITIVE = (
    r"(?:(?:strong|weak|dim|bright|moderate|partial)(?:ly)?\s+)?(?:positiv(?:e|ity)?|present|detected)"
    r"(?:\s*\((?:strong|weak|dim|bright|moderate|partial)\))?"
)
_SHARE_LAST = re.compile(  # "CD33 positive on the blasts (85 %)"
    rf"(?:CD-?33\s*[:+,]?\s*)?{_POSITIVE}(?:\s+{_THE_BLASTS})?[\s,;:(]+(?:(?:in|on)\s+)?"
    rf"{_UPPER}{_LOWER}{_NUMBER}(?:\s*{_THE_BLASTS})?[\s).]*",
    re.IGNORECASE,
)
_SHARE_FIRST = re.compile(  # "85 % of blasts positive"
    rf"{_UPPER}{_LOWER}{_NUMBER}(?:\s*{_THE_BLASTS})?\s*(?:(?:are|is)\s+)?(?:CD-?33\s+)?{_POSITIVE}[\s.]*",
    re.IGNORECASE,
)
_PERCENT = re.compile(r"\d\s*(?:%|percent\b)", re.IGNORECASE)
_CUT_OFF = re.compile(r"\b(?:cut-?\s?off|threshold)\b", re.IGNORECASE)  # what a positive is above, not how much it is
_ALL = 100
_LONGEST = 120  # characters of words that state a share and nothing else
_EXPRESSED = re.compile(
    r"(?:CD-?33\s+)?(?:is\s+)?(?P<not>not\s+)?expressed(?:\s+(?:on|by)\s+(?:the\s+)?(?:myelo)?blasts)?\.?",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+")
_BESIDE = frozenset({  # words beside the name that leave its meaning alone
    "expression", "on", "of", "in", "by", "the", "a", "flow", "cytometry", "immunophenotype", "immunophenotyping",
    "antigen", "surface", "marker", "status", "test", "result", "blast", "blasts", "myeloblast", "myeloblasts",
    "leukemic", "leukaemic", "cell", "cells", "bone", "marrow", "peripheral", "blood", "aspirate", "aml", "acute",
    "myeloid", "leukemia", "leukaemia", "percent", "percentage", "positive", "positivity",
})


@told_once
def named(said: Wording) -> bool:
    """Whether the words name CD33 and nothing that would make it another test."""
    name = said.text
    return _NAME.search(name) is not None and all(
        word.lower() in _BESIDE for word in _WORD.findall(_NAME.sub(" ", name))
    )


def names_cd33(words: str) -> bool:
    """Whether the words speak of CD33."""
    return "33" in words and _NAME.search(words) is not None


def expression(view: Observation, reading: Reading) -> Said:
    """A share of the blasts, or a coded or spoken answer."""
    read = number(view, "cd33", reading.terms)
    if view.valueQuantity is None and not (view.valueString and isinstance(read, Number)):
        outcome, words = answer(view, "", reading)
        return _in_words(outcome, words, _of_cells(view, reading) and _BLASTS.search(words) is None)
    if isinstance(read, str):
        return Said(markers.CD33, INDETERMINATE, read)
    if read.bound in ("<", "<="):
        return Said(markers.CD33, INDETERMINATE, f"only an upper bound ({read.as_received})")
    of_cells = _of_cells(view, reading)
    doubts = (OF_ALL if _codes(view, reading) else OF_WHAT,) if of_cells else ()
    outcome = PRESENT if read.quantity.value > 0 else ABSENT
    return Said(markers.CD33, outcome, read.as_received, doubts, None if of_cells else read.quantity)


def _in_words(outcome: str, words: str, of_cells: bool) -> Said:
    """A spoken answer; a positive one with the share of blasts that its words state, of a range the lower end.

    A percentage beside other words may be of something else, as a count of blasts, and is a doubt.
    """
    spoken = _EXPRESSED.fullmatch(words)
    if outcome == INDETERMINATE and spoken is not None:
        return Said(markers.CD33, ABSENT if spoken["not"] else PRESENT, words)
    if outcome != PRESENT or of_cells or _PERCENT.search(words) is None:
        return Said(markers.CD33, outcome, words)
    short = words if len(words) <= _LONGEST else ""
    stated = _SHARE_LAST.fullmatch(short) or _SHARE_FIRST.fullmatch(short)
    share = Decimal(stated["share"].replace(",", ".")) if stated is not None else None
    if stated is None or share is None or share > _ALL:
        doubts = () if _CUT_OFF.search(words) else (f"what the share in its words is of is not clear: {words}",)
        return Said(markers.CD33, outcome, words, doubts)
    if stated["upper"]:
        return Said(markers.CD33, INDETERMINATE, f"only an upper bound ({words})")
    return Said(markers.CD33, PRESENT if share > 0 else ABSENT, words, (), Quantity(share, "%"))


def _of_cells(view: Observation, reading: Reading) -> bool:
    """By its code; a name alone has to speak of blasts."""
    known = _codes(view, reading)
    return OF_CELLS in known if known else _BLASTS.search(text(view.code) or "") is None


def _codes(view: Observation, reading: Reading) -> set[str]:
    """What its code says it is a share of; empty for a name alone."""
    return {"cd33", OF_CELLS}.intersection(observed(wording(view.code, reading.terms)))
