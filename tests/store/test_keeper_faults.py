"""The keeper when something breaks: what is lost is counted and told by its type, the rest is kept, and it ends."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cds_service.settings import Settings
from cds_service.store import keeper as module
from cds_service.store import place
from cds_service.store.keeper import AUDIT, Keeper
from cds_service.store.stand import Stand, stand
from cds_service.store.tables import CALL
from tests.postgres import wait_until
from tests.store.conftest import NOW, a_call, read


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Stand]:
    made = stand(Settings.load({"DATA": str(tmp_path / "data")}), lambda: NOW)
    yield made
    made.close()


def kept_ids(kept: Stand) -> set[str]:
    return {row["id"] for row in read(kept.store, CALL)}


def test_calls_that_come_first_at_once_start_one_thread(kept: Stand):
    before = {each for each in threading.enumerate() if each.name == "keeper"}
    callers = [threading.Thread(target=kept.keeper.wake) for _ in range(3)]
    with kept.keeper._changed:  # none gets further than to the thread
        for each in callers:
            each.start()
    for each in callers:
        each.join(5)
    assert len({each for each in threading.enumerate() if each.name == "keeper"} - before) == 1


def test_where_the_host_has_no_thread_calls_wait_and_are_written_once_there_is_one(
    kept: Stand, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    first, second = a_call(), a_call()
    with monkeypatch.context() as scarce:
        scarce.setattr(threading.Thread, "start", refuse)
        kept.keeper.saw(first)
    assert "there is no thread for it" in caplog.text and kept_ids(kept) == set()
    kept.keeper.saw(second)
    assert kept.keeper.flush(15)
    assert kept_ids(kept) == {first.id, second.id} and kept.keeper.dropped == 0


def test_a_call_after_the_end_is_counted_as_lost_and_starts_nothing(kept: Stand):
    kept.close()
    kept.keeper.saw(a_call())
    assert kept.keeper.dropped == 1 and kept.keeper._thread is None


def test_the_end_of_a_child_process_is_not_the_end_of_ours(kept: Stand):
    kept.keeper.close(os.getpid() + 1)  # as a forked child would call what its parent registered
    kept.keeper.saw(a_call())
    assert kept.keeper.flush(15) and len(kept_ids(kept)) == 1 and kept.keeper.dropped == 0


def test_a_call_that_cannot_be_told_is_lost_alone(
    kept: Stand, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    record, bad, good = module.record, a_call(), a_call()

    def told(call, *rest):
        if call is bad:
            raise ValueError("512 of Patient/p1")
        return record(call, *rest)

    monkeypatch.setattr(module, "record", told)
    for each in (bad, good):
        kept.keeper.saw(each)
    assert kept.keeper.flush(15)
    assert kept_ids(kept) == {good.id} and kept.keeper.dropped == 1
    assert "a call cannot be kept: ValueError" in caplog.text and "512" not in caplog.text


def test_rows_that_no_database_takes_are_lost_and_the_next_are_kept(
    kept: Stand, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def broken(*_):
        raise TypeError("512 of Patient/p1")

    with monkeypatch.context() as while_broken:
        while_broken.setattr(module, "write_records", broken)
        kept.keeper.saw(a_call())
        assert kept.keeper.flush(15)
    assert kept.keeper.dropped == 1
    assert "1 calls cannot be kept: TypeError" in caplog.text and "512" not in caplog.text
    good = a_call()
    kept.keeper.saw(good)
    assert kept.keeper.flush(15) and kept_ids(kept) == {good.id}


def test_an_upkeep_that_breaks_keeps_no_call_from_being_written(kept: Stand, caplog: pytest.LogCaptureFixture):
    def upkeep() -> None:
        raise ValueError("512 of Patient/p1")

    keeper = Keeper(kept.store, AUDIT, upkeep)
    call = a_call()
    keeper.saw(call)
    assert keeper.flush(15) and kept_ids(kept) == {call.id}
    assert "the upkeep of the store failed: ValueError" in caplog.text and "512" not in caplog.text
    keeper.close()


def test_a_store_that_stays_away_is_told_once_and_tried_again(
    kept: Stand, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(module, "PAUSES", (0.02,))
    monkeypatch.setattr(place, "BUSY_SECONDS", 0.02)
    kept.store.prepare()
    tries: list[float] = []
    writing = kept.store.writing

    def counted(**how):
        tries.append(time.monotonic())
        return writing(**how)

    monkeypatch.setattr(kept.store, "writing", counted)
    with kept.store.place.engine(patient=True).begin():
        kept.keeper.saw(a_call())
        assert wait_until(lambda: len(tries) > 3, 10)
        assert not kept.keeper.flush(0.01)
    assert kept.keeper.flush(15) and kept.keeper.dropped == 0 and len(kept_ids(kept)) == 1
    assert caplog.text.count("calls cannot be kept at the moment: it is locked by another process") == 1


def test_at_the_end_a_store_that_does_not_answer_is_not_waited_for_and_what_is_lost_is_said(
    kept: Stand, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(module, "CLOSING_SECONDS", 0.05)
    kept.store.prepare()
    hangs, go = threading.Event(), threading.Event()

    def hang(*_):
        hangs.set()
        go.wait(5)

    monkeypatch.setattr(module, "write_records", hang)
    kept.keeper.saw(a_call())
    assert hangs.wait(5)
    pools = [each.pool for each in kept.store._engines.values()]
    began = time.monotonic()
    kept.keeper.close()
    assert time.monotonic() - began < 1
    assert "the store did not take 1 calls before the end of this process" in caplog.text
    go.set()
    kept.keeper._thread.join(5)
    for each in pools:  # its connection came back too late to be closed
        each.dispose()


def test_while_there_are_no_keys_so_many_calls_wait_with_their_charts_and_the_rest_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(module, "MOST_CALLS", 2)
    made = stand(Settings.load({"DATA": str(tmp_path / "file" / "data")}), lambda: NOW)
    try:
        calls = [a_call() for _ in range(3)]
        for each in calls:
            made.keeper.saw(each)
        assert made.keeper.dropped == 1
        (tmp_path / "file").unlink()
        assert made.keeper.flush(15)
        assert kept_ids(made) == {each.id for each in calls[:2]}
    finally:
        made.close()
