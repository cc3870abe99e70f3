"""Kills: is feedback that was acknowledged ever lost?

A real server, six writers that post feedback all the time, and SIGKILL to everything again and again: to all server
processes, and every fourth time to PostgreSQL too. At the end every acknowledged feedback has to be in the store.

    python -m benchmarks.kills                     8 kills on each store that is there (the build server does this)
    python -m benchmarks.kills --kills 200 --store sqlite
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sqlalchemy import select

from cds_service.store.keys import new_key
from cds_service.store.place import Place
from cds_service.store.tables import FEEDBACK
from tests.postgres import Postgres, programs

ROOT = Path(__file__).parents[1]
WRITERS = 6
PATH = "/cds-services/aml-order-sign/feedback"
START_SECONDS = 60.0


@dataclass
class Told:
    """What a run came to."""

    store: str
    kills: int = 0
    acknowledged: set[str] = field(default_factory=set)
    refused: int = 0
    kept: int = 0
    lost: int = 0
    starts: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def words(self) -> str:
        """The result in a line."""
        slowest = max(self.starts, default=0.0)
        return (
            f"{self.store}: {self.kills} kills in {self.seconds:.0f} s, {len(self.acknowledged)} feedback "
            f"acknowledged, {self.refused} refused, {self.kept} kept, {self.lost} lost; slowest start {slowest:.2f} s"
        )


class Server:
    """The service as it is run in earnest, on a port of its own."""

    def __init__(self, env: dict[str, str], log: Path) -> None:
        self.port = _free_port()
        self._log = log
        self._env = {
            **{name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")},
            "PYTHONPATH": str(ROOT), "PORT": str(self.port), "LOG_LEVEL": "ERROR", "FEEDBACK_PER_DAY": "1000000", **env,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start it; the seconds until it answers."""
        started = time.monotonic()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py"],
                cwd=ROOT, env=self._env, start_new_session=True, stdout=log, stderr=log,
            )
        while time.monotonic() - started < START_SECONDS:
            if self._process.poll() is not None:
                raise RuntimeError(f"the server does not start: {self.said}")
            with suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/healthz")
                if connection.getresponse().status == 200:
                    return time.monotonic() - started
            time.sleep(0.02)
        raise RuntimeError(f"the server does not answer: {self.said}")

    @property
    def said(self) -> str:
        """How it does, and the last that it said since it was started."""
        state = "not started" if self._process is None else "runs" if self._process.poll() is None else "ended"
        return f"{state}; {self._log.read_text(encoding='utf-8', errors='replace')[-2000:]}"

    def kill(self) -> None:
        """SIGKILL to all of its processes at once."""
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM; how it ended."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(30)


class Writer(threading.Thread):
    """Posts feedback about cards of its own, and remembers what was acknowledged."""

    def __init__(self, port: int, told: Told, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self._port, self._told, self._stop_now = port, told, stop

    def run(self) -> None:
        """Until told to stop."""
        connection: http.client.HTTPConnection | None = None
        while not self._stop_now.is_set():
            card = str(uuid.uuid4())
            body = json.dumps({"feedback": [{"card": card, "outcome": "accepted"}]})
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
                connection.request("POST", PATH, body, {"Content-Type": "application/json"})
                reply = connection.getresponse()
                reply.read()
            except (OSError, http.client.HTTPException):
                connection = None
                time.sleep(0.02)
                continue
            if reply.status == 200:
                self._told.acknowledged.add(card)
            else:
                self._told.refused += 1
                time.sleep(0.02)


def run(kills: int, kind: str, folder: Path) -> Told:
    """Kill so often on this kind of store; what came of it."""
    told = Told(kind)
    key = folder / "keys"
    key.write_text(f"{new_key()}\n", encoding="ascii")
    database = Postgres.start(durable=True) if kind == "postgresql" else None
    env = {"DATA": str(folder / "data"), "KEEP_KEY_FILE": str(key), "STORE": database.url() if database else ""}
    server, stop, started = Server(env, folder / "log"), threading.Event(), time.monotonic()
    told.starts.append(server.start())
    more = partial(_wait_for_more, told, server)
    writers = [Writer(server.port, told, stop) for _ in range(WRITERS)]
    try:
        for writer in writers:
            writer.start()
        for number in range(1, kills + 1):
            more(WRITERS)
            time.sleep(random.uniform(0.02, 0.4))  # noqa: S311 - a moment of no meaning
            if database is not None and number % 4 == 0:
                _kill_database(database)
            server.kill()
            told.kills = number
            if database is not None and number % 4 == 0:
                _again(database)
            told.starts.append(server.start())
        more(WRITERS)
        stop.set()
        for writer in writers:
            writer.join(10)
        server.kill()
        kept = _kept(Place.of(env["STORE"], folder / "data", None))
    finally:
        stop.set()
        server.kill()
        if database is not None:
            database.remove()
    told.kept, told.lost = len(kept), len(told.acknowledged - kept)
    told.seconds = time.monotonic() - started
    return told


def _wait_for_more(told: Told, server: Server, more: int) -> None:
    """Wait until the server that was just started has acknowledged some."""
    had, refused, until = len(told.acknowledged), told.refused, time.monotonic() + 30
    while len(told.acknowledged) < had + more:
        if time.monotonic() > until:
            new = f"{len(told.acknowledged) - had} feedback acknowledged and {told.refused - refused} refused"
            raise RuntimeError(f"{new} in half a minute, after {told.kills} kills; the server: {server.said}")
        time.sleep(0.01)


def _kill_database(database: Postgres) -> None:
    for pid in database.pids():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _again(database: Postgres) -> None:
    """Start it again, as soon as the last of its killed processes has let go of the data."""
    for _ in range(50):
        with suppress(subprocess.CalledProcessError):
            return database.up()
        time.sleep(0.2)
    raise RuntimeError("PostgreSQL does not start again")


def _kept(place: Place) -> set[str]:
    engine = place.engine(patient=True)
    with engine.connect() as connection:
        found = set(map(str, connection.execute(select(FEEDBACK.c.card)).scalars()))
    engine.dispose()
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    asked = argparse.ArgumentParser(description="Is feedback that was acknowledged ever lost?")
    asked.add_argument("--kills", type=int, default=8)
    asked.add_argument("--store", choices=("sqlite", "postgresql"), action="append", help="else both")
    given = asked.parse_args(arguments)
    lost = 0
    for kind in given.store or ("sqlite", "postgresql"):
        if kind == "postgresql" and programs() is None:
            print("postgresql: not installed here, so not asked")
            continue
        with tempfile.TemporaryDirectory() as folder:
            told = run(given.kills, kind, Path(folder))
        print(told.words, flush=True)
        lost += told.lost
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
