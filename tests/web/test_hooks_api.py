"""The conversation by HTTP: discovery, calls, feedback, and what is refused."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from werkzeug.test import TestResponse, create_environ, run_wsgi_app
from werkzeug.wrappers import Request

ORDER_SIGN = "/cds-services/aml-order-sign"
IDS = ("aml-patient-view", "aml-order-select", "aml-order-sign")
GOOD: dict[str, Any] = {
    "hook": "order-sign",
    "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "fhirServer": "http://localhost:9000/fhir",
    "fhirAuthorization": {
        "access_token": "opaque", "token_type": "Bearer", "expires_in": 300, "scope": "Any.Scope (R4)", "subject": "us",
    },
    "context": {
        "userId": "Practitioner/1", "patientId": "p1", "encounterId": "e1",
        "draftOrders": {"resourceType": "Bundle", "entry": [{"fullUrl": "urn:uuid:1", "resource": {}}]},
    },
    "prefetch": {"patient": None, "foreign": {}},
    "extension": {"unknown": {}},
}
MISSING = object()
WRONG: tuple[Any, ...] = (MISSING, None, 7, True, [], {}, "", [[1]])
REQUIRED = (
    "hook", "hookInstance", "context", "context.userId", "context.patientId", "context.draftOrders",
    "fhirAuthorization.access_token",
)


def _with(path: str, value: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(json.dumps(GOOD))
    *parents, last = path.split(".")
    where = body
    for name in parents:
        where = where[name]
    if value is MISSING:
        del where[last]
    else:
        where[last] = value
    return body


def _paths(node: dict[str, Any], above: str = "") -> list[str]:
    here = [above + name for name in node]
    return here + [
        path for name, value in node.items() if isinstance(value, dict) for path in _paths(value, f"{above}{name}.")
    ]


def outcome_of(response: Any) -> dict[str, Any]:
    body = response.get_json()
    assert body["resourceType"] == "OperationOutcome"
    (issue,) = body["issue"]
    assert issue["severity"] == "error" and issue["code"] and issue["diagnostics"]
    return dict(issue)


def test_discovery_lists_one_service_for_each_hook(client):
    response = client.get("/cds-services")
    assert response.status_code == 200 and response.mimetype == "application/json"
    assert [service["id"] for service in response.get_json()["services"]] == list(IDS)


@pytest.mark.parametrize("extra", [{"data": b"{"}, {"headers": {"Authorization": "Bearer x.y.z"}}])
def test_discovery_ignores_a_body_and_an_unasked_token(client, extra):
    assert client.get("/cds-services", **extra).status_code == 200


def test_head_is_answered_like_get_without_a_body(client):
    response = client.head("/cds-services")
    assert response.status_code == 200 and response.data == b""


def test_a_good_call_is_answered_with_cards_and_its_token_is_not_looked_at(client):
    response = client.post(ORDER_SIGN, json=GOOD, headers={"Authorization": "Bearer not.a.token"})
    assert (response.status_code, response.get_json()) == (200, {"cards": []})


@pytest.mark.parametrize("content_type", [
    "application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8", "application/fhir+json",
    "application/json+fhir", "Application/JSON",
])
def test_every_json_type_that_clients_send_is_read(client, content_type):
    assert client.post(ORDER_SIGN, data=json.dumps(GOOD), content_type=content_type).status_code == 200


@pytest.mark.parametrize("content_type", [
    None, "text/plain", "text/json", "application/xml", "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x", "application/json; charset=utf-16", "application/json; charset=latin-1",
])
def test_another_type_than_json_in_utf_8_is_415(client, content_type):
    response = client.post(ORDER_SIGN, data=json.dumps(GOOD), content_type=content_type)
    assert response.status_code == 415
    assert outcome_of(response)["expression"] == ["http.Content-Type"]


@pytest.mark.parametrize("headers", [
    {"Content-Encoding": ""}, {"Content-Encoding": " identity "},
    {"Content-Type": "application/json; charset=us-ascii"},
])
def test_what_is_utf_8_and_not_compressed_is_read_however_it_says_so(client, headers):
    told = {"Content-Type": "application/json", **headers}
    assert client.post(ORDER_SIGN, data=json.dumps(GOOD), headers=told).status_code == 200


def test_a_compressed_body_is_415(client):
    response = client.post(
        ORDER_SIGN, data=b"\x1f\x8b", content_type="application/json", headers={"Content-Encoding": "gzip"}
    )
    assert response.status_code == 415
    assert outcome_of(response)["expression"] == ["http.Content-Encoding"]


@pytest.mark.parametrize("path", _paths(GOOD))
@pytest.mark.parametrize("value", WRONG, ids=lambda value: "missing" if value is MISSING else json.dumps(value))
def test_a_wrong_type_anywhere_is_answered_or_refused_by_its_path(client, path, value):
    response = client.post(ORDER_SIGN, json=_with(path, value))
    if response.status_code == 200:
        assert response.get_json() == {"cards": []}
    else:
        assert response.status_code == 400
        (named,) = outcome_of(response)["expression"]
        assert named.replace("[...]", "").startswith(path)


@pytest.mark.parametrize("path", REQUIRED)
@pytest.mark.parametrize("value", (MISSING, None, 7, [], {}))
def test_what_is_required_is_refused_when_missing_or_of_another_type(client, path, value):
    response = client.post(ORDER_SIGN, json=_with(path, value))
    if path == "context.draftOrders" and value == {}:
        assert response.status_code == 200  # a Bundle without type and entries: no drafts
    else:
        assert response.status_code == 400
        assert outcome_of(response)["expression"][0].startswith(path)


@pytest.mark.parametrize("body", [
    b"", b" ", b"{", b"nonsense", b"[]", b"null", b"7", b'"text"', b'{"hook": NaN}', b"\xff\xfe", b'{"hook": "\xc3"}',
    b"{'hook': 1}", b'{"hook": "order-sign",}', b"\xef\xbb\xbf{}", b'{"context": "\\ud800"}', b"\0",
])
def test_malformed_json_is_400(client, body):
    response = client.post(ORDER_SIGN, data=body, content_type="application/json")
    assert response.status_code == 400
    outcome_of(response)


@pytest.mark.parametrize("where", ["", "context", "prefetch", "unknown"])
@pytest.mark.parametrize("bracket", ["[", '{"a":'])
def test_a_hundred_thousand_levels_are_400(client, where, bracket):
    deep = bracket * 100_000
    body = f'{{"{where}":{deep}' if where else deep
    response = client.post(ORDER_SIGN, data=body, content_type="application/json")
    assert response.status_code == 400
    outcome_of(response)


@pytest.mark.parametrize("where", ["prefetch", "context", "unknown"])
def test_valid_json_nested_too_deeply_is_400(client, where):
    body = json.dumps(GOOD)[:-1] + f', "{where}": ' + '{"a":' * 100_000 + "1" + "}" * 100_001
    response = client.post(ORDER_SIGN, data=body, content_type="application/json")
    assert response.status_code == 400
    outcome_of(response)


def test_twenty_megabytes_are_413(client):
    response = client.post(ORDER_SIGN, data=b" " * 20_000_000, content_type="application/json")
    assert response.status_code == 413
    assert outcome_of(response)["code"] == "too-long"


class Chunks(io.BytesIO):
    """A body without length, as gunicorn hands on one that came in chunks."""

    def __init__(self, content: bytes, fault: Exception | None = None) -> None:
        super().__init__(content)
        self.fault = fault

    def read(self, size: int | None = -1) -> bytes:
        piece = super().read(size)
        if self.fault is not None and not piece:
            raise self.fault
        return piece


def _chunked(client, body):
    environ = create_environ(
        ORDER_SIGN, method="POST", content_type="application/json", headers={"Transfer-Encoding": "chunked"}
    )
    environ.pop("CONTENT_LENGTH", None)
    environ |= {"wsgi.input": body, "wsgi.input_terminated": True}
    return TestResponse(*run_wsgi_app(client.application, environ), request=Request(environ))


def test_a_body_in_chunks_is_read(client):
    assert _chunked(client, Chunks(json.dumps(GOOD).encode())).get_json() == {"cards": []}


@pytest.mark.parametrize("body", [b" " * 20_000_000, json.dumps(GOOD).encode() + b" " * 8 * 1024 * 1024])
def test_twenty_megabytes_in_chunks_are_413_too_and_never_cut_off(client, body):
    response = _chunked(client, Chunks(body))
    assert response.status_code == 413
    outcome_of(response)


@pytest.mark.parametrize("fault", [OSError("cut off"), EOFError("a server's own error for a malformed chunk")])
def test_a_body_that_breaks_off_is_400(client, fault):
    response = _chunked(client, Chunks(b'{"hook"', fault))
    assert response.status_code == 400
    outcome_of(response)


def test_a_length_that_is_no_number_is_400(client):
    response = client.post(ORDER_SIGN, content_type="application/json", environ_overrides={"CONTENT_LENGTH": "many"})
    assert response.status_code == 400


def test_the_limit_is_a_setting(make_app):
    client = make_app(MAX_BODY_MB="1").test_client()
    body = json.dumps(GOOD).encode() + b" " * 1_100_000
    assert client.post(ORDER_SIGN, data=body, content_type="application/json").status_code == 413


def test_a_body_for_another_hook_is_refused(client):
    response = client.post("/cds-services/aml-patient-view", json=GOOD)
    assert response.status_code == 400
    assert outcome_of(response)["expression"] == ["hook"]


@pytest.mark.parametrize("path", [
    "/cds-services/other", "/cds-services/other/feedback", "/cds-services/AML-ORDER-SIGN", "/cds-services/%00",
])
def test_an_unknown_service_is_404(client, path):
    response = client.post(path, json=GOOD)
    assert response.status_code == 404
    assert outcome_of(response)["code"] == "not-found"


@pytest.mark.parametrize("path", ["/nowhere", "/cds-services/aml-order-sign/more", "/static/../app.py", "/static/none"])
def test_an_unknown_address_is_404_whatever_is_sent(client, path):
    for response in (client.get(path), client.post(path, data="text")):
        assert response.status_code in (404, 405)
        outcome_of(response)


@pytest.mark.parametrize("method, path, allowed", [
    ("GET", ORDER_SIGN, "OPTIONS, POST"),
    ("PUT", ORDER_SIGN, "OPTIONS, POST"),
    ("GET", f"{ORDER_SIGN}/feedback", "OPTIONS, POST"),
    ("POST", "/cds-services", "GET, HEAD, OPTIONS"),
    ("DELETE", "/", "GET, HEAD, OPTIONS"),
])
def test_a_wrong_method_is_405_and_says_which_are_allowed(client, method, path, allowed):
    response = client.open(path, method=method)
    assert response.status_code == 405
    assert response.headers["Allow"] == allowed
    assert outcome_of(response)["code"] == "not-supported"


@pytest.mark.parametrize("path", [ORDER_SIGN, f"{ORDER_SIGN}/feedback"])
def test_a_slash_at_the_end_redirects_nobody(client, path):
    body = GOOD if path == ORDER_SIGN else {"feedback": []}
    assert client.post(f"{path}/", json=body).status_code == 200
    assert client.get("/cds-services/").status_code == 200


def test_feedback_is_validated_answered_and_counted(client):
    entry = {"card": "1", "outcome": "overridden", "overrideReason": {"reason": {"code": "c"}}}
    for _ in range(2):
        response = client.post(f"{ORDER_SIGN}/feedback", json={"feedback": [entry, entry | {"outcome": "accepted"}]})
        assert (response.status_code, response.get_json()) == (200, {})
    assert client.get("/healthz").get_json()["feedback_since_start"] == {
        "aml-order-sign": {"accepted": 2, "overridden": 2}
    }


def test_faulty_feedback_is_refused_by_its_path_and_not_counted(client):
    response = client.post(f"{ORDER_SIGN}/feedback", json={"feedback": [{"card": "1", "outcome": "seen"}]})
    assert response.status_code == 400
    assert outcome_of(response)["expression"] == ["feedback[0].outcome"]
    assert client.get("/healthz").get_json()["feedback_since_start"] == {}
