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
        if _is_somebody_else(focus, view.subject) or kinds.find(focus.display or "") is not None:
            return f"it is about somebody or something else ({(focus.display or focus.reference or '')[:_SHOWN]})"
    if specimen and kinds.find(specimen) is not None:
        return f"its specimen is not of the leukaemia ({specimen[:_SHOWN]})"
    return "it is a germline variant, which is none of the leukaemia" if _is_germline(view, reading) else ""


def noted(view: Observation, reading: Reading) -> tuple[str, ...]:
    """The doubts that its notes raise: a specimen of somebody else, mixed up or spoilt."""
    texts = [" ".join((each.text or "").split()) for each in view.note or ()]
    spoilt = reading.terms.words["spoilt specimen"]
    return tuple(f'its note says "{text[:_SHOWN]}"' for text in texts if spoilt.find(text) is not None)


def _is_somebody_else(focus: Reference, subject: Reference | None) -> bool:
    parts = (focus.reference or "").split("/")
    kind = parts[-2] if len(parts) > 1 else ""
    own = (subject.reference or "").rsplit("/", 1)[-1] if subject is not None else ""
    return kind in _PERSONS and (kind, parts[-1]) != ("Patient", own)


def _is_germline(view: Observation, reading: Reading) -> bool:
    for part in view.component or ():
        if "genomic_source_class" in keys_of(part.code, reading.terms):
            value = wording(part.valueCodeableConcept, reading.terms)
            if any(reading.terms.answers.get(code, ("", ""))[1] == "germline" for code in value.codes):
                return True
            if f"{value.words} {part.valueString or ''}".strip().lower().startswith("germline"):
                return True
    return False
