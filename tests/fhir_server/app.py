"""The application: reads, searches, writes and transactions over HTTP, with real OperationOutcomes."""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from tests.fhir_server import searching
from tests.fhir_server.faults import SHORT, Faults, Seen, absolute, in_details
from tests.fhir_server.shelf import TYPES, Json, Refused, Shelf

PAGE, LARGEST = 20, 1_000  # entries a page where nothing else is asked for, and at most: Medplum's numbers
FHIR_JSON = "application/fhir+json"
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "authorization, content-type, accept, prefer",
}


def create_app(token: str | None = None) -> Flask:
    """A server with an empty shelf; with `token`, only who sends it is let in."""
    app, shelf, seen = Flask(__name__), Shelf(), Seen()
    log: list[str] = []

    @app.errorhandler(Refused)
    def refused(fault: Refused) -> Response:
        return _outcome(fault.status, fault.code, fault.words, fault.expression)

    @app.errorhandler(HTTPException)
    def unknown(fault: HTTPException) -> Response:
        return _outcome(fault.code or 500, "not-supported", fault.name)

    @app.get("/log")
    def told() -> list[str]:
        """What was asked so far: method and address, without the host."""
        return log

    @app.route("/fhir", defaults={"names": "", "path": ""}, methods=["GET", "POST"])
    @app.route("/fhir/<path:path>", defaults={"names": ""}, methods=["GET", "POST", "PUT", "DELETE"])
    @app.route("/with/<names>/fhir", defaults={"path": ""}, methods=["GET", "POST"])
    @app.route("/with/<names>/fhir/<path:path>", methods=["GET", "POST", "PUT", "DELETE"])
    def fhir(names: str, path: str) -> Response:
        log.append(f"{request.method} {request.full_path.rstrip('?')}")
        faults = Faults.read(names, path.partition("/")[0])
        base = request.host_url + (f"with/{names}/fhir" if names else "fhir")
        faults.wait()
        if path == "metadata":
            return _statement(faults)
        if token is not None and request.headers.get("Authorization") != f"Bearer {token}":
            return _outcome(401, "login", "a valid access token is needed", headers={"WWW-Authenticate": "Bearer"})
        instead = _instead(faults, seen)
        return instead or _spoiled(_answer(shelf, faults, base, path), faults, base)

    @app.after_request
    def dress(response: Response) -> Response:
        response.headers.update(_CORS)
        if response.status_code >= 400 and "in-details" in Faults.read((request.view_args or {}).get("names", ""), ""):
            response.set_data(in_details(response.get_data()))
        if "skewed" in (request.view_args or {}).get("names", ""):
            response.headers["Date"] = format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)
        return response

    return app


def _instead(faults: Faults, seen: Seen) -> Response | None:
    """What comes in place of an answer."""
    if faults.status:
        return _outcome(faults.status, "exception", "it was to be so")
    if "throttled" in faults:
        return _outcome(429, "throttled", "too many requests", headers={"Retry-After": "3600"})
    if "throttled-untold" in faults:
        return _outcome(429, "throttled", "too many requests", headers={"RateLimit": '"fhirInteractions";r=0;t=37'})
    if "busy" in faults and seen.first_time(request.full_path):
        return _outcome(429, "throttled", "too many requests", headers={"Retry-After": "1"})
    if "short-addresses" in faults and len(request.full_path) > SHORT:
        return _outcome(414, "too-long", "the address is too long")
    if "html" in faults:
        return Response("<html>Sign in</html>", mimetype="text/html")
    return None


def _spoiled(response: Response, faults: Faults, base: str) -> Response:
    """What becomes of an answer on its way."""
    if response.status_code != 200:
        return response
    body = response.get_data()
    if "absolute" in faults:
        body = absolute(body, base)
    if "truncated" in faults:
        body = body[: len(body) // 2]
    if "brokenoff" in faults:
        headers = {"Content-Length": str(len(body)), "Connection": "close"}
        return Response(iter([body[: len(body) // 2]]), headers=headers, mimetype=FHIR_JSON)
    response.set_data(body)
    if "gzip" in request.headers.get("Accept-Encoding", "") and "plain" not in faults:
        response.set_data(gzip.compress(body))
        response.headers["Content-Encoding"] = "gzip"
    return response


def _answer(shelf: Shelf, faults: Faults, base: str, path: str) -> Response:
    kind, _, identity = path.partition("/")
    _check_media_type()
    if not path:
        return _transaction(shelf, faults)
    if identity == "_search":
        if request.method != "POST" or "no-post-search" in faults:
            raise Refused(405, "not-supported", "search by GET")
        return _page(shelf, faults, base, kind, (*request.args.items(multi=True), *request.form.items(multi=True)))
    if identity:
        return _instance(shelf, faults, kind, identity)
    if request.method == "POST":
        return _created(shelf, base, kind)
    return _page(shelf, faults, base, kind, tuple(request.args.items(multi=True)))


def _created(shelf: Shelf, base: str, kind: str) -> Response:
    """A new resource under an id of the server's, whatever id the client wrote into it."""
    identity = str(uuid.uuid4())
    shelf.write({(kind, identity): {**_body(), "id": identity}})
    response = _json(shelf.read(kind, identity), 201)
    response.headers["Location"] = f"{base}/{kind}/{identity}/_history/1"
    return response


def _check_media_type() -> None:
    is_search = request.path.endswith("/_search")
    wanted = ("application/x-www-form-urlencoded",) if is_search else (FHIR_JSON, "application/json")
    if request.method in ("POST", "PUT") and request.mimetype not in wanted:
        raise Refused(415, "not-supported", f"send Content-Type {wanted[0]}")


def _instance(shelf: Shelf, faults: Faults, kind: str, identity: str) -> Response:
    key = (kind, identity)
    match request.method:
        case "GET":
            return _json(shelf.read(*key))
        case "PUT":
            _check_id(shelf, faults, key)
            status = shelf.write({key: _body()})[key]
            return _json(shelf.read(*key), status)
        case "DELETE":
            status = shelf.write({key: None})[key]
            if "outcome-at-delete" in faults:
                return _json(_issue("information", "informational", "All OK"))
            return Response(status=status)
        case _:
            raise Refused(405, "not-supported", "not for one resource")


def _body() -> Json:
    try:
        body = json.loads(request.get_data())
    except ValueError:
        raise Refused(400, "structure", "the body is not JSON") from None
    if not isinstance(body, dict):
        raise Refused(400, "structure", "the body is not a resource")
    return body


def _transaction(shelf: Shelf, faults: Faults) -> Response:
    bundle = _body()
    if "no-transactions" in faults or request.method != "POST":
        raise Refused(400, "not-supported", "this server takes no transactions")
    if (bundle.get("resourceType"), bundle.get("type")) != ("Bundle", "transaction"):
        raise Refused(400, "invalid", "only a transaction Bundle can be posted here")
    changes: dict[tuple[str, str], Json | None] = {}
    for entry in bundle.get("entry", []):
        method, url = entry.get("request", {}).get("method"), entry.get("request", {}).get("url", "")
        kind, _, identity = url.partition("/")
        if method not in ("PUT", "DELETE") or not identity or (kind, identity) in changes:
            raise Refused(400, "invalid", f"{method} {kind} is not taken in a transaction")
        if "as-batch" not in faults:
            _check_id(shelf, faults, (kind, identity))
        changes[kind, identity] = entry.get("resource") if method == "PUT" else None
    if "as-batch" in faults:
        answers = [_one_of_a_batch(shelf, faults, *change) for change in changes.items()]
    else:
        answers = [{"response": {"status": str(status)}} for status in shelf.write(changes).values()]
    return _json({"resourceType": "Bundle", "type": "transaction-response", "entry": answers})


def _check_id(shelf: Shelf, faults: Faults, key: tuple[str, str]) -> None:
    if "no-own-ids" in faults and shelf.held.get(key) is None:
        raise Refused(405, "not-supported", "this server gives the ids itself")


def _one_of_a_batch(shelf: Shelf, faults: Faults, key: tuple[str, str], resource: Json | None) -> Json:
    try:
        _check_id(shelf, faults, key)
        return {"response": {"status": str(shelf.write({key: resource})[key])}}
    except Refused as refused:
        outcome = _issue("error", refused.code, refused.words, refused.expression)
        return {"response": {"status": str(refused.status), "outcome": outcome}}


def _page(shelf: Shelf, faults: Faults, base: str, kind: str, pairs: searching.Pairs) -> Response:
    """One page of a searchset, with what it includes and the way to the next."""
    matches = searching.search(shelf, kind, pairs, base, faults.without)
    size = min(_number(pairs, "_count", PAGE), 2 if "pages" in faults else LARGEST)
    offset = _number(pairs, "_offset", 0)
    shown = matches[offset : offset + size]
    included = {each["id"]: each for each in _included(shelf, kind, pairs, shown)}
    entries: list[Json] = [_entry(base, each, "match") for each in shown]
    entries += [_entry(base, each, "include") for each in included.values()]
    entries += _warnings(faults, matches)
    kept = [pair for pair in pairs if pair[0] != "_offset"]
    links = [{"relation": "self", "url": f"{base}/{kind}?{urlencode(pairs)}"}]
    following = f"{base}/{kind}?{urlencode([*kept, ('_offset', str(offset + size))])}"
    if "foreign-next" in faults:
        links.append({"relation": "next", "url": following.replace("//127.0.0.1", "//127.0.0.2")})
    elif "loop" in faults:
        links.append({"relation": "next", "url": f"{base}/{kind}?{urlencode(kept)}"})
    elif len(matches) > offset + size:
        links.append({"relation": "next", "url": following})
    bundle: Json = {"resourceType": "Bundle", "type": "searchset", "link": links}
    if "uncounted" not in faults:
        bundle["total"] = len(matches) + ("miscounted" in faults)
    return _json(bundle | ({"entry": entries} if entries else {}))


def _included(shelf: Shelf, kind: str, pairs: searching.Pairs, shown: list[Json]) -> list[Json]:
    names = [value for name, value in pairs if name == "_include"]
    return searching.included(shelf, kind, shown, names)


def _warnings(faults: Faults, matches: list[Json]) -> list[Json]:
    if "withheld" in faults:
        return [{"resource": _issue("warning", "suppressed", "parts are withheld"), "search": {"mode": "outcome"}}]
    if "empty-warning" in faults and not matches:
        return [{"resource": _issue("warning", "not-found", "no results"), "search": {"mode": "outcome"}}]
    return []


def _entry(base: str, resource: Json, mode: str) -> Json:
    return {
        "fullUrl": f"{base}/{resource['resourceType']}/{resource['id']}", "resource": resource, "search": {"mode": mode}
    }


def _number(pairs: searching.Pairs, name: str, default: int) -> int:
    written = dict(pairs).get(name, str(default))
    if not written.isdecimal():
        raise Refused(400, "value", f"{name} is no number")
    return int(written)


def _statement(faults: Faults) -> Response:
    if "no-metadata" in faults:
        return _outcome(404, "not-found", "no CapabilityStatement")
    interactions = [{"code": each} for each in ("read", "update", "delete", "search-type")]
    resources = [
        {
            "type": kind,
            "interaction": interactions,
            "updateCreate": "no-own-ids" not in faults,
            "searchParam": [
                {"name": name, "type": "reference" if name in searching.REFERENCES else "token"}
                for name in searching.known(kind, faults.without)
            ],
            "searchInclude": [] if faults.hides_includes else list(searching.INCLUDES.get(kind, {})),
        }
        for kind in TYPES
    ]
    rest = {"mode": "server", "resource": [] if "unsaid" in faults else resources}
    if "no-transactions" not in faults:
        rest["interaction"] = [{"code": "transaction"}]
    return _json({
        "resourceType": "CapabilityStatement", "status": "active", "date": "2026-11-21", "kind": "instance",
        "fhirVersion": faults.fhir_version, "format": ["json"], "software": {"name": "aml-cds test server"},
        "rest": [rest],
    })  # fmt: skip


def _json(content: Any, status: int = 200) -> Response:
    return Response(json.dumps(content), status, mimetype=FHIR_JSON)


def _issue(severity: str, code: str, words: str, expression: str = "") -> Json:
    issue: Json = {"severity": severity, "code": code, "diagnostics": words}
    return {"resourceType": "OperationOutcome", "id": str(uuid.uuid4()), "issue": [
        issue | ({"expression": [expression]} if expression else {})
    ]}  # fmt: skip


def _outcome(
    status: int, code: str, words: str, expression: str = "", headers: Mapping[str, str] | None = None
) -> Response:
    response = _json(_issue("error", code, words, expression), status)
    response.headers.update(headers or {})
    return response
