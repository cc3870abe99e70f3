"""Callers: so many clients that call one server at the same time over kept connections, and what each call took.

Messages are finished bytes before the clock starts, and a caller does nothing but send, read and look at the clock, so
that little of the machine's time is its own; what it is, is told too. A connection serves twenty calls: the processes
of a server share connections by chance, and with few of them for long that chance would be all one measured.
"""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

CALLS_OF_A_CONNECTION = 20
PATIENCE = 60.0  # seconds for one answer
_OK = b"200"


@dataclass(slots=True)
class Volley:
    """What came of it: seconds of each call, how many were not answered 200, and the time of all together."""

    took: list[float] = field(default_factory=list)
    failed: int = 0
    seconds: float = 0.0
    own_cpu: float = 0.0  # seconds of CPU that the callers themselves took

    @property
    def calls(self) -> int:
        """How many were answered."""
        return len(self.took)


def message(port: int, path: str, body: bytes, authorization: str = "") -> bytes:
    """A call as it goes over the wire."""
    also = f"Authorization: {authorization}\r\n" if authorization else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n{also}"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def volley(port: int, messages: Iterable[bytes], callers: int, seconds: float) -> Volley:
    """Every message sent once, by so many callers at once, or as many as the seconds allow."""
    found = Volley()
    waiting = iter(messages)
    take = threading.Lock()
    ready = threading.Barrier(callers + 1)
    until = [0.0]

    def work() -> None:
        took: list[float] = []
        failed = 0
        each: bytes | None = None
        ready.wait()
        for connection in _connections(port):
            for _ in range(CALLS_OF_A_CONNECTION):
                with take:
                    each = next(waiting, None) if time.perf_counter() < until[0] else None
                if each is None:
                    break
                began = time.perf_counter()
                status = _called(connection, each)
                took.append(time.perf_counter() - began)
                failed += status != _OK
                if not status:
                    break  # the server hung up: the next call has another connection
            connection.close()
            if each is None:
                break
        with take:
            found.took += took
            found.failed += failed

    threads = [threading.Thread(target=work) for _ in range(callers)]
    for thread in threads:
        thread.start()
    own, began = time.process_time(), time.perf_counter()
    until[0] = began + seconds
    ready.wait()
    for thread in threads:
        thread.join()
    found.seconds, found.own_cpu = time.perf_counter() - began, time.process_time() - own
    return found


def call(port: int, sent: bytes) -> bytes:
    """The status of a single call."""
    with next(_connections(port)) as connection:
        return _called(connection, sent)


def _connections(port: int) -> Iterator[socket.socket]:
    for _ in itertools.count():
        connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield connection


def _called(connection: socket.socket, sent: bytes) -> bytes:
    """The status; the whole answer has been read. b"" when the server hung up or did not answer."""
    try:
        connection.sendall(sent)
        return _status(connection)
    except OSError:
        return b""


def _status(connection: socket.socket) -> bytes:
    head, found, body = b"", b"", b""
    while not found:
        came = connection.recv(65536)
        if not came:
            return b""
        head, found, body = (head + came).partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    missing = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0) - len(body)
    while missing > 0:
        came = connection.recv(65536)
        if not came:
            return b""
        missing -= len(came)
    return lines[0].split(b" ")[1]
