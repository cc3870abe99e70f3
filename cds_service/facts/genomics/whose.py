"""Whose: results that are not of the patient's leukaemia, but of a donor, a relative, other cells or the germline.

Such a result decides nothing and is told with its reason. What a note says of a wrong or spoilt specimen is a doubt.
"""

from __future__ import annotations

from cds_service.facts.concepts import wording
from cds_service.facts.genomics.details import keys_of
from cds_service.facts.values.results import Reading
from cds_service.gather.views import Observation, Reference

_SHOWN = 60  # characters of the words that are repeated
_PERSONS = ("RelatedPerson", "Patient")


def not_of_the_leukaemia(view: Observation, specimen: str, reading: Reading) -> str:
    """Why the result says nothing of the leukaemia: its focus, its specimen or its source class; "" where it may."""
    kinds = reading.terms.words["other specimen"]
    for focus in view.focus or ():
        if _is_somebody_else(focus, view.subject) or any(kinds.find_all(focus.display or "")):
            return f"it is about somebody or something else ({(focus.display or focus.reference or '')[:_SHOWN]})"
    if specimen and any(kinds.find_all(specimen)):
        return f"its specimen is not of the leukaemia ({specimen[:_SHOWN]})"
    return "it is a germline variant, which is none of the leukaemia" if _is_germline(view, reading) else ""


def noted(view: Observation, reading: Reading) -> tuple[str, ...]:
    """The doubts that its notes raise: a specimen of somebody else, mixed up or spoilt."""
    spoilt = reading.terms.words["spoilt specimen"]
    doubts = []
    for note in view.note or ():
        text = " ".join((note.text or "").split())
        if not reading.follows(text):
            doubts.append("its note was not followed: more text than can be read in one call")
        elif any(spoilt.find_all(text)):
            doubts.append(f'its note says "{text[:_SHOWN]}"')
    return tuple(dict.fromkeys(doubts))


def _is_somebody_else(focus: Reference, subject: Reference | None) -> bool:
    kind, name = _named(focus)
    return kind in _PERSONS and (subject is None or (kind, name) != _named(subject))


def _named(reference: Reference) -> tuple[str, str]:
    """The type and the id that a reference ends with, its version left out."""
    parts = (reference.reference or "").partition("/_history/")[0].split("/")
    return (parts[-2], parts[-1]) if len(parts) > 1 else ("", "")


def _is_germline(view: Observation, reading: Reading) -> bool:
    for part in view.component or ():
        if "genomic_source_class" in keys_of(part.code, reading.terms):
            value = wording(part.valueCodeableConcept, reading.terms)
            if any(reading.terms.answers.get(code, ("", ""))[1] == "germline" for code in value.codes):
                return True
            if f"{value.words} {part.valueString or ''}".strip().lower().startswith("germline"):
                return True
    return False
