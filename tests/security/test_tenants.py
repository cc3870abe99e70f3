"""The file of tenants: what is wrong in it stops the start, and the message names entry, key and expectation."""

from __future__ import annotations

import json

import pytest

from cds_service.answer import load_tools, load_tools_of_tenants
from cds_service.errors import SettingsError
from cds_service.hooks.request import FhirAccess
from cds_service.security.outbound import Way
from cds_service.security.tenants import read_tenants
from cds_service.settings import Settings
from cds_service.watch.logs import FIELDS
from tests.tokens import key_set

GOOD = {
    "name": '"north"',
    "issuer": '"https://ehr.north.example/oauth2"',
    "jwks_file": '"keys.json"',
    "jurisdiction": '"EU"',
    "fhir_servers": '["https://ehr.north.example/fhir/r4"]',
}


def read(folder, text):
    (folder / "keys.json").write_text(json.dumps(key_set()), encoding="utf-8")
    (folder / "north").mkdir(exist_ok=True)
    (folder / "tenants.toml").write_text(text, encoding="utf-8")
    return read_tenants(folder / "tenants.toml", ("US", "EU", "JP"), Way())


def entry(**changes):
    lines = (f"{key} = {value}" for key, value in (GOOD | changes).items() if value is not None)
    return "[[tenant]]\n" + "\n".join(lines) + "\n"


def test_a_good_file(tmp_path):
    north, south = read(
        tmp_path,
        entry(overlay='"north"')
        + entry(name='"south"', issuer='"https://s.example"', jwks_file=None, jwks_url='"https://s.example/jwks"'),
    )
    assert (north.algorithms, north.refuses_replay, north.overlay) == (("ES384", "RS384"), True, tmp_path / "north")
    assert (south.jwks_url, south.jwks_file, south.overlay) == ("https://s.example/jwks", None, None)


@pytest.mark.parametrize(
    "name", ["Klinikum München (Süd)", "St. Mary's", "Hôpital de l’Enfant", "A & B [test]", "日本病院"]
)
def test_a_name_is_one_that_logs_repeat(tmp_path, name):
    (tenant,) = read(tmp_path, entry(name=f'"{name}"'))
    assert tenant.name == name and FIELDS["tenant"][1].fullmatch(name)


@pytest.mark.parametrize(("servers", "more"), [
    (["http://127.0.0.1:8090/fhir", "http://localhost/fhir", "http://[::1]/fhir"], {}),
    (["http://hapi:8090/fhir", "https://ehr.north.example/r4"], {"fhir_in_the_clear": "true"}),
])
def test_a_server_without_tls_is_asked_on_this_machine_or_where_that_is_said(tmp_path, servers, more):
    (tenant,) = read(tmp_path, entry(fhir_servers=json.dumps(servers), **more))
    assert tenant.fhir_servers == tuple(servers)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (entry(overlay='"north"', overlay_sha256='"abc"'), "'overlay_sha256': expected 64 hexadecimal digits"),
        (entry(overlay_sha256=f'"{"0" * 64}"'), "an 'overlay' beside it"),
        ("", "holds no hospital"),
        ("[[tenant", "is not TOML"),
        ("tenant = 5", "holds no hospital"),
        ("tenant = [5]", "tenant 1, 'tenant': expected a table"),
        (entry() + "\n[other]\n", "nothing else"),
        (entry(colour='"red"'), "'colour': expected one of"),
        (entry(name=None), "tenant 1, 'name'"),
        (entry(name=f'"{"n" * 65}"'), "tenant 1, 'name': expected a name of 64 characters at most"),
        (entry(name='"a\\nb"'), "'name': expected a name of 64"),
        (entry(name='"a\\u202eb"'), "'name': expected a name of 64"),
        (entry(name='"a<b>"'), "'name': expected a name of 64"),
        (entry(fhir_servers='["https://a/b", "http://fhir.north.example/r4"]'), "write fhir_in_the_clear = true"),
        (entry(fhir_servers='["http://10.0.0.7/r4"]', fhir_in_the_clear="false"), "write fhir_in_the_clear = true"),
        (entry(fhir_in_the_clear='"yes"'), "'fhir_in_the_clear': expected true or false"),
        (entry(fhir_servers='["https://u@a/b"]'), "'fhir_servers': expected entry 1: it holds a user name"),
        (entry(issuer=None), "'issuer'"),
        (entry(issuer='"https://sandbox.cds-hooks.org"'), "the Sandbox's is public"),
        (entry(issuer='"https://sandbox.cds-hooks.org/"'), "the Sandbox's is public"),
        (entry(jwks_file=None), "not both and not neither"),
        (entry(jwks_url='"https://x.example/jwks"'), "not both and not neither"),
        (entry(jwks_file=None, jwks_url='"http://x.example/jwks"'), "an https URL"),
        (entry(jwks_file=None, jwks_url='"https://[::1"'), "an https URL"),
        (entry(jwks_file=None, jwks_url='"https://x.example:99999/jwks"'), "an https URL"),
        (entry(jwks_file=None, jwks_url='"https://x.example/ jwks"'), "an https URL"),
        (entry(jwks_file=None, jwks_url='"https://sandbox.cds-hooks.org/jwks"'), "the Sandbox's private key is public"),
        (entry(jwks_file='"missing.json"'), "a file beside this one"),
        (entry(jurisdiction=None), "'jurisdiction': expected one of US, EU, JP"),
        (entry(jurisdiction='"UK"'), "'jurisdiction': expected one of US, EU, JP"),
        (entry(fhir_servers='["ftp://x"]'), "'fhir_servers'"),
        (entry(fhir_servers='"https://x.example"'), "a list of texts"),
        (entry(algorithms='["HS256"]'), "'algorithms'"),
        (entry(algorithms='["none"]'), "'algorithms'"),
        (entry(algorithms="[]"), "'algorithms'"),
        (entry(replay='"ignore"'), "one of refuse, record"),
        (entry(overlay='"nowhere"'), "a folder beside this file"),
        (entry() + entry(name='"south"'), "same issuer"),
        (entry() + entry(issuer='"https://other.example"'), "same name"),
    ],
)
def test_a_fault_names_its_place(tmp_path, text, says):
    with pytest.raises(SettingsError, match="TENANTS") as caught:
        read(tmp_path, text)
    assert says in str(caught.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(SettingsError, match=r"tenants\.toml cannot be read"):
        read_tenants(tmp_path / "tenants.toml", ("US",), Way())


def test_where_to_add_a_server_is_told_in_the_words_of_the_mode(tmp_path):
    (tenant,) = read(tmp_path, entry())
    env = {"MODE": "hospital", "TENANTS": str(tmp_path / "tenants.toml"), "PUBLIC_URL": "https://cds.example.org"}
    tools = load_tools_of_tenants(Settings.load(env), [tenant])[tenant.issuer]
    asked = FhirAccess("https://other.example/fhir")
    assert str(tools.fhir.refusal(asked)).endswith("that this service may ask (fhir_servers of the tenant)")
    assert str(load_tools(Settings.load({})).fhir.refusal(asked)).endswith("(setting FHIR_SERVERS)")
