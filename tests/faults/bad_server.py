"""A FHIR server that fails in every way that a socket can: `/MODE/fhir` has the mode in its address.

It counts what it was asked, and what was asked of `/elsewhere`, where nobody should ever follow it.
"""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HANG = 20.0  # seconds
HUGE = 60_000_000  # bytes
EMPTY = {"resourceType": "Bundle", "type": "searchset", "total": 0}
_OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
_BOMB = gzip.compress(b" " * 30_000_000, 1) * 10  # ten members: 300 MB once unpacked


class Handler(BaseHTTPRequestHandler):
    """One request, answered as its mode says."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer."""
        mode = self.path.split("/")[1]
        told: Told = self.server.told  # type: ignore[attr-defined]
        told.asked[mode] += 1
        with suppress(OSError):
            MODES.get(mode, _elsewhere)(self)

    do_POST = do_GET  # noqa: N815

    def raw(self, content: bytes, close: bool = True) -> None:
        """These very bytes."""
        self.wfile.write(content)
        self.wfile.flush()
        self.close_connection = close

    def told(self, body: Any, status: int = 200, **headers: str) -> None:
        """An ordinary answer with that body."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/fhir+json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _elsewhere(here: Handler) -> None:
    here.told(EMPTY)


def _status(status: int, **headers: str) -> Callable[[Handler], None]:
    return lambda here: here.told(_OUTCOME, status, **headers)


def _body(body: Any, **headers: str) -> Callable[[Handler], None]:
    return lambda here: here.told(body, **headers)


def _hang(here: Handler) -> None:
    time.sleep(HANG)
    here.close_connection = True


def _drip(here: Handler) -> None:
    here.raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: 5000\r\n\r\n")
    for _ in range(60):
        time.sleep(0.3)
        here.raw(b" ")


def _half(here: Handler) -> None:
    here.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + json.dumps(EMPTY).encode())


def _huge(here: Handler) -> None:
    here.raw(f"HTTP/1.1 200 OK\r\nContent-Length: {HUGE}\r\n\r\n".encode())
    for _ in range(HUGE // 100_000):
        here.raw(b" " * 100_000)


def _next(link: Callable[[Handler], str]) -> Callable[[Handler], None]:
    def answer(here: Handler) -> None:
        here.told(EMPTY | {"total": 3, "link": [{"relation": "next", "url": link(here)}]})

    return answer


def _base(here: Handler) -> str:
    return f"http://{here.headers['Host']}"


def _flap(here: Handler) -> None:
    told: Told = here.server.told  # type: ignore[attr-defined]
    (_status(500) if told.asked["flap"] % 2 else _body(EMPTY))(here)


MANY = EMPTY | {"entry": [{"resource": {"resourceType": "Observation", "id": f"o{n}"}} for n in range(10_000)]}

# Each gives no data that could be used.
MODES: dict[str, Callable[[Handler], None]] = {
    "hang": _hang,
    "drip": _drip,
    "reset": lambda here: setattr(here, "close_connection", True),
    "half": _half,
    "empty": _body(b""),
    "cut": _body(json.dumps(EMPTY | {"entry": []}).encode()[:-9]),
    "html": _body(b"<html>Sign in</html>", Content_Type="text/html"),
    "garbage": _body(bytes(range(256)) * 8),
    "nan": _body(b'{"resourceType": "Bundle", "total": NaN}'),
    "deep": _body(b'{"resourceType": "Bundle", "entry": ' + b"[" * 20_000 + b"]" * 20_000 + b"}"),
    "wrongtype": _body({"resourceType": "Practitioner", "id": "x"}),
    "scalar": _body(b'"Bundle"'),
    "outcome": _body(_OUTCOME),
    "outcomeentry": _body(EMPTY | {"entry": [{"resource": _OUTCOME}]}),
    "nullentry": _body(EMPTY | {"total": 2, "entry": [None, {"resource": None}]}),
    "redirect": lambda here: here.told(b"", 302, Location=f"{_base(here)}/elsewhere/fhir"),
    "redirectloop": lambda here: here.told(b"", 302, Location=here.path),
    "loop": _next(lambda here: here.path),
    "endless": _next(lambda here: f"{_base(here)}/endless/fhir/x?page={time.monotonic_ns()}"),
    "foreignnext": _next(lambda here: f"{_base(here)}/elsewhere/fhir?page=2"),
    "huge": _huge,
    "many": _body(MANY),
    "bomb": _body(_BOMB, Content_Encoding="gzip"),
    "flap": _flap,
    **{str(status): _status(status) for status in (401, 403, 404, 410, 500, 503)},
    "429": _status(429, Retry_After="3600"),
}


class Server(ThreadingHTTPServer):
    """Says nothing of callers who hang up, as those do who have waited long enough."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing."""


@dataclass
class Told:
    """What was asked, by mode."""

    asked: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Bad:
    """The running server."""

    url: str
    told: Told

    def having(self, mode: str) -> str:
        """The base URL with that mode."""
        return f"{self.url}/{mode}/fhir"


@contextmanager
def bad_server() -> Iterator[Bad]:
    """The server, in threads of this process."""
    server = Server(("127.0.0.1", 0), Handler)
    server.told = Told()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Bad(f"http://127.0.0.1:{server.server_port}", server.told)  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
