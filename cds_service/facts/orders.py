"""Orders of tests and services: what is already ordered, so that nothing is suggested twice.

A test whose order has stood open for long was forgotten or done elsewhere: it does not count, and is offered again. One
that is to come or that recurs does. A transplantation and what prepares it count as long as they are open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from cds_service.facts.concepts import Wording, all_text, told_once, wording
from cds_service.facts.diagnoses import GRAFTS
from cds_service.facts.fact import Fact, Key, Origin, State, known
from cds_service.facts.times import When
from cds_service.facts.values.results import Reading
from cds_service.gather.replies import Reply, Status
from cds_service.gather.resources import Resource, Unreadable
from cds_service.gather.views import Observation, Procedure, ServiceRequest
from cds_service.knowledge.terms import Terms
from cds_service.quantity import Quantity

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
# A transplantation that was done, and what is ordered now follows from it. One that is to be done after something else,
# an induction or its conditioning, is an order of it.
_OF_ONE_DONE = re.compile(r"\b(?:status\b(?!:)|history|chimerism|follow.?up)", re.IGNORECASE)
_AFTER = re.compile(
    r"\b(?:post|after|following|nach|zustand|après|dopo|después|tras|após|s/p)[\s-]+(?:[\w-]+\s+){0,2}+\Z",
    re.IGNORECASE,
)
_NEARBY = 80  # characters before it
_TRANSPLANT = "stem_cell_transplant"
_PANEL = "myeloid_panel"
_OF_CELLS = re.compile(r"flow|cytometr|phenotyp|cytogen|\bfish\b|consult")
_OF_GENES = re.compile(r"\bngs\b|sequenc|mutation|\bgenes?\b|molecular")
# What the words of an order make of another thing than the test of the patient's blood or marrow that they name. A test
# that is offered though it is ordered costs less than one that is not offered at all.
_NOT_TO_BE_DONE = re.compile(
    r"\A\s*(?:no|kein\w*)\b|\b(?<!until )(?:cancel\w*|refused|declined|discontinued?|do not (?:order|do)"
    r"|not (?:needed|required|indicated|wanted|done)|abgelehnt|storniert|abgesetzt|nicht (?:nötig|erforderlich))\b",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"\b(?:urin|sammelurin|stool|stuhl|fa?eces|liquor|pleura|ascit|periton|dialysate|saliva|sweat|schwei(?:ss|ß)"
    r"|effusion|punktat|drain)|\b(?:csf|cerebrospinal|synovial|i\.?\s?u\.)(?!\w)",
    re.IGNORECASE,
)
_NOT_WHOLE = re.compile(r"\b(?:without|except|excluding|minus|ohne|außer|sans|sin|senza|sem|zonder)\b", re.IGNORECASE)
_OF_THE_HEART = re.compile(
    r"\b(?:[ck]ardi|herz|heart|echo|mrt\b|mri\b|dilat|isch[aäe]+m|hypertroph|restri[ck]ti|nicm|dcm|hcm)|\bV\.\s?a\.",
    re.IGNORECASE,
)
_OF_THE_LUNG = re.compile(r"\b(?:lung|pulmon|spiro|bodypleth|body pleth|dlco)", re.IGNORECASE)
_OF_A_TREATMENT = re.compile(
    r"inhibitor|hemmer|inhibiteur|inhibidor|inibitore|remmer|\banti-?\s?cd\s?-?33|\bcar-?\s?t\b"
    r"|cd\s?-?33.{0,3}(?:antibod|antikörper|directed|targeted|gerichtet)",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")
_SHORT = frozenset({"alt", "ast"})  # in small letters words of everyday German too
_OTHER_MEANINGS = {"cmp": _OF_THE_HEART, "lft": _OF_THE_LUNG, "lfts": _OF_THE_LUNG}  # cardiomyopathy, lung function
_IN_BLOOD = frozenset({
    "potassium", "magnesium", "calcium", "phosphate", "uric_acid", "creatinine", "bilirubin_total", "ast", "alt",
    "lipase", "cbc", "cd33", "comprehensive_metabolic_panel", "basic_metabolic_panel", "hepatic_function_panel",
    "electrolyte_panel",
})  # fmt: skip
_OF_THE_LEUKAEMIA = frozenset({"flt3", "flt3_itd", "flt3_tkd", "idh1", "idh2", "npm1", "tp53", "kmt2a", "cd33"})
_FLT3 = frozenset({"flt3", "flt3_itd", "flt3_tkd"})
_OF_FLT3 = re.compile(r"(?<![^\W_])(ITD|TKD)(?![^\W_])", re.IGNORECASE)  # "FLT3-ITD/TKD"
_LASTING = frozenset({_TRANSPLANT, "conditioning", "donor_search", "hla_typing"})  # done once, whenever it may be
_STANDING = _LASTING - {_TYPING}  # what is refused is not proposed again; typing that is not to be done is not told
_OF_A_DONOR = re.compile(
    r"\b(?:of|from)\s+(?:\w+\s+){0,2}(?:donor|sibling|brother|sister|relative)s?\b"
    r"|\b(?:spenders?|geschwister|donneur|donante|donatore|dador)\b",
    re.IGNORECASE,
)
_OF_THE_PATIENT = re.compile(r"\b(?:patient|recipient|empfänger|receveur|receptor|ricevente)", re.IGNORECASE)
_GRAFTING = GRAFTS - {"history_hsct"}
_ONE_ANTIGEN = re.compile(r"\bb\W?(?:27|57)\b", re.IGNORECASE)  # looked for by itself, for a disease or a drug


def read_orders(
    reply: Reply, drafts: Iterable[Resource], reading: Reading, lasts: Quantity
) -> Fact[frozenset[str]]:
    """The keys of terminology/orders.csv that are already ordered, drafts of this call included.

    `lasts`: for how many days an open order of a test counts; what is passed over for that is noted.
    """
    drafted, listed = _open_in(drafts, reading), _open_in(reply.resources, reading, int(lasts.value))
    found = drafted.keys | listed.keys
    doubts = [f"not every order was read: {reply.why}"] if reply.status is Status.PARTIAL else []
    doubts += [*drafted.doubts, *listed.doubts]
    where = Origin("ServiceRequest", reply.source, notes=listed.passed_over)
    if reply.status in (Status.FAILED, Status.NOT_ASKED):
        state = State.FAILED if reply.status is Status.FAILED else State.NOT_ASKED
        value = found or None
        return Fact(ORDERED, state, value, None, where, doubts=(reply.why,), why=reply.why)
    return known(ORDERED, found, None, where, doubts=tuple(dict.fromkeys(doubts)))


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
    for resource in resources:
        quick = resource.view()
        keys = _keys(wording(quick.code, reading.terms)) if isinstance(quick, ServiceRequest) else frozenset()
        view = resource.checked() if keys else quick
        if isinstance(view, Unreadable):
            doubts.append("an order could not be read")
        elif isinstance(view, ServiceRequest) and not view.doNotPerform and (view.status or "draft") in _OPEN:
            since = _due(view, reading) if lasts is not None else None
            old = keys - _LASTING if since is not None and lasts is not None and _is_past(since, lasts, reading) else ()
            passed_over += [f"{key} ({since})" for key in sorted(old)]
            found |= keys.difference(old)
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
    found.update(_named(said))
    if _OF_CELLS.search(words) and not _OF_GENES.search(words):
        found.discard(_PANEL)
    if _TRANSPLANT in found and _is_done(said.words, terms):
        found.discard(_TRANSPLANT)
    for code in ordered:
        observed = terms.observations.get(code)
        if observed is not None and observed in terms.orders:
            found.add(observed)
        procedure = terms.listed_condition(*code)
        found |= {_TRANSPLANT} if procedure is not None and not _GRAFTING.isdisjoint(procedure.keys) else set()
        key, category = terms.genomics.get(code, ("", ""))
        found |= {key.lower().replace("-", "_")} if category == "test" else set()
    for panel in terms.panels:
        if panel.key in found or panel.code in ordered:
            found |= {panel.key, *panel.covers}
    if _OF_A_DONOR.search(said.words) and not _OF_THE_PATIENT.search(said.words):
        found.discard(_TYPING)
    return frozenset(found & _STANDING if _NOT_TO_BE_DONE.search(said.words) else found)


def _named(said: Wording) -> set[str]:
    """What the words of an order ask for, without what they name as another thing."""
    spans = said.terms.words["order"].spans(said.words)
    names = {(said.words[start:end], value) for start, end, value in spans}
    each = {(name.lower(), name.isupper(), value) for name, value in names}  # a long text may repeat one name for ever
    found = {value for name, capitals, value in each if not _is_no_name(said.words, name, capitals=capitals)}
    if any(value in _FLT3 for value in found):
        found |= {f"flt3_{each.lower()}" for each in _OF_FLT3.findall(said.words)}
        found |= _FLT3 if _FLT3 - {"flt3"} <= found else set()
    if _ELSEWHERE.search(said.words) or _NOT_WHOLE.search(said.words):
        found -= _IN_BLOOD
    if _OF_A_TREATMENT.search(said.words):
        found -= _OF_THE_LEUKAEMIA
    return found


def _is_no_name(words: str, name: str, *, capitals: bool) -> bool:
    """Whether what reads as the short name of a test is another word there: "65 Jahre alt", "echo, dilated CMP"."""
    other = _OTHER_MEANINGS.get(name)
    if other is not None:
        return other.search(words) is not None
    if name not in _SHORT or capitals or words.strip().lower() == name:
        return False
    return not set(_WORD.findall(words.lower())) >= _SHORT


def _is_done(words: str, terms: Terms) -> bool:
    """Whether the words speak of what follows a transplantation that was done."""
    places = [start for start, _, value in terms.words["order"].spans(words) if value == _TRANSPLANT]
    return _OF_ONE_DONE.search(words) is not None or any(
        _AFTER.search(words[max(0, start - _NEARBY) : start]) is not None for start in places
    )
