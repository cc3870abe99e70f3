"""STRICT_ALL: `fhir.resources` itself checks every resource, and the answer is the one of the quick line."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

import pytest

from benchmarks.payloads import HOOKS, request
from cds_service.answer import Answer, Tools, answer, load_tools
from cds_service.errors import RequestError
from cds_service.settings import Settings
from cds_service.trace import trace
from tests import samples
from tests.calls import NOW

# Which resource is spoiled, how, and whether a rule asks for it. What is spoiled is no longer FHIR R4.
SPOILED = {
    "a condition recorded on a day that is a number": ("conditions", 1, {"recordedDate": 17}),
    "an order that no rule reads, without status": ("medications", 2, {"status": None}),
    "a result with two values": ("labs", 0, {"valueString": "4.2"}),
    "a result with an element that FHIR does not know": ("labs", 1, {"colour": "blue"}),
    "a procedure performed nowhere in time": ("procedures", 0, {"performedDateTime": "soon"}),
    "a variant without status": ("genomics", 0, {"status": None}),
}


def quick_and_strict(sample: samples.Sample) -> list[str]:
    return [told(sample, strict_all=strict) for strict in (False, True)]


def told(sample: samples.Sample, *, strict_all: bool) -> str:
    tools = replace(
        at(sample.story.today.isoformat()), new_id=samples.counting(), strict_all=strict_all,
        fhir=samples.server_of(sample) or our_tools().fhir,
    )  # fmt: skip
    service = next(each for each in tools.services if each.id == sample.service)
    try:
        return answer(json.dumps(sample.request).encode(), service, tools).body.decode()
    except RequestError as refused:
        return f"{refused.status} {refused.message}"


@cache
def our_tools() -> Tools:
    return load_tools(Settings.load({}))


@cache
def at(today: str) -> Tools:
    day = datetime.fromisoformat(today)
    return replace(our_tools(), now=lambda: day)


def ask(body: dict[str, Any], *, strict_all: bool) -> Answer:
    tools = replace(our_tools(), now=lambda: NOW, new_id=samples.counting(), strict_all=strict_all)
    service = next(each for each in tools.services if each.hook == body["hook"])
    return answer(json.dumps(body).encode(), service, tools)


@pytest.mark.parametrize("sample", samples.samples(), ids=lambda each: each.full_name)
def test_every_sample_is_answered_alike(sample):
    quick, strict = quick_and_strict(sample)
    assert quick == strict


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("resources", [20, 60])
def test_payloads_of_the_benchmark_are_answered_alike_and_are_valid(hook, resources, caplog):
    body = request(hook, resources, 1, NOW)
    quick, strict = (ask(body, strict_all=each) for each in (False, True))
    assert quick.body == strict.body
    assert trace(quick.evaluation) == trace(strict.evaluation)
    assert not caplog.records


@pytest.mark.parametrize("spoiled", SPOILED)
def test_what_is_invalid_changes_no_card_and_is_noted(spoiled, caplog):
    key, place, change = SPOILED[spoiled]
    body = request("order-sign", 60, 1, NOW)
    entry = body["prefetch"][key]["entry"][place]["resource"]
    entry.update(change)
    for name in [name for name, value in entry.items() if value is None]:
        del entry[name]
    with caplog.at_level(logging.WARNING, "cds_service.answer"):
        quick = ask(body, strict_all=False)
        assert not caplog.records
        strict = ask(body, strict_all=True)
    assert quick.body == strict.body
    (note,) = [record.getMessage() for record in caplog.records]
    assert f"{entry['resourceType']} in {key}: " in note


def test_the_setting_reaches_the_tools():
    assert load_tools(Settings.load({"STRICT_ALL": "1"})).strict_all
    assert not our_tools().strict_all
