"""An LVEF that could not be had before an anthracycline matters as much as one that is not there."""

from __future__ import annotations

from tests.calls import RELAPSED, ask, order, request


def level(**chart: object) -> str:
    draft = order("idarubicin 10 mg", "", 20, status="draft", id="d1")
    body = request("order-sign", draft, conditions=[RELAPSED], **chart)
    if "bedside" not in chart:
        del body["prefetch"]["bedside"]
    cards = [card for card in ask(body).cards if "LVEF" in card.summary + card.detail.whole()]
    return max((card.indicator for card in cards), key=["info", "warning", "critical"].index)


def test_both_are_a_warning():
    assert level(bedside=[]) == "warning"
    assert level() == "warning"
