"""Holds: whether a drug was interrupted for its QTc, so that it may be resumed or has to wait. Shared by topics."""

from __future__ import annotations

from itertools import takewhile

from cds_service.facts.drugs.medications import Medication, Role
from cds_service.facts.fact import State
from cds_service.facts.times import When
from cds_service.facts.values.ecg import ECGS, REFUSED, Ecg
from cds_service.knowledge import topics
from cds_service.quantity import Quantity
from cds_service.rules.heart.ecg import INTERRUPT
from cds_service.rules.once import once
from cds_service.rules.rule import Case
from cds_service.rules.subjects import Use
from cds_service.rules.treatment import taken_since
from cds_service.truth import Truth


@once
def held_for_qtc(case: Case, use: Use) -> Truth:
    """Whether this drug was held for its QTc: a QTc above the limit was recorded in the course that was interrupted.

    The limit is the lower one where the sources interrupt above it already.

    A hold is an order on hold, or a new draft after a course that ended not long ago, with none that goes on. A hold
    for a stated other reason is none of ours; a reason that may stand for the QTc, as an adverse reaction does, leaves
    it to the ECGs. An order that says that it was stopped for its QTc stays a hold beside a
    running one, until a sure QTc since then is back at the source's value for the return.
    """
    held, active = use.of(Role.ON_HOLD), tuple(each for each in use.of(Role.ACTIVE) if not each.renewed)
    over = (order for order in use.of(Role.PAST, Role.ACTIVE) if order.role is Role.PAST or order.renewed)
    ended = tuple(order for order in over if _not_long_ago(case, use, order))
    if not held and not (use.drafts and ended):
        return Truth.NO
    if not held and active and not any(_stopped_for_qtc(case, use, order) for order in ended):
        return Truth.NO
    reasons = [order.reason for order in held if order.reason]
    if reasons and not any(_may_be_qtc(reason) for reason in reasons):
        return Truth.NO
    ecgs = case.fact(ECGS)
    if ecgs.value is None:
        return Truth.NO if ecgs.state is State.ABSENT and not held else Truth.UNKNOWN
    if longest_above_limit(case, use) is not None:
        return Truth.YES
    return Truth.NO if ecgs.sure and not _refused_in_course(case, use) else Truth.UNKNOWN


def _refused_in_course(case: Case, use: Use) -> bool:
    """Whether an ECG of that course cannot be used: it may have had the QTc for which the drug was held."""
    start = _begun(case, use)
    refused = case.fact(REFUSED).value or ()
    return any(when is None or start is None or when.latest.date() >= start.earliest.date() for when in refused)


def longest_above_limit(case: Case, use: Use) -> Ecg | None:
    """The longest QTc above the limit that was recorded since the drug was begun, if there is one."""
    start = _begun(case, use)
    ecgs = case.fact(ECGS).value or ()
    limit = _limit(case, use)
    on_drug = ecgs if start is None else taken_since(ecgs, start.earliest.date())
    return max((ecg for ecg in on_drug if ecg.qtc > limit), key=lambda ecg: ecg.qtc, default=None)


def _begun(case: Case, use: Use) -> When | None:
    """When the course was begun that goes on, is held or ended not long ago."""
    begun = (order.start for order in use.of(Role.ACTIVE, Role.ON_HOLD) if order.start)
    ended = (order.start for order in use.of(Role.PAST) if order.start and _not_long_ago(case, use, order))
    return min((*begun, *ended), key=lambda when: when.earliest, default=None)


def _limit(case: Case, use: Use) -> Quantity:
    """The QTc above which this drug is held."""
    interrupt = case.cite(topics.QTC_ACT_ABOVE, use.drug, INTERRUPT)
    return (interrupt or case.must(topics.QTC_HOLD_ABOVE, use.drug)).value


def _names_qtc(reason: str) -> bool:
    return "qt" in reason.lower()


_HARM = ("adverse", "side effect", "intoleran", "toxicity", "interact")  # what a hold for a QTc is filed under


def _may_be_qtc(reason: str) -> bool:
    return _names_qtc(reason) or may_be_toxic(reason)


def may_be_toxic(reason: str) -> bool:
    """Whether a reason stands for harm that the drug did, and does not say which."""
    return any(words in reason.lower() for words in _HARM)


def _stopped_for_qtc(case: Case, use: Use, order: Medication) -> bool:
    """Whether an order says that it was stopped for its QTc, and no sure QTc since then is back.

    Where it does not say when, the QTcs since the newest above the limit count.
    """
    if not _names_qtc(order.reason):
        return False
    back = case.cite(topics.QTC_RESUME_AT_MOST, use.drug)
    ecgs = case.fact(ECGS).value or ()
    if order.end is not None:
        since = taken_since(ecgs, order.end.latest.date())
    else:
        limit = _limit(case, use)
        since = tuple(takewhile(lambda ecg: not ecg.qtc > limit, ecgs))
    return back is None or not any(ecg.qtc <= back.value for ecg in since if not ecg.doubts and not ecg.bound)


def end_not_known(case: Case, use: Use) -> bool:
    """Whether the course that is resumed ended on a day that its orders do not state."""
    ended = [order for order in use.of(Role.PAST) if _not_long_ago(case, use, order)]
    return bool(ended) and not use.of(Role.ON_HOLD, Role.ACTIVE) and all(order.last_day is None for order in ended)


def _not_long_ago(case: Case, use: Use, order: Medication) -> bool:
    """Whether a past order belongs to the course that is resumed: it ended not longer ago than a course may pause.

    One without a last day may have lasted as long as an open order may: that it did is taken from its reason, where
    that may be the QTc, or from a QTc above the limit since it began that is not older than a pause.
    """
    pause = int(case.must(topics.COURSE_GAP, "policy").value.value)
    if order.last_day is not None or order.start is None:
        return order.last_day is not None and order.last_day.days_ago(case.now) <= pause
    since = order.start.days_ago(case.now)
    if since <= pause:
        return True
    if since > int(case.must(topics.OPEN_ORDER_LASTS, "policy").value.value):
        return False
    return _may_be_qtc(order.reason) or _lately_above(case, use, order.start, pause)


def _lately_above(case: Case, use: Use, start: When, pause: int) -> bool:
    """Whether a QTc above the limit was recorded since that day, and not longer ago than a course may pause."""
    limit = _limit(case, use)
    ecgs = taken_since(case.fact(ECGS).value or (), start.earliest.date())
    return any(ecg.qtc > limit and ecg.when is not None and ecg.when.days_ago(case.now) <= pause for ecg in ecgs)
