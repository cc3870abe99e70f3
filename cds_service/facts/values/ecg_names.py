"""What an ECG value is: by its codes, and by its name where no code says more.

The name counts for the formula of a QTc whose code leaves it open, and for a number whose codes are all a site's own.
A code of LOINC, SNOMED or MDC that is not read here speaks for itself, whatever stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.facts.concepts import Wording, all_text, told_once, wording
from cds_service.facts.values.lab_names import has_standard_code, holds_number, observed
from cds_service.facts.values.results import Reading
from cds_service.gather.views import CodeableConcept, Component
from cds_service.knowledge.words import is_of_unread_script

UNSPECIFIED = "qtc_unspecified"
FORMULAS = frozenset({"qtc_fridericia", "qtc_bazett"})
ECG_KEYS = ("qtc_fridericia", "qtc_bazett", UNSPECIFIED, "qt_interval", "rr_interval", "heart_rate")
PARTLY_UNREAD = "its name is partly in a script not read"


@dataclass(frozen=True, slots=True)
class Name:
    """Which ECG value it is, how that is known where the code alone does not say, and what speaks against it."""

    key: str
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    instead: Component | None = None  # what holds its number, where it stands among words


def name_of(part: Component, method: CodeableConcept | None, reading: Reading) -> Name | None:
    """Which ECG value an Observation or component is; None when it is none.

    Codes count in any order; where they contradict each other, it is a QTc of unknown formula.
    """
    name = wording(part.code, reading.terms)
    found = coded(name)
    if not found:
        return None if observed(name) else _by_name(part, method, reading)
    if len(found) > 1:
        found -= {UNSPECIFIED}
    if len(found) > 1:
        return Name(UNSPECIFIED)
    (key,) = found
    return _with_formula(key, part, method, reading) if key in FORMULAS or key == UNSPECIFIED else Name(key)


@told_once
def coded(said: Wording) -> frozenset[str]:
    """Which ECG values its codes name."""
    return frozenset(observed(said)).intersection(ECG_KEYS)


def _with_formula(key: str, part: Component, method: CodeableConcept | None, reading: Reading) -> Name:
    """The QTc with the formula that its name or method states, as far as its code leaves it open."""
    said = _said(part, method, reading) & FORMULAS
    if not said or said == {key}:
        return Name(key)
    if key == UNSPECIFIED:
        return Name(str(said.pop()), ("formula from its name",)) if len(said) == 1 else Name(key)
    if key in said:
        return Name(key)
    return Name(UNSPECIFIED, (), ("its code states one formula, its name another",))


def _by_name(part: Component, method: CodeableConcept | None, reading: Reading) -> Name | None:
    """A QTc that a site's own code or text alone names, where it holds a number."""
    if part.code is None or not holds_number(part) or has_standard_code(wording(part.code, reading.terms)):
        return None
    said = _said(part, method, reading)
    if not said or "other" in said or not said & {*FORMULAS, UNSPECIFIED}:
        return None
    formulas = said & FORMULAS
    doubts = (PARTLY_UNREAD,) if is_of_unread_script(all_text(part.code)) else ()  # it may be a change, or an aim
    return Name(formulas.pop() if len(formulas) == 1 else UNSPECIFIED, ("known by its name",), doubts)


def _said(part: Component, method: CodeableConcept | None, reading: Reading) -> set[str]:
    if method is None:
        return set(qtc_words(wording(part.code, reading.terms)))
    return set(reading.terms.words["qtc"].find_all(f"{all_text(part.code)} | {all_text(method)}"))


@told_once
def qtc_words(said: Wording) -> tuple[str, ...]:
    """What its words say of a QTc."""
    return said.terms.words["qtc"].find_all(said.words)
