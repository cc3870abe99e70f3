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
_NAME = re.compile(r"(?<![A-Za-z0-9])CD-?33\+?(?![A-Za-z0-9])", re.IGNORECASE)
_BLASTS = re.compile(r"\b(?:myelo)?blasts?\b|\bleuka?emic cells?\b", re.IGNORECASE)
_SHARE = re.compile(
    r"(?P<upper>[<≤]\s*=?\s*|\b(?:below|under|less than|up to)\s+)?(?<![\d.,])(?P<share>\d{1,3}(?:[.,]\d+)?)"
    r"(?:\s*%?\s*(?:-|–|to)\s*\d{1,3}(?:[.,]\d+)?)?\s*(?:%|percent\b)",
    re.IGNORECASE,
)
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
    doubts = ("a share of all cells, not of the blasts",) if of_cells else ()
    outcome = PRESENT if read.quantity.value > 0 else ABSENT
    return Said(markers.CD33, outcome, read.as_received, doubts, None if of_cells else read.quantity)


def _in_words(outcome: str, words: str, of_cells: bool) -> Said:
    """A spoken answer; a positive one with the share that its words state, of a range the lower end."""
    spoken = _EXPRESSED.fullmatch(words)
    if outcome == INDETERMINATE and spoken is not None:
        return Said(markers.CD33, ABSENT if spoken["not"] else PRESENT, words)
    shares = tuple(_SHARE.finditer(words)) if outcome == PRESENT else ()
    if not shares or of_cells:
        return Said(markers.CD33, outcome, words)
    if len(shares) > 1:
        return Said(markers.CD33, outcome, words, (f"several shares: {words}",))
    if shares[0]["upper"]:
        return Said(markers.CD33, INDETERMINATE, f"only an upper bound ({words})")
    share = Quantity(Decimal(shares[0]["share"].replace(",", ".")), "%")
    return Said(markers.CD33, PRESENT if share.value > 0 else ABSENT, words, (), share)


def _of_cells(view: Observation, reading: Reading) -> bool:
    """By its code; a name alone has to speak of blasts."""
    known = {"cd33", OF_CELLS}.intersection(observed(wording(view.code, reading.terms)))
    return OF_CELLS in known if known else _BLASTS.search(text(view.code) or "") is None
