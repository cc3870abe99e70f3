"""Pregnancy and sex: the newest statement decides, and what decides nothing is said."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.facts.demographics import SEX
from cds_service.facts.fact import State
from cds_service.facts.reproduction import PREGNANT
from tests.charts import TODAY, YESTERDAY, Json, chart, concept, condition, observation

SNOMED = "http://snomed.info/sct"
HL7 = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
TEST, STATUS = "2118-8", "82810-3"


@pytest.mark.parametrize(("code", "value", "pregnant", "sure"), [
    (TEST, {"valueCodeableConcept": concept("LA6576-8")}, True, True),
    (TEST, {"valueCodeableConcept": concept("LA6577-6")}, False, True),
    (TEST, {"valueString": "negative"}, False, True),
    (TEST, {"valueString": "pending"}, None, False),
    (STATUS, {"valueCodeableConcept": concept("77386006", system=SNOMED)}, True, True),
    (STATUS, {"valueCodeableConcept": concept("60001007", system=SNOMED)}, False, True),
    (STATUS, {"valueCodeableConcept": concept("146799005", system=SNOMED)}, True, False),
    (STATUS, {"valueCodeableConcept": concept("152231000119106", system=SNOMED)}, None, False),
    (STATUS, {"valueCodeableConcept": concept(text="not pregnant")}, False, True),
    (TEST, {"interpretation": [concept("NEG", system=HL7)]}, False, True),
    (TEST, {"interpretation": [concept("NEG", system=HL7)], "valueString": "positive"}, None, False),
    (TEST, {"interpretation": [concept("POS", system=HL7)], "valueString": "positive"}, True, True),
])
def test_a_test_or_a_status_says_it(code: str, value: dict[str, Any], pregnant: bool | None, sure: bool) -> None:
    found = chart(observation(code, **value)).get(PREGNANT)
    assert (found.value, found.sure) == (pregnant, sure)


def test_the_newest_decides_and_a_rival_of_one_day_leaves_a_doubt() -> None:
    positive = observation(TEST, YESTERDAY, name="old", valueString="positive")
    negative = observation(TEST, TODAY, valueString="negative")
    assert chart(positive, negative).get(PREGNANT).value is False
    same = chart(positive | {"effectiveDateTime": TODAY}, negative).get(PREGNANT)
    assert (same.value, same.sure) == (True, False)


def test_a_condition_counts_and_a_newer_negative_test_ends_it() -> None:
    pregnancy: Json = condition(concept("77386006", system=SNOMED), onsetDateTime="2026-10-01")
    assert chart(pregnancy).get(PREGNANT).value is True
    found = chart(pregnancy, observation(TEST, TODAY, valueString="negative")).get(PREGNANT)
    assert (found.value, found.doubts) == (False, ("the problem list says pregnant (2026-10-01)",))
    long_ago = pregnancy | {"onsetDateTime": "2019-01-01"}
    assert chart(long_ago, observation(TEST, TODAY, valueString="negative")).get(PREGNANT).doubts == ()
    resolved = pregnancy | {"clinicalStatus": concept("resolved"), "abatementDateTime": "2026-11-01"}
    assert chart(resolved, observation(TEST, TODAY, valueString="negative")).get(PREGNANT).doubts == ()


@pytest.mark.parametrize("code", ["Z32.1", "Z33", "Z34", "Z35", "Z35.0", "Z35.9"])
def test_a_pregnancy_is_told_by_the_codes_of_icd_10_and_of_its_german_modification(code: str) -> None:
    for system in ("http://hl7.org/fhir/sid/icd-10", "http://fhir.de/CodeSystem/bfarm/icd-10-gm"):
        pregnancy: Json = condition(concept(code, system=system), onsetDateTime="2026-10-01")
        assert chart(pregnancy).get(PREGNANT).value is True


@pytest.mark.parametrize(("found", "told"), [
    (observation(TEST, valueCodeableConcept=concept("LA6576-8")), "pregnancy test positive"),
    (observation(TEST, valueString="positive"), "pregnancy test positive"),
    (observation("21198-7", valueQuantity={"value": 6, "unit": "[IU]/L"}, referenceRange=[{"high": {"value": 5}}]),
     "hCG 6 [IU]/L, upper limit 5"),
    (observation(STATUS, valueCodeableConcept=concept(text="pregnant")), "pregnancy status pregnant"),
])  # fmt: skip
def test_a_pregnancy_that_a_test_tells_names_the_test_and_its_result(found: Json, told: str) -> None:
    fact = chart(found).get(PREGNANT)
    assert fact.value is True
    assert fact.origin is not None
    assert fact.origin.as_received == told


def test_silence_is_no_answer() -> None:
    assert chart().get(PREGNANT).state is State.ABSENT


@pytest.mark.parametrize(("gender", "sex"), [("female", "female"), ("male", "male"), ("other", None), (None, None)])
def test_the_sex_on_record(gender: str | None, sex: str | None) -> None:
    patient = {"resourceType": "Patient", "id": "p1"} | ({"gender": gender} if gender else {})
    assert chart(patient).get(SEX).value == sex


@pytest.mark.parametrize(("value", "comparator", "pregnant"), [
    (120, None, True), (5, None, False), (4, None, False), (2, "<", False), (10, "<", None), (1000, ">", True),
])
def test_a_measured_hcg_is_held_against_the_limit_that_came_with_it(
    value: int, comparator: str | None, pregnant: bool | None
) -> None:
    quantity = {"value": value, "unit": "m[IU]/mL"} | ({"comparator": comparator} if comparator else {})
    limit = [{"high": {"value": 5, "unit": "m[IU]/mL"}}]
    assert chart(observation("19080-1", valueQuantity=quantity, referenceRange=limit)).get(PREGNANT).value is pregnant
    assert chart(observation("19080-1", valueQuantity=quantity)).get(PREGNANT).value is None


def test_an_hcg_without_its_limit_is_told_as_it_came() -> None:
    found = chart(observation("21198-7", valueQuantity={"value": 5000, "unit": "m[IU]/mL"})).get(PREGNANT)
    assert found.state is State.UNREADABLE
    assert "decides nothing (5000 m[IU]/mL, without an upper limit)" in found.why


def test_a_negative_test_that_is_dated_in_the_future_hides_no_pregnancy() -> None:
    ahead = observation(TEST, "2027-06-01", name="ahead", valueString="negative")
    positive = observation(TEST, "2026-11-10", valueString="positive")
    found = chart(ahead, positive).get(PREGNANT)
    assert (found.value, found.doubts) == (True, ("a newer result decides nothing",))
    alone = chart(ahead).get(PREGNANT)
    assert (alone.value, alone.why) == (None, "result of 2027-06-01 decides nothing (negative, dated in the future)")


def test_a_negative_test_of_which_only_the_filing_is_known_hides_no_pregnancy() -> None:
    filed = observation(TEST, None, name="filed", valueString="negative", issued="2026-11-20T09:00:00Z")
    found = chart(filed, observation(TEST, "2026-11-10", valueString="positive")).get(PREGNANT)
    assert (found.value, found.sure) == (True, False)


def test_a_preliminary_negative_test_hides_no_pregnancy() -> None:
    preliminary = observation(TEST, TODAY, name="new", valueString="negative", status="preliminary")
    found = chart(preliminary, observation(TEST, YESTERDAY, valueString="positive")).get(PREGNANT)
    assert (found.value, found.doubts) == (True, ("a newer result that is not certain says otherwise",))


@pytest.mark.parametrize("fault", [{"effectiveDateTime": "21.11.2026"}, {"status": None}])
def test_a_positive_test_that_is_no_valid_fhir_still_warns_and_a_negative_one_clears_nothing(fault: Json) -> None:
    written = {name: part for name, part in (observation(TEST, TODAY, valueString="positive") | fault).items() if part}
    found = chart(written).get(PREGNANT)
    assert found.value is True
    assert "not valid FHIR R4" in " ".join(found.doubts)
    assert chart(written | {"valueString": "negative"}).get(PREGNANT).value is None
    assert chart(written | {"status": "entered-in-error"}).get(PREGNANT).value is None


def test_a_positive_test_that_is_certainly_older_than_a_negative_one_is_no_rival_of_a_month() -> None:
    negatives = [observation(TEST, day, name=day, valueString="negative") for day in ("2026-11", "2026-11-19")]
    found = chart(*negatives, observation(TEST, "2026-11-02", valueString="positive")).get(PREGNANT)
    assert (found.value, found.sure) == (False, True)


@pytest.mark.parametrize(("code", "pregnant"), [("77386006", True), ("60001007", False)])
def test_a_provisional_entry_of_a_pregnancy_or_of_none_is_doubtful(code: str, pregnant: bool) -> None:
    provisional = {"coding": [{"code": "provisional"}]}
    entry = condition(concept(code, system=SNOMED), onsetDateTime="2026-11-10", verificationStatus=provisional)
    found = chart(entry).get(PREGNANT)
    assert (found.value, found.doubts) == (pregnant, ("provisional, not certain",))


def panel(*parts: Json, **more: Any) -> Json:
    return observation({"text": "hCG panel"}, TODAY, name="panel", component=list(parts), **more)


def part(value: str, code: str = TEST) -> Json:
    return {"code": concept(code), "valueString": value}


@pytest.mark.parametrize(("value", "pregnant"), [("positive", True), ("negative", False), ("pending", None)])
def test_a_test_that_is_a_part_of_a_panel_is_read(value: str, pregnant: bool | None) -> None:
    assert chart(panel(part(value))).get(PREGNANT).value is pregnant
    assert chart(panel(part("4.1", "2823-3"), part(value))).get(PREGNANT).value is pregnant
    headed = observation(TEST, TODAY, name="head", component=[part(value)])
    assert chart(headed).get(PREGNANT).value is pregnant
    older = observation(TEST, YESTERDAY, name="older", valueString="positive")
    assert chart(panel(part(value)), older).get(PREGNANT).value is (pregnant is not False)


def test_a_head_that_says_something_itself_is_no_mere_head() -> None:
    head = observation(TEST, TODAY, component=[part("negative")], interpretation=[concept("POS", system=HL7)])
    assert chart(head).get(PREGNANT).value is True


def test_parts_that_disagree_are_a_pregnancy_in_doubt() -> None:
    found = chart(panel(part("negative"), part("positive", "2106-3"))).get(PREGNANT)
    assert (found.value, found.sure) == (True, False)


def test_a_panel_that_was_taken_back_says_nothing() -> None:
    assert chart(panel(part("positive"), status="entered-in-error")).get(PREGNANT).state is State.ABSENT


def test_a_test_inside_a_report_is_read() -> None:
    def report(**more: Any) -> Json:
        inner = dict(observation(TEST, None, "c", valueString="positive").items())
        return {"resourceType": "DiagnosticReport", "id": "r", "status": "final", "code": {"text": "hCG"},
                "subject": {"reference": "Patient/p1"}, "effectiveDateTime": TODAY, "contained": [inner],
                "result": [{"reference": "#c"}]} | more

    found = chart(report()).get(PREGNANT)
    assert (found.value, found.sure) == (True, True)
    assert chart(report(status="cancelled")).get(PREGNANT).value is None
