"""Shelter: the FHIR servers cannot take more of this process than they are given, nor more time than they deserve.

Only so many calls of a process wait for FHIR servers at once (a bulkhead): one more goes on without asking, and says
so. A server that does not answer is left alone for a while (`breaker`). One shelter serves all tenants of a process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Protocol

from cds_service.gather.breaker import Breakers
from cds_service.gather.clocks import Clocks
from cds_service.gather.limits import Deadline
from cds_service.gather.query import Answered
from cds_service.gather.replies import Status
from cds_service.hooks.request import FhirAccess

BUSY = "FHIR server busy: too many calls were waiting for FHIR servers, so it was not asked"
LEFT_ALONE = "the FHIR server did not answer the calls before, so it was not asked"
LATELY = 60.0  # seconds
OF_THE_THREADS = 3, 4  # the share of a process's threads that may wait for FHIR servers


class Session(Protocol):
    """Whoever asks a FHIR server: `query.FhirSession`, or a stand-in."""

    def ask_all(self, access: FhirAccess, queries: Mapping[str, str], deadline: Deadline) -> dict[str, Answered]:
        """The answer to each query."""

    def more_pages(self, access: FhirAccess, next_url: str, deadline: Deadline) -> Answered:
        """The pages that follow a first one."""


class Bulkhead:
    """So many places for calls that wait. Who finds none does not queue."""

    def __init__(self, places: int, clock: Callable[[], float] = monotonic) -> None:
        self.places = places
        self.taken = 0
        self.turned_away = 0  # how many calls found no place, since the start
        self._clock = clock
        self._full_at: float | None = None
        self._lock = Lock()

    def enter(self) -> bool:
        """Take a place; False when all are taken."""
        with self._lock:
            if self.taken >= self.places:
                self.turned_away += 1
                self._full_at = self._clock()
                return False
            self.taken += 1
            return True

    @property
    def full_lately(self) -> bool:
        """Whether a call found no place within the last minute."""
        return self._full_at is not None and self._clock() - self._full_at < LATELY

    def leave(self) -> None:
        """Give the place back."""
        with self._lock:
            self.taken -= 1


@dataclass(frozen=True, slots=True)
class Shelter:
    """What stands between the calls of one process and the FHIR servers."""

    bulkhead: Bulkhead
    breakers: Breakers
    clocks: Clocks

    @classmethod
    def of(cls, threads: int) -> Shelter:
        """The shelter of a process with so many threads."""
        part, whole = OF_THE_THREADS
        return cls(Bulkhead(max(1, threads * part // whole)), Breakers(), Clocks())

    def ask_all(
        self, session: Session, access: FhirAccess, queries: Mapping[str, str], deadline: Deadline
    ) -> dict[str, Answered]:
        """The answer to each query, or why it was not asked."""
        with self._place(access) as place:
            if place.refusal:
                return {key: Answered((), Status.FAILED, place.refusal) for key in queries}
            found = session.ask_all(access, queries, deadline)
            place.note(found.values())
            return found

    def more_pages(self, session: Session, access: FhirAccess, next_url: str, deadline: Deadline) -> Answered:
        """The pages that follow a first one, or why they were not asked for."""
        with self._place(access) as place:
            if place.refusal:
                return Answered((), Status.FAILED, place.refusal)
            found = session.more_pages(access, next_url, deadline)
            place.note((found,))
            return found

    @contextmanager
    def _place(self, access: FhirAccess) -> Iterator[_Place]:
        """A place in the bulkhead, if there is one and the server is asked at the moment."""
        if not self.bulkhead.enter():
            yield _Place(access.server, self.breakers, BUSY)
            return
        try:
            yield _Place(access.server, self.breakers, "" if self.breakers.may_ask(access.server) else LEFT_ALONE)
        finally:
            self.bulkhead.leave()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one call waits for one server, or why it does not."""

    server: str
    breakers: Breakers
    refusal: str

    def note(self, found: Iterable[Answered]) -> None:
        """Tell how the server did: one answer speaks for it; nothing but silence and faults speak against it."""
        well = {each.well for each in found} - {None}
        if True in well:
            self.breakers.answered(self.server)
        elif well:
            self.breakers.failed(self.server)
