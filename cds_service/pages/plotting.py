"""Drawing: the library that lays out plots, imported when somebody first looks at one (a tenth of a second)."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType


def pygal() -> tuple[ModuleType, ModuleType]:
    """The library and its styles. Its finder of plug-ins is of Python 2, and makes every later import complain."""
    found = import_module("pygal"), import_module("pygal.style")
    sys.meta_path[:] = [each for each in sys.meta_path if type(each).__name__ != "PluginImportFixer"]
    return found
