"""Serving: the application as the environment says, for gunicorn and the command line."""

from __future__ import annotations

import logging
import os
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, partial

from flask import Flask

from cds_service import env_file
from cds_service.answer import Observer, Tools, answer, load_tools, load_tools_of_tenants
from cds_service.beside import Beside
from cds_service.errors import CdsError
from cds_service.gather.shelter import Shelter
from cds_service.pages.book import book
from cds_service.security.links import LOGIN, OFF, Links
from cds_service.security.readers import Login, read_readers
from cds_service.security.tenants import Tenant, read_tenants
from cds_service.settings import JURISDICTIONS, Settings
from cds_service.store.stand import Stand, stand
from cds_service.watch import logs
from cds_service.watch.logbook import Logbook, opened
from cds_service.watch.metrics import Metrics
from cds_service.watch.tracing import Tracing, tracing
from cds_service.web import draining
from cds_service.web.app import create_app
from cds_service.web.desk import Desk, OpenDesk, TrustedDesk
from cds_service.web.probes import fhir_probe
from cds_service.web.reloading import RELOADS
from cds_service.web.warming import warm

log = logging.getLogger(__name__)


@cache
def settings_at_start() -> Settings:
    """The settings with which this process began. What is wrong with them is told in one message."""
    try:
        words = env_file.add_to(os.environ)
        if words:
            print(f"aml-cds: {words}", file=sys.stderr, flush=True)  # noqa: T201 - before there is a log
        return _settings()
    except CdsError as error:
        sys.exit(f"aml-cds does not start: {error}")


def from_environment() -> Flask:
    """The application. What keeps it from starting is told in one message, not in a traceback."""
    try:
        return _loaded()
    except CdsError as error:
        sys.exit(f"aml-cds does not start: {error}")


def reloaded() -> Flask | None:
    """The application with knowledge, overlay and tenants read again; None when they were refused."""
    return RELOADS.renewed(_loaded)


def _settings() -> Settings:
    settings = Settings.load(os.environ)
    settings.require_listening()
    return settings


def _loaded() -> Flask:
    settings = _settings()
    metrics = _metrics()
    logs.configure(settings, metrics.line_dropped)
    shelter = Shelter.of(settings.threads)
    kept = stand(settings, lambda: datetime.now(UTC), metrics.not_stored)

    def not_known(kind: str, system: str, times: int) -> None:
        metrics.not_known(kind, system, times)
        kept.not_known(kind, system, times)

    observer = Observer(metrics.asked, not_known)
    links = _links(settings, kept)
    login = _login(settings, kept, links)
    tools = replace(load_tools(settings, shelter, observer=observer, repeats=kept.repeats), why=links.to)
    theirs = _tools_of_tenants(settings, kept, shelter, observer, links)
    desk = _desk(settings, tools, theirs, kept, metrics)
    probes = {"fhir": fhir_probe(shelter), "knowledge": RELOADS.health, "stopping": draining.health}
    by_name = {tenant.name: each for tenant, each in theirs} or {"": tools}
    beside = replace(kept.beside, probes={**kept.beside.probes, **probes}, links=links, login=login, tools=by_name)
    beside = _watched(beside, tools, desk, metrics, tracing(settings))
    app = create_app(settings, tools, answer, desk, beside, book(settings, tools, beside))
    app.extensions["store"] = kept
    app.extensions["warm"] = partial(warm, next(iter(by_name.values())))  # by whoever serves, before it forks
    return app


def _links(settings: Settings, kept: Stand) -> Links:
    """The links of cards. A hospital's need an address that a clinician's browser may be sent to."""
    reachable = settings.is_demo or settings.public_url.startswith("https://")
    mode = settings.why_links if reachable else OFF
    is_kept = kept.beside.memory is not None
    return Links(settings.public_url, mode, 60 * settings.why_minutes, is_kept, kept.marker, time.time)


def _login(settings: Settings, kept: Stand, links: Links) -> Login | None:
    """The login of those who may look behind cards, where there is one."""
    if settings.why_readers is None:
        return None
    readers = read_readers(settings.why_readers, frozenset(each.name for each in _hospitals(settings)))
    return Login(readers, 60 * settings.why_minutes, kept.marker, time.time, opened) if links.mode == LOGIN else None


def _hospitals(settings: Settings) -> tuple[Tenant, ...]:
    """Those in the file of tenants; none in demo mode."""
    return read_tenants(settings.tenants, JURISDICTIONS, settings.way()) if settings.tenants is not None else ()


def _tools_of_tenants(
    settings: Settings, kept: Stand, shelter: Shelter, observer: Observer, links: Links
) -> tuple[tuple[Tenant, Tools], ...]:
    """Each tenant with what answers its calls; none in demo mode."""
    tenants = _hospitals(settings)
    if not tenants:
        return ()
    theirs = load_tools_of_tenants(settings, tenants, shelter, observer=observer, repeats=kept.repeats)
    return tuple((each, replace(theirs[each.issuer], why=links.to)) for each in tenants)


def _desk(
    settings: Settings, tools: Tools, theirs: tuple[tuple[Tenant, Tools], ...], kept: Stand, metrics: Metrics
) -> Desk:
    """Who may call: in hospital mode those whom the file of tenants lists."""
    if settings.tenants is None:
        log.warning("demo mode: nobody is asked who they are, whoever reaches the port is answered")
        return OpenDesk(tools)
    from cds_service.security.callers import Callers  # large, and demo mode does without it

    callers = Callers(tuple(tenant for tenant, _ in theirs), kept.seen, time.monotonic, metrics.turned_away)
    return TrustedDesk(callers, {tenant.issuer: each for tenant, each in theirs}, settings.public_url)


@cache
def _metrics() -> Metrics:
    """The counts of this process: one set, however often knowledge is read again."""
    return Metrics()


def _watched(beside: Beside, tools: Tools, desk: Desk, metrics: Metrics, traced: tuple[Tracing, ...]) -> Beside:
    """Log, metrics and spans beside those who look on already. As the last ledger metrics count what was kept."""
    queries = (query.key for service in tools.services for query in service.queries)
    metrics.names((each.id for each in tools.services), tools.rules, queries)
    metrics.asks(beside.health, desk.knowledge)
    return replace(
        beside,
        witnesses=(*beside.witnesses, Logbook(), metrics, *traced),
        ledgers=(*beside.ledgers, metrics),
        metrics=metrics.page,
        turned_away=metrics.turned_away,
    )
