"""Every container that is started from the image, with the settings it gets: a command looks, a server may listen."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

from cds_service import cli
from cds_service.errors import SettingsError
from cds_service.settings import SETTINGS, Settings
from cds_service.store.keys import new_key
from tests.deploy.files import DEPLOY, KUBERNETES, NAMES, ROOT, document

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
IMAGE = {
    name: value
    for line in re.findall(r"^ENV (.*)", DOCKERFILE, re.MULTILINE)
    for name, value in (word.split("=", 1) for word in line.split())
}
FILES = {each.name for each in SETTINGS if each.kind.expectation == "a file that can be read"}


@dataclass(frozen=True)
class Container:
    """What is run in the image; without words its own command, the server."""

    place: str
    env: dict[str, str]
    words: tuple[str, ...] = ()

    @property
    def serves(self) -> bool:
        return not self.words or self.words[:2] == ("aml-cds", "serve")


def _of_compose() -> list[Container]:
    found = []
    for path in sorted(DEPLOY.glob("compose*.yaml")):
        for name, each in document(path)["services"].items():
            if "build" in each:
                env = {key: re.sub(r"\$\{PUBLIC_URL.*", "https://cds.example.org", value)
                       for key, value in each.get("environment", {}).items()}
                found.append(Container(f"{path.name} {name}", env, tuple(each.get("command", ()))))
    return found


def _of_kubernetes() -> list[Container]:
    settings = document(KUBERNETES / "settings.yaml")["data"]
    found = []
    for name in ("deployment", "migration"):
        (each,) = document(KUBERNETES / f"{name}.yaml")["spec"]["template"]["spec"]["containers"]
        found.append(Container(f"kubernetes {name}", settings, tuple(each.get("command", ()))))
    return found


def _typed() -> list[Container]:
    """Every `docker run` of ours in the docs."""
    found = []
    for path in (ROOT / "README.md", ROOT / "Dockerfile", *sorted((ROOT / "docs").glob("*.md"))):
        text = path.read_text(encoding="utf-8").replace("\\\n", " ")
        for line in re.findall(r"docker run ([^\n`]*\baml-cds\b[^\n`]*)", text):
            words = shlex.split(re.split(r" (?:>>|[|>]) ", line)[0])
            image = max(at for at, word in enumerate(words) if re.fullmatch(r"aml-cds(:[\w.]+)?", word)
                        and words[at - 1] not in ("--name", "aml-cds:0.1.0"))
            env = dict(words[at + 1].split("=", 1) for at, word in enumerate(words[:image]) if word in ("-e", "--env"))
            found.append(Container(f"{path.name}: {line[:60]}", env, tuple(words[image + 1:])))
    return found


CONTAINERS = [*_of_compose(), *_of_kubernetes(), *_typed()]


def _env(container: Container, folder: Path) -> dict[str, str]:
    """The settings in it; a file or folder that is mounted there stands in a folder of the test."""
    made = {name: value for name, value in {**IMAGE, **container.env}.items() if name in NAMES}
    for name in FILES & set(made):
        file = folder / name
        file.write_text(new_key() if name == "KEEP_KEY_FILE" else "", encoding="utf-8")
        made[name] = str(file)
    return made | {name: str(folder) for name in ("OVERLAY", "DATA") if name in made}


def test_containers_are_found_at_all():
    places = {each.place.partition(":")[0].partition(" ")[0] for each in CONTAINERS}
    assert {"compose.yaml", "compose.demo.yaml", "kubernetes", "Dockerfile", "deploying.md", "why.md"} <= places
    assert {each.serves for each in CONTAINERS} == {True, False} and IMAGE["HOST"] == "0.0.0.0"


@pytest.mark.parametrize("container", CONTAINERS, ids=lambda each: each.place)
def test_a_container_has_settings_with_which_its_command_runs(container, tmp_path):
    settings = Settings.load(_env(container, tmp_path))
    if container.serves:
        settings.require_listening()
    else:
        assert callable(cli.parser().parse_args(container.words[1:]).run)


@pytest.mark.parametrize("typed", ["settings", "sheet", "try gilteritinib-qtc-512 sign"])
def test_a_command_in_the_image_needs_no_word_about_the_network(typed, tmp_path, monkeypatch, capsys):
    for name, value in {**IMAGE, "DATA": str(tmp_path)}.items():
        if name in NAMES:
            monkeypatch.setenv(name, value)
    monkeypatch.delenv("DEMO_ON_NETWORK", raising=False)
    assert cli.main(typed.split()) == 0, capsys.readouterr().err


def test_the_image_alone_listens_to_nobody_in_demo_mode(tmp_path):
    with pytest.raises(SettingsError, match="set DEMO_ON_NETWORK=1"):
        Settings.load(_env(Container("bare", {}), tmp_path)).require_listening()
