"""The service as it is started: a stop cuts no call, a killed worker is replaced, its host may be short of much."""

from __future__ import annotations

import os
import resource
import signal
import socket
import time

import pytest

from tests.faults.stopping import LIMIT, once, one_worker_killed, sign, told_to_stop
from tests.fhir_server.running import started

pytestmark = pytest.mark.processes


def test_a_stop_is_said_first_cuts_no_call_and_ends_well():
    with started(WORKERS="2", DRAIN_SECONDS="2") as running:
        stop = told_to_stop(running, drain=2, callers=4)
    assert stop.cut == [] and stop.calls > 3
    assert stop.slow.wrong == [] and len(stop.slow.took) == 3
    assert (stop.code, stop.seconds < LIMIT) == (0, True)
    assert stop.red > 1.5


def test_a_second_sigterm_stops_at_once():
    with started(DRAIN_SECONDS="50") as running:
        running.master.send_signal(signal.SIGTERM)
        until = time.monotonic() + 10
        while running.get("/readyz")[0] != 503 and time.monotonic() < until:
            time.sleep(0.05)
        assert running.get("/readyz")[1]["parts"]["stopping"]["light"] == "red"
        running.master.send_signal(signal.SIGTERM)
        assert running.master.wait(LIMIT) == 0


def test_a_killed_worker_is_replaced_and_the_others_go_on():
    with started(WORKERS="2") as running:
        kill = one_worker_killed(running, callers=3)
        assert kill.after == [] and kill.failed <= 3 and kill.calls > kill.failed
        assert kill.respawned < 10 and running.master.poll() is None


def few_files() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (50, 50))


def test_with_fifty_open_files_callers_wait_and_nobody_falls_over():
    with started(few_files, THREADS="8") as running:
        workers = running.workers()
        port = int(running.url.rpartition(":")[2])
        idle = [socket.create_connection(("127.0.0.1", port), 5) for _ in range(70)]
        time.sleep(1)
        for each in idle:
            each.close()
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                status, body = once(running, sign())
                break
            except OSError:
                time.sleep(0.2)
        assert status == 200 and body["cards"]
        assert running.workers() == workers, running.said.read_text(encoding="utf-8")


def test_without_home_and_place_for_temporary_files_it_serves():
    with started(HOME="", TMPDIR="/nowhere") as running:
        assert once(running, sign())[0] == 200


@pytest.mark.parametrize("reader", ["gone", "asleep"])
def test_nobody_reads_what_it_says_and_it_serves(reader):
    read, write = os.pipe()
    if reader == "gone":
        os.close(read)
    else:
        os.set_blocking(write, False)
        while True:  # the pipe is full
            try:
                os.write(write, b"x" * 4096)
            except BlockingIOError:
                break
        os.set_blocking(write, True)
    try:
        with started(stdout=write) as running:
            assert once(running, sign())[0] == 200
    finally:
        os.close(write)
        if reader == "asleep":
            os.close(read)
