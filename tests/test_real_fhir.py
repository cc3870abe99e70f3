"""Journeys against a real FHIR server: `make test-fhir FHIR_URL=...`, with AML_CDS_TOKEN where it wants a token.

It must be a test server: the stories are loaded, asked for and taken away again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from cds_service import cli
from cds_service.cli import grammar
from cds_service.console import loading
from cds_service.console.fhir_client import FhirClient
from cds_service.console.samples import stories
from tests.fhir_server.running import service
from tests.journeys import CRITICAL, EVERY, Place, given_by, sent_along, shown

URL = os.environ.get("FHIR_URL", "").rstrip("/")
TOKEN = os.environ.get(grammar.TOKEN) or None

pytestmark = pytest.mark.skipif(
    not URL, reason="FHIR_URL is not set: make test-fhir FHIR_URL=http://127.0.0.1:8090/fhir, a test server of yours"
)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    client, now = FhirClient(URL, TOKEN), datetime.now(UTC)
    with service(GATHER_SECONDS="10", ANSWER_SECONDS="20", FHIR_SERVERS=URL, WHY_LINKS="off") as url:
        loaded = loading.load(client, stories(), now, lambda _: None)
        yield Place(url, URL, now, given_by(loaded))
        loading.unload(client, stories(), now, lambda _: None)


@pytest.mark.parametrize("sample", EVERY, ids=lambda each: f"{each.story}/{each.name}")
def test_what_the_service_reads_gives_the_cards_of_prefetch(place, sample):
    assert shown(place.call(sample, token=TOKEN)) == sent_along(place, sample, TOKEN)


def test_the_doctor_finds_every_query_answered(place, capsys):
    patient = place.given.get("Patient/story-one", "Patient/story-one").partition("/")[2]
    cli.main(["doctor", "--fhir", URL, "--patient", patient])
    out = capsys.readouterr().out
    assert "failed" not in out and "partial" not in out, out


def test_after_unloading_and_loading_again_nothing_is_doubled(place):
    client = FhirClient(URL, TOKEN)
    loaded = sum(each.resources for each in loading.unload(client, stories(), place.now, lambda _: None))
    done = loading.load(client, stories(), place.now, lambda _: None)
    assert loaded == sum(each.resources for each in done)
    place.given = given_by(done)
    assert shown(place.call(CRITICAL, token=TOKEN)) == sent_along(place, CRITICAL, TOKEN)
