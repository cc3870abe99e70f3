"""The application with the real line, as its pages are served in demo mode."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.answer import Tools, answer, load_tools
from cds_service.beside import Beside
from cds_service.pages.book import book
from cds_service.settings import Settings
from cds_service.web.app import create_app


@pytest.fixture(scope="session")
def tools() -> Tools:
    return load_tools(Settings.load({}))


@pytest.fixture
def make_app(tools: Tools) -> Callable[..., Flask]:
    def make(beside: Beside | None = None, **env: str) -> Flask:
        settings = Settings.load(env)
        beside = beside or Beside()
        return create_app(settings, tools, answer, beside=beside, book=book(settings, tools, beside))

    return make


@pytest.fixture
def client(make_app: Callable[..., Flask]) -> FlaskClient:
    return make_app().test_client()
