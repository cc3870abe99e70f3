"""Compiled: the code that Jinja makes of our templates, kept as Python keeps that of its modules, and beside it.

Making it takes a fifth of the start. Jinja's own cache knows code again by a digest: here of the text, of this Jinja
and of the module that says how it is compiled. Where one of these changed, it is made anew. The files lie with
Python's own, are trusted like them and written when they are; without them every template is compiled.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from hashlib import sha256
from importlib.metadata import version
from importlib.util import cache_from_source
from pathlib import Path
from types import CodeType

from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket


class Compiled(BytecodeCache):
    """The code of the templates that a module compiles."""

    def __init__(self, module: str) -> None:
        self._like = Path(cache_from_source(module))
        self._how = f"{version('jinja2')} {sha256(Path(module).read_bytes()).hexdigest()}"

    def of(self, name: str, text: str, environment: Environment) -> CodeType:
        """The code of the text, made where it is not kept. Raises TemplateError."""
        bucket = self.get_bucket(environment, name, None, text)
        if bucket.code is None:
            bucket.code = environment.compile(text)
            self.set_bucket(bucket)
        return bucket.code

    def get_source_checksum(self, source: str) -> str:
        """The digest of all that the code follows from."""
        return super().get_source_checksum(f"{self._how} {source}")

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take what is kept. What cannot be read is as nothing."""
        try:
            with self._file(bucket).open("rb") as file:
                bucket.load_bytecode(file)
        except Exception:  # noqa: BLE001 - whatever a damaged file does: the code is made anew
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code, unless Python is told to keep none. Where nothing can be written, the next start makes it."""
        if sys.dont_write_bytecode:
            return
        file = self._file(bucket)
        beside = file.with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            try:
                beside.write_bytes(bucket.bytecode_to_string())
                beside.replace(file)
            finally:
                beside.unlink(missing_ok=True)

    def _file(self, bucket: Bucket) -> Path:
        return self._like.with_suffix(f".{bucket.key}.template")
