"""The pages around the service."""

from __future__ import annotations

import re

from cds_service.web.operations import prefetch_table


def test_health_and_readiness_are_told_in_json(client):
    assert client.get("/healthz").get_json()["status"] == "ok"
    ready = client.get("/readyz").get_json()
    assert (ready["status"], ready["mode"], ready["jurisdiction"]) == ("ready", "demo", "US")
    assert ready["authentication"] == "off: anybody may call"
    assert ready["knowledge"] == "of a test"


def test_the_first_page_says_what_this_is_in_which_mode_and_what_to_type(client):
    text = client.get("/").text
    for words in ("Intended use", "Demo mode, US labels", "curl http://127.0.0.1:8080/cds-services", "aml-cds try"):
        assert words in text


def test_the_prefetch_page_shows_every_query_of_every_service(client, services):
    page = client.get("/prefetch").text.replace("<wbr>", "")
    listed = {row["key"]: row for row in client.get("/prefetch?format=json").get_json()["prefetch"]}
    for service in services:
        for query in service.queries:
            assert listed[query.key]["query"] == query.template
            assert service.hook in listed[query.key]["hooks"]
            assert query.template.replace("&", "&amp;") in page and query.needed_for in page


def test_a_query_appears_once_however_many_hooks_want_it(services):
    keys = [row.key for row in prefetch_table(services)]
    assert len(keys) == len(set(keys))


def test_pages_hold_no_script_and_nothing_from_elsewhere(client):
    for path in ("/", "/prefetch"):
        text = client.get(path).text
        assert not re.search(r"<script|style=|\son\w+=|(?:src|<link[^>]*href)=\"http", text)
    with client.get("/static/plain.css") as styles:
        assert styles.mimetype == "text/css"


def test_the_override_reasons_are_published_as_a_fhir_code_system(client):
    answer = client.get("/codesystems/override-reasons")
    assert answer.mimetype == "application/fhir+json"
    told = answer.get_json()
    assert (told["resourceType"], told["url"]) == ("CodeSystem", "urn:aml-cds:override-reason")
    concept = next(each for each in told["concept"] if each["code"] == "local-protocol")
    assert concept["display"] == "Handled by our local protocol"
    assert {"code": "rule", "valueCoding": {"system": "urn:aml-cds:rule", "code": "donorSearch"}} in concept["property"]
