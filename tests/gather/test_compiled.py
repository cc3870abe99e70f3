"""The compiled check beside `fhir.resources`: it never takes what that refuses, and takes what records usually hold."""

from __future__ import annotations

import copy
import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from benchmarks.payloads import HOOKS, request
from cds_service.gather.compiled import certainly_valid
from cds_service.gather.plain_json import read_exactly
from cds_service.gather.r4 import fault_of
from cds_service.gather.resources import Resource, Unreadable
from cds_service.gather.views import VIEWS
from tests.samples import stories

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
COUNT = 4000  # damaged resources; 60,000 others found nothing either


def parts(value: Any) -> list[dict[str, Any]]:
    """Every resource within, the contained ones too."""
    if isinstance(value, list):
        return [found for each in value for found in parts(each)]
    if not isinstance(value, dict):
        return []
    inside = [found for each in value.values() for found in parts(each)]
    return [value, *inside] if value.get("resourceType") in VIEWS else inside


USUAL = [found for hook in HOOKS for found in parts(request(hook, 60, 1, NOW))]
SAMPLES = [found for story in stories() for found in parts(list(story.resources))]
ODD: tuple[Any, ...] = (
    None, True, 0, -1, 3.5, 1e300, 1e-200, "", " ", "\u00a0", "\x0b", "x y", " x", "x\n", "2026-02-29", "2024-02-29",
    "2026-13-01", "2026-11-20T08:00:00", "2026-11-20T08:00:00Z", "2026-11-20T24:00:00Z", "0000", "2026-11", "12:00",
    [], {}, [None], [[]], ["x"], {"value": 1}, {"reference": "Patient/p1"}, {"system": "urn:x", "code": "y"},
    {"extension": [{"url": "http://x", "valueString": "y"}]}, {"extension": [{"url": "http://x"}]}, "{}", "-0",
    10**20, 2**31, {"coding": None}, {"coding": []}, {"start": "2026-11-20", "end": "x"}, "http://[", "a" * 300,
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for step, each in steps for found in places(each, (*path, step)))]


def damaged(resource: dict[str, Any], chance: random.Random, names: list[str]) -> dict[str, Any]:
    """A copy in which one or two places hold something else, are gone, or are new."""
    found = copy.deepcopy(resource)
    for _ in range(chance.choice((1, 1, 2))):
        *way, last = chance.choice([place for place in places(found) if place])
        holder = found
        for step in way:
            holder = holder[step]
        what = chance.random()
        if what < 0.6:
            holder[last] = copy.deepcopy(chance.choice(ODD))
        elif what < 0.8 or not isinstance(holder, dict):
            del holder[last]
        else:
            holder[chance.choice(names)] = copy.deepcopy(chance.choice(ODD))
    return found


def refused(resource: dict[str, Any], raw: bytes) -> bool:
    """Whether the slow way refuses, or has to mend, these bytes."""
    return fault_of(resource["resourceType"], read_exactly(raw)) is not None


def test_what_is_taken_fhir_resources_takes_too():
    chance = random.Random(7)
    names = sorted({key for each in USUAL for key in each} | {"_status", "valueString", "modifierExtension", "foo"})
    pool = [*USUAL, *SAMPLES]
    taken = 0
    for _ in range(COUNT):
        resource = damaged(chance.choice(pool), chance, names)
        kind = resource.get("resourceType")
        if kind not in list(VIEWS):
            continue
        raw = json.dumps(resource).encode()
        if certainly_valid(kind, raw):
            taken += 1
            assert not refused(resource, raw), raw
    assert taken > 300  # else nothing was shown


@pytest.mark.parametrize("pool", [USUAL, SAMPLES], ids=["usual", "samples"])
def test_what_records_usually_hold_is_taken_in_one_go(pool):
    valid = [each for each in pool if not refused(each, json.dumps(each).encode())]
    taken = [each for each in valid if certainly_valid(each["resourceType"], json.dumps(each).encode())]
    assert len(taken) >= 0.9 * len(valid)


TWICE = [
    b'{"resourceType":"Observation","status":"final","status":"final","code":{"text":"x"}}',
    b'{"resourceType":"Observation","status":"final","code":{"text":"x","text":"y"}}',
    # what one dropped element takes away, two marks spelled by their number would give back
    b'{"resourceType":"Observation","status":"final","code":{"text":"\\u0022\\u0022","text":"\\u0022\\u0022"}}',
]


@pytest.mark.parametrize("raw", TWICE)
def test_an_element_that_stands_twice_is_never_taken(raw):
    assert not certainly_valid("Observation", raw)
    assert isinstance(Resource("Observation", raw, "labs").checked(), Unreadable)


@pytest.mark.parametrize(
    "change",
    [
        {"valueQuantity": {"value": 4.2}, "valueString": "4.2"},
        {"valueQuantity": {"value": 1e-300}},
        {"status": None},
        {"category": []},
        {"modifierExtension": [{"url": "http://x", "valueBoolean": True}]},
        {"contained": [{"resourceType": "Medication"}]},
        {"effectiveDateTime": "2026-02-29"},
        {"effectiveDateTime": "2026-11-20T08:00"},
        {"unheard": 1},
    ],
)
def test_what_needs_a_second_look_is_left_to_it(change):
    plain = {"resourceType": "Observation", "status": "final", "code": {"text": "potassium"}}
    assert certainly_valid("Observation", json.dumps(plain).encode())
    assert not certainly_valid("Observation", json.dumps(plain | change).encode())


@pytest.mark.parametrize("extension, certain", [
    ({"valueAddress": {"city": "x"}}, True), ({"valueCodeableConcept": {"text": "x"}}, True),
    ({"valueMoney": {"value": 1}}, False), ({"valueSignature": {"data": "eA=="}}, False),
])
def test_what_an_extension_hardly_ever_holds_is_left_to_the_second_look(extension: dict[str, Any], certain: bool):
    patient = {"resourceType": "Patient", "id": "p", "extension": [{"url": "http://x", **extension}]}
    raw = json.dumps(patient).encode()
    assert certainly_valid("Patient", raw) is certain
    assert (fault_of("Patient", patient) is None) is (extension.keys() != {"valueSignature"})


@pytest.mark.parametrize("number", ["1e-300", "-1.5e-99", "4E-12", "0." + "0" * 60 + "1", "1" * 500 + "e-600"])
def test_a_number_below_any_measured_size_is_no_matter_for_the_quick_check(number):
    observation = b'{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value": %s}}'
    assert certainly_valid("Observation", observation % b"4.2")
    assert not certainly_valid("Observation", observation % number.encode())


def test_an_id_that_looks_like_a_tiny_number_is_none():
    raw = b'{"resourceType":"Observation","id":"a4e-12f0-4e-99","status":"final","code":{"text":"us-core-12e-12"}}'
    assert certainly_valid("Observation", raw)


@pytest.mark.parametrize("entry, certain", [
    ({"fullUrl": "urn:uuid:1"}, True), ({"resource": {"resourceType": "Patient"}}, False),
    ({"resource": {"resourceType": "Unicorn"}}, False), ({"link": [{"relation": "self", "url": "urn:x"}]}, True),
])
def test_a_place_that_may_hold_any_resource_is_never_certain(entry: dict[str, Any], certain: bool) -> None:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [entry]}
    assert certainly_valid("Bundle", json.dumps(bundle).encode()) is certain


@pytest.mark.parametrize(
    "concept",
    [
        b'{"coding":[{"code":"a","code":"b"}]}', b'{"coding":[]}', b'{"coding":[{"code":" a"}]}', b"null", b'"a"',
        b'{"coding":[{"code":"a"}],"foo":1}', b'{"text":"\\u0022","text":"\\u0022"}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", [b'"code":%s', b'"code":{"text":"x"},"category":[{"text":"y"},%s]',
                                   b'"code":{"text":"x"},"component":[{"code":%s}]'])  # fmt: skip
def test_a_concept_that_is_none_is_never_taken_wherever_it_stands(concept: bytes, place: bytes):
    raw = b'{"resourceType":"Observation","status":"final",%s}'
    good = b'{"coding":[{"system":"http://loinc.org","code":"2823-3"}],"text":"x"}'
    for _ in range(2):  # also when the good one is known
        assert certainly_valid("Observation", raw % (place % good))
        assert not certainly_valid("Observation", raw % (place % concept))


@pytest.mark.parametrize("number", ["0", "-3", "5", "0.0", "-0.5", "1e-9", "12.50", "1e3", "1000000000000"])
def test_numbers_as_records_write_them_are_taken(number: str):
    observation = b'{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":%s}}'
    assert certainly_valid("Observation", observation % number.encode())
