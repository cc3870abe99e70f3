"""Verdicts: a valid resource is known again by its digest alone, and memory is bounded."""

from __future__ import annotations

from cds_service.gather import compiled
from cds_service.gather.compiled import certainly_valid
from cds_service.gather.verdicts import Verdicts
from tests.charts import quantity, raw

VALID = raw(quantity("2823-3", 4.1, "mmol/L", name="k1") | {"subject": {"reference": "Patient/p1"}})


def test_what_was_noted_is_known_and_nothing_else():
    verdicts = Verdicts(most=10)
    verdicts.note(verdicts.digest("Observation", b"1"))
    assert verdicts.knows(verdicts.digest("Observation", b"1"))
    assert not verdicts.knows(verdicts.digest("Observation", b"2"))


def test_the_same_bytes_under_another_type_are_another_resource():
    assert Verdicts.digest("Observation", b"1") != Verdicts.digest("Condition", b"1")


def test_the_last_are_remembered_and_the_memory_is_bounded():
    verdicts = Verdicts(most=100)
    for number in range(1000):
        verdicts.note(b"%d" % number)
    assert all(verdicts.knows(b"%d" % number) for number in range(900, 1000))
    assert sum(verdicts.knows(b"%d" % number) for number in range(1000)) <= 200


def test_a_valid_resource_is_looked_at_once(monkeypatch):
    looked: list[bytes] = []
    looked_at = compiled._looked_at
    monkeypatch.setattr(compiled, "_VERDICTS", Verdicts(most=10))
    monkeypatch.setattr(compiled, "_looked_at", lambda name, body: looked.append(body) or looked_at(name, body))
    assert [certainly_valid("Observation", VALID) for _ in range(3)] == [True] * 3
    assert looked == [VALID]


def test_what_is_not_certain_is_looked_at_each_time(monkeypatch):
    monkeypatch.setattr(compiled, "_VERDICTS", Verdicts(most=10))
    assert not any(certainly_valid("Observation", b'{"resourceType":"Observation"}') for _ in range(2))
    assert not compiled._VERDICTS.knows(Verdicts.digest("Observation", b'{"resourceType":"Observation"}'))


def test_no_word_of_a_resource_is_kept():
    verdicts = Verdicts(most=10)
    verdicts.note(verdicts.digest("Observation", VALID))
    assert all(len(each) == 16 for each in (*verdicts._young, *verdicts._old))
