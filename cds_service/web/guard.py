"""Guard: what a request must look like before anyone reads it, and the headers that every answer carries.

The `Host` check keeps a web page from reaching a demo on loopback through a name of its own (DNS rebinding). CORS is
granted to the configured origins and, in demo mode, to loopback and the official CDS Hooks Sandbox; a call carries
JSON, so a browser always asks first.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask, Request, Response, current_app, request
from werkzeug.exceptions import ClientDisconnected, HTTPException
from werkzeug.wrappers import Response as AnyResponse

from cds_service.errors import BadRequest, NotJson, TooLarge
from cds_service.security.links import LOGIN_PATH, LOGOUT_PATH
from cds_service.settings import ON, Settings, is_loopback

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

METRICS_PATH = "/metrics"
SANDBOX = "https://sandbox.cds-hooks.org"
JSON_TYPES = ("application/json", "application/fhir+json", "application/json+fhir")
_OF_UTF_8 = ("utf-8", "utf8", "us-ascii", "ascii")  # what is written so is UTF-8 too
_LOOPBACK_ORIGIN = re.compile(r"https?://(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?\Z", re.IGNORECASE)
_HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::\d{0,5})?\Z")
_PREFLIGHT_SECONDS = "600"
_REMEMBERED, _LONGEST = 256, 300  # values of Host, and characters of one: a name has 253 at most
_NOT_OURS = (
    "the Host header names a host that this service does not answer for: call it by its own address, "
    "or add the name to ALLOWED_HOSTS"
)
_NO_HOST = "the Host header is missing: send the name under which you call, as HTTP/1.1 asks for"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-site",
    "Permissions-Policy": "camera=(), clipboard-read=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_VARY = {"Vary": "Origin"}
_FORMS = (LOGIN_PATH, LOGOUT_PATH)
_ONLY_TLS = {"Strict-Transport-Security": "max-age=31536000"}  # a year; said only where the address is https


def register(app: Flask, settings: Settings) -> None:
    """Check every request to this app, and dress every answer."""
    hosts = _own_hosts(settings)
    ours = headers(settings)
    names = frozenset(name.lower() for name, _ in ours)
    origins = frozenset((*((SANDBOX,) if settings.is_demo else ()), *settings.cors_origins))
    # Werkzeug cuts a chunked body off at its limit without a word: one byte more lets `body` notice.
    app.config["MAX_CONTENT_LENGTH"] = _limit(settings) + 1

    @lru_cache(maxsize=_REMEMBERED)
    def is_ours(host: str) -> bool:
        return len(host) <= _LONGEST and _is_ours(host, hosts)

    @app.before_request
    def check() -> Response | None:
        here = request._get_current_object()  # type: ignore[attr-defined] # asked often: each time by the proxy costs
        by_number = here.path == METRICS_PATH and settings.metrics == ON  # as Prometheus calls each replica
        host = here.environ.get("HTTP_HOST")
        if host is None and here.environ.get("SERVER_PROTOCOL") != "HTTP/1.0":  # RFC 9112, 3.2
            raise BadRequest(_NO_HOST, "http.Host")
        if host is not None and not by_number and not is_ours(host):
            raise BadRequest(_NOT_OURS, "http.Host")
        if here.routing_exception is not None:
            return None  # 404 and 405 come before what the body may be
        if here.method == "OPTIONS":
            return _options()
        if here.method == "POST":
            _check_body(here, settings)
        return None

    @app.after_request
    def dress(response: AnyResponse) -> AnyResponse:
        if names.isdisjoint([name.lower() for name, _ in response.headers]):
            response.headers[len(response.headers) :] = ours  # all at once
        else:
            _put_on(response, ours)
        _grant(response, origins, settings.is_demo)
        return response


def headers(settings: Settings) -> tuple[tuple[str, str], ...]:
    """What every answer of this service carries."""
    tls = _ONLY_TLS if urlsplit(settings.public_url).scheme == "https" else {}
    return tuple((_HEADERS | tls | _VARY).items())


def body() -> bytes:
    """The body of this request. Raises TooLarge, also when it came in chunks without a length, or BadRequest."""
    settings: Settings = current_app.config["SETTINGS"]
    here = request._get_current_object()  # type: ignore[attr-defined]
    told = here.content_length
    try:
        read = here.get_data(cache=False) if told is None else _at_once(here.environ, told)
    except HTTPException:
        raise
    except Exception:  # noqa: BLE001 - each server has its own errors for a body that breaks off
        raise BadRequest("the body could not be read to its end: send it again") from None
    if len(read) > _limit(settings):
        raise _too_large(settings)
    if told is not None and len(read) < told:
        raise BadRequest("the body ends before its Content-Length: send it again")
    return read


def _at_once(environ: WSGIEnvironment, length: int) -> bytes:
    """What comes of a body of this length, which `check` allowed: Werkzeug would put it together of small pieces."""
    stream, pieces, left = environ["wsgi.input"], [], length
    try:
        while left and (piece := stream.read(left)):
            pieces.append(piece)
            left -= len(piece)
    except (OSError, ValueError):
        raise ClientDisconnected from None
    return b"".join(pieces)


def _limit(settings: Settings) -> int:
    return settings.max_body_mb * 1024 * 1024


def _too_large(settings: Settings) -> TooLarge:
    return TooLarge(f"the body is larger than {settings.max_body_mb} MB: send fewer resources, or raise MAX_BODY_MB")


def _own_hosts(settings: Settings) -> frozenset[str]:
    public = urlsplit(settings.public_url).hostname or ""
    return frozenset((*settings.allowed_hosts, settings.host.lower(), public))


def _is_ours(host: str, hosts: frozenset[str]) -> bool:
    match = _HOST.match(host)
    name = (match["v6"] or match["name"].removesuffix(".")).lower() if match else ""  # the dot of a whole name
    return match is not None and (is_loopback(name) or name in hosts)


def _options() -> Response:
    methods = request.url_rule.methods if request.url_rule else None
    response = Response(status=204, headers={"Allow": ", ".join(sorted(methods or ("GET", "POST", "OPTIONS")))})
    del response.headers["Content-Type"]  # of nothing
    return response


def _check_body(request: Request, settings: Settings) -> None:
    encoding = request.environ.get("HTTP_CONTENT_ENCODING", "").strip().lower() or "identity"
    if request.path.rstrip("/") in _FORMS:
        if request.mimetype != "application/x-www-form-urlencoded":
            raise NotJson("this address takes a form: send application/x-www-form-urlencoded", "http.Content-Type")
    elif request.environ.get("CONTENT_TYPE") != JSON_TYPES[0] and not _is_json(request):
        raise NotJson("the body must be JSON in UTF-8: send Content-Type: application/json", "http.Content-Type")
    if encoding != "identity":
        raise NotJson("a compressed body is not read: send it without Content-Encoding", "http.Content-Encoding")
    if (request.content_length or 0) > _limit(settings):
        raise _too_large(settings)


def _is_json(request: Request) -> bool:
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    return request.mimetype in JSON_TYPES and charset in _OF_UTF_8


def _put_on(response: AnyResponse, ours: tuple[tuple[str, str], ...]) -> None:
    """Our headers: in the place of those of that name, but `Vary` beside what it says already."""
    for name, value in ours:
        if name in _VARY and name in response.headers:
            response.vary.add(value)
        else:
            response.headers[name] = value


def _grant(response: AnyResponse, origins: frozenset[str], loopback: bool) -> None:
    origin = request.environ.get("HTTP_ORIGIN", "")
    if not origin:
        return
    if origin.lower() not in origins and not (loopback and _LOOPBACK_ORIGIN.match(origin)):
        return
    response.headers["Access-Control-Allow-Origin"] = origin
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
        response.headers["Access-Control-Allow-Headers"] = "authorization, content-type"
        response.headers["Access-Control-Max-Age"] = _PREFLIGHT_SECONDS
        if "Access-Control-Request-Private-Network" in request.headers:
            response.headers["Access-Control-Allow-Private-Network"] = "true"  # the public Sandbox calling loopback
