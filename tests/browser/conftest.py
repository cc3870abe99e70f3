"""Headless Chromium against the service on loopback. Opt-in: `make browser` (BROWSER=1), as it needs a Chromium.

`walk` opens a page at a width and in light or dark, keeps a screenshot under build/screenshots/, and fails when
anything but our own address was asked for, when a script raised, or when axe finds something serious.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from cds_service.web import serving

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "build" / "screenshots"
SERIOUS = {"serious", "critical"}
_WANTED = ("404 (NOT FOUND)", "401 (UNAUTHORIZED)")
WIDTHS = {"desk": 1280, "panel": 420, "phone": 390}

if os.environ.get("BROWSER") != "1":
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the service in demo mode, as its pages are served; it keeps everything, in a folder of its own."""
    yield from served({"KEEP": "full", "DATA": str(tmp_path_factory.mktemp("data"))})


def served(env: dict[str, str]) -> Iterator[str]:
    """The address of a service with these settings, on loopback, for as long as it is asked for."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in env.items():
            patch.setenv(name, value)
        app = serving.from_environment()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    app.extensions["store"].close()


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright

    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.fail("no Chromium found: install it (Debian: chromium) or name it in CHROMIUM")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


@dataclass
class Visit:
    """A page that was opened, and what it did."""

    page: Any
    at: str = ""  # the address of the service
    asked: list[str] = field(default_factory=list)
    raised: list[str] = field(default_factory=list)
    seconds: float = 0.0
    gone: bool = False  # a 404 or 401 was wanted: the browser itself says so among the errors


Walk = Callable[..., Visit]


@pytest.fixture
def walk(base: str, chromium) -> Iterator[Walk]:
    """Opens pages of ours; what was opened is checked at the end of the test."""
    from axe_playwright_python.sync_playwright import Axe

    visits: list[Visit] = []
    contexts = []

    def open_page(
        path: str, width: str = "desk", scheme: str = "light", shot: str = "", gone: bool = False, at: str = base
    ) -> Visit:
        context = chromium.new_context(
            viewport={"width": WIDTHS[width], "height": 900}, color_scheme=scheme, bypass_csp=False
        )
        contexts.append(context)
        page = context.new_page()
        visit = Visit(page, at=at, gone=gone)
        page.on("request", lambda request: visit.asked.append(request.url))
        page.on("pageerror", lambda error: visit.raised.append(str(error)))
        page.on("console", lambda line: visit.raised.append(line.text) if line.type == "error" else None)
        begin = time.perf_counter()
        page.goto(at + path)
        visit.seconds = time.perf_counter() - begin
        SHOTS.mkdir(parents=True, exist_ok=True)
        if shot:
            page.screenshot(path=SHOTS / f"{shot}-{width}-{scheme}.png", full_page=True)
        visits.append(visit)
        return visit

    yield open_page
    for visit in visits:
        foreign = [url for url in visit.asked if not url.startswith((visit.at + "/", "data:", "blob:"))]
        assert foreign == [], "a page asked for something from elsewhere"
        assert [each for each in visit.raised if not (visit.gone and each.endswith(_WANTED))] == []
        # axe itself is put in by the browser's own door, past the policy that keeps other scripts out
        found = Axe().run(visit.page).response["violations"]
        serious = [f"{each['id']}: {each['nodes'][0]['html'][:120]}" for each in found if each["impact"] in SERIOUS]
        assert serious == []
    for context in contexts:
        context.close()
