"""The CDS Hooks API: discovery, calls and feedback, by HTTP. The line from a body to cards is handed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec
from flask import Blueprint, Response, request

from cds_service.errors import NoSuchService
from cds_service.hooks.caller import Caller, claimed
from cds_service.hooks.feedback import Feedback, FeedbackCounts
from cds_service.hooks.services import Service, discovery
from cds_service.web import guard


class Answered(Protocol):
    """What the web needs of an answer."""

    @property
    def body(self) -> bytes:
        """The JSON of the CDS Hooks response."""


class Toolbox(Protocol):
    """What the web needs of the tools that an answer is made with."""

    @property
    def services(self) -> tuple[Service, ...]:
        """The services on offer."""

    @property
    def knowledge_version(self) -> str:
        """Which medicine they know."""


Answers = Callable[[bytes, Service, Any, Caller | None], Answered]
Identify = Callable[[str | None], Caller | None]


def hooks_api(
    tools: Toolbox, answer: Answers, counts: FeedbackCounts, identify: Identify = claimed
) -> Blueprint:
    """The blueprint for these services. `identify`: who calls, from the `Authorization` header."""
    api = Blueprint("hooks_api", __name__)
    by_id = {service.id: service for service in tools.services}
    offer = msgspec.json.encode(discovery(tools.services))

    @api.get("/cds-services")
    def discover() -> Response:
        return _json(offer)

    @api.post("/cds-services/<service_id>")
    def call(service_id: str) -> Response:
        service = _named(service_id, by_id)
        caller = identify(request.headers.get("Authorization"))
        return _json(answer(guard.body(), service, tools, caller).body)

    @api.post("/cds-services/<service_id>/feedback")
    def feedback(service_id: str) -> Response:
        service = _named(service_id, by_id)
        counts.add(service.id, Feedback.read(guard.body()))
        return _json(b"{}")

    return api


def _named(service_id: str, by_id: dict[str, Service]) -> Service:
    service = by_id.get(service_id)
    if service is None:
        raise NoSuchService("there is no service of that id: GET /cds-services lists what there is")
    return service


def _json(body: bytes) -> Response:
    return Response(body, mimetype="application/json")
