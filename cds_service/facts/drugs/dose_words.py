"""Dose words: the daily dose that the text of an instruction states, alone or beside what is coded.

Alone, only a text with one reading counts. Beside a code, a text that states what several pieces come to is held
against it: there it serves to doubt the code.
"""

from __future__ import annotations

import re
from decimal import Decimal

from cds_service.facts.drugs.amounts import plainly
from cds_service.facts.drugs.timing import times_in
from cds_service.knowledge.terms import Terms
from cds_service.quantity import Quantity

_IN_TEXT = re.compile(r"(?<![\d.,])(\d[\d.,]*)\s*mg\b(\s*(?:/|per\b)\s*(?!d\b|day)\w)?", re.IGNORECASE)
_COUNTED = re.compile(r"\b(?:[2-9]|\d\d+|two|three|four|five|six)\s*(?:x|×|\*|tab|cap|pill)", re.IGNORECASE)
_MG_EACH = r"(?<![\d.,])(\d[\d.,]*)\s*mg\b(?!\s*/)"
_TOTAL = re.compile(rf"{_MG_EACH}\s*(?:in\s+)?total\b|\btotal(?:\s+(?:dose|of))*\s*[:=]?\s*{_MG_EACH}", re.IGNORECASE)
_OF = re.compile(
    rf"(?<![\d.,])(\d+|two|three|four|five|six)\s*(?:(?:x|×|\*)\s*|(?:tab|cap|pill)\w*\s+(?:of|à|at)\s+){_MG_EACH}",
    re.IGNORECASE,
)
# What a text counts that is taken in more than a day, or not at all; and where it leaves a choice.
_NOT_OF_A_DAY = re.compile(
    r"\b(?:dispense\w*|supply|qty|quantity|refills?|cycles?|courses?|weeks?|months?)\b", re.IGNORECASE
)
_CHOICE = re.compile(r"\b(?:or|oder)\b", re.IGNORECASE)
_PIECES = {name: Decimal(count) for count, name in enumerate(("two", "three", "four", "five", "six"), 2)}


def daily_in(text: str, terms: Terms) -> Quantity | None:
    """A dose written as "400 mg once daily": one amount and one frequency, no count of tablets, nothing else."""
    matches = list(_IN_TEXT.finditer(text))
    found = {plainly(match[1]) for match in matches}
    if len(found) != 1 or any(match[2] for match in matches) or _COUNTED.search(text):
        return None
    amount, times = found.pop(), times_in(text, terms)
    return Quantity(amount * times, "mg/d") if amount is not None and times is not None else None


def daily_beside(single: Decimal, times: Decimal, text: str, terms: Terms) -> Quantity | None:
    """What the words say beside a coded dose of so many mg so often a day; None where they state no daily dose.

    They may leave a part of it to the code: how often, or how much. "Daily" beside a coded frequency may only say that
    it goes on, so a frequency alone counts where it is higher.
    """
    whole = daily_in(text, terms)
    if whole is not None:
        return whole
    in_words = None if _CHOICE.search(text) else times_in(text, terms)
    amount = None if _NOT_OF_A_DAY.search(text) else _total_in(text)
    if amount is not None:
        return Quantity(amount * (times if in_words is None else in_words), "mg/d")
    if _IN_TEXT.search(text) or in_words is None or in_words <= times:
        return None
    return Quantity(single * in_words, "mg/d")


def _total_in(text: str) -> Decimal | None:
    """The mg that a text says several pieces come to: "(400 mg total)", "4 x 100 mg", "4 tablets of 100 mg"."""
    totals = {plainly(match[1] or match[2]) for match in _TOTAL.finditer(text)}
    if not totals:
        counted = ((found[1].lower(), plainly(found[2])) for found in _OF.finditer(text))
        pieces = ((_PIECES.get(count) or plainly(count), each) for count, each in counted)
        totals = {count * each if count is not None and each is not None else None for count, each in pieces}
    return totals.pop() if len(totals) == 1 else None
