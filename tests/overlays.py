"""Overlays for tests: a folder with what a test writes, and the service's tools with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cds_service.answer import Answer, Tools, answer, load_tools
from cds_service.settings import Settings
from tests.calls import NOW, UNHURRIED, request

IDENTITY = "owner: leukaemia board\neffective: 2026-11-01\ncontact: pharmacy on call\n"
HOLD_480 = "values:\n  - {statement: gilteritinib-qtc-hold, value: 480 ms, reason: a margin below the limit}\n"

Write = Callable[..., Path]


def written(folder: Path, profiles: Mapping[str, str] | None = None, **files: str) -> Path:
    """A folder with these files: `values="…"` is values.yaml, `codes` codes.csv, any other name a template."""
    folder.mkdir(exist_ok=True)
    for name, text in (profiles or {}).items():
        (folder / "profiles").mkdir(exist_ok=True)
        (folder / "profiles" / f"{name}.yaml").write_text(text, encoding="utf-8")
    files = {"overlay": IDENTITY} | files
    for name, text in files.items():
        path = folder / "templates" / f"{name}.md"
        if name in ("overlay", "values", "rules", "codes"):
            path = folder / f"{name}.{'csv' if name == 'codes' else 'yaml'}"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def tools_with(folder: Path, **env: str) -> Tools:
    """The service's own tools with that overlay, on the day of all tests."""
    return replace(load_tools(Settings.load({"OVERLAY": str(folder), **UNHURRIED, **env})), now=lambda: NOW)


def ask_with(tools: Tools, hook: str, *drafts: dict[str, Any], **chart: Any) -> Answer:
    """The answer of these tools to a hook request."""
    service = next(each for each in tools.services if each.hook == hook)
    return answer(json.dumps(request(hook, *drafts, **chart)).encode(), service, tools)


def cards_of(found: Answer) -> list[dict[str, Any]]:
    """Its cards as JSON."""
    read: list[dict[str, Any]] = json.loads(found.body)["cards"]
    return read
