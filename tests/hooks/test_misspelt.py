"""Prefetch keys that are nearly ours: told to whoever reads the log, and no card."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from tests.calls import ELECTROLYTES, ask, gilteritinib, request


def sent_as(ours: str, theirs: str) -> dict[str, Any]:
    """A request in which that key has another name."""
    body = request("order-sign", gilteritinib(status="draft"), labs=ELECTROLYTES)
    body["prefetch"][theirs] = body["prefetch"].pop(ours)
    return body


@pytest.mark.parametrize(("ours", "theirs"), [
    ("medications", "medication"), ("labs", "labs1"), ("labs", "Labs"), ("labs", "lab"), ("conditions", "condtions"),
    ("genomics", "genomic"), ("ecg", "ecgs"), ("orders", "order"), ("procedures", "Procedure"),
])
def test_a_key_that_is_nearly_ours_is_told_in_one_line(
    ours: str, theirs: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "cds_service.answer"):
        told = ask(sent_as(ours, theirs))
    assert [record.getMessage() for record in caplog.records] == [
        f"prefetch '{theirs}' was passed over: it is no key of aml-order-sign, which has '{ours}', "
        "and that was not sent"
    ]
    without = sent_as(ours, theirs)
    del without["prefetch"][theirs]
    summaries = [card["summary"] for card in json.loads(told.body)["cards"]]
    assert summaries == [card["summary"] for card in json.loads(ask(without).body)["cards"]]


@pytest.mark.parametrize("theirs", [
    "encounter", "coverage", "practitioner", "vitals", "labs and the name of somebody", "Läbs", "l", "", "lab" * 40,
])
def test_a_key_of_another_service_is_passed_over_without_a_word(
    theirs: str, caplog: pytest.LogCaptureFixture
) -> None:
    ask(sent_as("labs", theirs))
    assert not caplog.records


def test_a_key_beside_the_one_it_resembles_is_no_slip(caplog: pytest.LogCaptureFixture) -> None:
    body = request("order-sign", gilteritinib(status="draft"), labs=ELECTROLYTES)
    body["prefetch"]["labs1"] = None
    ask(body)
    assert not caplog.records
