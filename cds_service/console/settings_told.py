"""Settings as they hold here: each with its value and where it came from; and an example file for those who set."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

from cds_service.settings import SETTINGS, Setting, Settings

_PASSWORD = re.compile(r"://[^/\s]*@")  # no setting takes one; should one come to hold it, it is not shown
_COLUMNS = 100


@dataclass(frozen=True, slots=True)
class Told:
    """One setting: its name, its value, and whether it is the default or from the environment."""

    name: str
    value: str
    origin: str


def settings_of(env: Mapping[str, str]) -> tuple[Told, ...]:
    """Every setting as it holds with this environment. Raises SettingsError where one is wrong."""
    Settings.load(env)
    return tuple(_told(setting, env) for setting in SETTINGS)


def _told(setting: Setting, env: Mapping[str, str]) -> Told:
    given = env.get(setting.name, "").strip()
    if not given:
        return Told(setting.name, setting.default or "(unset)", "default")
    return Told(setting.name, _PASSWORD.sub("://…@", given), "environment")


def as_env_example() -> str:
    """`.env.example`: every setting with its default, switched off, and its sentence of help above it."""
    head = (
        "# Settings of aml-cds, made from the table in cds_service/settings/table.py (make docs). Copy it to .env and\n"
        "# take the # from what you set: in a checkout make serve and every aml-cds command read .env and say so, and\n"
        "# what the environment says goes before. Lines are KEY=value; nothing is expanded. An empty value counts as\n"
        "# not set. A secret stands in a file that a setting names. A container reads no .env: docker run --env-file.\n"
    )
    return head + "".join(_example(setting) for setting in SETTINGS)


def _example(setting: Setting) -> str:
    words = setting.help.replace("`", "") + f" Expected: {setting.kind.expectation}."
    told = "\n".join(textwrap.wrap(words, _COLUMNS, initial_indent="# ", subsequent_indent="# "))
    return f"\n{told}\n#{setting.name}={setting.default}\n"
