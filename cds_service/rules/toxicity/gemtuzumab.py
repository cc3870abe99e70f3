"""Gemtuzumab ozogamicin and the liver: SOS/VOD before and on treatment, and the months around a transplant."""

from __future__ import annotations

from calendar import monthrange
from datetime import date

from cds_service.facts.drugs.medications import MEDICATIONS, Role
from cds_service.facts.entries import HISTORY, PROBLEMS, PROCEDURES, Entry
from cds_service.facts.fact import Fact, State, above
from cds_service.facts.orders import DRAFTED, ORDERED
from cds_service.facts.times import When
from cds_service.facts.values.labs import ALP_ULN, ALT_ULN, AST_ULN, BODY_WEIGHT
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Statement
from cds_service.quantity import Quantity
from cds_service.rules.obstruction import SOS, SOS_RULE, suspicion
from cds_service.rules.rule import Case, Clear, NotApplicable, Outcome, rule
from cds_service.rules.signs import Sign, entries_of, keys_of, signs_since_start
from cds_service.rules.subjects import Use, doubtful, uses
from cds_service.rules.treatment import just_given, last_given, long_over
from cds_service.rules.upper_limits import bilirubin_multiple
from cds_service.truth import Truth


@rule(
    SOS_RULE,
    subjects=uses(topics.SOS_VOD, roles=tuple(Role)),
    sources=("SAF30", "E39"),
    worst=Level.WARNING,
    blind=Level.WARNING,
)
def sinusoidal_obstruction(case: Case, use: Use) -> Outcome:
    """Veno-occlusive disease of the liver: on record, suspected on treatment, or to be watched for at the start.

    It is asked of gemtuzumab ozogamicin that is drafted or taken, and is a warning. It speaks where SOS/VOD is on
    record, past or present; where bilirubin above the limit for a dose meets a rise of weight; and at every first
    order or restart. Doubtful values count one step lower. After the last dose it is asked for as long as the label
    tells of an onset: of what is recorded since the course began and not over, and of those values.

    The card lists the liver values on record and those that are missing or unreadable. A record that was not read
    whole is named on the card of a first order or a restart, and else as a gap, as a warning.
    Raised liver values without a gain of weight belong to the check of liver values.
    """
    if not (use.drafts or use.active):
        return _afterwards(case, use) if just_given(case, use) else long_over(case, use)
    boxed = case.must(topics.SOS_VOD, use.drug)
    history = case.fact(HISTORY)
    entries = entries_of(history, keys_of(case, SOS))
    if entries:
        return _said(case, use, "recorded", case.must(topics.SOS_VOD_ACTION, use.drug), entries=entries)
    if suspected := _suspected(case, use):
        return suspected
    if use.is_new or use.restarts:
        return _said(case, use, "start", boxed)
    return Clear("no SOS/VOD on record") if history.sure else case.blind(history, about=use.in_play)


def _afterwards(case: Case, use: Use) -> Outcome:
    """What came since a course that has ended. A problem list that was not read whole is told where it is asked for."""
    entries, doubts = signs_since_start(case, use, keys_of(case, SOS))
    if entries:
        action = case.must(topics.SOS_VOD_ACTION, use.drug)
        return _said(case, use, "recorded", action, entries=entries, doubts=doubts)
    problems = case.fact(PROBLEMS)
    nothing = Clear("no SOS/VOD on record since the course") if problems.sure else case.blind(problems, quiet=True)
    return _suspected(case, use) or nothing


def _suspected(case: Case, use: Use) -> Outcome | None:
    found = suspicion(case, use)
    if found is None:
        return None
    weight, bilirubin, limit = found
    doubts = (*weight.doubts, *(f"{bilirubin.key.label}: {doubt}" for doubt in bilirubin.doubts))
    boxed = case.must(topics.SOS_VOD, use.drug)
    return _said(case, use, "suspected", boxed, weight=weight, bilirubin=bilirubin, limit=limit, doubts=doubts)


def _also_over(case: Case, use: Use) -> tuple[tuple[Fact[Quantity], Statement[Quantity]], ...]:
    """The transaminases that are above the limit for a dose."""
    limit = case.cite(topics.TRANSAMINASE_HOLD_ABOVE, use.drug)
    window = case.must(topics.LAB_WINDOW, "policy").value
    facts = (case.fact(AST_ULN, window), case.fact(ALT_ULN, window))
    return tuple((fact, limit) for fact in facts if limit is not None and above(fact, limit.value) is Truth.YES)


def _said(
    case: Case,
    use: Use,
    how: str,
    says: Statement[str],
    *,
    entries: tuple[Entry, ...] = (),
    weight: Sign | None = None,
    bilirubin: Fact[Quantity] | None = None,
    limit: Statement[Quantity] | None = None,
    doubts: tuple[str, ...] = (),
) -> Outcome:
    boxed = case.must(topics.SOS_VOD, use.drug)
    window = case.must(topics.LAB_WINDOW, "policy").value
    multiple, default = bilirubin_multiple(case, window)
    values = (multiple, *(case.fact(key, window) for key in (AST_ULN, ALT_ULN, ALP_ULN)), case.fact(BODY_WEIGHT))
    history = case.fact(HISTORY)
    over = _also_over(case, use) if limit is not None else ()
    limits = (*((limit,) if limit is not None else ()), *(each for _, each in over[:1]))
    dose = case.cite(topics.LIVER_ACTION, use.drug) if limit is not None else None
    ended = just_given(case, use)[:1]
    orders = use.in_play or ended
    return case.fired(
        Level.WARNING,
        "sos_vod",
        about=orders,
        deciding=doubtful(orders),
        drug=use.drug,
        says=tuple(dict.fromkeys((says, boxed, *limits, *((dose,) if dose is not None else ())))),
        doubts=doubts,
        holds=how != "start",
        how=how,
        boxed=boxed,
        action=case.cite(topics.SOS_VOD_ACTION, use.drug),
        known=tuple(fact for fact in values if fact.usable),
        unread=tuple(fact for fact in values if fact.state is State.UNREADABLE),
        unknown=tuple(fact.key.label for fact in values if not fact.usable and fact.state is not State.UNREADABLE),
        entries=entries,
        unseen=() if history.sure or entries else (history,),
        weight=weight,
        bilirubin=bilirubin,
        limit=limit,
        over=over,
        dose=dose,
        assumed=default,
        ended=last_given(ended[0]) if ended else None,
    )


@rule(
    "transplant-interval",
    subjects=uses(topics.TRANSPLANT_INTERVAL, roles=tuple(Role)),
    sources=("SAF31",),
    worst=Level.WARNING,
    blind=Level.WARNING,
)
def around_a_transplant(case: Case, use: Use) -> Outcome:
    """A transplant before or after the drug, and the months between them.

    It is asked of gemtuzumab ozogamicin that is drafted, taken, held or was given before. A transplant on record warns
    while it is ordered or given, and afterwards one that followed the last dose within the months of the source. A
    transplant that is ordered warns too, also when it is drafted and signed; a donor search or HLA typing is a line.

    After the last dose, a transplant without a date counts one step lower. Procedures or problems not read whole are
    named as a gap, as a warning, and so is an unknown last dose, as information. It is silent once twice those months
    have passed since the last dose; an autologous transplant counts like one from a donor.
    """
    interval = case.must(topics.TRANSPLANT_INTERVAL, use.drug)
    last = _last_dose(use)
    given_now = bool(use.drafts or use.active)
    if not given_now and last is None:
        return case.blind(case.fact(MEDICATIONS), why=f"when {use.drug} was last given is not known", level=Level.INFO)
    end = _months_after(last.latest.date(), interval.value) if last is not None else date.max
    if not given_now and case.now.date() > _months_after(end, interval.value):
        return NotApplicable("given too long ago")
    procedures, history = case.fact(PROCEDURES), case.fact(HISTORY)
    wanted = keys_of(case, "transplant")
    entries = (*entries_of(procedures, wanted), *entries_of(history, wanted))
    after = tuple(entry for entry in entries if _followed(entry, last, end))
    if entries and (given_now or after):
        return _transplant(case, use, Level.WARNING, after or entries, bool(after) and not given_now)
    if not (procedures.sure and history.sure):
        return case.blind(procedures, history, about=use.orders)
    ordered = case.fact(ORDERED)
    open_orders = ordered.value or frozenset()
    planned = bool(keys_of(case, "transplant, as ordered") & open_orders)
    prepared = bool(keys_of(case, "transplant, orders that prepare it") & open_orders)
    if (planned or prepared) and (given_now or case.now.date() < end):
        drafted = bool(keys_of(case, "transplant, as ordered") & (case.fact(DRAFTED).value or frozenset()))
        return _transplant(case, use, Level.WARNING if planned else Level.INFO, (), False, drafted)
    if not ordered.sure:
        return case.blind(ordered, about=use.orders, quiet=True)  # no source asks for the orders
    return Clear("no transplant on record or being prepared")


def _transplant(
    case: Case, use: Use, level: Level, entries: tuple[Entry, ...], after: bool, of_call: bool = False
) -> Outcome:
    interval = case.must(topics.TRANSPLANT_INTERVAL, use.drug)
    elsewhere = case.cite(topics.TRANSPLANT_INTERVAL_ELSEWHERE, use.drug)
    risk = case.must(topics.TRANSPLANT_RISK, use.drug)
    orders = use.orders if after else use.in_play
    undated = after and all(each.when is None for each in entries)
    return case.fired(
        level,
        "transplant_interval",
        about=orders,
        deciding=doubtful(orders),
        drug=use.drug,
        says=(risk,),
        mentions=(interval, *((elsewhere,) if elsewhere else ())),
        doubts=("when the transplant was is not known",) if undated else (),
        line=level is Level.INFO,
        of_call=of_call,
        entries=entries,
        planned=not entries and level is Level.WARNING,
        after=after,
        interval=interval,
        elsewhere=elsewhere,
        risk=risk,
    )


def _last_dose(use: Use) -> When | None:
    given = [order.end or order.start for order in use.of(Role.PAST, Role.ACTIVE, Role.ON_HOLD)]
    return max((when for when in given if when is not None), key=lambda when: when.latest, default=None)


def _followed(entry: Entry, last: When | None, end: date) -> bool:
    """Whether the transplant followed the last dose within the interval; without a date it may have."""
    if last is None or entry.when is None:
        return last is not None
    return entry.when.latest.date() >= last.earliest.date() and entry.when.earliest.date() < end


def _months_after(day: date, interval: Quantity) -> date:
    months = day.month - 1 + int(interval.value)
    year, month = day.year + months // 12, months % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
