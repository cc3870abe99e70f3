"""How often something may be done under one name, and what is remembered of it."""

from __future__ import annotations

import pytest

from cds_service.errors import TooOften
from cds_service.security import limit
from cds_service.security.limit import Limit


def test_each_name_is_counted_for_itself():
    limited = Limit((2, "minute"), "wait")
    for name in ("a", "a", "b", "b"):
        limited.hit(name)
    with pytest.raises(TooOften, match="wait") as error:
        limited.hit("a")
    assert 1 <= error.value.retry_after <= 60


def test_without_a_rate_nothing_is_counted():
    limited = Limit(None, "wait")
    for _ in range(100):
        limited.hit("a")


def test_names_are_not_gathered_for_ever(monkeypatch):
    kept, counter = [], limit._counter
    monkeypatch.setattr(limit, "_NAMES", 100)
    monkeypatch.setattr(limit, "_counter", lambda: kept.append(counter()) or kept[-1])
    limited = Limit((2, "minute"), "wait")
    for number in range(1000):
        limited.hit(f"name{number}")
    assert [len(names.events) for names, _ in kept] == [100] * 10
