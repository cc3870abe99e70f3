"""Facts: a doubtful value may warn and never clears; a missing one says why."""

from __future__ import annotations

import dataclasses
from datetime import UTC
from decimal import Decimal

import pytest
from msgspec.structs import replace

from cds_service.facts.fact import Fact, Key, State, above, at_or_above, at_or_below, below, holds, known, missing
from cds_service.facts.times import When
from cds_service.quantity import Quantity
from cds_service.truth import Truth
from tests.charts import NOW

KEY: Key[Quantity] = Key("potassium", "potassium")
LIMIT = Quantity.read("3.5 mmol/L")
WEEK = Quantity.read("7 d")


def fact(value: str, bound: str = "", *doubts: str) -> Fact[Quantity]:
    return known(KEY, Quantity(Decimal(value), "mmol/L"), When.on(NOW.date()), bound=bound, doubts=doubts)


@pytest.mark.parametrize(("value", "is_above", "is_below"), [
    ("3.4", Truth.NO, Truth.YES), ("3.5", Truth.NO, Truth.NO), ("3.6", Truth.YES, Truth.NO),
])
def test_the_limit_itself_is_neither_above_nor_below(value: str, is_above: Truth, is_below: Truth) -> None:
    assert (above(fact(value), LIMIT), below(fact(value), LIMIT)) == (is_above, is_below)


@pytest.mark.parametrize(("value", "is_above", "is_below"), [
    ("3.4", Truth.UNKNOWN, Truth.YES), ("3.5", Truth.UNKNOWN, Truth.UNKNOWN), ("3.6", Truth.YES, Truth.UNKNOWN),
])
def test_a_doubtful_value_says_yes_to_danger_and_never_no(value: str, is_above: Truth, is_below: Truth) -> None:
    doubtful = fact(value).doubted("preliminary")
    assert (above(doubtful, LIMIT), below(doubtful, LIMIT)) == (is_above, is_below)


@pytest.mark.parametrize(("bound", "value", "is_above", "is_below"), [
    (">", "3.5", Truth.YES, Truth.NO), (">", "3.4", Truth.UNKNOWN, Truth.UNKNOWN),
    (">=", "3.5", Truth.UNKNOWN, Truth.NO), (">=", "3.6", Truth.YES, Truth.NO),
    (">=", "3.4", Truth.UNKNOWN, Truth.UNKNOWN),
    ("<", "3.5", Truth.NO, Truth.YES), ("<", "3.6", Truth.UNKNOWN, Truth.UNKNOWN),
    ("<=", "3.5", Truth.NO, Truth.UNKNOWN), ("<=", "3.4", Truth.NO, Truth.YES),
    ("<=", "3.6", Truth.UNKNOWN, Truth.UNKNOWN),
])
def test_a_bound_says_what_it_proves_and_no_more(bound: str, value: str, is_above: Truth, is_below: Truth) -> None:
    assert (above(fact(value, bound), LIMIT), below(fact(value, bound), LIMIT)) == (is_above, is_below)


@pytest.mark.parametrize(("bound", "value", "reaches", "falls_to"), [
    ("<", "3.5", Truth.NO, Truth.YES), ("<=", "3.5", Truth.UNKNOWN, Truth.YES), ("<=", "3.4", Truth.NO, Truth.YES),
    (">", "3.5", Truth.YES, Truth.NO), (">=", "3.5", Truth.YES, Truth.UNKNOWN), (">=", "3.6", Truth.YES, Truth.NO),
])
def test_a_bound_at_the_limit_itself(bound: str, value: str, reaches: Truth, falls_to: Truth) -> None:
    assert (at_or_above(fact(value, bound), LIMIT), at_or_below(fact(value, bound), LIMIT)) == (reaches, falls_to)


def test_a_bound_of_what_has_to_be_exact_or_with_a_doubt_clears_nothing() -> None:
    exact = replace(fact("3.6", ">"), key=dataclasses.replace(KEY, exact=True))
    assert (above(exact, LIMIT), below(exact, LIMIT)) == (Truth.YES, Truth.UNKNOWN)
    assert below(fact("3.6", ">").doubted("preliminary"), LIMIT) is Truth.UNKNOWN


def test_without_a_value_nothing_holds_and_nothing_does_not() -> None:
    for state in State:
        assert holds(missing(KEY, state, "why"), lambda _: True) is Truth.UNKNOWN


def test_a_stale_value_still_warns_with_its_age() -> None:
    old = known(KEY, Quantity.read("3.0 mmol/L"), When.read("2026-11-12", UTC)).within(WEEK, NOW)
    assert (old.state, old.why) == (State.STALE, "newest: 2026-11-12, 8 days ago; counts for 7 days")
    assert below(old, LIMIT) is Truth.YES
    assert above(old, LIMIT) is Truth.UNKNOWN


def test_seven_days_are_not_more_than_seven_days() -> None:
    week_old = known(KEY, Quantity.read("3.0 mmol/L"), When.on(NOW.date().replace(day=13)))
    assert week_old.within(WEEK, NOW) is week_old


def test_a_value_without_date_is_never_fresh() -> None:
    undated = known(KEY, Quantity.read("4 mmol/L")).within(WEEK, NOW)
    assert (undated.state, undated.sure) == (State.STALE, False)


def test_a_doubt_is_kept_once() -> None:
    assert fact("3").doubted("a").doubted("a").doubts == ("a",)
