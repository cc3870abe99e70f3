"""The API description: every route is in it, nothing else is, and real answers are as it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cds_service.pages import api
from cds_service.security.readers import entry
from tests.calls import gilteritinib, request
from tests.pages.test_why import CHART, SIGN, link, signed

WRITTEN = json.loads(Path(api.__file__).with_name("openapi.json").read_text())


def fits(told: dict[str, Any], name: str, content: Any) -> None:
    """Raises unless this content is as the schema of that name says."""
    import jsonschema  # takes seconds, which only those who ask it wait for

    schema = {"$ref": f"#/components/schemas/{name}", "components": told["components"]}
    jsonschema.Draft202012Validator(schema).validate(content)


@pytest.fixture
def told(served) -> dict[str, Any]:
    return served().test_client().get("/openapi.json").get_json()


def test_every_route_is_described_and_every_description_is_of_a_route(served, tmp_path):
    (tmp_path / "readers.toml").write_text(entry("a.example", "", "a long enough secret"), encoding="utf-8")
    app = served(METRICS="on", WHY_LINKS="login", WHY_READERS=str(tmp_path / "readers.toml"))
    told = app.test_client().get("/openapi.json").get_json()
    routes = {
        (api._VARIABLE.sub(r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if not rule.endpoint.endswith("static")
    }
    described = {(path, method) for path, methods in told["paths"].items() for method in methods}
    assert described == routes
    assert {(path, method) for path, methods in WRITTEN["paths"].items() for method in methods} <= routes
    for methods in told["paths"].values():
        for operation in methods.values():
            assert operation["summary"] and operation["responses"] and operation["operationId"]
    ids = [operation["operationId"] for methods in told["paths"].values() for operation in methods.values()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("path, statuses", [
    ("/cds-services/{service_id}", {"200", "400", "401", "404", "412", "413", "415", "422", "429", "503"}),
    ("/cds-services/{service_id}/feedback", {"200", "400", "401", "404", "413", "415", "429", "503"}),
])
def test_every_status_that_a_caller_may_get_is_described(told, path, statuses):
    assert set(told["paths"][path]["post"]["responses"]) == statuses


def test_every_reference_leads_somewhere(told):
    for part in _references(told):
        place: Any = told
        for step in part.removeprefix("#/").split("/"):
            place = place[step]


def _references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [found for each in part.values() for found in _references(each)]
    return [found for each in part for found in _references(each)] if isinstance(part, list) else []


def test_real_answers_are_as_described(served):
    app = served()
    client = app.test_client()
    told = client.get("/openapi.json").get_json()
    body = request("order-sign", gilteritinib(status="draft"), **CHART)
    fits(told, "HookRequest", body)
    fits(told, "Cards", client.post(SIGN, json=body).get_json())
    fits(told, "OperationOutcome", client.post(SIGN, json={}).get_json())
    fits(told, "OperationOutcome", client.get("/nowhere").get_json())
    for path, name in (
        ("/cds-services", "Discovery"), ("/healthz", "Health"), ("/readyz", "Readiness"),
        ("/prefetch?format=json", "Prefetch"), ("/codesystems/override-reasons", "CodeSystem"),
        ("/sheet?format=json", "Sheet"), ("/why/rule/qtcHold?format=json", "Why"),
        (link(signed(app)[0]) + "&format=json", "Why"),
    ):  # fmt: skip
        fits(told, name, client.get(path).get_json())


def test_a_card_that_is_none_is_not_as_described(told):
    from jsonschema import ValidationError

    with pytest.raises(ValidationError):
        fits(told, "Cards", {"cards": [{"summary": "x" * 140}]})


def test_every_operation_says_in_words_what_it_is(told):
    summaries = [each["summary"] for path in told["paths"].values() for each in path.values()]
    assert all(" " in each and "/" not in each for each in summaries) and len(set(summaries)) == len(summaries)


def test_the_page_shows_every_operation(served):
    client = served().test_client()
    page = client.get("/api").text
    for path in client.get("/openapi.json").get_json()["paths"]:
        assert f"<code>{path}</code>" in page
    assert "<script" not in page and "style=" not in page


NAMED = {"name": "gilteritinib", "topic": "qtcHold", "story": "gilteritinib-qtc-512"}
INSTEAD = {"/knowledge/rules/{name}": "/knowledge/rules/qtc-hold",
           "/playground/stories/{story}/{name}": "/playground/stories/gilteritinib-qtc-512/sign"}  # fmt: skip


def test_every_address_answers_in_the_forms_that_are_told(served):
    """Each form of the page that the description tells, and none but these; SVG, CSV and Markdown too."""
    client = served(METRICS="on").test_client()
    told = client.get("/openapi.json").get_json()
    asked = 0
    for path, methods in told["paths"].items():
        if "get" not in methods or path == "/why/{card}":  # which needs a call, see above
            continue
        address = INSTEAD.get(path) or path.format_map(NAMED)
        forms = set(methods["get"]["responses"]["200"]["content"])
        plain = client.get(address)
        assert plain.status_code == 200 and plain.mimetype in forms, path
        seen = {plain.mimetype} | {client.get(address, query_string={"format": name}).mimetype
                                   for name in _formats(told, methods["get"])}  # fmt: skip
        assert seen == forms, path
        asked += 1
    assert asked > 15


def _formats(told: dict[str, Any], operation: dict[str, Any]) -> list[str]:
    """The values that its parameter `format` may have."""
    for each in operation.get("parameters", ()):
        each = told["components"]["parameters"]["format"] if "$ref" in each else each
        if each["name"] == "format":
            return list(each["schema"]["enum"])
    return []
