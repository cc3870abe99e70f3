"""Asking: a sample goes to the service, in this process on the story's own day, or to a running server by HTTP.

In this process nothing goes over a network: where the scene has a FHIR server, the story's own record answers for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import msgspec
import requests

from cds_service.answer import Answer, Tools, answer, load_tools
from cds_service.console.samples import OK, Sample, Story
from cds_service.errors import CdsError, RequestError, SampleError, UsageError
from cds_service.gather.limits import Deadline
from cds_service.gather.query import Answered
from cds_service.gather.replies import Status
from cds_service.gather.transport import UNREACHABLE
from cds_service.hooks.request import FhirAccess
from cds_service.settings import Settings

_HTTP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Response:
    """What a caller gets: the HTTP status, and cards or an OperationOutcome. `answer` is only known in-process."""

    status: int
    content: Mapping[str, Any]
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class StandIn:
    """A FHIR server that holds these resources, each query in one page; without any it is down."""

    resources: tuple[Mapping[str, Any], ...]

    def refusal(self, access: FhirAccess) -> str | None:
        """It may always be asked."""
        return None

    def ask_all(self, access: FhirAccess, queries: Mapping[str, str], deadline: Deadline) -> dict[str, Answered]:
        """The answer to each query."""
        if not self.resources:
            return {key: Answered((), Status.FAILED, UNREACHABLE) for key in queries}
        return {key: Answered(tuple(self._found(query)), Status.COMPLETE, "") for key, query in queries.items()}

    def more_pages(self, access: FhirAccess, next_url: str, deadline: Deadline) -> Answered:
        """There are none."""
        return Answered((), Status.FAILED, UNREACHABLE)

    def _found(self, query: str) -> Iterator[bytes]:
        """A read by id, or a search by patient, status and code: what our queries use."""
        path, _, search = query.partition("?")
        kind, _, wanted_id = path.partition("/")
        wanted = {name: values[0].split(",") for name, values in parse_qs(search).items()}
        for resource in self.resources:
            if resource["resourceType"] == kind and wanted_id in ("", resource["id"]) and _matches(resource, wanted):
                yield msgspec.json.encode(resource)


def _matches(resource: Mapping[str, Any], wanted: Mapping[str, list[str]]) -> bool:
    codings = resource.get("code", {}).get("coding", ()) if "code" in wanted else ()
    return (
        ("patient" not in wanted or resource["subject"]["reference"] == f"Patient/{wanted['patient'][0]}")
        and ("status" not in wanted or resource["status"] in wanted["status"])
        and ("code" not in wanted or any(f"{each['system']}|{each['code']}" in wanted["code"] for each in codings))
    )


def tools_for(story: Story, settings: Settings) -> Tools:
    """What the service answers with, on the day of the story."""
    return replace(load_tools(settings), now=lambda: story.now)


def in_process(sample: Sample, tools: Tools) -> Response:
    """The response, made here."""
    service = next((each for each in tools.services if each.id == sample.service), None)
    if service is None:
        raise SampleError(f"{sample.story}/story.yaml sends '{sample.name}' to '{sample.service}': no such service")
    numbers = count(1)  # ids that stay the same from run to run
    tools = replace(tools, fhir=_server(sample) or tools.fhir, new_id=lambda: UUID(int=next(numbers)))
    try:
        made = answer(sample.body, service, tools)
    except RequestError as error:
        return Response(error.status, _outcome(error))
    return Response(OK, msgspec.json.decode(made.body, type=dict[str, Any]), made)


def _server(sample: Sample) -> StandIn | None:
    """The FHIR server as it stands in the scene; None where demo mode would not ask it."""
    match sample.fhir:
        case "answers":
            record = msgspec.json.decode(sample.record, type=dict[str, Any])
            return StandIn(tuple(entry["resource"] for entry in record["entry"]))
        case "down":
            return StandIn(())
        case "refused":
            return None
        case other:
            raise SampleError(
                f"{sample.story}/story.yaml, {sample.name}, fhir: expected refused, answers or down, found '{other}'"
            )


def _outcome(error: RequestError) -> dict[str, Any]:
    issue: dict[str, Any] = {"severity": "error", "code": error.code, "diagnostics": error.message}
    if error.path is not None:
        issue["expression"] = [error.path]
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def by_http(url: str, sample: Sample) -> Response:
    """The response of a running server. Raises CdsError when there is none."""
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"--url is '{url}', expected an address such as http://127.0.0.1:8080")
    address = f"{url.rstrip('/')}/cds-services/{sample.service}"
    reply = _posted(address, sample.body)
    try:
        return Response(reply.status_code, msgspec.json.decode(reply.content, type=dict[str, Any]))
    except msgspec.MsgspecError:
        raise CdsError(f"{address} answered {reply.status_code}, but not with a JSON object: is it aml-cds?") from None


def _posted(address: str, body: bytes) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False  # no proxy between us and a server on this machine
        headers = {"Content-Type": "application/json"}
        try:
            return session.post(address, body, headers=headers, timeout=_HTTP_SECONDS, allow_redirects=False)
        except requests.RequestException as fault:
            raise CdsError(
                f"{address} does not answer ({type(fault).__name__}): "
                "start the service with make serve, or leave out --url"
            ) from None
