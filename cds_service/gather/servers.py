"""Servers: what we know of each FHIR server, from what it says of itself and from what it refused.

A CapabilityStatement is read in a thread of its own and never waited for: the call that first meets a server asks it
without, later ones know. What it leaves out is asked for all the same, as many statements are incomplete and a filter
that is ignored only brings more; what a server refused is not asked again until its time is over.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock, Thread
from time import monotonic

import msgspec

from cds_service.decoding import decode
from cds_service.gather.searches import INCLUDES, LONGEST, counting, including, kind_of, name_of, pieces, without
from cds_service.gather.versions import is_read, refusal

_log = logging.getLogger(__name__)

_REMEMBERED = 900.0  # seconds for which a refusal is believed
_AGAIN = 60.0  # seconds until a statement that could not be read is asked for again
_SERVERS = 64  # servers remembered


class _SearchParam(msgspec.Struct):
    name: str = ""


class _Resource(msgspec.Struct):
    type: str = ""
    searchParam: list[_SearchParam] | None = None  # noqa: N815 - FHIR's name
    searchInclude: list[str] | None = None  # noqa: N815
    updateCreate: bool | None = None  # noqa: N815


class _Rest(msgspec.Struct):
    resource: list[_Resource] | None = None


class _Software(msgspec.Struct):
    name: str = ""
    version: str = ""


class _Statement(msgspec.Struct):
    fhirVersion: str = ""  # noqa: N815
    software: _Software | None = None
    rest: list[_Rest] | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """What a server says of itself: its FHIR version, its product, and by type what can be searched and included."""

    version: str
    software: str = ""
    parameters: Mapping[str, frozenset[str]] = field(default_factory=dict)
    includes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    gives_ids: bool = False  # it says that no client may choose the id of a new Patient

    @classmethod
    def read(cls, body: bytes) -> Statement | None:
        """The CapabilityStatement in `body`; None when there is none."""
        try:
            read = decode(body, _Statement)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            return None
        if not read.fhirVersion:
            return None
        rests = read.rest or []
        resources = {each.type: each for rest in rests for each in rest.resource or ()}
        software = read.software or _Software()
        return cls(
            read.fhirVersion,
            f"{software.name} {software.version}".strip(),
            {name: frozenset(each.name for each in one.searchParam or ()) for name, one in resources.items()},
            {name: frozenset(one.searchInclude or ()) for name, one in resources.items()},
            resources.get("Patient", _Resource()).updateCreate is False,
        )


@dataclass(slots=True)
class Server:
    """What is known of one server by now. Threads write single values; a late one costs one request more."""

    statement: Statement | None = None
    longest: int = LONGEST
    takes_post: bool = True
    asked_at: float | None = None
    _refused: dict[tuple[str, str], float] = field(default_factory=dict)
    _forgets_at: float = field(default_factory=lambda: monotonic() + _REMEMBERED)

    @property
    def refusal(self) -> str | None:
        """Why it cannot be asked at all, in words."""
        return refusal(self.statement.version) if self.statement and not is_read(self.statement.version) else None

    def worded(self, query: str) -> str:
        """The query as this server takes it, by what is known."""
        self._forget()
        kind = kind_of(query)
        if self.statement and INCLUDES.get(kind) in self.statement.includes.get(kind, ()):
            query = including(query)
        query = counting(query)
        return without(query, [piece for piece in pieces(query) if (kind, piece) in self._refused])

    def refuses(self, kind: str, piece: str) -> None:
        """Note that searches for `kind` are not taken with this parameter as it stands there: its value may be why."""
        if (kind, piece) not in self._refused:
            _log.warning("a FHIR server does not take %s in searches for %s: it is asked without", name_of(piece), kind)
        self._refused[kind, piece] = monotonic() + _REMEMBERED

    def refuses_post(self) -> None:
        """Note that it is not searched by POST."""
        if self.takes_post:
            _log.warning("a FHIR server refused a search by POST: long ones are asked in parts")
        self.takes_post = False

    def _forget(self) -> None:
        now = monotonic()
        if now > self._forgets_at:
            self.longest, self.takes_post, self._forgets_at = LONGEST, True, now + _REMEMBERED
        self._refused = {key: until for key, until in self._refused.items() if until > now}


class Servers:
    """What one process knows of the servers that it asks. A statement is believed for `seconds`; 0: none is read."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = Lock()
        self._known: dict[str, Server] = {}

    def at(self, base: str, fetch: Callable[[], bytes]) -> Server:
        """The server at `base`. Where its statement is not known or old, `fetch` reads it aside."""
        with self._lock:
            if base not in self._known and len(self._known) >= _SERVERS:
                self._known.pop(next(iter(self._known)))
            server = self._known.setdefault(base, Server())
            due = self._seconds and (server.asked_at is None or monotonic() - server.asked_at > self._age(server))
            if due:
                server.asked_at = monotonic()
        if due:
            try:
                Thread(target=_learn, args=(server, fetch), name="fhir-statement", daemon=True).start()
            except RuntimeError:  # the process is ending, or its host is at a limit
                _log.warning("a FHIR server's CapabilityStatement was not asked for: there is no thread for it")
        return server

    def _age(self, server: Server) -> float:
        return self._seconds if server.statement else min(_AGAIN, self._seconds)


def _learn(server: Server, fetch: Callable[[], bytes]) -> None:
    try:
        statement = Statement.read(fetch())
    except Exception as fault:  # noqa: BLE001 - nobody waits for it, and without it the server is asked as before
        _log.info("a FHIR server's CapabilityStatement could not be read (%s)", type(fault).__name__)
        return
    server.statement = statement or server.statement
    if server.refusal:
        _log.warning("%s", server.refusal)
