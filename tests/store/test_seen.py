"""Replay across processes, and what a store that is slow or gone costs: 50 ms, once in some seconds."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from cds_service.beside import Light
from cds_service.security.replay import SeenHere
from cds_service.store.hands import Hands, Late
from cds_service.store.purge import forget_tokens
from cds_service.store.seen import SharedSeen
from cds_service.store.tables import TOKEN
from tests.store.conftest import NOW, Made, read

ROOT = Path(__file__).parents[2]
LATER = NOW.timestamp() + 300

ANOTHER_PROCESS = """
import os, sys
from datetime import UTC, datetime
from cds_service.security.replay import SeenHere
from cds_service.settings import Settings
from cds_service.store.seen import SharedSeen
from cds_service.store.stand import store_of
store = store_of(Settings.load(os.environ))
store.prepare()
seen = SharedSeen(SeenHere(lambda: 0.0), store, seconds=30.0)
for jti in sys.argv[1:]:
    print(seen.before("issuer", jti, float(os.environ["UNTIL"])), seen.missed)
"""


def memory(made: Made) -> SharedSeen:
    return SharedSeen(SeenHere(lambda: 0.0), made().store, seconds=30.0)  # a busy machine is no replay


def test_a_token_is_new_once(made: Made):
    seen = memory(made)
    assert not seen.before("issuer", "a", LATER)
    assert seen.before("issuer", "a", LATER)
    assert not seen.before("another", "a", LATER)
    assert seen.missed == 0


def test_what_one_process_saw_another_one_refuses(made: Made, env: dict[str, str]):
    here = memory(made)
    assert not here.before("issuer", "first", LATER)
    told = subprocess.run(
        [sys.executable, "-c", ANOTHER_PROCESS, "first", "second"],
        env={**os.environ, **env, "PYTHONPATH": str(ROOT), "UNTIL": str(LATER)},
        cwd=ROOT, check=True, capture_output=True, text=True, timeout=120,
    ).stdout.split()
    assert told == ["True", "0", "False", "0"]
    assert here.before("issuer", "second", LATER)


def test_no_token_and_no_issuer_stands_in_the_store(made: Made):
    seen = memory(made)
    seen.before("https://issuer.example", "marked-jti", LATER)
    (row,) = read(seen._store, TOKEN)
    assert "marked" not in str(row) and "issuer" not in str(row)


def test_marks_of_tokens_are_deleted_a_day_after_their_end(made: Made):
    """Not at once: where a clock was ahead and goes back, a token that had ended is good again."""
    seen = memory(made)
    seen.before("issuer", "long ago", NOW.timestamp() - 24 * 3600 - 1)
    seen.before("issuer", "ended", NOW.timestamp() - 1)
    seen.before("issuer", "new", LATER)
    forget_tokens(seen._store, NOW)
    assert len(read(seen._store, TOKEN)) == 2


class Hanging:
    """A store that takes its time."""

    def __init__(self) -> None:
        self.asked = 0

    def writing(self, **_: object):
        self.asked += 1
        time.sleep(0.4)
        raise AssertionError


def test_a_store_that_hangs_costs_50_ms_once_in_some_seconds_and_the_call_is_answered():
    now = [0.0]
    store = Hanging()
    seen = SharedSeen(SeenHere(lambda: 0.0), store, lambda: now[0])  # type: ignore[arg-type]
    started = time.monotonic()
    assert [seen.before("issuer", str(each), LATER) for each in range(20)] == [False] * 20
    assert time.monotonic() - started < 0.35  # 50 ms, and room for a busy machine
    assert (seen.missed, store.asked) == (20, 1)
    assert seen.before("issuer", "3", LATER), "this process remembers all the same"
    now[0] += 6
    seen.before("issuer", "later", LATER)
    assert store.asked == 2


def test_a_store_that_came_back_is_asked_again(made: Made):
    now = [0.0]
    kept = made()
    seen = SharedSeen(SeenHere(lambda: 0.0), kept.store, lambda: now[0], seconds=30.0)
    seen._alone()
    assert not seen.before("issuer", "a", LATER)
    assert seen.missed == 2
    now[0] += 6
    assert not seen.before("issuer", "b", LATER)
    assert not seen.before("issuer", "c", LATER)
    assert seen.missed == 2
    assert len(read(kept.store, TOKEN)) == 2


def test_tokens_that_only_one_process_knows_turn_the_readiness_amber(made: Made, tmp_path: Path):
    from cds_service.store.health import StoreHealth

    kept = made()
    seen = SharedSeen(SeenHere(lambda: 0.0), kept.store)
    health = StoreHealth(kept.store, kept.keeper, seen, lambda: time.monotonic())
    assert health().light is Light.GREEN
    seen._alone()
    time.sleep(1.1)
    assert health().light is Light.AMBER and "tokens" in health().words


def test_hands_never_begin_what_was_given_up():
    hands, done = Hands("test", 1), []
    busy = threading.Thread(target=lambda: hands.ask(lambda: time.sleep(0.3), 5))
    busy.start()
    time.sleep(0.05)
    with pytest.raises(Late):
        hands.ask(lambda: done.append(1), 0.02)
    busy.join()
    assert hands.ask(lambda: 7, 5) == 7
    assert done == []


def test_while_every_hand_is_stuck_nobody_waits_for_one():
    hands = Hands("test", 1)
    with pytest.raises(Late):
        hands.ask(lambda: time.sleep(0.4), 0.02)
    started = time.monotonic()
    with pytest.raises(Late):
        hands.ask(lambda: 7, 5)
    assert time.monotonic() - started < 0.2
    time.sleep(0.6)
    assert hands.ask(lambda: 7, 5) == 7


def test_hands_raise_what_the_work_raised():
    with pytest.raises(ZeroDivisionError):
        Hands("test", 1).ask(lambda: 1 / 0, 1)
