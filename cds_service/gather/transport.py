"""Transport: connections to FHIR servers that carry nothing over and end when they should.

Whoever sends a request through `Session` says how long the whole answer may take; `requests` alone would count anew for
every byte.
"""

from __future__ import annotations

import io
import logging
import socket
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException, HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from time import monotonic
from typing import Any

import requests
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from cds_service.security.fhir_servers import is_forbidden
from cds_service.security.outbound import Outbound, Way

LATE = "the FHIR server did not answer in time"
UNREACHABLE = "the FHIR server could not be reached"
UNSAFE = "no secure connection to the FHIR server could be made (certificate or TLS)"
BROKE_OFF = "the FHIR server broke off its answer"
NO_PROXY = "the proxy on the way to the FHIR server could not be used"
UNREADABLE = "the FHIR server's answer could not be read"
NOT_FHIR = "the FHIR server sent something that is not FHIR"

# What a request may raise; those of requests are OSErrors.
FAULTS = (OSError, HTTPException, urllib3.exceptions.HTTPError)


def in_words(fault: Exception) -> str:
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
        case requests.exceptions.ProxyError():
            return NO_PROXY
        case requests.exceptions.ConnectionError(args=(urllib3.exceptions.ProtocolError(), *_)):
            return BROKE_OFF
        case requests.exceptions.ConnectionError():
            return UNREACHABLE
        case _:
            return UNREADABLE


def hush() -> None:
    """Let urllib3 say nothing: it logs addresses, which hold patient ids, at times as warnings."""
    logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)


class Session(requests.Session):
    """Connections that carry nothing over: no environment, no .netrc, no cookies, no redirects, no retries."""

    def __init__(self, way: Way) -> None:
        super().__init__()
        self.trust_env = False
        self.max_redirects = 0
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self.headers.clear()
        self.headers.update({"Accept": "application/fhir+json", "Accept-Encoding": "gzip", "User-Agent": "aml-cds"})
        adapter = _Adapter(way, pool_connections=2, pool_maxsize=1, max_retries=0)
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

    def _new_conn(self) -> socket.socket:
        """Connect; and go again without a word where a name that we may ask leads to no server of a hospital."""
        made = super()._new_conn()
        if made.family in (socket.AF_INET, socket.AF_INET6) and is_forbidden(made.getpeername()[0]):
            made.close()
            raise urllib3.exceptions.NewConnectionError(self, "the name leads where nobody may be asked")
        return made

    def _tunnel(self) -> None:
        """Through a proxy: its answer has to come in time as well."""
        self.response_class = partial(_timed_response, end=monotonic() + float(self.timeout or 0))
        super()._tunnel()

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


_POOLS = {"http": _Pool, "https": _TlsPool}


class _Adapter(Outbound):
    """Where requests meets our connections, straight or through a proxy."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """A pool manager that makes our connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """The same for a proxy."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager
