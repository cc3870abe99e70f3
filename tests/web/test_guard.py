"""Who may call by which name, from which page, and what every answer carries."""

from __future__ import annotations

import pytest
from werkzeug.test import create_environ, run_wsgi_app

ORDER_SIGN = "/cds-services/aml-order-sign"


@pytest.mark.parametrize("host", [
    "localhost", "localhost.", "LOCALHOST:8080", "127.0.0.1:9", "127.8.8.8", "[::1]", "[::1]:8080",
])
def test_loopback_may_be_called_by_any_of_its_names_and_ports(client, host):
    assert client.get("/cds-services", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", [
    "evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "192.168.1.7", "[::2]", "", "a b", "localhost:x",
    "user@localhost", "localhost/..", "localhost..", ".", "[::1", "127.0.0.1\\@x",
])
def test_another_host_name_is_refused(client, host):
    response = client.get("/cds-services", headers={"Host": host})
    assert response.status_code == 400
    assert response.get_json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("protocol, status", [("HTTP/1.1", 400), ("HTTP/1.0", 200)])
def test_only_where_no_host_is_known_yet_it_may_be_missing(make_app, protocol, status):
    environ = create_environ("/cds-services") | {"SERVER_PROTOCOL": protocol}
    del environ["HTTP_HOST"]
    assert run_wsgi_app(make_app(), environ)[1].startswith(str(status))


@pytest.mark.parametrize("env", [
    {"ALLOWED_HOSTS": "other.example, Cds.Example"}, {"PUBLIC_URL": "https://cds.example:8443/base"},
    {"HOST": "cds.example", "DEMO_ON_NETWORK": "1"},
])
def test_a_configured_host_name_is_answered(make_app, env):
    client = make_app(**env).test_client()
    assert client.get("/cds-services", headers={"Host": "cds.example:1234"}).status_code == 200
    assert client.get("/cds-services", headers={"Host": "cds.example."}).status_code == 200
    assert client.get("/cds-services", headers={"Host": "not.cds.example"}).status_code == 400


GRANTED = ("https://sandbox.cds-hooks.org", "http://localhost:3000", "https://127.0.0.1", "http://[::1]:5173")
FOREIGN = (
    "https://evil.example", "http://sandbox.cds-hooks.org", "https://sandbox.cds-hooks.org.evil.example", "null",
    "http://localhost.evil.example", "http://localhost:3000/path", "file://localhost", "http://localhost\n",
)


@pytest.mark.parametrize("origin", GRANTED)
@pytest.mark.parametrize("path", ["/cds-services", ORDER_SIGN, f"{ORDER_SIGN}/feedback"])
def test_a_page_of_loopback_or_of_the_sandbox_may_ask_and_then_call(client, origin, path):
    asked = client.options(path, headers={
        "Origin": origin, "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
        "Access-Control-Request-Private-Network": "true",
    })
    assert asked.status_code == 204
    assert asked.headers["Access-Control-Allow-Origin"] == origin
    assert asked.headers["Access-Control-Allow-Headers"] == "authorization, content-type"
    assert asked.headers["Access-Control-Allow-Private-Network"] == "true"
    assert "POST" in asked.headers["Access-Control-Allow-Methods"]
    assert "Origin" in asked.headers["Vary"]
    called = client.get("/cds-services", headers={"Origin": origin})
    assert called.headers["Access-Control-Allow-Origin"] == origin


@pytest.mark.parametrize("origin", FOREIGN[:-1])
def test_another_page_is_granted_nothing(client, origin):
    for response in (client.options(ORDER_SIGN, headers={"Origin": origin}),
                     client.get("/cds-services", headers={"Origin": origin})):
        assert not [name for name, _ in response.headers if name.startswith("Access-Control-")]
        assert "Origin" in response.headers["Vary"]


def test_a_configured_origin_is_granted_too(make_app):
    client = make_app(CORS_ORIGINS="https://ehr.example:8443").test_client()
    response = client.get("/cds-services", headers={"Origin": "https://ehr.example:8443"})
    assert response.headers["Access-Control-Allow-Origin"] == "https://ehr.example:8443"


def test_a_refusal_can_be_read_by_the_page_that_asked(client):
    response = client.post(ORDER_SIGN, json={}, headers={"Origin": GRANTED[0]})
    assert response.status_code == 400
    assert response.headers["Access-Control-Allow-Origin"] == GRANTED[0]


def test_options_names_the_methods_and_knows_no_unknown_address(client):
    assert client.options(ORDER_SIGN).headers["Allow"] == "OPTIONS, POST"
    assert "Content-Type" not in client.options(ORDER_SIGN).headers
    assert client.options("/nowhere").status_code == 404


@pytest.mark.parametrize("path", ["/", "/prefetch", "/cds-services", "/healthz", "/nowhere"])
def test_every_answer_is_not_kept_and_allows_no_script(client, path):
    headers = client.get(path).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "Set-Cookie" not in headers


HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-site",
    "Permissions-Policy": "camera=(), clipboard-read=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": None,
    "Server": None,  # gunicorn adds its name, without a version
    "X-Powered-By": None,
    "Set-Cookie": None,
    "Access-Control-Allow-Origin": None,
    "Access-Control-Allow-Credentials": None,
}


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("path", ["/", "/prefetch", "/cds-services", "/healthz", "/readyz", "/metrics", "/nowhere"])
def test_the_table_of_headers_holds_for_every_answer(client, name, path):
    assert client.get(path).headers.get(name) == HEADERS[name]


def test_a_refusal_carries_the_same_headers(client):
    headers = client.post(ORDER_SIGN, json={}).headers
    assert {name: headers.get(name) for name in HEADERS} == HEADERS


def test_only_where_the_address_is_https_browsers_are_told_to_stay_there(make_app):
    client = make_app(PUBLIC_URL="https://cds.example").test_client()
    assert client.get("/healthz").headers["Strict-Transport-Security"] == "max-age=31536000"


def test_no_page_is_granted_credentials(client):
    for response in (client.options(ORDER_SIGN, headers={"Origin": GRANTED[0]}),
                     client.get("/cds-services", headers={"Origin": GRANTED[0]})):
        assert "Access-Control-Allow-Credentials" not in response.headers
        assert response.headers["Access-Control-Allow-Origin"] != "*"


def test_in_hospital_mode_neither_loopback_nor_the_sandbox_is_granted_anything(tmp_path, make_app):
    (tmp_path / "tenants.toml").write_text("", encoding="utf-8")
    client = make_app(MODE="hospital", TENANTS=str(tmp_path / "tenants.toml"), PUBLIC_URL="https://c.example").test_client()
    for origin in GRANTED:
        assert "Access-Control-Allow-Origin" not in client.get("/cds-services", headers={"Origin": origin}).headers
