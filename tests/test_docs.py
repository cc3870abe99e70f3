"""The pages tell the truth: commands print what they show, tables are today's, links lead somewhere."""

from __future__ import annotations

import io
import re
import shlex
import subprocess
from contextlib import redirect_stderr, redirect_stdout, suppress
from functools import cache
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

from cds_service import cli
from cds_service.answer import answer, load_tools
from cds_service.beside import Beside
from cds_service.cli.completing import words_of
from cds_service.console import samples
from cds_service.pages.book import book
from cds_service.settings import SETTINGS, Settings
from cds_service.web.app import create_app

ROOT = Path(__file__).parents[1]


def _script() -> ModuleType:
    """scripts/docs, which has no ending and is no part of the packages."""
    loader = SourceFileLoader("docs_script", str(ROOT / "scripts" / "docs"))
    loader.set_data = lambda *_, **__: None  # type: ignore[method-assign] # it leaves no compiled file in scripts/
    spec = spec_from_loader("docs_script", loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


SCRIPT = _script()
PAGES: tuple[Path, ...] = SCRIPT.pages()
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _everything() -> str:
    return "\n".join(_text(page) for page in PAGES)


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", _everything(), re.DOTALL)


def _unversioned(text: str) -> str:
    """A new version of the knowledge alone makes no page old."""
    return re.sub(r"((?:[Kk]nowledge|version) )[0-9a-f]{12}", r"\1…", text)


@cache
def _said(command: str) -> str:
    """What a command of ours says, asked within this process; of a page's settings only those before the command."""
    words = shlex.split(command)
    at = words.index("aml-cds")
    said, beside = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said), redirect_stderr(beside):
        patch.chdir(ROOT)
        for setting in SETTINGS:
            patch.delenv(setting.name, raising=False)
        patch.setenv("COLUMNS", SCRIPT.COLUMNS)
        for assigned in words[:at]:
            patch.setenv(*assigned.split("=", 1))
        with suppress(SystemExit):  # of --help
            cli.main(words[at + 1 :])
    assert [line for line in beside.getvalue().splitlines() if not line.endswith("…")] == []
    return said.getvalue()


def _output(command: str) -> str:
    """The same as the script's: the start of a process for each command is all that is left out."""
    ours, pipe, rest = command.partition(" | ")
    told = _said(ours)
    if pipe:
        piped = subprocess.run(rest, shell=True, input=told, capture_output=True, text=True, check=True, timeout=60)
        told = piped.stdout
    return told.rstrip("\n") + "\n"


def test_a_command_in_a_process_of_its_own_prints_the_same():
    command = "OVERLAY=docs/overlay_example aml-cds try gilteritinib-qtc-512 sign | sed -n '3,25p'"
    assert _output(command) == SCRIPT.output(command) != "\n"


@each_page
def test_commands_print_what_the_page_shows_and_tables_are_todays(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = _text(page)
    monkeypatch.setattr(SCRIPT, "output", _output)
    assert _unversioned(SCRIPT.renewed(text)) == _unversioned(text), f"{page.name} is old: make docs, and read the diff"


def test_pages_show_commands_and_tables_at_all():
    assert len(_blocks("console")) >= 5
    assert all(f"<!-- generated: {name} -->" in _everything() for name in SCRIPT.TABLES)


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", _text(page))
    local = [target.partition("#")[0] for target in targets if not re.match(r"https?:|#", target)]
    assert not [target for target in local if not (page.parent / target).exists()]


@each_page
def test_paths_named_in_words_exist(page: Path) -> None:
    named = re.findall(r"`((?:cds_service|cards|tests|scripts|docs|fhir_samples|requirements)/[\w./-]*)`", _text(page))
    assert not [path for path in named if not (ROOT / path).exists()]


def test_every_setting_is_documented_and_every_documented_one_exists():
    names = {setting.name for setting in SETTINGS}
    assert names == set(re.findall(r"^\| `([A-Z0-9_]+)` \|", _text(ROOT / "docs" / "settings.md"), re.MULTILINE))
    assigned = set(re.findall(r"\b([A-Z][A-Z_]{3,})=\S", "\n".join(_blocks("sh"))))
    assert assigned - {"BASE", "FHIR_URL"} <= names  # of docker build, and of make test-fhir


def test_every_command_of_the_command_line_is_documented():
    commands = [each for each in words_of(cli.parser())[""] if not each.startswith("-")]
    assert {"serve", "try", "explain", "check"} <= set(commands)
    readme = _text(ROOT / "README.md")
    assert [each for each in commands if f"aml-cds {each}" not in readme and f"make {each}" not in readme] == []


def test_every_make_target_in_the_pages_exists():
    targets = set(re.findall(r"^([a-z]+):", _text(ROOT / "Makefile"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)`", _everything())) <= targets


def test_every_curl_command_is_answered():
    settings = Settings.load({})
    tools = load_tools(settings)
    client = create_app(settings, tools, answer, book=book(settings, tools, Beside())).test_client()
    commands = [line for block in _blocks("sh") for line in block.splitlines() if line.startswith("curl ")]
    assert any("-d" in shlex.split(line) for line in commands)
    for line in commands:
        words = shlex.split(line.partition(" | ")[0])
        path = words[-1].removeprefix("http://127.0.0.1:8080")
        if "-d" in words:
            sent = ROOT / words[words.index("-d") + 1].removeprefix("@")
            response = client.post(path, data=sent.read_bytes(), content_type="application/json")
        else:
            response = client.get(path)
        assert response.status_code == samples.OK, line


def test_the_smallest_request_of_the_pages_gives_the_card_it_promises():
    (request,) = _blocks("json")
    settings = Settings.load({})
    client = create_app(settings, load_tools(settings), answer).test_client()
    response = client.post("/cds-services/aml-order-sign", data=request, content_type="application/json")
    first = response.get_json()["cards"][0]
    assert first["indicator"] in ("critical", "warning")
    assert "400 mg daily with posaconazole" in first["summary"]


def test_the_readme_comes_in_its_order():
    heads = re.findall(r"^#+ (.*)", _text(ROOT / "README.md"), re.MULTILINE)
    order = ("What it is not", "journey", "commands", "Where to change", "Where the docs are")
    places = [next(index for index, head in enumerate(heads) if words in head) for words in order]
    assert places == sorted(places)


def test_the_picture_is_text_that_both_light_and_dark_pages_can_show():
    drawing = _text(ROOT / "docs" / "img" / "journey.svg")
    assert "prefers-color-scheme: dark" in drawing and "<title" in drawing and "<image" not in drawing
    for step in ("web", "hooks", "gather", "facts", "rules", "cards", "knowledge"):
        assert f">{step}" in drawing


def test_pages_name_no_place_on_a_machine():
    assert not re.findall(r"(?:/home/|/root/|/Users/|/work/|/tmp/)\S+", _everything())


def test_pictures_are_small_and_each_is_shown():
    """Whoever clones the repository gets them too. `make pictures` takes them anew."""
    pictures = sorted((ROOT / "docs" / "img" / "pages").glob("*.png"))
    assert pictures and sum(each.stat().st_size for each in pictures) < 1_500_000
    told = _text(ROOT / "docs" / "pages.md")
    assert [each.name for each in pictures if f"(img/pages/{each.name})" not in told] == []
