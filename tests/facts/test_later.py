"""What is read when it is asked for: the same as if it had been read at once, and less of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cds_service.facts.chart import Chart
from cds_service.facts.fact import Fact, Key, known
from cds_service.facts.later import Later, WhenAsked
from cds_service.facts.values.labs import LAB_FACTS, POTASSIUM, POTASSIUM_SERIES
from cds_service.gather.resources import Resource
from tests.charts import LAST_WEEK, TODAY, YESTERDAY, Json, chart, concept, quantity

POTASSIUM_CODE = "2823-3"
NAME: Key[str] = Key("name", "name")


def test_a_row_is_made_once_and_is_like_a_tuple():
    made: list[int] = []

    def make() -> tuple[int, ...]:
        made.append(1)
        return (1, 2, 3)

    row = Later(make)
    assert not made
    assert (row[0], row[1:], len(row), list(row)) == (1, (2, 3), 3, [1, 2, 3])
    assert row == (1, 2, 3) and row == Later(make) and hash(row) == hash((1, 2, 3)) and repr(row) == "(1, 2, 3)"
    assert len(made) == 2  # once for each row


def test_a_row_is_made_no_further_than_one_goes_and_by_whoever_goes_first():
    made: list[int] = []

    def make() -> Iterator[int]:
        for each in (1, 2, 3):
            made.append(each)
            yield each

    row = Later(make)
    assert next(iter(row)) == 1 and made == [1]
    for_one, for_other = iter(row), iter(row)
    assert [next(for_one), next(for_one), next(for_other), next(for_other), next(for_other)] == [1, 2, 1, 2, 3]
    assert list(for_one) == [3] and list(for_other) == [] and made == [1, 2, 3]


def test_facts_are_read_when_asked_and_a_copy_holds_all_of_them():
    asked: list[str] = []

    def read(name: str) -> Fact[str]:
        asked.append(name)
        return known(NAME, name)

    facts = WhenAsked({"here": known(NAME, "here")}, dict.fromkeys(("one", "two"), read))
    assert facts["here"].value == "here" and not asked
    assert facts["one"] is facts["one"] and asked == ["one"]
    assert (len(facts), "two" in facts, "three" in facts, facts.get("three")) == (3, True, False, None)
    assert {**facts}.keys() == {"here", "one", "two"} == dict(facts).keys()
    assert asked == ["one", "two"]


def potassium(value: float, when: str | None, **more: object) -> Json:
    return quantity(POTASSIUM_CODE, value, "mmol/L", when, name=f"k-{value}", **more)


def held_against_r4(monkeypatch: pytest.MonkeyPatch, facts: Chart) -> list[str]:
    """The resources that are held against R4 when the newest potassium is asked for."""
    met: list[str] = []
    checked = Resource.checked

    def noted(resource: Resource) -> object:
        met.append(resource.reference)
        return checked(resource)

    monkeypatch.setattr(Resource, "checked", noted)
    assert facts.get(POTASSIUM).value is not None
    return met


def test_of_one_kind_only_what_may_be_the_newest_is_held_against_r4(monkeypatch: pytest.MonkeyPatch):
    facts = chart(potassium(3.9, LAST_WEEK), potassium(4.1, TODAY), potassium(4.2, YESTERDAY))
    assert held_against_r4(monkeypatch, facts) == ["Observation/k-4.1"]
    assert [str(each.value) for each in facts.get(POTASSIUM_SERIES).value or ()] == [
        "4.1 mmol/L", "4.2 mmol/L", "3.9 mmol/L"]  # fmt: skip


def test_a_newer_result_that_cannot_be_used_is_met_before_the_one_that_can(monkeypatch: pytest.MonkeyPatch):
    unusable = potassium(9.9, TODAY, valueQuantity={"value": 9.9})
    facts = chart(potassium(3.9, LAST_WEEK), unusable, potassium(4.0, YESTERDAY))
    assert held_against_r4(monkeypatch, facts) == ["Observation/k-9.9", "Observation/k-4.0"]
    assert facts.get(POTASSIUM).doubts == ("a newer result could not be used: 9.9 without a unit",)


def test_a_result_whose_time_only_the_check_can_tell_is_always_met():
    odd = potassium(5.9, None, effectivePeriod={"end": "20200102T101010Z"})  # no time of FHIR: it is left out
    facts = chart(odd, potassium(4.0, TODAY))
    assert facts.get(POTASSIUM).doubts == ("another result of the same time or without date: 5.9 mmol/L",)


def test_results_that_concern_nobody_here_are_never_held_against_r4(monkeypatch: pytest.MonkeyPatch):
    met: list[str] = []
    checked = Resource.checked

    def noted(resource: Resource) -> object:
        met.append(resource.type)
        return checked(resource)

    monkeypatch.setattr(Resource, "checked", noted)
    others = (quantity("2947-0", 139, "mmol/L", name="na"), quantity(concept(text="Sodium"), 139, "mmol/L", name="s"))
    facts = chart(*others)
    assert {facts.facts[name].value for name in LAB_FACTS} == {None}
    assert "Observation" not in met
