"""Hands: come once, wait for nobody for ever, and are missed without harm."""

from __future__ import annotations

import threading

import pytest

from cds_service.store.hands import Hands, Late


def named(name: str) -> list[str]:
    return sorted(each.name for each in threading.enumerate() if each.name.startswith(name))


def test_two_that_come_first_at_once_find_the_same_threads():
    hands, answers = Hands("both", 2), []
    callers = [threading.Thread(target=lambda: answers.append(hands.ask(lambda: 7, 5))) for _ in range(2)]
    with hands._lock:  # neither gets further than to the threads
        for each in callers:
            each.start()
    for each in callers:
        each.join(5)
    assert answers == [7, 7] and named("both-") == ["both-0", "both-1"]


def test_where_the_host_has_no_thread_nobody_waits_and_the_next_one_tries_again(monkeypatch: pytest.MonkeyPatch):
    hands = Hands("scarce", 2)
    start = threading.Thread.start
    left = [0]

    def scarce(thread: threading.Thread) -> None:
        if not left[0]:
            raise RuntimeError("can't start new thread")
        left[0] -= 1
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", scarce)
    with pytest.raises(Late):
        hands.ask(lambda: 7, 5)
    assert named("scarce-") == []
    left[0] = 1
    assert hands.ask(lambda: 7, 5) == 7 and named("scarce-") == ["scarce-0"]
    assert hands.ask(lambda: 8, 5) == 8
    left[0] = 5
    assert hands.ask(lambda: 9, 5) == 9 and named("scarce-") == ["scarce-0", "scarce-1"]


def test_what_was_given_up_before_it_began_is_never_done():
    hands, done, begun, go = Hands("given-up", 1), [], threading.Event(), threading.Event()

    def long() -> None:
        begun.set()
        go.wait(5)

    first = threading.Thread(target=lambda: hands.ask(long, 5))
    first.start()
    assert begun.wait(5)
    with pytest.raises(Late):
        hands.ask(lambda: done.append("late"), 0.01)
    go.set()
    first.join(5)
    assert hands.ask(lambda: "next", 5) == "next" and not done


def test_what_the_work_raises_its_caller_hears():
    hands = Hands("raises", 1)
    for fault in (ValueError("a"), KeyError("b")):
        with pytest.raises(type(fault)):
            hands.ask(lambda fault=fault: (_ for _ in ()).throw(fault), 5)
    assert hands.ask(lambda: "still there", 5) == "still there"
