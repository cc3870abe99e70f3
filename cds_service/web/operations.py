"""For people and machines around the service: is it well, what is it, which queries does it want answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial

import msgspec
from flask import Blueprint, Response, abort, current_app, render_template

from cards.reasons import PATH, code_system
from cds_service import __version__
from cds_service.beside import Beside, Health, Light
from cds_service.hooks.feedback import FeedbackCounts
from cds_service.hooks.services import USAGE
from cds_service.pages.doors import is_let_in
from cds_service.pages.twin import as_json, json_wanted
from cds_service.settings import Settings
from cds_service.sheet import prefetch_table
from cds_service.web.desk import Desk, Toolbox
from cds_service.web.guard import METRICS_PATH
from cds_service.web.intended_use import INTENDED_USE, LIMITS_OF_USE

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FOR_CALLS = ("knowledge", "stopping")  # the parts without which no call can be answered
_READY = {Light.GREEN: "ready", Light.AMBER: "limping", Light.RED: "not ready"}


def operations(
    settings: Settings, tools: Toolbox, counts: FeedbackCounts, desk: Desk, beside: Beside
) -> Blueprint:
    """The blueprint for this service."""
    pages = Blueprint("operations", __name__)
    rows = prefetch_table(tools.services)
    by_tenant = settings.tenants is not None
    readiness = partial(_readiness, settings, tools)

    @pages.get("/healthz")
    def healthz() -> Response:
        since_start = {"feedback_since_start": counts.as_dict()}  # of this server process
        # Why callers were turned away is for the house: to a stranger it would tell what his token lacks.
        state = desk.state() if is_let_in(settings.metrics) else {}
        return _json({"status": "ok", "version": __version__, **since_start, **state})

    @pages.get("/readyz")
    def readyz() -> Response:
        return readiness(beside.health())

    @pages.get("/readyz/calls")
    def readyz_calls() -> Response:
        """For balancers: a store that every replica shares must not take all of them out when it is gone."""
        return readiness(_for_calls(beside.health()))

    @pages.get(METRICS_PATH)
    def metrics() -> Response:
        if beside.metrics is None or not is_let_in(settings.metrics):
            abort(404)
        return Response(beside.metrics(), content_type=METRICS_TYPE)

    @pages.get("/")
    def home() -> str | Response:
        return _home(settings, tools, beside)

    @pages.get("/prefetch")
    def prefetch() -> str | Response:
        if json_wanted():
            whose = {"of": "the service as shipped; a hospital's own is its /cds-services"} if by_tenant else {}
            return _json({"prefetch": [asdict(row) for row in rows], **whose})
        return render_template("prefetch.html", rows=rows, services=tools.services, by_tenant=by_tenant)

    @pages.get(PATH)
    def override_reasons() -> Response:
        return Response(msgspec.json.encode(code_system(__version__)), mimetype="application/fhir+json")

    return pages


def _home(settings: Settings, tools: Toolbox, beside: Beside) -> str | Response:
    """What this is, and how it is doing in a word."""
    worst = max((each.light for each in beside.health().values()), default=Light.GREEN)
    if json_wanted():
        return as_json(_told(settings, tools, _READY[worst]))
    return render_template(
        "home.html",
        settings=settings,
        tools=tools,
        version=__version__,
        url=settings.public_url,
        intended_use=INTENDED_USE,
        limits_of_use=LIMITS_OF_USE,
        ready=_READY[worst],
        light=worst.name.lower(),
        has=lambda endpoint: endpoint in current_app.view_functions,
    )


def _readiness(settings: Settings, tools: Toolbox, health: Mapping[str, Health]) -> Response:
    worst = max((each.light for each in health.values()), default=Light.GREEN)
    response = _json({
        "status": _READY[worst],
        "version": __version__,
        "mode": settings.mode,
        "authentication": "off: anybody may call" if settings.is_demo else "on",
        "jurisdiction": settings.jurisdiction or "by tenant",
        "knowledge": tools.knowledge_version,
        "services": [service.id for service in tools.services],
        "parts": {name: {"light": each.light.name.lower(), "words": each.words} for name, each in health.items()},
    })
    response.status_code = 503 if worst is Light.RED else 200
    return response


def _told(settings: Settings, tools: Toolbox, ready: str) -> dict[str, object]:
    """What this is, as data."""
    return {
        "service": "aml-cds: decision support for relapsed or refractory AML in adults",
        "for": USAGE,
        "intended_use": [INTENDED_USE, *(" ".join(filter(None, each)) for each in LIMITS_OF_USE)],
        "state": ready,
        "version": __version__,
        "mode": settings.mode,
        "jurisdiction": settings.jurisdiction or "by tenant",
        "knowledge": {"version": tools.knowledge_version, "last_held_against_a_source": tools.knowledge_day},
        "services": [{"id": each.id, "hook": each.hook, "description": each.description} for each in tools.services],
    }


def _for_calls(health: Mapping[str, Health]) -> dict[str, Health]:
    """The same, where only what calls cannot do without may be red."""
    return {
        name: each if name in FOR_CALLS else replace(each, light=min(each.light, Light.AMBER))
        for name, each in health.items()
    }


def _json(body: object) -> Response:
    return Response(msgspec.json.encode(body), mimetype="application/json")
