"""Substrates: what our drug does to the level or the effect of others, drafted or taken."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Statement
from cds_service.rules.interactions.partners import barred, none_met, orders_of, undo
from cds_service.rules.rule import Case, NotApplicable, Outcome, only_if_weak, rule
from cds_service.rules.subjects import Met, Use, doubtful, met, uses

NARROW_ONLY = frozenset({"pgp"})  # very many drugs are substrates of P-gp: only those count whose level matters
MATTERS = "small-change-matters"
BY_CYP3A = "cyp3a-substrate"  # such a drug may be told of by its own name, too


@dataclass(frozen=True, slots=True)
class Touched:
    """One drug that ours changes: how, on whose word, and why a small change matters, where it does."""

    other: Met
    said: Statement[str]
    is_a: Statement[str] | None
    risk: Statement[str] | None


@rule(
    "effect-on-others",
    subjects=uses(topics.AFFECTS),
    sources=("SAF38", "E33b"),
    pairs=True,
    worst=Level.WARNING,
)
def effect_on_others(case: Case, use: Use) -> Outcome:
    """What our drug does to the level of another; a warning where a small change matters, else a line.

    Asked of a drug, ordered or taken, that is known to change the level or the effect of others. A warning when one of
    these, ordered or taken, is a drug of which a small change matters; else a line.

    A forbidden pair is told as contraindicated. Drugs carried by P-gp count only where a small change matters, because
    they are so many. Where none is found and the medication list is missing or was read in part, the card of gaps says
    so; no dose is computed for the other drug.
    """
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    found = _touched(case, use)
    if not found:
        return none_met(case, use, f"drug whose level {use.drug} is known to change")
    graver = tuple(each for each in found if each.risk is not None) or found
    serious = any(each.risk is not None for each in found)
    surest = max(graver, key=lambda each: (not doubtful(each.other.orders), each.said.strongest))
    others = tuple({each.other.drug: each.other for each in (*graver, *found)}.values())
    return case.fired(
        Level.WARNING if serious else Level.INFO,
        "effect_on_others",
        about=orders_of(use, others),
        drug=use.drug,
        says=(surest.said, *only_if_weak(surest.is_a)),
        mentions=tuple(each.said for each in found),
        deciding=doubtful((*use.drafts, *use.active), surest.other.orders),
        propose=undo(others) if serious else (),
        line=not serious,
        touched=(*graver, *(each for each in found if each not in graver)),
        others=others,
        new=bool(use.drafts),
    )


def _touched(case: Case, use: Use) -> tuple[Touched, ...]:
    """Every drug that ours is said to change, each sentence once; what is forbidden is told elsewhere."""
    forbidden = {other.drug for each in barred(case, use) for other in each.others}
    found: dict[str, Touched] = {}
    for name in case.snapshot.qualifiers(topics.AFFECTS, use.drug):
        said = case.must(topics.AFFECTS, use.drug, name)
        for other in met(case, use, name, MATTERS, BY_CYP3A):
            is_a = case.effect(other.drug, name)
            risk = case.effect(other.drug, MATTERS)
            named = other.drug == name
            if other.drug in forbidden or not (named or _is_substrate(is_a, risk, name)):
                continue
            if other.drug not in found or named:
                found[other.drug] = Touched(other, said, is_a, risk)
    return tuple(found.values())


def _is_substrate(is_a: Statement[str] | None, risk: Statement[str] | None, kind: str) -> bool:
    if is_a is None or is_a.value != "substrate":
        return False
    return risk is not None or kind not in NARROW_ONLY
