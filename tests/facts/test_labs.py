"""Labs: the newest usable result, its unit, its doubts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.facts.fact import Fact, State
from cds_service.facts.labs import ALT_ULN, CREATININE, LABS, MAGNESIUM, POTASSIUM, WBC
from cds_service.gather.replies import Status
from cds_service.quantity import Quantity
from tests.charts import (
    LAST_WEEK,
    LOINC,
    TODAY,
    YESTERDAY,
    Json,
    chart,
    concept,
    measured,
    observation,
    quantity,
    terms,
)

K = "2823-3"


def potassium(*observations: Json, **more: Any) -> Fact[Quantity]:
    return chart(*observations, **more).get(POTASSIUM)


def k(value: Any, when: str | None = TODAY, **more: Any) -> Json:
    return quantity(K, value, more.pop("unit", "mmol/L"), when, **more)


def test_the_newest_result_counts_in_any_order() -> None:
    for pair in ((k(3.1), k(4.0, YESTERDAY)), (k(4.0, YESTERDAY), k(3.1))):
        found = potassium(*pair)
        assert (str(found.value), found.sure) == ("3.1 mmol/L", True)


def test_a_newer_result_that_cannot_be_read_leaves_a_doubt_on_the_older_one() -> None:
    found = potassium(k(3.1, unit=None), k(4.0, YESTERDAY))
    assert (str(found.value), found.sure) == ("4 mmol/L", False)
    assert found.doubts == ("a newer result could not be used: a number without unit",)


def test_an_older_result_that_cannot_be_read_leaves_none() -> None:
    assert potassium(k(4.0), k(3.1, YESTERDAY, unit=None)).sure


@pytest.mark.parametrize("status", ["final", "amended", "corrected"])
def test_a_final_amended_or_corrected_result_is_sure(status: str) -> None:
    assert potassium(k(4.0, status=status)).sure


@pytest.mark.parametrize(("status", "doubt"), [
    ("preliminary", "preliminary"), ("registered", "registered"), ("unknown", "status not stated as final"),
    ("odd", "status not stated as final"),
])
def test_a_preliminary_result_is_shown_and_doubted(status: str, doubt: str) -> None:
    found = potassium(k(3.1, status=status))
    assert (str(found.value), found.doubts) == ("3.1 mmol/L", (doubt,))


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_a_result_entered_in_error_or_cancelled_does_not_count(status: str) -> None:
    found = potassium(k(3.1, status=status), k(4.0, YESTERDAY))
    assert (str(found.value), found.sure) == ("4 mmol/L", True)
    assert potassium(k(3.1, status=status)).state is State.ABSENT


def test_a_comparator_is_a_bound_and_never_sure() -> None:
    found = potassium(observation(K, valueQuantity=measured(3.0, "mmol/L", comparator="<")))
    assert (found.bound, found.sure, found.origin and found.origin.as_received) == ("<", False, "<3.0 mmol/L")


@pytest.mark.parametrize(("content", "why"), [
    ({"valueQuantity": measured(4.1)}, "a number without unit"),
    ({"valueQuantity": measured(4.1, "furlong")}, "unit 'furlong' is not one we convert"),
    ({"valueQuantity": measured(41, "mmol/L")}, "41 mmol/L is not a possible value"),
    ({"valueQuantity": measured(0, "mmol/L")}, "0 mmol/L is not a possible value"),
    ({"valueQuantity": measured(-4, "mmol/L")}, "-4 mmol/L is not a possible value"),
    ({"valueInteger": 4}, "a number without unit"), ({"valueString": "haemolysed"}, "text instead of a number"),
    ({"dataAbsentReason": concept("masked", system="x")}, "stated as not known"), ({}, "no value"),
    ({"valueCodeableConcept": concept("unknown", system="x")}, "no value"),
    ({"valueQuantity": {"unit": "mmol/L"}}, "no value"), ({"valueRange": {"low": measured(3, "mmol/L")}},
    "a range, not a value"),
])
def test_what_is_no_usable_number_is_unreadable_and_says_why(content: Json, why: str) -> None:
    found = potassium(observation(K, **content))
    assert (found.state, found.value, found.why) == (State.UNREADABLE, None, why)


def test_a_result_dated_in_the_future_is_not_used() -> None:
    found = potassium(k(4.0, "2027-11-20T08:00:00Z"), k(3.1, YESTERDAY))
    assert (str(found.value), found.sure) == ("3.1 mmol/L", False)


def test_the_time_of_filing_is_not_the_time_of_the_specimen() -> None:
    found = potassium(k(4.0, None, issued="2026-11-20T09:00:00Z"))
    assert found.doubts == ("only the filing time is known",)


def test_the_specimen_decides_what_is_newest_however_late_it_was_filed() -> None:
    late = k(4.0, LAST_WEEK, issued="2026-11-20T11:00:00Z")
    assert str(potassium(late, k(3.1, YESTERDAY)).value) == "3.1 mmol/L"


def test_an_undated_result_may_be_the_newest() -> None:
    low, normal = k(2.8, None), k(4.0)
    found = potassium(low, normal)
    assert (str(found.value), found.sure) == ("2.8 mmol/L", False)
    assert "without date: 4 mmol/L" in found.doubts[-1]
    assert not potassium(k(4.8, None), normal).sure


@pytest.mark.parametrize(("code", "unit", "values", "shown"), [
    (K, "mmol/L", (2.9, 5.0), "2.9 mmol/L"), ("2160-0", "mg/dL", (1.0, 2.0), "176.8 umol/L"),
])
def test_of_two_results_of_one_minute_the_one_nearer_to_danger_counts_and_names_its_rival(
    code: str, unit: str, values: tuple[float, float], shown: str,
) -> None:
    for pair in (values, values[::-1]):
        facts = chart(*(quantity(code, value, unit) for value in pair))
        found = facts.get(POTASSIUM if code == K else CREATININE)
        assert (str(found.value), found.sure) == (shown, False)


def test_a_result_of_today_without_hour_may_be_before_or_after_one_of_this_morning() -> None:
    found = potassium(k(4.2, "2026-11-20"), k(2.9, TODAY))
    assert (str(found.value), found.sure) == ("2.9 mmol/L", False)


def test_the_same_value_twice_is_no_conflict() -> None:
    assert potassium(k(4.0, name="a"), k(4.0, name="b")).sure


@pytest.mark.parametrize(("status", "state"), [
    (Status.COMPLETE, State.ABSENT), (Status.PARTIAL, State.FAILED), (Status.FAILED, State.FAILED),
    (Status.NOT_ASKED, State.NOT_ASKED),
])
def test_no_result_is_absent_only_when_everything_was_read(status: Status, state: State) -> None:
    assert potassium(statuses={"labs": status}).state is state


@pytest.mark.parametrize("status", [Status.PARTIAL, Status.FAILED, Status.NOT_ASKED])
def test_a_result_beside_an_unfinished_answer_clears_nothing(status: Status) -> None:
    found = potassium(k(4.0), statuses={"labs": status})
    assert (str(found.value), found.sure) == ("4 mmol/L", False)


def test_an_invalid_result_of_another_kind_does_not_matter() -> None:
    assert potassium(k(4.0), observation("19123-9", "20/11/2026")).sure


def test_an_invalid_newer_result_of_this_kind_does() -> None:
    assert not potassium(k(4.0, YESTERDAY), k(3.0) | {"valueQuantity": {"value": 3.0, "unit": 3}}).sure


def test_the_second_coding_counts_and_system_names_are_folded() -> None:
    code = {"coding": [{"system": "urn:oid:1.2.840.114350.1", "code": "K", "userSelected": True},
                       {"system": "urn:oid:2.16.840.1.113883.6.1", "code": K}]}
    assert potassium(quantity(code, 4.0, "mmol/L")).sure


def test_a_code_of_another_system_is_not_ours() -> None:
    assert potassium(quantity(concept(K, system="http://example.org/local"), 4.0, "mmol/L")).state is State.ABSENT


def test_the_ucum_code_counts_before_the_unit_as_printed() -> None:
    value = measured(4.0, "mg/dL", system="http://unitsofmeasure.org", code="mmol/L")
    assert str(potassium(observation(K, valueQuantity=value)).value) == "4 mmol/L"


@pytest.mark.parametrize(("key", "code", "value", "unit", "shown"), [
    (POTASSIUM, K, 4.1, "mEq/L", "4.1 mmol/L"), (MAGNESIUM, "19123-9", 1.7, "mg/dL", "0.699 mmol/L"),
    (MAGNESIUM, "2601-3", 1.4, "mEq/L", "0.7 mmol/L"), (CREATININE, "2160-0", 1.0, "mg/dL", "88.4 umol/L"),
    (CREATININE, "14682-9", 88.4, "umol/L", "88.4 umol/L"), (WBC, "6690-2", 25000, "/uL", "25 ×10⁹/L"),
    (WBC, "6690-2", 25, "10*3/uL", "25 ×10⁹/L"), (WBC, "6690-2", 25, "K/uL", "25 ×10⁹/L"),
])
def test_mass_and_molar_values_read_the_same(key: Any, code: str, value: float, unit: str, shown: str) -> None:
    assert str(chart(quantity(code, value, unit)).get(key).value) == shown


def alt(high: list[Json], value: Json | None = None) -> Fact[Quantity]:
    given_value = value or measured(120, "U/L")
    return chart(observation("1742-6", valueQuantity=given_value, referenceRange=high)).get(ALT_ULN)


def test_a_multiple_of_the_upper_limit_needs_the_limit_that_came_with_the_result() -> None:
    assert str(alt([{"high": measured(40, "U/L")}]).value) == "3 × ULN"
    assert "no upper limit" in alt([]).why
    assert "no upper limit" in alt([{"low": measured(10, "U/L")}]).why
    assert "no upper limit" in alt([{"high": measured(0, "U/L")}]).why


def test_a_limit_in_another_unit_is_converted_and_one_without_unit_is_in_that_of_the_result() -> None:
    assert str(alt([{"high": measured("0.5", "ukat/L") | {"value": 0.5}}]).value) == "4 × ULN"
    odd = measured(120, "units per litre", system="http://unitsofmeasure.org", code="U/L")
    assert str(alt([{"high": {"value": 40}}], odd).value) == "3 × ULN"


def test_of_several_upper_limits_the_lowest_counts_with_a_doubt() -> None:
    for limits in ((40, 400), (400, 40)):
        found = alt([{"high": measured(limit, "U/L")} for limit in limits])
        assert (str(found.value), found.sure) == ("3 × ULN", False)


@given(st.data())
def test_a_value_written_in_any_accepted_unit_reads_back_the_same(data: st.DataObject) -> None:
    key = data.draw(st.sampled_from([key.name for key in LABS] + ["qt_interval", "rr_interval", "heart_rate"]))
    table = terms().units[key]
    unit = data.draw(st.sampled_from(sorted(table.units)))
    value = data.draw(st.decimals(table.low, table.high, places=3))
    offset, factor = table.units[unit]
    written = value / factor - offset
    back = table.convert(written, unit)
    assert back is not None
    assert (back.unit, abs(back.value - value) < Decimal("1e-9")) == (table.canonical, True)


_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=4), st.floats(allow_nan=False, allow_infinity=False),
    st.just([]), st.just({}), st.just({"value": "4.0", "unit": "mmol/L"}), st.just({"value": 4.0}),
    st.just({"value": 4.0, "unit": "mmol/L", "comparator": "~"}), st.just([{"value": 4.0, "unit": "mmol/L"}]),
    st.just({"reference": "Patient/p1", "odd": 1}), st.just({"coding": [{"code": K}]}),
    st.just({"coding": {"code": K}}),
)
_FIELDS = st.sampled_from(["status", "code", "valueQuantity", "effectiveDateTime", "subject", "component", "issued",
                           "dataAbsentReason", "valueString", "modifierExtension", "interpretation", "referenceRange"])


@given(st.dictionaries(_FIELDS, _VALUES, min_size=1, max_size=3))
def test_no_malformed_result_is_ever_a_sure_value_that_was_not_there(odd: Json) -> None:
    found = potassium(k(4.0) | odd)
    if found.sure:
        assert (str(found.value), found.when and str(found.when)) == ("4 mmol/L", "2026-11-20")
        assert not {"status", "valueQuantity", "code"} & {key for key, value in odd.items() if value is not None}


@given(st.permutations([
    k(4.0), k(4.0, YESTERDAY), k(2.9, "2026-11-20"), k(5.2, None), k(3.3, status="preliminary"), k(3.0, unit=None),
]), st.integers(1, 6))
def test_the_order_of_the_resources_does_not_change_the_fact(shuffled: list[Json], count: int) -> None:
    chosen = sorted(shuffled[:count], key=lambda each: str(each["id"]))
    one, other = potassium(*shuffled[:count]), potassium(*chosen)
    assert (one.state, one.value, one.doubts, one.when) == (other.state, other.value, other.doubts, other.when)


def test_the_system_of_every_lab_code_is_loinc() -> None:
    names = {lab.name for lab in LABS}
    assert {system for (system, _), key in terms().observations.items() if key in names} == {LOINC}
