"""Labs: the newest usable result, its unit, its doubts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.facts.fact import Fact, State, above, at_or_below, below
from cds_service.facts.values.labs import (
    ALT_ULN,
    BILIRUBIN,
    CALCIUM,
    CREATININE,
    CREATININE_CLEARANCE,
    ECOG,
    LABS,
    LVEF,
    MAGNESIUM,
    PLATELETS,
    POTASSIUM,
    WBC,
)
from cds_service.gather.replies import Status
from cds_service.quantity import Quantity
from cds_service.truth import Truth
from tests.charts import (
    LAST_WEEK,
    LOINC,
    NOW,
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
ABSENT_REASON = "http://terminology.hl7.org/CodeSystem/data-absent-reason"


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
    assert found.doubts == ("a newer result could not be used: 3.1 without a unit",)


def test_an_older_result_that_cannot_be_read_leaves_none() -> None:
    assert potassium(k(4.0), k(3.1, YESTERDAY, unit=None)).sure


@pytest.mark.parametrize("status", ["final", "amended", "corrected"])
def test_a_final_amended_or_corrected_result_is_sure(status: str) -> None:
    assert potassium(k(4.0, status=status)).sure


@pytest.mark.parametrize(("status", "doubt"), [
    ("preliminary", "preliminary"), ("registered", "registered"), ("odd", "status not stated as final"),
])
def test_a_preliminary_result_is_shown_and_doubted(status: str, doubt: str) -> None:
    found = potassium(k(3.1, status=status))
    assert (str(found.value), found.doubts) == ("3.1 mmol/L", (doubt,))


@pytest.mark.parametrize(("status", "words"), [("entered-in-error", "entered in error"), ("cancelled", "cancelled")])
def test_where_every_result_was_taken_back_that_is_said_with_its_day(status: str, words: str) -> None:
    found = potassium(k(3.1, YESTERDAY, status=status), k(3.3, LAST_WEEK, status=status))
    told = f"the result of {YESTERDAY[:10]} was {words}, so it does not count"
    assert (found.state, found.why) == (State.ABSENT, told)


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_a_result_entered_in_error_or_cancelled_does_not_count(status: str) -> None:
    found = potassium(k(3.1, status=status), k(4.0, YESTERDAY))
    assert (str(found.value), found.sure) == ("4 mmol/L", True)
    assert potassium(k(3.1, status=status)).state is State.ABSENT


def test_a_comparator_is_a_bound_and_never_sure() -> None:
    found = potassium(observation(K, valueQuantity=measured(3.0, "mmol/L", comparator="<")))
    assert (found.bound, found.sure, found.origin and found.origin.as_received) == ("<", False, "<3.0 mmol/L")


def told(why: str, content: Json) -> str:
    """The reason with the words that stand in place of a number, where it does not hold them already."""
    words = content.get("valueString") or content.get("valueCodeableConcept", {}).get("text", "")
    return f'{why} ("{words}")' if words and words not in why else why


@pytest.mark.parametrize(("content", "why"), [
    ({"valueQuantity": measured(4.1)}, "4.1 without a unit"),
    ({"valueQuantity": measured(4.1, "furlong")}, "4.1 with the unit 'furlong', which is not one we convert"),
    ({"valueQuantity": measured(41, "mmol/L")}, "41 mmol/L is not a possible value"),
    ({"valueQuantity": measured(0, "mmol/L")}, "0 mmol/L is not a possible value"),
    ({"valueQuantity": measured(-4, "mmol/L")}, "-4 mmol/L is not a possible value"),
    ({"valueInteger": 4}, "4 without a unit"), ({"valueString": "haemolysed"}, "text instead of a number"),
    ({"dataAbsentReason": concept("masked", system="x")}, "stated as not known"), ({}, "no value"),
    ({"valueCodeableConcept": concept("unknown", system="x")}, "a code instead of a number"),
    ({"valueCodeableConcept": concept("unknown", system=ABSENT_REASON)}, "stated as not known (not known)"),
    ({"dataAbsentReason": concept("masked", system=ABSENT_REASON)}, "stated as not known (withheld)"),
    ({"valueQuantity": measured(4, "mmol/L"), "dataAbsentReason": concept("error", system="x")}, "stated as not known"),
    ({"valueQuantity": {"unit": "mmol/L"}}, "no value"), ({"valueRange": {}}, "no value"),
    ({"valueRange": {"low": measured(3.5, "mmol/L"), "high": measured(3, "mmol/L")}},
     "a range that ends before it begins"),
    ({"valueRange": {"low": measured(3), "high": measured(4)}}, ">=3 without a unit"),
    ({"valueSampledData": {"origin": {"value": 0}, "period": 10, "dimensions": 1}}, "a waveform, which is not read"),
    ({"valueString": "4.1"}, "4.1 without a unit"), ({"valueString": "4.1 mmol/L, haemolysed"},
     "text in which no unit that we convert follows the number"),
    ({"valueString": "about 4.1 mmol/L"}, "text instead of a number"), ({"valueString": "-4.1 mmol/L"},
     "text instead of a number"),
    ({"valueString": "3.412 mmol/L"}, "a number in text that may be read in two ways"),
    ({"valueString": "41 mmol/L"}, "41 mmol/L is not a possible value"),
    ({"valueQuantity": measured(4.1, "mmol{K}/L{1.73}")},
     "4.1 with the unit 'mmol{K}/L{1.73}', which is not one we convert"),
])
def test_what_is_no_usable_number_is_unreadable_and_says_why(content: Json, why: str) -> None:
    found = potassium(observation(K, **content))
    assert (found.state, found.value, found.why) == (State.UNREADABLE, None, told(why, content))


def test_words_in_place_of_a_number_are_told_short_and_once() -> None:
    long = "severely reduced, " * 20
    fraction = chart(observation("10230-1", valueString=long)).get(LVEF)
    assert fraction.why.startswith('text instead of a number ("severely reduced, severely') and len(fraction.why) < 120
    coded = {"coding": [{"system": "x", "code": "r", "display": "Moderately reduced"}]}
    found = chart(observation("10230-1", valueCodeableConcept=coded)).get(LVEF)
    assert (found.value, found.why) == (None, 'a code instead of a number ("Moderately reduced")')


def test_a_result_whose_status_is_unknown_is_never_used_and_that_is_said() -> None:
    found = potassium(k(3.1, status="unknown"), k(4.0, YESTERDAY))
    assert (str(found.value), found.doubts) == ("4 mmol/L", (
        "a newer result could not be used: its status is unknown",))
    assert potassium(k(3.1, status="unknown")).why == "its status is unknown"


@pytest.mark.parametrize(("content", "value", "bound", "notes"), [
    ({"valueString": "<3,0 mmol/l"}, "3 mmol/L", "<", ("read from text",)),
    ({"valueString": "≤ 3.0 mEq/L"}, "3 mmol/L", "<=", ("read from text",)),
    ({"valueRange": {"low": measured(2.8, "mmol/L")}}, "2.8 mmol/L", ">=", ()),
    ({"valueRange": {"high": measured(3.1, "mmol/L")}}, "3.1 mmol/L", "<=", ()),
])
def test_a_bound_is_read_in_numbers_and_in_text(
    content: Json, value: str, bound: str, notes: tuple[str, ...],
) -> None:
    found = potassium(observation(K, **content))
    assert (str(found.value), found.bound, found.sure) == (value, bound, False)
    assert found.origin is not None
    assert found.origin.notes == notes


@pytest.mark.parametrize("content", [
    {"valueString": "2.8-3.1 mmol/L"}, {"valueRange": {"low": measured(2.8), "high": measured(3.1, "mmol/L")}},
])
def test_of_a_range_the_end_nearer_to_danger_counts_and_both_are_said(content: Json) -> None:
    found = potassium(observation(K, **content))
    assert (str(found.value), found.bound, found.sure) == ("2.8 mmol/L", "", False)
    assert found.doubts == ("given as a range: 2.8 mmol/L to 3.1 mmol/L",)
    assert str(chart(observation("2160-0", valueString="1-2 mg/dL")).get(CREATININE).value) == "176.8 µmol/L"


def test_a_range_decides_where_it_can() -> None:
    limit = Quantity.read("3.5 mmol/L")
    for low, high, truth in ((2.8, 3.1, Truth.YES), (3.4, 3.6, Truth.YES), (3.6, 4.0, Truth.NO)):
        text = observation(K, valueString=f"{low} - {high} mmol/L")
        assert below(potassium(text), limit) is truth
        assert below(potassium(text | {"status": "preliminary"}), limit) is (truth | Truth.UNKNOWN)
    assert above(potassium(observation(K, valueString="3.4-3.6 mmol/L")), limit) is Truth.UNKNOWN
    lvef = chart(observation("10230-1", valueString="55-60 %")).get(LVEF)
    assert at_or_below(lvef, Quantity.read("50 %")) is Truth.NO


def test_an_ejection_fraction_as_a_share_of_the_whole_is_read_as_percent() -> None:
    share = {"system": "http://unitsofmeasure.org", "code": "1"}
    fact = chart(observation("10230-1", valueQuantity={"value": 0.42, **share})).get(LVEF)
    assert str(fact.value) == "42 %"
    for value in (42, 0.01, 1.2):
        wrong = chart(observation("10230-1", valueQuantity={"value": value, **share})).get(LVEF)
        assert (wrong.value, wrong.state) == (None, State.UNREADABLE)


def test_a_range_in_multiples_of_the_upper_limit() -> None:
    limit = [{"high": measured(40, "U/L")}]
    found = chart(observation("1742-6", valueString="80-120 U/L", referenceRange=limit)).get(ALT_ULN)
    assert (str(found.value), [str(rival) for rival in found.rivals]) == ("3 × ULN", ["2 × ULN"])
    assert above(found, Quantity.read("5 [ULN]")) is Truth.NO


def test_the_parts_of_a_panel_are_read_each_by_itself() -> None:
    parts = [{"code": concept(K), "valueQuantity": measured(4.1, "mmol/L")},
             {"code": concept("1742-6"), "valueQuantity": measured(120, "U/L"),
              "referenceRange": [{"high": measured(40, "U/L")}]},
             {"code": concept("19123-9"), "dataAbsentReason": concept("error", system=ABSENT_REASON)}]
    found = chart(observation(concept("panel", system="urn:local"), component=parts))
    assert (str(found.get(POTASSIUM).value), found.get(POTASSIUM).sure) == ("4.1 mmol/L", True)
    assert str(found.get(ALT_ULN).value) == "3 × ULN"
    assert found.get(MAGNESIUM).why == "stated as not known (an error in the measurement or on its way)"


def test_the_parts_of_a_panel_do_not_lend_each_other_their_upper_limit() -> None:
    part = {"code": concept("1742-6"), "valueQuantity": measured(120, "U/L")}
    panel = observation("24323-8", component=[part], referenceRange=[{"high": measured(40, "U/L")}])
    assert "no upper limit" in chart(panel).get(ALT_ULN).why


@pytest.mark.parametrize(("code", "other"), [("17863-2", CALCIUM), ("1995-0", CALCIUM), ("1968-7", BILIRUBIN),
                                             ("15152-2", BILIRUBIN), ("1971-1", BILIRUBIN)])
def test_ionised_calcium_is_not_calcium_and_direct_bilirubin_not_bilirubin(code: str, other: Any) -> None:
    assert chart(quantity(code, 1.2, "mmol/L" if other is CALCIUM else "mg/dL")).get(other).state is State.ABSENT


def test_two_values_of_one_time_on_the_same_side_of_a_limit_are_no_doubt_there() -> None:
    found = potassium(k(4.0, name="a"), k(4.2, name="b"))
    assert not found.sure
    assert below(found, Quantity.read("3.5 mmol/L")) is Truth.NO
    assert below(found, Quantity.read("4.1 mmol/L")) is Truth.YES
    assert above(found, Quantity.read("4.1 mmol/L")) is Truth.UNKNOWN
    preliminary = potassium(k(4.0, name="a"), k(4.2, name="b", status="preliminary"))
    assert below(preliminary, Quantity.read("3.5 mmol/L")) is Truth.UNKNOWN


def test_of_two_versions_of_a_result_the_later_one_counts() -> None:
    first = k(4.0, name="o") | {"meta": {"lastUpdated": "2026-11-20T09:00:00Z"}}
    later = k(2.9, name="o", status="corrected") | {"meta": {"lastUpdated": "2026-11-20T10:00:00Z"}}
    gone = k(4.0, name="o", status="entered-in-error") | {"meta": {"lastUpdated": "2026-11-20T11:00:00Z"}}
    for pair in ((first, later), (later, first)):
        assert (str(potassium(*pair).value), potassium(*pair).sure) == ("2.9 mmol/L", True)
    for pair in ((first, gone), (gone, first)):
        assert potassium(*pair).state is State.ABSENT


def test_two_versions_that_nobody_can_order_are_a_conflict() -> None:
    for pair in ((k(4.0, name="o"), k(2.9, name="o")), (k(2.9, name="o"), k(4.0, name="o"))):
        assert (str(potassium(*pair).value), potassium(*pair).sure) == ("2.9 mmol/L", False)


def test_the_same_result_of_two_queries_is_one() -> None:
    assert potassium(k(4.0, name="o"), k(4.0, name="o") | {"meta": {"versionId": "2"}}).sure


def report(*inner: Json, **more: Any) -> Json:
    found = {"resourceType": "DiagnosticReport", "id": "r", "status": "final", "code": {"text": "chemistry"},
             "subject": {"reference": "Patient/p1"}, "effectiveDateTime": TODAY, "contained": list(inner)}
    return found | more


def inside(value: float, **more: Any) -> Json:
    return {"resourceType": "Observation", "id": "k", "status": "final", "code": concept(K),
            "valueQuantity": measured(value, "mmol/L")} | more


def test_a_result_inside_a_report_is_read_and_named_by_it() -> None:
    found = potassium(report(inside(4.1)))
    assert (str(found.value), found.sure, str(found.when)) == ("4.1 mmol/L", True, "2026-11-20")
    assert found.origin is not None
    assert found.origin.resource == "DiagnosticReport/r#k"


def panel(*inner: Json, **more: Any) -> Json:
    head = {name: value for name, value in report(*inner).items() if name != "id"}
    return head | {"resourceType": "Observation", "id": "p", "hasMember": [{"reference": "#k"}]} | more


def test_a_result_inside_the_head_of_a_panel_is_read_and_named_by_it() -> None:
    found = potassium(panel(inside(2.9)))
    assert (str(found.value), found.sure, str(found.when)) == ("2.9 mmol/L", True, "2026-11-20")
    assert found.origin is not None and found.origin.resource == "Observation/p#k"
    assert potassium(panel(inside(2.9), status="entered-in-error")).state is State.ABSENT
    assert potassium(panel(inside(2.9, subject={"reference": "Patient/p2"}))).value is None


def test_a_panel_that_cannot_be_read_leaves_a_doubt_as_a_report_does() -> None:
    found = potassium(k(4.0), panel(inside(2.9), status=None))
    assert found.value is not None and "a panel could not be read" in found.doubts[0]


def test_of_a_report_that_was_taken_back_nothing_counts() -> None:
    assert potassium(report(inside(4.1), status="entered-in-error")).state is State.ABSENT


def test_a_report_that_cannot_be_read_leaves_a_doubt() -> None:
    open_ = {name: value for name, value in inside(3.1).items() if name != "status"}
    assert "a report could not be read" in potassium(k(4.0), report(open_)).doubts[0]


def test_a_result_of_somebody_else_inside_a_report_is_not_read() -> None:
    assert potassium(report(inside(4.1, subject={"reference": "Patient/p2"}))).value is None


def test_a_result_inside_a_report_may_name_the_patient_by_what_its_holder_has() -> None:
    number = {"system": "urn:mrn", "value": "77"}
    holder = {"subject": {"reference": "Patient/p1", "identifier": number}}
    for subject, read in (
        ({"identifier": number}, True), ({"display": "Doe, Jane"}, True), ({"type": "Patient"}, True),
        ({"identifier": number | {"value": "78"}}, False), ({"type": "Device"}, False),
    ):
        found = potassium(k(4.0, YESTERDAY), report(inside(2.9, subject=subject), **holder))
        assert str(found.value) == ("2.9 mmol/L" if read else "4 mmol/L")
        assert found.sure is read


def test_a_report_without_its_results_leaves_a_doubt() -> None:
    found = potassium(k(4.0), report(result=[{"reference": "Observation/elsewhere"}]))
    assert found.doubts == ("not every result was read: a report came without its results",)
    assert potassium(report(), k(4.0)).sure is False
    named = report(result=[{"reference": "https://ehr/fhir/Observation/o1/_history/2"}])
    assert potassium(k(4.0, name="o1"), named).sure


@pytest.mark.parametrize(("content", "why"), [
    ({"valueInteger": 7}, "7 is not a possible value"),
    ({"valueQuantity": {"value": 1.5}}, "1.5 is not a possible value"),
    ({"valueInteger": 1, "interpretation": [concept("LA9625-0")]}, "answers that contradict each other"),
    ({"valueCodeableConcept": concept("LA29176-7")}, "a code instead of a number"),
    ({"valueString": "good"}, "text instead of a number"),
    ({"valueCodeableConcept": {"text": "1-2"}}, "a code instead of a number"),
    ({"valueCodeableConcept": {"text": "1 - 2"}}, "a code instead of a number"),
    ({"valueString": "ECOG 3 or 4"}, "text instead of a number"),
    ({"valueString": "ECOG 9"}, "9 is not a possible value"),
    ({"valueString": "ECOG <2"}, "text instead of a number"),
    ({"valueString": "ECOG ≥ 2"}, "text instead of a number"),
    ({"valueString": "ECOG 1?"}, "text instead of a number"),
    ({"valueString": "Karnofsky 80"}, "text instead of a number"),
    ({"valueString": "ECOG 3", "interpretation": [concept("LA9623-5")]}, "answers that contradict each other"),
    ({"valueCodeableConcept": {"text": "ECOG 3 or 4"}}, "a code instead of a number"),
    ({"valueCodeableConcept": {"text": "ECOG 9"}}, "9 is not a possible value"),
    ({"valueCodeableConcept": {"text": "unknown"}}, "a code instead of a number"),
    ({"valueCodeableConcept": concept("LA29176-7") | {"text": "3"}}, "a code instead of a number"),
])
def test_what_is_no_step_of_the_ecog_scale_is_said(content: Json, why: str) -> None:
    assert chart(observation("89247-1", **content)).get(ECOG).why == told(why, content)


@pytest.mark.parametrize("words", [
    "3", "ECOG 3", "ECOG: 3", "ECOG PS 3", "ECOG performance status 3", "Grade 3", "3 - limited selfcare",
])
def test_a_step_of_the_ecog_scale_is_read_from_a_text(words: str) -> None:
    for content in ({"valueString": words}, {"valueCodeableConcept": {"text": words}}):
        assert str(chart(observation("89247-1", **content)).get(ECOG).value) == "3 {score}", content


def test_a_karnofsky_status_alone_is_said_and_not_converted() -> None:
    karnofsky = observation("89243-0", YESTERDAY, valueInteger=70)
    found = chart(karnofsky).get(ECOG)
    assert (found.state, found.why) == (
        State.UNREADABLE, "Karnofsky 70 of 2026-11-19 is on record, and is not converted")
    assert str(chart(karnofsky, observation("89247-1", valueInteger=1)).get(ECOG).value).startswith("1")


def test_a_time_later_than_now_is_said() -> None:
    found = potassium(k(4.0, "2026-11-20T18:00:00Z"))
    assert found.origin is not None
    assert found.origin.notes == ("dated later than now",)


def test_a_time_with_a_leap_second_is_a_time() -> None:
    assert potassium(k(4.0, "2026-11-19T23:59:60Z")).sure


@pytest.mark.parametrize("unit", [
    "10*9/L", "×10⁹/L", "x10^9/L", "10E9/L", "x10(9)/L", "10**9/l", "10*9{cells}/L", "10*3/uL", "K/µL", "k/μl", "G/l",
    "x 10^3 / uL", "×10³/µL", "×10³/㎕", "×１０³／μＬ", "Mrd/l", "Mrd./L",
])
def test_the_ways_of_writing_a_count(unit: str) -> None:
    assert str(chart(quantity("6690-2", 3.1, unit)).get(WBC).value) == "3.1 ×10⁹/L"


@pytest.mark.parametrize("unit", ["10*4/uL", "×10⁴/μL", "x10^4/uL", "万/μL", "万/㎕", "10*4/mm3", "１０＾４／μＬ"])
def test_a_count_in_ten_thousands_is_ten_times_as_much(unit: str) -> None:
    assert str(chart(quantity("777-3", 12.5, unit)).get(PLATELETS).value) == "125 ×10⁹/L"


@pytest.mark.parametrize("entry", [k(4.4, unit="ｍＥｑ／Ｌ"), observation(K, valueString="４．４　ｍＥｑ／Ｌ")])
def test_broad_letters_and_digits_are_those_that_they_show(entry: Json) -> None:
    assert str(potassium(entry).value) == "4.4 mmol/L"


def test_squared_letters_are_those_that_they_show() -> None:
    squared, plain = (chart(quantity("2160-0", 1.2, unit)).get(CREATININE).value for unit in ("㎎/㎗", "mg/dL"))
    assert squared == plain is not None
    assert potassium(k(4.4, unit="㏖/L")).value is None


def test_a_raised_digit_in_words_stays_a_power() -> None:
    assert str(chart(observation("6690-2", valueString="3.1 ×10⁹/L")).get(WBC).value) == "3.1 ×10⁹/L"


@pytest.mark.parametrize("unit", ["umol/L", "µmol/l", "μmol/L", "umol{creat}/L", "UMOL/L", "μ mol/l"])
def test_the_ways_of_writing_micromoles(unit: str) -> None:
    assert str(chart(quantity("14682-9", 88, unit)).get(CREATININE).value) == "88 µmol/L"


def test_a_value_whose_code_and_printed_unit_are_two_is_not_read_where_either_may_be_meant() -> None:
    ucum = {"system": "http://unitsofmeasure.org", "code": "mmol/L"}
    found = chart(observation("2601-3", valueQuantity=measured(1.5, "mg/dL", **ucum))).get(MAGNESIUM)
    assert found.why == "1.5 with two units, mmol/L by its code and mg/dL as printed"
    assert potassium(observation(K, valueQuantity=measured(4.1, "mEq/L", **ucum))).sure


def test_a_clearance_by_body_surface_is_none_in_millilitres_a_minute() -> None:
    found = chart(quantity("2164-2", 60, "mL/min/{1.73_m2}")).get(CREATININE_CLEARANCE)
    assert (found.value, "not one we convert" in found.why) == (None, True)


def test_a_result_dated_in_the_future_is_not_used() -> None:
    found = potassium(k(4.0, "2027-11-20T08:00:00Z"), k(3.1, YESTERDAY))
    assert (str(found.value), found.sure) == ("3.1 mmol/L", False)


def test_the_time_of_filing_is_not_the_time_of_the_specimen() -> None:
    found = potassium(k(4.0, None, issued="2026-11-20T09:00:00Z"))
    assert found.doubts == ("only the filing time is known",)


def test_a_filing_makes_no_result_with_a_date_older() -> None:
    filed = k(4.2, None, issued="2026-11-20T09:00:00Z")
    found = potassium(filed, k(3.0), k(2.5, YESTERDAY))
    assert (str(found.value), found.sure, below(found, Quantity(Decimal("3.5"), "mmol/L"))) == (
        "3 mmol/L", False, Truth.YES,
    )
    assert found.doubts == ("a newer result is not certain (only the filing time is known): 4.2 mmol/L",)
    assert str(potassium(k(4.2, None, issued="2026-11-19T09:00:00Z"), k(3.0)).value) == "3 mmol/L"


@pytest.mark.parametrize("more", [{"status": "preliminary"}, {"code": {"text": "Potassium"}}, {"status": "odd"}])
def test_a_doubtful_result_hides_no_danger_that_is_certain(more: Json) -> None:
    newer = k(4.2) | more
    found = potassium(newer, k(3.0, YESTERDAY), k(2.5, LAST_WEEK))
    assert (str(found.value), str(found.when), found.sure) == ("3 mmol/L", "2026-11-19", False)
    assert found.doubts[0].startswith("a newer result is not certain (") and found.doubts[0].endswith("4.2 mmol/L")
    for harmless in (4.4, 4.2):
        assert str(potassium(newer, k(harmless, YESTERDAY), k(2.5, LAST_WEEK)).value) == "4.2 mmol/L"
    assert not potassium(newer, k(4.2, YESTERDAY)).sure
    too_old = potassium(newer, k(3.0, LAST_WEEK)).within(Quantity(Decimal(6), "d"), NOW)
    assert (str(too_old.value), too_old.state) == ("4.2 mmol/L", State.KNOWN)


def test_a_range_of_today_is_as_new_as_a_number() -> None:
    today = observation(K, valueRange={"low": measured(4.0, "mmol/L"), "high": measured(4.4, "mmol/L")})
    assert str(potassium(today, k(3.0, YESTERDAY)).value) == "4 mmol/L"


def test_of_results_that_are_only_filed_the_one_filed_last_counts() -> None:
    early = k(3.0, None, issued="2026-11-18T09:00:00Z")
    found = potassium(early, k(4.2, None, issued="2026-11-20T09:00:00Z"))
    assert (str(found.value), found.doubts) == ("4.2 mmol/L", ("only the filing time is known",))


def test_a_result_filed_in_the_future_is_not_used() -> None:
    found = potassium(k(4.0, None, issued="2027-11-20T09:00:00Z"), k(3.1, YESTERDAY))
    assert (str(found.value), found.sure) == ("3.1 mmol/L", False)
    assert found.doubts == ("a newer result could not be used: 4 mmol/L dated in the future",)


def test_what_is_certainly_older_than_another_result_is_no_rival_of_a_month() -> None:
    found = potassium(k(2.9, "2026-11-02T08:00:00Z"), k(4.2, YESTERDAY), k(4.1, "2026-11"))
    assert (str(found.value), found.rivals) == ("4.1 mmol/L", (Quantity(Decimal("4.2"), "mmol/L"),))
    assert below(found, Quantity(Decimal("3.5"), "mmol/L")) is Truth.NO


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
    (K, "mmol/L", (2.9, 5.0), "2.9 mmol/L"), ("2160-0", "mg/dL", (1.0, 2.0), "176.8 µmol/L"),
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
    (POTASSIUM, K, 4.1, "mEq/L", "4.1 mmol/L"), (MAGNESIUM, "19123-9", 1.7, "mg/dL", "0.7 mmol/L"),
    (MAGNESIUM, "19123-9", 1.69, "mg/dL", "0.695 mmol/L"), (MAGNESIUM, "19123-9", 16.9, "mg/L", "0.695 mmol/L"),
    (MAGNESIUM, "19123-9", 17, "mg/L", "0.7 mmol/L"), (MAGNESIUM, "19123-9", 1.71, "mg/dL", "0.704 mmol/L"),
    (MAGNESIUM, "2601-3", 1.4, "mEq/L", "0.7 mmol/L"), (CREATININE, "2160-0", 1.0, "mg/dL", "88.4 µmol/L"),
    (CREATININE, "14682-9", 88.4, "umol/L", "88.4 µmol/L"), (WBC, "6690-2", 25000, "/uL", "25 ×10⁹/L"),
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


@pytest.mark.parametrize(("kind", "told"), [
    ({"coding": [{"code": "critical"}]}, "None"), ({"text": "Critical"}, "None"),
    ({"coding": [{"code": "therapeutic"}]}, "None"), ({"coding": [{"code": "normal"}]}, "3 × ULN"),
    ({"coding": [{"display": "reference"}]}, "3 × ULN"), ({"text": "Normal"}, "3 × ULN"),
])
def test_a_limit_of_what_is_critical_is_no_limit_of_what_is_normal(kind: Json, told: str) -> None:
    entry = {"high": measured(40, "U/L"), "type": kind}
    assert str(alt([entry]).value) == told
    assert str(alt([entry | {"high": measured(30, "U/L")}, {"high": measured(40, "U/L")}]).value) == (
        "3 × ULN" if told == "None" else "4 × ULN"
    )


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
    step = table.step if table.step is not None and table.rounds(factor) else Decimal(0)
    assert (back.unit, abs(back.value - value) <= step / 2 + Decimal("1e-9")) == (table.canonical, True)


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


def test_a_contained_result_may_name_the_patient_by_a_whole_address() -> None:
    low = inside(2.9, subject={"reference": "https://ehr.example/fhir/Patient/p1"})
    found = potassium(report(low, result=[{"reference": "#k"}]), k(4.0, YESTERDAY))
    assert (str(found.value), found.sure) == ("2.9 mmol/L", True)


def test_a_report_that_names_a_result_which_it_does_not_contain_leaves_a_doubt() -> None:
    of_another = report(inside(2.9, subject={"reference": "Patient/p2"}), result=[{"reference": "#k"}])
    for named in (report(inside(2.9), result=[{"reference": "#lost"}]), of_another):
        found = potassium(named, k(4.0, "2026-11-20T09:00:00Z"))
        assert found.doubts == ("not every result was read: a report came without its results",)
