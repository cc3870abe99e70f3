"""Shared: the folder in which the processes of one server keep their counts, so that any of them can tell all.

It lies in memory where there is a memory file system, is made anew at each start, and goes at the end. A lock tells
whether a folder that is found still belongs to somebody: what a killed server left behind is cleared away.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # where prometheus-client looks, once, when it is first imported
_PREFIX = "aml-cds-counts-"
_MEMORY = Path("/dev/shm")  # noqa: S108 - as Linux has it
_made: dict[int, Path] = {}  # by process: a server that reads its settings again keeps its counts


def prepare(home: Path | None = None) -> Path:
    """The folder of this server. Call it before anything imports prometheus-client."""
    if found := _made.get(os.getpid()):
        return found
    home = home or _home()
    _clear(home)
    while (made := _locked(home)) is None:
        pass  # another server that started at the same moment took it for one left behind
    _made[os.getpid()] = made
    return made


def _locked(home: Path) -> Path | None:
    """A new folder that is ours; None where somebody took it away before its lock was held."""
    made = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=home))
    lock = os.open(made / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)  # held open on purpose, by the workers too: until the last of them has gone
    if (made / "lock").exists():
        return made
    os.close(lock)
    return None


def folder() -> Path | None:
    """The folder of the server that this process belongs to; None where there is but one process."""
    return next(iter(_made.values()), None)


def forget(pid: int) -> None:
    """A process has ended: its gauges no longer count. What it counted up to now stays."""
    from prometheus_client.multiprocess import mark_process_dead

    with suppress(OSError):
        mark_process_dead(pid)  # type: ignore[no-untyped-call] # as the library has it


def release() -> None:
    """The server ends: take its folder away. Does nothing in a process that did not make it."""
    if made := _made.pop(os.getpid(), None):
        shutil.rmtree(made, ignore_errors=True)


def _home() -> Path:
    return _MEMORY if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) else Path(tempfile.gettempdir())


def _clear(home: Path) -> None:
    """Take away the folders of servers that are no more."""
    for found in home.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            lock = os.open(found / "lock", os.O_RDWR)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(found, ignore_errors=True)
            finally:
                os.close(lock)
