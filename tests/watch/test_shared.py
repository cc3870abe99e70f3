"""The folder of counts: made once, in memory, gone at the end, and what a killed server left is cleared away."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cds_service.watch import shared

ROOT = Path(__file__).parents[2]
COUNTING = """
import os, sys
if "imported" in sys.argv: import prometheus_client
from pathlib import Path
from cds_service.watch import shared
os.environ[shared.VARIABLE] = str(shared.prepare(Path(sys.argv[1])))
from cds_service.watch.metrics import Metrics
metrics = Metrics()
for worker in range(3):
    pid = os.fork()
    if pid == 0:
        metrics.turned_away("time")
        os._exit(0)
    os.waitpid(pid, 0)
    shared.forget(pid)
print(metrics.page().decode())
if "killed" in sys.argv: os._exit(9)
shared.release()
"""


@pytest.fixture(autouse=True)
def nothing_made(monkeypatch):
    monkeypatch.setattr(shared, "_made", {})


def counting(home: Path, *words: str) -> str:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", COUNTING, str(home), *words], env=env, capture_output=True, text=True, check=False
    ).stdout


def test_what_every_process_counted_stands_on_one_page_also_after_it_ended(tmp_path):
    for words in ([], ["imported"]):  # whatever was imported before the folder was made
        assert 'aml_cds_callers_turned_away_total{reason="time"} 3.0' in counting(tmp_path, *words)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_server_left_behind_is_cleared_away_at_the_next_start(tmp_path):
    counting(tmp_path, "killed")
    (left,) = tmp_path.iterdir()
    folder = shared.prepare(tmp_path)
    assert list(tmp_path.iterdir()) == [folder] != [left]


def test_a_server_that_runs_keeps_its_folder(tmp_path):
    mine = shared.prepare(tmp_path)
    assert shared.prepare(tmp_path) == mine
    process = multiprocessing.get_context("spawn").Process(target=shared.prepare, args=(tmp_path,))
    process.start()
    process.join()
    assert mine.is_dir()
    shared.release()
    assert not mine.exists()


def test_two_servers_that_start_at_once_each_have_a_folder(tmp_path, monkeypatch):
    """One that has made its lock file and does not hold it yet looks as if it were left behind."""
    flock = shared.fcntl.flock
    taken = []

    def late(descriptor: int, how: int) -> None:
        if how == shared.fcntl.LOCK_EX and not taken:
            taken.extend(tmp_path.iterdir())
            shared._clear(tmp_path)  # by another server, just now
        flock(descriptor, how)

    monkeypatch.setattr(shared, "_made", {})
    monkeypatch.setattr(shared.fcntl, "flock", late)
    made = shared.prepare(tmp_path)
    assert made.exists() and taken and made not in taken
