"""The code of templates is kept as Python keeps its own: never in place of what the texts say."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType

import pytest
from jinja2 import Environment, TemplateSyntaxError

from cards import compiled, render
from cards.compiled import Compiled
from cards.kept import afresh


class Counting(Environment):
    """Says what it compiled."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[object] = []

    def compile(self, source: object, *rest: object, **more: object) -> object:  # type: ignore[override]
        self.made.append(source)
        return super().compile(source, *rest, **more)  # type: ignore[call-overload]


class Shelf:
    """A module that compiles templates, and where their code is kept."""

    def __init__(self, folder: Path) -> None:
        self.module = folder / "how.py"
        self.module.write_text("this way")
        self.folder = folder / "__pycache__"

    def start(self, **texts: str) -> list[object]:
        """What a process compiles that needs these texts; it then says them all."""
        environment, code = Counting(), Compiled(str(self.module))
        for name, text in texts.items():
            template = environment.template_class.from_code(environment, code.of(name, text, environment), {})
            assert template.render(x="X") == text.replace("{{ x }}", "X")
        return environment.made


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    return Shelf(tmp_path)


def test_the_next_start_compiles_nothing(shelf: Shelf) -> None:
    assert shelf.start(one="1 {{ x }}", two="2 {{ x }}") == ["1 {{ x }}", "2 {{ x }}"]
    assert shelf.start(one="1 {{ x }}", two="2 {{ x }}") == []


def test_another_text_is_compiled_anew_and_takes_the_place_of_the_former(shelf: Shelf) -> None:
    shelf.start(one="1", two="2")
    assert shelf.start(one="1", two="3") == ["3"]
    assert shelf.start(one="1", two="3") == []
    assert len(list(shelf.folder.iterdir())) == 2


def test_another_way_to_compile_makes_all_anew(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.start(one="1")
    shelf.module.write_text("that way")
    assert shelf.start(one="1") == ["1"]
    monkeypatch.setattr(compiled, "version", lambda _: "99")
    assert shelf.start(one="1") == ["1"]
    assert shelf.start(one="1") == []


@pytest.mark.parametrize(
    "damage",
    (lambda whole: b"", lambda whole: whole[:-1], lambda whole: b"\0" * len(whole), lambda whole: whole[:30] + b"."),
)
def test_a_damaged_file_is_as_none(shelf: Shelf, damage: Callable[[bytes], bytes]) -> None:
    shelf.start(one="1")
    (kept,) = shelf.folder.iterdir()
    kept.write_bytes(damage(kept.read_bytes()))
    assert shelf.start(one="1") == ["1"]
    assert shelf.start(one="1") == []


def test_where_python_keeps_no_code_none_is_kept(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert shelf.start(one="1") == ["1"]
    assert not shelf.folder.exists()


def test_a_folder_that_cannot_be_written_keeps_nobody_from_speaking(shelf: Shelf) -> None:
    shelf.folder.write_text("no folder")
    assert shelf.start(one="1") == ["1"]


def test_a_broken_template_is_told_at_every_start(shelf: Shelf) -> None:
    for _ in range(2):
        with pytest.raises(TemplateSyntaxError):
            shelf.start(one="{{ x")


def test_kept_code_says_what_fresh_code_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every template: the code is the same, and each has its own."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))

    def start() -> dict[object, tuple[CodeType, CodeType]]:
        monkeypatch.setattr(render, "_CODE", Compiled(render.__file__))
        with afresh():
            render.check_all()
            return {name: (_code(each.summary), _code(each.body)) for name, each in render.template.results.items()}

    fresh = start()
    for environment in render._OURS:
        monkeypatch.setattr(environment, "compile", lambda *_: pytest.fail("was compiled"))
    assert start() == fresh
    assert len(list(tmp_path.rglob("*.template"))) == 2 * len(fresh) > 200


def test_a_hospitals_own_wording_is_never_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "_CODE", None)
    (tmp_path / "own.md").write_text("---\nsummary: Ours {{ x }}\n---\nIn our words: {{ x }}.\n")
    render.check_all(tmp_path)
    assert render.render("own", {"x": "one"}, tmp_path).body == "In our words: one."


def _code(template: object) -> CodeType:
    code: CodeType = template.root_render_func.__code__  # type: ignore[attr-defined]
    return code
