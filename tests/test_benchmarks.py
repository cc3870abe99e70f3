"""The programs that measure still run, and their kinds are read as what they say."""

from __future__ import annotations

from benchmarks import reading


def test_every_kind_is_measured():
    found = reading.measure(rounds=1)
    assert found.keys() == reading.KINDS.keys()
    assert found["MedicationRequest, of ours"] > 0
    assert "| Condition |" in reading.table(found)
