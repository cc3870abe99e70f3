"""Liver and dose: values from which a dose is reconsidered, liver disease on record, and what forbids a drug there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from cds_service.facts.entries import PROBLEMS
from cds_service.facts.fact import Fact, above, at_or_above
from cds_service.facts.values.labs import ALT_ULN, AST_ULN, BILIRUBIN
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Statement
from cds_service.quantity import Quantity
from cds_service.rules.rule import Case, Clear, NotApplicable, Outcome, Proposal, rule
from cds_service.rules.signs import child_pugh, entries_of, keys_of
from cds_service.rules.subjects import Use, doubtful, uses
from cds_service.rules.upper_limits import bilirubin_multiple
from cds_service.truth import Truth, any_of

ADVISED_AGAINST = "advised against"  # the qualifier of a step at which the drug is not given
CLASS_UNKNOWN = "the Child–Pugh class is not on record"
LIVER_TESTS = (
    Proposal("order", "Order bilirubin", order="bilirubin_total"),
    Proposal("order", "Order AST", order="ast"),
    Proposal("order", "Order ALT", order="alt"),
)


@dataclass(frozen=True, slots=True)
class Over:
    """A liver value above a limit."""

    fact: Fact[Quantity]
    limit: Statement[Quantity]


@rule(
    "hepatic-dose",
    subjects=uses(topics.HEPATIC_BILIRUBIN_ABOVE),
    sources=("SAF21", "SAF25", "D52", "D66", "section-11"),
    worst=Level.WARNING,
)
def hepatic_dose(case: Case, use: Use) -> Outcome:
    """Bilirubin, AST and ALT before a drug whose dose depends on the liver.

    Asked of a drug whose dose depends on the liver, when it is ordered, else while it is taken. A warning when
    bilirubin, AST or ALT is above its limit, a multiple of the laboratory's upper limit that the policy sets where no
    source does. The surest value decides, with the step of the source's table where there is one. Where only old or
    doubtful values are too high, it is information and new tests are offered.

    A bilirubin without its upper limit is held against a default of the policy, AST and ALT are not; all three must be
    sure to clear, else the card of gaps says so.
    """
    orders = use.drafts or use.active
    if not orders:
        return NotApplicable("neither drafted nor taken now")
    window = case.must(topics.LAB_WINDOW, "policy").value
    bilirubin = case.must(topics.HEPATIC_BILIRUBIN_ABOVE, use.drug)
    transaminase = case.must(topics.HEPATIC_TRANSAMINASE_ABOVE, use.drug)
    multiple, default = bilirubin_multiple(case, window)
    facts = ((multiple, bilirubin), *((case.fact(key, window), transaminase) for key in (AST_ULN, ALT_ULN)))
    truths = tuple((fact, limit, above(fact, limit.value)) for fact, limit in facts)
    match any_of(truth for _, _, truth in truths):
        case Truth.YES:
            found = tuple(Over(fact, limit) for fact, limit, truth in truths if truth is Truth.YES)
            over = tuple(sorted(found, key=lambda each: not each.fact.sure))  # the surest value decides
            action = case.must(topics.HEPATIC_ACTION, use.drug)
            step = _step(case, use)
            return case.fired(
                Level.WARNING,
                "hepatic_dose",
                about=use.in_play,
                deciding=doubtful(orders),
                drug=use.drug,
                because=(over[0].fact,),
                says=(over[0].limit, action),
                assumed=default if any(each.fact is multiple for each in over) else None,
                propose=() if over[0].fact.sure else LIVER_TESTS,
                holds=step is not None and step.qualifier == ADVISED_AGAINST,
                over=over,
                action=action,
                step=step,
                mentions=(step,) if step else (),
            )
        case Truth.NO:
            return Clear("bilirubin, AST and ALT are below the limits")
        case Truth.UNKNOWN:
            return case.blind(*(fact for fact, _, truth in truths if truth is Truth.UNKNOWN), about=orders)
        case other:
            assert_never(other)


def _step(case: Case, use: Use) -> Statement[str] | None:
    """What the dose table says of the bilirubin measured, the highest step that it reaches."""
    bilirubin = case.fact(BILIRUBIN, case.must(topics.LAB_WINDOW, "policy").value)
    begins, over = (
        tuple(case.must(topic, use.drug, name) for name in case.snapshot.qualifiers(topic, use.drug))
        for topic in (topics.HEPATIC_STEP_FROM, topics.HEPATIC_STEP_ABOVE)
    )
    reached = [step for step in over if above(bilirubin, step.value) is Truth.YES]
    reached += [step for step in begins if at_or_above(bilirubin, step.value) is Truth.YES]
    highest = max(reached, key=lambda step: step.value.value, default=None)
    return case.must(topics.HEPATIC_STEP_ACTION, use.drug, highest.qualifier) if highest else None


@rule(
    "liver-disease",
    subjects=uses(topics.LIVER_DISEASE_ACTION),
    sources=("SAF25", "D52", "section-11"),
    worst=Level.WARNING,
)
def liver_disease(case: Case, use: Use) -> Outcome:
    """Liver disease on record before a drug whose source names a Child–Pugh class.

    Asked of a drug whose source speaks of severe liver disease or a Child–Pugh class, when it is ordered, else while it
    is taken. A warning when liver failure, or liver disease in class C, is on record, or in another class that the
    source forbids: the headline says so then. Information when the class is B, not stated, or contradictory. Class A
    alone is silent.

    The class is read from the words of the problem list and never computed, and liver tests have a check of their own.
    A problem list that is missing or read in part goes to the card of gaps as information.
    """
    orders = use.drafts or use.active
    if not orders:
        return NotApplicable("neither drafted nor taken now")
    problems = case.fact(PROBLEMS)
    found = entries_of(problems, keys_of(case, "liver disease"))
    if not found:
        return Clear("no liver disease on record") if problems.sure else case.blind(problems, about=orders)
    action = case.must(topics.LIVER_DISEASE_ACTION, use.drug)
    pugh = child_pugh(found)
    failing = pugh == "C" or bool(entries_of(problems, keys_of(case, "failing liver")))
    classes = case.cite(topics.LIVER_DISEASE_FORBIDS, use.drug)
    forbids = classes if classes is not None and (failing or pugh in classes.value) else None
    if pugh == "A" and not failing:
        return Clear("Child–Pugh A on record") if problems.sure else case.blind(problems, about=orders)
    return case.fired(
        Level.WARNING,
        "liver_disease",
        about=use.in_play,
        deciding=doubtful(orders),
        drug=use.drug,
        says=(action,),
        mentions=(forbids,) if forbids else (),
        doubts=() if failing or forbids else (f"Child–Pugh {pugh} on record" if pugh else CLASS_UNKNOWN,),
        holds=forbids is not None and not forbids.foreign,
        forbids=forbids,
        entries=found,
        pugh=pugh,
        action=action,
        failing=failing,
    )


@rule(
    "liver-tumour",
    subjects=uses(topics.LIVER_TUMOUR),
    sources=("SAF25",),
    worst=Level.CRITICAL,
    blind=Level.WARNING,
)
def liver_tumour(case: Case, use: Use) -> Outcome:
    """A malignant liver tumour on record before a drug that is contraindicated with an advanced one.

    Asked of a drug that its label forbids with an advanced malignant tumour of the liver, when it is ordered, else
    while it is taken. A warning when such a tumour, one of the bile ducts, or a liver metastasis is on record. It is
    never more, although the label forbids, because no entry tells whether the tumour is advanced.

    A problem list that is missing or read in part, with none found, goes to the card of gaps as a warning.
    """
    orders = use.drafts or use.active
    if not orders:
        return NotApplicable("neither drafted nor taken now")
    problems = case.fact(PROBLEMS)
    found = entries_of(problems, keys_of(case, "liver tumour"))
    if not found:
        return Clear("no malignant liver tumour on record") if problems.sure else case.blind(problems, about=orders)
    said = case.must(topics.LIVER_TUMOUR, use.drug)
    return case.fired(
        Level.CRITICAL,
        "liver_tumour",
        about=use.in_play,
        deciding=doubtful(orders),
        drug=use.drug,
        says=(said,),
        doubts=("whether the tumour is advanced is not on record",),
        entries=found,
        said=said,
    )
