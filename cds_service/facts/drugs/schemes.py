"""Schemes: "1-0-1", the pieces for morning, noon, evening and perhaps the night, as German orders are written.

Days, dates, ranges and amounts in mg are written so too: a scheme is read only where nothing else can be meant.
"""

from __future__ import annotations

import re
from decimal import Decimal

from cds_service.facts.drugs.amounts import plainly
from cds_service.facts.drugs.pieces_in_words import counts_in_words, varies
from cds_service.facts.drugs.times_in_words import leaves_open, not_each_day, times_in, without_times
from cds_service.knowledge.terms import Terms
from cds_service.quantity import Quantity

_PART = r"(?:\d[.,]5|1/2|\d?½|\d)"
_SCHEME = re.compile(rf"(?<![\w/.,:–-])(?<![–-]\s){_PART}(?:\s?[-–]\s?{_PART}){{2,3}}(?!\s?[-–]|\w|[/:]|[.,]\d)")
_OF_DAYS = re.compile(
    r"\b(?:days?|d|tage?n?|jours?|j|d[ií]as?|giorn[oi]|dag(?:en)?|weeks?|wochen?|cycles?|zyklus|zyklen|c|ecog|eortc|who|tel|nr)\.?\s*\Z",
    re.IGNORECASE,
)
_OF_SOMETHING = re.compile(
    r"\s*(?:m?g\b|µg|mcg|ml\b|%|tage?\b|days?\b|wochen?\b|weeks?\b|monate?\b|uhr\b|h\b|std|stunden?\b"
    r"|tropfen|trpf|tr\b|gtt|hub|hübe|amp|beutel|sachets?|x\s*\d)", re.IGNORECASE
)
_PIECES = r"(?:tab|tbl|kaps|kps|cap|stk|stück|compr|gél|cpr|cps)"
_OF_ONE = re.compile(rf"\b{_PIECES}\w*\.?\s*(?:à|a|zu|of)?\s*\(?\s*\d[\d.,]*\s*mg|\d\s*(?:à|zu)\s*\d", re.IGNORECASE)
_IN_PIECES = re.compile(rf"\b{_PIECES}", re.IGNORECASE)
_MG = re.compile(r"(?<![\d.,])(\d[\d.,]*)\s*mg\b(?!\s*/)", re.IGNORECASE)
_COUNTED = re.compile(rf"(?<![\w.,/–-])(?<![–-]\s)\d+(?:[.,]\d+)?\s*(?:x|×|{_PIECES})", re.IGNORECASE)
# An amount of a whole day, one that is doubled or halved, or what was ordered before.
_OTHERWISE = re.compile(
    r"mg\s*(?:/|pro\b|per\b|par\b|al\b|por\b)|tagesdosis|gesamt|\btotal|zusammen\s*\d|doppelt|halb|bisher|zuletzt|früher"
    r"|vorher|ehemals|ex\b|heute|abgesetzt",
    re.IGNORECASE,
)
_BESIDE = re.compile(rf"[\s,;(]*(?:{_PIECES}\w*\.?\s*)?", re.IGNORECASE)
_MORE = re.compile(  # an amount, or which days are meant: "daily dose 120 mg", "ogni giorno dispari"
    r"[\s.:,;(]*(?:[\d½/=]|insgesamt|gesamt|total|tdd\b|zusammen|zus\b|together|x\b|dos[eai]s?\b|pairs?\b|impairs?\b"
    r"|par(?:es|i)\b|par(?=\s*(?:[,.;)]|\Z))|ímpar|impar|dispar|even\b|odd\b|oneven"
    r"|altern|sauf|salvo|tranne|exce|behalve|außer|ausser|menos|nur\b|only\b"
    r"|im wechsel|shift)",
    re.IGNORECASE,
)
_ONE, _HALF = Decimal(1), Decimal("0.5")
Parts = tuple[Decimal, ...]


def scheme_in(text: str) -> Parts | None:
    """The pieces for each part of the day, where the text holds one scheme that can be nothing else."""
    found = list(_SCHEME.finditer(text)) if "-" in text or "–" in text else []
    if len(found) != 1 or _OF_DAYS.search(text, 0, found[0].start()) or _OF_SOMETHING.match(text, found[0].end()):
        return None
    written = re.findall(_PART, found[0][0])
    parts = tuple(map(_pieces, written))
    taken = {part for part in parts if part}
    halves = {each for each in written if each != "0"} == {"1/2"} or "1/2" not in written  # "1-0-1/2" is a choice
    steps = len(taken) > 2 or (0 not in parts and parts[0] != parts[2])  # "3-2-1" goes down from day to day
    plain = 0 in parts or len(taken) == 1 or _IN_PIECES.search(text) is not None
    return parts if taken and halves and plain and not steps else None


def times_of(text: str, terms: Terms) -> Decimal | None:
    """At how many parts of the day a scheme gives something, where it is every day."""
    parts = scheme_in(text)
    return None if parts is None or _is_doubtful(text, parts, terms) else Decimal(sum(part > 0 for part in parts))


def doses_of(text: str, terms: Terms) -> Decimal | None:
    """How often a dose that is stated elsewhere is taken by the scheme: where it counts none, or one each time."""
    parts = scheme_in(text)
    return times_of(text, terms) if parts is not None and set(parts) <= {0, 1} else None


def daily_by_scheme(text: str, strength: Decimal | None, terms: Terms) -> Quantity | None:
    """What a scheme comes to in a day. `strength`: the mg of one piece, where the product states it."""
    parts = scheme_in(text)
    if parts is None or _is_doubtful(text, parts, terms):
        return None
    amounts = {plainly(match[1]) for match in _MG.finditer(text)}
    if not amounts:
        return Quantity(sum(parts) * strength, "mg/d") if strength is not None else None
    amount = amounts.pop()
    if amounts or amount is None:
        return None
    taken = [part for part in parts if part]
    if strength is not None and amount != strength and len(taken) > 1 and amount == sum(parts) * strength:
        return None  # "1-0-1 (200 mg)" of 100 mg each: that of the day, or of each time
    of_a_piece = amount == strength or (strength is None and _OF_ONE.search(text) is not None)
    if of_a_piece or set(taken) == {_ONE}:
        return Quantity(sum(parts) * amount, "mg/d")
    if strength is not None and len(set(taken)) == 1 and taken[0] * strength == amount:  # "4-0-0 (400 mg)"
        return Quantity(len(taken) * amount, "mg/d")
    return None


def _is_doubtful(text: str, parts: Parts, terms: Terms) -> bool:
    """Whether the text counts something else too, or says otherwise how often."""
    rest = _SCHEME.sub(" ", text)
    if leaves_open(text) or not_each_day(text) or varies(rest) or _COUNTED.search(rest) or _OTHERWISE.search(rest):
        return True
    if counts_in_words(without_times(rest)):
        return True
    often = times_in(_SCHEME.sub(" ", _without_each_day(text, terms)), terms)
    return often not in (None, sum(part > 0 for part in parts))


def _without_each_day(text: str, terms: Terms) -> str:
    """The text without a word right beside the scheme that says each day, and of no amount: "1-0-1 täglich"."""
    scheme = _SCHEME.search(text)
    if scheme is None:
        return text
    for start, end, _ in terms.words["each day"].spans(text):
        before = not text[:start].strip() and not text[end : scheme.start()].strip(" .:,")
        behind = start >= scheme.end() and _BESIDE.fullmatch(text, scheme.end(), start) and not _MORE.match(text, end)
        if before or behind:
            return f"{text[:start]} {text[end:]}"
    return text


def _pieces(written: str) -> Decimal:
    if written == "1/2":
        return _HALF
    if written.endswith("½"):
        return Decimal(written[:-1] or 0) + _HALF
    return Decimal(written.replace(",", "."))
