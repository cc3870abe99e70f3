"""Quantities: units never mix, and nothing is rounded away on the way to a card."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.quantity import Quantity, plain

read = Quantity.read


@pytest.mark.parametrize(("text", "value", "unit"), [
    ("500 ms", "500", "ms"), ("0.7 mmol/L", "0.7", "mmol/L"), ("25 10*9/L", "25", "10*9/L"), ("-3 d", "-3", "d"),
])
def test_a_quantity_is_a_number_and_a_unit(text: str, value: str, unit: str) -> None:
    assert read(text) == Quantity(Decimal(value), unit)


@pytest.mark.parametrize("text", ["500", "ms", "", "5,0 ms", "1e3 ms", "about 5 ms"])
def test_without_number_or_unit_it_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="expected a number and a unit"):
        read(text)


def test_the_limit_itself_is_neither_above_nor_below_it() -> None:
    limit = read("500 ms")
    assert not limit > limit
    assert not limit < limit
    assert limit >= limit
    assert limit <= limit
    assert read("500.1 ms") > limit > read("499.9 ms")


def test_different_units_are_never_compared_or_added() -> None:
    one, other = read("0.5 s"), read("500 ms")
    for use in (one.__gt__, one.__lt__, one.__ge__, one.__le__, one.__sub__, one.__add__):
        with pytest.raises(ValueError, match="cannot compare s with ms"):
            use(other)


def test_sums_differences_and_multiples_keep_the_unit() -> None:
    assert read("512 ms") - read("450 ms") == read("62 ms")
    assert read("1 mg/d") + read("2 mg/d") == read("3 mg/d")
    assert read("200 mg/d").times(Decimal("0.5")) == read("100 mg/d")


@pytest.mark.parametrize(("quantity", "spoken"), [
    ("70 mg/d", "70 mg daily"), ("25 10*9/L", "25 ×10⁹/L"), ("3 [ULN]", "3 × ULN"), ("12 d", "12 days"), ("2 1", "2"),
])
def test_units_are_spoken_as_in_the_clinic(quantity: str, spoken: str) -> None:
    assert str(read(quantity)) == spoken


@given(st.decimals(-10_000, 10_000, places=3))
def test_a_spoken_number_has_no_exponent_and_keeps_its_value(value: Decimal) -> None:
    assert "E" not in plain(value)
    assert Decimal(plain(value)) == value
