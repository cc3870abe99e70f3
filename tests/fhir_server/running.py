"""Running: a process of its own for the FHIR server or for the service, stopped when the test is done."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0  # seconds for a process to come up on a busy machine
_OPENER = build_opener(ProxyHandler({}))


@dataclass(frozen=True)
class Fhir:
    """A running FHIR server: the base URL of the good one, and of one with faults."""

    base: str

    def having(self, faults: str) -> str:
        """The base URL of the same data behind these faults."""
        return self.base.replace("/fhir", f"/with/{faults}/fhir")

    def log(self) -> list[str]:
        """What was asked so far."""
        with _OPENER.open(self.base.replace("/fhir", "/log"), timeout=5) as answer:
            return list(json.load(answer))


@contextmanager
def fhir_server(*arguments: str) -> Iterator[Fhir]:
    """The FHIR server of the tests, in its own process."""
    with _process([sys.executable, "-m", "tests.fhir_server", *arguments], {}, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        base = process.stdout.readline().decode().strip()
        assert base, "the FHIR server did not start"
        yield Fhir(base)


@dataclass(frozen=True)
class Running:
    """A running service: its address, its master process, and where it writes what it has to say."""

    url: str
    master: subprocess.Popen[bytes]
    said: Path

    def workers(self) -> list[int]:
        """The ids of its worker processes."""
        children = Path(f"/proc/{self.master.pid}/task/{self.master.pid}/children").read_text(encoding="ascii")
        return [int(each) for each in children.split()]

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        """Status and JSON of an address."""
        try:
            with _OPENER.open(self.url + path, timeout=5) as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            return error.code, json.load(error)


@contextmanager
def service(**settings: str) -> Iterator[str]:
    """The service as `scripts/serve` starts it, with these settings; its address."""
    with started(**settings) as running:
        yield running.url


@contextmanager
def started(before: Callable[[], None] | None = None, stdout: int | None = None, **settings: str) -> Iterator[Running]:
    """The same with its processes at hand. `before`: run in the new process before it becomes the service.

    What it writes (`DATA`) goes with it, unless the settings name another place.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py"]
    given = {"PORT": str(port), "WORKERS": "1", "THREADS": "4", "DRAIN_SECONDS": "0", **settings}
    with TemporaryDirectory() as place, (Path(place) / "said").open("wb") as said, _process(
        command, {"DATA": f"{place}/data", **given}, subprocess.DEVNULL if stdout is None else stdout, said, before
    ) as process:
        until = time.monotonic() + PATIENCE
        running = Running(url, process, Path(said.name))
        while not (_answers(f"{url}/readyz") and len(running.workers()) == int(given["WORKERS"])):
            assert process.poll() is None and time.monotonic() < until, Path(said.name).read_text(encoding="utf-8")
            time.sleep(0.05)
        yield running


def _answers(url: str) -> bool:
    try:
        with _OPENER.open(url, timeout=2):
            return True
    except (URLError, OSError):
        return False


@contextmanager
def _process(
    command: list[str],
    settings: Mapping[str, str],
    stdout: int,
    stderr: IO[bytes] | int = subprocess.DEVNULL,
    before: Callable[[], None] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    env = {**os.environ, **settings, "PYTHONPATH": str(ROOT)}
    env = {name: value for name, value in env.items() if value}
    with subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=stdout, stderr=stderr, preexec_fn=before
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
