"""Orders of tests and services: what is already ordered, so that nothing is suggested twice.

A test whose order has stood open for long was forgotten or done elsewhere: it does not count, and is offered again. One
that is to come or that recurs does. A transplantation and what prepares it count as long as they are open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from cds_service.facts.concepts import all_text, wording
from cds_service.facts.fact import Fact, Key, Origin, State, known
from cds_service.facts.order_names import LASTING, OF_A_DONOR, TYPING, asked_for
from cds_service.facts.times import When
from cds_service.facts.values.results import Reading
from cds_service.facts.values.versions import each_version
from cds_service.gather.replies import Reply, Status
from cds_service.gather.resources import Resource, Unreadable
from cds_service.gather.views import Observation, Procedure, ServiceRequest
from cds_service.quantity import Quantity

ORDERED: Key[frozenset[str]] = Key("ordered", "tests already ordered")

DRAFTED: Key[frozenset[str]] = Key("drafted", "tests and services drafted in this call")

TYPED: Key[bool] = Key("hla_typed", "HLA typing that was done")

_OPEN = frozenset({"draft", "active", "on-hold"})
_IN_PREPARATION = "preparation"
_DONE = frozenset({"completed", "final", "amended", "corrected"})
_NOT_DONE = re.compile(
    r"\bnot\s+(?:yet\s+)?(?:done|performed|tested|possible|available)\b"
    r"|\b(?:requested|planned|pending|cancel\w*|to follow)\b"
    r"|\binsufficient\b|\bno (?:hla|tissue).typing\b"
    r"|\b(?:geplant|angefordert|ausstehend|prévue?|pendiente|in attesa|gepland)\b"
    r"|\bnicht (?:erfolgt|durchgeführt|möglich)\b",
    re.IGNORECASE,
)
_ONE_ANTIGEN = re.compile(r"\bb\W?(?:27|57)\b", re.IGNORECASE)  # looked for by itself, for a disease or a drug


def read_orders(
    reply: Reply, drafts: Iterable[Resource], reading: Reading, lasts: Quantity, procedures: Iterable[Resource] = ()
) -> Fact[frozenset[str]]:
    """The keys of terminology/orders.csv that are already ordered, drafts of this call included.

    `lasts`: for how many days an open order of a test counts; what is passed over for that is noted. Of the
    `procedures` those that are being prepared count: a transplantation that is planned is one that is ordered.
    """
    drafted, listed = _open_in(drafts, reading), _open_in(reply.resources, reading, int(lasts.value))
    found = drafted.keys | listed.keys | _prepared(procedures, reading)
    doubts = [f"not every order was read: {reply.why}"] if reply.status is Status.PARTIAL else []
    doubts += [*drafted.doubts, *listed.doubts]
    where = Origin("ServiceRequest", reply.source, notes=listed.passed_over)
    if reply.status in (Status.FAILED, Status.NOT_ASKED):
        state = State.FAILED if reply.status is Status.FAILED else State.NOT_ASKED
        value = found or None
        return Fact(ORDERED, state, value, None, where, doubts=(reply.why,), why=reply.why)
    return known(ORDERED, found, None, where, doubts=tuple(dict.fromkeys(doubts)))


def _prepared(procedures: Iterable[Resource], reading: Reading) -> frozenset[str]:
    """What lasts until it is done, and is planned as a procedure. One that cannot be read is told by the procedures."""
    found: set[str] = set()
    for resource, _ in each_version(procedures):
        quick = resource.view()
        if isinstance(quick, Procedure) and quick.status == _IN_PREPARATION:
            keys = asked_for(wording(quick.code, reading.terms)) & LASTING
            found |= keys if keys and not isinstance(resource.checked(), Unreadable) else set()
    return frozenset(found)


def read_drafted(drafts: Iterable[Resource], reading: Reading) -> Fact[frozenset[str]]:
    """The keys of terminology/orders.csv that this call itself drafts."""
    drafted = _open_in(drafts, reading)
    return known(DRAFTED, drafted.keys, None, Origin("ServiceRequest", "draftOrders"), doubts=drafted.doubts)


class _Open(NamedTuple):
    """What orders ask for as far as they are open; what one doubts of it; and which stand open for too long."""

    keys: frozenset[str]
    doubts: tuple[str, ...]
    passed_over: tuple[str, ...]


def _open_in(resources: Iterable[Resource], reading: Reading, lasts: int | None = None) -> _Open:
    """What these orders ask for. `lasts`: for how many days that of a test counts; without it as long as it is open."""
    found: set[str] = set()
    doubts: list[str] = []
    passed_over: list[str] = []
    for resource, differ in each_version(resources):
        quick = resource.view()
        keys = asked_for(wording(quick.code, reading.terms)) if isinstance(quick, ServiceRequest) else frozenset()
        view = resource.checked() if keys else quick
        if isinstance(view, Unreadable):
            doubts.append("an order could not be read")
        elif isinstance(view, ServiceRequest) and not view.doNotPerform and (view.status or "draft") in _OPEN:
            since = _due(view, reading) if lasts is not None else None
            old = keys - LASTING if since is not None and lasts is not None and _is_past(since, lasts, reading) else ()
            passed_over += [f"{key} ({since})" for key in sorted(old)]
            found |= keys.difference(old)
            doubts += [f"of an order: {each}" for each in differ if keys]
    notes = (f"open for long and not counted: {', '.join(passed_over)}",) if passed_over else ()
    return _Open(frozenset(found), tuple(dict.fromkeys(doubts)), notes)


def _due(view: ServiceRequest, reading: Reading) -> When | None:
    """When it is last to be done: on its day, until its end; with neither it dates from when it was written.

    One that recurs without an end has no such day, nor has one without any date.
    """
    if view.occurrenceDateTime:
        return reading.when(view.occurrenceDateTime)
    repeat = view.occurrenceTiming.repeat if view.occurrenceTiming is not None else None
    period = view.occurrencePeriod or (repeat.boundsPeriod if repeat is not None else None)
    if period is not None and (period.start or period.end):
        return reading.when(period.end)
    if view.occurrenceTiming is not None and not view.occurrenceTiming.event:
        return None
    days = [reading.when(day) for day in (view.occurrenceTiming.event or () if view.occurrenceTiming else ())]
    dated = [when for when in days if when is not None]
    return max(dated, key=lambda when: when.latest) if dated else reading.when(view.authoredOn)


def _is_past(due: When, lasts: int, reading: Reading) -> bool:
    return due.days_ago(reading.now) > lasts


def read_typing(resources: Iterable[Resource], reading: Reading) -> Fact[bool]:
    """Whether HLA typing was done: a result, a procedure or a completed order says so. It holds for life.

    Words that deny it, that tell it of a donor, or that name one antigen only are none.
    """
    for resource, _ in each_version(resources):
        quick = resource.view()
        if not isinstance(quick, ServiceRequest | Procedure | Observation):
            continue
        if TYPING not in asked_for(wording(quick.code, reading.terms)):
            continue
        view = resource.checked()
        if isinstance(view, type(quick)) and view.status in _DONE and not _denied(view):
            return known(TYPED, True, None, Origin(resource.reference, "record"))
    return known(TYPED, False, None, Origin("", ""))


def _denied(view: ServiceRequest | Procedure | Observation) -> bool:
    """Whether what tells of the typing says that there was none of the patient, whatever its status."""
    said = all_text(view.code)
    if _ONE_ANTIGEN.search(said) or (isinstance(view, ServiceRequest) and view.doNotPerform):
        return True
    if isinstance(view, Observation):
        if view.dataAbsentReason is not None:
            return True
        said = " | ".join((said, view.valueString or "", all_text(view.valueCodeableConcept)))
    return _NOT_DONE.search(said) is not None or OF_A_DONOR.search(said) is not None
