"""Cumulative doses: only what the orders state per body surface, day by day, is added up."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.facts.drugs.cumulative import Exposure, exposures
from cds_service.facts.drugs.medications import MEDICATIONS
from tests.charts import Json, chart, measured, order

DAILY = {"frequency": 1, "period": 1, "periodUnit": "d"}


def given(
    unit: str = "mg/m2", *, start: str | None = "2026-01-10", end: str | None = "2026-01-12", **more: Any
) -> Json:
    bounds = {key: value for key, value in (("start", start), ("end", end)) if value}
    repeat = DAILY | {"boundsPeriod": bounds} | more.pop("repeat", {})
    dosage = {"timing": {"repeat": repeat}, "doseAndRate": [{"doseQuantity": measured(60, unit)}]}
    return order("daunorubicin", dosageInstruction=[dosage], **({"status": "completed"} | more))


def exposed(*orders: Json, drafts: tuple[Json, ...] = ()) -> tuple[Exposure, ...]:
    found = chart(*orders, drafts=drafts).get(MEDICATIONS).value
    assert found is not None
    return exposures(found.orders, ("daunorubicin", "idarubicin"))


def test_three_days_of_sixty_come_to_180() -> None:
    (found,) = exposed(given())
    assert (str(found.total), found.counted, found.uncounted, found.last) == ("180 mg/m²", 1, 0, "2026-01-12")


def test_twice_daily_counts_twice() -> None:
    (found,) = exposed(given(repeat={"frequency": 2}))
    assert str(found.total) == "360 mg/m²"


@pytest.mark.parametrize("lasting", [{"boundsDuration": measured(3, code="d")}, {"count": 3}])
def test_the_number_of_days_may_stand_without_the_first_and_the_last(lasting: Json) -> None:
    repeat = DAILY | lasting
    dosage = {"timing": {"repeat": repeat}, "doseAndRate": [{"doseQuantity": measured(60, "mg/m2")}]}
    (found,) = exposed(order("daunorubicin", "completed", dosageInstruction=[dosage]))
    assert str(found.total) == "180 mg/m²"


@pytest.mark.parametrize("odd", [
    {"unit": "mg"}, {"end": None}, {"start": "2026-01"}, {"repeat": {"period": 2}},
    {"status": "active", "end": "2026-12-12"}, {"end": "2026-01-01"},
])
def test_what_is_not_stated_is_not_assumed(odd: dict[str, Any]) -> None:
    (found,) = exposed(given(**odd))
    assert (found.total, found.uncounted) == (None, 1)


def test_a_drug_that_was_never_ordered_has_no_row_and_a_draft_is_no_exposure_yet() -> None:
    assert exposed(order("cytarabine")) == ()


def test_a_draft_stands_apart_from_what_is_on_record_and_is_added_to_it() -> None:
    (found,) = exposed(given(), drafts=(given(status="draft", id="next"),))
    assert (str(found.total), str(found.drafted), str(found.with_drafts)) == ("180 mg/m²", "180 mg/m²", "360 mg/m²")
    assert (found.counted, found.left_out, found.recorded) == (1, 0, True)


def test_a_draft_without_days_is_left_out_and_counted_as_such() -> None:
    (found,) = exposed(given(), drafts=(given(status="draft", id="next", end=None),))
    assert (str(found.with_drafts), found.drafted, found.left_out) == ("180 mg/m²", None, 1)


BASED = {"basedOn": [{"reference": "MedicationRequest/m1"}]}


def test_the_instances_of_an_order_are_no_second_course() -> None:
    days = ("10", "11", "12")
    each = [given(start=f"2026-01-{day}", end=f"2026-01-{day}", id=f"i{day}", **BASED) for day in days]
    (found,) = exposed(given(), *each)
    assert (str(found.total), found.counted, found.uncounted) == ("180 mg/m²", 1, 0)


@pytest.mark.parametrize("more", [
    {"start": "2026-03-10", "end": "2026-03-12"}, {"start": "2026-01-11", "end": "2026-01-13"},
    {"repeat": {"frequency": 2}},
])
def test_a_later_or_higher_order_that_is_based_on_one_is_a_course_of_its_own(more: Json) -> None:
    (found,) = exposed(given(), given(id="m2", **BASED, **more))
    assert found.counted == 2


def test_an_instance_counts_where_its_order_cannot_be_counted() -> None:
    (found,) = exposed(given(end=None), given(id="m2", **BASED))
    assert (str(found.total), found.counted, found.uncounted) == ("180 mg/m²", 1, 1)


@pytest.mark.parametrize("bases", [("2", "1"), ("2", "3", "1")], ids=["two", "three"])
def test_orders_that_are_based_on_each_other_in_a_circle_all_count(bases: tuple[str, ...]) -> None:
    circle = [
        given(id=str(number), basedOn=[{"reference": f"MedicationRequest/{base}"}])
        for number, base in enumerate(bases, 1)
    ]
    (found,) = exposed(*circle)
    assert (str(found.total), found.counted) == (f"{180 * len(bases)} mg/m²", len(bases))


def test_an_instance_of_an_instance_counts_once_with_the_order() -> None:
    based = [given(id="3", basedOn=[{"reference": "MedicationRequest/2"}]),
             given(id="2", basedOn=[{"reference": "MedicationRequest/1"}]), given(id="1")]  # fmt: skip
    (found,) = exposed(*based)
    assert (str(found.total), found.counted) == ("180 mg/m²", 1)
