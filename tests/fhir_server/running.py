"""Running: a process of its own for the FHIR server or for the service, stopped when the test is done."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0  # seconds for a process to come up on a busy machine
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


@contextmanager
def service(**settings: str) -> Iterator[str]:
    """The service as `scripts/serve` starts it, with these settings; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py"]
    given = {"PORT": str(port), "WORKERS": "1", "THREADS": "4", **settings}
    with _process(command, given, stdout=subprocess.DEVNULL) as process:
        until = time.monotonic() + PATIENCE
        while not _answers(f"{url}/readyz"):
            assert process.poll() is None and time.monotonic() < until, "the service did not start"
            time.sleep(0.05)
        yield url


def _answers(url: str) -> bool:
    try:
        with _OPENER.open(url, timeout=2):
            return True
    except (URLError, OSError):
        return False


@contextmanager
def _process(command: list[str], settings: Mapping[str, str], stdout: int) -> Iterator[subprocess.Popen[bytes]]:
    env = {**os.environ, **settings, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=stdout, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
