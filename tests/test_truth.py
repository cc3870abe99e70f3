"""Truth: the strong three-valued tables, and that it is never taken for a bool."""

from __future__ import annotations

import pytest

from cds_service.truth import Truth, all_of, any_of

Y, N, U = Truth.YES, Truth.NO, Truth.UNKNOWN


@pytest.mark.parametrize(("one", "other", "both", "either"), [
    (Y, Y, Y, Y), (Y, N, N, Y), (Y, U, U, Y),
    (N, Y, N, Y), (N, N, N, N), (N, U, N, U),
    (U, Y, U, Y), (U, N, N, U), (U, U, U, U),
])
def test_and_and_or_follow_the_strong_tables(one: Truth, other: Truth, both: Truth, either: Truth) -> None:
    assert one & other is both
    assert one | other is either


@pytest.mark.parametrize(("one", "opposite"), [(Y, N), (N, Y), (U, U)])
def test_not_turns_yes_and_no_and_leaves_unknown(one: Truth, opposite: Truth) -> None:
    assert ~one is opposite


@pytest.mark.parametrize("one", list(Truth))
def test_a_truth_refuses_to_be_a_bool(one: Truth) -> None:
    for use in (bool, lambda truth: truth and Y, lambda truth: not truth, lambda truth: 1 if truth else 0):
        with pytest.raises(TypeError, match="not a bool"):
            use(one)


def test_the_truth_of_a_bool_and_of_nothing() -> None:
    assert (Truth.of(True), Truth.of(False), Truth.of(None)) == (Y, N, U)


def test_one_yes_is_enough_for_any_and_one_no_for_all() -> None:
    assert (any_of([U, N, Y]), any_of([N, U]), any_of([N]), any_of([])) == (Y, U, N, N)
    assert (all_of([U, Y, N]), all_of([Y, U]), all_of([Y]), all_of([])) == (N, U, Y, Y)
