"""The changes beyond the rules: a sample that stays the same, of packages and tests that exist."""

from __future__ import annotations

import pytest

from tests.mutation_units import ROOT, TESTS, found_in, noticed, sample


@pytest.mark.parametrize("package", TESTS)
def test_every_package_has_changes_and_tests(package: str) -> None:
    assert [str(each) for _, each in sample(package, 5)] == [str(each) for _, each in sample(package, 5)]
    assert len(found_in(package)) > 10
    assert all((ROOT / each).exists() for each in TESTS[package] if each.startswith("tests"))


def test_every_change_can_be_compiled() -> None:
    for path, mutant in sample("security", 20):
        compile(mutant.source, str(path), "exec")


def test_a_change_that_breaks_a_test_is_noticed_and_none_is_not() -> None:
    path, loopback = next((path, each) for path, each in found_in("security") if "is_loopback" in each.name)
    tests = ("tests/security/test_fhir_servers.py", "-k", "demo_mode")
    assert noticed(tests, (path, loopback)) and not noticed(tests, None)
