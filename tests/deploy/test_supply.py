"""What others wrote and we ship: pinned by hash, not below what is known to be mended, listed, licensed, justified."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from itertools import chain
from types import ModuleType

import pytest

from tests.deploy.files import ROOT

# Each version is the first in which faults that concern a service like this one were mended. 2026-11.
FLOORS = {
    "cryptography": "46", "flask": "3.1", "gunicorn": "23", "jinja2": "3.1.6", "pyjwt": "2.13", "requests": "2.32.4",
    "urllib3": "2.7", "werkzeug": "3.1.6",
}
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
each_lock = pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)


def _script(name: str) -> ModuleType:
    loader = SourceFileLoader(f"{name}_script", str(ROOT / "scripts" / name))
    loader.set_data = lambda *_, **__: None  # type: ignore[method-assign] # it leaves no compiled file in scripts/
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


LICENCES = _script("licences")


def _text(lock) -> str:
    return lock.read_text(encoding="utf-8")


def _entries(lock) -> list[str]:
    """Each requirement with all that belongs to it, on one line."""
    joined = _text(lock).replace("\\\n", " ")
    return [line for line in joined.splitlines() if line and not line.startswith("#")]


def _pins(lock) -> set[tuple[str, str]]:
    found = (re.match(r"([a-z0-9._-]+)==([^\s;]+)", line) for line in _entries(lock))
    return {(each[1], each[2]) for each in found if each}


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _name(requirement: str) -> str:
    return re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0].lower().replace(".", "-").replace("_", "-")


@each_lock
def test_every_line_is_one_version_with_a_hash_and_names_no_host(lock):
    assert _entries(lock)
    for line in _entries(lock):
        assert re.match(r"[a-z0-9._-]+==\S+ ", line) and "--hash=sha256:" in line, line
    assert not re.findall(r"://|--(?:extra-)?index|--find-links|file:| @ ", _text(lock))


@each_lock
def test_nothing_is_older_than_what_is_known_to_be_mended(lock):
    pins = dict(_pins(lock))
    assert lock.name == "build.txt" or pins.keys() >= FLOORS.keys()
    for name, floor in FLOORS.items():
        assert name not in pins or _number(pins[name]) >= _number(floor), f"{name} {pins[name]} is below {floor}"


def test_what_runs_is_what_was_tested():
    assert _pins(ROOT / "requirements" / "runtime.txt") <= _pins(ROOT / "requirements" / "dev.txt")


def test_the_lock_holds_every_direct_dependency():
    asked = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["postgres"]]
    assert {_name(each) for each in asked} <= {name for name, _ in _pins(ROOT / "requirements" / "runtime.txt")}


def test_every_direct_dependency_is_justified_in_a_line():
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `([a-z0-9.-]+)` \| (.+?) \|", page, re.MULTILINE))
    groups = PROJECT["dependency-groups"]
    asked = [
        *PROJECT["project"]["dependencies"], *chain(*PROJECT["project"]["optional-dependencies"].values()),
        *groups["build"], *groups["dev"],
    ]
    assert {each.replace(".", "-") for each in told} == {_name(each) for each in asked}
    assert all(len(reason.split()) >= 3 for reason in told.values())


def test_the_bill_of_materials_is_the_lock(tmp_path):
    bill = tmp_path / "sbom.cdx.json"
    subprocess.run([ROOT / "scripts" / "sbom", sys.executable, bill], check=True, capture_output=True)
    told, pins = json.loads(bill.read_text(encoding="utf-8")), _pins(ROOT / "requirements" / "runtime.txt")
    assert told["bomFormat"] == "CycloneDX"
    assert {(each["name"], each["version"]) for each in told["components"]} == pins
    assert all(each["externalReferences"][0]["hashes"] for each in told["components"])
    assert told["metadata"]["component"]["name"] == "aml-cds" and "timestamp" not in told["metadata"]


def test_the_page_of_licences_is_todays():
    page = LICENCES.PAGE.read_text(encoding="utf-8")
    assert LICENCES.renewed(page) == page, "docs/licences.md is old: make docs"


@pytest.mark.parametrize("expression, known", [
    ("MIT", True), ("Apache-2.0 OR BSD-3-Clause", True), ("Apache-2.0 AND BSD-2-Clause", True),
    ("GPL-3.0-only OR MIT", True), ("GPL-3.0-only", False), ("MIT AND AGPL-3.0-only", False), ("", False),
    ("Proprietary", False),
])  # fmt: skip
def test_a_licence_that_reaches_over_to_our_code_is_not_accepted(expression, known):
    assert LICENCES.is_known(expression) is known
