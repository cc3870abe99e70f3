"""Going on: which drafts go on with what is on record, so that the drug is taken all the while.

An order that is based on another of the same drug does. So does a draft in whose call the order in use is stopped, and
an order in use that is signed again under its own id, where the day on which that one was to begin is stated and over.
The day of its writing does not tell that a dose was taken: such a draft starts the drug, and what may be is noted.

An order that has come to its end is renewed by a draft that follows it within a day, or names it: the patient has taken
the drug until then. One that was stopped is none of these, nor is a course of long ago, named or not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from msgspec.structs import replace

from cds_service.facts.drugs.medications import Medication, Role
from cds_service.facts.drugs.prescription import continues, view_of
from cds_service.facts.drugs.routes import SYSTEMIC
from cds_service.facts.times import When
from cds_service.facts.values.results import Spans

_IN_USE = (Role.ACTIVE, Role.ON_HOLD)
_ON_RECORD = " on record"  # after the reference of an order in use that is among the drafts too


def as_one_treatment(
    found: list[Medication], again: Iterable[Medication], stopped: Collection[str], now: datetime, spans: Spans
) -> list[Medication]:
    """The drafts and orders, each with those that it goes on with.

    `again`: the orders on record that are among the drafts under their own ids. `stopped`: the references of those that
    a draft of this call stops. `spans`: how soon after its last day an order is renewed.
    """
    orders = [_based(order, found) for order in found]
    drafts = [order for order in orders if order.role is Role.DRAFT]
    in_use = {order.reference: order for order in again if order.role in _IN_USE}
    anew = [each for each in orders if each.reference in stopped and _written_anew(each, drafts)]
    changed = [each for each in anew if _is_under_way(each, now)]
    over = [each for each in orders if drafts and _may_be_renewed(each)]
    renewed: set[str] = set()
    told: list[Medication] = []
    for order in orders:
        if order.role is Role.DRAFT:
            before = [each for each in over if _is_for(order, each) and _renews(order, each, now, spans)]
            renewed.update(each.reference for each in before)
            draft = _after(order, [*(each for each in changed if _same_way(order, each)), *before])
            perhaps = next((each for each in anew if each not in changed and _is_for(order, each)), None)
            told += _with_its_own(draft, in_use, now) if perhaps is None else (_noting(draft, perhaps, now),)
        else:
            told.append(_stopped_now(order, now) if order.reference in stopped and order not in changed else order)
    told = [replace(each, awaited=True) if _is_awaited(each, told, now, spans) else each for each in told]
    if not renewed:
        return told
    return [replace(each, renewed=True) if each in over and each.reference in renewed else each for each in told]


def _based(order: Medication, every: list[Medication]) -> Medication:
    """An order based on others supersedes those of the same drug; on one of another drug it only follows."""
    view = view_of(order.resource)
    based = continues(view) if view is not None and view.basedOn else ()
    return _after(order, [each for each in every if each.reference in based and each is not order])


def _written_anew(order: Medication, drafts: Iterable[Medication]) -> bool:
    """Whether a draft of the same drug is written in the call that stops an order in use."""
    return order.role in _IN_USE and any(_is_for(draft, order) for draft in drafts)


def _is_for(draft: Medication, order: Medication) -> bool:
    return _same_drug(draft, order) and _same_way(draft, order)


def _after(order: Medication, others: Iterable[Medication]) -> Medication:
    """The order, in the place of those others that are of the same drug."""
    before = [each.reference for each in others if _same_drug(order, each)]
    return replace(order, replaces=(*order.replaces, *before)) if before else order


def _with_its_own(draft: Medication, in_use: Mapping[str, Medication], now: datetime) -> tuple[Medication, ...]:
    """The draft with the order in use that has its id: in its place where that has begun, with a note where it may."""
    own = in_use.get(draft.reference)
    if own is None or not _same_drug(draft, own):
        return (draft,)
    if _has_begun(own, draft, now):
        own = replace(own, reference=f"{own.reference}{_ON_RECORD}")
        return replace(draft, replaces=(*draft.replaces, own.reference)), own
    return (_noting(draft, own, now),)


def _noting(draft: Medication, order: Medication, now: datetime) -> Medication:
    """The draft with how that order stands on record; one of today says nothing, as this is its signing."""
    if order.start is not None and not _day_is_over(order.start, now):
        return draft
    return replace(draft, on_record=f"{order.role.value} on record, {order.start or 'without a date'}")


def _has_begun(order: Medication, draft: Medication, now: datetime) -> bool:
    """Whether the order that is signed again is under way, and the draft does not begin it on a later day."""
    if not _is_under_way(order, now):
        return False
    return not (draft.states_start and draft.start and order.start and draft.start.earliest > order.start.latest)


def _is_under_way(order: Medication, now: datetime) -> bool:
    """Whether it was taken before today, as far as its instructions say: its first day is over, its last is not."""
    view = view_of(order.resource)
    if not order.states_start or order.start is None or (view is not None and view.intent == "plan"):
        return False
    over = order.last_day is not None and order.last_day.latest < now
    return _day_is_over(order.start, now) and not over


def _may_be_renewed(order: Medication) -> bool:
    """Whether the order has come to its end: nobody stopped it before, for whatever reason, and it was no plan."""
    if order.role is not Role.PAST or not order.ingredients or order.reason or "/" not in order.reference:
        return False
    view = view_of(order.resource)
    return view is not None and view.status != "stopped" and view.intent != "plan"


def _renews(draft: Medication, order: Medication, now: datetime, spans: Spans) -> bool:
    """Whether the draft begins so soon after the order's last day; one that it names may leave it open."""
    named = order.reference in draft.replaces
    if order.last_day is None:
        return named and order.start is not None and order.start.days_ago(now) <= int(spans.paused.value)
    stated = draft.start if draft.states_start else None
    begins = stated.earliest if stated is not None and stated.earliest > now else now
    pause = (begins.date() - order.last_day.latest.date()).days
    return pause <= int((spans.renewed_by_name if named else spans.renewed).value)


def _is_awaited(order: Medication, every: Iterable[Medication], now: datetime, spans: Spans) -> bool:
    """Whether the order is signed for a later day, and no other of the drug has run until shortly before that."""
    if order.role is not Role.ACTIVE or not order.states_start or order.start is None or not order.ingredients:
        return False
    first = order.start.earliest.date()
    if first <= now.date():
        return False
    past = (each for each in every if each.role is Role.PAST and _same_drug(order, each))
    days = (each.last_day or each.start for each in past)
    return all(day is not None and (first - day.latest.date()).days > int(spans.renewed_by_name.value) for day in days)


def _day_is_over(when: When, now: datetime) -> bool:
    return when.latest.date() < now.astimezone(when.latest.tzinfo).date()


def _same_drug(one: Medication, other: Medication) -> bool:
    return not set(one.ingredients).isdisjoint(other.ingredients)


def _same_way(one: Medication, other: Medication) -> bool:
    """Whether both reach the blood, or neither says otherwise: an intrathecal dose goes on with no infusion."""
    return "" in (one.route, other.route) or one.route == other.route or SYSTEMIC.issuperset((one.route, other.route))


def _stopped_now(order: Medication, now: datetime) -> Medication:
    """An order that a draft of this call stops: one in use was taken until now, so that what it did may last."""
    if order.role is not Role.ACTIVE:
        return replace(order, role=Role.PAST)
    return replace(order, role=Role.PAST, end=When(now, now))
