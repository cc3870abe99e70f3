"""Long texts: however a text is made up, reading it takes a time that grows with its length and no faster."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from cds_service.facts.drugs.amounts import plainly
from cds_service.facts.drugs.dose_words import daily_beside, daily_in
from cds_service.facts.entries import PROBLEMS
from cds_service.facts.genomics.mutations import MARKERS
from tests.charts import Json, chart, condition, observation, order, terms

LETTERS, SECONDS = 60_000, 2.0  # it takes some hundredths of a second; what grows with the square takes many seconds


def long(begin: str, again: str, end: str = "") -> str:
    return begin + (again * LETTERS)[:LETTERS] + end


def dosed(text: str, unit: str = "tablet") -> Json:
    timing = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}
    each = {"doseQuantity": {"value": 2, "unit": unit}}
    return order("gilteritinib 40 MG Oral Tablet", dosageInstruction=[
        {"text": text, "timing": timing, "doseAndRate": [each]}])  # fmt: skip


RECORDS: dict[str, Json] = {
    "spaces behind a leukaemia": condition({"text": long("AML", " ", "x")}),
    "spaces behind a remission": condition({"text": long("AML in remission", "\xa0", "x")}),
    "a bracket behind a leukaemia": condition({"text": long("AML (", " ", "x")}),
    "double negations": condition({"text": long("AML relapse ", "not excluded ")}),
    "words before a double negation": condition({"text": long("AML relapse ", "not as ", "excluded")}),
    "abbreviations": condition({"text": long("", "LAM FLT3 ")}),
    "molecular relapses": condition({"text": long("AML in remission ", "MRD relapse ")}),
    "before a molecular relapse": condition({"text": long("AML in remission ", "but with ", "MRD relapse")}),
    "commas of a result": observation("79210-1", valueString=long("FLT3 wild type ", "0,")),
    "donors": condition({"text": long("transplant of his father ", "hla-from ")}),
    "tablets in one word": dosed(long("1 ", "mgtab")),
    "spaces behind a total": dosed(long("total", " ", "x")),
    "amounts": dosed(long("", "1 mg to ")),
    "parts of the day": dosed(long("daily ", "am+")),
    "spaces in a unit": dosed("", long("mg", " ", "x")),
    "brackets in a unit": dosed("", long("mg", "a{")),
    "names of a regimen": order(long("", "7+3 ")),
    "names of another regimen": order(long("venetoclax ", "FLAG-IDA ")),
    "a word without a number": observation({"text": long("FLT3 and NPM1 ", "a-")}, valueString="positive"),
    "a gene in one word": observation({"text": long("", "MLL::")}, valueString="not detected"),
    "spaces in the name of a test": observation({"text": long("KMT2A", " ", "x")}, valueString="not detected"),
    "names of a test that is ordered": {
        "resourceType": "ServiceRequest", "id": "s1", "status": "active", "intent": "order",
        "subject": {"reference": "Patient/p1"}, "code": {"text": long("", "FLT3: ")},
    },
    "limits of detection": observation("51969-4", valueString=long("FLT3-ITD (", "LOD ")),
}  # fmt: skip


@pytest.mark.parametrize("name", RECORDS)
def test_a_long_text_is_read_in_a_time_that_grows_with_its_length(name: str) -> None:
    began = time.process_time()
    found = chart(RECORDS[name])
    for key in (PROBLEMS, *MARKERS):
        found.get(key)
    assert found.medications is not None
    assert time.process_time() - began < SECONDS


def test_a_number_with_more_digits_than_arithmetic_keeps_is_no_dose() -> None:
    digits = "9" * 1_100_000
    assert plainly(digits) is None
    assert daily_in(f"{digits} mg twice daily", terms()) is None
    assert daily_beside(Decimal(40), Decimal(1), f"{digits} tablets", terms(), pieces=Decimal(2)) is None
