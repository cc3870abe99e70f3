"""Codeable concepts: walk every coding in any order, fold system names, fall back to text.

One place for all readers.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.gather.views import CodeableConcept
from cds_service.knowledge.terms import Code, Terms


def codes(concept: CodeableConcept | None, terms: Terms) -> Iterator[Code]:
    """Every (system, code) of the concept, the system in its one spelling."""
    for coding in (concept.coding or ()) if concept else ():
        if coding.code:
            yield terms.system(coding.system), coding.code.strip()


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
    return " | ".join(filter(None, (concept.text, *(coding.display for coding in concept.coding or ()))))
