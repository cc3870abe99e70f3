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
from cds_service.knowledge.overlay import Overlay
from tests.overlays import tools_with

ASKED = os.environ.get("KNOWLEDGE", "")
COUNT = 500 if ASKED == "full" else int(ASKED or 12)
EXAMPLE = Path(__file__).parents[2] / "docs" / "overlay_example"
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


def another_id(text: bytes, chance: random.Random) -> bytes:
    """An id that stands twice."""
    found = list(re.finditer(rb"\bid: ([\w-]+)", text))
    if len(found) < 2:
        return a_line_twice(text, chance)
    one, other = chance.sample(found, 2)
    return text[: one.start(1)] + other[1] + text[one.end(1) :]


def no_source(text: bytes, chance: random.Random) -> bytes:
    """A statement without its source, or a source without its place."""
    found = list(re.finditer(rb"source: \{[^}]*\}|, at: [^,}\n]*", text))
    if not found:
        return a_line_less(text, chance)
    place = chance.choice(found)
    return text[: place.start()] + text[place.end() :]


def binary(text: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(text))
    return text[:at] + b"\x00\xff\xfe" + text[at:]


WAYS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    cut, flipped, another_unit, a_line_less, a_line_twice, binary, another_id, no_source
)  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("corrupted") / "knowledge"
    shutil.copytree(HOME, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return copy


def spoilt(folder: Path, count: int, load: Callable[[], str]) -> list[str]:
    """What went wrong with so many spoilt files of a folder: loaded in silence, or refused without words of ours."""
    chance = random.Random(ASKED or "some")
    good = load()
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.stat().st_size]
    wrong = []
    for number in range(count):
        path, way = chance.choice(files), WAYS[number % len(WAYS)]
        whole = path.read_bytes()
        spoiled = way(whole, chance)
        if spoiled == whole:
            continue
        how = f"{number}, {path.relative_to(folder)}, {way.__name__}"
        path.write_bytes(spoiled)
        try:
            wrong += [f"{how}: loaded in silence"] if load() == good else []
        except KnowledgeError as refused:
            wrong += [] if _names(str(refused), path) else [f"{how}: {refused}"]
        except Exception as fault:  # noqa: BLE001 - what is told is the file, not a traceback
            wrong.append(f"{how}: {type(fault).__name__} {fault}")
        finally:
            path.write_bytes(whole)
    assert load() == good
    return wrong


def _names(words: str, path: Path) -> bool:
    """Whether a refusal says why, and where: what has an odd shape is told with the file that has it."""
    return bool(words) and ("another shape" not in words or path.name in words)


def test_no_corrupted_file_is_loaded_in_silence(home):
    wrong = spoilt(home, COUNT, lambda: Knowledge.load(home).version)
    assert wrong == [], "\n".join(wrong)


def test_no_corrupted_overlay_is_loaded_in_silence(tmp_path):
    folder = tmp_path / "ours"
    shutil.copytree(EXAMPLE, folder)
    shipped = Knowledge.load()
    wrong = spoilt(folder, COUNT, lambda: shipped.with_overlay(Overlay.read(folder)).version)
    assert wrong == [], "\n".join(wrong)


def test_no_corrupted_overlay_starts_a_service_with_anything_but_words_of_ours(tmp_path):
    folder = tmp_path / "ours"
    shutil.copytree(EXAMPLE, folder)
    wrong = spoilt(folder, COUNT // 10, lambda: tools_with(folder).knowledge_version)
    assert wrong == [], "\n".join(wrong)
