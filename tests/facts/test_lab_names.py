"""Labs by their names: a whole name is read with a doubt, one that may mean another test is seen and not read."""

from __future__ import annotations

import pytest

from cds_service.facts.fact import Fact, Key, State, below
from cds_service.facts.values.labs import (
    ALT,
    AST,
    BILIRUBIN,
    CALCIUM,
    CREATININE,
    ECOG,
    HAEMOGLOBIN,
    LABS,
    LVEF,
    PLATELETS,
    POTASSIUM,
    WBC,
)
from cds_service.quantity import Quantity
from cds_service.truth import Truth
from tests.calls import cards, gilteritinib, qtcf
from tests.charts import LOINC, TODAY, YESTERDAY, Json, chart, concept, measured, observation

LOCAL = "urn:oid:1.2.3.4.5.6"
NAME = "known by its name alone"


def result(name: str | Json, value: float = 3.1, unit: str | None = "mmol/L", when: str = TODAY, **more: Json) -> Json:
    code = {"text": name} if isinstance(name, str) else name
    return observation(code, when, **({"valueQuantity": measured(value, unit)} | more))


def read(key: Key[Quantity], *results: Json) -> Fact[Quantity]:
    return chart(*results).get(key)


@pytest.mark.parametrize(("key", "name", "value", "unit", "expected"), [
    (POTASSIUM, "Potassium", 3.1, "mmol/L", "3.1 mmol/L"), (POTASSIUM, "Kalium im Serum", 3.1, "mmol/L", "3.1 mmol/L"),
    (POTASSIUM, "POTASSIUM LEVEL (PLASMA)", 3.1, "mEq/L", "3.1 mmol/L"),
    (CREATININE, "Kreatinin", 1, "mg/dL", "88.4 µmol/L"), (CALCIUM, "Calcium, total", 2.2, "mmol/L", "2.2 mmol/L"),
    (BILIRUBIN, "Bilirubin, total", 1, "mg/dL", "17.1 µmol/L"), (AST, "AST (SGOT)", 40, "U/L", "40 U/L"),
    (ALT, "ALAT", 40, "U/L", "40 U/L"), (PLATELETS, "Thrombozyten", 20, "G/L", "20 ×10⁹/L"),
    (WBC, "WBC count", 3, "10*3/uL", "3 ×10⁹/L"), (HAEMOGLOBIN, "Hemoglobin", 8, "g/dL", "80 g/L"),
    (LVEF, "LVEF", 55, "%", "55 %"), (ECOG, "ECOG performance status", 2, None, "2 {score}"),
])
def test_a_result_that_only_its_name_tells_is_read_with_that_doubt(
    key: Key[Quantity], name: str, value: float, unit: str | None, expected: str
) -> None:
    for code in ({"text": name}, concept("77", system=LOCAL, display=name)):
        found = read(key, result(code, value, unit))
        assert (str(found.value), found.doubts) == (expected, (NAME,))


def test_such_a_result_may_warn_and_never_clears() -> None:
    low, good = (read(POTASSIUM, result("Potassium", value)) for value in (2.5, 4.5))
    limit = Quantity.read("3.5 mmol/L")
    assert (below(low, limit), below(good, limit)) == (Truth.YES, Truth.UNKNOWN)


@pytest.mark.parametrize(("key", "name"), [
    (POTASSIUM, "Potassium, donor unit"), (POTASSIUM, "Potassium goal"), (POTASSIUM, "Urine potassium"),
    (POTASSIUM, "Potassium chloride"), (CREATININE, "Creatinine clearance"), (CREATININE, "Creatinine, urine 24 h"),
    (BILIRUBIN, "Bilirubin, direct"), (CALCIUM, "Ionized calcium"), (HAEMOGLOBIN, "Hemoglobin A1c"),
    (AST, "AST/ALT ratio"), (POTASSIUM, "U-Potassium"), (POTASSIUM, "Potassiumlike"), (AST, "last"),
    (POTASSIUM, "Sodium"), (ALT, "AST ALT"),
])
def test_the_name_of_another_test_is_not_this_one(key: Key[Quantity], name: str) -> None:
    found = read(key, result(name, unit="U/L" if key in (AST, ALT) else "mmol/L"))
    assert (found.value, found.state) == (None, State.ABSENT)


@pytest.mark.parametrize(("key", "name"), [
    (CALCIUM, "Calcium"), (BILIRUBIN, "Bilirubin"), (HAEMOGLOBIN, "Hb"), (POTASSIUM, "Potassium POC"),
    (POTASSIUM, "Potassium before dialysis"), (LVEF, "EF"),
])
def test_a_name_that_may_mean_another_test_is_seen_and_not_read(key: Key[Quantity], name: str) -> None:
    found = read(key, result(name))
    assert found.state is State.UNREADABLE
    assert found.why == f"there is a result named '{name}' of 2026-11-20, which may be another test: it was not read"
    assert read(key, result(name, status="entered-in-error")).state is State.ABSENT


def test_beside_a_result_that_can_be_read_an_unclear_one_says_nothing() -> None:
    coded = observation("2823-3", YESTERDAY, "k", valueQuantity=measured(4.1, "mmol/L"))
    found = read(POTASSIUM, coded, result("Potassium POC"))
    assert (str(found.value), found.doubts) == ("4.1 mmol/L", ())


def test_a_standard_code_speaks_for_itself_whatever_its_name_says() -> None:
    assert read(POTASSIUM, result(concept("2951-2", "Potassium", LOINC))).state is State.ABSENT
    coded = result({"coding": [{"system": LOCAL, "code": "7", "display": "Potassium"}, {"system": LOINC,
                                                                                      "code": "2823-3"}]})
    assert read(POTASSIUM, coded).sure


def test_text_and_display_that_disagree_name_nothing() -> None:
    two = concept("7", "Potassium", LOCAL, "Magnesium")
    assert [chart(result(two)).get(key).value for key in LABS] == [None] * len(LABS)


def test_without_a_number_a_name_is_nothing() -> None:
    assert read(POTASSIUM, observation({"text": "Potassium"}, valueString="see report")).state is State.ABSENT
    assert str(read(POTASSIUM, observation({"text": "Potassium"}, valueString="3,1 mmol/l")).value) == "3.1 mmol/L"
    assert "3.1 without a unit" in read(POTASSIUM, result("Potassium", unit=None)).why


def test_the_card_says_that_there_is_a_result_which_was_not_read() -> None:
    found = cards("order-sign", gilteritinib(status="draft"), ecg=[qtcf(420)], labs=[result("Potassium POC")])
    assert any("there is a result named" in card["detail"] for card in found)


def test_a_result_whose_codes_are_those_of_two_tests_is_seen_and_not_read() -> None:
    two = {"coding": [{"system": LOINC, "code": code} for code in ("2823-3", "2601-3")]}
    found = read(POTASSIUM, result(two, 3.9))
    assert (found.state, "may be another test: it was not read" in found.why) == (State.UNREADABLE, True)
    of_one_kind = {"coding": [{"system": LOINC, "code": code} for code in ("2823-3", "6298-4")]}
    assert read(POTASSIUM, result(of_one_kind, 3.9)).sure
