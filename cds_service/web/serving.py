"""Serving: the application as the environment says, for gunicorn and the command line."""

from __future__ import annotations

import logging
import os
import sys

from flask import Flask

from cds_service.answer import answer, load_tools
from cds_service.errors import CdsError
from cds_service.settings import Settings
from cds_service.web.app import create_app


def from_environment() -> Flask:
    """The application. What keeps it from starting is told in one message, not in a traceback."""
    try:
        settings = Settings.load(os.environ)
        logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        return create_app(settings, load_tools(settings), answer)
    except CdsError as error:
        sys.exit(f"aml-cds does not start: {error}")
