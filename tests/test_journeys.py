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

import pytest

from cds_service.console import loading
from cds_service.console.fhir_client import FhirClient
from cds_service.console.samples import find, stories
from tests.fhir_server.running import Fhir, fhir_server, service
from tests.journeys import CRITICAL, EVERY, REFERRING, Json, Place, given_by, sent_along, shown

FULL = os.environ.get("JOURNEYS") == "full"
CHOOSING = find("posaconazole-on-venetoclax").sample("select")
SOME = [CRITICAL, REFERRING, CHOOSING, find("relapse-first-steps").sample("view")]
WAYS = ("without-code", "absolute", "no-post-search", "medplum") if not FULL else (
    "without-code", "absolute", "no-post-search", "medplum", "pages", "plain", "without-status", "without-_include",
    "short-addresses", "uncounted", "empty-warning", "r4b",
)  # fmt: skip
FAILING = (
    ("500:Observation", "answered 500"), ("withheld", "suppressed"), ("miscounted", "counts more entries"),
    ("throttled:Observation", "too many requests"), ("truncated:Observation", "not FHIR"),
    ("html:Observation", "not FHIR"), ("foreign-next", "outside"), ("loop", "lead back"),
)  # fmt: skip


@dataclass
class Scene:
    """The place of the journeys, and its FHIR server with every fault."""

    at: Place
    server: Fhir


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with fhir_server() as fhir, service(GATHER_SECONDS="8", ANSWER_SECONDS="20", WHY_LINKS="off") as url:
        now = datetime.now(UTC)
        loading.load(FhirClient(fhir.base), stories(), now, lambda _: None)
        yield Scene(Place(url, fhir.base, now), fhir)


@pytest.mark.parametrize("sample", EVERY if FULL else SOME, ids=lambda each: f"{each.story}/{each.name}")
def test_what_the_service_reads_gives_the_cards_of_prefetch(scene, sample):
    assert shown(scene.at.call(sample)) == sent_along(scene.at, sample)


@pytest.mark.parametrize("faults", WAYS)
@pytest.mark.parametrize("sample", [CRITICAL, REFERRING] if FULL else [REFERRING], ids=lambda each: each.story)
def test_a_server_with_ways_of_its_own_changes_no_card(scene, sample, faults):
    def without_words(cards: list[Json]) -> list[Json]:  # asked without a filter, the words count what else was read
        return [{name: each for name, each in card.items() if name != "detail"} for card in cards]

    cards = shown(scene.at.call(sample, fhir=scene.server.having(faults)))
    assert without_words(cards) == without_words(shown(scene.at.call(sample)))


@pytest.mark.parametrize("faults, words", FAILING if FULL else FAILING[:3])
def test_a_server_that_fails_is_never_silence(scene, faults, words):
    cards = shown(scene.at.call(CRITICAL, fhir=scene.server.having(faults)))
    assert any(words in card["detail"] for card in cards), [card["summary"] for card in cards]
    assert any(card["indicator"] in ("warning", "critical") for card in cards)


def test_where_the_server_gave_the_ids_the_cards_are_the_same(scene):
    with fhir_server() as other:
        client = FhirClient(other.having("medplum"))
        done = loading.load(client, [find(CRITICAL.story), find(REFERRING.story)], scene.at.now, lambda _: None)
        there = Place(scene.at.service, client.base, scene.at.now, given_by(done))
        assert there.given["Patient/story-one"] != "Patient/story-one"
        for sample in (CRITICAL, REFERRING):
            cards = shown(there.call(sample))
            assert cards == sent_along(there, sample)
            assert [each["summary"] for each in cards] == [each["summary"] for each in shown(scene.at.call(sample))]


def test_a_guarded_server_is_read_with_the_token_of_the_call(scene, tmp_path):
    file = tmp_path / "token"
    file.write_text("opaque", encoding="utf-8")
    with fhir_server("--token-file", str(file)) as guarded:
        loading.load(FhirClient(guarded.base, "opaque"), [find(CRITICAL.story)], scene.at.now, lambda _: None)
        with_token = scene.at.call(CRITICAL, fhir=guarded.base, token="opaque")
        assert shown(with_token) == shown(scene.at.call(CRITICAL))
        assert "refused access (401)" in json.dumps(scene.at.call(CRITICAL, fhir=guarded.base))
