"""The table of measured values: codes, units, conversions and limits, and what must not decide anything."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from cds_service.facts.values.ecg import ECG_KEYS, Formula, read_ecgs
from cds_service.facts.values.labs import BEDSIDE, KARNOFSKY, LABS, POTASSIUM, read_labs
from cds_service.facts.values.results import Reading
from cds_service.gather.replies import Reply, Status
from cds_service.knowledge.load import HOME
from cds_service.quantity import Quantity
from tests.charts import NOW, concept, quantity, resource, terms

UNVERIFIED = Path(__file__).parents[1] / "data" / "unverified_loinc.csv"
LOCAL = "urn:oid:1.2.3.4.5.6"


def test_a_code_that_nobody_verified_decides_nothing() -> None:
    with UNVERIFIED.open(encoding="utf-8") as file:
        codes = {row["code"] for row in csv.DictReader(file)}
    assert len(codes) > 20
    assert not codes & {code for (_, code) in (*terms().observations, *terms().genomics, *terms().answers)}


def test_every_value_that_we_read_has_codes_units_and_limits() -> None:
    for name in (*(key.name for key in (*LABS, *BEDSIDE, KARNOFSKY)), *ECG_KEYS):
        table = terms().units[name]
        assert name in terms().observations.values(), name
        assert table.canonical in table.units, name
        assert table.low < table.high, name


def test_every_limit_of_plausibility_says_whose_it_is() -> None:
    tables = yaml.safe_load((HOME / "terminology" / "units.yaml").read_text(encoding="utf-8"))
    assert not [name for name, table in tables.items() if not table["plausible"].get("source")]


@pytest.mark.parametrize(("key", "written", "canonical"), [
    ("potassium", "4.1 meq/L", "4.1"), ("potassium", "16 mg/dL", "4.092"), ("magnesium", "2.431 mg/dL", "1.000"),
    ("magnesium", "1.4 meq/L", "0.7"), ("calcium_total", "4.008 mg/dL", "1.000"),
    ("calcium_ionised", "2.4 meq/L", "1.2"),
    ("phosphate", "3.097 mg/dL", "1.000"), ("creatinine", "1 mg/dL", "88.4"), ("creatinine", "0.0884 mmol/L", "88.4"),
    ("bilirubin_total", "1 mg/dL", "17.1"), ("bilirubin_direct", "1 mg/dL", "17.1"), ("uric_acid", "10 mg/dL", "595"),
    ("haemoglobin", "8.2 g/dL", "82"), ("haemoglobin", "5 mmol/L", "80.57"), ("glucose", "90 mg/dL", "4.996"),
    ("albumin", "3.5 g/dL", "35"), ("troponin_t", "0.014 ng/mL", "14"), ("troponin_t", "14 pg/mL", "14"),
    ("ast", "1 ukat/L", "60"), ("alt", "1 µkat/L", "60"), ("lipase", "1000 nkat/L", "60"), ("ldh", "200 [IU]/L", "200"),
    ("wbc", "25 10*3/uL", "25"), ("wbc", "25000 {cells}/uL", "25"), ("wbc", "25 10*9{leukocytes}/L", "25"),
    ("wbc", "61 Gpt/l", "61"), ("wbc", "61 Tsd./µl", "61"), ("wbc", "61 Tsd/µl", "61"), ("wbc", "61 x10(3)/mcL", "61"),
    ("wbc", "610 10^2/μL", "61"), ("wbc", "25000 10*6/L", "25"), ("anc", "0.4 10*9.L-1", "0.4"),
    ("platelets", "61 K/cumm", "61"), ("potassium", "3.1 mval/l", "3.1"), ("potassium", "3.1 mmol.L-1", "3.1"),
    ("creatinine", "10 mg/L", "88.4"), ("bilirubin_total", "10 mg/l", "17.1"), ("magnesium", "24.31 mg/L", "1.000"),
    ("qtc_fridericia", "0.4 s", "400"), ("qtc_fridericia", "400 msec", "400"),
    ("body_temperature", "100.4 [degF]", "38"),
    ("creatinine_clearance", "1 mL/s", "60"), ("lvef", "55 %", "55"), ("lvef", "0.42 1", "42"),
    ("heart_rate", "60 {beats}/min", "60"),
    ("heart_rate", "60 {counted beats}/min", "60"),
])
def test_conversions_are_those_of_the_sources(key: str, written: str, canonical: str) -> None:
    read = Quantity.read(written)
    found = terms().units[key].convert(read.value, read.unit)
    assert found is not None
    assert abs(found.value - Decimal(canonical)) <= Decimal(canonical) * Decimal("0.0005"), found


@pytest.mark.parametrize(("key", "written", "canonical"), [
    ("magnesium", "1.7 mg/dL", "0.70"), ("magnesium", "1.6 mg/dL", "0.66"), ("magnesium", "0.695 mmol/L", "0.695"),
    ("uric_acid", "8 mg/dL", "476"), ("uric_acid", "7.9 mg/dL", "470"), ("uric_acid", "0.4758 mmol/L", "475.8"),
    ("phosphate", "4.5 mg/dL", "1.45"), ("calcium_total", "7.0 mg/dL", "1.75"), ("calcium_total", "7.1 mg/dL", "1.77"),
])  # fmt: skip
def test_a_limit_in_both_units_is_the_same_in_either(key: str, written: str, canonical: str) -> None:
    read = Quantity.read(written)
    found = terms().units[key].convert(read.value, read.unit)
    assert found is not None
    assert found.value == Decimal(canonical)


def test_a_value_of_more_digits_than_arithmetic_keeps_is_no_possible_one() -> None:
    table = terms().units["magnesium"]
    found = table.convert(Decimal("1e40"), "mg/dL")
    assert found is not None and not table.plausible(found)


@pytest.mark.parametrize(("key", "unit"), [
    ("potassium", "mg/L"), ("potassium", "1"), ("creatinine", "g/L"), ("wbc", "%"), ("wbc", "109/L"),
    ("qtc_bazett", "m"),
    ("blasts_marrow_pct", "1"),
    ("creatinine_clearance", "mL/min/{1.73_m2}"), ("albumin", "mmol/L"), ("haemoglobin", "mg/dL"),
    ("calcium_total", "{}"), ("potassium", "{mmol/L}"), ("ast", "U"), ("blasts_marrow_pct", "10*9/L"),
])
def test_a_unit_that_is_not_listed_is_none(key: str, unit: str) -> None:
    assert terms().units[key].convert(Decimal(1), unit) is None


def test_a_hospitals_own_code_goes_through_the_same_table() -> None:
    own = {(LOCAL, "224359"): "qtc_unspecified", (LOCAL, "KALIUM"): "potassium"}
    reading = Reading(replace(terms(), observations={**terms().observations, **own}), UTC, NOW)
    ecg = quantity(concept("224359", system=LOCAL), 480, "ms")
    lab = quantity(concept("KALIUM", system=LOCAL), 3.1, "mmol/L")
    observations = [(resource(each), "prefetch") for each in (ecg, lab)]
    reply = Reply("labs", Status.COMPLETE)
    qtc, *_ = read_ecgs(observations, reply, Quantity.read("5 min"), reading)
    potassium = read_labs(observations, reply, reply, reading)[POTASSIUM.name]
    assert qtc.value is not None
    assert (str(qtc.value.qtc), qtc.value.formula) == ("480 ms", Formula.UNSPECIFIED)
    assert str(potassium.value) == "3.1 mmol/L"
