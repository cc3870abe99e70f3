"""Serving: the application as the environment says, for gunicorn and the command line."""

from __future__ import annotations

import logging
import os
import sys
import time
from functools import cache

from flask import Flask

from cds_service.answer import Tools, answer, load_tools, load_tools_of_tenants
from cds_service.beside import Beside
from cds_service.errors import CdsError
from cds_service.gather.shelter import Shelter
from cds_service.pages.book import book
from cds_service.security.callers import Callers
from cds_service.security.replay import SeenHere
from cds_service.security.tenants import read_tenants
from cds_service.settings import JURISDICTIONS, Settings
from cds_service.web import draining
from cds_service.web.app import create_app
from cds_service.web.desk import Desk, OpenDesk, TrustedDesk
from cds_service.web.probes import fhir_probe
from cds_service.web.reloading import RELOADS


@cache
def settings_at_start() -> Settings:
    """The settings with which this process began. What is wrong with them is told in one message."""
    try:
        return Settings.load(os.environ)
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


def _loaded() -> Flask:
    settings = Settings.load(os.environ)
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    shelter = Shelter.of(settings.threads)
    tools = load_tools(settings, shelter)
    beside = Beside(
        probes={"fhir": fhir_probe(shelter), "knowledge": RELOADS.health, "stopping": draining.health}
    )
    desk = _desk(settings, tools, shelter)
    return create_app(settings, tools, answer, desk, beside, book(settings, tools, beside))


def _desk(settings: Settings, tools: Tools, shelter: Shelter) -> Desk:
    """Who may call: in hospital mode those whom the file of tenants lists."""
    if settings.tenants is None:
        return OpenDesk(tools)
    tenants = read_tenants(settings.tenants, JURISDICTIONS)
    callers = Callers(tenants, SeenHere(time.time), time.monotonic)
    return TrustedDesk(callers, load_tools_of_tenants(settings, tenants, shelter), settings.public_url)
