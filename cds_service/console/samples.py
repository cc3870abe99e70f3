"""Samples: the patient stories of `fhir_samples/`, read for the command line and for tests.

A story has a fixed today, so that its cards stay the same whatever the calendar says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import yaml

from cards.loading import load
from cds_service.errors import SampleError, UsageError

FOLDER = "fhir_samples"
OK = 200
_NOON = time(12)


@dataclass(frozen=True, slots=True)
class Sample:
    """One hook request of a story: which service it is sent to, in whose dialect, and what it shows.

    `fhir`: whether the EHR's FHIR server is refused (as demo mode does), answers or is down; `status`: the HTTP
    status of the answer.
    """

    story: str
    name: str
    service: str
    dialect: str
    shows: str
    fhir: str
    status: int
    path: Path

    @property
    def body(self) -> bytes:
        """The request as an EHR would send it. Raises SampleError."""
        return _bytes(self.path)

    @property
    def record(self) -> bytes:
        """What the EHR has on record of the patient: a transaction Bundle. Raises SampleError."""
        return _bytes(self.path.parents[1] / "patient.json")


@dataclass(frozen=True, slots=True)
class Story:
    """One patient at one time, with the requests that are sent about them."""

    name: str
    title: str
    now: datetime
    samples: tuple[Sample, ...]

    @property
    def record(self) -> bytes:
        """What the EHR has on record of its patients: a transaction Bundle. Raises SampleError."""
        return _bytes(home() / self.name / "patient.json")

    @property
    def today(self) -> date:
        """The day on which the story plays."""
        return self.now.date()

    def sample(self, name: str) -> Sample:
        """The request of that name. Raises UsageError, naming those that there are."""
        for sample in self.samples:
            if sample.name == name:
                return sample
        names = ", ".join(sample.name for sample in self.samples)
        raise UsageError(f"story '{self.name}' has no request '{name}'; it has: {names}")


def home() -> Path:
    """Where the stories lie: beside the package, or in the current folder. Raises SampleError."""
    places = (Path(__file__).parents[2] / FOLDER, Path.cwd() / FOLDER)
    for place in places:
        if place.is_dir():
            return place
    looked = " and ".join(dict.fromkeys(str(place) for place in places))
    raise SampleError(f"there are no sample stories: looked for {looked}; start this command in a checkout")


def stories() -> tuple[Story, ...]:
    """Every story, by name. Raises SampleError."""
    found = home()
    read = tuple(_story(path) for path in sorted(found.glob("*/story.yaml")))
    if not read:
        raise SampleError(f"{found}: holds no story; each is a folder with a story.yaml")
    return read


def find(name: str) -> Story:
    """The story of that name. Raises UsageError, naming those that there are."""
    folder = home()
    names = sorted(path.parent.name for path in folder.glob("*/story.yaml"))
    if name not in names:
        raise UsageError(f"there is no story '{name}'; there are: {', '.join(names)}")
    return _story(folder / name / "story.yaml")


def _story(path: Path) -> Story:
    name = path.parent.name
    try:
        content: Mapping[str, Any] = load(path.read_text(encoding="utf-8"))
        samples = tuple(_sample(path.parent, each, fields) for each, fields in _requests(content["requests"]))
        return Story(name, str(content["title"]), _moment(content["today"]), samples)
    except (OSError, KeyError, TypeError, ValueError, yaml.YAMLError) as fault:
        raise SampleError(f"{FOLDER}/{name}/story.yaml: {' '.join(str(fault).split())}") from None


def _requests(written: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """The requests by name, whether they were written as a mapping or as a list of named entries."""
    if isinstance(written, Mapping):
        return [(str(name), fields) for name, fields in written.items()]
    return [(str(fields["name"]), fields) for fields in written]


def _moment(written: Any) -> datetime:
    """When the story plays; noon, when only a day is written, and UTC, when no zone is."""
    if isinstance(written, str):
        written = datetime.fromisoformat(written)
    if not isinstance(written, date):
        raise ValueError("today must be a date or a time")
    moment = written if isinstance(written, datetime) else datetime.combine(written, _NOON, UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _sample(folder: Path, name: str, fields: Mapping[str, Any]) -> Sample:
    return Sample(
        story=folder.name,
        name=name,
        service=str(fields["service"]),
        dialect=str(fields.get("dialect", "")),
        shows=" ".join(str(fields.get("shows", "")).split()),
        fhir=str(fields.get("fhir", "refused")),
        status=int(fields.get("status", OK)),
        path=folder / "requests" / f"{name}.json",
    )


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise SampleError(f"{path}: cannot be read; the story speaks of it") from None
