"""Queries: ask one FHIR server, all queries at once, page by page, and be back by the deadline whatever happens.

The server is not trusted with our time, our memory or the token: every wait ends, bytes and pages are counted, and a
request goes only where the base URL leads. What could not be read never turns into "nothing there".
"""

from __future__ import annotations

import io
import logging
import os
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException, HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from threading import Semaphore, local
from time import monotonic
from typing import Any
from urllib.parse import urljoin

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from cds_service.gather.bundle import Unpacked, resource_type, unpack
from cds_service.gather.replies import Status
from cds_service.hooks.request import FhirAccess
from cds_service.security.fhir_servers import same_server

_log = logging.getLogger(__name__)

LATE = "the FHIR server did not answer in time"
NOT_STARTED = "there was no time left to ask the FHIR server"
UNREACHABLE = "the FHIR server could not be reached"
UNSAFE = "no secure connection to the FHIR server could be made (certificate or TLS)"
BROKE_OFF = "the FHIR server broke off its answer"
UNREADABLE = "the FHIR server's answer could not be read"
NOT_FHIR = "the FHIR server sent something that is not FHIR"
ANOTHER_KIND = "the FHIR server sent another kind of resource than was asked for"
ELSEWHERE = "a page of the answer lies outside of the FHIR server's own address, so it was not read"
CIRCLE = "the FHIR server's pages lead back to themselves"
UNSENDABLE = "the access token that came with the call cannot be sent"
OUR_FAULT = "reading the FHIR server's answer failed in this service"

_CHUNK = 65_536  # bytes decoded at a time: how far a compressed answer can go past its limit
_REASONS = 3  # reasons named for one query, the last ones: a server may invent any number of them
_INSTANCE = re.compile(r"([A-Za-z]+)/[A-Za-z0-9\-.]{1,64}")
_TOKEN = re.compile(r"[\x21-\x7e]+")
_WORDS_FOR_STATUS = {404: "404 (not found)", 410: "410 (deleted)", 429: "429 (too many requests)"}


class Deadline:
    """The time that one call may take, counted by a clock that never goes back.

    `last_start` is the share of it after which no query is started any more: such a query would use a connection
    without a chance of being read to its end.
    """

    def __init__(self, seconds: float, clock: Callable[[], float], last_start: float = 0.6) -> None:
        self._clock = clock
        self._end = clock() + seconds
        self._last_start = self._end - seconds * (1 - last_start)

    def left(self) -> float:
        """Seconds that are left; 0 when it is over."""
        return max(0.0, self._end - self._clock())

    def left_to_start(self) -> float:
        """Seconds in which a query may still be started."""
        return max(0.0, self._last_start - self._clock())

    def may_start(self) -> bool:
        """Whether a query that starts now has a fair chance."""
        return self.left_to_start() > 0

    @property
    def over(self) -> bool:
        """Whether no time is left."""
        return self.left() == 0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one FHIR server may cost us. Numbers of our craft, none from medicine.

    `threads`: queries asked at the same time, for all calls of a process. Calls that wait for FHIR hold no more.
    `answer_bytes`: bytes read for one query, all its pages together, after decompression.
    `pages`: pages read for one query. `requests`: pages of all queries of one call together.
    `connect_seconds`: how long a server may take to accept a connection, TLS included.
    """

    threads: int = 12
    answer_bytes: int = 5_000_000
    pages: int = 20
    requests: int = 60
    connect_seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of one query: its raw resources, how it ended and, unless complete, why, in words for a clinician."""

    resources: tuple[bytes, ...]
    status: Status
    why: str


class FhirSession:
    """Asks FHIR servers for one process: a bounded pool of threads, each with connections of its own.

    Make it once, also before a fork: threads and connections come with the first query of each process.
    `ca_bundle` is a file with the certificates to trust; None means those that come with `requests`.
    """

    def __init__(self, limits: Limits, ca_bundle: str | None = None) -> None:
        self._limits = limits
        self._ca_bundle = ca_bundle
        self._pools: dict[int, ThreadPoolExecutor] = {}
        self._of_thread = local()
        _hush()

    def ask_all(self, access: FhirAccess, queries: Mapping[str, str], deadline: Deadline) -> dict[str, Answered]:
        """The answer to each query, by its key, at the deadline at the latest. Raises nothing.

        A query is what follows the base URL: `Type/id`, which answers with that resource, or a search.
        """
        further = Semaphore(max(0, self._limits.requests - len(queries)))
        askings = {
            key: _Asking(access, f"{access.server}/{query}", _expected(query), deadline, further)
            for key, query in queries.items()
        }
        self._run(tuple(askings.values()), deadline)
        return {key: asking.answered() for key, asking in askings.items()}

    def more_pages(self, access: FhirAccess, next_url: str, deadline: Deadline) -> Answered:
        """What lies behind the `next` link of a Bundle that was sent along. Raises nothing."""
        further = Semaphore(max(0, self._limits.requests - 1))
        asking = _Asking(access, _resolved(access, next_url), "Bundle", deadline, further)
        self._run((asking,), deadline)
        return asking.answered()

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
        try:
            self._read_pages(asking)
        except _Stopped as stopped:
            asking.troubles += (str(stopped),)
        except Exception as fault:  # noqa: BLE001 - a fault in one query must not cost the others
            # Only its type: its text may hold the address.
            _log.error("a FHIR query failed within this service: %s", type(fault).__name__)
            asking.troubles += (OUR_FAULT,)
        asking.finished = True

    def _read_pages(self, asking: _Asking) -> None:
        seen: set[str] = set()
        room = self._limits.answer_bytes
        url: str | None = asking.url
        while url is not None:
            self._check_page(url, seen, asking)
            seen.add(url)
            body = self._fetch(url, asking, room)
            room -= len(body)
            page = _unpacked(body, asking.expected)
            asking.resources += page.resources
            asking.troubles += page.problems
            url = _resolved(asking.access, page.next_page) if page.next_page else None

    def _check_page(self, url: str, seen: set[str], asking: _Asking) -> None:
        if url in seen:
            raise _Stopped(CIRCLE)
        if len(seen) >= self._limits.pages:
            raise _Stopped(f"the answer has more pages than we read ({self._limits.pages})")
        if seen and not asking.further.acquire(blocking=False):
            raise _Stopped(f"the answers have more pages than we read in one call ({self._limits.requests})")

    def _fetch(self, url: str, asking: _Asking, room: int) -> bytes:
        """The body of one answer. The token goes along here and nowhere else, so here the address is checked."""
        if not same_server(asking.access.server, url):
            raise _Stopped(ELSEWHERE)
        left = asking.deadline.left()
        if not left:
            raise _Stopped(LATE)
        timeout: Any = urllib3.Timeout(connect=min(left, self._limits.connect_seconds), total=left)
        session = self._session()
        try:
            with session.get(
                url, headers=_headers(asking.access), timeout=timeout, stream=True, allow_redirects=False
            ) as response:
                _check_status(response.status_code)
                return b"".join(self._chunks(response, room, asking.deadline))
        except (OSError, HTTPException, urllib3.exceptions.HTTPError) as fault:  # those of requests are OSErrors
            raise _Stopped(LATE if asking.deadline.over else _in_words(fault)) from None

    def _chunks(self, response: requests.Response, room: int, deadline: Deadline) -> Iterator[bytes]:
        for chunk in response.iter_content(_CHUNK):
            room -= len(chunk)
            if room < 0:
                raise _Stopped(f"the answer is larger than we read ({self._limits.answer_bytes / 1e6:g} MB)")
            if deadline.over:
                raise _Stopped(LATE)
            yield chunk

    def _session(self) -> _Session:
        """The connections of this thread."""
        if not hasattr(self._of_thread, "session"):
            self._of_thread.session = _Session(self._ca_bundle)
        session: _Session = self._of_thread.session
        return session


class _Stopped(Exception):
    """Why a query cannot be read further, in words for a clinician."""


@dataclass(slots=True, eq=False, repr=False)
class _Asking:
    """One query under way. Its thread writes, whoever waits may look at any time: each write is one assignment."""

    access: FhirAccess
    url: str
    expected: str
    deadline: Deadline
    further: Semaphore  # pages beyond the first that the queries of this call may still read
    resources: tuple[bytes, ...] = ()
    troubles: tuple[str, ...] = ()
    started: bool = False
    finished: bool = False

    def answered(self) -> Answered:
        """What is there by now."""
        late = () if self.finished else (LATE if self.started else NOT_STARTED,)
        troubles = tuple(dict.fromkeys(self.troubles + late))
        resources = self.resources
        if not troubles:
            return Answered(resources, Status.COMPLETE, "")
        return Answered(resources, Status.PARTIAL if resources else Status.FAILED, "; ".join(troubles[-_REASONS:]))


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


def _unpacked(body: bytes, expected: str) -> Unpacked:
    match resource_type(body):
        case None:
            raise _Stopped(NOT_FHIR)
        case kind if kind not in (expected, "OperationOutcome"):
            raise _Stopped(ANOTHER_KIND)
        case _:
            return unpack(body)


def _headers(access: FhirAccess) -> dict[str, str]:
    if access.token is None:
        return {}
    if not _TOKEN.fullmatch(access.token):
        raise _Stopped(UNSENDABLE)
    return {"Authorization": f"Bearer {access.token}"}


def _check_status(status: int) -> None:
    if status == 200:
        return
    if status in (401, 403):
        raise _Stopped(f"the FHIR server refused access ({status})")
    if 300 <= status < 400:
        raise _Stopped(f"the FHIR server sent us to another address ({status}), which we do not follow")
    raise _Stopped(f"the FHIR server answered {_WORDS_FOR_STATUS.get(status, status)}")


def _in_words(fault: Exception) -> str:
    """A failed request in words. The fault's own text holds the address, so it is never used."""
    match fault:
        case requests.exceptions.SSLError():
            return UNSAFE
        case requests.exceptions.ContentDecodingError():
            return NOT_FHIR
        case requests.exceptions.ChunkedEncodingError():
            return BROKE_OFF
        case requests.exceptions.ReadTimeout():
            return LATE
        case requests.exceptions.ConnectionError(args=(urllib3.exceptions.ProtocolError(), *_)):
            return BROKE_OFF
        case requests.exceptions.ConnectionError():
            return UNREACHABLE
        case _:
            return UNREADABLE


def _hush() -> None:
    """Let urllib3 say nothing: it logs addresses, which hold patient ids, at times as warnings."""
    logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)


class _Session(requests.Session):
    """Connections that carry nothing over: no environment, no .netrc, no cookies, no redirects, no retries."""

    def __init__(self, ca_bundle: str | None) -> None:
        super().__init__()
        self.trust_env = False
        self.max_redirects = 0
        self.verify = ca_bundle or True
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self.headers.clear()
        self.headers.update({"Accept": "application/fhir+json", "Accept-Encoding": "gzip", "User-Agent": "aml-cds"})
        adapter = _Adapter(pool_connections=2, pool_maxsize=1, max_retries=0)
        self.mount("http://", adapter)
        self.mount("https://", adapter)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None. Else requests reads a redirect's whole body, without any limit, even when told not to follow."""
        return None


class _TimedReader(io.RawIOBase):
    """Reads from a socket until a moment, however many small pieces come."""

    def __init__(self, sock: socket.socket, end: float) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._end = end

    def readable(self) -> bool:
        """Always: this is what io asks before it reads."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what is there, or wait for it until the moment."""
        left = self._end - monotonic()
        if left <= 0:
            raise TimeoutError("the whole answer took too long")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Let go of the socket, which stays open for the next request if it can."""
        self._raw.close()
        super().close()


@dataclass(frozen=True, slots=True)
class _TimedSocket:
    """As much of a socket as an HTTPResponse uses."""

    sock: socket.socket
    end: float

    def makefile(self, _mode: str) -> io.BufferedReader:
        """The reader of one answer."""
        return io.BufferedReader(_TimedReader(self.sock, self.end))


def _timed_response(sock: socket.socket, *, method: str | None, end: float) -> HTTPResponse:
    timed: Any = _TimedSocket(sock, end)
    return HTTPResponse(timed, method=method)


class _TimedConnection(HTTPConnection):
    """A connection whose read time-out counts for a whole answer, headers included, not anew for each byte."""

    def getresponse(self) -> urllib3.response.HTTPResponse:  # type: ignore[override]  # as urllib3 has it
        """The answer, to be read to its end within the read time-out that starts now."""
        self.response_class: Any = partial(_timed_response, end=monotonic() + float(self.timeout or 0))
        return super().getresponse()


class _TimedTlsConnection(_TimedConnection, HTTPSConnection):
    """The same, over TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _TimedConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TimedTlsConnection


class _Adapter(HTTPAdapter):
    """Where requests meets our connections."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """A pool manager that makes our connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
