"""The record of a vignette as an EHR sends it: each line becomes FHIR, and the service's own reader reads it.

How to write one: `vignettes/README.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from cds_service.facts.disease import DISEASE, RELAPSE
from cds_service.facts.drugs.medications import MEDICATIONS
from cds_service.facts.fact import Fact
from cds_service.facts.orders import ORDERED
from cds_service.facts.values.ecg import ECGS, QTC
from cds_service.facts.values.results import Spans
from tests.charts import ICD, Json, chart, concept, measured, observation, order

Line = Mapping[str, Any]

_ORDER = {"order", "status", "id", "identifier", "version", "updated", "written", "from", "until", "dose", "prior"}
_ORDER |= {"based on", "instructions"}
_SAID = {"stated", "given", "status", "day", "asserted", "from", "until", "dose"}
_MEASURED = {"QT interval": "8634-8", "heart rate": "8867-4", "QTcF": "76634-5"}
_INSTRUCTION = {"amount", "often", "code", "text", "when", "sequence", "as needed", "from", "until", "days"}
_ABBREVIATIONS = "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation"
_SUBJECT = {"reference": "Patient/p1"}


def read_record(lines: Iterable[Line], within: Spans) -> tuple[Fact[Any], ...]:
    """What these lines are read as: the medication list, and where there are any the ECGs, the AML and tests on order.

    What is written as a draft is one of this call. `within`: what belongs together in time, by the policy.
    """
    sent = [_resource(dict(line), number) for number, line in enumerate(lines)]
    drafts = [each for each in sent if each.get("status") == "draft"]
    read = chart(*(each for each in sent if each.get("status") != "draft"), drafts=drafts, within=within)
    types = {each["resourceType"] for each in sent}
    ecgs = (QTC, ECGS) if "Observation" in types else ()
    aml = (DISEASE, RELAPSE) if "Condition" in types else ()
    tests = (ORDERED,) if "ServiceRequest" in types else ()
    return tuple(read.get(key) for key in (MEDICATIONS, *ecgs, *aml, *tests))


def _resource(line: dict[str, Any], number: int) -> Json:
    if "order" in line:
        return _order(_known(line, _ORDER), number)
    if "diagnosed" in line:
        return _diagnosis(_known(line, {"diagnosed", "day", "at"}), number)
    if "test" in line:
        return _test(_known(line, {"test", "day"}), number)
    if "measured" in line:
        return _result(_known(line, {"measured", "value", "day", "status"}), number)
    return _statement(_known(line, _SAID), number) if "stated" in line else _dose_given(_known(line, _SAID), number)


def _result(line: dict[str, Any], number: int) -> Json:
    code = _MEASURED[line["measured"]]
    more = {"status": line.get("status", "final"), "valueQuantity": _amount(line["value"])}
    return observation(code, line["day"], name=f"o{number}", **more)


def _test(line: dict[str, Any], number: int) -> Json:
    return {
        "resourceType": "ServiceRequest", "id": f"s{number}", "status": "active", "intent": "order",
        "subject": _SUBJECT, "code": {"text": line["test"]}, "authoredOn": _day(line["day"]),
    }  # fmt: skip


def _diagnosis(line: dict[str, Any], number: int) -> Json:
    found: Json = {
        "resourceType": "Condition", "id": f"c{number}", "subject": _SUBJECT,
        "code": concept(line["diagnosed"], system=ICD), "recordedDate": _day(line["day"]),
    }  # fmt: skip
    visit = concept("encounter-diagnosis", system="http://terminology.hl7.org/CodeSystem/condition-category")
    return found | ({"category": [visit]} if line.get("at") == "a visit" else {"onsetDateTime": _day(line["day"])})


def _known(line: dict[str, Any], names: set[str]) -> dict[str, Any]:
    if line.keys() - names:
        raise ValueError(f"record: '{', '.join(line.keys() - names)}' is not part of a line; see vignettes/README.md")
    return line


def _order(line: dict[str, Any], number: int) -> Json:
    steps = line.get("instructions") or ([{"amount": line["dose"], "often": 1}] if "dose" in line else [])
    meta = {"versionId": str(line.get("version", "")), "lastUpdated": str(line.get("updated", ""))}
    period = {name: line[name] for name in ("from", "until") if name in line}
    steps = steps or ([{}] if period else [])
    more: Json = {
        "id": line.get("id", f"m{number}"),
        "meta": {key: value for key, value in meta.items() if value},
        "identifier": [{"system": "urn:example", "value": line["identifier"]}] if "identifier" in line else [],
        "authoredOn": _day(line.get("written", line.get("from"))),
        "dosageInstruction": [_instruction({**period, **step}) for step in steps],
        "priorPrescription": {"reference": f"MedicationRequest/{line['prior']}"} if "prior" in line else {},
        "basedOn": [{"reference": f"MedicationRequest/{line['based on']}"}] if "based on" in line else [],
    }
    found = order(line["order"], line.get("status", "active"), **more)
    return {key: value for key, value in found.items() if value not in ("", None, [], {})}


def _instruction(step: dict[str, Any]) -> Json:
    _known(step, _INSTRUCTION)
    period = {"start": _day(step.get("from")), "end": _day(step.get("until"))}
    repeat: Json = {"boundsPeriod": {key: day for key, day in period.items() if day}}
    repeat |= {"frequency": step["often"], "period": 1, "periodUnit": "d"} if "often" in step else {}
    repeat |= {"when": [step["when"]]} if "when" in step else {}
    length = {"unit": "d", "system": "http://unitsofmeasure.org", "code": "d"}
    repeat |= {"boundsDuration": length | {"value": step["days"]}} if "days" in step else {}
    timing = {
        "repeat": {key: value for key, value in repeat.items() if value},
        "code": {"coding": [{"system": _ABBREVIATIONS, "code": step["code"]}]} if "code" in step else {},
    }
    found: Json = {
        "timing": {key: value for key, value in timing.items() if value},
        "text": step.get("text"),
        "sequence": step.get("sequence"),
        "asNeededBoolean": step.get("as needed"),
        "doseAndRate": [{"doseQuantity": _amount(step["amount"])}] if "amount" in step else [],
    }
    return {key: value for key, value in found.items() if value not in (None, [], {})}


def _statement(line: dict[str, Any], number: int) -> Json:
    period = {"start": _day(line.get("from")), "end": _day(line.get("until"))}
    found: Json = {
        "resourceType": "MedicationStatement", "id": f"s{number}", "status": line.get("status", "active"),
        "subject": _SUBJECT, "medicationCodeableConcept": {"text": line["stated"]},
        "effectiveDateTime": _day(line.get("day")), "dateAsserted": _day(line.get("asserted")),
        "effectivePeriod": {key: day for key, day in period.items() if day},
        "dosage": [_instruction({"amount": line["dose"], "often": 1})] if "dose" in line else [],
    }  # fmt: skip
    return {key: value for key, value in found.items() if value not in ("", [], {})}


def _dose_given(line: dict[str, Any], number: int) -> Json:
    found: Json = {
        "resourceType": "MedicationAdministration", "id": f"a{number}", "status": line.get("status", "completed"),
        "subject": _SUBJECT, "medicationCodeableConcept": {"text": line["given"]},
        "effectiveDateTime": _day(line.get("day")),
        "dosage": {"dose": _amount(line["dose"])} if "dose" in line else "",
    }  # fmt: skip
    return {key: value for key, value in found.items() if value != ""}


def _amount(written: str) -> Json:
    value, unit = written.split()
    return measured(float(value), unit)


def _day(written: date | str | None) -> str:
    return "" if written is None else str(written)
