"""The CDS Hooks API: discovery, calls and feedback, by HTTP. The line from a body to cards is handed in.

What stands beside the line is shown a call once its answer has gone out.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
from flask import Blueprint, Response, g, request

from cds_service.answer import Answer
from cds_service.beside import Beside, Call
from cds_service.errors import NoSuchService
from cds_service.hooks.caller import Caller
from cds_service.hooks.feedback import Feedback
from cds_service.hooks.services import Service, discovery
from cds_service.web import guard
from cds_service.web.desk import Desk
from cds_service.web.errors import CALL_ENDPOINT
from cds_service.web.rates import Rates

KNOWLEDGE = "X-Aml-Cds-Knowledge"  # the digest of knowledge and overlay that answered, also when there is no card
Answers = Callable[[bytes, Service, Any, Caller | None], Answer]


def hooks_api(desk: Desk, answer: Answers, beside: Beside, rates: Rates) -> Blueprint:
    """The blueprint for those whom the desk lets in, as often as the rates allow."""
    api = Blueprint("hooks_api", __name__)

    @api.before_request
    def receive() -> None:
        g.at, g.since = datetime.now(UTC), time.monotonic()
        if request.method != "OPTIONS":  # a browser asks beforehand, and without a token
            g.caller, g.tools = rates.receive(desk, request.headers.get("Authorization"), request.path)

    @api.get("/cds-services")
    def discover() -> Response:
        return _json(msgspec.json.encode(discovery(g.tools.services)))

    @api.post("/cds-services/<service_id>")
    def call(service_id: str) -> Response:
        g.service = _named(service_id, g.tools.services)
        with rates.room.place():
            g.body = guard.body()
            g.answer = answer(g.body, g.service, g.tools, g.caller)
        return _json(g.answer.body)

    @api.post("/cds-services/<service_id>/feedback")
    def feedback(service_id: str) -> Response:
        service = _named(service_id, g.tools.services)
        told = Feedback.read(guard.body())
        for ledger in beside.ledgers:
            ledger.add(service.id, _hospital(), told)
        return _json(b"{}")

    @api.after_request
    def show(response: Response) -> Response:
        if "tools" in g:
            response.headers[KNOWLEDGE] = g.tools.knowledge_version
        if request.endpoint == CALL_ENDPOINT and request.method == "POST" and beside.witnesses:
            seen = _seen(response.status_code)
            response.call_on_close(lambda: beside.show(seen))
        return response

    return api


def _seen(status: int) -> Call:
    """The call that this request was, whatever became of it."""
    service: Service | None = g.get("service")
    return Call(
        id=uuid.uuid4().hex,
        at=g.get("at") or datetime.now(UTC),  # what the guard refused never came to `receive`
        seconds=time.monotonic() - g.since if "since" in g else 0.0,
        service=service.id if service else "",
        hook=service.hook if service else "",
        tenant=_hospital(),
        caller=g.get("caller"),
        status=status,
        cause=g.get("cause", ""),
        body=g.get("body", b""),
        answer=g.get("answer"),
        knowledge=g.tools.knowledge_version if "tools" in g else "",
    )


def _hospital() -> str:
    caller: Caller | None = g.get("caller")
    return caller.hospital if caller else ""


def _named(service_id: str, services: tuple[Service, ...]) -> Service:
    for service in services:
        if service.id == service_id:
            return service
    raise NoSuchService("there is no service of that id: GET /cds-services lists what there is")


def _json(body: bytes) -> Response:
    return Response(body, content_type="application/json")
