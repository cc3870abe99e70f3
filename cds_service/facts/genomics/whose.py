"""Whose: results that are not of the patient's leukaemia, but of a donor, a relative, other cells or the germline.

Such a result decides nothing and is told with its reason. What a note says of a wrong or spoilt specimen is a doubt,
and so is a specimen whose name tells of the patient's own cells as well.
"""

from __future__ import annotations

import re

from cds_service.facts.concepts import wording
from cds_service.facts.genomics.details import keys_of
from cds_service.facts.values.results import Reading
from cds_service.gather.views import Observation, Reference

_SHOWN = 60  # characters of the words that are repeated
_PERSONS = ("RelatedPerson", "Patient")
# Names that tell of the patient's own cells beside a donor or a normal control: "marrow, post HSCT (unrelated donor)".
_OWN_TOO = re.compile(
    r"\b(?:post|after|nach|après|tras|dopo|após)\b.{0,60}?(?:transplant|trasplant|trapiant|[sh]ct\b|bmt\b|graft|greffe)"
    r"|\brecipient|\bchim(?:a?er|är|ér)|\bsomati|\btumou?r\b|\bpaired\b|\bmatched (?:normal|buccal|germ)"
    r"|\bleuka?emic\b|\bblasts\b|\b(?:not|no) (?:a |the |of )*(?:donor|germ)|\bgerm-?line (?:excluded|subtracted)",
    re.IGNORECASE,
)
_NOT_GERMLINE_ALONE = re.compile(r"somati|tumou?r|\bnot?\b|unlikely|exclu|possibl|undetermined|unknown", re.IGNORECASE)


def not_of_the_leukaemia(view: Observation, specimen: str, reading: Reading) -> str:
    """Why the result says nothing of the leukaemia: its focus, its specimen or its source class; "" where it may."""
    kinds = reading.terms.words["other specimen"]
    for focus in view.focus or ():
        if _is_somebody_else(focus, view.subject) or (
            any(kinds.find_all(focus.display or "")) and not _is_the_subject(focus, view.subject)
        ):
            return f"it is about somebody or something else ({(focus.display or focus.reference or '')[:_SHOWN]})"
    if specimen and any(kinds.find_all(specimen)) and not _OWN_TOO.search(specimen):
        return f"its specimen is not of the leukaemia ({specimen[:_SHOWN]})"
    return "it is a germline variant, which is none of the leukaemia" if _is_germline(view, reading) else ""


def noted(view: Observation, specimen: str, reading: Reading) -> tuple[str, ...]:
    """The doubts of its specimen's name and of its notes: other cells as well, somebody else's, mixed up or spoilt."""
    spoilt = reading.terms.words["spoilt specimen"]
    doubts = []
    if any(reading.terms.words["other specimen"].find_all(specimen)) and _OWN_TOO.search(specimen):
        doubts.append(f'whether its specimen is of the leukaemia is not certain ("{specimen[:_SHOWN]}")')
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


def _is_the_subject(focus: Reference, subject: Reference | None) -> bool:
    return subject is not None and _named(focus)[0] == "Patient" and _named(focus) == _named(subject)


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
            words = f"{value.words} {part.valueString or ''}".strip()
            if words.lower().startswith("germline") and not _NOT_GERMLINE_ALONE.search(words):
                return True
    return False
