"""The answer of the playground: the cards of a hook request, and beside them the reasons. Demo mode only.

The body is a hook request as for `/cds-services`, with the same limits. `?now=` sets the day as of which it is
answered, since a story plays on a day of its own. Nothing of it is kept, and no FHIR server is asked.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import msgspec
from flask import Blueprint, Response, request

from cds_service.answer import Answer, Gate, Tools, answer
from cds_service.decoding import decode
from cds_service.errors import BadRequest
from cds_service.hooks.services import Service
from cds_service.pages.own_path import own_path
from cds_service.pages.shown import tree
from cds_service.security.fhir_servers import AllowedServers
from cds_service.security.links import PATH
from cds_service.trace import trace
from cds_service.web import guard
from cds_service.web.desk import Desk
from cds_service.web.rates import Rates

_FIRST, _LAST = date(2019, 1, 1), date(2099, 12, 31)  # the days on which our statements say anything


def playground_api(tools: Tools, desk: Desk, rates: Rates, url: str) -> Blueprint:
    """The blueprint. Its knowledge is a copy: the snapshot of a story's day must not push out that of today.

    Nothing of its calls is kept, so its cards link the pages of their rules, and every card is shown every time.
    """
    api = Blueprint("playground_api", __name__)
    nobody = AllowedServers((), loopback=False)
    fhir = replace(tools.fhir, allowed=nobody) if isinstance(tools.fhir, Gate) else tools.fhir
    why = (lambda card, topic: f"{url}{PATH}/rule/{topic}") if tools.why is not None else None
    tools = replace(tools, knowledge=replace(tools.knowledge), fhir=fhir, why=why, repeats=None)

    @api.post("/playground/answer")
    def try_out() -> Response:
        """The cards of a hook request and the reasons beside them, for the playground; nothing of it is kept."""
        rates.receive(desk, request.headers.get("Authorization"), request.path)
        body = guard.body()
        then = _then(request.args.get("now", ""), tools)
        service = _service(body, tools.services)
        since = time.perf_counter()
        made = answer(body, service, replace(tools, now=lambda: then))
        seconds = time.perf_counter() - since
        return Response(msgspec.json.encode(_told(made, service, then, seconds, tools)), mimetype="application/json")

    return api


def _told(made: Answer, service: Service, then: datetime, seconds: float, tools: Tools) -> dict[str, Any]:
    """The response as the EHR gets it, its details as elements, every check with what it read, the pathway's lights."""
    details = [card.get("detail", "") for card in msgspec.json.decode(made.body)["cards"]]
    steps = trace(made.evaluation)
    path = own_path(made.evaluation, steps, tools.knowledge)
    return {
        "service": service.id,
        "as_of": then.isoformat(),
        "seconds": round(seconds, 4),
        "response": msgspec.Raw(made.body),
        "pathway": path.lit if path else "",
        "options": path.options if path else (),
        "details": [tree(detail) for detail in details],
        "trace": steps,
    }


def _then(written: str, tools: Tools) -> datetime:
    if not written:
        return tools.now()
    try:
        then = datetime.fromisoformat(written)
    except ValueError:
        raise BadRequest("the time must be as in 2026-11-20T08:30:00Z", "http.now") from None
    if not _FIRST <= then.date() <= _LAST:
        raise BadRequest(f"the time must lie from {_FIRST} to {_LAST}", "http.now")
    return then if then.tzinfo else then.replace(tzinfo=tools.now().tzinfo)


class _Named(msgspec.Struct):
    hook: str = ""


def _service(body: bytes, services: tuple[Service, ...]) -> Service:
    """The service whose hook the request names; the first, whose reader says what is wrong, where it names none."""
    try:
        hook = decode(body, _Named).hook
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return services[0]
    for service in services:
        if service.hook == hook:
            return service
    raise BadRequest(f"no service of ours has that hook: send one of {', '.join(s.hook for s in services)}", "hook")
