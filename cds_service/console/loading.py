"""Loading: put the sample stories on a FHIR server, as if they played today, and take exactly them away again.

Every resource keeps the id of its story and carries a tag. What has such an id and not the tag belongs to somebody
else: it is neither written over nor deleted. Both commands may be given again and again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from cds_service.console.fhir_client import Answer, FhirClient
from cds_service.console.samples import Story
from cds_service.errors import CdsError
from cds_service.gather.servers import Statement
from cds_service.gather.versions import is_read, refusal

TAG = "urn:aml-cds:sample-story"
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(T[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?")
_NO_TRANSACTION = (400, 404, 405, 501)
_GONE = (404, 410)
_COUNT = 100  # resources of one type in one story, at most
_FIRST = ("Patient", "Medication")  # what others refer to is written first and deleted last
Json = dict[str, Any]
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one story: its patients, how many resources were written or deleted, how many left alone."""

    story: str
    patients: tuple[str, ...]
    resources: int
    moved: int = 0  # days by which its dates were moved
    left_alone: tuple[str, ...] = ()  # references of what is somebody else's


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
    _require_fhir(client)
    return [_load(client, story, now, tell) for story in stories]


def _load(client: FhirClient, story: Story, now: datetime, tell: Tell) -> Done:
    tell(f"loading {story.name}")
    record = resources(story, now)
    foreign = [name for name, is_ours in _there(client, record, story).items() if not is_ours]
    if foreign:
        raise CdsError(
            f"{', '.join(foreign[:3])} is on the server already and does not carry our tag, so it is somebody else's: "
            f"nothing of the story {story.name} was written; use another server"
        )
    _write(client, story, [("PUT", each) for each in record])
    return Done(story.name, _patients(record), len(record), days_to(story, now))


def unload(client: FhirClient, stories: Iterable[Story], now: datetime, tell: Tell) -> list[Done]:
    """Take the stories away again. What does not carry our tag stays. Raises CdsError where the server refuses."""
    _require_fhir(client)
    return [_unload(client, story, now, tell) for story in stories]


def _require_fhir(client: FhirClient) -> None:
    """A slip of the pen in the address is told. Raises CdsError where it is none of a FHIR server that we read."""
    answer = client.get("metadata")
    statement = Statement.read(answer.body) if answer.is_good else None
    if statement is None:
        raise CdsError(
            f"{client.base}/metadata answers {answer.status} and no CapabilityStatement: --fhir expects the base URL "
            "of a FHIR server, often ending in /fhir, /r4 or /R4"
        )
    if not is_read(statement.version):
        raise CdsError(f"{client.base}: {refusal(statement.version)}")


def _unload(client: FhirClient, story: Story, now: datetime, tell: Tell) -> Done:
    tell(f"unloading {story.name}")
    record = resources(story, now)
    there = _there(client, record, story)
    ours = [each for each in record if there.get(_reference(each))]
    _write(client, story, [("DELETE", each) for each in reversed(ours)])
    foreign = tuple(name for name, is_ours in there.items() if not is_ours)
    return Done(story.name, _patients(ours), len(ours), left_alone=foreign)


def _there(client: FhirClient, record: Iterable[Json], story: Story) -> dict[str, bool]:
    """The references of those resources that are on the server, and whether they are ours."""
    ids: dict[str, list[str]] = {}
    for each in record:
        ids.setdefault(each["resourceType"], []).append(each["id"])
    found: dict[str, bool] = {}
    for kind, wanted in ids.items():
        answer = client.get(f"{kind}?_id={','.join(wanted)}&_count={_COUNT}")
        if not answer.is_good or answer.content is None or answer.content.get("resourceType") != "Bundle":
            raise _refused(client, story, f"a search for {kind}", answer)
        for entry in answer.content.get("entry") or ():
            resource = entry.get("resource") or {}
            if resource.get("resourceType") == kind and resource.get("id") in wanted:
                found[_reference(resource)] = _is_ours(resource, story)
    return found


def _is_ours(resource: Json, story: Story) -> bool:
    tags = (resource.get("meta") or {}).get("tag") or ()
    return any(tag.get("system") == TAG and tag.get("code") == story.name for tag in tags)


def _write(client: FhirClient, story: Story, changes: list[tuple[str, Json]]) -> None:
    """All changes at once; one by one where the server takes no transactions. Raises CdsError."""
    if not changes:
        return
    entries = [_entry(method, resource) for method, resource in changes]
    answer = client.send("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": entries})
    if answer.is_good:
        return
    if answer.status not in _NO_TRANSACTION:
        raise _refused(client, story, "the transaction", answer)
    for method, resource in changes:
        answer = client.send(method, _reference(resource), resource if method == "PUT" else None)
        if not answer.is_good and not (method == "DELETE" and answer.status in _GONE):
            raise _refused(client, story, f"{method} {resource['resourceType']}", answer)


def _entry(method: str, resource: Json) -> Json:
    request = {"method": method, "url": _reference(resource)}
    if method == "DELETE":
        return {"request": request}
    return {"resource": resource, "request": request}


def _refused(client: FhirClient, story: Story, what: str, answer: Answer) -> CdsError:
    hints = {
        401: "it wants an access token: --token-file FILE, or AML_CDS_TOKEN",
        403: "the token may not do this: it needs to read and write every type of the stories",
        404: "is this the base URL of a FHIR server? Or it does not let a client choose ids",
        405: "it does not let a client choose ids (update as create), which the stories need",
    }
    hint = hints.get(answer.status, "")
    said = f", saying: {answer.words}" if answer.words else ""
    return CdsError(
        f"{client.base} answered {what} of the story {story.name} with {answer.status}{said}"
        + (f" ({hint})" if hint else "")
    )


def _patients(record: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(each["id"] for each in record if each["resourceType"] == "Patient")


def _reference(resource: Mapping[str, Any]) -> str:
    return f"{resource['resourceType']}/{resource['id']}"
