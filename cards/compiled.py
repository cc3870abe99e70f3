"""Compiled: the code that Jinja makes of our templates, kept in a file as Python keeps that of its modules.

Making it takes a fifth of the start. Code is known again by a digest of all that it follows from: the texts, this
Python, this Jinja, and the module that says how they are compiled. Where one of these changed, it is made anew. The
file lies with Python's own, is trusted like them, and written when they are; without it every template is compiled.
"""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from importlib.metadata import version
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path
from types import CodeType

Code = tuple[CodeType, CodeType, frozenset[str]]  # of summary and body; which values the summary names
_DIGEST = 16  # bytes


class Compiled:
    """The code of the templates that a module compiles."""

    def __init__(self, module: str) -> None:
        self._module = Path(module)
        self._file = Path(cache_from_source(module)).with_suffix(".templates")
        self._how = b""
        self._kept: dict[bytes, Code] | None = None  # as the file has it, once it was read
        self._asked: dict[bytes, Code] = {}

    def of(self, summary: str, body: str, make: Callable[[], Code]) -> Code:
        """The code of a template of these texts; made where it is not kept."""
        if self._kept is None:
            self._how = _digest(MAGIC_NUMBER, version("jinja2").encode(), self._module.read_bytes())
            self._kept = _read(self._file)
        known = _digest(self._how, summary.encode(), body.encode())
        found = self._kept.get(known)
        self._asked[known] = code = make() if found is None else found
        return code

    def keep(self) -> None:
        """Keep what was asked for since the last time, and no more; not where Python is told to keep no code."""
        asked, kept = self._asked, self._kept or {}
        self._asked, self._kept = {}, None
        if asked.keys() == kept.keys() or sys.dont_write_bytecode:
            return
        content = marshal.dumps(asked)
        beside = self._file.with_suffix(f".{os.getpid()}")
        with suppress(OSError):  # where nothing can be written, the next start compiles again
            self._file.parent.mkdir(parents=True, exist_ok=True)
            try:
                beside.write_bytes(_digest(content) + content)
                beside.replace(self._file)
            finally:
                beside.unlink(missing_ok=True)


def _read(file: Path) -> dict[bytes, Code]:
    """What is kept there; nothing where there is no such file, or it is not whole."""
    try:
        written = file.read_bytes()
    except OSError:
        return {}
    digest, content = written[:_DIGEST], written[_DIGEST:]
    found: dict[bytes, Code] = marshal.loads(content) if _digest(content) == digest else {}  # noqa: S302 - our own
    return found


def _digest(*parts: bytes) -> bytes:
    """Of these parts, however they lie against each other."""
    whole = blake2b(digest_size=_DIGEST)
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.digest()
