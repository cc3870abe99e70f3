"""The web application with a short line behind it: it reads the request and answers with no cards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.hooks.request import HookRequest
from cds_service.hooks.services import Service, offered
from cds_service.settings import Settings
from cds_service.web.app import create_app

SERVICES = offered({"ecg": ("76634-5",), "labs": ("2823-3",), "bedside": ("29463-7",), "genomics": ("79210-1",)})


@dataclass(frozen=True)
class Tools:
    services: tuple[Service, ...] = SERVICES
    knowledge_version: str = "of a test"
    knowledge_day: date = date(2026, 11, 20)


@dataclass(frozen=True)
class Answer:
    body: bytes


def no_cards(body: bytes, service: Service, tools: Any, caller: Any = None) -> Answer:
    HookRequest.read(body, service)
    return Answer(b'{"cards":[]}')


@pytest.fixture
def services() -> tuple[Service, ...]:
    return SERVICES


AppMaker = Callable[..., Flask]


@pytest.fixture
def make_app() -> AppMaker:
    def make(answer: Callable[..., Any] = no_cards, **env: str) -> Flask:
        return create_app(Settings.load(env), Tools(), answer)

    return make


@pytest.fixture
def client(make_app: AppMaker) -> FlaskClient:
    return make_app().test_client()
