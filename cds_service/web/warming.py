"""Warming: one made-up call for each service, before the workers are forked.

What is made when it is first needed (look-ups of the day, shapes that are learnt) is then made once and shared, and
nobody waits for it at the first call. The chart is nobody's, without a value, a FHIR server or a code that is asked
elsewhere; the answer is given to nobody, counted nowhere and kept nowhere.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import msgspec

from cds_service.answer import Answer, Tools, answer
from cds_service.hooks.services import Moment, Service

log = logging.getLogger(__name__)

_WHO = "made-up"
_INSTANCE = "00000000-0000-4000-8000-000000000000"
_SEEN = ("potassium", "magnesium", "qtc_fridericia")
_DRUGS = 2


def warm(tools: Tools) -> tuple[Answer, ...]:
    """Answer the made-up calls. What goes wrong is said, and keeps nobody from starting."""
    alone = replace(tools, repeats=None, why=None)
    made = []
    for service in tools.services:
        try:
            made.append(answer(msgspec.json.encode(_request(service, tools)), service, alone))
            _ = made[-1].body
        except Exception as error:  # noqa: BLE001 - the calls that come are answered each by itself
            log.error("a made-up call to %s before the start failed: %s", service.id, type(error).__name__)
    return tuple(made)


def _request(service: Service, tools: Tools) -> dict[str, Any]:
    day = tools.now().date()
    drugs = sorted(tools.knowledge.at(day, tools.jurisdiction).drugs)[:_DRUGS]
    orders = [_order(place, drug, day.isoformat()) for place, drug in enumerate(drugs)]
    results = [_result(name, tools.knowledge.terms.codes(name), day.isoformat()) for name in _SEEN]
    prefetch: dict[str, Any] = {key: _bundle([]) for key in service.keys}
    prefetch |= {"patient": {"resourceType": "Patient", "id": _WHO, "gender": "unknown"}}
    prefetch |= {key: _bundle(results) for key in ("labs",) if key in service.keys}
    prefetch |= {key: _bundle(orders) for key in ("medications",) if key in service.keys}
    context: dict[str, Any] = {"patientId": _WHO, "userId": f"Practitioner/{_WHO}"}
    if service.moment is not Moment.VIEW:
        context["draftOrders"] = _bundle([each | {"status": "draft"} for each in orders])
    if service.moment is Moment.SELECT:
        context["selections"] = [f"MedicationRequest/{each['id']}" for each in orders]
    return {"hook": service.hook, "hookInstance": _INSTANCE, "context": context, "prefetch": prefetch}


def _order(place: int, drug: str, day: str) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest", "id": f"{_WHO}-{place}", "status": "active", "intent": "order",
        "medicationCodeableConcept": {"text": drug}, "subject": {"reference": f"Patient/{_WHO}"}, "authoredOn": day,
    }  # fmt: skip


def _result(name: str, codes: tuple[str, ...], day: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "id": f"{_WHO}-{name.replace('_', '-')}", "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code} for code in codes[:1]]},
        "subject": {"reference": f"Patient/{_WHO}"}, "effectiveDateTime": day,
    }  # fmt: skip


def _bundle(resources: list[dict[str, Any]]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": each} for each in resources]}
