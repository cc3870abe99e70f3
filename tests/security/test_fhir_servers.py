"""Which FHIR servers may be asked."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests import Request
from urllib3.util import parse_url

from cds_service.errors import SettingsError
from cds_service.security.fhir_servers import AllowedServers, is_forbidden, same_server

BASE = "https://ehr.example.org/fhir"
HOSPITAL = AllowedServers.read(f"{BASE}, http://hapi:8080/fhir/", loopback=False)
DEMO = AllowedServers.read("", loopback=True)


@pytest.mark.parametrize("url", [
    BASE, f"{BASE}/", f"{BASE}/ward-7", "https://ehr.example.org:443/fhir", "HTTPS://EHR.Example.ORG/fhir", "http://hapi:8080/fhir",
])
def test_a_listed_server_may_be_asked(url: str) -> None:
    assert HOSPITAL.refusal(url) is None


@pytest.mark.parametrize("url", [
    "http://ehr.example.org/fhir", "https://ehr.example.org:8443/fhir", "https://ehr.example.org",
    "https://ehr.example.org/fhir2",
    "https://ehr.example.org/FHIR", "https://ehr.example.org.attacker.example/fhir",
    "https://attacker.example/fhir",
    "https://xehr.example.org/fhir", "https://attacker.example/https://ehr.example.org/fhir", "http://hapi/fhir",
    "http://127.0.0.1:8080/fhir", "http://localhost/fhir", "http://169.254.169.254/latest",
])
def test_a_server_that_is_not_listed_is_refused(url: str) -> None:
    assert HOSPITAL.refusal(url)


@pytest.mark.parametrize("url", [
    "http://localhost:8080/fhir", "http://127.0.0.1/fhir", "https://127.9.9.9:1/x", "http://[::1]:8080/fhir",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://LOCALHOST",
])
def test_in_demo_mode_this_machine_may_be_asked_at_any_port(url: str) -> None:
    assert DEMO.refusal(url) is None
    assert HOSPITAL.refusal(url)


@pytest.mark.parametrize("url", [
    "", "localhost", "//localhost/fhir", "ftp://localhost/fhir", "file:///etc/passwd", "http:localhost",
    "http:///fhir", "http://",
    "http://user@localhost/fhir", "http://user:secret@localhost/fhir", "http://@localhost/fhir",
    "http://localhost:80@attacker.example/",
    "http://localhost/fhir#", "http://localhost#@attacker.example/", "http://localhost/fhir?x=1",
    "http://localhost?@attacker.example",
    "http://localhost\\@attacker.example/", "http://localhost\\.attacker.example", "http://local\thost/",
    " http://localhost/", "http://localhost/\n",
    "http://localhost /", "http://localhost./", "http://127.0.0.1./", "http://2130706433/",
    "http://0x7f000001/", "http://0x7f.1/",
    "http://127.1/", "http://0177.0.0.1/", "http://127.0.0.01/", "http://0.0.0.0/", "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/", "http://[::1%25eth0]/", "http://[::1]attacker.example/", "http://[::1",
    "http://%6cocalhost/",
    "http://localhost:0/", "http://localhost:65536/", "http://localhost:8o/", "http://localhost:80:80/",
    "http://localhost:-1/",
    "http://ⓛocalhost/", "http://localhost。/", "http://localhost.attacker.example/", "http://*/",
    "http://-localhost/", "http://a..b/",
    "http://localhost/fhir/../admin", "http://localhost/fhir/%2e%2E/admin", "http://localhost/..;/admin",
    "http://localhost/a%2f..%2fb",
    "http://localhost/a%5cb", "http://localhost/%252e%252e/", "http://169.254.169.254/", "http://[fe80::1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
])
def test_an_odd_address_is_refused_even_in_demo_mode(url: str) -> None:
    assert DEMO.refusal(url)


def test_a_reason_names_what_is_odd() -> None:
    assert "a user name or a password" in str(HOSPITAL.refusal("https://user:secret@ehr.example.org/fhir"))
    assert "an IPv4 address dressed as IPv6" in str(DEMO.refusal("http://[::ffff:127.0.0.1]/"))
    assert "setting FHIR_SERVERS" in str(HOSPITAL.refusal("https://other.example.org/fhir"))


def test_a_reason_repeats_neither_password_nor_query() -> None:
    for url in ("https://user:hush@ehr.example.org/fhir", f"{BASE}?patient=hush", "https://hush.example.org", "ftp://hush"):
        assert "hush" not in str(HOSPITAL.refusal(url))


def test_nothing_listed_and_no_demo_mode_refuses_everything() -> None:
    assert AllowedServers.read("", loopback=False).refusal("http://localhost/fhir")


@pytest.mark.parametrize("text", [
    f"{BASE} https://user:hush@ehr.example.org/fhir", f"{BASE},ehr.example.org", f"{BASE}, https://*.example.org",
    f"{BASE}, {BASE}?hush=1", f"{BASE}, http://169.254.169.254", f"{BASE}, http://0.0.0.0", f"{BASE}, http://224.0.0.1",
    f"{BASE}, http://[::ffff:10.0.0.1]", f"{BASE}, http://[2002:a00:1::]", f"{BASE}, http://[2001:0:a00:1::1]",
    f"{BASE}, https://{'name.' * 60}example.org",
])
def test_a_wrong_entry_of_the_setting_is_named_by_its_position(text: str) -> None:
    with pytest.raises(SettingsError, match="FHIR_SERVERS, entry 2") as caught:
        AllowedServers.read(text, loopback=True)
    assert "hush" not in str(caught.value)


def test_an_odd_listed_entry_allows_nothing() -> None:
    assert AllowedServers(("https://u@ehr.example.org/fhir",), loopback=False).refusal("https://ehr.example.org/fhir")


@pytest.mark.parametrize("url", [
    BASE, f"{BASE}?_getpages=1&x=2", f"{BASE}/Observation?code=http://loinc.org|1,x&next=..", "https://EHR.example.org:443/fhir/Patient/1",
])
def test_a_page_under_the_base_is_on_the_same_server(url: str) -> None:
    assert same_server(BASE, url)


@pytest.mark.parametrize("url", [
    "http://ehr.example.org/fhir/Patient", "https://ehr.example.org:444/fhir", "https://ehr.example.org/other",
    "https://ehr.example.org/fhirx",
    f"{BASE}/../admin", f"{BASE}/%2e%2e/admin", f"{BASE}#x", "https://ehr.example.org@attacker.example/fhir",
    "/fhir/Patient", "",
    "https://ehr.example.org\\@attacker.example/fhir",
])
def test_a_page_elsewhere_is_not_on_the_same_server(url: str) -> None:
    assert not same_server(BASE, url)


@pytest.mark.parametrize("address, forbidden", [
    ("169.254.169.254", True), ("::ffff:169.254.169.254", True), ("fd00:ec2::254", True), ("fe80::1", True),
    ("fe80::1%eth0", True), ("10.0.0.1", False), ("::ffff:10.0.0.1", False), ("fd00:ec2::253", False), ("::1", False),
])
def test_where_a_cloud_keeps_its_keys_nobody_is_asked_whatever_name_led_there(address: str, forbidden: bool) -> None:
    assert is_forbidden(address) is forbidden


def test_an_odd_base_is_no_server_at_all() -> None:
    assert not same_server("https://u@ehr.example.org/fhir", "https://ehr.example.org/fhir")


PIECES = st.sampled_from([
    "https:", "http:", "//", "/", "\\", "@", "#", "?", ":", "443", "80", ".", "..", "%2e", "%2f",
    "ehr.example.org", "attacker.example",
    "fhir", "[::1]", "localhost", "2130706433", " ", "\t", ";",
])


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=8).map("".join), st.booleans())
def test_whatever_is_allowed_is_sent_by_requests_to_the_same_server(tail: str, whole: bool) -> None:
    url = tail if whole else f"{BASE}{tail}"
    if same_server(BASE, url):
        sent = parse_url(Request("GET", url).prepare().url or "")
        assert (sent.scheme, sent.host, sent.port or 443) == ("https", "ehr.example.org", 443)
        assert f"{sent.path}/".startswith("/fhir/")
