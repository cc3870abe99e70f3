"""Conditional requests: an answer that the FHIR server says is unchanged is not sent again.

Off unless set, as an answer is then kept between calls: in memory, for seconds, sealed with the access token of the
call that fetched it, so that only a call that brings the same token can open it. Whether it still holds is never
guessed: the server is asked each time (`If-None-Match`), and gives or refuses access as ever.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from time import monotonic

from cds_service.hooks.request import FhirAccess
from cds_service.security.sealing import Seals

UNCHANGED = 304
_MOST_BYTES = 32_000_000  # of all answers of a process together
_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{1,200}"')


@dataclass(frozen=True, slots=True)
class Tagged:
    """An answer that is known, opened for one request: its ETag and its body."""

    etag: str
    body: bytes


@dataclass(frozen=True, slots=True)
class _Sealed:
    etag: str
    body: bytes
    until: float


class Conditional:
    """The answers of one process that may be asked for conditionally, each for so many `seconds`; 0: none is kept."""

    def __init__(self, seconds: float, most: int = _MOST_BYTES, clock: Callable[[], float] = monotonic) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._seals = Seals()
        self._lock = Lock()
        self._sealed: dict[bytes, _Sealed] = {}
        self._bytes = 0

    def known(self, access: FhirAccess, url: str) -> Tagged | None:
        """What this access was answered at `url`, while it is kept."""
        if not self._seconds:
            return None
        with self._lock:
            self._forget()
            found = self._sealed.get(self._name(access, url))
        if found is None:
            return None
        return Tagged(found.etag, self._seals.unseal(access.token or "", found.body))

    def keep(self, access: FhirAccess, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Keep an answer, where its server gave it an ETag and does not forbid it."""
        etag = headers.get("ETag", "")
        kept = self._seconds and _ETAG.fullmatch(etag) and not _no_store(headers) and len(body) <= self._most // 4
        if not kept:
            return
        sealed = _Sealed(etag, self._seals.seal(access.token or "", body), self._clock() + self._seconds)
        with self._lock:
            self._drop(self._name(access, url))
            self._sealed[self._name(access, url)] = sealed
            self._bytes += len(sealed.body)
            self._forget()

    def _forget(self) -> None:
        """Let go of what is too old, and of the oldest while there is too much."""
        now = self._clock()
        while self._sealed:
            name, oldest = next(iter(self._sealed.items()))
            if oldest.until > now and self._bytes <= self._most:
                return
            self._drop(name)

    def _drop(self, name: bytes) -> None:
        gone = self._sealed.pop(name, None)
        self._bytes -= len(gone.body) if gone else 0

    def _name(self, access: FhirAccess, url: str) -> bytes:
        return self._seals.name(access.token or "", url)


def _no_store(headers: Mapping[str, str]) -> bool:
    return "no-store" in headers.get("Cache-Control", "").lower()
