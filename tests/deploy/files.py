"""What deploy/ holds, read for its tests; and which names of settings may stand in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.settings import SETTINGS

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
NAMES = frozenset(setting.name for setting in SETTINGS)
with_store = pytest.mark.skipif(not {"STORE", "METRICS"} <= NAMES, reason="there is no store and no metrics yet")


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def document(path: Path) -> dict[str, Any]:
    (only,) = documents(path)
    return only
