"""The floors of branches: told by package, broken below, and of packages and tests that exist."""

from __future__ import annotations

import pytest

from tests.branches import ROOT, Share, floors, shares


def file(taken: int, every: int) -> dict[str, dict[str, int]]:
    return {"summary": {"covered_branches": taken, "num_branches": every}}


REPORT = {"files": {
    "cds_service/store/a.py": file(9, 10), "cds_service/store/migrations/b.py": file(10, 10),
    "cds_service/stored.py": file(0, 10), "cds_service/hooks/c.py": file(0, 0),
}}  # fmt: skip


def test_a_package_is_all_of_its_files_and_no_other():
    store, hooks = shares(REPORT, {"store": 95.0, "hooks": 100.0})
    assert (store.taken, store.every, store.percent, store.kept) == (19, 20, 95.0, True)
    assert hooks.kept


def test_below_its_floor_it_is_broken():
    share = Share("store", 949, 1000, 95.0)
    assert not share.kept and str(share) == "BROKEN store: 94.9 % of 1000 branches (at least 95 %)"


def test_a_package_that_was_not_measured_is_no_success():
    with pytest.raises(ValueError, match="no file of cds_service/stroe was measured"):
        list(shares(REPORT, {"stroe": 1.0}))


def test_every_floor_is_of_a_package_and_every_test_is_there():
    told = floors()
    assert {"security", "hooks", "gather", "store", "facts"} <= set(told["floors"])
    assert all((ROOT / "cds_service" / each).is_dir() for each in told["floors"])
    assert all((ROOT / each).exists() for each in told["tests"]) and all(each >= 80 for each in told["floors"].values())
