"""deploy/compose.yaml: hospital mode on one machine. No engine runs here; what can be known without one is."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cds_service import __version__, cli
from cds_service.cli import connecting
from cds_service.settings import Settings
from tests.deploy.files import DEPLOY, NAMES, ROOT, document, with_store

COMPOSE = document(DEPLOY / "compose.yaml")
SERVICES = COMPOSE["services"]
OURS = {name: each for name, each in SERVICES.items() if each.get("image", "").startswith("aml-cds:")}


def test_ours_are_the_service_its_migration_and_the_stories():
    assert set(OURS) == {"aml-cds", "migration", "stories"}


@with_store
@pytest.mark.parametrize("name", OURS)
def test_ours_run_without_rights_and_with_settings_that_exist(name):
    each = OURS[name]
    assert each["image"] == f"aml-cds:{__version__}"
    assert each["read_only"] is True and each["cap_drop"] == ["ALL"]
    assert each["security_opt"] == ["no-new-privileges:true"]
    assert all(mount.startswith("/tmp:") for mount in each["tmpfs"])
    assert set(each.get("environment", {})) - NAMES == set()


def test_only_the_proxy_is_reached_from_outside():
    assert {name: each["ports"] for name, each in SERVICES.items() if "ports" in each} == {"proxy": ["443:8443"]}
    assert COMPOSE["networks"]["store"] == {"internal": True}
    assert {name for name, each in SERVICES.items() if "store" in each["networks"]} == {"aml-cds", "migration", "db"}
    assert SERVICES["proxy"]["networks"] == ["front"]


def test_every_image_has_a_version_and_every_mount_a_place():
    assert all(re.search(r":v?\d", each["image"]) for each in SERVICES.values())
    for each in SERVICES.values():
        assert set(each["networks"]) <= set(COMPOSE["networks"])
        assert set(each.get("secrets", ())) <= set(COMPOSE["secrets"])
        for needed, how in dict(each.get("depends_on", {}) if isinstance(each.get("depends_on"), dict) else {}).items():
            assert needed in SERVICES and how["condition"].startswith("service_")
        for source in (mount.split(":")[0] for mount in each.get("volumes", ())):
            assert not source.startswith("./") or source.startswith("./private/") or (DEPLOY / source).exists()


def test_no_secret_stands_in_a_variable():
    for each in SERVICES.values():
        assert not [name for name in each.get("environment", {}) if re.search(r"PASSWORD$|KEY$|TOKEN", name)]


@with_store
def test_the_tables_are_made_before_the_service_starts():
    assert SERVICES["aml-cds"]["depends_on"] == {"migration": {"condition": "service_completed_successfully"}}
    assert SERVICES["migration"]["command"] == ["aml-cds", "store", "upgrade"]
    cli.parser().parse_args(SERVICES["migration"]["command"][1:])


def test_a_rehearsal_is_asked_for():
    assert {name for name, each in SERVICES.items() if each.get("profiles") == ["rehearsal"]} == {"hapi", "stories"}
    given = cli.parser().parse_args(SERVICES["stories"]["command"][1:])
    port = SERVICES["hapi"]["environment"]["SERVER_PORT"]
    assert (given.fhir, given.run, given.test_server) == (f"http://hapi:{port}/fhir", connecting.load, True)


@with_store
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_prepare_makes_what_is_mounted_and_keeps_what_is_there(tmp_path):
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "tenants_example.toml", tmp_path / "docs")
    private = tmp_path / "deploy" / "private"

    def prepare(name: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([tmp_path / "deploy" / "prepare", name], capture_output=True, text=True, check=False)

    assert prepare("no host").returncode == 1 and not private.exists()
    assert prepare("cds.example.org").returncode == 0
    made = {path: path.read_bytes() for path in private.rglob("*") if path.is_file()}
    again = prepare("cds.example.org")
    assert again.returncode == 0 and "made" not in again.stdout
    assert made == {path: path.read_bytes() for path in private.rglob("*") if path.is_file()}
    assert (private.stat().st_mode & 0o777) == 0o700
    for each in COMPOSE["secrets"].values():
        assert (tmp_path / "deploy" / each["file"]).stat().st_size > 20
    _starts_with(private, (tmp_path / "deploy" / ".env").read_text(encoding="utf-8"))


def _starts_with(private: Path, told: str) -> None:
    """The settings of the service, with what was prepared in the places of its mounts, are sound."""
    name, _, value = told.strip().partition("=")
    given = {**OURS["aml-cds"]["environment"], name: value}
    for place, folder in {"/tenants/": private / "tenants", "/run/secrets/": private}.items():
        given = {key: re.sub(f"^{place}", f"{folder}/", value) for key, value in given.items()}
    assert not Settings.load({**given, "HOST": "0.0.0.0"}).is_demo
