"""The service as it is served, with a store of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from cds_service.web import serving


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Flask]]:
    """Makes the application with these settings; calls are kept whole unless they say otherwise."""
    made: list[Flask] = []

    def serve(**env: str) -> Flask:
        for name, value in {"DATA": str(tmp_path / "data"), "KEEP": "full", **env}.items():
            monkeypatch.setenv(name, value)
        made.append(serving.from_environment())
        return made[-1]

    yield serve
    for each in made:
        each.extensions["store"].close()
