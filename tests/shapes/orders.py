"""Shapes of orders: the same dose, drug or reference written in every way that FHIR and its clients know.

A writer takes what is meant and gives the JSON; readers are held to read the same from each of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

Json = dict[str, Any]
GTS = "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation"
DOSE_KIND = "http://terminology.hl7.org/CodeSystem/dose-rate-type"
UCUM = "http://unitsofmeasure.org"
_WHEN = ("MORN", "NOON", "AFT", "EVE", "NIGHT", "HS")
_ABBREVIATED = {1: "QD", 2: "BID", 3: "TID", 4: "QID"}
_SPOKEN = {1: "once daily", 2: "twice daily", 3: "three times daily", 4: "4 times a day", 6: "every 4 hours"}


def timings(times: int) -> Iterator[Json]:
    """`times` a day as a Timing, in every shape that can say it. 24 must be divisible by it for the hourly ones."""
    yield {"repeat": {"frequency": times, "period": 1, "periodUnit": "d"}}
    yield {"repeat": {"frequency": times, "period": 24, "periodUnit": "h"}}
    yield {"repeat": {"frequency": 1, "frequencyMax": times, "period": 1, "periodUnit": "d"}}
    yield {"repeat": {"frequency": times, "period": 1440, "periodUnit": "min"}}
    yield {"repeat": {"timeOfDay": [f"{hour * 3:02}:00:00" for hour in range(times)]}}
    yield {"repeat": {"period": 1, "periodUnit": "d", "timeOfDay": [f"{hour * 3:02}:00:00" for hour in range(times)]}}
    if times <= len(_WHEN):
        yield {"repeat": {"when": list(_WHEN[:times])}}
    if 24 % times == 0:
        yield {"repeat": {"frequency": 1, "period": 24 // times, "periodUnit": "h"}}
        yield {"repeat": {"period": 24 // times, "periodUnit": "h"}}
        yield {"code": {"text": f"q{24 // times}h"}}
        yield {"code": {"text": f"every {24 // times} hours"}}
    if times in (3, 4, 6, 8, 12, 24):
        yield {"code": {"coding": [{"system": GTS, "code": f"Q{24 // times}H"}]}}
    if times in _ABBREVIATED:
        yield {"code": {"coding": [{"system": GTS, "code": _ABBREVIATED[times]}]}}
        yield {"code": {"coding": [{"system": GTS, "code": _ABBREVIATED[times]}], "text": _SPOKEN[times]}}
        yield {"code": {"text": _ABBREVIATED[times].lower()}}
    if times in _SPOKEN:
        yield {"code": {"text": _SPOKEN[times]}}
    yield {"code": {"text": f"{times}x/day"}}


def amounts(mg: Decimal, strength: Decimal) -> Iterator[list[Json]]:
    """`mg` each time as a list of doseAndRate, in every shape. `strength`: mg in one piece of the product."""
    exact = {"doseQuantity": _measured(mg, "mg")}
    yield [exact]
    yield [{"doseQuantity": {"value": float(mg), "unit": "milligram"}}]
    yield [{"doseQuantity": {"value": float(mg / 1000), "unit": "g", "system": UCUM, "code": "g"}}]
    yield [{"doseRange": {"low": _measured(mg / 2, "mg"), "high": _measured(mg, "mg")}}]
    pieces = mg / strength
    for unit in ("tablet", "{tablet}", "{capsule}", "TAB", "Tablets", "{pill}"):
        yield [{"doseQuantity": {"value": float(pieces), "unit": unit}}]
    kinds = ("calculated", "ordered", "admin-amount")
    yield [exact | {"type": {"coding": [{"system": DOSE_KIND, "code": kind}]}} for kind in kinds]
    yield [exact | {"rateQuantity": {"value": 50, "unit": "mg/h"}}]


def dosages(mg: Decimal, times: int, strength: Decimal) -> Iterator[list[Json]]:
    """`mg`, `times` a day, as dosageInstruction: every timing, every amount, and the ways that need neither."""
    plainly = [{"doseQuantity": _measured(mg, "mg")}]
    for timing in timings(times):
        yield [{"timing": timing, "doseAndRate": plainly}]
    once = {"repeat": {"frequency": times, "period": 1, "periodUnit": "d"}}
    for each in amounts(mg, strength):
        yield [{"timing": once, "doseAndRate": each}]
    if times in _SPOKEN:
        yield [{"text": f"{_number(mg)} mg {_SPOKEN[times]}"}]
        yield [{"text": f"{_number(mg)} mg {_SPOKEN[times]}", "timing": once, "doseAndRate": plainly}]
    if 2 <= times <= len(_WHEN):
        yield [{"timing": {"repeat": {"when": [when]}}, "doseAndRate": plainly} for when in _WHEN[:times]]
        yield [
            {"sequence": 1, "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
             "doseAndRate": plainly}
        ] * times  # fmt: skip
    total = {"numerator": _measured(mg * times, "mg"), "denominator": {"value": 24, "unit": "h", "code": "h"}}
    yield [{"doseAndRate": [{"rateRatio": total}]}]
    yield [{"doseAndRate": [{"rateQuantity": {"value": float(mg * times), "unit": "mg/d"}}]}]
    yield [{"asNeededBoolean": True, "doseAndRate": plainly, "maxDosePerPeriod": total}]


# How a Medication may be referred to, and where it then stands: (reference, where the Medication goes).
REFERENCES: tuple[tuple[str, str], ...] = (
    ("#drug", "contained"),
    ("Medication/drug", "entry"),
    ("Medication/drug/_history/2", "entry"),
    ("https://ehr.example.org/fhir/Medication/drug", "entry"),
    ("urn:uuid:0c4b6a1e-5f9c-4b58-9a55-6a4f0f2d9d10", "full url"),
    ("https://elsewhere.example.org/fhir/Medication/7", "full url"),
)


def referring(order: Json, reference: str, medication: Json, where: str) -> tuple[Json, list[Json]]:
    """The order with that reference in place of its concept, and the entries that come along with it."""
    found = {name: value for name, value in order.items() if name != "medicationCodeableConcept"}
    found["medicationReference"] = {"reference": reference}
    if where == "contained":
        return found | {"contained": [medication | {"id": reference.removeprefix("#")}]}, []
    if where == "full url":
        return found, [{"fullUrl": reference, "resource": {k: v for k, v in medication.items() if k != "id"}}]
    return found, [{"resource": medication | {"id": "drug"}}]


def _measured(value: Decimal, unit: str) -> Json:
    return {"value": float(value), "unit": unit, "system": UCUM, "code": unit}


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"
