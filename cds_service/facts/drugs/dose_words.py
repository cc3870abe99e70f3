"""Dose words: the daily dose that the text of an instruction states, alone or beside what is coded.

Alone, only a text with one reading counts. Beside a code, a text that states what several pieces come to is held
against it: there it serves to doubt the code.
"""

from __future__ import annotations

import re
from decimal import Decimal

from cds_service.facts.drugs.amounts import plainly
from cds_service.facts.drugs.pieces_in_words import (
    ABROAD,
    IN_MG,
    PIECE,
    SPAN,
    STEPS,
    WORDS,
    count_of,
    has_lone_number,
    is_of_many_days,
    leaves_a_choice,
    pieces_in,
    says_pieces,
    varies,
    without_packs,
)
from cds_service.facts.drugs.times_in_words import most_times_in, times_in, without_times
from cds_service.knowledge.terms import Terms
from cds_service.quantity import Quantity

_MANY = rf"(?:[2-9]|\d\d+|\d+[.,]\d+|{WORDS}|half|{ABROAD}|due|sept|sei)"
# Pieces that are counted, before their strength or behind it: "4 tab", "four 100 mg", "100 mg x4", "100 mg tablets: 4".
_COUNTED = re.compile(
    rf"\b{_MANY}\s*(?:x|×|\*|{PIECE})|\b{_MANY}(?:\s+(?:of\s+)?|\s*\(\s*)\d[\d.,]*\s*mg\b"
    rf"|mg\W{{0,3}}[x×*]\s*{_MANY}\b(?!\s*{SPAN})"
    rf"|mg\W{{0,2}}{PIECE}\w{{0,20}}\W+(?:take\s+|give\s+)?{_MANY}\b(?!\s*(?:mg|times?|x|×|{SPAN}))"
    rf"|\b(?:take|give)\s+{_MANY}\b(?!\s*(?:mg|times?|x|×|{SPAN}))|[½¼¾]"
    rf"|mg\W{{1,3}}{_MANY}\s+(?:daily|tgl|tägl|auf einmal|at once|à la fois|de una vez|alla volta|tegelijk"
    rf"|de uma vez|quotid|dagelijks|diari)|\bmal\s+{_MANY}\b|[x×]\s*(?:II+|IV|V)\b|\b{_MANY}\s+st\.",
    re.IGNORECASE,
)
_BEFORE = re.compile(r"(\d[\d.,]*)\s*(?:mg\s*)?(?:[-–—/,→>]+|to|then|bis|dann)\s*\Z", re.IGNORECASE)
_MOST_AMOUNTS = 20  # in one instruction: with more it is a letter
_SERIES = 60  # letters before an amount in which the others of its series stand
_A_DAY = re.compile(
    r"\s*(?:/\s*|per\s+|an?\s+|pro\s+|par\s+|al\s+|por\s+|ao\s+)"
    r"(?:d\b|day\b|24\s*h|tag\b|jour\b|j\b|d[ií]a\b|giorno\b|dì\b|dag\b)",
    re.IGNORECASE,
)
_DIVIDED = re.compile(
    r"\b(?:divided|split|aufgeteilt|verteilt|verdeeld|dividid[oa]s?|repartid[oa]s?|suddivis[oa]|divis[oa]|réparti[es]*)\b",
    re.IGNORECASE,
)
_OF_THE_DAY = re.compile(  # what so names an amount speaks of the whole day
    r"\b(?:tagesdosis|gesamtdosis|td|daily dose|total daily|dose (?:totale|journalière|quotidienne"
    r"|giornaliera|diária|total)"
    r"|dosis (?:diaria|total)|dagdosis|dagdosering)\b",
    re.IGNORECASE,
)
_MG_EACH = r"(?<![\d.,])(\d[\d.,]*)\s*mg\b(?!\s*/)"
_TOTAL = re.compile(
    rf"{_MG_EACH}\s*(?:in\s+)?total\b|\btotal(?:\s+(?:dose|of))*+\s*+(?:[:=]\s*+)?{_MG_EACH}", re.IGNORECASE
)
# Pieces of which the text itself says what they come to each time: "4 tablets (400 mg total)".
_COME_TO = re.compile(
    rf"(?<![\w.,/-])(?:\d+(?:[.,]\d+)?|one|half"
    rf"|{WORDS})\s*(?:\(\w+\)\s*)?{PIECE}\w*\s*\(\s*{_MG_EACH}\s+total\s*\)",
    re.IGNORECASE,
)
# And the amount of which the text says how many pieces it is: "400 mg = 4 tab(s)".
_IS = re.compile(rf"{_MG_EACH}\s*=\s*(?:\d+(?:[.,]\d+)?)\s*{PIECE}\w*(?:\(\w\))?", re.IGNORECASE)
_IN_PIECES = re.compile(rf"{_MG_EACH}\s*\(\s*(\d+|{WORDS})\s*{PIECE}\w*\s*\)", re.IGNORECASE)
_BESIDE = re.compile(rf"(?<![\w.,/-])(\d+|{WORDS})\s*{PIECE}\w*\s*\(\s*{_MG_EACH}\s*\)", re.IGNORECASE)
# Pieces with what each of them holds: "4 tablets of 100 mg", "4 tablets (100 mg each)", "four 100 mg tablets".
_OF_EACH = re.compile(
    rf"(?<![\w.,/-])(?P<of>\d+|{WORDS})\s*{PIECE}\w*\s+(?:of|à|de|da|zu|von|van|at)\s+(?P<of_mg>{_MG_EACH})(?:\s+each)?"
    rf"|(?<![\w.,/-])(?P<by>\d+|{WORDS})\s*{PIECE}\w*\s*\(\s*(?P<by_mg>{_MG_EACH})\s+each\s*\)"
    rf"|(?P<bare>(?:(?<=\btake\s)|(?<=\bgive\s)|(?<![^\n]))\d+|\b(?:{WORDS}))\s+(?P<bare_mg>{_MG_EACH})\s*{PIECE}\w*",
    re.IGNORECASE,
)
_OF = re.compile(
    rf"(?<![\w.,-])(\d+|{WORDS})(?:\s*(?:x|×|\*)\s*|\s*{PIECE}\w*\s+(?:of|à|at)\s+|\s+\(?|\s*\(){_MG_EACH}",
    re.IGNORECASE,
)
_IN_STEPS = re.compile(rf"\b(?:{STEPS})", re.IGNORECASE)
_HOW_MUCH = re.compile(
    rf"\d|\b(?:one|once|twice|half|double|{WORDS}|{PIECE}\w*|doses?|daily)\b", re.IGNORECASE
)


def daily_in(text: str, terms: Terms, strength: Decimal | None = None) -> Quantity | None:
    """A dose written as "400 mg once daily": one amount and one frequency, no count of tablets, nothing else.

    Tablets beside what they come to ("4 tablets (400 mg total)", "400 mg = 4 tab(s)") are that amount, and so are those
    that come to the amount beside them by the `strength` of one: "4 tablets (400 mg)", "400 mg (4 tablets)" of 100 mg
    each. Tablets of which the text says that each holds that strength are what they come to: "4 tablets of 100 mg".
    "400 mg/day" is what a day comes to. Of a series that goes up ("100/200/400 mg") the last amount is the highest; one
    that goes down has more than one reading.
    """
    text = _IS.sub(r"\1 mg", _COME_TO.sub(r"\1 mg", text))
    if strength is not None:
        text = _BESIDE.sub(lambda found: _come_to(found[0], found[1], found[2], strength), text)
        text = _IN_PIECES.sub(lambda found: _come_to(found[0], found[2], found[1], strength), text)
        if not varies(text):
            text = _OF_EACH.sub(lambda found: _all_of(found, strength), text)
    matches = list(IN_MG.finditer(text))
    found = {plainly(match[1]) for match in matches}
    if len(matches) > _MOST_AMOUNTS or len(found) != 1 or any(match[2] for match in matches) or _counts_pieces(text):
        return None
    amount, times = found.pop(), times_in(text, terms)
    before = (text[max(0, match.start() - _SERIES) : match.start()] for match in matches)
    if amount is None or any(_goes_down(each, amount) for each in before) or has_lone_number(text):
        return None
    if len(matches) > 1 and _IN_STEPS.search(text):
        return None
    a_day = all(_A_DAY.match(text, match.end()) for match in matches)
    if a_day and (times in (None, 1) or _DIVIDED.search(text)):
        return Quantity(amount, "mg/d")
    if times != 1 and (a_day or _DIVIDED.search(text) or _OF_THE_DAY.search(text)):
        return None
    return Quantity(amount * times, "mg/d") if times is not None else None


def _counts_pieces(text: str) -> bool:
    return _COUNTED.search(without_times(text)) is not None


def _come_to(written: str, pieces: str, in_all: str, strength: Decimal) -> str:
    """The amount alone where so many pieces of that strength come to it; else what was written."""
    count, amount = count_of(pieces), plainly(in_all)
    return f"{amount} mg" if count is not None and count > 1 and count * strength == amount else written


def _all_of(found: re.Match[str], strength: Decimal) -> str:
    """What the pieces come to where each holds that strength; else what was written."""
    count = count_of(found["of"] or found["by"] or found["bare"])
    each = plainly((found["of_mg"] or found["by_mg"] or found["bare_mg"])[:-2].rstrip())
    return f"{count * each} mg" if count is not None and each == strength else found[0]


def _goes_down(before: str, amount: Decimal) -> bool:
    """Whether an amount is the last of a series in which a higher one, or one that cannot be read, comes before it."""
    while (match := _BEFORE.search(before)) is not None:
        earlier = plainly(match[1])
        if earlier is None or earlier > amount:
            return True
        before = before[: match.start()]
    return False


def counts(text: str) -> bool:
    """Whether the words may tell how much is taken: a figure, a number in words, or pieces."""
    return _HOW_MUCH.search(text) is not None


def daily_beside(
    single: Decimal, times: Decimal, text: str, terms: Terms, *, pieces: Decimal | None = None,
    strength: Decimal | None = None,
) -> Quantity | None:
    """What the words say beside a coded dose of so many mg so often a day; None where they state no daily dose.

    They may leave a part of it to the code: how often, or how much. "Daily" beside a coded frequency may only say that
    it goes on, so a frequency alone counts where it is higher. `pieces`: how many the code counts, where it does;
    `strength`: the mg of one, where it counts mg.
    """
    whole = daily_in(text, terms)
    if whole is not None:
        return whole
    in_words = None if leaves_a_choice(text) else most_times_in(text, terms)
    often = times if in_words is None else in_words
    text = without_packs(text, terms)
    amount = None if is_of_many_days(text) else _total_in(text)
    if amount is not None:
        return Quantity(amount * often, "mg/d")
    counted = pieces_in(text)
    if pieces is not None and counted is not None and counted != pieces:
        return Quantity(single / pieces * counted * often, "mg/d")
    told = [single * often] if often > times and not IN_MG.search(text) else []
    if pieces is None and strength is not None and counted is not None and says_pieces(text, terms):
        told.append(strength * counted * often)
    return Quantity(max(told), "mg/d") if told else None


def _total_in(text: str) -> Decimal | None:
    """The mg that a text says several pieces come to: "(400 mg total)", "4 x 100 mg", "4 tablets of 100 mg"."""
    totals = {plainly(match[1] or match[2]) for match in _TOTAL.finditer(text)}
    if not totals:
        pieces = ((count_of(found[1]), plainly(found[2])) for found in _OF.finditer(text))
        totals = {count * each if count is not None and each is not None else None for count, each in pieces}
    return totals.pop() if len(totals) == 1 else None
