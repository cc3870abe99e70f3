"""Targets: does the leukaemia carry what the drug aims at, in a result that is not older than the relapse?"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from cds_service.facts.demographics import DECEASED
from cds_service.facts.disease import DISEASE, RELAPSE
from cds_service.facts.fact import Fact
from cds_service.facts.mutations import FLT3_ITD, MARKER_NAMES, Mutation
from cds_service.facts.orders import ORDERED
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level
from cds_service.rules.rule import Case, Clear, NotApplicable, Outcome, Proposal, rule
from cds_service.rules.standing import counts_now, in_relapse, not_for_aml, present_now, running_option
from cds_service.rules.subjects import Use, doubtful, the_patient, uses
from cds_service.truth import Truth, all_of, any_of

PANEL = Proposal("order", "Order a myeloid mutation panel", order="myeloid_panel")
REPEAT_TEST = Proposal("order", "Order FLT3-ITD and FLT3-TKD testing", order="flt3")


@rule(
    "target", subjects=uses(topics.TARGETS), sources=("D20", "D05", "SAF13"), worst=Level.WARNING, blind=Level.WARNING
)
def target(case: Case, use: Use) -> Outcome:
    """Target of the drug in the newest results."""
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    if elsewhere := not_for_aml(case):
        return case.blind(why=elsewhere, level=Level.INFO)
    targets = case.must(topics.TARGETS, use.drug)
    results = tuple(case.fact(MARKER_NAMES[name]) for name in targets.value)
    present = any_of(present_now(case, result) for result in results)
    match present:
        case Truth.YES:
            doubted = [fact for fact in results if present_now(case, fact) is Truth.YES and not fact.sure]
            sure = [fact for fact in results if present_now(case, fact) is Truth.YES and fact.sure]
            if sure or not doubted:
                return Clear(f"{(sure or doubted)[0].key.label} present ({(sure or doubted)[0].when})")
            return case.blind(doubted[0])
        case Truth.NO:
            return case.fired(
                Level.WARNING,
                "target_absent",
                about=use.in_play,
                deciding=doubtful(use.in_play),
                drug=use.drug,
                because=results,
                says=(targets,),
                results=results,
                targets=targets,
                waits=True,
                new=bool(use.drafts),
            )
        case Truth.UNKNOWN:
            return _unknown_target(case, use, results)
        case other:
            assert_never(other)


def _unknown_target(case: Case, use: Use, results: tuple[Fact[Mutation], ...]) -> Outcome:
    """An older result is said with its date; no result at all is a gap.

    Running treatment is not questioned for that.
    """
    old = tuple(fact for fact in results if fact.value is not None and counts_now(case, fact) is not Truth.YES)
    if not use.drafts:
        why = "treatment is running; no newer result denies its target"
        return replace(case.blind(*(fact for fact in results if not fact.sure), why=why, about=use.in_play), quiet=True)
    if not old:
        known = "; ".join(f"{fact.key.label} absent on {fact.when}" for fact in results if fact.sure)
        return case.blind(*(fact for fact in results if not fact.sure), why=known)
    targets = case.must(topics.TARGETS, use.drug)
    stability = tuple(
        statement for fact in old if (statement := case.cite(topics.MUTATION_STABILITY, "pathway", fact.key.name))
    )
    return case.fired(
        Level.WARNING,
        "target_older_than_relapse",
        about=use.in_play,
        deciding=doubtful(use.in_play),
        drug=use.drug,
        says=(targets, *stability),
        propose=(REPEAT_TEST,),
        results=old,
        waits=True,
        certain=counts_now(case, old[0]) is Truth.NO,
        relapse=case.fact(RELAPSE),
        stability=stability,
    )


@rule("mutations-at-relapse", subjects=the_patient, sources=("D04", "D05", "E47"), worst=Level.INFO)
def mutations_at_relapse(case: Case, patient: str) -> Outcome:
    """Mutation results since the relapse."""
    if case.fact(DECEASED).value:
        return NotApplicable("the record says that the patient has died")
    match in_relapse(case):
        case Truth.NO:
            return NotApplicable("no relapsed or refractory AML on record")
        case Truth.UNKNOWN:
            return case.blind(case.fact(DISEASE))
        case Truth.YES:
            pass
        case other:
            assert_never(other)
    results = tuple(case.fact(key) for key in MARKER_NAMES.values())
    current = all_of(counts_now(case, result) if result.sure else Truth.UNKNOWN for result in results)
    changed = tuple(words for result in results if (words := _change(case, result)))
    repeat = case.must(topics.REPEAT_MUTATIONS, "pathway")
    if not changed and current is Truth.YES:
        return Clear("FLT3-ITD and FLT3-TKD were tested since the relapse")
    if not changed and running_option(case):
        return NotApplicable(f"treatment of the relapse is on record ({running_option(case)})")
    return case.fired(
        Level.INFO,
        "mutations_at_relapse",
        drug="mutations" if changed else "relapse",
        says=(repeat,),
        line=not changed,
        propose=() if current is Truth.YES or _testing_ordered(case) else (PANEL,),
        repeat=repeat,
        results=results,
        changed=changed,
        complete=current is Truth.YES,
        relapse=case.fact(RELAPSE),
        stability=case.cite(topics.MUTATION_STABILITY, "pathway", FLT3_ITD.name),
    )


def _testing_ordered(case: Case) -> bool:
    """Whether a panel or FLT3 testing is ordered already."""
    return bool((case.fact(ORDERED).value or frozenset()) & {"myeloid_panel", "flt3", "flt3_itd", "flt3_tkd"})


def _change(case: Case, result: Fact[Mutation]) -> str:
    """What was lost or gained between an earlier result and one that counts now."""
    if result.value is None or counts_now(case, result) is not Truth.YES:
        return ""
    newest = result.value.results[0]
    earlier = next((each for each in result.value.results[1:] if each.outcome != newest.outcome), None)
    if earlier is None:
        return ""
    word = "gained" if newest.outcome == "present" else "lost"
    return f"{result.key.label} {word}: {earlier.outcome} on {earlier.when}, {newest.outcome} on {newest.when}"
