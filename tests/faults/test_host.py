"""What a host and a network do to the service as it is started: broken framings, an early stop, a clock, memory."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.calls import gilteritinib, qtcf, request
from tests.faults.bad_server import bad_server
from tests.faults.stopping import blind, once, sign, silent
from tests.faults.traffic import Call
from tests.fhir_server.running import ROOT, Running, started

pytestmark = pytest.mark.processes

# Framing

PATH = b"/cds-services/aml-order-sign"
HEAD = b"POST " + PATH + b" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
SECOND = b"GET /cds-services HTTP/1.1\r\nHost: localhost\r\n\r\n"  # what a smuggler hides in a body
BROKEN = {
    "two lengths": HEAD + b"Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}" + SECOND,
    "length and chunks": HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "chunks of another name": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SECOND,
    "chunked, then something": HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + SECOND,
    "chunked twice": HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SECOND,
    "a length below nothing": HEAD + b"Content-Length: -2\r\n\r\n{}" + SECOND,
    "a length with a sign": HEAD + b"Content-Length: +2\r\n\r\n{}" + SECOND,
    "a chunk of no size": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n" + SECOND,
    "a chunk below nothing": HEAD + b"Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n" + SECOND,
    "a chunk without its end": HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}XX0\r\n\r\n" + SECOND,
    "a blank before the colon": HEAD + b"Content-Length : 2\r\n\r\n{}" + SECOND,
    "a folded header": HEAD + b"X-Folded: one\r\n two\r\nContent-Length: 2\r\n\r\n{}" + SECOND,
    "a nought in a header": HEAD + b"X-Nought: a\x00b\r\nContent-Length: 2\r\n\r\n{}" + SECOND,
    "another protocol": b"POST " + PATH + b" HTTP/9.9\r\nHost: localhost\r\n\r\n" + SECOND,
    "no protocol": b"POST\r\n\r\n" + SECOND,
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
    "an address that is too long": HEAD.replace(b"sign", b"s" * 5000) + b"\r\n" + SECOND,
    "too many headers": HEAD + b"X-A: b\r\n" * 200 + b"\r\n" + SECOND,
    "a body that breaks off": HEAD + b"Content-Length: 4000\r\n\r\n{",
}


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with started(THREADS="8") as service:
        yield service


def answers_to(running: Running, sent: bytes) -> list[int]:
    """The status of every answer that comes until the other side closes."""
    return [int(each) for each in re.findall(rb"HTTP/1\.[01] (\d{3})", said_to(running, sent))]


def said_to(running: Running, sent: bytes) -> bytes:
    """Everything that comes until the other side closes."""
    port, got = int(running.url.rpartition(":")[2]), b""
    with socket.create_connection(("127.0.0.1", port), 15) as line, suppress(ConnectionResetError):
        line.sendall(sent)
        line.shutdown(socket.SHUT_WR)
        while piece := line.recv(65536):
            got += piece
    return got


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_framing_is_refused_or_closed_and_what_it_hides_is_not_answered(running, name):
    statuses = answers_to(running, BROKEN[name])
    assert len(statuses) <= 1 and not set(statuses) & {200, 500}, statuses
    assert all(400 <= each < 500 or each in (501, 505) for each in statuses)
    assert once(running, sign())[0] == 200


SPILT = {  # what of a body, or of a header, the server takes for the next request
    "no length": HEAD + b'\r\n{"name": "MARKEDqzjx"}\r\n\r\n',
    "too small a length": HEAD + b'Content-Length: 1\r\n\r\n{"name":"MARKEDqzjx"} x HTTP/1.1\r\n\r\n',
    "a chunk": HEAD.replace(PATH, b"/nowhere") + b"Transfer-Encoding: chunked\r\n\r\nMARKEDqzjx\r\n\r\n",
    "a name of a header": HEAD + b"MARKEDqzjx x: 1\r\n\r\n",
    "an expectation": HEAD + b"Expect: MARKEDqzjx\r\n\r\n",
    "a coding": HEAD + b"Transfer-Encoding: MARKEDqzjx\r\n\r\n",
    "a method": b"MARKEDqzjx@ / HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


@pytest.mark.parametrize("sent", [*BROKEN.values(), *SPILT.values()], ids=[*BROKEN, *SPILT])
def test_what_the_server_itself_refuses_is_json_with_our_headers_and_repeats_nothing(running, sent):
    said = said_to(running, sent)
    assert b"MARKEDqzjx" not in said and b"<html" not in said
    for answer in said.split(b"HTTP/1.1 ")[1:]:
        assert b"Content-Type: application/json\r\n" in answer and b"X-Content-Type-Options: nosniff\r\n" in answer
        assert b'"resourceType":"OperationOutcome"' in answer


def test_two_whole_requests_on_one_line_are_two_answers(running):
    assert answers_to(running, SECOND + SECOND) == [200, 200]


# A stop while it starts

LIMIT = 30.0  # seconds


@contextmanager
def starting(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The service as it is started, not waited for; and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {
        **os.environ, "PORT": str(port), "WORKERS": "2", "DRAIN_SECONDS": "0", "DATA": str(folder),
        "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    command = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py"]
    with (folder / "said").open("ab") as said, subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=said, start_new_session=True
    ) as process:
        try:
            yield process, f"http://127.0.0.1:{port}"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def ready(running: Running) -> bool:
    with suppress(OSError):
        return running.get("/readyz")[0] == 200
    return False


def group_is_gone(process: int) -> bool:
    try:
        os.killpg(process, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_stop_while_it_starts_ends_it_and_leaves_nothing_half_made(tmp_path):
    began = time.monotonic()
    with starting(tmp_path) as (process, url):
        while not ready(Running(url, process, tmp_path / "said")):
            assert process.poll() is None and time.monotonic() - began < 4 * LIMIT
            time.sleep(0.05)
        whole = time.monotonic() - began
    for share in (0.05, 0.3, 0.6, 0.8, 0.95):
        folder = tmp_path / str(share)
        folder.mkdir()
        with starting(folder) as (process, _):
            time.sleep(share * whole)
            process.send_signal(signal.SIGTERM)
            code = process.wait(LIMIT)
            until = time.monotonic() + 5
            while not group_is_gone(process.pid) and time.monotonic() < until:
                time.sleep(0.05)
            assert code in (0, -signal.SIGTERM) and group_is_gone(process.pid), (share, code)
            assert "Traceback" not in (folder / "said").read_text(encoding="utf-8")
    with starting(folder) as (process, url):  # what it left behind is no hindrance
        until = time.monotonic() + 4 * LIMIT
        while not ready(Running(url, process, folder / "said")):
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.05)


# A clock that steps

COMPILER = shutil.which("cc")
HOUR = 3600


@pytest.mark.skipif(COMPILER is None, reason="the clock is stepped by a small library, and there is no compiler")
def test_a_step_of_the_system_clock_ends_no_call_early_or_late_and_makes_no_value_fresh(tmp_path):
    assert COMPILER is not None
    library, step = tmp_path / "clock.so", tmp_path / "step"
    source = Path(__file__).with_name("clock.c")
    subprocess.run([COMPILER, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)

    def stepped(seconds: int) -> None:
        (tmp_path / "new").write_text(f"{seconds}\n", encoding="ascii")
        (tmp_path / "new").replace(step)

    def now(seconds: int) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))

    def cards(measured: str) -> list[dict[str, str]]:
        sent = request("order-sign", gilteritinib(status="draft"), ecg=[qtcf(512, measured)])
        status, body = once(service, Call.of(sent))
        assert status == 200
        return list(body["cards"])

    def critical(measured: str) -> list[str]:
        return [card["summary"] for card in cards(measured) if card["indicator"] == "critical"]

    def text_of(measured: str) -> str:
        return " ".join(card["summary"] + card["detail"] for card in cards(measured))

    stepped(0)
    env = {"LD_PRELOAD": str(library), "CLOCK_STEP": str(step), "GATHER_SECONDS": "1.0", "ANSWER_SECONDS": "3.0"}
    with started(**env) as service, silent() as fhir:
        workers = service.workers()
        assert critical(now(-120))
        for to in (HOUR, -HOUR):  # in the middle of a call that waits for a silent server
            timer = threading.Timer(0.4, stepped, (to,))
            began = time.monotonic()
            timer.start()
            status, body = once(service, blind(fhir))
            took = time.monotonic() - began
            timer.join()
            assert (status, bool(body.get("cards", body.get("issue")))) in ((200, True), (412, True))
            assert 0.8 < took < 3.5, took  # neither cut short by the step nor an hour long
            assert critical(now(-120)), "an hour either way hides no danger"
            stepped(0)
        stepped(-3 * 24 * HOUR)  # now the ECG of today lies days ahead
        told = text_of(now(-120))
        assert not critical(now(-120)) and "future" in told and not re.search(r"-\d+ days?", told), told
        stepped(0)
        assert critical(now(-120)) and service.get("/readyz")[0] == 200
        assert service.workers() == workers, "a worker was taken for dead"


# Memory

PEAK = re.compile(r"VmHWM:\s+(\d+) kB")
MOST = 200  # MiB more than before


def peak(process: int) -> float:
    found = PEAK.search(Path(f"/proc/{process}/status").read_text(encoding="ascii"))
    assert found is not None
    return int(found[1]) / 1024


def test_what_a_fhir_server_sends_too_much_of_costs_no_more_memory_than_allowed():
    with bad_server() as bad, started(THREADS="4") as service:
        (worker,) = service.workers()
        assert once(service, sign())[0] == 200
        before = peak(worker)
        grown = {}
        for mode in ("many", "huge", "bomb"):
            assert once(service, blind(bad.having(mode)))[0] in (200, 412)
            grown[mode] = round(peak(worker) - before)
        assert service.workers() == [worker] and max(grown.values()) <= MOST, grown
        print(grown)  # noqa: T201 - the figures, with -s
