"""Lab names: which lab or bedside value a site's own code or text alone names.

A code of LOINC, SNOMED or MDC speaks for itself, also where it is not read here. A name counts only as a whole: a word
beside it that is not known to be harmless may make it another test, and such a result is seen and not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cds_service.facts.concepts import Wording, told_once
from cds_service.facts.values.written import Written, written
from cds_service.gather.views import Component

BY_NAME = "known by its name alone"
_WORD = re.compile(r"[^\W\d_]+")
SHOWN = 40  # characters of a name that a card repeats


@dataclass(frozen=True, slots=True)
class Named:
    """Which value the name means, and the name where it may mean another one too."""

    key: str
    unclear: str = ""


@told_once
def named(said: Wording) -> Named | None:
    """Which value the name of a result means, whose codes, if any, are a site's own. It counts where it is a number."""
    name, words = said.words, said.terms.words
    if not name or has_standard_code(said) or words["another lab"].find(name) is not None:
        return None
    found = set(words["lab"].find_all(name))
    plain = bool(found) and all(
        word.lower() in words["lab filler"].entries for word in _WORD.findall(words["lab"].without(name))
    )
    found = found or set(words["unclear lab"].find_all(name))
    return Named(found.pop(), "" if plain else name[:SHOWN]) if len(found) == 1 else None


@told_once
def has_standard_code(said: Wording) -> bool:
    """Whether one of its codes is everybody's, so that it does not need its name."""
    standard = said.terms.standard_systems
    return any(system in standard for system, _ in said.codes)


@told_once
def observed(said: Wording) -> tuple[str, ...]:
    """Which kinds of values its codes name, in their order: those that the tables hold."""
    kinds = said.terms.observations
    return tuple(kinds[code] for code in said.codes if code in kinds)


def holds_number(part: Component) -> bool:
    """Whether it holds a measured value, a whole number, or a text that is a number."""
    if part.valueQuantity is not None or part.valueRange is not None or part.valueInteger is not None:
        return True
    return part.valueString is not None and isinstance(written(part.valueString), Written)
