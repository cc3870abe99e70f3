"""A file of TOML that a setting names: read once at the start, with a fault told by setting, file and reason."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from cds_service.errors import SettingsError


def entries_in(path: Path, setting: str, kind: str, wanted: str) -> list[Any]:
    """The entries `[[kind]]`, of which there is one at least, and nothing else. Raises SettingsError.

    `wanted`: what is said where it is otherwise.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise SettingsError(f"{setting}: {path.name} cannot be read ({fault.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise SettingsError(f"{setting}: {path.name} is not TOML: {fault}") from None
    entries = content.get(kind)
    if set(content) != {kind} or not isinstance(entries, list) or not entries:
        raise SettingsError(f"{setting}: {path.name} {wanted}")
    return entries
