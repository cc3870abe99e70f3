"""Journeys: the service as it is started, a FHIR server in another process, the stories loaded, every call over HTTP.

What the service reads for itself gives the cards that the EHR's prefetch gives. `make test` goes some of the journeys,
JOURNEYS=full (`make journeys`) all of them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from cds_service.console import loading
from cds_service.console.fhir_client import FhirClient
from cds_service.console.samples import Sample, find, stories
from tests.fhir_server.running import Fhir, fhir_server, service
from tests.samples import samples as told

Json = dict[str, Any]
PREFETCH_ONLY = {each.full_name for each in told() if each.prefetch_only or each.status != 200}
FULL = os.environ.get("JOURNEYS") == "full"
EVERY = [
    sample for story in stories() for sample in story.samples if f"{story.name}/{sample.name}" not in PREFETCH_ONLY
]
CRITICAL = find("gilteritinib-qtc-512").sample("sign")
REFERRING = find("epic-dialect").sample("sign")
CHOOSING = find("posaconazole-on-venetoclax").sample("select")
SOME = [CRITICAL, REFERRING, CHOOSING, find("relapse-first-steps").sample("view")]
WAYS = ("without-code", "absolute", "no-post-search") if not FULL else (
    "without-code", "absolute", "no-post-search", "pages", "plain", "without-status", "without-_include",
    "short-addresses", "uncounted", "empty-warning", "r4b",
)  # fmt: skip
FAILING = (
    ("500:Observation", "answered 500"), ("withheld", "suppressed"), ("miscounted", "counts more entries"),
    ("throttled:Observation", "too many requests"), ("truncated:Observation", "not FHIR"),
    ("html:Observation", "not FHIR"), ("foreign-next", "outside"), ("loop", "lead back"),
)  # fmt: skip


@dataclass
class Place:
    """Where a journey goes: the service, the FHIR server with the stories, and the day on which they were loaded."""

    service: str
    fhir: Fhir
    now: datetime

    def call(self, sample: Sample, faults: str = "", *, fetch: bool = True, token: str = "") -> tuple[int, Json]:
        """Status and body of the answer to a sample, moved to today; with `fetch` it has no prefetch."""
        days = loading.days_to(find(sample.story), self.now)
        body = loading.moved(json.loads(sample.body), days)
        body.pop("fhirAuthorization", None)
        body["fhirServer"] = self.fhir.having(faults) if faults else self.fhir.base
        if fetch:
            body.pop("prefetch", None)
        if token:
            body["fhirAuthorization"] = {"access_token": token, "token_type": "Bearer"}
        url = f"{self.service}/cds-services/{sample.service}"
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(url, json=body, timeout=15)
        return answer.status_code, answer.json()


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with fhir_server() as fhir, service(GATHER_SECONDS="8") as url:
        now = datetime.now(UTC)
        loading.load(FhirClient(fhir.base), stories(), now, lambda _: None)
        yield Place(url, fhir, now)


def shown(answered: tuple[int, Json]) -> list[Json]:
    """The cards without their uuids."""
    status, body = answered
    assert status == 200, body
    return [_plain(card) for card in body["cards"]]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items() if name != "uuid"}
    return [_plain(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("sample", EVERY if FULL else SOME, ids=lambda each: f"{each.story}/{each.name}")
def test_what_the_service_reads_gives_the_cards_of_prefetch(place, sample):
    sent = shown(place.call(sample, fetch=False))
    for card in sent if sample.story == REFERRING.story else ():
        card["detail"] = card["detail"].replace(" (matched by its name)", "")  # the Medication was not sent along
    assert shown(place.call(sample)) == sent


@pytest.mark.parametrize("faults", WAYS)
@pytest.mark.parametrize("sample", [CRITICAL, REFERRING] if FULL else [REFERRING], ids=lambda each: each.story)
def test_a_server_with_ways_of_its_own_changes_no_card(place, sample, faults):
    def without_words(cards: list[Json]) -> list[Json]:  # asked without a filter, the words count what else was read
        return [{name: each for name, each in card.items() if name != "detail"} for card in cards]

    assert without_words(shown(place.call(sample, faults))) == without_words(shown(place.call(sample)))


@pytest.mark.parametrize("faults, words", FAILING if FULL else FAILING[:3])
def test_a_server_that_fails_is_never_silence(place, faults, words):
    cards = shown(place.call(CRITICAL, faults))
    assert any(words in card["detail"] for card in cards), [card["summary"] for card in cards]
    assert any(card["indicator"] in ("warning", "critical") for card in cards)


def test_a_guarded_server_is_read_with_the_token_of_the_call(place, tmp_path):
    file = tmp_path / "token"
    file.write_text("opaque", encoding="utf-8")
    with fhir_server("--token-file", str(file)) as guarded:
        loading.load(FhirClient(guarded.base, "opaque"), [find(CRITICAL.story)], place.now, lambda _: None)
        there = Place(place.service, guarded, place.now)
        assert shown(there.call(CRITICAL, token="opaque")) == shown(place.call(CRITICAL))
        assert "refused access (401)" in json.dumps(there.call(CRITICAL))
