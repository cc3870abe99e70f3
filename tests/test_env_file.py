"""The file .env of a checkout: read and not run, and the environment goes before it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from cds_service import cli, env_file
from cds_service.console import settings_told
from cds_service.errors import SettingsError
from cds_service.settings import SETTINGS
from cds_service.web import serving
from tests.deploy.files import ROOT


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.setattr(env_file, "FILE", tmp_path / ".env")
    return lambda text: (tmp_path / ".env").write_text(text, encoding="utf-8")


def added(**env):
    words = env_file.add_to(env)
    return env, words


def test_lines_are_read_and_what_the_environment_says_stays(write, tmp_path):
    write("# ours\n\nMODE=hospital\r\n PORT = 9000 \nPUBLIC_URL=\"https://a.example/x\"\nLOG_LEVEL='INFO'\nHOST=::1\n")
    env, words = added(PORT="", HOST="127.0.0.1")
    assert env == {
        "MODE": "hospital", "PORT": "", "PUBLIC_URL": "https://a.example/x", "LOG_LEVEL": "INFO", "HOST": "127.0.0.1",
    }  # fmt: skip
    assert words == f"{tmp_path}/.env sets MODE, PUBLIC_URL, LOG_LEVEL; PORT, HOST as in the environment"


def test_nothing_in_it_is_run_or_expanded(write, tmp_path):
    write(f"DATA=$(touch {tmp_path}/made)\nOVERLAY=$HOME/ours\nTIME_ZONE=`date`\n")
    env, _ = added()
    assert env == {"DATA": f"$(touch {tmp_path}/made)", "OVERLAY": "$HOME/ours", "TIME_ZONE": "`date`"}
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("line", ["export MODE=demo", "MODE", "MODE: demo", "2=3", "set -a; MODE=demo"])
def test_a_line_that_is_none_is_named_by_its_number_and_not_repeated(write, line):
    write(f"PORT=9000\n{line}\n")
    with pytest.raises(SettingsError, match=r"\.env, line 2: expected KEY=value, as \.env\.ex") as refused:
        added()
    assert line not in str(refused.value)


def test_no_file_and_no_checkout_say_nothing(write, monkeypatch, tmp_path):
    assert added() == ({}, "")
    write("PORT=9000")
    monkeypatch.setattr(env_file, "_CHECKOUT", tmp_path)
    assert added() == ({}, "")


def test_the_example_with_every_line_switched_on_sets_every_setting(write):
    write(settings_told.as_env_example().replace("\n#", "\n").replace("\n ", "\n# "))
    env, _ = added()
    assert env == {each.name: each.default for each in SETTINGS}


def test_commands_read_it_and_say_so_beside_their_answer(write, monkeypatch, capsys):
    for setting in SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    write("PORT=9123\n")
    assert cli.main(["settings"]) == 0
    told = capsys.readouterr()
    assert "9123" in told.out and told.err.endswith("/.env sets PORT\n")
    write("PORT\n")
    assert cli.main(["settings"]) == 1


def test_the_server_reads_it_at_the_start(write, monkeypatch, capsys):
    monkeypatch.setattr(os, "environ", {"DATA": os.environ["DATA"]})
    write("PORT=9124\n")
    assert serving.settings_at_start.__wrapped__().port == 9124
    assert capsys.readouterr().err.endswith("/.env sets PORT\n")
    write("HOST=0.0.0.0\n")
    with pytest.raises(SystemExit, match="does not start: HOST is"):
        serving.settings_at_start.__wrapped__()


def test_make_serve_says_in_its_first_lines_that_it_read_it(tmp_path):
    """As `make serve` starts it, in a copy: what is wrong in the file keeps it from starting."""
    for name in ("cds_service", "cards", "scripts"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "gunicorn.conf.py", tmp_path)
    (tmp_path / ".env").write_text("PORT=9125\nMODE=production\n", encoding="utf-8")
    env = {name: value for name, value in os.environ.items() if name not in {each.name for each in SETTINGS}}
    ran = subprocess.run(
        [tmp_path / "scripts" / "serve"], env={**env, "PYTHON": sys.executable, "PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    first, second, *_ = (ran.stdout + ran.stderr).splitlines()
    assert first == f"aml-cds: {tmp_path}/.env sets PORT, MODE"
    assert second.startswith("aml-cds does not start: MODE is 'production'") and ran.returncode != 0
