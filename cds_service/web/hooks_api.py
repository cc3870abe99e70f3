"""The CDS Hooks API: discovery, calls and feedback, by HTTP. The line from a body to cards is handed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec
from flask import Blueprint, Response, g, request

from cds_service.errors import NoSuchService
from cds_service.hooks.caller import Caller
from cds_service.hooks.feedback import Feedback, FeedbackCounts
from cds_service.hooks.services import Service, discovery
from cds_service.web import guard
from cds_service.web.desk import Desk


class Answered(Protocol):
    """What the web needs of an answer."""

    @property
    def body(self) -> bytes:
        """The JSON of the CDS Hooks response."""


Answers = Callable[[bytes, Service, Any, Caller | None], Answered]


def hooks_api(desk: Desk, answer: Answers, counts: FeedbackCounts) -> Blueprint:
    """The blueprint for those whom the desk lets in."""
    api = Blueprint("hooks_api", __name__)

    @api.before_request
    def receive() -> None:
        if request.method != "OPTIONS":  # a browser asks beforehand, and without a token
            g.caller, g.tools = desk.receive(request.headers.get("Authorization"), request.path)

    @api.get("/cds-services")
    def discover() -> Response:
        return _json(msgspec.json.encode(discovery(g.tools.services)))

    @api.post("/cds-services/<service_id>")
    def call(service_id: str) -> Response:
        service = _named(service_id, g.tools.services)
        return _json(answer(guard.body(), service, g.tools, g.caller).body)

    @api.post("/cds-services/<service_id>/feedback")
    def feedback(service_id: str) -> Response:
        service = _named(service_id, g.tools.services)
        counts.add(service.id, Feedback.read(guard.body()))
        return _json(b"{}")

    return api


def _named(service_id: str, services: tuple[Service, ...]) -> Service:
    for service in services:
        if service.id == service_id:
            return service
    raise NoSuchService("there is no service of that id: GET /cds-services lists what there is")


def _json(body: bytes) -> Response:
    return Response(body, mimetype="application/json")
