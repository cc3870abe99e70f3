"""Serving: the application as the environment says, for gunicorn and the command line."""

from __future__ import annotations

import logging
import os
import sys
import time

from flask import Flask

from cds_service.answer import Observer, Tools, answer, load_tools, load_tools_of_tenants
from cds_service.beside import Beside
from cds_service.errors import CdsError
from cds_service.security.callers import Callers
from cds_service.security.replay import SeenHere
from cds_service.security.tenants import read_tenants
from cds_service.settings import JURISDICTIONS, Settings
from cds_service.watch import logs
from cds_service.watch.logbook import Logbook
from cds_service.watch.metrics import Metrics
from cds_service.web.app import create_app
from cds_service.web.desk import Desk, OpenDesk, TrustedDesk

log = logging.getLogger(__name__)


def from_environment() -> Flask:
    """The application. What keeps it from starting is told in one message, not in a traceback."""
    try:
        settings = Settings.load(os.environ)
        metrics = Metrics()
        logs.configure(settings, metrics.line_dropped)
        observer = Observer(metrics.asked, metrics.not_known)
        tools = load_tools(settings, observer)
        desk = _desk(settings, tools, observer, metrics)
        return create_app(settings, tools, answer, desk, _beside(tools, desk, metrics))
    except CdsError as error:
        sys.exit(f"aml-cds does not start: {error}")


def _desk(settings: Settings, tools: Tools, observer: Observer, metrics: Metrics) -> Desk:
    """Who may call: in hospital mode those whom the file of tenants lists."""
    if settings.tenants is None:
        log.warning("demo mode: nobody is asked who they are, whoever reaches the port is answered")
        return OpenDesk(tools)
    tenants = read_tenants(settings.tenants, JURISDICTIONS)
    callers = Callers(tenants, SeenHere(time.time), time.monotonic, metrics.turned_away)
    return TrustedDesk(callers, load_tools_of_tenants(settings, tenants, observer), settings.public_url)


def _beside(tools: Tools, desk: Desk, metrics: Metrics) -> Beside:
    """Who looks on: the log and the metrics."""
    queries = (query.key for service in tools.services for query in service.queries)
    metrics.names((each.id for each in tools.services), tools.rules, queries)
    beside = Beside((Logbook(), metrics), (metrics,), {}, metrics.page, metrics.turned_away)
    metrics.asks(beside.health, desk.knowledge)
    return beside
