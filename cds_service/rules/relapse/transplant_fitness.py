"""Fitness and a planned transplant: what on record speaks against it, for the transplant centre to weigh."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, assert_never

from cds_service.facts.disease import DISEASE, Disease
from cds_service.facts.entries import PROBLEMS
from cds_service.facts.fact import Fact, at_or_above, at_or_below, below
from cds_service.facts.orders import DRAFTED, ORDERED
from cds_service.facts.values.labs import ECOG, LVEF
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level
from cds_service.quantity import Quantity, plain
from cds_service.rules.dose.clearance import kidney
from cds_service.rules.rule import Case, Clear, NotApplicable, NotEvaluated, Outcome, rule
from cds_service.rules.signs import entries_of, keys_of
from cds_service.rules.standing import RELAPSE_CARD, is_apl
from cds_service.rules.subjects import the_patient
from cds_service.truth import Truth, any_of

PLANNED = "stem_cell_transplant"


@rule("transplant-fitness", subjects=the_patient, sources=("SAF35", "I6"), worst=Level.WARNING)
def transplant_fitness(case: Case, patient: str) -> Outcome:
    """Poor performance status or organ impairment where a transplant is planned.

    It is asked where a transplantation is ordered, whatever the state of the AML: where the patient is viewed, and
    where the order itself is signed. A performance status, an ejection fraction or a creatinine clearance beyond the
    limits of the policy warns, and so does a weak heart or liver on record. The transplant centre decides.

    Missing values stand in the trace only, as no source asks for them here. Where only values that are old or
    preliminary speak, it is one step lower and says so. Lungs, infection and the donor are not looked at. Without AML
    on record it is silent; acute promyelocytic leukaemia is one here.
    """
    ordered = case.fact(ORDERED)
    if PLANNED not in (ordered.value or frozenset()):
        return NotApplicable("no transplant is ordered") if ordered.sure else NotEvaluated((ordered,), quiet=True)
    disease = case.fact(DISEASE)
    if disease.sure and disease.value is Disease.NONE and is_apl(case) is not Truth.YES:
        return NotApplicable("no AML on record")
    ecog_from, clearance_below, lvef_at_most = (
        case.must(topic, "policy")
        for topic in (topics.TRANSPLANT_ECOG_FROM, topics.TRANSPLANT_CLEARANCE_BELOW, topics.TRANSPLANT_LVEF_AT_MOST)
    )
    ecog = case.fact(ECOG, case.must(topics.ECOG_WINDOW, "policy").value)
    lvef = case.fact(LVEF, case.must(topics.LVEF_WINDOW, "policy").value)
    problems = case.fact(PROBLEMS)
    estimate, _ = kidney(case).against((clearance_below.value,))
    weak = keys_of(case, "weak heart") | keys_of(case, "weak liver")
    organs = tuple(entry.words for entry in entries_of(problems, weak))
    slow = Truth.UNKNOWN if estimate is None else below(estimate.fact, clearance_below.value)
    kidneys = (estimate.fact,) if estimate is not None else ()
    values: list[tuple[str, Truth, tuple[Fact[Any], ...]]] = [  # in words, whether it is weak, and read from what
        (f"ECOG {_plain(ecog)} ({ecog.when})", at_or_above(ecog, ecog_from.value), (ecog,)),
        (f"LVEF {lvef.told} ({lvef.when})", at_or_below(lvef, lvef_at_most.value), (lvef,)),
        (", ".join(organs), Truth.of(bool(organs)) if organs or problems.sure else Truth.UNKNOWN, ()),
        (f"creatinine clearance {estimate.fact.told if estimate else ''}", slow, kidneys),
    ]
    weakness = [(words, facts) for words, truth, facts in values if truth is Truth.YES]
    match any_of(truth for _, truth, _ in values):
        case Truth.YES:
            said = case.must(topics.TRANSPLANT_UNFIT, "pathway")
            return case.fired(
                Level.WARNING,
                "transplant_fitness",
                drug=RELAPSE_CARD,
                because=_deciding(facts for _, facts in weakness),
                says=(said, ecog_from),
                of_call=PLANNED in (case.fact(DRAFTED).value or frozenset()),
                found=tuple(words for words, _ in weakness),
                said=said,
            )
        case Truth.NO:
            return Clear("nothing on record speaks against it")
        case Truth.UNKNOWN:
            lacking = kidney(case).missing if slow is Truth.UNKNOWN else ()
            read: tuple[Fact[Any], ...] = (ecog, lvef, problems, *lacking)
            return NotEvaluated(tuple(fact for fact in read if not fact.sure), quiet=True)
        case other:
            assert_never(other)


def _deciding(each: Iterable[tuple[Fact[Any], ...]]) -> tuple[Fact[Any], ...]:
    """What the card rests on: a doubtful value weakens it only where no sure one says the same."""
    found = tuple(each)
    sure = any(all(fact.sure for fact in facts) for facts in found)
    return () if sure else tuple(fact for facts in found for fact in facts)


def _plain(fact: Fact[Quantity]) -> str:
    return "" if fact.value is None else f"{fact.bound}{plain(fact.value.value)}"
