"""Peers: what the comparison needs and the service does not, installed on first use into folders of their own.

Neither is needed: where one cannot be installed, the run says so and goes on without it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.servers import ROOT

BUILD = ROOT / "build" / "bench"
ORJSON = "orjson==3.13.0"
_INSTALLING = 300.0  # seconds
_PIP = ("-m", "pip", "--disable-pip-version-check", "install", "--quiet")


def orjson() -> tuple[Path | None, str]:
    """The folder in which the quickest reader of JSON lies, or None and why."""
    folder = BUILD / ORJSON
    if (folder / "orjson").is_dir():
        return folder, ""
    why = _done(sys.executable, *_PIP, "--only-binary", ":all:", "--target", str(folder), ORJSON)
    return (None if why else folder), why


def healthchain() -> tuple[Path | None, str]:
    """The Python that has HealthChain, or None and why."""
    folder = BUILD / "healthchain"
    python, stamp = folder / "bin" / "python", folder / "installed"
    wanted = ROOT / "benchmarks" / "healthchain.txt"
    if stamp.is_file() and stamp.read_text() == wanted.read_text():
        return python, ""
    why = _done(sys.executable, "-m", "venv", "--clear", str(folder)) or _done(
        str(python), *_PIP, "--only-binary", ":all:", "--no-deps", "-r", str(wanted)
    )
    if why:
        return None, why
    stamp.write_text(wanted.read_text())
    return python, ""


def _done(*command: str) -> str:
    """Why the command failed, in one line; "" when it did not."""
    try:
        made = subprocess.run(  # noqa: S603 - commands of our own
            command, capture_output=True, text=True, check=False, timeout=_INSTALLING
        )
    except (OSError, subprocess.TimeoutExpired) as fault:
        return f"could not be installed: {type(fault).__name__}"
    said = [line for line in made.stderr.splitlines() if line.startswith("ERROR")]
    return "" if made.returncode == 0 else f"could not be installed: {said[-1] if said else made.returncode}"
