"""The file of tenants: what is wrong in it stops the start, and the message names entry, key and expectation."""

from __future__ import annotations

import json

import pytest

from cds_service.errors import SettingsError
from cds_service.security.outbound import Way
from cds_service.security.tenants import read_tenants
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
