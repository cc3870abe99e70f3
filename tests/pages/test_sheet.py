"""The build sheet: page, Markdown and JSON tell the same, and what it says is what the service does."""

from __future__ import annotations

import json

from cds_service.cli import main
from cds_service.sheet import scopes_of
from tests.tokens import ec_key, jwk, key_set

TENANT = """
[[tenant]]
name = "north"
issuer = "https://ehr.north.example/oauth2"
jwks_file = "north.json"
jurisdiction = "EU"
"""


def test_page_and_twins_tell_the_same(served):
    client = served(PUBLIC_URL="https://cds.example.org").test_client()
    told = client.get("/sheet?format=json", base_url="https://cds.example.org").get_json()
    page = client.get("/sheet", base_url="https://cds.example.org").text.replace("<wbr>", "")
    markdown = client.get("/sheet?format=markdown", base_url="https://cds.example.org").text
    for text in (page, markdown):
        for hook in told["hooks"]:
            assert hook["address"] in text and hook["address"].startswith("https://cds.example.org/cds-services/")
        for row in told["prefetch"]:
            assert row["query"].split("&")[0] in text
        for reason in told["reasons"]:
            assert reason["code"] in text
        for scope in told["scopes"]:
            assert scope["second"] in text


def test_the_addresses_are_answered_and_the_queries_are_those_of_discovery(served):
    client = served().test_client()
    told = client.get("/sheet?format=json").get_json()
    services = {each["id"]: each for each in client.get("/cds-services").get_json()["services"]}
    for hook in told["hooks"]:
        service = services[hook["address"].rpartition("/")[2]]
        assert service["hook"] == hook["hook"] and list(service["prefetch"]) == hook["keys"]
    assert {row["key"]: row["query"] for row in told["prefetch"]} == {
        key: query for each in services.values() for key, query in each["prefetch"].items()
    }


def test_every_type_that_is_asked_has_a_scope(served):
    told = served().test_client().get("/sheet?format=json").get_json()
    asked = {row["query"].split("?")[0].split("/")[0] for row in told["prefetch"]}
    assert asked <= {scope["resource"] for scope in told["scopes"]}
    assert all(not scope["second"].endswith("c") and "write" not in scope["first"] for scope in told["scopes"])
    assert scopes_of(()) and scopes_of(())[0].resource == "Medication"


def test_the_command_writes_a_tenants_own(tmp_path, monkeypatch, capsys):
    (tmp_path / "north.json").write_text(json.dumps(key_set(jwk(ec_key("north"), "n"))))
    (tmp_path / "tenants.toml").write_text(TENANT)
    for name, value in {"MODE": "hospital", "TENANTS": str(tmp_path / "tenants.toml"),
                        "PUBLIC_URL": "https://cds.example.org", "DATA": str(tmp_path)}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    assert main(["sheet", "--tenant", "north"]) == 0
    told = capsys.readouterr().out
    for words in ("# Build sheet: aml-cds, north", "https://ehr.north.example/oauth2", "north.json", "| Labels | EU |",
                  "https://cds.example.org/cds-services/aml-order-sign", "- [ ] "):  # fmt: skip
        assert words in told
    assert main(["sheet"]) == 0 and "north" not in capsys.readouterr().out
    assert main(["sheet", "--tenant", "south"]) == 2


def test_the_page_names_no_tenant(tmp_path, served):
    (tmp_path / "north.json").write_text(json.dumps(key_set(jwk(ec_key("north"), "n"))))
    (tmp_path / "tenants.toml").write_text(TENANT)
    tenants = str(tmp_path / "tenants.toml")
    app = served(MODE="hospital", TENANTS=tenants, PUBLIC_URL="https://cds.example.org", KEEP="audit")
    page = app.test_client().get("/sheet", base_url="https://cds.example.org").text
    assert "ehr.north" not in page and "aml-cds sheet --tenant NAME" in page


