"""Knowledge files: what the quick reader reads is what the reader of PyYAML reads, and so are its complaints."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from cds_service.errors import KnowledgeError
from cds_service.knowledge.files import AtOnce, read_yaml
from cds_service.knowledge.load import HOME
from cds_service.knowledge.plain_yaml import SafeLoader

SHIPPED = sorted(HOME.rglob("*.yaml"))
ODD = (
    "a: &x {b: 1, c: [2]}\nd: *x\ne: {<<: *x, b: 3}\nf: {<<: [*x, {g: 4}]}",
    "day: 2026-11-22\nwhen: 2026-11-22 08:00:00Z\nnumbers: [1, -2, 0x1f, 1_0, 1.5, .inf, 1e3, 012]\nnone: [~, null, ]",
    "words: [yes, no, on, off, y, n]\ntruth: [true, False]\ntext: ['1', \"2\", !!str 3, '2026-11-22']",
    "1: one\n2026-11-22: day\ntrue: truth\n~: none\n1.5: half",
    "set: !!set {a, b}\nomap: !!omap [a: 1, b: 2]\npairs: !!pairs [a: 1, a: 2]\nbinary: !!binary aGVsbG8=",
    "twice: 1\ntwice: 2\n=: value\n? long\n: key",
    "text: |\n  one\n  two\nfolded: >\n  one\n  two\nempty:\n",
    "[a, [b, {c: d}]]", "word", "", "--- \n...\n",
)  # fmt: skip
BROKEN = (
    "? [a]\n: b", "? {a: b}\n: c", "a: !own b", "a: !!python/object:os.system b", "a: *nowhere", "a: {<<: text}",
    "a: [b", "a: !!int word", "a: 2026-13-45", "--- 1\n--- 2", "a: !!map text", "a: !!seq {b: c}", "a: !!str {b: c}",
)  # fmt: skip


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_is_shipped_is_read_alike(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert repr(yaml.load(text, Loader=AtOnce)) == repr(yaml.load(text, Loader=SafeLoader))


@pytest.mark.parametrize("text", ODD)
def test_what_is_unusual_is_read_alike(text: str) -> None:
    assert repr(yaml.load(text, Loader=AtOnce)) == repr(yaml.load(text, Loader=SafeLoader))


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_broken_is_refused_alike(text: str) -> None:
    said = []
    for loader in (SafeLoader, AtOnce):
        with pytest.raises((yaml.YAMLError, ValueError)) as refused:
            yaml.load(text, Loader=loader)
        said.append((type(refused.value), str(refused.value)))
    assert said[0] == said[1]


@pytest.mark.parametrize("text", ("a: &x [*x]", "a: " + "[" * 5000 + "]" * 5000))
def test_a_part_that_holds_itself_is_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    with pytest.raises(KnowledgeError, match=r"policy\.yaml: a part of it holds itself, or lies too deep"):
        read_yaml(path)
