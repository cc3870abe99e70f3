"""Counting: whether a result counts for the patient, by its status and by whom it is about.

A result may stand in the patient's record and be about somebody else, as a donor or a relative: its focus says so. Such
a one is none of the patient, whatever its subject says.
"""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.facts.values.results import NEVER, Reading, status_doubts, taken
from cds_service.gather.resources import Resource
from cds_service.gather.views import Observation, Reference

_SHOWN = 60  # characters of the words that are repeated
_PERSONS = ("RelatedPerson", "Patient")


def counting_doubts(view: Observation, resource: Resource, reading: Reading) -> tuple[str, ...] | None:
    """The doubts that the status and other versions raise; None when the result does not count at all."""
    doubts = None if view.focus and about_another(view, reading) else status_doubts(view)
    return doubts if doubts is None else (*doubts, *resource.doubts)


def does_not_count(view: Observation, reading: Reading) -> str:
    """Why a result does not count, in words: it was taken back, or is about somebody else; "" where it does."""
    if view.status in NEVER:
        return f"was {(view.status or '').replace('-', ' ')}"
    return "is about somebody else" if about_another(view, reading) else ""


def none_counts(observations: Iterable[Observation], reading: Reading) -> str:
    """What is said where nothing else came: why the newest result does not count; nothing where none came at all."""
    gone = [(taken(each, reading)[0], why) for each in observations if (why := does_not_count(each, reading))]
    if not gone:
        return ""
    when, why = max(gone, key=lambda each: each[0].latest.timestamp() if each[0] else 0.0)
    of = f"of {when}" if when else "without a date"
    return f"the result {of} {why}, so it does not count"


def about_another(view: Observation, reading: Reading) -> str:
    """Why its focus says that the result is not of the patient; "" where it may be."""
    kinds = reading.terms.words["other specimen"]
    for focus in view.focus or ():
        named = _named(focus)
        ours = named == ("Patient", reading.patient_id) or _is_subject(focus, named, view.subject)
        if not ours and (_is_somebody(focus, named) or any(kinds.find_all(focus.display or ""))):
            return f"it is about somebody or something else ({(focus.display or focus.reference or named[0])[:_SHOWN]})"
    return ""


def _is_subject(focus: Reference, named: tuple[str, str], subject: Reference | None) -> bool:
    """Whether the focus names whom the subject names, by reference or by the same number."""
    if subject is None or named[0] != "Patient":
        return False
    if named[1]:
        return named == _named(subject)
    return focus.identifier is not None and focus.identifier == subject.identifier


def _is_somebody(focus: Reference, named: tuple[str, str]) -> bool:
    """Whether the focus is a person, and not a patient of whom it says nothing but that."""
    return named[0] in _PERSONS and (named[0] != "Patient" or bool(named[1] or focus.identifier))


def _named(reference: Reference | None) -> tuple[str, str]:
    """The type and the id that a reference ends with, its version left out; without one the type that it states."""
    if reference is None:
        return "", ""
    parts = (reference.reference or "").partition("/_history/")[0].split("/")
    return (parts[-2], parts[-1]) if len(parts) > 1 else ((reference.type or "").rpartition("/")[2], "")
