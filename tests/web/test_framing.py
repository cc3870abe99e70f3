"""Broken framing of HTTP at the server as it is started: refused or closed, never answered, and others are served."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.calls import gilteritinib, qtcf, request
from tests.faults.stopping import once, sign
from tests.fhir_server.running import PATIENCE, ROOT, Running, started

pytestmark = pytest.mark.processes

PATH = "/cds-services/aml-order-sign"
BODY = json.dumps(request("order-sign", gilteritinib(status="draft"), ecg=[qtcf(512)])).encode()
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n".encode()
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
BROKEN = {
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40),
    "a length that is no number": HEAD + b"Content-Length: 12x\r\n\r\n" + BODY,
    "a length below zero": HEAD + b"Content-Length: -1\r\n\r\n" + BODY,
    "two lengths that differ": HEAD + LENGTH + b"Content-Length: 3\r\n\r\n" + BODY,
    "a length and chunks": HEAD + LENGTH + CHUNKED + b"\r\n" + BODY,
    "a chunk without size": HEAD + CHUNKED + b"\r\nzz\r\n" + BODY,
    "a chunk that is longer than it says": HEAD + CHUNKED + b"\r\n3\r\n" + BODY + b"\r\n0\r\n\r\n",
    "an encoding that nobody knows": HEAD + b"Transfer-Encoding: rot13\r\n\r\n" + BODY,
    "a header with a blank in its name": HEAD + b"Content Length: 3\r\n\r\n" + BODY,
    "a header on two lines": HEAD + b"X-A: b\r\n c\r\n" + LENGTH + b"\r\n" + BODY,
    "a version that is none": HEAD.replace(b"HTTP/1.1", b"HTTP/9.9") + LENGTH + b"\r\n" + BODY,
    "an address that is too long": HEAD.replace(b"sign", b"s" * 5000) + LENGTH + b"\r\n" + BODY,
    "too many headers": HEAD + b"X-A: b\r\n" * 200 + LENGTH + b"\r\n" + BODY,
    "a body that breaks off": HEAD + b"Content-Length: %d\r\n\r\n" % (len(BODY) + 9) + BODY,
}


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with started(THREADS="4") as service:
        yield service


@pytest.mark.parametrize("how", BROKEN)
def test_what_is_no_good_http_is_refused_or_closed_and_the_next_caller_is_served(running: Running, how: str):
    with socket.create_connection(("127.0.0.1", int(running.url.rpartition(":")[2])), 10) as line:
        line.sendall(BROKEN[how])
        line.shutdown(socket.SHUT_WR)
        line.settimeout(10)
        said = b""
        try:
            while more := line.recv(65536):
                said += more
        except ConnectionResetError:
            pass
    assert not said or said.split(b" ")[1] in (b"400", b"414", b"431", b"501", b"505"), said[:200]
    assert b'"cards"' not in said and b"Traceback" not in said
    assert once(running, sign())[0] == 200


@pytest.mark.parametrize("seconds", [0.05, 0.3, 0.8, 1.5])
def test_a_stop_during_the_start_ends_it(seconds: float, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {"PATH": "", "PYTHONPATH": str(ROOT), "PORT": str(port), "DATA": str(tmp_path), "DRAIN_SECONDS": "0"}
    command = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py"]
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=-3, stderr=-3) as process:
        time.sleep(seconds)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) in (0, -signal.SIGTERM)
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), 1).close()
