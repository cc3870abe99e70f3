"""The Dockerfile without a build: what hadolint and its lines say. `make image` builds and runs it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cds_service import __version__
from tests.deploy.files import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
LINES = DOCKERFILE.replace("\\\n", " ")
HADOLINT = shutil.which("hadolint", path=Path(sys.executable).parent) or shutil.which("hadolint")


@pytest.mark.skipif(HADOLINT is None, reason="hadolint is not installed")
def test_hadolint_has_nothing_to_say():
    said = subprocess.run([str(HADOLINT), ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout) == (0, "")


def test_what_is_installed_is_a_wheel_with_a_hash_or_our_own():
    installs = re.findall(r"pip install([^&]*)", LINES)
    assert len(installs) == 3
    for options in installs:
        locked = "--require-hashes" in options and "--only-binary :all:" in options
        assert locked or "--no-deps --no-index" in options


def test_two_stages_of_one_base_that_a_build_may_choose():
    assert re.findall(r"^FROM (.*)", DOCKERFILE, re.MULTILINE) == ["${BASE} AS build", "${BASE}"]
    assert "ARG BASE=debian:stable-slim" in DOCKERFILE


def test_it_says_the_version_of_the_code_and_runs_as_nobody_in_particular():
    assert f"ARG VERSION={__version__}\n" in DOCKERFILE
    assert re.findall(r"^USER (.*)", DOCKERFILE, re.MULTILINE) == ["10001:10001"]
    assert "/readyz" in LINES[LINES.index("HEALTHCHECK"):]
    for label in ("title", "description", "licenses", "version", "revision", "base.name"):
        assert f"org.opencontainers.image.{label}=" in DOCKERFILE


def test_it_knows_no_index_no_proxy_and_no_authority_of_any_machine():
    assert not re.findall(r"https?://(?!127\.0\.0\.1:)|--(?:extra-)?index|PIP_(?:INDEX|CERT|FIND)|\.pem", DOCKERFILE)


def test_what_is_copied_is_let_through_by_dockerignore():
    let = re.findall(r"^!(\S+?)/?$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    copied = {
        source
        for words in re.findall(r"^COPY (?!--from)(.*)", DOCKERFILE, re.MULTILINE)
        for source in [word for word in words.split() if not word.startswith("--")][:-1]
    }
    assert copied == set(let) and all((ROOT / each).exists() for each in let)
