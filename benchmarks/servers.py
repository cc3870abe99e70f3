"""Servers: the processes that are measured; what they cost is read from the kernel (Linux), not from themselves."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import callers
from cds_service.settings import SETTINGS

ROOT = Path(__file__).parents[1]
WORKERS, THREADS = 2, 4
STARTING = 60.0  # seconds for a process to come up on a busy machine
GUNICORN = (sys.executable, "-m", "gunicorn", "--config")


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its port, and the process that the others of it descend from."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def processes(self) -> tuple[int, ...]:
        """The ids of all its processes."""
        parents = _parents()
        found = [self.process.pid]
        for each in found:
            found += [child for child, parent in parents.items() if parent == each]
        return tuple(found)

    @property
    def workers(self) -> tuple[int, ...]:
        """Those that answer: all but the first."""
        return self.processes[1:] or self.processes

    def cpu(self) -> float:
        """Seconds of CPU that its processes have used so far."""
        return sum(_cpu_of(each) for each in self.processes)

    def memory(self) -> tuple[float, float]:
        """MiB: the proportional share (PSS) of all its processes, and the most that one of them holds (RSS)."""
        rolled = [_memory_of(each) for each in self.processes]
        return sum(pss for pss, _ in rolled), max(rss for _, rss in rolled)


@contextmanager
def running(command: tuple[str, ...], port: int, first: bytes, settings: Mapping[str, str]) -> Iterator[Server]:
    """The server behind that command, once it has answered its first call."""
    with subprocess.Popen(  # noqa: S603 - commands of our own
        command, cwd=ROOT, env=environment(settings), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait(process, port, first)
            yield Server(port, process)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """What a server is started with: the caller's own environment, without what would make it another server.

    That is our settings, a proxy, and the wish that Python keep no compiled modules: the image has them compiled.
    """
    left_out = {"PYTHONDONTWRITEBYTECODE", *(each.name for each in SETTINGS)}
    kept = {name: value for name, value in os.environ.items() if name not in left_out and "proxy" not in name.lower()}
    return {**kept, "PYTHONPATH": str(ROOT), "LOG_LEVEL": "WARNING", **settings}


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int, first: bytes) -> None:
    """Until the first call is answered. Raises RuntimeError."""
    until = time.monotonic() + STARTING
    while time.monotonic() < until and process.poll() is None:
        try:
            status = callers.call(port, first)
        except OSError:
            status = b""  # nobody listens yet
        if status == b"200":
            return
        if status:
            raise RuntimeError(f"the first call was answered {status.decode()}")
        time.sleep(0.01)
    raise RuntimeError(f"it did not start: {' '.join(map(str, process.args[1:]))}")  # type: ignore[index]


def _parents() -> dict[int, int]:
    """The parent of each process, as the kernel lists them."""
    found = {}
    for each in Path("/proc").iterdir():
        if each.name.isdecimal():
            try:
                stat = (each / "stat").read_text()
            except OSError:
                continue  # it has just ended
            found[int(each.name)] = int(stat.rpartition(")")[2].split()[1])
    return found


def _cpu_of(process: int) -> float:
    """By the clock that Linux keeps for each process, in nanoseconds, all its threads together."""
    return time.clock_gettime((~process << 3) | 2)


def _memory_of(process: int) -> tuple[float, float]:
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines if line.endswith("kB")}
    return kilobytes["Pss"] / 1024, kilobytes["Rss"] / 1024
