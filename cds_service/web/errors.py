"""Errors as a caller sees them: an OperationOutcome with the path of the fault, or one card that says what happened.

Whoever asks for a page (`Accept` prefers text/html) and is no caller of a hook reads the same on a page.

To a clinician an HTTP error is silence. So when something of ours breaks during a call, the answer is 200 with one
warning card; error statuses are for requests that nobody could answer.
"""

from __future__ import annotations

import logging
import traceback
import uuid

import msgspec
from flask import Flask, Response, current_app, g, render_template, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Response as AnyResponse

from cds_service.errors import RequestError

CALL_ENDPOINT = "hooks_api.call"
_CALLS = "/cds-services"  # and what lies below: for EHRs, whatever they accept
_HTML, _JSON = "text/html", "application/json"
log = logging.getLogger(__name__)

# FHIR's IssueType for each status that Flask itself may raise, and what to do about it.
_HTTP = {
    400: ("invalid", "the request could not be read: send JSON in UTF-8"),
    404: ("not-found", "there is nothing at this address: GET /cds-services lists what there is"),
    405: ("not-supported", "this address does not take this method: see the Allow header"),
    413: ("too-long", "the body is larger than this service reads: send fewer resources, or raise MAX_BODY_MB"),
}


def register(app: Flask) -> None:
    """Let every error of this app be answered here."""
    app.register_error_handler(RequestError, _refused)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _broken)


def outcome(status: int, code: str, message: str, path: str | None = None) -> Response:
    """An OperationOutcome with this HTTP status."""
    issue: dict[str, object] = {"severity": "error", "code": code, "diagnostics": message}
    if path is not None:
        issue["expression"] = [path]
    body = {"resourceType": "OperationOutcome", "issue": [issue]}
    return Response(msgspec.json.encode(body), status, mimetype="application/json")


def _told(status: int, code: str, message: str, path: str | None = None) -> Response:
    """The same as a page for whoever sits before a browser, in the frame of all pages, with where to go from here.

    A page under another host's name would be without its style sheet, which is refused likewise: JSON.
    """
    if not _before_a_browser() or path == "http.Host":
        return outcome(status, code, message, path)
    known = request.url_rule is not None and request.method == "GET"
    page = render_template("refused.html", status=status, message=message, here=request.path if known else None)
    return Response(page, status, mimetype=_HTML)


def _before_a_browser() -> bool:
    """Whether a page is preferred to JSON: a program, which takes anything, is none."""
    if request.path.startswith(_CALLS) or "format" in request.args:
        return False
    accepted = request.accept_mimetypes
    return _HTML in accepted.values() and accepted.best_match([_JSON, _HTML]) == _HTML


def _refused(error: RequestError) -> Response:
    g.cause = type(error).__name__
    response = _told(error.status, error.code, error.message, error.path)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _http_error(error: HTTPException) -> Response | AnyResponse:
    g.cause = type(error).__name__
    status = error.code or 500
    if status < 400:
        return error.get_response()
    code, message = _HTTP.get(status, ("processing", "the request could not be answered: /api tells what can be asked"))
    response = _told(status, code, message)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def _broken(error: Exception) -> Response:
    g.cause = type(error).__name__
    # The type and the place only: a message may hold what it stumbled over, and that may be a patient's.
    log.error("not answered: %s at %s", type(error).__name__, _place(error))
    if request.endpoint == CALL_ENDPOINT and request.method == "POST":
        return Response(msgspec.json.encode({"cards": [_card()]}), mimetype="application/json")
    return outcome(500, "exception", "this service failed: the reason is in its log")


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "an unknown place"


def _card() -> dict[str, object]:
    """The card of last resort. It is written out here, since whatever renders cards may be what broke."""
    settings = current_app.config["SETTINGS"]
    return {
        "uuid": str(uuid.uuid4()),
        "summary": "AML decision support: this check could not be made",
        "indicator": "warning",
        "detail": (
            "The service failed while it checked this patient, so nothing was checked: neither QTc, electrolytes, "
            "interactions nor dose. Check by hand as you would without it.\n\n"
            "The reason is in the log of the service; please tell whoever runs it."
        ),
        "source": {"label": f"aml-cds ({settings.mode} mode)", "url": settings.public_url},
    }
