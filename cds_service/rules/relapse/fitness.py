"""Fitness for intensive therapy: each criterion by itself with value and date, and what they come to. Never guessed.

A criterion whose input is missing, too old or doubtful is open, not met and not unmet. Shared by several topics.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import cached_property
from typing import Any

from cds_service.facts.demographics import AGE
from cds_service.facts.entries import PROBLEMS, Entry
from cds_service.facts.fact import Fact, State, below
from cds_service.facts.values.labs import ECOG, LVEF
from cds_service.knowledge import topics
from cds_service.knowledge.model import Statement
from cds_service.quantity import Quantity, plain
from cds_service.rules.dose.clearance import CLEARANCE, kidney
from cds_service.rules.once import once
from cds_service.rules.rule import Case
from cds_service.rules.signs import child_pugh, entries_of, keys_of
from cds_service.truth import Truth

_ONLY_A_BOUND = "only a bound"


class Fitness(Enum):
    """What a criterion says, and what all of them come to."""

    FIT = "no criterion of unfitness found"
    UNFIT = "not fit for intensive therapy by the criteria"
    OPEN = "for the clinician to decide"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion: its name, what it says, and its value with date, or why there is none."""

    name: str
    verdict: Fitness
    words: str


@dataclass(frozen=True)
class Assessment:
    """Every criterion, and what they come to."""

    criteria: tuple[Criterion, ...]

    @cached_property
    def verdict(self) -> Fitness:
        """One criterion of unfitness is enough; what is left to the clinician comes before what is not known."""
        found = {each.verdict for each in self.criteria}
        return next((each for each in (Fitness.UNFIT, Fitness.OPEN, Fitness.UNKNOWN) if each in found), Fitness.FIT)

    @cached_property
    def reasons(self) -> str:
        """The criteria that decide, in words."""
        return "; ".join(f"{each.name} {each.words}" for each in self.criteria if each.verdict is self.verdict)

    @cached_property
    def impaired(self) -> str:
        """What of the performance status or of an organ speaks against intensive therapy: no source says it of age."""
        return "; ".join(
            f"{each.name} {each.words}"
            for each in self.criteria
            if each.verdict is Fitness.UNFIT and each.name != AGE.label
        )

    @property
    def asks_for_cause(self) -> bool:
        """Whether a poor performance status stands on record, so that its cause matters."""
        return any(
            each.name == ECOG.label and each.verdict in (Fitness.UNFIT, Fitness.OPEN) for each in self.criteria
        )


@once
def assess(case: Case) -> Assessment:
    """Every criterion on the facts of this patient."""
    return Assessment((_performance(case), _age(case), _heart(case), _kidney(case), _liver(case)))


def _performance(case: Case) -> Criterion:
    ecog = case.fact(ECOG, case.must(topics.ECOG_WINDOW, "policy").value)
    if ecog.value is None or not ecog.sure:
        return Criterion(ECOG.label, Fitness.UNKNOWN, _unsure(ecog))
    unfit, open_from = case.must(topics.ECOG_UNFIT_FROM, "policy"), case.must(topics.ECOG_OPEN_FROM, "policy")
    return Criterion(ECOG.label, _from(ecog.value, unfit, open_from), f"{plain(ecog.value.value)} ({ecog.when})")


def _age(case: Case) -> Criterion:
    age = case.fact(AGE)
    if age.value is None:
        return Criterion(AGE.label, Fitness.UNKNOWN, _unsure(age))
    unfit, open_from = case.must(topics.AGE_UNFIT_FROM, "policy"), case.must(topics.AGE_OPEN_FROM, "policy")
    sides = {
        _from(Quantity(Decimal(years), unfit.value.unit), unfit, open_from)
        for years in (age.value.youngest, age.value.oldest)
    }
    return Criterion(AGE.label, sides.pop() if len(sides) == 1 else Fitness.UNKNOWN, str(age.value))


def _from(value: Quantity, unfit: Statement[Quantity], open_from: Statement[Quantity]) -> Fitness:
    if value >= unfit.value:
        return Fitness.UNFIT
    return Fitness.OPEN if value >= open_from.value else Fitness.FIT


def _heart(case: Case) -> Criterion:
    """A low ejection fraction counts together with heart failure or cardiomyopathy."""
    problems = case.fact(PROBLEMS)
    lvef = case.fact(LVEF, case.must(topics.LVEF_WINDOW, "policy").value)
    limit = case.must(topics.LVEF_UNFIT_AT_MOST, "policy").value
    weak = _entry(case, problems, "weak heart")
    if weak is None and problems.sure:
        if lvef.value is None:
            return Criterion(LVEF.label, Fitness.FIT, "no heart failure on record")
        words = f"{lvef.told} ({lvef.when or 'no date'}); it counts with heart failure, of which none is on record"
        return Criterion(LVEF.label, Fitness.FIT, words)
    if lvef.value is None or not lvef.sure:
        with_ = f", with {weak.words} on record" if weak else ""
        return Criterion(LVEF.label, Fitness.UNKNOWN, f"{_unsure(lvef)}{with_}")
    words = f"{lvef.value} ({lvef.when})" + (f", with {weak.words} on record" if weak else "")
    if lvef.value > limit:
        return Criterion(LVEF.label, Fitness.FIT, words)
    return Criterion(LVEF.label, Fitness.UNFIT if weak else Fitness.UNKNOWN, words)


def _kidney(case: Case) -> Criterion:
    """Creatinine clearance, however it is known: measured, by formula, or the eGFR in its place, each called so."""
    limit = case.must(topics.CLEARANCE_UNFIT_BELOW, "policy").value
    known = kidney(case)
    estimate, note = known.against((limit,))
    if estimate is None:
        why = ", ".join(dict.fromkeys(_not_counted(fact) for fact in known.missing))
        return Criterion(CLEARANCE.label, Fitness.UNKNOWN, f"unknown: {why}" if why else "unknown")
    when = estimate.fact.when or "no date"
    words = f"{estimate.fact.told} ({when}, {estimate.method})" + (f"; {note}" if note else "")
    low = below(estimate.fact, limit)
    if estimate.fact.doubts or estimate.fact.state is not State.KNOWN or low is Truth.UNKNOWN:
        why = "; ".join(estimate.fact.doubts) or _ONLY_A_BOUND
        return Criterion(CLEARANCE.label, Fitness.UNKNOWN, f"unknown: {words}: {why}")
    if estimate.rising:  # weaker still, but of today: nobody is called unfit for good by it
        return Criterion(CLEARANCE.label, Fitness.UNKNOWN, f"unknown: {words}")
    return Criterion(CLEARANCE.label, Fitness.UNFIT if low is Truth.YES else Fitness.FIT, words)


def _liver(case: Case) -> Criterion:
    problems = case.fact(PROBLEMS)
    weak = _entry(case, problems, "weak liver")
    if weak is None and problems.sure:
        return Criterion("Child-Pugh class", Fitness.FIT, "no cirrhosis on record")
    if weak is None:
        return Criterion("Child-Pugh class", Fitness.UNKNOWN, _unsure(problems))
    pugh = child_pugh(entries_of(problems, keys_of(case, "weak liver")))
    if not pugh:
        return Criterion("Child-Pugh class", Fitness.UNKNOWN, f"not read, with {weak.words} on record")
    mild = Fitness.FIT if problems.sure else Fitness.UNKNOWN  # what was not read may say otherwise
    return Criterion(
        "Child-Pugh class", mild if pugh == "A" else Fitness.UNFIT, f"{pugh}, with {weak.words} on record"
    )


def _entry(case: Case, problems: Fact[tuple[Entry, ...]], name: str) -> Entry | None:
    return next(iter(entries_of(problems, keys_of(case, name))), None)


def _not_counted(fact: Fact[Any]) -> str:
    """That there is none that counts, and why, unless there simply is none."""
    told = fact.why not in ("", State.ABSENT.value)
    none = f"no {fact.key.label} that counts"
    return f"{none} ({_unsure(fact).removeprefix('unknown: ')})" if told else none


def _unsure(fact: Fact[Any]) -> str:
    """Why a value does not count, with the value where there is one."""
    if fact.value is None or isinstance(fact.value, tuple):
        return f"unknown: {fact.why or '; '.join(fact.doubts)}"
    why = "; ".join(fact.doubts) or _ONLY_A_BOUND
    shown = plain(fact.value.value) if fact.key is ECOG else str(fact.value)
    return f"unknown: {fact.bound}{shown} of {fact.when or 'no date'} does not count ({why})"
