"""Where the patient stands: in relapse, an adult, with which target. Shared by several topics."""

from __future__ import annotations

from typing import assert_never

from cds_service.facts.demographics import AGE
from cds_service.facts.disease import APL, DISEASE, PROBLEMS, RELAPSE, Disease
from cds_service.facts.fact import Fact, State, holds
from cds_service.facts.medications import Role
from cds_service.facts.mutations import Mutation
from cds_service.knowledge import topics
from cds_service.rules.rule import Case
from cds_service.truth import Truth


def adult(case: Case) -> Truth:
    """Whether the patient is an adult; UNKNOWN where the birth date leaves it open."""
    age = case.fact(AGE)
    limit = int(case.must(topics.ADULT_FROM, "policy").value.value)
    if age.value is not None and age.value.youngest < limit <= age.value.oldest:
        return Truth.UNKNOWN
    return holds(age, lambda years: years.youngest >= limit)


def is_apl(case: Case) -> Truth:
    """Whether acute promyelocytic leukaemia is on record."""
    return holds(case.fact(APL), bool)


def in_relapse(case: Case) -> Truth:
    """Whether relapsed or refractory AML is on record."""
    return holds(case.fact(DISEASE), lambda state: state in (Disease.RELAPSED, Disease.REFRACTORY))


def counts_now(case: Case, result: Fact[Mutation]) -> Truth:
    """Whether a result speaks of the leukaemia as it is now: its specimen is not older than the relapse.

    Without a relapse it counts. With a relapse of unknown date it counts provisionally while it is recent.
    """
    if result.value is None or result.when is None:
        return Truth.UNKNOWN
    relapsed = in_relapse(case)
    if relapsed is not Truth.YES:
        return ~relapsed
    relapse = case.fact(RELAPSE)
    if relapse.when is None:
        recent = case.must(topics.PROVISIONAL_RESULT_WINDOW, "policy").value
        return Truth.UNKNOWN if result.within(recent, case.now).state is State.STALE else Truth.YES
    return result.when.on_or_after(relapse.when)


def present_now(case: Case, result: Fact[Mutation]) -> Truth:
    """Whether the marker is present in a result that counts now; an older result says nothing either way."""
    match counts_now(case, result):
        case Truth.YES:
            return holds(result, lambda mutation: mutation.present)
        case Truth.NO | Truth.UNKNOWN:
            return Truth.UNKNOWN
        case other:
            assert_never(other)


def not_for_aml(case: Case) -> str:
    """Why a rule that is true only in AML does not hold here: another indication is on record, and no AML."""
    disease = case.fact(DISEASE)
    if disease.value is not Disease.NONE or not disease.sure:
        return ""  # a doubtful "no AML" keeps the rules of AML
    other = other_indication(case)
    return f"another indication is on record ({other}): a rule for AML was not applied" if other else ""


def running_option(case: Case) -> str:
    """The drug for relapsed AML that the patient takes or holds, "" when there is none."""
    ours = [drug for drug in case.snapshot.drugs if case.snapshot.find(topics.OPTION, drug) is not None]
    orders = case.orders(Role.ACTIVE, Role.ON_HOLD)
    return next((drug for drug in ours if any(drug in order.ingredients for order in orders)), "")


def other_indication(case: Case) -> str:
    """Another disease on record for which the drug may be given, when no AML is."""
    others = set(case.must(topics.SIGNS, "signs", "other indications").value)
    entries = case.fact(PROBLEMS).value or ()
    return next((entry.words for entry in entries if set(entry.keys) & others), "")
