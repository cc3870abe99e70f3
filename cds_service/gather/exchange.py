"""Exchange: one request to a FHIR server and its answer, in time and within bounds; a busy server is asked once more.

The token goes along here and nowhere else, so here the address is checked.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime
from threading import local
from typing import Any

import requests
import urllib3

from cds_service.gather.clocks import Clocks
from cds_service.gather.conditional import UNCHANGED, Conditional
from cds_service.gather.limits import Deadline, Limits
from cds_service.gather.transport import FAULTS, LATE, Session, hush, in_words
from cds_service.gather.versions import is_read, refusal
from cds_service.hooks.request import FhirAccess
from cds_service.security.fhir_servers import same_server
from cds_service.security.outbound import Way

_log = logging.getLogger(__name__)

ELSEWHERE = "a page of the answer lies outside of the FHIR server's own address, so it was not read"
UNSENDABLE = "the access token that came with the call cannot be sent"

_CHUNK = 65_536  # bytes decoded at a time: how far a compressed answer can go past its limit
_TO_ANSWER = 0.1  # seconds that must be left after a wait that the server asked for
_TOKEN = re.compile(r"[\x21-\x7e]+")
_VERSION = re.compile(r"fhirVersion=\"?(\d+\.\d+)")
_WORDS_FOR_STATUS = {404: "404 (not found)", 410: "410 (deleted)", 429: "429 (too many requests)"}
_TOO_MANY = 429
_UNAUTHORIZED = 401
_SAID_EACH = 60.0  # seconds between two lines of the log that say the same
_COME_AGAIN = (_TOO_MANY, 503)
_SENT_ON = frozenset({300, 301, 302, 303, 305, 307, 308})
Form = Sequence[tuple[str, str]]


class Stopped(Exception):
    """Why a query cannot be read further, in words for a clinician.

    `well`: whether the server did answer; None when it was not asked.
    """

    def __init__(self, words: str, well: bool | None = True) -> None:
        super().__init__(words)
        self.well = well


class Rejected(Stopped):
    """The server answered with another status than 200. `wait`: the seconds after which it wants to be asked again."""

    def __init__(self, words: str, status: int, wait: float | None = None) -> None:
        super().__init__(words, well=status < 500 and status != _TOO_MANY)
        self.status = status
        self.wait = wait


class Exchange:
    """Sends requests for one process, each thread through connections of its own."""

    def __init__(self, limits: Limits, way: Way, clocks: Clocks | None = None) -> None:
        self._limits = limits
        self._clocks = clocks or Clocks()
        self._way = way
        self._conditional = Conditional(limits.keep_seconds)
        self._of_thread = local()
        self._said_at = -_SAID_EACH
        hush()

    def fetch(self, access: FhirAccess, url: str, deadline: Deadline, room: int, form: Form | None = None) -> bytes:
        """The body of the answer: to a GET, or with a `form` to a search by POST. Raises Stopped."""
        try:
            return self._once(access, url, deadline, room, form)
        except Rejected as rejected:
            self._say(access, rejected.status)
            if rejected.wait is None or rejected.wait + _TO_ANSWER > deadline.left():
                raise
            time.sleep(rejected.wait)
            return self._once(access, url, deadline, room, form)

    def _say(self, access: FhirAccess, status: int) -> None:
        """Log now and then that a server does not take the token of a call: nothing can be asked then."""
        now = time.monotonic()
        if status == _UNAUTHORIZED and now - self._said_at >= _SAID_EACH:
            self._said_at = now
            what = "the token of a call" if access.token else "a call that brought no token"
            _log.warning("token_refused: a FHIR server answered 401 to %s", what)

    def _once(self, access: FhirAccess, url: str, deadline: Deadline, room: int, form: Form | None) -> bytes:
        if not same_server(access.server, url):
            raise Stopped(ELSEWHERE, well=None)
        left = deadline.left()
        if not left:
            raise Stopped(LATE, well=None)
        timeout: Any = urllib3.Timeout(connect=min(left, self._limits.connect_seconds), total=left)
        method, data = ("GET", None) if form is None else ("POST", list(form))
        headers = _headers(access)
        known = self._conditional.known(access, url) if form is None else None
        if known:
            headers["If-None-Match"] = known.etag
        try:
            with self._session().request(
                method, url, data=data, headers=headers, timeout=timeout, stream=True, allow_redirects=False
            ) as response:
                self._clocks.saw(access.server, response.headers.get("Date", ""))
                if known and response.status_code == UNCHANGED:
                    return self._within(room, known.body)
                _check_status(response)
                _check_version(response.headers.get("Content-Type", ""))
                body = b"".join(self._chunks(response, room, deadline))
                if form is None:
                    self._conditional.keep(access, url, response.headers, body)
                return body
        except FAULTS as fault:
            raise Stopped(LATE if deadline.over else in_words(fault), well=False) from None

    def _chunks(self, response: requests.Response, room: int, deadline: Deadline) -> Iterator[bytes]:
        for chunk in response.iter_content(_CHUNK):
            yield self._within(room, chunk)
            room -= len(chunk)
            if deadline.over:
                raise Stopped(LATE, well=False)

    def _within(self, room: int, read: bytes) -> bytes:
        if len(read) > room:
            raise Stopped(f"the answer is larger than we read ({self._limits.answer_bytes / 1e6:g} MB)")
        return read

    def _session(self) -> Session:
        """The connections of this thread."""
        if not hasattr(self._of_thread, "session"):
            self._of_thread.session = Session(self._way)
        session: Session = self._of_thread.session
        return session


def _headers(access: FhirAccess) -> dict[str, str]:
    if access.token is None:
        return {}
    if not _TOKEN.fullmatch(access.token):
        raise Stopped(UNSENDABLE, well=None)
    return {"Authorization": f"Bearer {access.token}"}


def _check_status(response: requests.Response) -> None:
    status = response.status_code
    if status == 200:
        return
    if status in (401, 403):
        raise Rejected(f"the FHIR server refused access ({status})", status)
    if status in _SENT_ON:
        raise Rejected(f"the FHIR server sent us to another address ({status}), which we do not follow", status)
    wait = _seconds(response.headers.get("Retry-After", "")) if status in _COME_AGAIN else None
    raise Rejected(f"the FHIR server answered {_WORDS_FOR_STATUS.get(status, status)}", status, wait)


def _seconds(retry_after: str) -> float | None:
    """The wait that a Retry-After asks for, in seconds or until a time; None when it cannot be read."""
    if retry_after.isdecimal() and len(retry_after) < 10:
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return None


def _check_version(media_type: str) -> None:
    """A server that says in its answer that it speaks another FHIR is not read."""
    said = _VERSION.search(media_type)
    if said and not is_read(said[1]):
        raise Stopped(refusal(said[1]))
