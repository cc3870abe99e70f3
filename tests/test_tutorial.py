"""The tutorial does what it says: each of its commands is run against a service that was started for it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from tests.fhir_server.running import started

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
CLI = f'aml-cds() {{ PYTHONPATH="{ROOT}" "{sys.executable}" -m cds_service.cli "$@"; }}\n'
BLOCKS = re.findall(r"```(sh|text|gone|console)\n(.*?)```", PAGE, re.DOTALL)
LOADED = re.compile(r"<(?:link|script|img|iframe|source)\b[^>]*?(?:src|href)=\"((?:https?:)?//[^\"]+)")
SITE = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))


@pytest.mark.skipif(shutil.which("curl") is None, reason="the tutorial calls curl")
def test_every_command_of_the_tutorial_does_what_it_says():
    said, ran = "", 0
    with started() as service:
        for kind, block in BLOCKS:
            lines = block.strip().splitlines()
            if kind == "sh" and lines != ["make serve"]:
                command = block.replace("http://127.0.0.1:8080", service.url)
                made = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60)
                assert made.returncode == 0, made.stderr
                said, ran = made.stdout.replace('": ', '":'), ran + 1
                assert said
            elif kind == "text":
                assert not [line for line in lines if line not in said], said[:2000]
            elif kind == "gone":
                assert '"cards"' in said and not [line for line in lines if line in said]
            elif kind == "console":
                (command, *told) = block.strip("\n").splitlines()
                assert command.startswith("$ ")
                made = subprocess.run(
                    ["bash", "-c", CLI + command[2:]], cwd=ROOT, capture_output=True, text=True, timeout=60
                )
                assert made.stdout.rstrip().splitlines() == told, made.stderr
                ran += 1
    assert ran == 7


def test_no_block_of_the_tutorial_is_left_out():
    assert len(re.findall(r"^```\w+$", PAGE, re.MULTILINE)) == len(BLOCKS)
    assert len(re.findall("^```", PAGE, re.MULTILINE)) == 2 * len(BLOCKS)


def _named(entries: list) -> list[str]:
    found = [what for each in entries for what in each.values()]
    return [name for what in found for name in ([what] if isinstance(what, str) else _named(what))]


def test_every_page_stands_in_the_site_once():
    assert sorted(_named(SITE["nav"])) == sorted(path.name for path in (ROOT / "docs").glob("*.md"))


@pytest.mark.skipif(find_spec("mkdocs") is None, reason="MkDocs is of the group 'site'")
def test_the_site_is_built_strictly_and_takes_nothing_from_elsewhere(tmp_path):
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(tmp_path), strict=True))
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        text = page.read_text("utf-8")
        assert not LOADED.findall(text), page.name
        assert "site.css" in text and 'id="hljs-dark"' in text, page.name  # tables that scroll; colours that follow
        assert not re.findall(r'<h2 id="\d', text), "the theme's script takes no address of a heading that begins so"
    for sheet in tmp_path.rglob("*.css"):
        assert not re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", sheet.read_text("utf-8")), sheet.name
