"""Discovery keeps to CDS Hooks 2.0.1: ids, tokens, and queries that EHRs can answer. Names as in the contract."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qsl

import pytest

from cds_service.hooks.services import Moment, discovery, offered

CODES = {"ecg": ("76634-5", "8636-3"), "labs": ("2823-3",), "bedside": ("29463-7",), "genomics": ("79210-1",)}
SERVICES = offered(CODES)
OFFER = discovery(SERVICES)
HOOKS = {"patient-view", "order-select", "order-sign"}
TOKEN = re.compile(r"\{\{(.*?)\}\}")
# order-select and order-sign allow these; patient-view allows them too (Hook Library 1.0.1).
TOKENS = {"context.patientId", "context.userId", "context.encounterId"}
REFERENCES, TOKEN_PARAMETERS = {"patient"}, {"code", "status"}
QUERIES = sorted({query.template for service in SERVICES for query in service.queries})


def _values(node):
    yield node
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from _values(child)


def test_disc_b_the_body_is_an_object_with_a_list_of_services():
    assert list(OFFER) == ["services"] and len(OFFER["services"]) == 3
    assert discovery(()) == {"services": []}


@pytest.mark.parametrize("service", OFFER["services"], ids=lambda service: service["id"])
def test_disc_c_to_f_a_service_says_what_it_is(service):
    for name in ("hook", "title", "description", "id", "usageRequirements"):
        assert isinstance(service[name], str) and service[name]
    assert all(isinstance(key, str) and isinstance(query, str) for key, query in service["prefetch"].items())


@pytest.mark.parametrize("service", OFFER["services"], ids=lambda service: service["id"])
def test_disc_g_a_service_says_which_version_of_cds_hooks_it_speaks(service):
    assert re.fullmatch(r"\d+\.\d+\.\d+", service["version"])


def test_disc_i_ids_are_safe_in_a_url():
    assert all(re.fullmatch(r"[a-z0-9-]+", service.id) for service in SERVICES)


def test_disc_j_each_hook_has_an_id_of_its_own_because_clients_key_cards_by_it():
    assert {service.hook for service in SERVICES} == HOOKS
    assert len({service.id for service in SERVICES}) == len(SERVICES)
    assert len({service.moment for service in SERVICES}) == len(Moment)


def test_gen_2_nothing_in_discovery_is_null_or_empty():
    assert all(value not in (None, "", [], {}) for value in _values(OFFER))


def test_gen_1_discovery_is_strict_json():
    assert json.loads(json.dumps(OFFER, allow_nan=False)) == OFFER


@pytest.mark.parametrize("query", QUERIES)
def test_tok_1_and_2_tokens_are_first_level_primitives_of_the_context(query):
    tokens = set(TOKEN.findall(query))
    assert tokens and tokens <= TOKENS
    assert "{" not in TOKEN.sub("", query) and "}" not in TOKEN.sub("", query)


@pytest.mark.parametrize("query", QUERIES)
def test_pfq_1_queries_stay_in_the_subset_that_is_widely_supported(query):
    path, _, search = query.partition("?")
    if not search:
        assert re.fullmatch(r"[A-Z][A-Za-z]+/\{\{context\.patientId\}\}", path)
        return
    assert re.fullmatch(r"[A-Z][A-Za-z]+", path)
    for name, value in parse_qsl(search, strict_parsing=True):
        assert name in REFERENCES | TOKEN_PARAMETERS
        assert value


@pytest.mark.parametrize("query", QUERIES)
def test_every_search_is_for_this_patient(query):
    assert query == "Patient/{{context.patientId}}" or "?patient={{context.patientId}}" in query


def test_a_filled_query_holds_no_token():
    for service in SERVICES:
        assert all("p-1" in query.filled("p-1") and "{{" not in query.filled("p-1") for query in service.queries)


def test_what_is_asked_by_code_names_the_codes_that_are_read():
    queries = dict(zip(SERVICES[0].keys, SERVICES[0].queries, strict=True))
    for key, codes in CODES.items():
        assert queries[key].template.endswith(",".join(f"http://loinc.org|{code}" for code in codes))
        assert "category" not in queries[key].template


def test_one_key_means_one_query_at_every_hook():
    queries = {query for service in SERVICES for query in service.queries}
    assert len({query.key for query in queries}) == len(queries)
    assert all(query.needed_for for query in queries)


def test_every_status_with_which_an_order_counts_is_asked_for():
    (template,) = {query.template for service in SERVICES for query in service.queries if query.key == "medications"}
    asked = dict(parse_qsl(template.partition("?")[2]))["status"].split(",")
    assert set(asked) == {"active", "on-hold", "stopped", "completed", "unknown"}
