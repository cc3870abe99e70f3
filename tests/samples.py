"""The patient stories of fhir_samples/: read them, answer their requests, tell them as a table.

An answer here is made as in the service, but for what is handed in: the story's today, uuids that count from 1, a FHIR
server that holds the story's own patients, and a fixed name for the state of the knowledge, so that a stored response
changes only when a card does.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from cards.loading import load
from cds_service.answer import Answer, Tools, answer, load_tools
from cds_service.errors import RequestError
from cds_service.gather.collect import AsksFhir
from cds_service.gather.limits import Deadline
from cds_service.gather.query import Answered
from cds_service.gather.replies import Status
from cds_service.gather.transport import UNREACHABLE
from cds_service.hooks.request import FhirAccess
from cds_service.hooks.services import Service
from cds_service.settings import Settings
from cds_service.web.errors import outcome

FOLDER = Path(__file__).parent.parent / "fhir_samples"
README = FOLDER / "README.md"
TABLE_STARTS, TABLE_ENDS = "<!-- stories -->\n", "<!-- end of stories -->\n"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sample:
    """One request of a story. `fhir`: whether the EHR's server is refused (as demo mode does), answers or is down."""

    story: Story
    name: str
    service: str
    dialect: str
    shows: str
    cards: tuple[str, ...] = ()
    status: int = 200
    fhir: str = "refused"
    same_as: str = ""  # another request of the story, written by another client
    prefetch_only: str = ""  # why the FHIR server alone would give other cards

    @property
    def full_name(self) -> str:
        """Its name among all samples."""
        return f"{self.story.name}/{self.name}"

    @property
    def request(self) -> Json:
        """The body that the client posts."""
        return read(self.story.folder / "requests" / f"{self.name}.json")

    @property
    def expected_file(self) -> Path:
        """Where the stored response lies."""
        return self.story.folder / "expected" / f"{self.name}.json"


@dataclass(frozen=True, slots=True)
class Story:
    """One folder: its title, its fixed today, its patients and its requests."""

    folder: Path
    title: str
    today: datetime
    requests: Mapping[str, Mapping[str, Any]]

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def samples(self) -> tuple[Sample, ...]:
        """Its requests, in the order in which the story tells them."""
        return tuple(
            Sample(self, name, **{**told, "cards": tuple(told.get("cards", ()))})
            for name, told in self.requests.items()
        )

    @property
    def resources(self) -> tuple[Json, ...]:
        """Every resource of the story's transaction Bundle."""
        return tuple(entry["resource"] for entry in read(self.folder / "patient.json")["entry"])


def stories() -> tuple[Story, ...]:
    """Every story, by name."""
    return tuple(_story(file) for file in sorted(FOLDER.glob("*/story.yaml")))


def samples() -> tuple[Sample, ...]:
    """Every request of every story."""
    return tuple(sample for story in stories() for sample in story.samples)


def _story(file: Path) -> Story:
    told = load(file.read_text(encoding="utf-8"))
    return Story(file.parent, told["title"], datetime.fromisoformat(told["today"]), told["requests"])


def read(file: Path) -> Json:
    """The JSON object in a file."""
    found: Json = json.loads(file.read_text())
    return found


def respond(sample: Sample, body: Json | None = None, fhir: AsksFhir | None = None) -> tuple[int, str]:
    """Status and body of the answer to a sample; `body` and `fhir` put something else in their place."""
    try:
        return 200, answered(sample, body, fhir).body.decode()
    except RequestError as error:
        refusal = outcome(error.status, error.code, error.message, error.path)
        return refusal.status_code, refusal.get_data(as_text=True)


def answered(sample: Sample, body: Json | None = None, fhir: AsksFhir | None = None) -> Answer:
    """The answer itself. Raises RequestError where the sample is refused."""
    tools = _tools_on(sample.story.today, fhir or server_of(sample))
    service = next(each for each in tools.services if each.id == sample.service)
    return answer(json.dumps(body or sample.request).encode(), service, tools)


def services() -> Mapping[str, Service]:
    """The services, by id."""
    return {service.id: service for service in _tools().services}


def _tools_on(today: datetime, fhir: AsksFhir | None) -> Tools:
    tools = _tools()
    return replace(tools, now=lambda: today, new_id=counting(), fhir=fhir or tools.fhir)


@cache
def _tools() -> Tools:
    tools = load_tools(Settings.load({"ANSWER_SECONDS": "30"}))  # a busy machine is no other behaviour
    return replace(tools, knowledge=replace(tools.knowledge, version="of the samples"))


def counting() -> Callable[[], uuid.UUID]:
    """Uuids that count from 1, so that a stored response stays the same."""
    numbers = count(1)
    return lambda: uuid.UUID(int=next(numbers))


def server_of(sample: Sample) -> AsksFhir | None:
    """The FHIR server as it stands to the sample; None: the service's own, which asks none of these servers."""
    match sample.fhir:
        case "refused":
            return None
        case "answers":
            return Server(sample.story.resources)
        case "down":
            return Server(())
        case other:
            raise ValueError(f"{sample.full_name}, fhir: expected refused, answers or down, found '{other}'")


@dataclass(frozen=True)
class Server:
    """A FHIR server that holds these resources; without any it is down."""

    resources: tuple[Json, ...]

    def refusal(self, access: FhirAccess) -> str | None:
        """It may always be asked."""
        return None

    def ask_all(self, access: FhirAccess, queries: Mapping[str, str], deadline: Deadline) -> dict[str, Answered]:
        """The answer to each query, in one page."""
        if not self.resources:
            return {key: Answered((), Status.FAILED, UNREACHABLE) for key in queries}
        return {key: Answered(tuple(self._found(query)), Status.COMPLETE, "") for key, query in queries.items()}

    def more_pages(self, access: FhirAccess, next_url: str, deadline: Deadline) -> Answered:
        """There are none."""
        raise AssertionError("this server has no further pages")

    def _found(self, query: str) -> Iterator[bytes]:
        """A read, or a search by patient, status and code: what our queries use."""
        path, _, search = query.partition("?")
        kind, _, wanted_id = path.partition("/")
        wanted = {name: values[0].split(",") for name, values in parse_qs(search).items()}
        assert set(wanted) <= {"patient", "status", "code"}, f"this server does not understand {query}"
        for resource in self.resources:
            if resource["resourceType"] == kind and wanted_id in ("", resource["id"]) and _matches(resource, wanted):
                yield json.dumps(resource).encode()


def _matches(resource: Json, wanted: Mapping[str, list[str]]) -> bool:
    codings = resource.get("code", {}).get("coding", ()) if "code" in wanted else ()
    whose = resource.get("subject") or resource.get("patient") or {}
    return (
        ("patient" not in wanted or whose["reference"] == f"Patient/{wanted['patient'][0]}")
        and ("status" not in wanted or resource["status"] in wanted["status"])
        and ("code" not in wanted or any(f"{each['system']}|{each['code']}" in wanted["code"] for each in codings))
    )


def table() -> str:
    """The stories as the README tells them."""
    lines = ["| Story | Request | Client | What it shows | Cards |", "|---|---|---|---|---|"]
    for story in stories():
        for index, sample in enumerate(story.samples):
            title = f"[{story.title}]({story.name}/story.md)" if index == 0 else ""
            cards = ", ".join(sample.cards) or ("none" if sample.status == 200 else f"HTTP {sample.status}")
            lines.append(
                f"| {title} | [{sample.name}]({story.name}/requests/{sample.name}.json) | {sample.dialect} "
                f"| {sample.shows} | {cards} |"
            )
    return "\n".join(lines) + "\n"


def readme(with_table: str) -> str:
    """The README with this table in it."""
    before, _, rest = README.read_text().partition(TABLE_STARTS)
    _, _, after = rest.partition(TABLE_ENDS)
    return f"{before}{TABLE_STARTS}\n{with_table}\n{TABLE_ENDS}{after}"
