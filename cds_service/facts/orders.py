"""Orders of tests and services: what is already ordered, so that nothing is suggested twice."""

from __future__ import annotations

import re
from collections.abc import Iterable

from cds_service.facts.concepts import Wording, all_text, told_once, wording
from cds_service.facts.conditions import GRAFTS
from cds_service.facts.fact import Fact, Key, Origin, State, known
from cds_service.facts.values.results import Reading
from cds_service.gather.replies import Reply, Status
from cds_service.gather.resources import Resource, Unreadable
from cds_service.gather.views import Observation, Procedure, ServiceRequest

ORDERED: Key[frozenset[str]] = Key("ordered", "tests already ordered")

DRAFTED: Key[frozenset[str]] = Key("drafted", "tests and services drafted in this call")

TYPED: Key[bool] = Key("hla_typed", "HLA typing that was done")

_OPEN = frozenset({"draft", "active", "on-hold"})
_TYPING = "hla_typing"
_DONE = frozenset({"completed", "final", "amended", "corrected"})
_NOT_DONE = re.compile(
    r"\bnot\s+(?:yet\s+)?(?:done|performed|tested|possible|available)\b"
    r"|\b(?:requested|planned|pending|cancel\w*|to follow)\b"
    r"|\binsufficient\b|\bno (?:hla|tissue).typing\b|\b(?:of|from)\s+(?:\w+\s+){0,2}(?:donor|sibling)s?\b"
    r"|\b(?:geplant|angefordert|ausstehend|prévue?|pendiente|in attesa|gepland)\b"
    r"|\bnicht (?:erfolgt|durchgeführt|möglich)\b"
    r"|\b(?:spenders?|donneur|donante|donatore|dador|geschwister)\b",
    re.IGNORECASE,
)
_AFTER_IT = re.compile(  # a transplantation that was done, and what is ordered now follows from it
    r"\b(?:post|after|following|status|history|chimerism|follow.?up|nach|zustand|après|dopo|después|tras|após)\b|\bs/p\b",
    re.IGNORECASE,
)
_TRANSPLANT = "stem_cell_transplant"
_GRAFTING = GRAFTS - {"history_hsct"}
_ONE_ANTIGEN = re.compile(r"\bb\W?(?:27|57)\b", re.IGNORECASE)  # looked for by itself, for a disease or a drug


def read_orders(reply: Reply, drafts: Iterable[Resource], reading: Reading) -> Fact[frozenset[str]]:
    """The keys of terminology/orders.csv that are already ordered, drafts of this call included."""
    found, unread = _open_in((*drafts, *reply.resources), reading)
    doubts = [f"not every order was read: {reply.why}"] if reply.status is Status.PARTIAL else []
    doubts += unread
    where = Origin("ServiceRequest", reply.source)
    if reply.status in (Status.FAILED, Status.NOT_ASKED):
        state = State.FAILED if reply.status is Status.FAILED else State.NOT_ASKED
        value = found or None
        return Fact(ORDERED, state, value, None, where, doubts=(reply.why,), why=reply.why)
    return known(ORDERED, found, None, where, doubts=tuple(dict.fromkeys(doubts)))


def read_drafted(drafts: Iterable[Resource], reading: Reading) -> Fact[frozenset[str]]:
    """The keys of terminology/orders.csv that this call itself drafts."""
    found, unread = _open_in(drafts, reading)
    return known(DRAFTED, found, None, Origin("ServiceRequest", "draftOrders"), doubts=unread)


def _open_in(resources: Iterable[Resource], reading: Reading) -> tuple[frozenset[str], tuple[str, ...]]:
    """What these orders ask for, as far as they are open, and what one doubts of it."""
    found: set[str] = set()
    doubts: list[str] = []
    for resource in resources:
        quick = resource.view()
        keys = _keys(wording(quick.code, reading.terms)) if isinstance(quick, ServiceRequest) else frozenset()
        view = resource.checked() if keys else quick
        if isinstance(view, Unreadable):
            doubts.append("an order could not be read")
        elif isinstance(view, ServiceRequest) and not view.doNotPerform and (view.status or "draft") in _OPEN:
            found |= keys
    return frozenset(found), tuple(dict.fromkeys(doubts))


def read_typing(resources: Iterable[Resource], reading: Reading) -> Fact[bool]:
    """Whether HLA typing was done: a result, a procedure or a completed order says so. It holds for life.

    Words that deny it, that tell it of a donor, or that name one antigen only are none.
    """
    for resource in resources:
        quick = resource.view()
        if not isinstance(quick, ServiceRequest | Procedure | Observation):
            continue
        if _TYPING not in _keys(wording(quick.code, reading.terms)):
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
    return _NOT_DONE.search(said) is not None


@told_once
def _keys(said: Wording) -> frozenset[str]:
    terms, ordered, words = said.terms, set(said.codes), said.words.lower()
    found = {
        name
        for name, order in terms.orders.items()
        if any((system, code) in ordered for system, code, _ in order.codings) or order.text.lower() in words
    }
    found.update(terms.words["order"].find_all(words))
    if _TRANSPLANT in found and _AFTER_IT.search(said.words):
        found.discard(_TRANSPLANT)
    for code in ordered:
        observed = terms.observations.get(code)
        if observed is not None and observed in terms.orders:
            found.add(observed)
        procedure = terms.listed_condition(*code)
        found |= {_TRANSPLANT} if procedure is not None and not _GRAFTING.isdisjoint(procedure.keys) else set()
        key, category = terms.genomics.get(code, ("", ""))
        found |= {key.lower().replace("-", "_")} if category == "test" else set()
    return frozenset(found)
