"""Watching the service as it runs: several processes, one page; and a log that nobody reads."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from cds_service.console.samples import find
from tests.fhir_server.running import PATIENCE, ROOT

pytestmark = pytest.mark.processes

SIGN = find("gilteritinib-qtc-512").sample("sign")


@contextmanager
def served(stdout: Any, stderr: Any, **settings: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {**os.environ, "PORT": str(port), "WORKERS": "2", "PYTHONPATH": str(ROOT), **settings}
    command = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py"]
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=stdout, stderr=stderr) as process:
        try:
            until = time.monotonic() + PATIENCE
            while not _listens(port):
                assert process.poll() is None and time.monotonic() < until, "the service did not start"
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.terminate()
            process.wait(20)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def call(url: str) -> int:
    with requests.Session() as session:
        session.trust_env = False
        json = {"Content-Type": "application/json"}
        return session.post(f"{url}/cds-services/{SIGN.service}", data=SIGN.body, headers=json, timeout=10).status_code


def comes_to(url: str, calls: int) -> bool:
    """Whether whoever answers tells so many calls: each is counted once its answer is out, so a moment later."""
    until = time.monotonic() + 3
    while counted(url) != calls and time.monotonic() < until:
        time.sleep(0.05)
    return all(counted(url) == calls for _ in range(6))


def counted(url: str) -> float:
    with requests.Session() as session:
        session.trust_env = False
        page = session.get(f"{url}/metrics", timeout=10).text
    return sum(map(float, re.findall(r"^aml_cds_calls_total\{.*\} (\S+)$", page, re.MULTILINE)))


def workers(process: subprocess.Popen[bytes]) -> list[int]:
    with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii") as children:  # noqa: PTH123
        return [int(each) for each in children.read().split()]


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks for the workers where Linux lists them")  # noqa: PTH112
def test_each_process_tells_the_calls_of_all_of_them_also_of_one_that_was_killed():
    with served(subprocess.DEVNULL, subprocess.DEVNULL) as (url, process):
        with ThreadPoolExecutor(8) as many:
            assert set(many.map(call, [url] * 40)) == {200}
        assert comes_to(url, 40)
        killed = workers(process)[0]
        os.kill(killed, signal.SIGKILL)
        until = time.monotonic() + 10
        while (killed in workers(process) or len(workers(process)) < 2) and time.monotonic() < until:
            time.sleep(0.1)
        assert {call(url) for _ in range(10)} == {200}
        assert comes_to(url, 50)
        server = requests.get(f"{url}/healthz", timeout=10).headers["Server"]
    assert not re.search(r"\d", server)


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_log_that_nobody_reads_delays_no_answer(form):
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    try:
        with served(writing, writing, LOG_FORMAT=form) as (url, _):
            since = time.monotonic()
            assert {call(url) for _ in range(60)} == {200}  # some 20 kB of lines
            assert time.monotonic() - since < 20
            assert comes_to(url, 60)
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_log_whose_reader_is_gone_breaks_nothing(form):
    reading, writing = os.pipe()
    os.close(reading)
    with served(writing, writing, LOG_FORMAT=form) as (url, _):
        assert {call(url) for _ in range(10)} == {200}
    os.close(writing)
