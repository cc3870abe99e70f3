"""The JSON twin of each page: the same content for machines, by `?format=json` or by what the client accepts."""

from __future__ import annotations

import msgspec
from flask import Response, request

_HTML, _JSON = "text/html", "application/json"


def json_wanted() -> bool:
    """Whether this request asks for the twin. A page is what everybody gets who does not say."""
    asked = request.args.get("format")
    if asked is not None:
        return asked == "json"
    return request.accept_mimetypes.best_match([_HTML, _JSON], _HTML) == _JSON


def as_json(body: object, status: int = 200) -> Response:
    """The body as JSON."""
    return Response(msgspec.json.encode(body), status, mimetype=_JSON)
