"""Queries: ask one FHIR server, all queries at once, page by page, and be back by the deadline whatever happens.

The server is not trusted with our time, our memory or the token: every wait ends, bytes and pages are counted, and a
request goes only where the base URL leads. What could not be read never turns into "nothing there".
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from threading import Semaphore
from time import monotonic
from urllib.parse import urljoin

from cds_service.decoding import as_meant
from cds_service.gather.bundle import Matches, Unpacked, resource_type, unpack
from cds_service.gather.clocks import Clocks
from cds_service.gather.exchange import Exchange, Rejected, Stopped
from cds_service.gather.limits import Deadline, Limits
from cds_service.gather.replies import Status
from cds_service.gather.searches import (
    COUNT,
    MAY_BE_LEFT_OUT,
    as_form,
    attempts,
    in_parts,
    kind_of,
    length,
    name_of,
    pieces,
    without,
)
from cds_service.gather.servers import Server, Servers
from cds_service.gather.transport import LATE, NOT_FHIR
from cds_service.hooks.request import FhirAccess
from cds_service.security.outbound import Way

_log = logging.getLogger(__name__)

NOT_STARTED = "there was no time left to ask the FHIR server"
ANOTHER_KIND = "the FHIR server sent another kind of resource than was asked for"
CIRCLE = "the FHIR server's pages lead back to themselves"
TOO_FEW = "the FHIR server counts more entries than it gave"
TOO_FUSSY = "the FHIR server refused the question in every wording"
OUR_FAULT = "reading the FHIR server's answer failed in this service"

_REASONS = 3  # reasons named for one query, the last ones: a server may invent any number of them
_INSTANCE = re.compile(r"([A-Za-z]+)/[A-Za-z0-9\-.]{1,64}")
_NO_POST = (403, 404, 405, 415, 501)  # how servers refuse a search by POST that they would take by GET
_FORBIDDEN = 403
_TOO_LONG = (414, 431)
_UNKNOWN_PARAMETER = 400
_SHORT = 200  # characters that no server finds too many
_TRIES = 12  # refused wordings of one query, after which it is given up
_STATEMENT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of one query: its raw resources, how it ended and, unless complete, why, in words for a clinician.

    `notes`: what was asked in other words than first meant, and still answered whole. `pages`: how many were read.
    `well`: whether the server answered at all, be it with a refusal; None when it was not asked.
    """

    resources: tuple[bytes, ...]
    status: Status
    why: str
    notes: tuple[str, ...] = ()
    pages: int = field(default=0, compare=False)
    well: bool | None = field(default=None, compare=False)
    seconds: float = field(default=0.0, compare=False)  # from its start; 0 when it was not asked


class FhirSession:
    """Asks FHIR servers for one process: a bounded pool of threads, each with connections of its own.

    Make it once, also before a fork: threads and connections come with the first query of each process.
    `way` is how requests leave the house; None means straight.
    """

    def __init__(self, limits: Limits, way: Way | None = None, clocks: Clocks | None = None) -> None:
        self._limits = limits
        self._exchange = Exchange(limits, way or Way(), clocks)
        self._servers = Servers(limits.statement_seconds)
        self._pools: dict[int, ThreadPoolExecutor] = {}

    def ask_all(self, access: FhirAccess, queries: Mapping[str, str], deadline: Deadline) -> dict[str, Answered]:
        """The answer to each query, by its key, at the deadline at the latest. Raises nothing.

        A query is what follows the base URL: `Type/id`, which answers with that resource, or a search.
        """
        server = self._server(access)
        if server.refusal:
            return {key: Answered((), Status.FAILED, server.refusal) for key in queries}
        asked = {key: _legs(query, server) for key, query in queries.items()}
        every = dict.fromkeys(leg for legs in asked.values() for leg in legs)
        further = Semaphore(max(0, self._limits.requests - len(every)))
        askings = {leg: _Asking(access, leg, _expected(leg), deadline, further, server) for leg in every}
        self._run(tuple(askings.values()), deadline)
        return {key: _together([askings[leg].answered() for leg in legs]) for key, legs in asked.items()}

    def more_pages(self, access: FhirAccess, next_url: str, deadline: Deadline) -> Answered:
        """What lies behind the `next` link of a Bundle that was sent along. Raises nothing."""
        server = self._server(access)
        if server.refusal:
            return Answered((), Status.FAILED, server.refusal)
        further = Semaphore(max(0, self._limits.requests - 1))
        asking = _Asking(access, "", "Bundle", deadline, further, server, following=_resolved(access, next_url))
        self._run((asking,), deadline)
        return asking.answered()

    def _server(self, access: FhirAccess) -> Server:
        return self._servers.at(access.server, lambda: self._statement(access))

    def _statement(self, access: FhirAccess) -> bytes:
        """The CapabilityStatement, which is read without a token: it holds no patient."""
        deadline = Deadline(_STATEMENT_SECONDS, monotonic)
        url = f"{access.server}/metadata"
        return self._exchange.fetch(FhirAccess(access.server), url, deadline, self._limits.answer_bytes)

    def _run(self, askings: tuple[_Asking, ...], deadline: Deadline) -> None:
        """Run all of them until the deadline. One that still queues when no more may start never starts."""
        futures: list[Future[None]] = []
        try:
            futures.extend(self._pool().submit(self._read, asking) for asking in askings)
        except RuntimeError:  # no thread can be started: the process is ending, or its host is at a limit
            _log.warning("a FHIR query was not started: there is no thread for it")
        wait(futures, deadline.left_to_start())
        wait([future for future in futures if not future.cancel()], deadline.left())

    def _pool(self) -> ThreadPoolExecutor:
        """The threads of this process. Those of a parent do not survive the fork; an unused pool has no threads."""
        mine = self._pools.get(os.getpid())
        return mine or self._pools.setdefault(os.getpid(), ThreadPoolExecutor(self._limits.threads, "fhir"))

    def _read(self, asking: _Asking) -> None:
        """Read one query to its end, in a thread of the pool. What stops it becomes its reason."""
        if not asking.deadline.may_start():
            return
        asking.started = True
        asking.began = monotonic()
        try:
            if asking.following:
                self._read_pages(asking, b"", asking.following)
            else:
                self._read_search(asking, asking.query)
        except Stopped as stopped:
            asking.troubles += (str(stopped),)
            asking.met(stopped.well)
        except Exception as fault:  # noqa: BLE001 - a fault in one query must not cost the others
            # Only its type: its text may hold the address.
            _log.error("a FHIR query failed within this service: %s", type(fault).__name__)
            asking.troubles += (OUR_FAULT,)
        asking.ended = monotonic()
        asking.finished = True

    def _read_search(self, asking: _Asking, query: str) -> None:
        """Read one search to its last page, in the words that this server takes. Raises Stopped."""
        wordings = attempts(tuple(each for name in MAY_BE_LEFT_OUT for each in pieces(query, name)))
        while True:  # the last wording leaves nothing to leave out: a server that refuses it too stops the query
            left_out = next(wordings)
            worded = without(query, left_out)
            try:
                first = self._first_page(asking, worded)
            except Rejected as rejected:
                if rejected.status == _UNKNOWN_PARAMETER:
                    continue
                self._read_otherwise(asking, worded, rejected)
            else:
                _note_refused(asking, kind_of(query), left_out)
                self._read_pages(asking, first, f"{asking.access.server}/{worded}")
            return

    def _read_otherwise(self, asking: _Asking, query: str, rejected: Rejected) -> None:
        """Read a search that was too long, or not to be asked by POST, in another way. Raises Stopped."""
        try:
            for part in (query,) if asking.server.takes_post else in_parts(query, asking.server.longest):
                self._read_search(asking, part)
        except Stopped:
            if rejected.status == _FORBIDDEN:  # it was this token, not the POST: others are asked by POST again
                asking.server.takes_post = True
            raise

    def _first_page(self, asking: _Asking, query: str) -> bytes:
        """The answer to a search, by POST when it is long. Raises Rejected when other words may help, else Stopped."""
        server = asking.server
        by_post = server.takes_post and length(query) > server.longest
        path, form = as_form(query) if by_post else (query, None)
        url = f"{asking.access.server}/{path}"
        try:
            return self._exchange.fetch(asking.access, url, asking.deadline, asking.room(self._limits), form)
        except Rejected as rejected:
            asking.refusals += 1
            if asking.refusals >= _TRIES:
                raise Stopped(TOO_FUSSY) from None
            if not (asking.expected == "Bundle" and _may_help(rejected.status, query, by_post, server)):
                raise Stopped(str(rejected), rejected.well) from None
            raise

    def _read_pages(self, asking: _Asking, body: bytes, url: str | None) -> None:
        """Read `body`, the page at `url`, and all pages that follow it; without a body that page is fetched first."""
        seen: set[str] = set()
        total = 0
        matches = Matches()  # of this search: the parts of a long one may each find the same
        while url is not None:
            self._check_page(url, seen, asking)
            seen.add(url)
            body = body or self._exchange.fetch(asking.access, url, asking.deadline, asking.room(self._limits))
            asking.met(True)
            asking.bytes_read += len(body)
            asking.pages += 1
            page = _unpacked(body, asking.expected)
            asking.resources += page.resources
            matches |= page.matches
            asking.troubles += page.problems
            total = max(total, page.total)
            body, url = b"", _resolved(asking.access, page.next_page) if page.next_page else None
        if total > len(matches) and not asking.following:
            asking.troubles += (TOO_FEW,)

    def _check_page(self, url: str, seen: set[str], asking: _Asking) -> None:
        if url in seen:
            raise Stopped(CIRCLE)
        if len(seen) >= self._limits.pages:
            raise Stopped(f"the answer has more pages than we read ({self._limits.pages})")
        if seen and not asking.further.acquire(blocking=False):
            raise Stopped(f"the answers have more pages than we read in one call ({self._limits.requests})")


@dataclass(slots=True, eq=False, repr=False)
class _Asking:
    """One query under way. Its thread writes, whoever waits may look at any time: each write is one assignment."""

    access: FhirAccess
    query: str
    expected: str
    deadline: Deadline
    further: Semaphore  # pages beyond the first that the queries of this call may still read
    server: Server
    following: str = ""  # the page to begin with, where there is no query
    resources: tuple[bytes, ...] = ()
    troubles: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    bytes_read: int = 0
    pages: int = 0
    refusals: int = 0  # how many of its wordings were refused; the parts of one that was taken are none
    well: bool | None = None  # whether the server answered at all
    started: bool = False
    finished: bool = False
    began: float = 0.0  # by the monotonic clock
    ended: float = 0.0

    def room(self, limits: Limits) -> int:
        """How many bytes may still be read."""
        return limits.answer_bytes - self.bytes_read

    def met(self, well: bool | None) -> None:
        """Note how the server was met; None is no meeting, and one answer makes up for every silence."""
        if well is not None:
            self.well = self.well or well

    def answered(self) -> Answered:
        """What is there by now."""
        late = () if self.finished else (LATE if self.started else NOT_STARTED,)
        troubles = tuple(dict.fromkeys(self.troubles + late))
        resources, notes = self.resources, tuple(dict.fromkeys(self.notes))
        well = self.well if self.finished or not self.started else bool(self.well)
        if not troubles:
            return Answered(resources, Status.COMPLETE, "", notes, self.pages, well, self.seconds)
        status = Status.PARTIAL if resources else Status.FAILED
        why = "; ".join(troubles[-_REASONS:])
        return Answered(resources, status, why, notes, self.pages, well, self.seconds)

    @property
    def seconds(self) -> float:
        """How long it took, or has taken by now."""
        return (self.ended if self.finished else monotonic()) - self.began if self.started else 0.0


def _legs(query: str, server: Server) -> tuple[str, ...]:
    """The query in the words of this server: one, or several where a long one has to be asked in parts."""
    worded = server.worded(query)
    return (worded,) if server.takes_post else in_parts(worded, server.longest)


def _may_help(status: int, query: str, by_post: bool, server: Server) -> bool:
    """Whether the query, which was answered with `status`, may be answered in other words; notes what was learned."""
    if status == _UNKNOWN_PARAMETER:
        return any(pieces(query, name) for name in MAY_BE_LEFT_OUT)
    if by_post and status in _NO_POST:
        server.refuses_post()
        return True
    if status in _TOO_LONG and not by_post and length(query) > _SHORT:
        server.longest = min(server.longest, max(_SHORT, length(query) // 2))
        return server.takes_post or len(in_parts(query, server.longest)) > 1
    return False


def _note_refused(asking: _Asking, kind: str, left_out: tuple[str, ...]) -> None:
    """Note what the server did not take, now that it answers without. The size of a page concerns nobody."""
    for piece in left_out:
        asking.server.refuses(kind, piece)
        if name_of(piece) != COUNT:
            asking.notes += (f"asked without {name_of(piece)}, which the FHIR server does not take",)


def _together(parts: list[Answered]) -> Answered:
    """The answers to the parts of one query as one answer: complete only when all of them are."""
    if len(parts) == 1:
        return parts[0]
    resources = tuple(raw for part in parts for raw in part.resources)
    why = "; ".join(dict.fromkeys(part.why for part in parts if part.why))
    notes = tuple(dict.fromkeys(note for part in parts for note in part.notes))
    alike = all(part.status is parts[0].status for part in parts)
    pages = sum(part.pages for part in parts)
    well = next((part.well for part in parts if part.well), next((part.well for part in parts), None))
    seconds = max(part.seconds for part in parts)
    return Answered(resources, parts[0].status if alike else Status.PARTIAL, why, notes, pages, well, seconds)


def _expected(query: str) -> str:
    """The type of resource that answers `query`."""
    if "/$" in query.partition("?")[0]:
        return "Parameters"
    instance = _INSTANCE.fullmatch(query)
    return instance[1] if instance else "Bundle"


def _resolved(access: FhirAccess, link: str) -> str:
    """`link` as a full address; a relative one starts at the base, a mere query ("?page=2") asks the base itself."""
    try:
        return urljoin(access.server if link.startswith("?") else f"{access.server}/", link)
    except ValueError:
        return link  # no address at all: it is refused where it would be asked


def _unpacked(sent: bytes, expected: str) -> Unpacked:
    body = sent if resource_type(sent) is not None else as_meant(sent)
    match resource_type(body):
        case None:
            raise Stopped(NOT_FHIR)
        case kind if kind not in (expected, "OperationOutcome"):
            raise Stopped(ANOTHER_KIND)
        case _:
            return unpack(body)
