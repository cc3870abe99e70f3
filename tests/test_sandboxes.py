"""docs/sandboxes.md and deploy/compose.demo.yaml: commands run, what one should see is seen, nothing is left open."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from cds_service import cli
from cds_service.answer import load_tools
from cds_service.cli import connecting
from cds_service.cli.grammar import TOKEN
from cds_service.console import loading, samples
from cds_service.console.fhir_client import FhirClient
from cds_service.settings import SETTINGS, Settings
from tests.fhir_server.running import Fhir, fhir_server
from tests.samples import read
from tests.samples import stories as told

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "sandboxes.md").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.demo.yaml").read_text(encoding="utf-8"))
FHIR = "http://127.0.0.1:8090/fhir"
COMMANDS = [
    shlex.split(line.strip())[1:]
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    if line.strip().startswith("aml-cds ")
]


@pytest.fixture(scope="module")
def server() -> Iterator[Fhir]:
    with fhir_server() as running:
        loading.load(FhirClient(running.base), samples.stories(), datetime.now(UTC), lambda _: None)
        yield running


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_each_command_of_the_page_does_what_it_says(server, command, monkeypatch, capsys):
    for name in (*(setting.name for setting in SETTINGS), TOKEN):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GATHER_SECONDS", "10")
    monkeypatch.setenv("ANSWER_SECONDS", "20")
    again = loading.TAG if command[0] == "unload" else ""
    assert cli.main([each.replace(FHIR, server.base) for each in command]) == 0
    assert capsys.readouterr().out.strip().endswith(".")
    if again:
        loading.load(FhirClient(server.base), samples.stories(), datetime.now(UTC), lambda _: None)


def test_every_command_for_a_fhir_server_is_on_the_page():
    assert {command[0] for command in COMMANDS} == {"load", "unload", "doctor"}


def test_the_address_of_the_sandbox_names_what_there_is():
    address = re.search(r"https://sandbox\.cds-hooks\.org/\?\S+", PAGE)
    assert address is not None
    asked = parse_qs(urlsplit(address[0]).query)
    patients = {each["id"] for story in told() for each in story.resources if each["resourceType"] == "Patient"}
    assert asked["fhirServiceUrl"] == [FHIR] and asked["patientId"][0] in patients
    assert asked["serviceDiscoveryURL"] == [f"{Settings.load({}).public_url}/cds-services"]
    assert asked["hook"][0] in {service.hook for service in load_tools(Settings.load({})).services}
    assert set(re.findall(r"patientId=([\w.-]+)", PAGE)) <= patients


def test_what_one_should_see_is_what_the_sample_gives():
    (card,) = read(ROOT / "fhir_samples" / "sandbox-dialect" / "expected" / "select-voriconazole.json")["cards"]
    assert f'"{card["summary"]}"' in PAGE


def test_what_the_doctor_says_is_what_the_page_explains():
    files = [path for folder in ("console", "gather") for path in (ROOT / "cds_service" / folder).glob("*.py")]
    sources = "".join(path.read_text(encoding="utf-8") for path in files)
    _, _, table = PAGE.partition("| It says | Do |\n|---|---|\n")
    rows = [line.split("|")[1].strip() for line in table.partition("\n\n")[0].splitlines()]
    assert len(rows) >= 6
    for row in rows:
        for words in re.sub(r" \(\d+\)|, suppressed|status$", "", row).split(" … "):
            assert words.strip() in sources, row


def test_the_server_answers_as_the_sandbox_asks(server):
    """Without parameters, without a token, from a browser."""
    client = FhirClient(server.base)
    for path in ("metadata", "Patient", "Patient/story-eleven", "Condition?patient=story-eleven"):
        answer = client.get(path)
        assert answer.is_good and answer.headers["Access-Control-Allow-Origin"] == "*"


# The compose file


def test_the_compose_file_publishes_on_loopback_only_and_sets_what_there_is():
    services = COMPOSE["services"]
    ports = [port for each in services.values() for port in each.get("ports", ())]
    assert ports and all(port.startswith("127.0.0.1:") for port in ports)
    ours = [each for each in services.values() if "build" in each]
    assert len(ours) == 2
    for each in ours:
        assert each["build"] == ".." and each["network_mode"] == "service:hapi"
        assert each["read_only"] is True and each["cap_drop"] == ["ALL"]
        assert set(each.get("environment", {})) <= {setting.name for setting in SETTINGS}
    assert all(re.search(r":v\d", each["image"]) for each in services.values() if "image" in each)


def test_the_compose_file_loads_the_stories_where_the_page_says_they_are():
    command = COMPOSE["services"]["stories"]["command"]
    given = cli.parser().parse_args(command[1:])
    assert (command[0], given.fhir, given.run) == ("aml-cds", FHIR, connecting.load)
    assert FhirClient(given.fhir).is_here  # else it would want --test-server
    assert COMPOSE["services"]["hapi"]["environment"]["SERVER_PORT"] == str(urlsplit(FHIR).port)
    assert all(f"127.0.0.1:{port}:{port}" in COMPOSE["services"]["hapi"]["ports"] for port in (8080, 8090))
