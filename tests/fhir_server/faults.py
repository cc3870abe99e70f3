"""Faults on demand: what may go wrong with a FHIR server, each by a name that stands in the address."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

SLOW, HANG = 0.3, 20.0  # seconds
SHORT = 600  # characters of an address, where addresses must be short
FAULTS: Mapping[str, str] = {
    "slow": "every answer comes late, but comes",
    "hang": "no answer for a long time",
    "401": "refuses the token", "403": "refuses access", "404": "not found", "410": "deleted", "500": "breaks",
    "busy": "429 with Retry-After 1, the first time that an address is asked",
    "throttled": "429 with Retry-After 3600, always",
    "truncated": "half of the JSON", "brokenoff": "half of what its length promises",
    "html": "a log-in page with status 200",
    "foreign-next": "the next page lies on another host", "loop": "the next page is the first one",
    "pages": "two entries a page", "plain": "never compressed, also when asked",
    "miscounted": "counts one more than it gives", "uncounted": "gives no total",
    "empty-warning": "an empty searchset holds a warning, as Epic's does",
    "withheld": "a searchset says that something was withheld",
    "absolute": "references are absolute",
    "unlisted-_include": "its statement offers no _include",
    "without": "a search parameter is unknown: without-status, without-code, without-_include",
    "no-post-search": "no search by POST", "short-addresses": "414 for a long address",
    "no-metadata": "no CapabilityStatement", "stu3": "says that it speaks STU3", "r5": "says that it speaks R5",
    "r4b": "says that it speaks R4B",
    "no-transactions": "no transaction", "no-own-ids": "ids are given by the server only",
    "as-batch": "a transaction answers 200, though some of its entries were refused, as Medplum's does",
    "unsaid": "the CapabilityStatement lists no types",
    "in-details": "what is wrong stands in details.text, a number or nothing in diagnostics",
    "outcome-at-delete": "a deletion is answered 200 with an OperationOutcome",
    "throttled-untold": "429 always, and no Retry-After: only a RateLimit header",
    "medplum": "the ways of a real server, as CALIBRATION.md has them",
    "skewed": "its clock is an hour behind",
}  # fmt: skip
WAYS = {
    "medplum": ("uncounted", "no-own-ids", "as-batch", "in-details", "outcome-at-delete", "unlisted-_include"),
}
VERSIONS = {"stu3": "3.0.2", "r5": "5.0.0", "r4b": "4.3.0"}


@dataclass(frozen=True)
class Faults:
    """The faults of one address, for one type of resource ("" for what is about none)."""

    names: frozenset[str]

    @classmethod
    def read(cls, text: str, kind: str) -> Faults:
        """Those in `text` that concern `kind`. Raises KeyError for one that there is not."""
        names = set()
        for each in filter(None, text.split("+")):
            name, _, only = each.partition(":")
            if name not in FAULTS and name.partition("-")[0] != "without":
                raise KeyError(name)
            if only in ("", kind):
                names.update((name, *WAYS.get(name, ())))
        return cls(frozenset(names))

    def __contains__(self, name: object) -> bool:
        return name in self.names

    @property
    def without(self) -> tuple[str, ...]:
        """Search parameters that are unknown."""
        return tuple(each.partition("-")[2] for each in self.names if each.startswith("without-"))

    @property
    def hides_includes(self) -> bool:
        """Whether its statement offers no `_include`."""
        return "_include" in self.without or "unlisted-_include" in self.names

    @property
    def status(self) -> int | None:
        """The status that takes the place of an answer."""
        return next((int(each) for each in sorted(self.names) if each.isdigit()), None)

    @property
    def fhir_version(self) -> str:
        """The version that the CapabilityStatement names."""
        return next((VERSIONS[each] for each in self.names & VERSIONS.keys()), "4.0.1")

    def wait(self) -> None:
        """Take the time that the fault takes."""
        time.sleep(HANG if "hang" in self else SLOW if "slow" in self else 0)


class Seen:
    """Which addresses were asked before: a busy server answers the second time."""

    def __init__(self) -> None:
        self._lock, self._seen = Lock(), set[str]()

    def first_time(self, address: str) -> bool:
        """Whether this address is asked for the first time."""
        with self._lock:
            new = address not in self._seen
            self._seen.add(address)
            return new


def absolute(body: bytes, base: str) -> bytes:
    """The same JSON with absolute references."""

    def turned(value: object) -> object:
        if isinstance(value, dict):
            return {
                key: f"{base}/{each}" if key == "reference" and isinstance(each, str) else turned(each)
                for key, each in value.items()
            }
        return [turned(each) for each in value] if isinstance(value, list) else value

    return json.dumps(turned(json.loads(body))).encode()


def in_details(body: bytes) -> bytes:
    """The same OperationOutcome with its words in details.text, and what only a machine reads in diagnostics."""
    outcome = json.loads(body)
    for issue in outcome["issue"]:
        issue |= {"details": {"text": issue["diagnostics"]}, "diagnostics": '{"limit":6000}'}
    return json.dumps(outcome).encode()
