"""The gap card tells apart why a value does not count."""

from __future__ import annotations

from typing import Any

import pytest

from tests.calls import ELECTROLYTES, RELAPSED, ask, cards, flt3_itd, gilteritinib, observation, order, request


def gap(**potassium: Any) -> str:
    """What the gap card says of this potassium."""
    newest, magnesium = ELECTROLYTES
    labs = [newest | potassium, magnesium]
    shown = cards("order-sign", gilteritinib(status="draft"), conditions=[RELAPSED], labs=labs)
    return next(card["detail"] for card in shown if card["summary"].startswith("Not checked"))


@pytest.mark.parametrize(("more", "heading"), [
    ({"effectiveDateTime": None}, "**Without a date, so perhaps too old**\n\n- Potassium\n"),
    ({"effectiveDateTime": "2019-03-01"}, "**Too old**\n\n- Potassium: newest: 2019-03-01, "),
])
def test_what_has_no_date_is_not_called_too_old(more: dict[str, Any], heading: str) -> None:
    assert heading in gap(**more)


def test_conditions_that_did_not_come_are_named_once() -> None:
    body = request("order-sign", order("cytarabine", "3041", 5000, status="draft"))
    del body["prefetch"]["conditions"]
    told = next(card.detail.whole() for card in ask(body).cards if card.summary.startswith("What this check"))
    assert told.lower().count("conditions on record") == 1


def not_checked(draft: dict[str, Any], result: dict[str, Any]) -> str:
    drafted = draft | {"status": "draft"}
    shown = cards("order-sign", drafted, conditions=[RELAPSED], labs=ELECTROLYTES, genomics=[result])
    return next(card["detail"] for card in shown if card["summary"].startswith("Not checked"))


@pytest.mark.parametrize("present", [True, False])
def test_a_result_of_a_marker_that_is_not_sure_enough_is_told_with_what_it_says(present: bool) -> None:
    told = not_checked(gilteritinib(), flt3_itd("2026-11-18", present) | {"status": "preliminary"})
    assert f"FLT3-ITD: preliminary; {'present' if present else 'absent'}, taken 2026-11-18" in told


@pytest.mark.parametrize(("code", "of_what"), [
    ({"text": "CD33 expression"}, "not stated whether it is a share of the blasts or of all cells"),
    ({"coding": [{"system": "http://loinc.org", "code": "8102-6"}]}, "a share of all cells, not of the blasts"),
])
def test_a_share_of_cells_is_told_with_its_number_and_with_what_its_name_leaves_open(code: Any, of_what: str) -> None:
    told = not_checked(order("gemtuzumab ozogamicin"), observation("", 19, "%", "2026-11-18") | {"code": code})
    assert f"{of_what}; 19 %, taken 2026-11-18" in told
