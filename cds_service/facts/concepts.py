"""Codeable concepts: walk every coding in any order, fold system names, fall back to text.

One place for all readers. Concepts that are written alike share one `Wording`, and with it everything that readers made
of it: a hospital writes the same few hundred all day.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from cds_service.gather.views import CodeableConcept
from cds_service.kept import are_names, as_written
from cds_service.knowledge.codes import Code
from cds_service.knowledge.terms import Terms
from cds_service.knowledge.words import as_seen, is_of_unread_script

T = TypeVar("T")
_LONGEST = 80  # characters of a chart's words on a card


class Wording:
    """A concept as it is written: its codes, how it is spoken, all its words; and what readers made of them.

    It knows neither patient nor value nor date, so it may be kept from call to call where its words are a catalogue's.
    """

    __slots__ = ("codes", "made", "terms", "text", "words")

    def __init__(self, concept: CodeableConcept | None, terms: Terms) -> None:
        codings = (concept.coding or ()) if concept is not None else ()
        self.terms = terms
        self.codes: tuple[Code, ...] = tuple(
            (terms.system(each.system), (each.code or "").strip()) for each in codings if each.code
        )
        self.text = text(concept)
        self.words = all_text(concept)
        self.made: dict[str, Any] = {}


def wording(concept: CodeableConcept | None, terms: Terms) -> Wording:
    """The wording of a concept; the same for all that are written alike. No concept is one without words."""
    if concept is None:
        return phrase("", terms)
    own = concept.__dict__
    found: Wording | None = own.get("wording")
    if found is None or found.terms is not terms:  # a concept may be one of many patients, and of many sites
        found = own["wording"] = _known(concept, terms)
    return found


def phrase(words: str, terms: Terms) -> Wording:
    """The wording of plain words. They are somebody's: nothing is kept of them but that there were none."""
    if words:
        return Wording(CodeableConcept(text=words), terms)
    nothing: Wording = terms.kept("phrases").get("") or terms.kept("phrases").keep("", Wording(None, terms))
    return nothing


def _known(concept: CodeableConcept, terms: Terms) -> Wording:
    known = terms.kept("wordings")
    written = as_written(concept)
    found: Wording | None = known.get(written)
    if found is None:
        found = Wording(concept, terms)
        if is_of_catalogue(concept):
            known.keep(written, found, *texts_of(concept))
    return found


def texts_of(concept: CodeableConcept | None) -> list[str | None]:
    """Every text of the concept: its own, and how each of its codes is shown."""
    return [concept.text, *(coding.display for coding in concept.coding or ())] if concept is not None else []


def is_of_catalogue(concept: CodeableConcept | None) -> bool:
    """Whether it is coded, and has no other words than the names of its codes: else they may be somebody's own."""
    if concept is None or not concept.coding or not all(coding.code for coding in concept.coding):
        return False
    return are_names(concept.text, (name for coding in concept.coding for name in (coding.display, coding.code)))


def told_once(reader: Callable[[Wording], T]) -> Callable[[Wording], T]:
    """The same reader, that is asked once of each wording."""
    name = f"{reader.__module__}.{reader.__qualname__}"

    def told(said: Wording) -> T:
        made = said.made
        if name not in made:
            made[name] = reader(said)
        return made[name]  # type: ignore[no-any-return]

    return told


def is_partly_unread(words: str, names: Callable[[str], object]) -> bool:
    """Whether words in a script that is not read stand beside what these names find, in one of its texts."""
    if not is_of_unread_script(words):
        return False
    return any(is_of_unread_script(each) and names(each) for each in words.split(" | "))


def codes(concept: CodeableConcept | None, terms: Terms) -> tuple[Code, ...]:
    """Every (system, code) of the concept, the system in its one spelling."""
    return wording(concept, terms).codes if concept is not None else ()


def text(concept: CodeableConcept | None) -> str:
    """How the concept is spoken: its text, else the first display."""
    if concept is None:
        return ""
    displays = (coding.display for coding in concept.coding or () if coding.display)
    return concept.text or next(displays, "")


def shortened(words: str) -> str:
    """The words as a card has room for them; where they are cut, they say so."""
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1].rstrip() + "…"


def all_text(concept: CodeableConcept | None) -> str:
    """Text and every display together, for finding words."""
    if concept is None:
        return ""
    own = concept.__dict__
    if "words" not in own:
        said = (concept.text, *(coding.display for coding in concept.coding or ()))
        own["words"] = as_seen(" | ".join(filter(None, said)))
    return own["words"]  # type: ignore[no-any-return]
