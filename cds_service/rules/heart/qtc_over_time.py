"""QTc over time: after a hold, its rise over baseline, and the ECG schedule."""

from __future__ import annotations

from typing import assert_never

from cds_service.facts.drugs.medications import Role
from cds_service.facts.fact import Fact, State, above
from cds_service.facts.times import When
from cds_service.facts.values.ecg import ECGS, QTC, REFUSED, Ecg
from cds_service.facts.values.ecg_names import PARTLY_UNREAD
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Statement
from cds_service.quantity import Quantity
from cds_service.rules.heart.ecg import INTERRUPT, REPEAT_ECG, as_quantity, blind_to_qtc, current_qtc, over
from cds_service.rules.heart.holds import end_not_known, held_for_qtc, longest_above_limit
from cds_service.rules.interactions.partners import STRONG, with_cyp3a
from cds_service.rules.rule import Case, Clear, NotApplicable, Outcome, Proposal, rule
from cds_service.rules.standing import child, has_died
from cds_service.rules.subjects import Use, doubtful, uses
from cds_service.rules.treatment import (
    OPEN_COURSE,
    baseline,
    daily_of,
    days,
    ecg_due_days,
    not_taken,
    possible,
    started,
    taken_since,
    taken_together,
)
from cds_service.truth import Truth


@rule(
    "qtc-resume",
    subjects=uses(topics.QTC_RESUME_AT_MOST),
    sources=("SAF02", "E09", "Q3", "Q4", "Q5"),
    worst=Level.WARNING,
    blind=Level.WARNING,
)
def qtc_after_hold(case: Case, use: Use) -> Outcome:
    """After a hold for QTc: stay on hold, or resume at the reduced dose.

    Asked of a drug on hold, or ordered again during or soon after a course, where that course has a QTc above its limit
    for interrupting, unless another reason for the hold is stated. A warning to stay on hold while the QTc is above the
    source's value for the return, and not near enough to the baseline where the source allows that. Else information
    that it may go on at the source's dose, and a warning when the orders come to more or a dose cannot be read.

    After a QTc that interrupts and is not above the hold limit the baseline does not count, and the dose is the one
    that the source states for it. Where it is open which of the two it was, and beside a strong CYP3A inhibitor or
    where less was taken or the dose held is not read, the label is named for the dose.

    For a child the card says that the dose is that of adults, and proposes none.

    Only a sure QTc within the window of the policy lets it go on; else, or when the ECGs could not be had, the card of
    gaps says so as a warning. Still above the hold limit, the check for holding speaks.
    """
    held = held_for_qtc(case, use)
    match held:
        case Truth.NO:
            return NotApplicable("no hold for QTc on record")
        case Truth.UNKNOWN:
            return case.blind(case.fact(ECGS), case.fact(REFUSED))
        case Truth.YES:
            pass
        case other:
            assert_never(other)
    limit = case.must(topics.QTC_HOLD_ABOVE, use.drug)
    at_most = case.must(topics.QTC_RESUME_AT_MOST, use.drug)
    milder = _only_interrupted(case, use)
    rise = case.cite(topics.QTC_RESUME_WITHIN_BASELINE, use.drug) if milder is Truth.NO else None
    dose = _resume_dose(case, use, milder)
    qtc = case.fact(QTC, case.must(topics.QTC_WINDOW_AT_START, "policy").value)
    over_limit, _ = over(case, qtc, limit.value)
    if over_limit is Truth.YES:
        return Clear("still above the hold limit: see the check for holding")
    base = baseline(case, use, case.fact(ECGS))
    if base is not None and qtc.value is not None and qtc.value.formula is not base.formula:
        base = None  # another formula: not comparable
    above_resume, qtc = over(case, qtc, at_most.value)
    ready = ~above_resume
    if base is not None and rise is not None:
        ready = ready | ~over(case, qtc, base.qtc + rise.value)[0]
    match ready:
        case Truth.YES:
            return _resume(case, use, qtc, base, rise, dose)
        case Truth.NO:
            return case.fired(
                Level.WARNING,
                "qtc_stay_on_hold",
                about=use.in_play,
                deciding=doubtful(use.in_play),
                drug=use.drug,
                because=(qtc,),
                says=(at_most, *((rise,) if rise is not None else ())),
                holds=True,
                propose=(REPEAT_ECG,),
                qtc=qtc,
                limit=at_most,
                rise=rise,
                baseline=base,
                dose=dose,
                open_end=end_not_known(case, use),
            )
        case Truth.UNKNOWN:
            return case.blind(qtc)
        case other:
            assert_never(other)


def _only_interrupted(case: Case, use: Use) -> Truth:
    """Whether no QTc of the course was above the hold limit, and one above the lower limit of an interruption."""
    if case.cite(topics.QTC_ACT_ABOVE, use.drug, INTERRUPT) is None:
        return Truth.NO
    longest = longest_above_limit(case, use)
    if longest is not None and longest.qtc > case.must(topics.QTC_HOLD_ABOVE, use.drug).value:
        return Truth.NO
    return Truth.YES if longest is not None and not longest.bound and case.fact(ECGS).sure else Truth.UNKNOWN


def _resume_dose(case: Case, use: Use, milder: Truth) -> Statement[Quantity] | None:
    """The dose at which the drug goes on: its own after a QTc that only interrupted, none where that is not known.

    After a QTc that only interrupted none beside a strong CYP3A inhibitor either, nor where less was taken, or what was
    taken cannot be read: the reason for less may hold.
    """
    match milder:
        case Truth.YES if with_cyp3a(case, use, STRONG):  # a lower dose is told beside it
            return None
        case Truth.YES:
            full = case.cite(topics.RESUME_DOSE, use.drug, INTERRUPT)
            held = [order.dose.daily for order in use.of(Role.ON_HOLD, Role.ACTIVE)]
            before = [order.dose.daily for order in use.of(Role.PAST) if order.dose.daily is not None]
            known = full is not None and all(daily is not None and daily >= full.value for daily in (*held, *before))
            return full if known else None
        case Truth.NO:
            return case.cite(topics.RESUME_DOSE, use.drug)
        case Truth.UNKNOWN:
            return None
        case other:
            assert_never(other)


def _resume(
    case: Case,
    use: Use,
    qtc: Fact[Ecg],
    base: Ecg | None,
    rise: Statement[Quantity] | None,
    dose: Statement[Quantity] | None,
) -> Outcome:
    at_most = case.must(topics.QTC_RESUME_AT_MOST, use.drug)
    if dose is None:
        return _resume_by_the_label(case, use, qtc, base, rise)
    total = taken_together(use.drafts)
    together = total is not None and total > dose.value
    drafts = tuple(d for d in use.drafts if together or d.dose.daily is None or d.dose.daily > dose.value)
    if use.drafts and not drafts:
        return Clear(f"resumed at {dose.value}, as the source says")
    return case.fired(
        Level.WARNING if drafts else Level.INFO,
        "qtc_resume",
        about=drafts or use.in_play,
        drug=use.drug,
        because=(qtc,),
        says=(dose,),
        propose=_lowered(use, dose) if drafts and not child(case) else (),
        total=total if together else None,
        qtc=qtc,
        limit=at_most,
        rise=rise,
        dose=dose,
        baseline=base,
        before=longest_above_limit(case, use),
        drafted=max(drafts, key=daily_of, default=None),
        child=child(case),
        open_end=end_not_known(case, use),
    )


def _resume_by_the_label(
    case: Case, use: Use, qtc: Fact[Ecg], base: Ecg | None, rise: Statement[Quantity] | None
) -> Outcome:
    """The QTc allows the drug again; at which dose nobody has read, so the label is named and no figure."""
    at_most = case.must(topics.QTC_RESUME_AT_MOST, use.drug)
    return case.fired(
        Level.INFO,
        "qtc_resume",
        about=use.in_play,
        drug=use.drug,
        because=(qtc,),
        says=(at_most,),
        qtc=qtc,
        limit=at_most,
        rise=rise,
        dose=None,
        baseline=base,
        before=longest_above_limit(case, use),
        drafted=None,
        child="",
        total=None,
        open_end=end_not_known(case, use),
    )


def _lowered(use: Use, dose: Statement[Quantity]) -> tuple[Proposal, ...]:
    """The draft with the dose of the source, where there is one and plain: each of several would come to that dose."""
    if len(use.drafts) != 1 or not use.drafts[0].dose.plain:
        return ()
    label = f"Change the draft to {dose.value}"
    return (Proposal("dose", label, medication=use.drafts[0], drug=use.drug, daily=dose.value),)


@rule("qtc-rise", subjects=uses(topics.QTC_RISE_ABOVE), sources=("SAF03", "E09", "Q6", "Q7"), worst=Level.WARNING)
def qtc_rise(case: Case, use: Use) -> Outcome:
    """Rise of the QTc over its baseline on treatment.

    Asked while a drug is taken whose source names a rise of the QTc that calls for action. The baseline is the last
    sure QTc up to the day of the first dose, within the window of the policy. A warning when the newest QTc is above it
    by more than that rise, one step lower when that QTc is old or in doubt; the card says whether a second ECG confirms
    it.

    Without a baseline, with one by another formula, or with one perhaps taken on the drug that shows no rise, the card
    of gaps says so. Above the hold limit the check for holding speaks.
    """
    if not use.taken:
        return not_taken(case, use)
    qtc = current_qtc(case, use)
    ecgs = case.fact(ECGS)
    hold = case.cite(topics.QTC_HOLD_ABOVE, use.drug)
    if hold is not None and over(case, qtc, hold.value)[0] is Truth.YES:
        return Clear("above the hold limit: see the check for holding")
    base = baseline(case, use, ecgs)
    if base is None:
        return case.blind(qtc, why="no baseline ECG before the first dose is on record")
    if qtc.value is None:
        return blind_to_qtc(case, use, qtc)
    if qtc.value.formula is not base.formula:
        return case.blind(
            qtc, why=f"baseline by {base.formula.value}, newest by {qtc.value.formula.value}: not comparable"
        )
    rise = case.must(topics.QTC_RISE_ABOVE, use.drug)
    truth = above(as_quantity(qtc, qtc.value), base.qtc + rise.value)
    match truth:
        case Truth.YES:
            action = case.cite(topics.QTC_RISE_ACTION, use.drug)
            confirmed = _confirmed(case, use, base, rise.value)
            return case.fired(
                Level.WARNING,
                "qtc_rise",
                about=use.in_play,
                deciding=doubtful(use.in_play),
                drug=use.drug,
                because=(qtc,),
                says=(rise,),
                propose=() if confirmed else (REPEAT_ECG,),
                qtc=qtc,
                baseline=base,
                rise=rise,
                delta=qtc.value.qtc - base.qtc,
                confirmed=confirmed,
                action=action,
                dose=case.cite(topics.RESUME_DOSE, use.drug),
            )
        case Truth.NO if base.doubts:
            return case.blind(qtc, why=", ".join(base.doubts))
        case Truth.NO:
            return Clear(f"{qtc.value.qtc} against {base.qtc} at baseline")
        case Truth.UNKNOWN:
            return blind_to_qtc(case, use, qtc)
        case other:
            assert_never(other)


def _confirmed(case: Case, use: Use, base: Ecg, rise: Quantity) -> bool:
    """Whether two sure ECGs, far enough apart, both show the rise and none between them denies it."""
    apart = case.must(topics.REPEAT_ECG_APART, "policy").value
    start = started(case, use)
    if start is None:
        return False
    since = possible(start)[-1 if base.doubts else 0].latest.date()
    ecgs = case.fact(ECGS).value or ()
    risen: list[Ecg] = []
    for ecg in ecgs:
        if ecg.formula is not base.formula or ecg.when is None:
            continue
        if ecg.when.earliest.date() <= since:
            break
        if not ecg.qtc > base.qtc + rise:
            break
        risen += [] if ecg.doubts or ecg.bound else [ecg]
    times = [ecg.when.latest for ecg in risen if ecg.when]
    if not times:
        return False
    hours = (times[0] - times[-1]).total_seconds() / 3600
    return times[0].date() != times[-1].date() or hours >= float(apart.value)


@rule(
    "ecg-schedule",
    subjects=uses(topics.ECG_ON_CYCLE_ONE_DAYS, topics.ECG_ON_DAYS),
    sources=("SAF04", "SAF15", "SAF17", "Q8"),
    worst=Level.WARNING,
)
def ecg_schedule(case: Case, use: Use) -> Outcome:
    """ECGs due on treatment.

    Asked while a drug is taken whose source names days for ECGs, counted from the first dose of the present course. A
    line when an ECG is due within the tolerance of the policy, a warning once it is overdue; a missed one stays overdue
    until a later ECG. Where an earlier order may belong to the course, an ECG that is due only if it does is
    information.

    When the start is not known, or whether an ECG was taken, the card of gaps says so. Only ECGs with a QTc on record
    count, whatever the QTc is; one that is only ordered does not. After a death none is due.
    """
    if not use.taken:
        return not_taken(case, use)
    if died := has_died(case):
        return NotApplicable(died)
    start = started(case, use)
    if start is None:
        return case.blind(
            case.fact(ECGS), why=f"the day {use.drug} was started is not known, so no ECG day can be counted"
        )
    tolerance = days(case.must(topics.ECG_TOLERANCE, "policy").value)
    by_cycle = case.cite(topics.ECG_ON_CYCLE_ONE_DAYS, use.drug)
    schedule = by_cycle or case.must(topics.ECG_ON_DAYS, use.drug)
    ecgs = case.fact(ECGS)
    today = case.now.date()
    due = [each for each in ecg_due_days(case, use, start) if each[0] - tolerance <= today]
    if not due:
        return Clear(f"first ECG due on {_first_due(case, use, start)}")
    taken = ecgs.value or ()
    read = tuple(ecg for ecg in taken if PARTLY_UNREAD not in ecg.doubts)
    surer = case.fact(QTC).surer  # of one ECG the value whose name is not read may be the one that is listed
    read += (surer.value,) if surer is not None and surer.value is not None else ()
    missed = [each for each in due if today > each[0] + tolerance and not taken_since(read, each[0] - tolerance)]
    day, words = (missed or due)[-1]  # an ECG that was missed stays overdue while the next one comes due
    if taken_since(read, day - tolerance):
        return Clear(f"ECG of {words} (due {day}) was taken")
    if taken_since(taken, day - tolerance):
        return case.blind(ecgs, why=f"whether the ECG of {words} (due {day}) was taken is not known: {PARTLY_UNREAD}")
    if not ecgs.sure and ecgs.state is not State.ABSENT:
        return case.blind(ecgs, why=f"whether the ECG of {words} (due {day}) was taken is not known")
    overdue = today > day + tolerance
    surely = (day, words) in ecg_due_days(case, use, possible(start)[-1])
    return case.fired(
        Level.WARNING if overdue else Level.INFO,
        "ecg_due",
        about=use.in_play,
        deciding=doubtful(use.in_play),
        drug=use.drug,
        says=(schedule,),
        doubts=() if surely else (OPEN_COURSE,),
        propose=(REPEAT_ECG,),
        line=not overdue or not surely,
        day=day,
        words=words,
        overdue=overdue,
        schedule=schedule,
        started=start,
        cycle=case.cite(topics.CYCLE_LENGTH, use.drug) if by_cycle else None,
        newest=ecgs.value[0] if ecgs.value else None,
    )


def _first_due(case: Case, use: Use, start: When) -> str:
    due = ecg_due_days(case, use, start)
    return str(due[0][0]) if due else "no day"
