"""The gap card tells apart why a value does not count."""

from __future__ import annotations

from typing import Any

import pytest

from tests.calls import ELECTROLYTES, RELAPSED, ask, cards, gilteritinib, order, request


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
