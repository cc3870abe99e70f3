"""The way out: an authority of the hospital's own and a proxy, by settings; never by the environment."""

from __future__ import annotations

import json
import logging
import sys
import time
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from cds_service.console import settings_told
from cds_service.console.fhir_client import FhirClient
from cds_service.errors import CdsError, SettingsError
from cds_service.gather.limits import Deadline, Limits
from cds_service.gather.query import Answered, FhirSession
from cds_service.gather.replies import Status
from cds_service.gather.terminology import NoAnswer, TerminologyServer
from cds_service.hooks.request import FhirAccess
from cds_service.security.keys import RemoteKeys
from cds_service.security.outbound import Way, credentials_in, require_certificates
from cds_service.security.tenants import USUAL, read_tenants
from cds_service.settings import Settings
from tests.house import Authority, Heard, proxying, serving
from tests.tokens import key_set

EHR = "ehr.example.org"  # a name that nobody here can resolve: only a proxy leads there
SECRET = "aml-cds:p@ss:wörd"
TOLD = "Basic " + b64encode(SECRET.encode()).decode()
ENTRY = {"resource": {"resourceType": "Observation", "id": "a"}}
BODY = json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": [ENTRY]}).encode()
UNSAFE = "no secure connection to the FHIR server could be made (certificate or TLS)"
NO_PROXY = "the proxy on the way to the FHIR server could not be used"


def ask(base: str, way: Way | None = None, seconds: float = 5) -> Answered:
    session = FhirSession(Limits(), way)
    query = {"a": "Observation?patient=p1"}
    return session.ask_all(FhirAccess(base, "opaque-token"), query, Deadline(seconds, time.monotonic))["a"]


def lines(heard: Heard) -> list[str]:
    return [each.split()[0] + " " + each.split()[1].partition("?")[0] for each in heard.lines]


# An authority of its own


def test_a_server_of_the_hospitals_own_authority_is_read_with_its_bundle_only(tmp_path):
    house, other = Authority(), Authority("another")
    with serving(BODY, house.certifies(tmp_path, "localhost")) as server:
        base = f"https://localhost:{server.port}/fhir"
        assert ask(base, Way(house.bundle(tmp_path))).status is Status.COMPLETE
        heard = len(server.lines)
        for way in (None, Way(other.bundle(tmp_path, "other.pem"))):
            assert ask(base, way).why == UNSAFE
        assert len(server.lines) == heard


def test_the_command_line_says_why_a_certificate_is_not_trusted(tmp_path):
    house, old = Authority(), Authority("an old one", complete=False)
    bundles = house.bundle(tmp_path), old.bundle(tmp_path, "old.pem")
    with serving(BODY, house.certifies(tmp_path, "another.example.org")) as server:
        with pytest.raises(CdsError, match=r"another\.example\.org|[Hh]ostname mismatch"):
            FhirClient(f"https://localhost:{server.port}", way=Way(bundles[0])).get("metadata")
        with pytest.raises(CdsError, match=r"unable to get local issuer certificate.*CA_BUNDLE"):
            FhirClient(f"https://localhost:{server.port}", way=Way()).get("metadata")
    with serving(BODY, old.certifies(tmp_path, "localhost")) as server:
        client = FhirClient(f"https://localhost:{server.port}", way=Way(bundles[1]))
        if sys.version_info < (3, 13):
            assert client.get("metadata").is_good
        else:
            with pytest.raises(CdsError, match="Missing Authority Key Identifier"):
                client.get("metadata")


def test_no_session_can_switch_the_certificates_off(tmp_path):
    with serving(BODY, Authority().certifies(tmp_path, "localhost")) as server:
        session = Way().open(requests.Session())
        session.verify = False
        with pytest.raises(requests.exceptions.SSLError):
            session.get(f"https://localhost:{server.port}/", verify=False, timeout=5)


# A proxy


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_through_the_proxy_we_reach_what_nobody_else_here_does(tmp_path, scheme):
    house = Authority()
    context = house.certifies(tmp_path, EHR) if scheme == "https" else None
    with serving(BODY, context) as server, proxying(server.port, TOLD) as proxy:
        way = Way(house.bundle(tmp_path), f"http://127.0.0.1:{proxy.port}", credentials=SECRET)
        assert ask(f"{scheme}://{EHR}/fhir", way).status is Status.COMPLETE
        shown = f"CONNECT {EHR}:443" if scheme == "https" else f"GET http://{EHR}/fhir/Observation"
        assert lines(proxy) == [shown] and lines(server) == ["GET /fhir/Observation"]
        assert [each.get("proxy-authorization") for each in (*proxy.headers, *server.headers)] == [TOLD, None]
        assert server.headers[0]["authorization"] == "Bearer opaque-token"


def test_a_proxy_over_tls_is_one_of_the_same_authority(tmp_path):
    house = Authority()
    inside, outside = house.certifies(tmp_path, EHR), house.certifies(tmp_path, "localhost")
    with serving(BODY, inside) as server, proxying(server.port, context=outside) as proxy:
        address = f"https://localhost:{proxy.port}"
        assert ask(f"https://{EHR}/fhir", Way(house.bundle(tmp_path), address)).status is Status.COMPLETE
        assert ask(f"https://{EHR}/fhir", Way(None, address)).status is Status.FAILED


def test_a_proxy_of_tunnels_does_not_see_the_token(tmp_path):
    house = Authority()
    with serving(BODY, house.certifies(tmp_path, EHR)) as server, proxying(server.port) as proxy:
        ask(f"https://{EHR}/fhir", Way(house.bundle(tmp_path), f"http://127.0.0.1:{proxy.port}"))
        assert "authorization" not in proxy.headers[0]


def test_behind_a_proxy_a_wrong_certificate_gets_no_token(tmp_path):
    house = Authority()
    with serving(BODY, house.certifies(tmp_path, "another.example.org")) as server, proxying(server.port) as proxy:
        way = Way(house.bundle(tmp_path), f"http://127.0.0.1:{proxy.port}")
        assert ask(f"https://{EHR}/fhir", way).status is Status.FAILED
        assert lines(proxy) and not server.lines


def test_a_proxy_that_is_not_there_or_refuses_us_is_said_and_nobody_is_asked_straight(tmp_path, caplog):
    house = Authority()
    trusted = house.bundle(tmp_path)
    with caplog.at_level(logging.DEBUG), serving(BODY, house.certifies(tmp_path, EHR)) as server:
        with proxying(server.port, TOLD) as proxy:
            address = f"http://127.0.0.1:{proxy.port}"
            refused = ask(f"https://{EHR}/fhir", Way(trusted, address, credentials="aml-cds:hush-hush"))
        gone = ask(f"https://{EHR}/fhir", Way(trusted, address, credentials="aml-cds:hush-hush"))
    assert (refused.why, gone.why, refused.well, gone.well) == (NO_PROXY, NO_PROXY, False, False)
    assert not server.lines
    assert "hush-hush" not in caplog.text and b64encode(b"aml-cds:hush-hush").decode() not in caplog.text


def test_a_proxy_that_never_ends_its_answer_holds_nobody_up(tmp_path):
    with proxying(9, drips=True) as proxy:
        began = time.monotonic()
        answered = ask(f"https://{EHR}/fhir", Way(proxy=f"http://127.0.0.1:{proxy.port}"), seconds=1)
        assert answered.status is Status.FAILED and time.monotonic() - began < 1.5


@pytest.mark.parametrize("host, straight", [
    ("localhost", True), ("127.0.0.1", True), ("::1", True), ("fhir.inside.example.org", True), ("a.example.org", True),
    ("inside.example.org", False), ("b.example.org", False), ("evil-a.example.org", False), ("A.Example.org", True),
    ("localhost.example.org", False),
])  # fmt: skip
def test_some_hosts_are_asked_straight(host, straight):
    way = Way(proxy="http://proxy.example.org:3128", straight=(".inside.example.org", "a.example.org"))
    address = f"https://{f'[{host}]' if ':' in host else host}:8443/fhir"
    assert (way.proxies(address) == {}) is straight


# Everybody who leaves the house goes the same way


def test_keys_of_a_tenant_come_the_same_way(tmp_path):
    house = Authority()
    keys = json.dumps(key_set()).encode()
    with serving(keys, house.certifies(tmp_path, EHR)) as server, proxying(server.port, TOLD) as proxy:
        url = f"https://{EHR}/jwks"
        way = Way(house.bundle(tmp_path), f"http://127.0.0.1:{proxy.port}", credentials=SECRET)
        assert RemoteKeys(url, time.monotonic, way, USUAL).find("ec", "ES384")
        assert lines(proxy) == [f"CONNECT {EHR}:443"]
        other = Way(proxy=way.proxy, credentials=SECRET)
        assert RemoteKeys(url, time.monotonic, other, USUAL).find("ec", "ES384") == ()


def test_a_terminology_server_and_the_command_line_go_the_same_way(tmp_path):
    house = Authority()
    with serving(BODY, house.certifies(tmp_path, EHR)) as server, proxying(server.port) as proxy:
        way = Way(house.bundle(tmp_path), f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(NoAnswer):
            TerminologyServer.at(f"https://{EHR}/r4", way).lookup("http://snomed.info/sct", "1")
        assert FhirClient(f"https://{EHR}/r4", way=way).get("metadata").is_good
        with pytest.raises(CdsError, match="no secure connection"):
            FhirClient(f"https://{EHR}/r4", way=Way(proxy=way.proxy)).get("metadata")
        assert lines(server) == ["GET /r4/CodeSystem/$lookup", "GET /r4/metadata"]


@pytest.mark.parametrize("name", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_with_no_setting_the_environment_sends_nobody_anywhere(tmp_path, monkeypatch, name):
    house = Authority()
    keys = json.dumps(key_set()).encode()
    with serving(keys, house.certifies(tmp_path, "localhost")) as server, proxying(9) as proxy:
        theirs = f"http://127.0.0.1:{proxy.port}" if "PROXY" in name else str(house.bundle(tmp_path))
        for each in (name, name.lower()):
            monkeypatch.setenv(each, theirs)
        monkeypatch.setenv("NO_PROXY", "")
        assert Settings.load({name: theirs}).way() == Way()
        url = f"https://localhost:{server.port}/jwks"
        good = Way(house.bundle(tmp_path)) if "PROXY" in name else Way()
        found = RemoteKeys(url, time.monotonic, good, USUAL).find("ec", "ES384")
        assert bool(found) == ("PROXY" in name)  # a bundle of the environment is not trusted
        assert not proxy.lines


# The settings


def test_settings_say_the_way(tmp_path):
    (tmp_path / "proxy").write_text(SECRET + "\n", encoding="utf-8")
    bundle = Authority().bundle(tmp_path)
    env = {
        "CA_BUNDLE": str(bundle), "PROXY": "http://proxy.example.org:3128/", "PROXY_NOT_FOR": ".Inside.example.org",
        "PROXY_PASSWORD_FILE": str(tmp_path / "proxy"),
    }  # fmt: skip
    way = Settings.load(env).way()
    assert way == Way(bundle, "http://proxy.example.org:3128", (".inside.example.org",), SECRET)
    assert "wörd" not in repr(way) and "wörd" not in repr(Settings.load(env))
    assert not [each for each in settings_told.settings_of(env) if "wörd" in each.value]


@pytest.mark.parametrize("content", [
    b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", b"\xff\xfe",
    b"good + cut",
])
def test_a_bundle_that_is_none_stops_the_start(tmp_path, content):
    good = Authority().bundle(tmp_path).read_bytes()
    file = tmp_path / "bundle.pem"
    file.write_bytes(content if content != b"good + cut" else good + good[: len(good) // 2] + good[-27:])
    with pytest.raises(SettingsError, match=r"CA_BUNDLE is '.*', expected a file of certificates \(PEM\)"):
        Settings.load({"CA_BUNDLE": str(file)})


def test_a_bundle_may_hold_several(tmp_path):
    file = tmp_path / "both.pem"
    file.write_bytes(b"".join(Authority(each).bundle(tmp_path).read_bytes() for each in ("one", "two")))
    assert Settings.load({"CA_BUNDLE": str(file)}).way().ca_bundle == file


@pytest.mark.parametrize("address", [
    "proxy.example.org:3128", "socks5://proxy.example.org:1080", "http://proxy.example.org", "http://p:1/path",
    "http://:1", "http://proxy.example.org:99999",
])
def test_an_address_that_is_none_stops_the_start(address):
    with pytest.raises(SettingsError, match=r"PROXY is '.*', expected an address such as"):
        Settings.load({"PROXY": address})


def test_a_password_in_the_address_is_refused_and_not_repeated():
    with pytest.raises(SettingsError, match="without a user") as refused:
        Settings.load({"PROXY": "http://me:hush@proxy.example.org:3128"})
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    "content", [b"", b"only-a-user", b":hush", b"me:", b"me:hush\nsecond line", b"me:hush\xff", b"\xff\xfeme:hush"]
)
def test_a_file_for_the_proxy_that_says_something_else_is_refused_and_not_repeated(tmp_path, content):
    file = tmp_path / "proxy"
    file.write_bytes(content)
    with pytest.raises(SettingsError, match="expected one line user:password") as refused:
        Settings.load({"PROXY": "http://proxy.example.org:3128", "PROXY_PASSWORD_FILE": str(file)})
    assert "hush" not in str(refused.value)


def test_files_that_are_taken_away_or_may_not_be_read_are_named(tmp_path):
    with pytest.raises(SettingsError, match="gone cannot be read: expected one line user:password"):
        credentials_in(tmp_path / "gone")
    with pytest.raises(ValueError, match="no file that can be read"):
        require_certificates(tmp_path / "gone")


@pytest.mark.parametrize("name", ["PROXY_PASSWORD_FILE", "PROXY_NOT_FOR"])
def test_half_a_proxy_is_said(tmp_path, name):
    (tmp_path / "proxy").write_text(SECRET, encoding="utf-8")
    with pytest.raises(SettingsError, match=f"{name} is set, and there is no PROXY"):
        Settings.load({name: str(tmp_path / "proxy") if name.endswith("FILE") else "a.example.org"})


# A tenant's own


def tenants(folder: Path, more: str, way: Way | None = None) -> Way:
    (folder / "keys.json").write_text(json.dumps(key_set()), encoding="utf-8")
    entry = '[[tenant]]\nname = "n"\nissuer = "https://n.example"\njwks_file = "keys.json"\njurisdiction = "EU"\n'
    (folder / "tenants.toml").write_text(entry + more, encoding="utf-8")
    return read_tenants(folder / "tenants.toml", ("EU",), way or Way())[0].way


def test_a_tenant_goes_the_way_of_the_service_or_its_own(tmp_path):
    bundle = Authority().bundle(tmp_path)
    (tmp_path / "secret").write_text(SECRET, encoding="utf-8")
    usual = Way(Path("usual.pem"), "http://proxy.example.org:1", (".a.example",), "me:hush")
    assert tenants(tmp_path, "", usual) == usual
    assert tenants(tmp_path, 'ca_bundle = "authority.pem"', usual) == replace(usual, ca_bundle=bundle)
    assert tenants(tmp_path, 'proxy = ""', usual) == Way(usual.ca_bundle)
    own = 'proxy = "http://n.example:2"\nproxy_password_file = "secret"\nproxy_not_for = [".N.example"]'
    assert tenants(tmp_path, own, usual) == Way(usual.ca_bundle, "http://n.example:2", (".n.example",), SECRET)


@pytest.mark.parametrize("more, says", [
    ('ca_bundle = "nowhere.pem"', "'ca_bundle': expected a file of certificates"),
    ('ca_bundle = "keys.json"', "'ca_bundle': expected a file of certificates"),
    ("proxy = 5", "'proxy': expected an address"),
    ('proxy = "http://me:hush@n.example:2"', "'proxy': expected an address"),
    ('proxy_not_for = ["a.example"]', "'proxy_not_for': expected 'proxy' beside it"),
    ('proxy = "http://n.example:2"\nproxy_password_file = "nowhere"', "'proxy_password_file': expected a file"),
    ('proxy = "http://n.example:2"\nproxy_password_file = "tenants.toml"', "expected one line user:password"),
    ('proxy = "http://n.example:2"\nproxy_not_for = ["https://a.example"]', "'proxy_not_for': expected host names"),
])
def test_a_fault_in_a_tenants_way_names_its_place(tmp_path, more, says):
    with pytest.raises(SettingsError, match=says) as refused:
        tenants(tmp_path, more)
    assert "hush" not in str(refused.value) and "keys\"" not in str(refused.value)
