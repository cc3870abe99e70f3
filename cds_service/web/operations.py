"""For people and machines around the service: is it well, what is it, which queries does it want answered."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import msgspec
from flask import Blueprint, Response, abort, current_app, render_template, request

from cards.reasons import PATH, code_system
from cds_service import __version__
from cds_service.beside import Beside, Light
from cds_service.hooks.feedback import FeedbackCounts
from cds_service.hooks.services import USAGE, Service
from cds_service.pages.twin import as_json, json_wanted
from cds_service.settings import LOOPBACK, ON, Settings, is_loopback
from cds_service.web.desk import Desk, Toolbox
from cds_service.web.guard import METRICS_PATH

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_OF_PROXIES = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP")
_READY = {Light.GREEN: "ready", Light.AMBER: "limping", Light.RED: "not ready"}


@dataclass(frozen=True, slots=True)
class PrefetchRow:
    """One line of the prefetch table, for those who type it into an EHR by hand."""

    key: str
    query: str
    hooks: tuple[str, ...]
    needed_for: str


def operations(
    settings: Settings, tools: Toolbox, counts: FeedbackCounts, desk: Desk, beside: Beside
) -> Blueprint:
    """The blueprint for this service."""
    pages = Blueprint("operations", __name__)
    rows = prefetch_table(tools.services)
    by_tenant = settings.tenants is not None

    @pages.get("/healthz")
    def healthz() -> Response:
        since_start = {"feedback_since_start": counts.as_dict()}  # of this server process
        return _json({"status": "ok", "version": __version__, **since_start, **desk.state()})

    @pages.get("/readyz")
    def readyz() -> Response:
        health = beside.health()
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

    @pages.get(METRICS_PATH)
    def metrics() -> Response:
        if beside.metrics is None or not _may_read_metrics(settings):
            abort(404)
        return Response(beside.metrics(), content_type=METRICS_TYPE)

    @pages.get("/")
    def home() -> str | Response:
        worst = max((each.light for each in beside.health().values()), default=Light.GREEN)
        if json_wanted():
            return as_json(_told(settings, tools, _READY[worst]))
        return render_template(
            "home.html",
            settings=settings,
            tools=tools,
            version=__version__,
            url=settings.public_url,
            ready=_READY[worst],
            light=worst.name.lower(),
            has=lambda endpoint: endpoint in current_app.view_functions,
        )

    @pages.get("/prefetch")
    def prefetch() -> str | Response:
        if request.args.get("format") == "json":
            whose = {"of": "the service as shipped; a hospital's own is its /cds-services"} if by_tenant else {}
            return _json({"prefetch": [asdict(row) for row in rows], **whose})
        return render_template("prefetch.html", rows=rows, services=tools.services, by_tenant=by_tenant)

    @pages.get(PATH)
    def override_reasons() -> Response:
        return Response(msgspec.json.encode(code_system(__version__)), mimetype="application/fhir+json")

    return pages


def _told(settings: Settings, tools: Toolbox, ready: str) -> dict[str, object]:
    """What this is, as data."""
    return {
        "service": "aml-cds: decision support for relapsed or refractory AML in adults",
        "for": USAGE,
        "state": ready,
        "version": __version__,
        "mode": settings.mode,
        "jurisdiction": settings.jurisdiction or "by tenant",
        "knowledge": {"version": tools.knowledge_version, "last_held_against_a_source": tools.knowledge_day},
        "services": [{"id": each.id, "hook": each.hook, "description": each.description} for each in tools.services],
    }


def _may_read_metrics(settings: Settings) -> bool:
    """As the setting says; a proxy on this machine speaks for strangers, and is known by the headers that it adds."""
    if settings.metrics != LOOPBACK:
        return settings.metrics == ON
    return is_loopback(request.remote_addr or "") and not any(name in request.headers for name in _OF_PROXIES)


def prefetch_table(services: tuple[Service, ...]) -> tuple[PrefetchRow, ...]:
    """Every query of these services, once, with the hooks that want it."""
    queries = {query.key: query for service in services for query in service.queries}
    return tuple(
        PrefetchRow(
            query.key, query.template, tuple(service.hook for service in services if query in service.queries),
            query.needed_for,
        )
        for query in queries.values()
    )


def _json(body: object) -> Response:
    return Response(msgspec.json.encode(body), mimetype="application/json")
