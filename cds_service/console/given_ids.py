"""Given ids: a story on a server that gives the ids itself, as many EHRs do.

A second tag holds the id that a resource has in its story: by it the resource is found again, and keeps the id that
the server gave. What refers to it is written with that id, so resources go one after the other, not in a transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cds_service.console.fhir_client import Answer
from cds_service.console.story_server import Json, StoryServer, reference, tags
from cds_service.errors import CdsError

ID_TAG = "urn:aml-cds:sample-id"


def there(server: StoryServer, record: Iterable[Json], tag: str) -> dict[str, str]:
    """What there is of a story: its own reference to each resource, and the one that the server gave."""
    found: dict[str, str] = {}
    for kind in dict.fromkeys(each["resourceType"] for each in record):
        for resource in server.found(kind, f"_tag={tag}"):
            if server.is_ours(resource):
                found[f"{kind}/{_id_in_story(resource)}"] = reference(resource)
    return found


def write(server: StoryServer, record: Iterable[Json], given: Mapping[str, str]) -> dict[str, str]:
    """Write every resource, a new one as the server names it; `given` as in `there`, and so is what returns."""
    given = dict(given)
    for resource in record:
        name, kind = reference(resource), resource["resourceType"]
        tag = {"system": ID_TAG, "code": resource["id"]}
        content: Json = renamed({**resource, "meta": {**resource["meta"], "tag": [*tags(resource), tag]}}, given)
        if name in given:
            content["id"] = given[name].partition("/")[2]
            server.write("PUT", given[name], content)
        else:
            del content["id"]
            given[name] = f"{kind}/{_given_id(kind, server.write('POST', kind, content))}"
    return given


def renamed(content: Any, given: Mapping[str, str]) -> Any:
    """The same JSON with every reference of the story as the server knows it."""
    if isinstance(content, dict):
        return {
            name: given.get(each, each) if name == "reference" and isinstance(each, str) else renamed(each, given)
            for name, each in content.items()
        }
    return [renamed(each, given) for each in content] if isinstance(content, list) else content


def _id_in_story(resource: Json) -> str:
    said = (str(each.get("code")) for each in tags(resource) if each.get("system") == ID_TAG)
    return next(said, str(resource["id"]))


def _given_id(kind: str, answer: Answer) -> str:
    """The id of what was created: in the answer, or in its Location where nothing else came."""
    content = answer.content or {}
    if content.get("resourceType") == kind and content.get("id"):
        return str(content["id"])
    steps = answer.headers.get("Location", "").split("/")
    if kind in steps[:-1]:
        return steps[steps.index(kind) + 1]
    raise CdsError(f"the server took a {kind} and does not say under which id: the story was written in part")
