"""The floors of lines and branches: told by package, broken below, and of packages and tests that exist."""

from __future__ import annotations

import pytest

from tests.branches import ROOT, Share, floors, shares, told


def file(taken: int, every: int, lines: int = 10) -> dict[str, dict[str, int]]:
    return {"summary": {
        "covered_branches": taken, "num_branches": every, "covered_lines": lines, "num_statements": 10,
    }}  # fmt: skip


REPORT = {"files": {
    "cds_service/store/a.py": file(9, 10), "cds_service/store/migrations/b.py": file(10, 10, 9),
    "cds_service/stored.py": file(0, 10), "cds_service/hooks/c.py": file(0, 0),
}}  # fmt: skip


def test_a_package_is_all_of_its_files_and_no_other():
    store, hooks = shares(REPORT, {"store": 95.0, "hooks": 100.0})
    assert (store.lines, store.branches, store.kept) == ((19, 20), (19, 20), True)
    assert hooks.kept and hooks.branches == (0, 0)


def test_below_its_floor_it_is_broken():
    share = Share("store", (1000, 1000), (949, 1000), 95.0)
    assert not share.kept
    assert str(share) == "BROKEN store: 100.00 % of 1000 lines, 94.90 % of 1000 branches (at least 95 %)"
    assert not Share("store", (949, 1000), (1000, 1000), 95.0).kept


def test_a_package_that_was_not_measured_is_no_success():
    with pytest.raises(ValueError, match="no file of cds_service/stroe was measured"):
        list(shares(REPORT, {"stroe": 1.0}))


def test_every_floor_is_of_a_package_and_every_test_is_there():
    least = floors(postgresql=True)
    assert {"security", "hooks", "gather", "store", "facts", "rules"} <= set(least)
    assert all((ROOT / "cds_service" / each).is_dir() for each in least)
    assert all((ROOT / each).exists() for each in told()["tests"]) and all(each >= 90 for each in least.values())


def test_without_postgresql_less_is_asked_of_the_store_alone():
    with_it, without = floors(postgresql=True), floors(postgresql=False)
    assert {name for name in with_it if with_it[name] != without[name]} == {"store"}
    assert without["store"] < with_it["store"]
