"""Bundles: what came is split up; a problem is never taken for "nothing there"."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.gather.bundle import Unpacked, resource_type, unpack
from cds_service.gather.views import Condition

PATIENT = {"resourceType": "Patient", "id": "p1"}


def of(content: object) -> Unpacked:
    return unpack(json.dumps(content).encode())


def outcome(severity: str, code: str = "exception") -> dict[str, object]:
    issue = {"severity": severity, "code": code, "diagnostics": "Jane Doe is not there"}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def bundle(*entries: object, **more: object) -> dict[str, object]:
    return {"resourceType": "Bundle", "entry": list(entries), **more}


@pytest.mark.parametrize("nothing", [None, bundle(), {"resourceType": "Bundle"}, bundle(entry=None)])
def test_null_and_an_empty_bundle_hold_nothing_and_no_problem(nothing: object) -> None:
    assert of(nothing) == Unpacked()


def test_a_single_resource_stands_for_itself() -> None:
    assert [resource_type(each) for each in of(PATIENT).resources] == ["Patient"]


@pytest.mark.parametrize("content", ["text", 7, [], {}, {"resourceType": 7}, {"entry": []}])
def test_what_is_no_resource_is_a_problem(content: object) -> None:
    assert of(content).problems == ("the answer is not a FHIR resource",)


@pytest.mark.parametrize("entry", [{"resource": 3}, "text", bundle(entry={"resource": PATIENT})["entry"]])
def test_a_bundle_whose_entries_are_no_list_cannot_be_read(entry: object) -> None:
    assert of({"resourceType": "Bundle", "entry": entry}).problems == ("the Bundle cannot be read",)


def test_an_outcome_in_place_of_an_answer_is_a_problem_without_its_text() -> None:
    assert of(outcome("error")).problems == ("the EHR reported a problem (error: exception)",)
    assert of(outcome("information")).problems == ("the answer is an OperationOutcome",)


@pytest.mark.parametrize("place", [b'"code"', b'"exception"'])
def test_an_outcome_that_is_not_utf_8_is_a_problem_too(place: bytes) -> None:
    raw = json.dumps(outcome("error")).encode().replace(place, place[:-1] + b'\xff"')
    whole = b'{"resourceType": "Bundle", "entry": [{"resource": %s}]}' % raw
    assert unpack(raw).problems and unpack(whole).problems


def test_an_outcome_as_entry_leaves_the_other_entries_and_is_named() -> None:
    found = of(bundle({"resource": PATIENT}, {"resource": outcome("fatal", "timeout")}))
    assert len(found.resources) == 1
    assert found.problems == ("the EHR reported a problem (fatal: timeout)",)


def test_a_warning_as_entry_is_no_problem() -> None:
    assert of(bundle({"resource": outcome("warning", "not-found")})) == Unpacked()


@pytest.mark.parametrize("entry", [3, None, {}, {"resource": None}, {"resource": "text"}, {"resource": {"id": "x"}}])
def test_an_entry_that_cannot_be_read_is_counted_and_spoils_no_other(entry: object) -> None:
    found = of(bundle(entry, {"resource": PATIENT}))
    assert len(found.resources) == 1
    assert found.problems == ("an entry of the Bundle holds no readable resource",)


def test_the_code_of_an_outcome_is_repeated_only_when_it_is_a_plain_word() -> None:
    assert of(outcome("error", "Jane Doe, 1960")).problems == ("the EHR reported a problem (error)",)


def test_the_next_page_is_the_link_that_says_so() -> None:
    links = [{"relation": "self", "url": "a"}, 7, {"relation": "next", "url": "b"}]
    assert of(bundle(link=links)).next_page == "b"
    assert of(bundle(link=links[:2])).next_page is None


def searchset(*entries: object, **more: object) -> bytes:
    return json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": entries, **more}).encode()


@pytest.mark.parametrize("code", ["suppressed", "security", "incomplete", "too-costly", "throttled", "timeout"])
def test_a_warning_that_something_was_left_out_is_a_problem(code: str) -> None:
    issue = {"severity": "warning", "code": code}
    outcome = {"resource": {"resourceType": "OperationOutcome", "issue": [issue]}, "search": {"mode": "outcome"}}
    assert unpack(searchset(outcome, total=0)).problems == (f"the EHR reported a problem (warning: {code})",)


def test_what_was_only_included_does_not_count_as_found() -> None:
    order = {"resource": {"resourceType": "MedicationRequest", "id": "m"}, "search": {"mode": "match"}}
    drug = {"resource": {"resourceType": "Medication", "id": "d"}, "search": {"mode": "include"}}
    assert not unpack(searchset(order, drug, total=1)).short
    assert unpack(searchset(order, drug, total=2)).short
    assert not unpack(searchset(order, drug)).short


def test_an_entry_with_an_odd_search_part_is_still_read() -> None:
    entry = {"resource": {"resourceType": "Observation", "id": "o"}, "search": "match"}
    assert len(unpack(searchset(entry)).matches) == 1


def test_two_lists_of_entries_are_a_problem_and_entries_within_entries_are_none() -> None:
    within = bundle({"resource": bundle({"resource": PATIENT})}, {"resource": PATIENT})
    assert of(within).problems == ()
    twice = b'{"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient"}}], "entry": []}'
    assert unpack(twice).problems == ("the Bundle has two lists of entries",)


LOST = b'{"resourceType":"MedicationRequest","id":"v"}'
KEPT = b'{"resourceType":"Medication","id":"zz"}'


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b'{"resourceType":"Bundle","entry":[{"resource":%s,"resource":%s}]}',
         "an entry of the Bundle holds two resources"),
        (b'{"resourceType":"Bundle","entry":[{"resource":%s,"r\\u0065source":%s}]}',
         "an entry of the Bundle holds two resources"),
        (b'{"resourceType":"Bundle","entry":[{"resource":%s}],"entr\\u0079":[{"resource":%s}]}',
         "the Bundle has two lists of entries"),
    ],
)
def test_what_stands_twice_is_a_problem_and_never_lost_in_silence(raw: bytes, problem: str) -> None:
    assert unpack(raw % (LOST, KEPT)).problems == (problem,)


def test_umlauts_and_the_word_resource_in_a_text_are_no_problem() -> None:
    found = of(bundle({"resource": PATIENT | {"name": [{"family": "Müller", "text": 'the "resource"'}]}}))
    assert found.problems == () and len(found.resources) == 1


def test_what_stands_twice_inside_a_resource_is_no_matter_of_the_bundle() -> None:
    """It is looked for where the resource is held against R4."""
    twice = b'{"resourceType":"Basic","entry":[1],"entry":[2],"resource":"a","resource":"b"}'
    found = unpack(b'{"resourceType":"Bundle","entry":[{"resource":%s},{"resource":%s}]}' % (twice, KEPT))
    assert found.problems == () and found.resources == (twice, KEPT)


def test_the_same_resource_twice_in_one_entry_is_told_in_the_last_entry_too() -> None:
    raw = b'{"resourceType":"Bundle","entry":[{"resource":%s},{"resource":%s,"resource":%s}]}'
    assert unpack(raw % (LOST, KEPT, KEPT)).problems == ("an entry of the Bundle holds two resources",)


def test_concepts_that_are_written_alike_are_one_and_others_are_not() -> None:
    def condition(words: str, code: str) -> dict[str, Any]:
        return {"resourceType": "Condition", "code": {"coding": [{"code": code}], "text": words}}

    alike, again, other, bare = of(bundle(*({"resource": each} for each in (
        condition("his AML", "C92.0"), condition("his AML", "C92.0"), condition("her AML", "C92.0"),
        {"resourceType": "Condition", "code": None},
    )))).views.values()  # fmt: skip
    assert isinstance(alike, Condition) and isinstance(again, Condition) and isinstance(other, Condition)
    assert alike.code is again.code and alike.code is not None and alike.code.text == "his AML"
    assert other.code is not None and other.code.text == "her AML"
    assert isinstance(bare, Condition) and bare.code is None


@pytest.mark.parametrize("kind", ["Encounter", "Practitioner", "Organization", "Claim", "DocumentReference"])
def test_what_came_along_and_answers_none_of_our_questions_is_set_aside(kind: str) -> None:
    beside = {"resource": {"resourceType": kind, "id": "b"}}
    found = of(bundle({"resource": PATIENT}, beside, {**beside, "search": {"mode": "include"}}))
    assert [resource_type(each) for each in found.resources] == ["Patient"]
    assert not found.problems


def test_what_came_along_as_a_match_counts_as_one() -> None:
    beside = {"resource": {"resourceType": "Encounter"}}
    assert not of(bundle({"resource": PATIENT}, beside, total=2)).short
    assert of(bundle({"resource": PATIENT}, {**beside, "search": {"mode": "include"}}, total=2)).short


def test_a_bundle_of_nothing_but_what_came_along_is_no_answer() -> None:
    found = of(bundle({"resource": {"resourceType": "Encounter"}}))
    assert found.problems == ("the Bundle holds nothing of what was asked for",)


@pytest.mark.parametrize("kind", ["Bundle", "Parameters", "List", "Binary", "MedicationDispense", "observation", "Lab"])
def test_what_may_hold_an_answer_is_not_set_aside(kind: str) -> None:
    assert len(of(bundle({"resource": PATIENT}, {"resource": {"resourceType": kind}})).resources) == 2
