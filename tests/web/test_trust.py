"""Hospital mode over HTTP: nobody is answered without a good token, and each hospital is answered by its own rules."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from cds_service.hooks.caller import Caller
from cds_service.web import serving
from cds_service.web.desk import TrustedDesk
from tests.samples import samples
from tests.tokens import bearer, ec_key, jwk, key_set

NORTH, SOUTH = "https://ehr.north.example/oauth2", "https://ehr.south.example/oauth2"
PUBLIC = "https://cds.example"
TENANTS = f"""
[[tenant]]
name = "north"
issuer = "{NORTH}"
jwks_file = "north.json"
jurisdiction = "US"

[[tenant]]
name = "south"
issuer = "{SOUTH}"
jwks_file = "south.json"
jurisdiction = "EU"
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hospital")
    (folder / "north.json").write_text(json.dumps(key_set(jwk(ec_key("north"), "n"))), encoding="utf-8")
    (folder / "south.json").write_text(json.dumps(key_set(jwk(ec_key("south"), "s"))), encoding="utf-8")
    (folder / "tenants.toml").write_text(TENANTS, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODE", "hospital")
        patch.setenv("TENANTS", str(folder / "tenants.toml"))
        patch.setenv("PUBLIC_URL", PUBLIC)
        return serving.from_environment().test_client()


def north(path, **changes):
    return {"Authorization": bearer(ec_key("north"), headers={"kid": "n"}, iss=NORTH, aud=PUBLIC + path, **changes)}


def south(path, **changes):
    return {"Authorization": bearer(ec_key("south"), headers={"kid": "s"}, iss=SOUTH, aud=PUBLIC + path, **changes)}


def test_a_caller_is_known_by_issuer_and_the_tenant_of_its_token():
    class AllWell:
        def check(self, _authorization, _endpoint):
            return SimpleNamespace(issuer=NORTH, name="north")

    desk = TrustedDesk(AllWell(), {NORTH: "tools"}, PUBLIC)
    caller, _ = desk.receive(bearer(iss=NORTH, tenant="ward"), "/cds-services")
    assert caller == Caller(NORTH, "ward", verified=True, hospital="north")


SIGN = "/cds-services/aml-order-sign"
SAMPLE = "gilteritinib-qtc-512/sign"
ASKED = [("GET", "/cds-services"), ("POST", SIGN), ("POST", "/cds-services/nowhere"), ("POST", SIGN + "/feedback")]


@pytest.mark.parametrize(("method", "path"), ASKED)
@pytest.mark.parametrize("authorization", [None, "Bearer a.b.c", "Basic abc"])
def test_strangers_get_one_answer_everywhere(client, method, path, authorization):
    headers = {"Authorization": authorization} if authorization else {}
    answers = client.open(path, method=method, headers=headers, json={} if method == "POST" else None)
    assert answers.status_code == 401
    assert answers.headers["WWW-Authenticate"] == "Bearer"
    assert answers.json["issue"][0]["diagnostics"] == "this caller is not known here: send the CDS client's own token"


def test_a_browser_may_ask_beforehand_without_a_token(client):
    assert client.options(SIGN).status_code == 204


def test_a_token_for_one_address_opens_no_other(client):
    assert client.post(SIGN, headers=north("/cds-services"), json={}).status_code == 401
    assert client.post(SIGN, headers=north(SIGN + "/feedback"), json={}).status_code == 401


def test_the_host_header_is_no_audience(client):
    token = bearer(ec_key("north"), headers={"kid": "n"}, iss=NORTH, aud="http://localhost/cds-services")
    assert client.get("/cds-services", headers={"Authorization": token}).status_code == 401


def test_one_hospitals_key_does_not_sign_for_another(client):
    token = bearer(ec_key("north"), headers={"kid": "n"}, iss=SOUTH, aud=PUBLIC + "/cds-services")
    assert client.get("/cds-services", headers={"Authorization": token}).status_code == 401


def test_each_hospital_is_answered_with_its_own_labels(client):
    (sample,) = [each for each in samples() if each.full_name == SAMPLE]
    sent = json.dumps(sample.request)
    cards = {}
    for name, token in (("north", north), ("south", south)):
        answer = client.post(SIGN, headers={**token(SIGN), "Content-Type": "application/json"}, data=sent)
        assert answer.status_code == 200
        cards[name] = json.dumps(answer.json["cards"])
    assert "not authenticated" not in cards["north"]
    assert "(US label)" not in cards["north"]
    assert cards["north"] != cards["south"]


def test_discovery_and_feedback_for_those_who_are_known(client):
    assert client.get("/cds-services", headers=north("/cds-services")).json["services"]
    path = SIGN + "/feedback"
    said = {"feedback": [{"card": "a", "outcome": "overridden", "outcomeTimestamp": "2026-11-21T10:00:00Z"}]}
    assert client.post(path, headers=north(path), json=said).status_code == 200


def test_who_was_turned_away_is_counted_without_a_name(client):
    client.get("/cds-services", headers=north("/cds-services", exp=1))
    assert client.get("/healthz").json["callers_turned_away"]["time"] >= 1


def test_a_stranger_does_not_learn_at_healthz_what_his_token_lacks(client):
    client.get("/cds-services", headers=north("/cds-services", exp=1))
    for told in (
        client.get("/healthz", headers={"Host": "cds.example"}, environ_base={"REMOTE_ADDR": "10.0.0.1"}),
        client.get("/healthz", headers={"Via": "1.1 proxy"}),
    ):
        assert told.status_code == 200 and told.json["status"] == "ok"
        assert "callers_turned_away" not in told.json


def test_the_sandbox_has_no_way_in(client):
    answer = client.options(SIGN, headers={"Origin": "https://sandbox.cds-hooks.org"})
    assert "Access-Control-Allow-Origin" not in answer.headers
    answer = client.options(SIGN, headers={"Origin": "http://localhost:8000"})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_the_prefetch_page_says_that_a_hospitals_own_codes_stand_elsewhere(client):
    assert "aml-cds doctor --tenant" in client.get("/prefetch").text
    assert "/cds-services" in client.get("/prefetch?format=json").json["of"]


@pytest.mark.parametrize("path", ["/", "/prefetch", "/readyz", "/healthz"])
def test_pages_name_no_hospital(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    assert b"north" not in answer.data and b"south" not in answer.data
