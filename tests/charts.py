"""FHIR resources in a few words, and the facts that are read from them. Now is 20 November 2026, noon, UTC."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from msgspec.structs import replace

from cds_service.answer import spans
from cds_service.facts.chart import Chart, read_chart
from cds_service.facts.values.results import Reading, Spans
from cds_service.gather.collect import collect
from cds_service.gather.limits import Deadline
from cds_service.gather.query import Answered
from cds_service.gather.replies import Status
from cds_service.gather.resources import Resource
from cds_service.hooks.request import Draft, FhirAccess, HookRequest
from cds_service.hooks.services import Moment, Query, Service
from cds_service.knowledge.load import Knowledge
from cds_service.knowledge.terms import Terms

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY = "2026-11-20T08:00:00Z"
YESTERDAY = "2026-11-19T08:00:00Z"
LAST_WEEK = "2026-11-13T08:00:00Z"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
KEYS = ("patient", "conditions", "medications", "ecg", "labs", "genomics", "orders", "procedures")
KEYS += ("bedside", "allergies", "statements", "administrations")
Json = dict[str, Any]


@cache
def terms() -> Terms:
    return Knowledge.load().terms


@cache
def policy() -> Spans:
    """What belongs together in time, as the service itself asks the policy: a number that drifts is noticed here."""
    return spans(Knowledge.load().at(NOW.date(), "US"))


def reading() -> Reading:
    return Reading(terms(), UTC, NOW)


def raw(content: Json) -> bytes:
    return json.dumps(content, default=float).encode()


def resource(content: Json, where: str = "labs") -> Resource:
    return Resource(content["resourceType"], raw(content), where)


def concept(code: str | None = None, text: str | None = None, system: str = LOINC, display: str | None = None) -> Json:
    coding = {"system": system, "code": code, "display": display}
    found: Json = {"coding": [{key: value for key, value in coding.items() if value}]} if code else {}
    return found | ({"text": text} if text else {})


def measured(value: Any, unit: str | None = None, **more: Any) -> Json:
    return {"value": value} | ({"unit": unit} if unit else {}) | more


def observation(code: str | Json, when: str | None = TODAY, name: str = "o1", **more: Any) -> Json:
    """A final Observation of that LOINC code; `when` is its effectiveDateTime."""
    found: Json = {
        "resourceType": "Observation", "id": name, "status": "final",
        "code": concept(code) if isinstance(code, str) else code, "subject": {"reference": "Patient/p1"},
    }
    return {**found, **({"effectiveDateTime": when} if when else {}), **more}


def quantity(code: str | Json, value: Any, unit: str | None = None, when: str | None = TODAY, **more: Any) -> Json:
    """A final Observation with that measured value."""
    return observation(code, when, more.pop("name", f"o-{code if isinstance(code, str) else 'x'}-{value}"),
                       **({"valueQuantity": measured(value, unit)} | more))


def condition(code: Json, **more: Any) -> Json:
    return {
        "resourceType": "Condition", "id": "c1", "code": code, "subject": {"reference": "Patient/p1"},
        "clinicalStatus": clinical("active"),
    } | more


def clinical(status: str) -> Json:
    return concept(status, system="http://terminology.hl7.org/CodeSystem/condition-clinical")


def order(drug: Json | str, status: str = "active", **more: Any) -> Json:
    """A MedicationRequest; a drug written as text is text only."""
    found: Json = {
        "resourceType": "MedicationRequest", "id": "m1", "status": status, "intent": "order",
        "subject": {"reference": "Patient/p1"}, "authoredOn": "2026-10-01",
    }
    if "medicationReference" not in more:
        found["medicationCodeableConcept"] = {"text": drug} if isinstance(drug, str) else drug
    return found | more


def _draft(written: Json) -> Draft:
    """A draft, written as the resource or as its whole entry."""
    return Draft(raw(written.get("resource", written)), written.get("fullUrl"))


class NoServer:
    """Stands where a FHIR server could be asked, and gives nothing."""

    def refusal(self, access: FhirAccess) -> str | None:
        return "not in this test"

    def ask_all(self, access: FhirAccess, queries: Mapping[str, str], deadline: Deadline) -> dict[str, Answered]:
        return {}

    def more_pages(self, access: FhirAccess, next_url: str, deadline: Deadline) -> Answered:
        return Answered((), Status.FAILED, "not in this test")


def chart(
    *resources: Json,
    drafts: Iterable[Json] = (),
    others: Iterable[Json] = (),
    statuses: dict[str, Status] | None = None,
    selections: tuple[str, ...] = (),
    within: Spans | None = None,
) -> Chart:
    """The facts, collected as from a call. Each resource goes to the query of its type, an Observation to all three.

    Drafts and `others` may be whole entries, with a fullUrl. `within`: what belongs together in time, else as shipped.
    """
    homes = {"Patient": "patient", "Condition": "conditions", "MedicationRequest": "medications",
             "ServiceRequest": "orders", "Procedure": "procedures", "AllergyIntolerance": "allergies",
             "MedicationStatement": "statements", "MedicationAdministration": "administrations"}
    sent: dict[str, Json] = {key: {"resourceType": "Bundle", "entry": []} for key in KEYS}
    for content in resources:
        home = homes.get(content["resourceType"])
        for key in (home,) if home else ("ecg", "labs", "genomics"):
            sent[key]["entry"].append({"resource": content})
    for content in others:
        sent["medications"]["entry"].append(content if "resource" in content else {"resource": content})
    request = HookRequest(
        "order-sign", "i", "p1", "u", tuple(_draft(each) for each in drafts), selections,
        {key: raw(bundle) for key, bundle in sent.items()}, None,
    )
    service = Service("s", "order-sign", Moment.SIGN, "", "", tuple(Query(key, "", "") for key in KEYS))
    gathered = collect(request, service, NoServer(), Deadline(2, lambda: 0.0))
    replies = {
        key: replace(reply, status=statuses[key], why="timed out") if statuses and key in statuses else reply
        for key, reply in gathered.replies.items()
    }
    gathered = dataclasses.replace(gathered, replies=replies)
    return read_chart(gathered, "p1", selections, within or policy(), terms(), NOW)
