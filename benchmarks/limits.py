"""The limits between which the service stands: the echo, which only parses, and the naive, which validates everything.

Both are Flask applications on the same server with the same settings, and both answer one constant card.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import msgspec
from flask import Flask, Response, request

CARD = {
    "cards": [
        {
            "uuid": "00000000-0000-0000-0000-000000000001",
            "summary": "QTcF 512 ms (yesterday): do not start gilteritinib, limit 500 ms",
            "indicator": "critical",
            "detail": "A constant card. " * 40,
            "source": {"label": "benchmark", "url": "http://127.0.0.1/"},
        }
    ]
}
_ANSWER = json.dumps(CARD).encode()
PARSER = "orjson" if importlib.util.find_spec("orjson") else "msgspec"


def parser() -> Callable[[bytes], Any]:
    """The quickest reader of JSON at hand: orjson, else msgspec without types, which takes a fifth longer."""
    return import_module("orjson").loads if PARSER == "orjson" else msgspec.json.decode


def echo() -> Flask:
    """Parses the body, all of it, and answers."""
    read = parser()
    return _app("echo", lambda body: read(body))


def naive() -> Flask:
    """Holds every resource of the body against `fhir.resources`, and answers."""
    read = parser()
    from fhir.resources.R4B import get_fhir_model_class

    def look(body: bytes) -> None:
        for resource in resources(read(body)):
            get_fhir_model_class(resource["resourceType"]).model_validate(resource)

    return _app("naive", look)


def resources(body: Any) -> Iterator[dict[str, Any]]:
    """Every resource of a request: those of prefetch, and the drafts."""
    sent = [*body["prefetch"].values(), *filter(None, [body["context"].get("draftOrders")])]
    for each in sent:
        if each["resourceType"] == "Bundle":
            yield from (entry["resource"] for entry in each["entry"])
        else:
            yield each


def _app(name: str, look: Callable[[bytes], object]) -> Flask:
    app = Flask(name)

    @app.post("/cds-services/<service>")
    def call(service: str) -> Response:
        look(request.get_data(cache=False))
        return Response(_ANSWER, mimetype="application/json")

    return app
