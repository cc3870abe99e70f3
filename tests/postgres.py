"""A PostgreSQL of one's own, thrown away afterwards: for tests and for benchmarks, where its programs are installed."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

NOBODY = 65534  # PostgreSQL refuses to run as root
_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/pgsql/bin")


@cache
def programs() -> Path | None:
    """The folder of initdb and pg_ctl; None when PostgreSQL is not installed, or cannot be run by this user."""
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        return None
    found = [path for place in _PLACES for path in Path("/").glob(place.lstrip("/")) if (path / "initdb").exists()]
    on_path = shutil.which("initdb")
    newest = sorted(found, key=lambda path: [int(part) for part in path.parts[-2].split(".") if part.isdigit()])
    return newest[-1] if newest else Path(on_path).resolve().parent if on_path else None


@dataclass
class Postgres:
    """One server on a loopback port."""

    bin: Path
    folder: Path
    port: int
    durable: bool

    @classmethod
    def start(cls, durable: bool = False) -> Postgres:
        """A new server with nothing in it. `durable`: with fsync, as in earnest."""
        bin_ = programs()
        assert bin_ is not None
        folder = Path(tempfile.mkdtemp(prefix="aml-cds-pg-"))
        folder.chmod(0o777)
        made = cls(bin_, folder, _free_port(), durable)
        made._run("initdb", "--no-sync", "--auth=trust", "-U", "aml", "--encoding=UTF8", "--locale=C", "-D", made.data)
        made.up()
        return made

    @property
    def data(self) -> str:
        return str(self.folder / "data")

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://aml@127.0.0.1:{self.port}/{database}"

    def up(self) -> None:
        fsync = "on" if self.durable else "off"
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync={fsync}"
        self._run("pg_ctl", "-w", "-D", self.data, "-o", options, "-l", str(self.folder / "log"), "start")

    def down(self, how: str = "fast") -> None:
        self._run("pg_ctl", "-w", "-D", self.data, "-m", how, "stop")

    def pids(self) -> list[int]:
        """The server and all of its processes."""
        first = int(Path(self.data, "postmaster.pid").read_text().splitlines()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        return [first, *map(int, children)]

    def sql(self, command: str, database: str = "postgres") -> str:
        return self._run(
            "psql", "-X", "-A", "-t", "-h", "127.0.0.1", "-p", str(self.port), "-U", "aml", "-c", command, database
        ).strip()

    def database(self, name: str) -> str:
        """A new database; its URL."""
        self.sql(f"CREATE DATABASE {name}")
        return self.url(name)

    def remove(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            self.down("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> str:
        away = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.geteuid() == 0 else []
        quiet = program == "pg_ctl"  # what it leaves running would keep a pipe open
        done = subprocess.run(
            [*away, str(self.bin / program), *arguments],
            check=True, text=True, cwd="/", stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if quiet else subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
        )
        return done.stdout or ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(true, seconds: float, every: float = 0.05) -> bool:
    """Whether it became true in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(every)
    return bool(true())
