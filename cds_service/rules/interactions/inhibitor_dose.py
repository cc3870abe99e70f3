"""Dose beside a strong CYP3A inhibitor where the label states one, by weight where it says so; and the way back.

Venetoclax has a table of its own. A dose too high at every weight is told without waiting for the weight.
"""

from __future__ import annotations

from typing import assert_never

from cds_service.facts.drugs.medications import MEDICATIONS, Role
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Statement
from cds_service.quantity import Quantity
from cds_service.rules.interactions.partners import (
    MODERATE,
    STRONG,
    benefits,
    effects,
    highest,
    lighter_than_dosed,
    long_acting,
    none_met,
    orders_of,
    recently_ended,
    remedies_of,
    undo_inhibitors,
    weight_of,
    with_cyp3a,
)
from cds_service.rules.rule import Case, Clear, NotApplicable, NotEvaluated, Outcome, Proposal, only_if_weak, rule
from cds_service.rules.standing import child
from cds_service.rules.subjects import Met, Use, doubtful, of_other_drugs, uses
from cds_service.truth import Truth

LIGHTER = "strong inhibitor, lighter"  # the dose for those below the weight from which the fixed dose holds


@rule(
    "dose-beside-inhibitor",
    subjects=uses(topics.DOSE_BESIDE_INHIBITOR),
    sources=("SAF11", "SAF38", "M10", "H2", "H4"),
    pairs=True,
    worst=Level.CRITICAL,
    blind=Level.WARNING,
)
def dose_beside_inhibitor(case: Case, use: Use) -> Outcome:
    """Daily dose beside a strong CYP3A inhibitor, by weight where the label says so.

    Asked of a drug, ordered or else taken, whose source states a dose beside a strong CYP3A inhibitor, when one is on
    the list too; food does not count. Critical when the daily dose is above the stated one; a warning where it or the
    inhibitor's class rests on a weak source, such as recall, or an order is in doubt. A warning, too, when the dose
    cannot be read, or when the patient is below the weight from which it holds.

    A moderate inhibitor is named in the same card where the source speaks of those too. Where the dose does not go by
    weight it is that of adults: for a child the card says so, and proposes none. Where the source first keeps the
    inhibitor, no draft of it is offered to be taken back.

    A weight below the limit that is old or in doubt makes it information. A missing weight that matters, or a
    medication list read in part, goes to the card of gaps as a warning; no body surface is computed.
    """
    orders = use.drafts or use.active
    if not orders:
        return NotApplicable("not taken now")
    others = tuple(other for other in with_cyp3a(case, use, STRONG) if not other.precipitant.food)  # left out, not met
    if not others:
        return none_met(case, use, "strong CYP3A inhibitor")
    limit = case.must(topics.CEILING_BESIDE_INHIBITOR, use.drug, STRONG)
    reached = highest(orders)
    high = reached is not None and reached > limit.value
    lighter = lighter_than_dosed(case, use)
    if high and not (lighter is Truth.YES and weight_of(case).sure):
        return _fire(case, use, others, limit, reached, "over")
    unread = any(order.dose.daily is None for order in orders)
    match lighter:
        case Truth.YES:
            return _fire(case, use, others, limit, reached, "lighter")
        case Truth.NO | Truth.UNKNOWN if unread:
            return _fire(case, use, others, limit, reached, "unread")
        case Truth.UNKNOWN:
            return NotEvaluated((weight_of(case),), _weight_missing(case, use), use.in_play, Level.WARNING)
        case Truth.NO:
            pass
        case other:
            assert_never(other)
    medications = case.fact(MEDICATIONS)
    if not medications.sure:
        return case.blind(medications, about=use.in_play)
    return Clear(f"{reached} is within {limit.value} beside {others[0].drug}")


def _weight_missing(case: Case, use: Use) -> str:
    dose = case.must(topics.DOSE_BESIDE_INHIBITOR, use.drug, "strong inhibitor")
    return f"{use.drug} beside a strong CYP3A inhibitor: {dose.value}; the weight is not known"


def _fire(
    case: Case,
    use: Use,
    others: tuple[Met, ...],
    limit: Statement[Quantity],
    reached: Quantity | None,
    how: str,
) -> Outcome:
    light = how == "lighter"
    words = case.must(topics.DOSE_BESIDE_INHIBITOR, use.drug, LIGHTER if light else STRONG)
    weight = weight_of(case) if case.cite(topics.DOSE_WEIGHT_FROM, use.drug) is not None else None
    remedies = remedies_of(case, use, others)
    back = case.cite(topics.RETURN_WORDS, use.drug)
    moderate = case.cite(topics.MODERATE_CYP3A_INHIBITOR, use.drug) is not None
    also = with_cyp3a(case, use, MODERATE) if moderate else ()
    acting = effects(case, use, (*others, *also), "cyp3a")
    return case.fired(
        Level.CRITICAL if how == "over" else Level.WARNING,
        "dose_beside_inhibitor",
        about=orders_of(use, (*others, *also)),
        drug=use.drug,
        because=(weight,) if light and weight is not None else (),
        says=(words if light else limit, *only_if_weak(case.effect(others[0].drug, "cyp3a"))),
        mentions=(*(each for each in (words, remedies, back) if each is not None), *(each.does for each in acting)),
        deciding=doubtful(use.drafts or use.active, *(other.orders for other in others[:1])),
        propose=(*_correct(case, use, limit, how), *undo_inhibitors(case, use, (*others, *also), remedies)),
        how=how,
        reached=reached,
        words=words,
        said=case.cite(topics.STRONG_CYP3A_INHIBITOR, use.drug),
        others=others,
        also=also,
        effects=acting,
        benefits=benefits(case, (*others, *also)),
        remedies=remedies.value if remedies is not None else (),
        advised=remedies,
        back=back,
        weight=weight,
        child=child(case) if weight is None else "",
        drafted=bool(use.drafts),
    )


def _correct(case: Case, use: Use, limit: Statement[Quantity], how: str) -> tuple[Proposal, ...]:
    """A corrected draft for an adult, where one plain draft is too high and not dosed by weight (once daily then)."""
    by_weight = case.cite(topics.DOSE_WEIGHT_FROM, use.drug) is not None
    if how != "over" or by_weight or child(case) or len(use.drafts) != 1 or not use.drafts[0].dose.plain:
        return ()
    label = f"Change {use.drug} to {limit.value}"
    return (Proposal("dose", label, medication=use.drafts[0], drug=use.drug, daily=limit.value),)


@rule(
    "inhibitor-ended",
    subjects=uses(topics.RETURN_WORDS, roles=(Role.DRAFT, Role.ACTIVE)),
    sources=("SAF38", "M3"),
    worst=Level.INFO,
)
def inhibitor_ended(case: Case, use: Use) -> Outcome:
    """Return to the earlier dose after a strong CYP3A inhibitor ended.

    Asked of a drug, ordered or taken, whose source says how to return after an inhibitor. A line when a strong CYP3A
    inhibitor ended within the window of the policy, with the words of the source, and whether the dose is above the
    lowered one already. Without a day of its end the day of its start counts, that it was to last until now, or that
    it may have been taken beside the lowered dose. One on hold counts as ended, today where this call holds it.

    It is silent while a strong inhibitor is still taken, and the return of venetoclax has its own checks. Where none is
    found and the medication list is missing or was read in part, the card of gaps says so as information.
    """
    if with_cyp3a(case, use, STRONG):
        return Clear("a strong CYP3A inhibitor is still taken")
    limit = case.cite(topics.CEILING_BESIDE_INHIBITOR, use.drug, STRONG)
    ended = recently_ended(case, use, STRONG, lowered=limit.value if limit is not None else None)
    if not ended:
        return none_met(case, use, "strong CYP3A inhibitor that ended lately")
    reached = highest(use.drafts or use.active)
    back = case.must(topics.RETURN_WORDS, use.drug)
    return case.fired(
        Level.INFO,
        "inhibitor_ended",
        about=(*(use.drafts or use.active), *ended),
        drug=use.drug,
        says=(back,),
        mentions=long_acting(case, ended),
        line=True,
        lasting=long_acting(case, ended),
        stopped=ended[0],
        others=of_other_drugs(ended),
        reached=reached,
        high=limit is not None and reached is not None and reached > limit.value,
        back=back,
    )
