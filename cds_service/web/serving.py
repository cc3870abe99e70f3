"""Serving: the application as the environment says, for gunicorn and the command line."""

from __future__ import annotations

import logging
import os
import sys
import time

from flask import Flask

from cds_service.answer import Tools, answer, load_tools, load_tools_of_tenants
from cds_service.beside import Beside
from cds_service.errors import CdsError
from cds_service.pages.book import book
from cds_service.security.callers import Callers
from cds_service.security.replay import SeenHere
from cds_service.security.tenants import read_tenants
from cds_service.settings import JURISDICTIONS, Settings
from cds_service.web.app import create_app
from cds_service.web.desk import Desk, OpenDesk, TrustedDesk


def from_environment() -> Flask:
    """The application. What keeps it from starting is told in one message, not in a traceback."""
    try:
        settings = Settings.load(os.environ)
        logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        tools = load_tools(settings)
        beside = Beside()
        return create_app(settings, tools, answer, _desk(settings, tools), beside, book(settings, tools, beside))
    except CdsError as error:
        sys.exit(f"aml-cds does not start: {error}")


def _desk(settings: Settings, tools: Tools) -> Desk:
    """Who may call: in hospital mode those whom the file of tenants lists."""
    if settings.tenants is None:
        return OpenDesk(tools)
    tenants = read_tenants(settings.tenants, JURISDICTIONS)
    callers = Callers(tenants, SeenHere(time.time), time.monotonic)
    return TrustedDesk(callers, load_tools_of_tenants(settings, tenants), settings.public_url)
