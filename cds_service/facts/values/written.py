"""Numbers as people write them: "4.1 mmol/L", "<0,5 mg/dl", "> 500 ms", "400-450 ms".

Nothing else may stand in the text than a comparator, a number or a range, and a unit. A point or comma before exactly
three digits may part thousands from hundreds: such a number is not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from cds_service.knowledge.words import narrow

_NUMBER = r"[0-9]{1,9}(?:[.,][0-9]{1,9})?"
_WRITTEN = re.compile(
    rf"\s*(?P<bound><=|>=|=<|=>|[<>≤≥])?\s*(?P<low>{_NUMBER})(?:\s*[-–—]\s*(?P<high>{_NUMBER}))?"
    r"(?:\s+(?P<apart>\S[^\n]{0,30}?)|(?P<joined>[^0-9\s.,][^\n]{0,30}?))?\s*"
)
_LONGEST = 200  # characters; no number is longer, and blanks alone would keep the pattern busy
_BOUNDS = {"≤": "<=", "≥": ">=", "=<": "<=", "=>": ">="}
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}\Z")


@dataclass(frozen=True, slots=True)
class Written:
    """A number in words: perhaps only a bound, perhaps a range up to `high`, its unit as it stands there."""

    bound: str
    low: Decimal
    high: Decimal | None
    unit: str


def written(text: str) -> Written | str:
    """The number that the text is; why it is none, in words that repeat nothing of the text."""
    match = _WRITTEN.fullmatch(narrow(text)) if len(text) <= _LONGEST else None
    if match is None:
        return "text instead of a number"
    numbers = [number for number in (match["low"], match["high"]) if number is not None]
    if any(_THOUSANDS.match(number) for number in numbers):
        return "a number in text that may be read in two ways"
    low, *high = (Decimal(number.replace(",", ".")) for number in numbers)
    bound = match["bound"] or ""
    if bound and high:
        return "text instead of a number"
    return Written(_BOUNDS.get(bound, bound), low, high[0] if high else None, match["apart"] or match["joined"] or "")
