"""Whose: results that are not of the patient's leukaemia, but of a donor, a relative, other cells or the germline.

Such a result decides nothing and is told with its reason. What a note says of a wrong or spoilt specimen is a doubt,
and so is a specimen whose name tells of the patient's own cells as well.
"""

from __future__ import annotations

import re

from cds_service.facts.concepts import wording
from cds_service.facts.genomics.details import keys_of
from cds_service.facts.values.counting import about_another
from cds_service.facts.values.results import Reading
from cds_service.gather.views import Observation

_SHOWN = 60  # characters of the words that are repeated
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
    if other := about_another(view, reading):
        return other
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
