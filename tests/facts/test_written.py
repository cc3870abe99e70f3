"""Numbers in words: what is read, and what is too doubtful to be read."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.facts.values.written import Written, written


@pytest.mark.parametrize(("text", "bound", "low", "high", "unit"), [
    ("4.1 mmol/L", "", "4.1", None, "mmol/L"), ("4,1mmol/L", "", "4.1", None, "mmol/L"),
    ("<0,5 mg/dl", "<", "0.5", None, "mg/dl"),
    ("=> 500 ms", ">=", "500", None, "ms"), ("≤3", "<=", "3", None, ""), ("400-450", "", "400", "450", ""),
    ("400 – 450 ms", "", "400", "450", "ms"), ("25 10*9/L", "", "25", None, "10*9/L"),
    ("0,512 s", "", "0.512", None, "s"),
    ("12345 /uL", "", "12345", None, "/uL"), ("3.1 x 10^9/L", "", "3.1", None, "x 10^9/L"),
])
def test_a_number_in_words(text: str, bound: str, low: str, high: str | None, unit: str) -> None:
    assert written(text) == Written(bound, Decimal(low), Decimal(high) if high else None, unit)


@pytest.mark.parametrize("text", [
    "", "high", "-4", "about 4 mmol/L", "~4 mmol/L", "1 200 ms to 3", "4.1.2 ms", "1.000,5 ms", "<4-5 ms",
    "4\nmmol/L 5",
    "٤ mmol/L",
])
def test_other_text_is_no_number(text: str) -> None:
    found = written(text)
    assert isinstance(found, str) or found.unit not in ("ms", "mmol/L", ""), found


@pytest.mark.parametrize("text", ["1.234 ms", "25,000 /uL", "100-1.200 ms", "88.400 umol/L"])
def test_what_may_be_thousands_is_not_read(text: str) -> None:
    assert written(text) == "a number in text that may be read in two ways"


@given(st.text(max_size=40))
def test_no_text_is_ever_a_crash(text: str) -> None:
    found = written(text)
    assert isinstance(found, str) or found.low >= 0
