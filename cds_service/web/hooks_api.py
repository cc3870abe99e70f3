"""The CDS Hooks API: discovery, calls and feedback, by HTTP. The line from a body to cards is handed in.

What stands beside the line is shown a call once its answer has gone out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

import msgspec
from flask import Blueprint, Request, Response, g, request

from cds_service.answer import Answer
from cds_service.beside import Beside, Call
from cds_service.errors import NoSuchService
from cds_service.hooks.caller import Caller
from cds_service.hooks.feedback import Feedback
from cds_service.hooks.services import Service, discovery
from cds_service.web import guard
from cds_service.web.desk import Desk
from cds_service.web.errors import CALL_ENDPOINT
from cds_service.web.lean import Whole
from cds_service.web.rates import Rates

KNOWLEDGE = "X-Aml-Cds-Knowledge"  # the digest of knowledge and overlay that answered, also when there is no card
Answers = Callable[[bytes, Service, Any, Caller | None], Answer]


def hooks_api(desk: Desk, answer: Answers, beside: Beside, rates: Rates) -> Blueprint:
    """The blueprint for those whom the desk lets in, as often as the rates allow."""
    api = Blueprint("hooks_api", __name__)

    @api.before_request
    def receive() -> None:
        here, noted = _here(), _noted()
        noted.at, noted.since = datetime.now(UTC), time.monotonic()
        if here.method != "OPTIONS":  # a browser asks beforehand, and without a token
            noted.caller, noted.tools = rates.receive(desk, here.environ.get("HTTP_AUTHORIZATION"), here.path)

    @api.get("/cds-services")
    def discover() -> Response:
        return _json(msgspec.json.encode(discovery(g.tools.services)))

    @api.post("/cds-services/<service_id>")
    def call(service_id: str) -> Response:
        noted = _noted()
        noted.service = _named(service_id, noted.tools.services)
        with rates.room:
            noted.body = guard.body()
            noted.answer = answer(noted.body, noted.service, noted.tools, noted.caller)
        return _json(noted.answer.body)

    @api.post("/cds-services/<service_id>/feedback")
    def feedback(service_id: str) -> Response:
        service = _named(service_id, g.tools.services)
        told = Feedback.read(guard.body())
        for ledger in beside.ledgers:
            ledger.add(service.id, _hospital(g.caller), told)
        return _json(b"{}")

    @api.after_request
    def show(response: Response) -> Response:
        here, noted = _here(), _noted()
        if "tools" in noted:
            response.headers[KNOWLEDGE] = noted.tools.knowledge_version
        if here.endpoint == CALL_ENDPOINT and here.method == "POST" and beside.witnesses:
            seen = _seen(noted, response.status_code)
            response.call_on_close(lambda: beside.show(seen))
        return response

    return api


def _here() -> Request:
    """The request itself: asking Flask's stand-in for it costs at every question."""
    return request._get_current_object()  # type: ignore[attr-defined,no-any-return]


def _noted() -> Any:
    """What was noted of this request up to now: `g` itself."""
    return g._get_current_object()


def _seen(noted: Any, status: int) -> Call:
    """The call that this request was, whatever became of it."""
    service: Service | None = noted.get("service")
    caller: Caller | None = noted.get("caller")
    return Call(
        id=token_hex(16),
        at=noted.get("at") or datetime.now(UTC),  # what the guard refused never came to `receive`
        seconds=time.monotonic() - noted.since if "since" in noted else 0.0,
        service=service.id if service else "",
        hook=service.hook if service else "",
        tenant=_hospital(caller),
        caller=caller,
        status=status,
        cause=noted.get("cause", ""),
        body=noted.get("body", b""),
        answer=noted.get("answer"),
        knowledge=noted.tools.knowledge_version if "tools" in noted else "",
    )


def _hospital(caller: Caller | None) -> str:
    return caller.hospital if caller else ""


def _named(service_id: str, services: tuple[Service, ...]) -> Service:
    for service in services:
        if service.id == service_id:
            return service
    raise NoSuchService("there is no service of that id: GET /cds-services lists what there is")


def _json(body: bytes) -> Response:
    return Whole(body, "application/json")
