"""Journeys in short: the service, a FHIR server, and the calls of the samples as if their stories played today."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import requests

from cds_service.console import loading
from cds_service.console.samples import Sample, find, stories
from tests.samples import samples as told

Json = dict[str, Any]
PREFETCH_ONLY = {each.full_name for each in told() if each.prefetch_only or each.status != 200}
EVERY = [
    sample for story in stories() for sample in story.samples if f"{story.name}/{sample.name}" not in PREFETCH_ONLY
]
CRITICAL = find("gilteritinib-qtc-512").sample("sign")
REFERRING = find("epic-dialect").sample("sign")


@dataclass
class Place:
    """Where a journey goes: the service, the FHIR server with the stories, and the day on which they were loaded.

    `given`: the references of the stories and the server's own, where the server gives the ids.
    """

    service: str
    fhir: str
    now: datetime
    given: Mapping[str, str] = field(default_factory=dict)

    def call(
        self, sample: Sample, *, fhir: str = "", fetch: bool = True, token: str | None = None
    ) -> tuple[int, Json]:
        """Status and body of the answer to a sample, moved to today; with `fetch` it has no prefetch."""
        days = loading.days_to(find(sample.story), self.now)
        body = at_home(loading.moved(json.loads(sample.body), days), self.given)
        body.pop("fhirAuthorization", None)
        body["fhirServer"] = fhir or self.fhir
        if fetch:
            body.pop("prefetch", None)
        if token:
            body["fhirAuthorization"] = {"access_token": token, "token_type": "Bearer"}
        url = f"{self.service}/cds-services/{sample.service}"
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(url, json=body, timeout=30)
        return answer.status_code, answer.json()


def given_by(done: Iterable[loading.Done]) -> dict[str, str]:
    """The server's own references to what was loaded."""
    return {name: there for each in done for name, there in each.given.items()}


def at_home(body: Json, given: Mapping[str, str]) -> Json:
    """A call as it is sent where the server gave the ids: its patient, its references and what comes along."""
    body = _with_ids(body, given) if given else body
    patient = f"Patient/{body['context']['patientId']}"
    body["context"]["patientId"] = given.get(patient, patient).partition("/")[2]
    return body


def _with_ids(value: Any, given: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_with_ids(each, given) for each in value]
    if not isinstance(value, dict):
        return value
    there = given.get(f"{value.get('resourceType')}/{value.get('id')}")
    own = {"id": there.partition("/")[2]} if there else {}
    for name in {"reference", "fullUrl"} & value.keys():  # relative, or absolute with the EHR's address before it
        steps = value[name].rsplit("/", 2)
        known = given.get("/".join(steps[-2:]))
        own |= {name: "/".join([*steps[:-2], known])} if known else {}
    return {name: _with_ids(each, given) for name, each in value.items()} | own


def shown(answered: tuple[int, Json]) -> list[Json]:
    """The cards without their uuids."""
    status, body = answered
    assert status == 200, body
    return [_plain(card) for card in body["cards"]]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items() if name != "uuid"}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def sent_along(place: Place, sample: Sample, token: str | None = None) -> list[Json]:
    """The cards of prefetch, as they read where the Medications of orders can be read too."""
    cards = shown(place.call(sample, fetch=False, token=token))
    for card in cards if sample.story == REFERRING.story else ():
        card["detail"] = card["detail"].replace(" (matched by its name, as its Medication did not come along)", "")
    return cards
