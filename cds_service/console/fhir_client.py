"""A FHIR client for the command line: one request after the other, and words for whatever goes wrong.

Not for calls: `gather` asks for those. A token is sent to the server it was given for and shown nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests

from cds_service.console.tls import why_not_trusted
from cds_service.errors import CdsError, UsageError
from cds_service.security.outbound import Way
from cds_service.settings import is_loopback

SECONDS = 30.0
_LARGEST = 50_000_000  # bytes of one answer
_JSON = "application/fhir+json"
_FRESH = {"Cache-Control": "no-cache"}  # HAPI FHIR, for one, answers the same search from memory for a minute
_TOKEN = re.compile(r"[\x21-\x7e]+")
_LONGEST_WORDS = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: its HTTP status, its headers, its body and, where that is a JSON object, what it holds."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    content: dict[str, Any] | None

    @property
    def is_good(self) -> bool:
        """Whether the server did as it was asked."""
        return 200 <= self.status < 300

    @property
    def words(self) -> str:
        """What the server says is wrong. May hold what was sent: only for made-up patients."""
        issues = (self.content or {}).get("issue")
        first = issues[0] if isinstance(issues, list) and issues and isinstance(issues[0], dict) else {}
        details = first.get("details")
        said = (details.get("text") if isinstance(details, dict) else "") or first.get("diagnostics") or ""
        return " ".join(str(said).split())[:_LONGEST_WORDS]


class FhirClient:
    """One FHIR server, asked from the command line, by the way that the service would go; without one straight.

    Raises UsageError for an address that is none.
    """

    def __init__(self, base: str, token: str | None = None, way: Way | None = None) -> None:
        self.base = _checked(base)
        self.way = way or Way()
        self._session = self.way.open(requests.Session())
        self._session.headers.update({"Accept": _JSON, "User-Agent": "aml-cds", **_FRESH})
        if token is not None:
            if not _TOKEN.fullmatch(token):
                raise UsageError("the access token holds blanks or is empty: write nothing else into its file")
            self._session.headers["Authorization"] = f"Bearer {token}"

    @property
    def is_here(self) -> bool:
        """Whether the server is on this very machine."""
        return is_loopback(urlsplit(self.base).hostname or "")

    def get(self, path: str) -> Answer:
        """What lies at `path` below the base. Raises CdsError when nobody answers."""
        return self._ask("GET", path)

    def send(self, method: str, path: str, content: Mapping[str, Any] | None = None) -> Answer:
        """The answer to a write. Raises CdsError when nobody answers."""
        return self._ask(method, path, content)

    def _ask(self, method: str, path: str, content: Mapping[str, Any] | None = None) -> Answer:
        body = None if content is None else msgspec.json.encode(content)
        headers = {} if body is None else {"Content-Type": _JSON}
        url = f"{self.base}/{path}" if path else self.base
        try:
            with self._session.request(
                method, url, data=body, headers=headers, timeout=SECONDS, allow_redirects=False, stream=True
            ) as reply:
                read = reply.raw.read(_LARGEST, decode_content=True)
                return Answer(reply.status_code, reply.headers, read, _object(read))
        except requests.exceptions.SSLError as fault:
            why = why_not_trusted(fault) or "no TLS as this machine speaks it"
            raise CdsError(
                f"{self.base}: no secure connection could be made: {why}. Look at its certificate (name, last day) and "
                "at its authority (CA_BUNDLE)"
            ) from None
        except (requests.RequestException, OSError) as fault:
            raise CdsError(
                f"{self.base} does not answer ({type(fault).__name__}): look at the address and its port, and whether "
                "the server is up and reached from this machine"
            ) from None


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None


def _checked(base: str) -> str:
    """The base URL without its last slash. Raises UsageError."""
    try:
        parts = urlsplit(base)
        good = parts.scheme in ("http", "https") and parts.hostname and not parts.query and not parts.fragment
        odd = "@" in parts.netloc or parts.port == 0
    except ValueError:
        good, odd = False, True
    if not good or odd:
        raise UsageError("--fhir expects the base URL of a FHIR server, such as http://127.0.0.1:8090/fhir")
    return base.rstrip("/")
