"""The web application of `tests/web`, with what stands beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from cds_service.beside import Beside
from cds_service.settings import Settings
from cds_service.web.app import create_app
from tests.web.conftest import Tools, no_cards


@pytest.fixture
def make_app() -> Callable[..., Flask]:
    def make(answer: Callable[..., Any] = no_cards, beside: Beside | None = None, **env: str) -> Flask:
        return create_app(Settings.load(env), Tools(), answer, beside=beside)

    return make
