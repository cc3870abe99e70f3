"""Amounts per body surface in words: what one dose comes to, and not what a course or a life comes to."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

from cds_service.facts.drugs.amounts import MG, plainly

_NARROW = "\u00a0\u202f\u2009"  # spaces that part thousands and nothing else
_AMOUNT = re.compile(
    rf"((?<![\w.,-])\d{{1,3}}(?:[ {_NARROW}]\d{{3}}){{1,3}}|(?<![\d.,])\d[\d.,]*)"
    r"\s*(g|mg)\s*/\s*(?:m2|m\^2|m²|sq\.?\s*m)",
    re.IGNORECASE,
)
_OF_A_COURSE = r"(?:cycle|course|zyklus|kurs|block|cure|ciclo|curso|kuur|cyclus)"
_OF_A_LIFE_AHEAD = re.compile(r"\b(?:[ck]umul|accumul|acumul|lifetime|lebens)[^;/]{0,25}\Z", re.IGNORECASE)
_OF_A_LIFE_BEHIND = re.compile(  # not "24 mg/m2 (cumulative dose 150 mg/m2)": that is told of the amount behind it
    r"[\s,(]*[ck]umul\w*+(?![\s:=]*\d)(?![^,;.)]{0,60}\d\s?m?g\b)", re.IGNORECASE
)
_TOTAL_AHEAD = re.compile(
    r"(?:\b(?:total|gesamt|insgesamt|summe|complessiv|limit|grenz)(?:(?!dail|tag|journ|diari|giorn|dag)[^;/]){0,25}"
    rf"|\b(?:per|pro|par|por)\s{_OF_A_COURSE}\w*[\s:]*|=\s*)\Z",
    re.IGNORECASE,
)
_TOTAL_BEHIND = re.compile(
    r"[\s,(]*(?:(?:in\s|als\s|au\s|en\s)?(?:total(?!\s+dail)|gesamt|insgesamt|toto|altogether)"
    rf"|(?:/|per\b|pro\b|par\b|por\b|al\b)\s*{_OF_A_COURSE})",
    re.IGNORECASE,
)
_A_DAY = re.compile(
    r"\s*(?:/|per\b|pro\b|par\b|por\b|al\b|ao\b|a\b)?\s*(?:d|day|tag|24\s?h|jour|giorno|día|dia|dag)\b", re.IGNORECASE
)
_DIVIDED = re.compile(
    r"\b(?:divided|split|aufgeteilt|verteilt|geteilt|réparti|divis|dividid|fraccionad|suddivis|verdeeld|fracionad)",
    re.IGNORECASE,
)
_PARTS = re.compile(
    r"\b(?:in|into|auf|en|em|op|over)\s+(\d|two|three|four|zwei|drei|vier|deux|dos|due|twee)\b(?![.,]\d|\s*%)"
    r"(?![\s-]*(?:h|hrs?|hours?|std|stunden?|heures?|horas?|ore|ora|uur|uren|min\w*"
    r"|d|days?|tagen?|jours?|d[ií]as?|giorni|dagen)\b)",
    re.IGNORECASE,
)
_COUNTED = {"two": 2, "zwei": 2, "deux": 2, "dos": 2, "due": 2, "twee": 2, "three": 3, "drei": 3, "four": 4, "vier": 4}
_LOOKED_BACK = 45
_MOST = 20  # doses of one text that a sum is held against


class _Stated(NamedTuple):
    mg: Decimal
    start: int
    end: int


def per_area_in(text: str, times: Decimal | None = None, *, beside: bool = False) -> list[Decimal]:
    """Every dose per body surface that the words state, in mg; none that they call one of a course or a life.

    `times`: how often a day. What a day comes to is parted where the words say that it is divided, and in how many.
    A total counts where it is all that is known; with `beside` another amount is.
    """
    stated = [
        _Stated(amount * MG[match[2].lower()], match.start(), match.end())
        for match in _AMOUNT.finditer(text)
        if (amount := _number(match[1]))
    ]
    doses: list[_Stated] = []
    totals: list[_Stated] = []
    since = 0
    for each in stated:
        since = max(each.start - _LOOKED_BACK, since)
        behind = _OF_A_LIFE_BEHIND.match(text, each.end)
        if behind or _OF_A_LIFE_AHEAD.search(text, since, each.start):
            since = behind.end() if behind else each.end
            continue
        (totals if _is_total(text, each, since, doses) else doses).append(each)
        since = each.end
    if not doses and not beside:
        doses = totals
    parts = _parts(text, times) if doses else None
    return [each.mg / parts if parts and _A_DAY.match(text, each.end) else each.mg for each in doses]


def _number(written: str) -> Decimal | None:
    """The number; of one with a plain space ("1 500") it is open whether that parts thousands, but for "3 000"."""
    groups = written.split()
    if len(groups) == 1:
        return plainly(written)
    sure = " " not in written or groups[-1] == "000"
    return plainly("".join(groups)) if sure else None


def _is_total(text: str, each: _Stated, since: int, before: list[_Stated]) -> bool:
    if _TOTAL_AHEAD.search(text, since, each.start) or _TOTAL_BEHIND.match(text, each.end):
        return not _A_DAY.match(text, each.end)
    alone = text[since : each.start].rstrip().endswith("(") and text[each.end :].lstrip().startswith(")")
    times = (each.mg / other.mg for other in before[:_MOST])
    return alone and any(count > 1 and count == count.to_integral_value() for count in times)  # "x 3 (36 mg/m2)"


def _parts(text: str, times: Decimal | None) -> Decimal | None:
    """Into how many doses the words divide a day."""
    if not _DIVIDED.search(text):
        return None
    said = _PARTS.search(text)
    if said is not None:
        count = Decimal(_COUNTED.get(said[1].lower(), 0) or said[1])
        return count if count > 1 else None
    return times if times is not None and times > 1 else None
