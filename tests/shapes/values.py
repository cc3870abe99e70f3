"""Shapes of values: one measured value written in every way that FHIR and its clients know.

A writer takes what was measured and gives the resources; readers are held to read the same from each of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Json = dict[str, Any]
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
VENDOR = "urn:oid:1.2.3.4.5.72"
TAKEN = "2026-11-20T08:00:00Z"
_SUBJECT = {"reference": "Patient/p1"}
_STEPS = ("LA9622-7", "LA9623-5", "LA9624-3", "LA9625-0", "LA9626-8", "LA9627-6")


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured: under which LOINC code, how much of which unit."""

    code: str
    value: Decimal
    unit: str


def observation(code: Json, when: Json | None = None, **more: Any) -> Json:
    """A final Observation of 20 November 2026, eight o'clock, unless `when` says it in another way."""
    head = {"resourceType": "Observation", "id": "v1", "status": "final", "code": code, "subject": _SUBJECT}
    return {**head, **({"effectiveDateTime": TAKEN} if when is None else when), **more}


def concept(code: str, system: str = LOINC, **more: Any) -> Json:
    """A concept of one coding."""
    return {"coding": [{"system": system, "code": code}], **more}


def written(value: Decimal) -> float | int:
    """The number as JSON writes it."""
    return int(value) if value == value.to_integral_value() else float(value)


def values(what: Measured) -> Iterator[Json]:
    """The value alone, in every value[x] that can hold it."""
    plain = {"value": written(what.value), "unit": what.unit}
    yield {"valueQuantity": plain}
    yield {"valueQuantity": {"value": str(what.value), "unit": what.unit}}
    yield {"valueQuantity": {"value": written(what.value), "code": what.unit}}
    yield {"valueQuantity": plain | {"unit": "as shown", "system": UCUM, "code": what.unit}}
    yield {"valueQuantity": plain | {"system": f"{UCUM}/", "code": what.unit}}
    yield {"valueQuantity": plain | {"system": VENDOR, "code": "4711"}}
    yield {"valueRange": {"low": plain, "high": plain}}


def texts(what: Measured) -> Iterator[Json]:
    """The value in words, with point and with comma. Not for numbers with exactly three decimals, which are refused."""
    for number in dict.fromkeys((f"{what.value:f}", f"{what.value:f}".replace(".", ","))):
        yield {"valueString": f"{number} {what.unit}"}
        yield {"valueString": f" {number}  {what.unit} "}


def codes(what: Measured) -> Iterator[Json]:
    """The code, alone and beside a vendor's own."""
    yield concept(what.code)
    yield concept(what.code, "urn:oid:2.16.840.1.113883.6.1")
    yield concept(what.code, "https://loinc.org/")
    own = {"system": VENDOR, "code": "4711", "userSelected": True, "display": "as the site calls it"}
    yield {"coding": [own, *concept(what.code)["coding"]], "text": "as the site calls it"}


def times() -> Iterator[Json]:
    """One moment, in every effective[x]."""
    yield {"effectiveDateTime": TAKEN}
    yield {"effectiveDateTime": "2026-11-20T10:00:00.000+02:00"}
    yield {"effectiveInstant": TAKEN}
    yield {"effectivePeriod": {"start": TAKEN, "end": TAKEN}}
    yield {"effectivePeriod": {"start": TAKEN}}
    yield {"effectiveTiming": {"event": ["2026-11-19T08:00:00Z", TAKEN]}}


def holders(code: Json, value: Json) -> Iterator[Json]:
    """The Observation that holds the value: itself, in a part, or inside a report."""
    yield observation(code, **value)
    part = {"code": code, **value}
    other = {"code": concept("9999", VENDOR), "valueString": "something else"}
    yield observation(concept("panel", VENDOR), component=[other, part])
    yield observation(concept("58410-2"), component=[part, other])
    inner = {"resourceType": "Observation", "id": "in", "status": "final", "code": code, **value}
    report = {"resourceType": "DiagnosticReport", "id": "r1", "status": "final", "code": {"text": "report"}}
    report |= {"subject": _SUBJECT, "effectiveDateTime": TAKEN, "result": [{"reference": "#in"}]}
    yield report | {"contained": [inner]}
    yield report | {"contained": [{**inner, "subject": _SUBJECT, "effectiveDateTime": TAKEN}]}


def resources(what: Measured) -> Iterator[Json]:
    """The value in every shape: each of its sides is varied once while the others stand still."""
    plain_code, plain_value = next(codes(what)), next(values(what))
    yield from (observation(code, **plain_value) for code in codes(what))
    yield from (observation(plain_code, when, **plain_value) for when in times())
    for value in values(what):
        yield from holders(plain_code, value)
    if -what.value.as_tuple().exponent != 3:
        yield from (observation(plain_code, **value) for value in texts(what))


def qtcf(ms: int) -> Iterator[Json]:
    """One QTcF of so many ms, in every shape that states it."""
    yield from resources(Measured("76634-5", Decimal(ms), "ms"))
    yield from resources(Measured("76634-5", Decimal(ms) / 1000, "s"))
    measured = {"value": ms, "unit": "ms"}
    part = {"code": concept("76634-5"), "valueQuantity": measured}
    bazett = {"code": concept("76635-2"), "valueQuantity": {"value": ms + 30, "unit": "ms"}}
    yield observation(concept("8636-3"), component=[bazett, part])
    yield observation(concept("146964", "urn:iso:std:iso:11073:10101"), valueQuantity=measured)
    yield observation(concept("8636-3", text="QTcF"), valueQuantity=measured)
    yield observation(concept("8636-3"), method={"text": "Fridericia"}, valueQuantity=measured)
    yield observation(concept("4711", VENDOR, text="12 lead ECG QTcF"), valueQuantity=measured)
    yield observation({"text": "QTc (Fridericia)"}, valueString=f"{ms} ms")


_GRADES = ("425389002", "422512005", "422894000", "423053003", "423237006")  # as SNOMED has them; of 5 none was read
_TUMOUR_DOCUMENTATION = (
    "https://www.medizininformatik-initiative.de/fhir/ext/modul-onko/CodeSystem/"
    "mii-cs-onko-allgemeiner-leistungszustand-ecog"
)


def ecog(step: int) -> Iterator[Json]:
    """One ECOG step, as number, as code, and as both."""
    answer = concept(_STEPS[step])
    code = concept("89247-1")
    yield observation(code, valueInteger=step)
    yield observation(code, valueQuantity={"value": step})
    yield observation(code, valueQuantity={"value": step, "unit": "{score}", "system": UCUM, "code": "{score}"})
    yield observation(code, valueString=str(step))
    yield observation(code, valueCodeableConcept=answer)
    yield observation(code, interpretation=[answer])
    yield observation(code, valueInteger=step, interpretation=[answer])
    yield observation(concept("423740007", "http://snomed.info/sct"), valueInteger=step)
    yield observation(concept("89262-0"), valueInteger=step)
    yield observation(concept("58410-2"), component=[{"code": code, "valueCodeableConcept": answer}])
    for words in ("{}", "ECOG {}", "ECOG performance status: {}", "Grade {}", "{} - as described"):
        yield observation(code, valueCodeableConcept={"text": words.format(step)})
    if step < len(_GRADES):
        yield observation(code, valueCodeableConcept=concept(_GRADES[step], "http://snomed.info/sct"))
        yield observation(code, valueCodeableConcept=concept(str(step), _TUMOUR_DOCUMENTATION))
