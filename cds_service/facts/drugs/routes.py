"""Routes: how a drug reaches the body, by the codes and words of an order and of its product.

Words for a place ("vaginal", "injection") are told before words for a shape ("tablet", "suspension"): a vaginal tablet
is not swallowed. Where several are named, one that reaches the whole body counts: in doubt the drug is systemic.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from cds_service.facts.concepts import all_text, codes
from cds_service.facts.drugs.pieces_in_words import PIECE
from cds_service.gather.views import CodeableConcept, MedicationRequest
from cds_service.knowledge.terms import Terms

SYSTEMIC = frozenset({"oral", "parenteral", "transdermal"})
INTRATHECAL = "intrathecal"  # into the spinal fluid
_FIRST = SYSTEMIC | {INTRATHECAL}  # more than these a body cannot be reached
_LEFT_OPEN = re.compile(  # what denies a route, leaves a choice, or makes it that of something else
    r"\b(?:no|not|never|without|avoid\w*|fatal\w*|if|unless|until|or|kein\w*|nicht|nie|ohne|wenn|oder"
    r"|pas|jamais|sans|ou|nunca|sin|non|senza|niet|geen|zonder|als"
    r"|before|after|prior|during|with|between|plus|and|vor|nach|mit|während|und|avant|après|avec|et|antes|después|con"
    r"|prima|dopo|voor|na|met|hydration|fluids?|line|access|antibiotics?|pre-?medic\w*)\b",
    re.IGNORECASE,
)
_SWALLOWED = re.compile(rf"\b{PIECE}|\b(?:swallow|chew|schluck|avaler|tragar|deglutire)", re.IGNORECASE)

_TABLET = re.compile(r"\s*(?:tab|tbl|cap|cáp|kaps|kps|pill|gél|compr|drag|cpr|cps)", re.IGNORECASE)


def ordered(view: MedicationRequest, terms: Terms) -> str:
    """The route as ordered; "" where the order states none."""
    return _one(route for dosage in view.dosageInstruction or () for route in told(dosage.route, terms))


def instructed(texts: Iterable[str], terms: Terms) -> str:
    """The route that the words of the instructions name, for an order that states none elsewhere; "" where in doubt.

    Only one by which the whole body or the spinal fluid is reached: a word of the skin or the eye may be of anything,
    and would silence checks. Two of them, a denial or a choice tell none, nor does an injection beside tablets.
    """
    every = [text for text in texts if text]
    routes = {route for text in every for route in terms.words["route"].find_all(text)}
    if len(routes) != 1 or not routes <= _FIRST or any(_LEFT_OPEN.search(text) for text in every):
        return ""
    (route,) = routes
    return "" if route != "oral" and any(_SWALLOWED.search(text) for text in every) else route


def of_pieces(units: Iterable[str]) -> str:
    """By mouth, where a dose is counted in tablets or capsules; "" where it is not: "Stück" may be ampoules."""
    return "oral" if any(_TABLET.match(unit) for unit in units) else ""


def named(concept: CodeableConcept | None, terms: Terms) -> str:
    """The one route that a concept names; "" where it names none."""
    return _one(told(concept, terms))


def told(concept: CodeableConcept | None, terms: Terms) -> tuple[str, ...]:
    """The routes that a concept names: by its codes, else by its words."""
    coded = [terms.routes[code] for code in codes(concept, terms) if code in terms.routes]
    return tuple(dict.fromkeys(coded)) or spoken(all_text(concept), terms)


def spoken(text: str, terms: Terms) -> tuple[str, ...]:
    """The routes that a text names."""
    return terms.words["route"].find_all(text) or terms.words["form"].find_all(text)


def of_product(words: str, form: CodeableConcept | None, listed: str, terms: Terms) -> str:
    """The route of a product: by its words and the form of its Medication, else by what our tables say of its code."""
    return _one((*spoken(f"{words} | {all_text(form)}", terms), *told(form, terms))) or listed


def _one(routes: Iterable[str]) -> str:
    every = tuple(routes)
    return next((route for route in every if route in _FIRST), next(iter(every), ""))
