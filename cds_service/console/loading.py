"""Loading: put the sample stories on a FHIR server, as if they played today, and take exactly them away again.

Every resource keeps the id of its story, unless the server gives the ids itself (`given_ids`), and carries a tag. What
has such an id and not the tag belongs to somebody else: it is neither written over nor deleted. Both commands may be
given again and again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from cds_service.console import given_ids
from cds_service.console.fhir_client import FhirClient
from cds_service.console.samples import Story
from cds_service.console.story_server import TAG, Json, StoryServer, reference
from cds_service.errors import CdsError
from cds_service.gather.servers import Statement
from cds_service.gather.versions import is_read, refusal

_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(T[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?")
_NO_TRANSACTION = (400, 404, 405, 501)
_FIRST = ("Patient", "Medication")  # what others refer to is written first and deleted last
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one story: its patients, how many resources were written or deleted, how many left alone.

    `given`: where the server gives the ids, the references of the story and the server's own ("Patient/…" for both).
    """

    story: str
    patients: tuple[str, ...]
    resources: int
    moved: int = 0  # days by which its dates were moved
    left_alone: tuple[str, ...] = ()  # references of what is somebody else's
    given: Mapping[str, str] = field(default_factory=dict)

    @property
    def called(self) -> tuple[str, ...]:
        """The patients with the names that they have in the story, where the server has others for them."""
        names = {there: name.partition("/")[2] for name, there in self.given.items()}
        return tuple(
            f"{each} ({names[f'Patient/{each}']})" if f"Patient/{each}" in names else each for each in self.patients
        )


def days_to(story: Story, now: datetime) -> int:
    """The days by which the story has to be moved to play at `now`, so that nothing of it lies in the future."""
    days = (now.astimezone(story.now.tzinfo).date() - story.today).days
    return days if story.now + timedelta(days=days) <= now else days - 1


def moved(content: Any, days: int) -> Any:
    """The same JSON with every date and time in it so many days later."""
    if isinstance(content, dict):
        return {name: moved(each, days) for name, each in content.items()}
    if isinstance(content, list):
        return [moved(each, days) for each in content]
    found = _DATE.fullmatch(content) if isinstance(content, str) else None
    if found is None:
        return content
    return (date.fromisoformat(found[1]) + timedelta(days=days)).isoformat() + (found[2] or "")


def resources(story: Story, now: datetime) -> tuple[Json, ...]:
    """The story's record as it is put on a server: moved to `now`, tagged, what others refer to first."""
    record = msgspec.json.decode(story.record, type=dict[str, Any])
    tag = {"system": TAG, "code": story.name}
    dated = moved([entry["resource"] for entry in record["entry"]], days_to(story, now))
    tagged = [{**each, "meta": {**each.get("meta", {}), "tag": [tag]}} for each in dated]
    return tuple(sorted(tagged, key=lambda each: each["resourceType"] not in _FIRST))


def load(client: FhirClient, stories: Iterable[Story], now: datetime, tell: Tell) -> list[Done]:
    """Put the stories on the server. Raises CdsError where it refuses, or where an id is somebody else's."""
    put = _put_with_new_ids if _require_fhir(client).gives_ids else _put
    made = []
    for story in stories:
        tell(f"loading {story.name}")
        made.append(put(StoryServer(client, story), story, now))
    return made


def _put(server: StoryServer, story: Story, now: datetime) -> Done:
    record = resources(story, now)
    foreign = [name for name, is_ours in _there(server, record).items() if not is_ours]
    if foreign:
        raise CdsError(
            f"{', '.join(foreign[:3])} is on the server already and does not carry our tag, so it is somebody else's: "
            f"nothing of the story {story.name} was written; use another server"
        )
    _write(server, [("PUT", each) for each in record])
    return Done(story.name, _patients(map(reference, record)), len(record), days_to(story, now))


def _put_with_new_ids(server: StoryServer, story: Story, now: datetime) -> Done:
    record = resources(story, now)
    given = given_ids.write(server, record, given_ids.there(server, record, _tag(story)))
    return Done(story.name, _patients(given.values()), len(record), days_to(story, now), given=given)


def unload(client: FhirClient, stories: Iterable[Story], now: datetime, tell: Tell) -> list[Done]:
    """Take the stories away again. What does not carry our tag stays. Raises CdsError where the server refuses."""
    take = _take_given_ids if _require_fhir(client).gives_ids else _take
    made = []
    for story in stories:
        tell(f"unloading {story.name}")
        made.append(take(StoryServer(client, story), story, now))
    return made


def _take(server: StoryServer, story: Story, now: datetime) -> Done:
    record = resources(story, now)
    there = _there(server, record)
    ours = [each for each in record if there.get(reference(each))]
    _write(server, [("DELETE", each) for each in reversed(ours)])
    foreign = tuple(name for name, is_ours in there.items() if not is_ours)
    return Done(story.name, _patients(map(reference, ours)), len(ours), left_alone=foreign)


def _take_given_ids(server: StoryServer, story: Story, now: datetime) -> Done:
    given = given_ids.there(server, resources(story, now), _tag(story))
    for name in reversed(given.values()):
        server.write("DELETE", name)
    return Done(story.name, _patients(given.values()), len(given), given=given)


def _require_fhir(client: FhirClient) -> Statement:
    """What the server says of itself. Raises CdsError for an address that is none of a FHIR server that we read."""
    answer = client.get("metadata")
    statement = Statement.read(answer.body) if answer.is_good else None
    if statement is None:
        raise CdsError(
            f"{client.base}/metadata answers {answer.status} and no CapabilityStatement: --fhir expects the base URL "
            "of a FHIR server, often ending in /fhir, /r4 or /R4"
        )
    if not is_read(statement.version):
        raise CdsError(f"{client.base}: {refusal(statement.version)}")
    return statement


def _there(server: StoryServer, record: Iterable[Json]) -> dict[str, bool]:
    """The references of those resources that are on the server, and whether they are ours."""
    ids: dict[str, list[str]] = {}
    for each in record:
        ids.setdefault(each["resourceType"], []).append(each["id"])
    return {
        reference(resource): server.is_ours(resource)
        for kind, wanted in ids.items()
        for resource in server.found(kind, f"_id={','.join(wanted)}")
        if resource["id"] in wanted
    }


def _write(server: StoryServer, changes: list[tuple[str, Json]]) -> None:
    """All changes at once; one by one where the server takes no transactions. Raises CdsError."""
    if not changes:
        return
    answer = server.transaction([_entry(method, resource) for method, resource in changes])
    if answer.is_good:
        return
    if answer.status not in _NO_TRANSACTION:
        raise server.refusal("the transaction", answer)
    for method, resource in changes:
        server.write(method, reference(resource), resource if method == "PUT" else None)


def _entry(method: str, resource: Json) -> Json:
    request = {"method": method, "url": reference(resource)}
    if method == "DELETE":
        return {"request": request}
    return {"resource": resource, "request": request}


def _tag(story: Story) -> str:
    return f"{TAG}|{story.name}"


def _patients(references: Iterable[str]) -> tuple[str, ...]:
    return tuple(each.partition("/")[2] for each in references if each.startswith("Patient/"))
