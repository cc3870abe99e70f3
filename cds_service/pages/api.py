"""The API: an OpenAPI description of everything that is served, and a page that shows it.

What a route takes and gives stands in `openapi.json` beside this. Which routes there are, their parameters and methods
come from the application itself: a route without an entry is described by the first line of its docstring.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, current_app, make_response, render_template
from werkzeug.routing import Rule

from cds_service import __version__
from cds_service.pages.twin import as_json, json_wanted
from cds_service.settings import Settings

_TOLD = Path(__file__).with_name("openapi.json")
_METHODS = ("get", "post", "put", "patch", "delete")
_VARIABLE = re.compile(r"<(?:[a-z]+(?:\([^)]*\))?:)?([a-zA-Z_]+)>")
_PAGE = {"text/html": {"schema": {"type": "string"}}, "application/json": {"schema": {"type": ["object", "array"]}}}


def api(settings: Settings) -> Blueprint:
    """The blueprint."""
    pages = Blueprint(
        "api", __name__, template_folder="templates", static_folder="static", static_url_path="/pages/static"
    )

    @pages.get("/openapi.json")
    def described() -> Response:
        """The OpenAPI description of everything that is served."""
        return as_json(description(current_app, settings.public_url))

    @pages.get("/api")
    def page() -> Response:
        """The API, to read."""
        told = description(current_app, settings.public_url)
        if json_wanted():
            return as_json(told)
        return make_response(render_template("api.html", told=told, groups=_groups(told), schemas=_schemas(told)))

    return pages


def description(app: Flask, url: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of this application."""
    told = json.loads(_TOLD.read_text(encoding="utf-8"))
    paths: dict[str, dict[str, Any]] = {}
    for rule in sorted(app.url_map.iter_rules(), key=lambda each: each.rule):
        if rule.endpoint == "static" or rule.endpoint.endswith(".static"):
            continue
        path = _VARIABLE.sub(r"{\1}", rule.rule)
        here = paths.setdefault(path, {})
        for method in _METHODS:
            if method.upper() in (rule.methods or ()):
                written = told["paths"].get(path, {}).get(method)
                here[method] = _with_variables(written or _found(app, rule), rule)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "aml-cds", "version": __version__,
            "summary": "Decision support for relapsed or refractory acute myeloid leukaemia, through CDS Hooks.",
            "description": "CDS Hooks 2.0.1 with FHIR R4. Advice beside clinical judgement; it orders nothing.",
        },
        "servers": [{"url": url}],
        "tags": told["tags"],
        "paths": paths,
        "components": told["components"],
    }  # fmt: skip


def _found(app: Flask, rule: Rule) -> dict[str, Any]:
    """A page that has no entry: its docstring."""
    words = inspect.getdoc(app.view_functions[rule.endpoint]) or rule.rule
    return {
        "tags": ["Operations" if rule.endpoint.startswith("operations.") else "Pages"],
        "operationId": rule.endpoint.replace(".", "_"),
        "summary": words.partition("\n")[0].rstrip("."),
        "parameters": [{"$ref": "#/components/parameters/format"}],
        "responses": {"200": {"description": "The page, or its twin.", "content": _PAGE}},
    }


def _with_variables(operation: Mapping[str, Any], rule: Rule) -> dict[str, Any]:
    """The operation with the parts of its address as parameters."""
    variables = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in sorted(rule.arguments)
    ]
    every = [*variables, *operation.get("parameters", ())]
    return {**operation, **({"parameters": every} if every else {})}


def _groups(told: Mapping[str, Any]) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """The operations by tag, in the order of the tags."""
    every = [
        {"path": path, "method": method, **operation}
        for path, methods in told["paths"].items()
        for method, operation in methods.items()
    ]
    return [(tag, [each for each in every if tag["name"] in each["tags"]]) for tag in told["tags"]]


def _schemas(told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each schema with its JSON, to read."""
    for name, schema in told["components"]["schemas"].items():
        yield name, json.dumps(schema, indent=2)
