"""Story server: the requests of `load` and `unload`, one by one, each refusal in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cds_service.console.fhir_client import Answer, FhirClient
from cds_service.console.samples import Story
from cds_service.errors import CdsError

TAG = "urn:aml-cds:sample-story"
_COUNT = 100  # resources asked for on one page; a server may give fewer
_PAGES = 200
_GONE = (404, 410)
_HINTS = {
    401: "it wants an access token: --token-file FILE, or AML_CDS_TOKEN",
    403: "the token may not do this: it needs to read and write every type of the stories",
    404: "is this the base URL of a FHIR server? Or it does not let a client choose ids",
    405: "it does not let a client choose ids (update as create), which the stories need",
    429: "it has been asked too often: give the command again in a minute",
}
Json = dict[str, Any]


class StoryServer:
    """A FHIR server on which one story is put. Every method raises CdsError where it refuses."""

    def __init__(self, client: FhirClient, story: Story) -> None:
        self._client = client
        self._story = story

    def found(self, kind: str, search: str) -> Iterator[Json]:
        """The resources of one type that a search finds, from its first page to its last."""
        path: str | None = f"{kind}?{search}&_count={_COUNT}"
        for _ in range(_PAGES):
            answer = self._client.get(path or "")
            if not answer.is_good or answer.content is None or answer.content.get("resourceType") != "Bundle":
                raise self.refusal(f"a search for {kind}", answer)
            for entry in answer.content.get("entry") or ():
                resource = entry.get("resource") or {}
                if resource.get("resourceType") == kind and resource.get("id"):
                    yield resource
            path = self._next(answer.content)
            if path is None:
                return
        raise CdsError(f"{self._client.base} gives more pages of {kind} than a story can have: is its paging broken?")

    def _next(self, bundle: Json) -> str | None:
        """What lies below the base at the next page; None where this was the last one."""
        urls = [each.get("url") for each in bundle.get("link") or () if each.get("relation") == "next"]
        if not urls or not isinstance(urls[0], str):
            return None
        url, base = urls[0], self._client.base
        if "://" in url and not url.startswith((f"{base}/", f"{base}?")):
            raise CdsError(f"{base} links to a next page outside of its own address, which we do not follow")
        return url.removeprefix(base).removeprefix("/")

    def is_ours(self, resource: Json) -> bool:
        """Whether a resource carries the tag of this story."""
        return any(each.get("system") == TAG and each.get("code") == self._story.name for each in tags(resource))

    def transaction(self, entries: list[Json]) -> Answer:
        """The answer to a transaction. Some servers answer 200 and refuse single entries within: that raises too."""
        answer = self._client.send("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": entries})
        told = (answer.content or {}).get("entry") if answer.is_good else None
        for asked, each in zip(entries, told or (), strict=False):
            response = each.get("response") or {}
            status = str(response.get("status", ""))[:3]
            method, url = asked["request"]["method"], asked["request"]["url"]
            if status.isdecimal() and int(status) >= 400 and not _has_gone(method, int(status)):
                within = Answer(int(status), {}, b"", response.get("outcome"))
                raise self.refusal(f"{method} {url.partition('/')[0]}", within)
        return answer

    def write(self, method: str, path: str, resource: Json | None = None) -> Answer:
        """The answer to one write that went well, or to a deletion of what is gone already."""
        answer = self._client.send(method, path, resource)
        if not answer.is_good and not _has_gone(method, answer.status):
            raise self.refusal(f"{method} {path.partition('/')[0]}", answer)
        return answer

    def refusal(self, what: str, answer: Answer) -> CdsError:
        """A refusal in words, with what may help."""
        hint = _HINTS.get(answer.status, "")
        said = f", saying: {answer.words}" if answer.words else ""
        return CdsError(
            f"{self._client.base} answered {what} of the story {self._story.name} with {answer.status}{said}"
            + (f" ({hint})" if hint else "")
        )


def reference(resource: Mapping[str, Any]) -> str:
    """How others refer to a resource: "Patient/story-one"."""
    return f"{resource['resourceType']}/{resource['id']}"


def tags(resource: Json) -> list[Json]:
    """The tags of a resource."""
    return (resource.get("meta") or {}).get("tag") or []


def _has_gone(method: str, status: int) -> bool:
    return method == "DELETE" and status in _GONE
