"""Corrupted files of the knowledge: each stops the start with a message, or changes the version that every card shows.

`make test` tries some, KNOWLEDGE=full (or a number) as many as one likes.
"""

from __future__ import annotations

import os
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cds_service.errors import KnowledgeError
from cds_service.knowledge.load import HOME, Knowledge

ASKED = os.environ.get("KNOWLEDGE", "")
COUNT = 500 if ASKED == "full" else int(ASKED or 12)
UNITS = ("ms", "mg", "g", "%", "d", "mmol/L", "[ULN]", "10*9/L")


def cut(text: bytes, chance: random.Random) -> bytes:
    return text[: chance.randrange(len(text))]


def flipped(text: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(text))
    return text[:at] + bytes([text[at] ^ 1 << chance.randrange(8)]) + text[at + 1 :]


def another_unit(text: bytes, chance: random.Random) -> bytes:
    found = list(re.finditer(rb"(value: [0-9.]+ )(\S+)", text))
    if not found:
        return flipped(text, chance)
    place = chance.choice(found)
    return text[: place.start(2)] + chance.choice(UNITS).encode() + text[place.end(2) :]


def a_line_less(text: bytes, chance: random.Random) -> bytes:
    lines = text.splitlines(keepends=True)
    del lines[chance.randrange(len(lines))]
    return b"".join(lines)


def a_line_twice(text: bytes, chance: random.Random) -> bytes:
    lines = text.splitlines(keepends=True)
    at = chance.randrange(len(lines))
    return b"".join([*lines[: at + 1], *lines[at:]])


def binary(text: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(text))
    return text[:at] + b"\x00\xff\xfe" + text[at:]


WAYS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    cut, flipped, another_unit, a_line_less, a_line_twice, binary
)  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("corrupted") / "knowledge"
    shutil.copytree(HOME, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return copy


def test_no_corrupted_file_is_loaded_in_silence(home):
    chance = random.Random(ASKED or "some")
    good = Knowledge.load(home).version
    files = [path for path in sorted(home.rglob("*")) if path.is_file() and path.stat().st_size]
    silent, raised = [], []
    for number in range(COUNT):
        path, way = chance.choice(files), WAYS[number % len(WAYS)]
        whole = path.read_bytes()
        spoiled = way(whole, chance)
        if spoiled == whole:
            continue
        path.write_bytes(spoiled)
        try:
            silent += [f"{path.name}: {way.__name__}"] if Knowledge.load(home).version == good else []
        except KnowledgeError as refused:
            raised += [] if str(refused) else [f"{path.name}: {way.__name__}: no word"]
        except Exception as fault:  # noqa: BLE001 - what is told is the file, not a traceback
            raised.append(f"{number} {path.relative_to(home)}: {way.__name__}: {type(fault).__name__} {fault}")
        finally:
            path.write_bytes(whole)
    assert (silent, raised) == ([], [])
    assert Knowledge.load(home).version == good
