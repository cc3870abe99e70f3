"""What mutation testing calls explained exists, each once and with its reason; the program asks whether it lives."""

from __future__ import annotations

from tests.mutants import NUMBERS, explained, mutants, paths


def test_every_explained_mutant_of_a_rule_is_a_mutant() -> None:
    told = explained(paths())
    named = {(module, mutant.name) for module in {m for m, _ in told} for mutant in mutants(module, paths()[module])}
    assert told.keys() <= named


def test_only_modules_of_rules_and_numbers_are_explained() -> None:
    assert {module for module, _ in explained([*paths(), NUMBERS])} <= {*paths(), NUMBERS}


def test_equal_changes_of_one_function_are_told_apart() -> None:
    names = [mutant.name for mutant in mutants("standing", paths()["standing"])]
    assert len(names) == len(set(names))
