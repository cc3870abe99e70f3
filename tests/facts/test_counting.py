"""Counting: what stands in the patient's record and is about somebody else is no value of the patient."""

from __future__ import annotations

import pytest

from cds_service.facts.fact import State
from cds_service.facts.reproduction import PREGNANT
from cds_service.facts.values.ecg import QTC
from cds_service.facts.values.labs import LVEF, POTASSIUM
from tests.charts import TODAY, YESTERDAY, Json, chart, observation, quantity

K, QTCF, EJECTION, HCG = "2823-3", "76634-5", "10230-1", "2118-8"
OTHERS = [
    {"reference": "RelatedPerson/9", "display": "donor"}, {"reference": "RelatedPerson/9/_history/1"},
    {"reference": "https://ehr.example.org/fhir/Patient/p2"}, {"display": "sibling donor"}, {"type": "RelatedPerson"},
    {"type": "Patient", "identifier": {"system": "urn:mrn", "value": "another"}},
]  # fmt: skip
OURS = [
    {"reference": "Patient/p1"}, {"reference": "https://ehr.example.org/fhir/Patient/p1", "display": "Donor, Jane"},
    {"reference": "Specimen/s"}, {"reference": "Condition/aml"}, {"display": "left arm"}, {"type": "Patient"}, {},
]  # fmt: skip


@pytest.mark.parametrize("focus", OTHERS)
def test_a_newer_result_about_somebody_else_hides_nothing_and_casts_no_doubt(focus: Json) -> None:
    low, high = quantity(K, 2.9, "mmol/L", YESTERDAY), quantity(K, 4.4, "mmol/L", TODAY, focus=[focus])
    found = chart(low, high).get(POTASSIUM)
    assert (str(found.value), found.sure) == ("2.9 mmol/L", True)
    long, short = quantity(QTCF, 512, "ms", YESTERDAY), quantity(QTCF, 430, "ms", TODAY, focus=[focus])
    qtc = chart(long, short).get(QTC)
    assert qtc.value is not None and (str(qtc.value.qtc), qtc.sure) == ("512 ms", True)
    assert chart(observation(HCG, TODAY, valueString="positive", focus=[focus])).get(PREGNANT).value is None


@pytest.mark.parametrize("focus", OTHERS)
def test_where_nothing_else_came_that_is_said(focus: Json) -> None:
    said = "the result of 2026-11-20 is about somebody else, so it does not count"
    kinds = (POTASSIUM, K, 4.4, "mmol/L"), (LVEF, EJECTION, 60, "%"), (QTC, QTCF, 430, "ms")
    for key, code, value, unit in kinds:
        found = chart(quantity(code, value, unit, "2026-11-20T08:00:00Z", focus=[focus])).get(key)
        assert (found.state, found.why) == (State.ABSENT, said)


@pytest.mark.parametrize("focus", OURS)
def test_a_result_about_the_patient_or_a_part_of_them_counts(focus: Json) -> None:
    assert str(chart(quantity(K, 4.4, "mmol/L", focus=[focus])).get(POTASSIUM).value) == "4.4 mmol/L"
    assert chart(quantity(QTCF, 430, "ms", focus=[focus])).get(QTC).sure
    assert chart(observation(HCG, TODAY, valueString="positive", focus=[focus])).get(PREGNANT).value is True


def test_a_focus_that_has_the_number_of_the_subject_is_the_subject() -> None:
    number = {"system": "urn:mrn", "value": "77"}
    subject = {"reference": "Patient/p1", "identifier": number}
    focus = [{"type": "Patient", "identifier": number}]
    assert chart(quantity(K, 4.4, "mmol/L", subject=subject, focus=focus)).get(POTASSIUM).sure


def test_without_a_subject_the_patient_of_the_call_is_the_one() -> None:
    nobodys = {name: value for name, value in quantity(K, 4.4, "mmol/L").items() if name != "subject"}
    assert str(chart(nobodys | {"focus": [{"reference": "Patient/p1"}]}).get(POTASSIUM).value) == "4.4 mmol/L"
    assert chart(nobodys | {"focus": [{"reference": "Patient/p2"}]}).get(POTASSIUM).value is None


def test_a_focus_that_cannot_be_read_may_be_anybody() -> None:
    found = chart(quantity(K, 4.4, "mmol/L", focus=[{"reference": 7}])).get(POTASSIUM)
    assert (found.value, found.state) == (None, State.FAILED)
    assert "could not be read" in found.why
