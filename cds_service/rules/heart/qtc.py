"""QTc against its limits: before the start, at a higher dose, on treatment."""

from __future__ import annotations

from typing import assert_never

from cds_service.facts.drugs.medications import Role
from cds_service.facts.fact import holds
from cds_service.facts.values.ecg import ECGS, Ecg
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level
from cds_service.quantity import Quantity
from cds_service.rules.heart.ecg import (
    INTERRUPT,
    REPEAT_ECG,
    action_limit,
    blind_to_qtc,
    current_qtc,
    over,
    start_limit,
    stated_start_limit,
    weighed,
)
from cds_service.rules.heart.holds import held_for_qtc
from cds_service.rules.rule import Case, Clear, NotApplicable, Outcome, rule
from cds_service.rules.subjects import Use, doubtful, removal, uses
from cds_service.rules.treatment import not_taken, taken_since
from cds_service.truth import Truth


@rule(
    "qtc-hold",
    subjects=uses(topics.QTC_HOLD_ABOVE),
    sources=("SAF01", "SAF15", "SAF17", "Q1", "Q2", "Q10", "Q11", "Q12"),
    worst=Level.CRITICAL,
    blind=Level.WARNING,
    before_dose=True,
)
def qtc_over_hold_limit(case: Case, use: Use) -> Outcome:
    """QTc against the limit above which the drug is held.

    Asked of every drug whose source says to hold it above a certain QTc, whether it is ordered, taken or on hold.
    Critical when the newest QTc is above the limit; a warning where the limit was only recalled, read in a text that
    restates the label, or borrowed from another country. A QTc above it that is too old, in doubt or only a bound is a
    warning, and so is one by another formula than Fridericia's where the formula may matter.

    Below the limit only a sure and recent QTc clears, by Fridericia or, at a heart rate where it reads no lower, by
    Bazett; else the card of gaps says so as a warning. At a first order the check of the limit for starting speaks
    instead where its source is as strong; a scheduled ECG that was missed is told as due.
    """
    limit = case.must(topics.QTC_HOLD_ABOVE, use.drug)
    newest = current_qtc(case, use)
    truth, qtc = over(case, newest, limit.value)
    match truth:
        case Truth.YES:
            qtc, confirm = weighed(case, use, newest, qtc, limit.strongest)
            start = start_limit(case, use)
            if start is not None and start.strongest >= limit.strongest:
                return Clear("above the limit for starting: see that check")
            resume = case.cite(topics.QTC_RESUME_AT_MOST, use.drug)
            dose = case.cite(topics.RESUME_DOSE, use.drug)
            action = case.cite(topics.QTC_HOLD_ACTION, use.drug)
            return case.fired(
                Level.CRITICAL,
                "qtc_over_hold_limit",
                about=use.in_play,
                deciding=doubtful(use.in_play),
                drug=use.drug,
                because=(qtc,),
                says=(limit,),
                propose=(*removal(use.drug, use.drafts), REPEAT_ECG),
                waits=use.begins,
                qtc=qtc,
                limit=limit,
                resume=resume,
                dose=dose,
                action=action,
                new=use.begins,
                start=start,
                before=_above_before(case, use, limit.value),
                held=use.is_held,
                confirm=confirm,
                mentions=(action,) if action is not None else (),
            )
        case Truth.NO:
            return Clear(f"{qtc.value.qtc if qtc.value else ''} is not above {limit.value}")
        case Truth.UNKNOWN:
            return blind_to_qtc(case, use, qtc)
        case other:
            assert_never(other)


def _above_before(case: Case, use: Use, limit: Quantity) -> Ecg | None:
    """The newest ECG of an earlier episode above the limit under this drug: lower values lie between it and now."""
    starts = [order.start for order in use.of(Role.ACTIVE, Role.ON_HOLD, Role.PAST) if order.start is not None]
    if not starts:
        return None
    first = min(starts, key=lambda when: when.earliest).earliest.date()
    ecgs = taken_since((ecg for ecg in case.fact(ECGS).value or () if not ecg.doubts and not ecg.bound), first)
    was_lower = False
    for ecg in ecgs:
        if was_lower and ecg.qtc > limit:
            return ecg
        was_lower = was_lower or not ecg.qtc > limit
    return None


@rule("qtc-near-hold", subjects=uses(topics.QTC_HOLD_ABOVE), sources=("SAF01", "Q9"), worst=Level.WARNING)
def qtc_near_hold_limit(case: Case, use: Use) -> Outcome:
    """QTc just below the hold limit at a new order or a restart, or exactly at it on treatment.

    Asked of every drug that is held for a long QTc, at a new order, when it is taken up again, and while it is taken. A
    warning at a start when the QTc is above the caution limit of the policy and not above the hold limit; on treatment,
    when it lies exactly at the hold limit. A QTc too old or in doubt is one step lower; a missing one goes to the card
    of gaps as information.

    It is silent where a check with a limit from the sources speaks: for holding, for starting, or for acting below the
    hold limit on treatment. After a hold for the QTc the check for resuming speaks.
    """
    if use.of(Role.ON_HOLD) and not (use.restarts and held_for_qtc(case, use) is Truth.NO):
        return NotApplicable("on hold: see the check for resuming")
    begins = use.begins or use.restarts
    if begins and stated_start_limit(case, use) is not None:
        return NotApplicable("the sources state a limit for starting: see that check")
    if not begins and action_limit(case, use.drug) is not None:
        return NotApplicable("the sources act below the hold limit: see that check")
    limit = case.must(topics.QTC_HOLD_ABOVE, use.drug)
    caution = case.must(topics.QTC_START_CAUTION_ABOVE, "policy")
    qtc = current_qtc(case, use)
    over_limit, _ = over(case, qtc, limit.value)
    if over_limit is Truth.YES:
        return Clear("above the hold limit: see the check for holding")
    if begins:
        truth, qtc = over(case, qtc, caution.value)
    else:
        truth, qtc = over(case, qtc, limit.value)
        truth = truth | holds(qtc, lambda ecg: ecg.qtc == limit.value)
    match truth:
        case Truth.YES:
            says = (caution,) if begins else (limit,)
            return case.fired(
                Level.WARNING,
                "qtc_near_hold_limit",
                about=use.in_play,
                deciding=doubtful(use.in_play),
                drug=use.drug,
                because=(qtc,),
                says=says,
                propose=(REPEAT_ECG,),
                qtc=qtc,
                limit=limit,
                new=begins,
            )
        case Truth.NO:
            return Clear(f"{qtc.value.qtc if qtc.value else ''} leaves room below {limit.value}")
        case Truth.UNKNOWN:
            return blind_to_qtc(case, use, qtc)
        case other:
            assert_never(other)


@rule(
    "qtc-start-limit",
    subjects=uses(topics.QTC_START_AT_MOST, topics.QTC_ESCALATE_AT_MOST),
    sources=("SAF15", "Q9"),
    worst=Level.CRITICAL,
    blind=Level.WARNING,
    before_dose=True,
)
def qtc_over_start_limit(case: Case, use: Use) -> Outcome:
    """QTc against the limit above which the drug is not started, or its dose not raised.

    Asked when a drug is started or its dose raised, where its source states a QTc above which that is not done. So
    it is until the first day of an order that is signed for a later one.
    Critical above that limit; a warning where the limit is restated or borrowed, the QTc too old, in doubt or by
    another formula, or it is open whether the dose is raised. A QTc that is missing, or that is good and in doubt, goes
    to the card of gaps as a warning.

    A restart after a hold at no higher dose is a warning; where the hold was for the QTc and the source states a value
    for the return, the check for resuming speaks. Above the hold limit the check for holding speaks, where its source
    is stronger or the drug is taken up again.
    """
    raises = _raises_dose(use)
    again = use.restarts and raises is Truth.NO
    if not use.begins and not again and raises is Truth.NO:
        return NotApplicable("neither a start nor a higher dose")
    begins = use.begins or again
    limit = stated_start_limit(case, use) if begins else case.cite(topics.QTC_ESCALATE_AT_MOST, use.drug)
    if limit is None:
        return NotApplicable("no such limit is stated here")
    if again and case.cite(topics.QTC_RESUME_AT_MOST, use.drug) and held_for_qtc(case, use) is not Truth.NO:
        return NotApplicable("held for its QTc: see the check for resuming")
    newest = current_qtc(case, use)
    truth, qtc = over(case, newest, limit.value)
    match truth:
        case Truth.YES:
            qtc, confirm = weighed(case, use, newest, qtc, limit.strongest)
            hold = case.cite(topics.QTC_HOLD_ABOVE, use.drug)
            louder = hold is not None and (again or hold.strongest > limit.strongest)
            if hold is not None and louder and over(case, newest, hold.value)[0] is Truth.YES:
                return Clear("above the hold limit: see the check for holding")
            unsure = not use.is_new and raises is Truth.UNKNOWN
            return case.fired(
                Level.WARNING if again else Level.CRITICAL,
                "qtc_over_start_limit",
                holds=True,
                about=use.in_play,
                deciding=doubtful(use.in_play),
                drug=use.drug,
                because=(qtc,),
                says=(limit,),
                doubts=("whether this order raises the dose is not known",) if unsure else (),
                propose=(*removal(use.drug, use.drafts), REPEAT_ECG),
                waits=begins,
                qtc=qtc,
                limit=limit,
                new=begins,
                again=again,
                confirm=confirm,
            )
        case Truth.NO:
            return Clear(f"{qtc.value.qtc if qtc.value else ''} is not above {limit.value}")
        case Truth.UNKNOWN:
            return blind_to_qtc(case, use, qtc)
        case other:
            assert_never(other)


def _raises_dose(use: Use) -> Truth:
    """Whether a draft gives more a day than is given now."""
    before = [order.dose.daily for order in use.of(Role.ACTIVE, Role.ON_HOLD)]
    drafted = [order.dose.daily for order in use.drafts]
    if not before or not drafted:
        return Truth.NO
    known = [dose for dose in before if dose is not None]
    if len(known) < len(before) or None in drafted:
        return Truth.UNKNOWN
    highest = max(known, key=lambda dose: dose.value)
    return Truth.YES if any(dose > highest for dose in drafted if dose is not None) else Truth.NO


@rule("qtc-action", subjects=uses(topics.QTC_ACT_ABOVE), sources=("SAF15", "SAF17"), worst=Level.WARNING)
def qtc_over_action_limit(case: Case, use: Use) -> Outcome:
    """QTc on treatment above the lower limit, where the drug is reduced, interrupted or reviewed.

    Asked while a drug is taken whose source acts on a QTc below the hold limit. A warning above that lower limit, with
    what the source asks for: a lower dose, an interruption, or a review of the other drugs. A QTc too old or in doubt
    is one step lower; one by another formula stays a warning, to be confirmed where the text does not leave the formula
    open.

    Above the hold limit the check for holding speaks. A QTc that is missing, or good and in doubt, goes to the card of
    gaps as information, and a scheduled ECG that was missed is told as due.
    """
    if not use.taken:
        return not_taken(case, use)
    limit = action_limit(case, use.drug)
    if limit is None:
        return NotApplicable("no such limit is stated here")
    hold = case.must(topics.QTC_HOLD_ABOVE, use.drug)
    newest = current_qtc(case, use)
    if over(case, newest, hold.value)[0] is Truth.YES:
        return Clear("above the hold limit: see the check for holding")
    truth, qtc = over(case, newest, limit.value)
    match truth:
        case Truth.YES:
            qtc, confirm = weighed(case, use, newest, qtc, limit.strongest)
            action = case.must(topics.QTC_ACT_ACTION, use.drug)
            return case.fired(
                Level.WARNING,
                "qtc_over_action_limit",
                about=use.in_play,
                deciding=doubtful(use.in_play),
                drug=use.drug,
                because=(qtc,),
                says=(limit,),
                mentions=(action,),
                propose=(REPEAT_ECG,),
                holds=limit.qualifier == INTERRUPT,
                qtc=qtc,
                limit=limit,
                hold=hold if hold.foreign == limit.foreign else None,
                action=action,
                confirm=confirm,
            )
        case Truth.NO:
            return Clear(f"{qtc.value.qtc if qtc.value else ''} is not above {limit.value}")
        case Truth.UNKNOWN:
            return blind_to_qtc(case, use, qtc)
        case other:
            assert_never(other)
