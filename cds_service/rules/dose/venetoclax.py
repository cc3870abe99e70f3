"""Venetoclax: dose with inhibitors, return to dose, start in lymphocytic leukaemia."""

from __future__ import annotations

from cds_service.facts.drugs.medications import MEDICATIONS, Medication, Role
from cds_service.facts.entries import PROBLEMS
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Statement
from cds_service.rules.interactions.ceilings import (
    Ceiling,
    apart,
    ceilings,
    imposed,
    inhibitors,
    just_ended,
    ramp_beside,
)
from cds_service.rules.interactions.partners import STRONG, benefits, lasts_on, long_acting
from cds_service.rules.rule import Case, Clear, NotApplicable, Outcome, Proposal, only_if_weak, rule
from cds_service.rules.signs import entries_of, keys_of
from cds_service.rules.standing import child, not_for_aml
from cds_service.rules.subjects import Met, Use, doubtful, last_first, of_other_drugs, over_or_held, removal, uses
from cds_service.rules.treatment import daily_of, taken_together


def _own(found: tuple[Ceiling, ...]) -> tuple[Ceiling, ...]:
    """The lowest ceiling of each inhibitor."""
    return tuple({ceiling.other.drug: ceiling for ceiling in reversed(found)}.values())[::-1]


def _decisive(exceeded: tuple[Ceiling, ...]) -> Ceiling:
    """Of the ceilings exceeded, the one on the strongest word: it sets the level, the lowest names the dose."""
    return max(exceeded, key=lambda ceiling: (_carried(ceiling), -ceiling.limit.value.value))


def _general(found: tuple[Ceiling, ...]) -> Ceiling | None:
    """The ceiling of its class, where the lowest one names an inhibitor that general lists do not call strong (M5)."""
    lowest = found[0]
    if not lowest.by_name or lowest.because.value == STRONG:
        return None
    return next((each for each in found[1:] if each.because == lowest.because), None)


def _carried(ceiling: Ceiling) -> Level:
    """The level that a ceiling carries: its statement, its inhibitor's class, and what one doubts of its orders."""
    level = min(s.strongest for s in (ceiling.limit, *only_if_weak(ceiling.because)))
    return level.one_lower() if doubtful(ceiling.other.orders) else level


@rule(
    "dose-ceiling",
    subjects=uses(topics.RETURN_TO_DOSE),
    sources=("SAF40", "SAF41", "SAF42", "SAF45", "E31", "E32", "E33", "E33b", "M5", "M6", "M7", "M8", "M9", "H4"),
    pairs=True,
    worst=Level.CRITICAL,
    blind=Level.WARNING,
)
def dose_with_inhibitors(case: Case, use: Use) -> Outcome:
    """Daily dose against the ceiling beside CYP3A and P-gp inhibitors.

    Asked of venetoclax, when it is ordered, else while it is taken, beside any drug on the list that inhibits CYP3A or
    P-gp and reaches the blood; food does not count. Critical when the daily dose is above the lowest ceiling for them;
    orders that begin together are added. A warning beside a P-gp inhibitor, where the dose cannot be read, an order is
    in doubt, or the ceiling or the inhibitor's class rests on a weak source. Some that inhibit both count as P-gp
    inhibitors, with the same ceiling.

    Beside cytarabine in low daily dose the higher ceilings of the policy hold. The ceilings are those of adults: for a
    child the card says so, and proposes no dose. Where nothing is above a ceiling, only a
    medication list read completely clears; else the card of gaps says so as a warning.
    """
    orders = use.drafts or use.active
    if not orders:
        return NotApplicable("not taken now")
    medications = case.fact(MEDICATIONS)
    found = ceilings(case, use, inhibitors(case, use))
    if not found:
        return (
            Clear(f"no CYP3A or P-gp inhibitor among the {case.chart.medications.spoken} read")
            if (medications.sure)
            else case.blind(medications, about=use.in_play)
        )
    lowest = found[0]
    above_it = [order for order in orders if order.dose.daily is not None and order.dose.daily > lowest.limit.value]
    unread = [order for order in orders if order.dose.daily is None]
    total = taken_together(orders)
    if not above_it and total is not None and total > lowest.limit.value:
        above_it = list(orders)
    if not above_it and not unread:
        if medications.sure:
            return Clear(f"{orders[0].dose.daily} is within {lowest.limit.value} beside {lowest.other.drug}")
        return case.blind(medications, about=use.in_play)
    order = max(above_it, key=daily_of) if above_it else unread[0]
    reached = max(
        (each.dose.daily for each in above_it if each.dose.daily is not None), key=lambda d: d.value, default=None
    )
    reached = total if total is not None and above_it else reached
    exceeded = tuple(each for each in found if reached is None or reached > each.limit.value)
    decisive = _decisive(exceeded)
    return case.fired(
        Level.CRITICAL if above_it else Level.WARNING,
        "dose_over_ceiling" if above_it else "dose_unread_with_inhibitor",
        about=(*orders, *(each for ceiling in found for each in ceiling.other.orders)),
        drug=use.drug,
        says=(decisive.limit, *only_if_weak(decisive.because)),
        mentions=(lowest.limit,),
        deciding=doubtful(above_it, decisive.other.orders),  # a dose that is not read is one step already
        propose=_correct(case, use, lowest, order) if total is None and len(above_it) < 2 else (),
        order=order,
        total=total,
        child=child(case),
        apart=apart(use, tuple(above_it) or (order,), lowest.other),
        ceiling=lowest,
        above=decisive if decisive.limit.value != lowest.limit.value else None,
        general=_general(found),
        others=tuple(each for each in _own(found) if each.other.drug != lowest.other.drug),
        ramp=_ramp(case, use, lowest),
        back=case.cite(topics.RETURN_TO_DOSE, use.drug),
        drafted=order.role is Role.DRAFT,
        several=len(above_it) > 1,
        added=any(each.role is Role.DRAFT for each in lowest.other.orders),
        choice=case.cite(topics.ANTIFUNGAL_CHOICE, use.drug),
        antifungal="antifungal" in lowest.other.precipitant.drug_class,
        benefits=benefits(case, tuple(each.other for each in _own(found))),
    )


def _ramp(case: Case, use: Use, ceiling: Ceiling) -> Statement[str] | None:
    """The steps of the ramp-up, where they concern this order: a first dose in AML, beside a CYP3A inhibitor."""
    return ramp_beside(case, use, ceiling) if use.is_new and not not_for_aml(case) else None


def _correct(case: Case, use: Use, ceiling: Ceiling, order: Medication) -> tuple[Proposal, ...]:
    """A corrected draft where our drug is the draft; else only the new inhibitor's draft may be taken back.

    A draft of several steps, or whose dose was read from its text, is not rewritten: it may hold a ramp-up; nor is
    that of a child, as the ceilings are those of adults.
    """
    if order.role is Role.DRAFT:
        if not order.dose.plain or not_for_aml(case) or child(case):
            return ()
        drug, dose = use.drug, ceiling.limit.value
        label = f"Change {drug} to {dose}"
        if use.is_new:
            ramp = " (after the ramp-up)" if _ramp(case, use, ceiling) else ""
            label = f"Change the target dose of {drug} to {dose}{ramp}"
        return (Proposal("dose", label, medication=order, drug=drug, daily=dose),)
    return removal(ceiling.other.drug, ceiling.other.orders)


@rule(
    "inhibitor-stopped",
    subjects=uses(topics.RETURN_TO_DOSE, roles=(Role.DRAFT, Role.ACTIVE)),
    sources=("SAF40",),
    worst=Level.INFO,
)
def inhibitor_stopped(case: Case, use: Use) -> Outcome:
    """Return to the earlier dose after an inhibitor was stopped.

    Asked while venetoclax is taken below its usual dose, and of an order that goes on with it or gives it again at such
    a dose; not of a first order, which ramps up. Information, when an inhibitor with a ceiling ended within the window
    of the policy, that the dose may return as the label says; silent while another one is taken. An end on a day not
    stated counts where the inhibitor may have been taken beside venetoclax, and that is said. One on hold counts as
    ended, today where this call holds it.

    Of an inhibitor that stays long in the body, such as amiodarone, the card says that its days are not those of the
    label.

    Why the dose is low is not known here: one lowered for another reason looks the same. A dose that cannot be read, or
    a medication list read in part, goes to the card of gaps as information; that of an order is noted in the record of
    the call.
    """
    usual = case.must(topics.USUAL_DOSE, use.drug)
    window = case.must(topics.RECENTLY_STOPPED, "policy").value
    first = not use.of(Role.ACTIVE, Role.ON_HOLD, Role.PAST)
    orders = (() if first else use.drafts) or use.active
    reduced = [o for o in orders if o.dose.daily is not None and o.dose.daily < usual.value]
    unread = [o for o in orders if o.dose.daily is None]
    if unread and not reduced:
        return case.blind(why=f"dose of {use.drug}: {unread[0].dose.why}", about=orders, quiet=bool(use.drafts))
    total = taken_together(orders)
    if not reduced or (total is not None and total >= usual.value):
        return NotApplicable("no order that goes on below the usual dose")
    if ceilings(case, use, inhibitors(case, use)):
        return Clear("another inhibitor is still taken")
    beside = (*reduced, *use.taken)
    ended = [order for order in last_first(over_or_held(case), case.now) if imposed(case, use, order)]
    stopped = [order for order in ended if _ended_lately(case, beside, order, int(window.value))]
    if stopped:  # what stays in the body for long holds the dose longer than the window
        stopped += [order for order in ended if order not in stopped and lasts_on(case, order)]
    stopped.sort(key=lambda order: not long_acting(case, (order,)))
    if not stopped:
        medications = case.fact(MEDICATIONS)
        if not medications.sure:
            return case.blind(medications, about=use.in_play)
        return Clear(f"no inhibitor stopped within {window} is on record")
    back = case.must(topics.RETURN_TO_DOSE, use.drug)
    return case.fired(
        Level.INFO,
        "inhibitor_stopped",
        about=(*reduced, *stopped),
        drug=use.drug,
        says=(back,),
        mentions=long_acting(case, stopped),
        line=bool(use.drafts),
        drafted=bool(use.drafts),
        lasting=long_acting(case, stopped),
        stays=all(long_acting(case, (order,)) for order in stopped),
        doubts=() if stopped[0].end is not None else ("the day it ended is not known",),
        order=reduced[0],
        total=total,
        stopped=stopped[0],
        others=of_other_drugs(stopped),
        back=back,
        usual=usual,
    )


def _ended_lately(case: Case, ours: tuple[Medication, ...], past: Medication, window: int) -> bool:
    """Whether it ended within the window; without a day of its end, whether it may have been taken beside our drug."""
    if past.end is not None:
        return 0 <= past.end.days_ago(case.now) <= window
    if past.cut_short:
        return True
    began = max((order.start.days_ago(case.now) for order in ours if order.start is not None), default=0)
    return past.start is not None and past.start.days_ago(case.now) <= began + window


@rule("inhibitor-just-stopped", subjects=uses(topics.RETURN_AFTER), sources=("SAF40", "E33"), worst=Level.WARNING)
def inhibitor_just_stopped(case: Case, use: Use) -> Outcome:
    """A dose above the ceiling of an inhibitor that ended only days ago.

    Asked of an order of venetoclax. A warning when its dose is above the ceiling beside an inhibitor that ended within
    the days that the label waits before the return. One that ended on a day not stated is told as information, where it
    began within the window of the policy or was to last until now. So is one that may have been taken beside a dose at
    its ceiling that is taken still. One in whose place another order is written in this call counts as ended today.
    One on hold is told like one that ended: today where this call holds it, else on a day not stated. One that stays in
    the body for long, such as amiodarone, is looked for within a longer window of the policy.

    A dose that cannot be read so soon after an inhibitor goes to the card of gaps as a warning, a medication list read
    in part as information. While the inhibitor is taken, the check of the ceiling speaks.
    """
    if not use.drafts:
        return NotApplicable("not drafted")
    wash_out = case.must(topics.RETURN_AFTER, use.drug)
    for ended in just_ended(case, use):
        limit = ended.ceiling.limit.value
        unread = [draft for draft in use.drafts if draft.dose.daily is None]
        if unread:
            return case.blind(why=f"dose of {use.drug}: {unread[0].dose.why}", about=use.drafts, level=Level.WARNING)
        high = [draft for draft in use.drafts if draft.dose.daily is not None and draft.dose.daily > limit]
        if high:
            lasting = long_acting(case, (ended.order,))
            return case.fired(
                Level.WARNING,
                "inhibitor_just_stopped",
                about=(*use.drafts, ended.order),
                drug=use.drug,
                says=(wash_out, *lasting),
                lasting=lasting,
                counts=case.must(topics.LONG_ACTING_COUNTS, "policy"),
                doubts=() if ended.day_known else ("the day it ended is not known",),
                order=high[0],
                stopped=ended.order,
                ceiling=ended.ceiling,
                back=case.cite(topics.RETURN_TO_DOSE, use.drug),
                known=ended.day_known,
            )
    medications = case.fact(MEDICATIONS)
    none = Clear("no inhibitor is known to have ended in the last days")
    return none if medications.sure else case.blind(medications, about=use.drafts)


@rule(
    "start-contraindicated",
    subjects=uses(topics.START_CONTRAINDICATED),
    sources=("E31",),
    pairs=True,
    worst=Level.CRITICAL,
    blind=Level.WARNING,
)
def contraindicated_at_start(case: Case, use: Use) -> Outcome:
    """Strong CYP3A inhibitors at the start in lymphocytic leukaemia, where the label forbids them.

    Asked when venetoclax is started in chronic lymphocytic leukaemia or small lymphocytic lymphoma, with no AML on
    record. Critical when a strong CYP3A inhibitor is ordered or taken, because the label forbids it at that start; a
    warning where the order is in doubt. A problem list, or with none found a medication list, that is missing or read
    in part goes to the card of gaps as a warning.

    Where AML is or may be on record it is not applied. Weaker inhibitors, and the dose, are left to the check of the
    ceiling.
    """
    if not use.is_new:
        return NotApplicable("not a start")
    problems = case.fact(PROBLEMS)
    lymphocytic = next(iter(entries_of(problems, keys_of(case, "lymphocytic leukaemia"))), None)
    if lymphocytic is None and not problems.sure:
        return case.blind(problems, about=use.drafts)
    if lymphocytic is None or not not_for_aml(case):
        return NotApplicable("no lymphocytic leukaemia on record, or AML beside it")
    said = case.must(topics.START_CONTRAINDICATED, use.drug)
    others = tuple(each for each in inhibitors(case, use) if _strength(case, each) == STRONG)
    if others:
        return case.fired(
            Level.CRITICAL,
            "contraindicated_at_start",
            about=(*use.drafts, *(order for other in others for order in other.orders)),
            drug=use.drug,
            says=(said,),
            deciding=doubtful(use.drafts, (order for other in others for order in other.orders)),
            waits=True,
            said=said,
            others=others,
            disease=lymphocytic,
        )
    medications = case.fact(MEDICATIONS)
    return Clear("no strong CYP3A inhibitor") if medications.sure else case.blind(medications, about=use.drafts)


def _strength(case: Case, other: Met) -> str:
    effect = case.effect(other.drug, "cyp3a")
    return effect.value if effect is not None else ""
