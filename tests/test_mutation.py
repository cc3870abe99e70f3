"""What mutation testing calls explained exists, each once and with its reason; the program asks whether it lives.

And what counts as noticed at the second look: a test that failed, and nothing else.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests import second_look
from tests.mutants import NUMBERS, explained, mutants, paths
from tests.mutation import Reach
from tests.vignette_runner import vignettes


def test_every_explained_mutant_of_a_rule_is_a_mutant() -> None:
    told = explained(paths())
    named = {(module, mutant.name) for module in {m for m, _ in told} for mutant in mutants(module, paths()[module])}
    assert told.keys() <= named


def test_only_modules_of_rules_and_numbers_are_explained() -> None:
    assert {module for module, _ in explained([*paths(), NUMBERS])} <= {*paths(), NUMBERS}


def test_equal_changes_of_one_function_are_told_apart() -> None:
    names = [mutant.name for mutant in mutants("standing", paths()["standing"])]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("code", "failed"), [(0, False), (1, True)])
def test_a_test_that_failed_is_noticed(code: int, failed: bool) -> None:
    assert second_look.a_test_failed(code) is failed


@pytest.mark.parametrize("code", [2, 3, 4, 5, -9], ids=["interrupted", "internal", "usage", "no tests", "killed"])
def test_a_run_that_ended_otherwise_says_nothing_of_the_mutant(code: int) -> None:
    with pytest.raises(RuntimeError, match=f"pytest ended with {code}"):
        second_look.a_test_failed(code)


def test_a_second_look_at_a_file_that_is_not_there_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="could not be made"):
        second_look.noticed(None, ["tests/test_nowhere.py"])


def test_every_file_of_the_second_look_is_there() -> None:
    assert all((second_look.ROOT / file).is_file() for file in second_look.FILES)


def test_what_runs_at_import_alone_is_asked_of_every_vignette() -> None:
    mutant = next(mutants("relapse.options", paths()["relapse.options"]))
    cases = vignettes()[:3]
    assert len(Reach(cases, {}).asked(mutant)) == 3
    assert len(Reach(cases, {(mutant.module, mutant.place): [1]}).asked(mutant)) == 1
    assert not Reach(cases, {}).asked(replace(mutant, statement=object()))
