"""Codeable concepts: walk every coding in any order, fold system names, fall back to text.

One place for all readers.
"""

from __future__ import annotations

from cds_service.gather.views import CodeableConcept
from cds_service.knowledge.terms import Code, Terms


def codes(concept: CodeableConcept | None, terms: Terms) -> tuple[Code, ...]:
    """Every (system, code) of the concept, the system in its one spelling. Told once: every reader asks."""
    if concept is None:
        return ()
    kept = concept.__dict__
    if "codes" not in kept:
        coded = (coding for coding in concept.coding or () if coding.code)
        kept["codes"] = tuple((terms.system(each.system), (each.code or "").strip()) for each in coded)
    return kept["codes"]  # type: ignore[no-any-return]


def text(concept: CodeableConcept | None) -> str:
    """How the concept is spoken: its text, else the first display."""
    if concept is None:
        return ""
    displays = (coding.display for coding in concept.coding or () if coding.display)
    return concept.text or next(displays, "")


def all_text(concept: CodeableConcept | None) -> str:
    """Text and every display together, for finding words."""
    if concept is None:
        return ""
    kept = concept.__dict__
    if "words" not in kept:
        said = (concept.text, *(coding.display for coding in concept.coding or ()))
        kept["words"] = " | ".join(filter(None, said))
    return kept["words"]  # type: ignore[no-any-return]
