"""The code of templates is kept as Python keeps its own: never in place of what the texts say."""

from __future__ import annotations

import marshal
import sys
from pathlib import Path

import pytest

from cards import compiled, render
from cards.compiled import Code, Compiled
from cards.kept import afresh


class Shelf:
    """A module that compiles templates, its kept code, and how often something was made."""

    def __init__(self, folder: Path) -> None:
        self.module = folder / "how.py"
        self.module.write_text("this way")
        self.made = 0

    @property
    def file(self) -> Path:
        (found,) = (self.module.parent / "__pycache__").iterdir()
        return found

    def start(self, *texts: str) -> list[object]:
        """What a process gets for these texts, that keeps what it made. The code says its text."""
        code = Compiled(str(self.module))
        got = [code.of("summary", text, lambda text=text: self.make(text))[1].co_consts[0] for text in texts]
        code.keep()
        return got

    def make(self, text: str) -> Code:
        self.made += 1
        code = compile(repr(text), "<template>", "eval")
        return code, code, frozenset()


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    return Shelf(tmp_path)


def test_the_next_start_makes_nothing(shelf: Shelf) -> None:
    assert shelf.start("one", "two") == ["one", "two"]
    assert shelf.start("one", "two") == ["one", "two"]
    assert shelf.made == 2


def test_another_text_is_made_anew_and_the_former_forgotten(shelf: Shelf) -> None:
    shelf.start("one", "two")
    assert shelf.start("one", "three") == ["one", "three"]
    assert shelf.made == 3
    assert len(marshal.loads(shelf.file.read_bytes()[16:])) == 2


@pytest.mark.parametrize("change", ("module", "python", "jinja"))
def test_another_way_to_compile_makes_all_anew(
    shelf: Shelf, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.start("one")
    if change == "module":
        shelf.module.write_text("that way")
    elif change == "python":
        monkeypatch.setattr(compiled, "MAGIC_NUMBER", b"another")
    else:
        monkeypatch.setattr(compiled, "version", lambda _: "99")
    shelf.start("one")
    assert shelf.made == 2


@pytest.mark.parametrize("damage", (lambda whole: b"", lambda whole: whole[:-1], lambda whole: b"\0" * len(whole)))
def test_a_damaged_file_is_as_none(shelf: Shelf, damage: object) -> None:
    shelf.start("one")
    assert callable(damage)
    shelf.file.write_bytes(damage(shelf.file.read_bytes()))
    assert shelf.start("one") == ["one"]
    assert shelf.start("one") == ["one"]
    assert shelf.made == 2


def test_where_python_keeps_no_code_none_is_kept(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert shelf.start("one") == ["one"]
    assert not (shelf.module.parent / "__pycache__").exists()


def test_a_folder_that_cannot_be_written_keeps_nobody_from_speaking(shelf: Shelf) -> None:
    (shelf.module.parent / "__pycache__").write_text("no folder")
    assert shelf.start("one") == ["one"]


def test_kept_code_says_what_fresh_code_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every template: the code is the same."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))

    def start() -> dict[object, object]:
        monkeypatch.setattr(render, "_CODE", Compiled(render.__file__))
        with afresh():
            render.check_all()
            return {key: (found.named, _code(found)) for key, found in render.template.results.items()}

    fresh = start()
    monkeypatch.setattr(render, "_compiled", lambda *_: pytest.fail("was compiled"))
    assert start() == fresh
    assert len(fresh) > 100


def test_a_hospitals_own_wording_is_never_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "_CODE", None)
    (tmp_path / "own.md").write_text("---\nsummary: Ours {{ x }}\n---\nIn our words: {{ x }}.\n")
    render.check_all(tmp_path)
    assert render.render("own", {"x": "one"}, tmp_path).body == "In our words: one."


def _code(found: render.CardTemplate) -> tuple[object, ...]:
    return tuple(each.root_render_func.__code__ for each in (found.summary, found.body))
