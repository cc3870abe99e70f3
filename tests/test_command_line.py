"""The grammar of the command line: every command has examples that work, and a shell can complete all of it."""

from __future__ import annotations

import argparse
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cds_service import cli
from cds_service.cli import speaking
from cds_service.cli.completing import SHELLS, words_of
from cds_service.console import samples
from cds_service.rules.catalogue import RULES
from cds_service.settings import SETTINGS

NEEDS = {  # what an example needs that no test has: it is parsed only
    "serve": "a port", "doctor": "a FHIR server", "load": "a FHIR server", "unload": "a FHIR server",
    "report": "a store", "replay": "a store", "store upgrade": "a store", "store purge": "a store",
    "store erase": "a store", "reader": "a password",
}  # fmt: skip
ALSO = {  # examples that need a place or a server
    "try gilteritinib-qtc-512 sign --url http://127.0.0.1:8080": "a running server",
    "sheet --tenant NAME": "hospitals",
    "diff": "the setting OVERLAY",
}


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)


def _commands(parser: argparse.ArgumentParser, before: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, each in action.choices.items():
                yield f"{before} {name}".strip(), each
                yield from _commands(each, f"{before} {name}".strip())


COMMANDS = dict(_commands(cli.parser()))


def _examples(parser: argparse.ArgumentParser) -> list[str]:
    _, found, after = parser.format_help().partition("\nexamples:\n")
    lines = (after.partition("\n\n")[0] if found else "").splitlines()
    return [re.split(r" {2,}", line.strip())[0].removeprefix("aml-cds").strip() for line in lines if "aml-cds" in line]


EXAMPLES = [(name, typed) for name, parser in COMMANDS.items() for typed in _examples(parser)]
RUN = [typed for name, typed in EXAMPLES if name not in NEEDS and name != "store" and typed not in ALSO]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples_and_says_its_exit_codes(name):
    shown = COMMANDS[name].format_help()
    examples = _examples(COMMANDS[name])
    assert examples and all(each.startswith(name) for each in examples)
    assert "exit codes: 0 " in shown
    assert max(map(len, shown.splitlines())) <= 120


@pytest.mark.parametrize(("name", "typed"), EXAMPLES)
def test_every_example_is_understood(name, typed):
    given = cli.parser().parse_args(shlex.split(typed.partition(" > ")[0]))
    assert callable(given.run)


@pytest.mark.parametrize("typed", RUN)
def test_an_example_that_needs_nothing_runs(typed, capsys, monkeypatch):
    if typed.startswith("diff "):  # every sample is asked in tests of the pages and of diff
        monkeypatch.setattr(samples, "stories", lambda: (samples.find("gilteritinib-qtc-512"),))
    code = cli.main(shlex.split(typed.partition(" > ")[0]))
    assert code == (1 if typed.startswith("diff ") else 0)
    assert capsys.readouterr().out


def test_whatever_is_not_run_is_there_and_says_why():
    assert NEEDS.keys() <= COMMANDS.keys() and all(NEEDS.values())
    assert ALSO.keys() <= {typed for _, typed in EXAMPLES}


def test_the_examples_of_the_whole_are_understood():
    for typed in _examples(cli.parser()):
        assert callable(cli.parser().parse_args(shlex.split(typed)).run)


def test_help_groups_every_command_by_whom_it_is_for(capsys):
    shown = cli.parser().format_help()
    for title, _ in cli.GROUPS:
        assert f"\n{title}:\n" in shown
    for name in COMMANDS:
        assert " " in name or re.search(rf"^  {name} +\S", shown, re.M), name


# --- Colours ----------------------------------------------------------------------------------------------------------


def test_no_colour_where_nobody_looks(capsys):
    assert cli.main(["try", "gilteritinib-qtc-512", "sign"]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_colours_at_a_terminal_unless_it_or_somebody_says_no(monkeypatch):
    monkeypatch.setattr(speaking.sys.stdout, "isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert speaking.is_coloured()
    monkeypatch.setenv("TERM", "dumb")
    assert not speaking.is_coloured()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not speaking.is_coloured()


def test_a_colour_changes_no_word():
    words = "== a b: c\n\n[CRITICAL] QTcF 512 ms\n  [INFO] within\nFIRED (critical) in shadow  qtc-hold\nCLEAR  x"
    painted = speaking.painted(words)
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == words
    assert "\x1b[1;31m[CRITICAL]\x1b[0m QTcF" in painted and "  [INFO] within" in painted


def test_machines_never_get_colours(monkeypatch, capsys):
    monkeypatch.setattr(speaking, "is_coloured", lambda: True)
    assert cli.main(["try", "gilteritinib-qtc-512", "sign", "--json"]) == 0
    assert "\x1b" not in capsys.readouterr().out


# --- Completion -------------------------------------------------------------------------------------------------------


def _script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert cli.main(["completion", shell]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_learns_every_command_option_story_and_rule(shell, capsys):
    script = _script(shell, capsys)
    for before, words in words_of(cli.parser()).items():
        for word in (*before.split(), *words):
            assert word.removeprefix("--") in script, (before, word)
    assert all(story.name in script for story in samples.stories())
    assert all(rule.id in script for rule in RULES)


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
@pytest.mark.parametrize(("typed", "offered"), [
    ("aml-cds ex", ["explain"]),
    ("aml-cds store p", ["purge"]),
    ("aml-cds store purge --d", ["--days"]),
    ("aml-cds try gilteritinib-qtc", ["gilteritinib-qtc-512"]),
    ("aml-cds try gilteritinib-qtc-512 si", ["sign"]),
    ("aml-cds explain gilteritinib-qtc-512 sign --rule qtc-h", ["qtc-hold"]),
    ("aml-cds completion f", ["fish"]),
    ("aml-cds load --fhir x --story gilteritinib-qtc", ["gilteritinib-qtc-512"]),
])  # fmt: skip
def test_bash_completes(typed, offered, tmp_path: Path, capsys):
    file = tmp_path / "aml-cds.bash"
    file.write_text(_script("bash", capsys), encoding="utf-8")
    words = typed.split(" ")
    asked = " ".join(shlex.quote(each) for each in words)
    line = f'source {shlex.quote(str(file))}; COMP_WORDS=({asked}); COMP_CWORD={len(words) - 1}; _aml_cds; '
    made = subprocess.run(
        ["bash", "--norc", "-c", line + 'printf "%s\\n" "${COMPREPLY[@]}"'],
        capture_output=True, text=True, check=True, timeout=20,
    )  # fmt: skip
    assert made.stdout.split() == offered and not made.stderr


@pytest.mark.parametrize(("shell", "check"), [("zsh", ["zsh", "-n"]), ("fish", ["fish", "-n"])])
def test_the_other_shells_read_their_script(shell, check, tmp_path: Path, capsys):
    if shutil.which(check[0]) is None:
        pytest.skip(f"no {shell} here")
    file = tmp_path / "script"
    file.write_text(_script(shell, capsys), encoding="utf-8")
    assert subprocess.run([*check, str(file)], check=False, timeout=20).returncode == 0


@pytest.mark.parametrize("typed, usage", [
    ("report --weeks x", "usage: aml-cds report"), ("store purge --all", "usage: aml-cds store purge"),
    ("serve --bogus", "usage: aml-cds serve"), ("--bogus", "usage: aml-cds [-h]"),
])
def test_what_is_not_known_is_told_by_the_command_that_does_not_know_it(typed, usage, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(typed.split())
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.startswith(usage) and "not known: --" in said and "--help lists what is" in said
