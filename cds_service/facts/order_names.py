"""Names of orders: which tests and services an order asks for, by its codes and its words.

A test that is offered though it is ordered costs less than one that is not offered at all: where the words make another
thing of it, it does not count.
"""

from __future__ import annotations

import re

from cds_service.facts.concepts import Wording, told_once
from cds_service.facts.diagnoses import GRAFTS
from cds_service.knowledge.terms import Terms

TYPING = "hla_typing"
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
# What the words of an order make of another thing than the test of the patient's blood or marrow that they name.
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
LASTING = frozenset({_TRANSPLANT, "conditioning", "donor_search", TYPING})  # done once, whenever it may be
_STANDING = LASTING - {TYPING}  # what is refused is not proposed again; typing that is not to be done is not told
OF_A_DONOR = re.compile(
    r"\b(?:of|from)\s+(?:\w+\s+){0,2}(?:donor|sibling|brother|sister|relative)s?\b"
    r"(?!\s+(?:hospital|institution|site|cent(?:er|re)|clinic|lab|resolution|expression|risk))"
    r"|\b(?:spenders?|geschwister|donneur|donante|donatore|dador)\b",
    re.IGNORECASE,
)
_OF_THE_PATIENT = re.compile(r"\b(?:patient|recipient|empfänger|receveur|receptor|ricevente)", re.IGNORECASE)
_GRAFTING = GRAFTS - {"history_hsct"}


@told_once
def asked_for(said: Wording) -> frozenset[str]:
    """The keys of terminology/orders.csv for which an order of these codes and words asks."""
    words = said.words.lower()
    found = _listed(said) | _named(said)
    if _OF_CELLS.search(words) and not _OF_GENES.search(words):
        found.discard(_PANEL)
    if _TRANSPLANT in found and _is_done(said.words, said.terms):
        found.discard(_TRANSPLANT)
    found |= _coded(said)
    for panel in said.terms.panels:
        if panel.key in found or panel.code in said.codes:
            found |= {panel.key, *panel.covers}
    if OF_A_DONOR.search(said.words) and not _OF_THE_PATIENT.search(said.words):
        found.discard(TYPING)
    return frozenset(found & _STANDING if _NOT_TO_BE_DONE.search(said.words) else found)


def _listed(said: Wording) -> set[str]:
    """What the order is by a code of our table of orders, or by the name that stands in it."""
    ordered, words = set(said.codes), said.words.lower()
    return {
        name
        for name, order in said.terms.orders.items()
        if any((system, code) in ordered for system, code, _ in order.codings) or order.text.lower() in words
    }


def _coded(said: Wording) -> set[str]:
    """What the order is by a code of a result, a procedure or a gene."""
    terms, found = said.terms, set[str]()
    for code in said.codes:
        observed = terms.observations.get(code)
        if observed is not None and observed in terms.orders:
            found.add(observed)
        procedure = terms.listed_condition(*code)
        found |= {_TRANSPLANT} if procedure is not None and not _GRAFTING.isdisjoint(procedure.keys) else set()
        key, category = terms.genomics.get(code, ("", ""))
        found |= {key.lower().replace("-", "_")} if category == "test" else set()
    return found


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
