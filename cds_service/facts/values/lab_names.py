"""Lab names: which lab or bedside value a site's own code or text alone names.

A code of LOINC, SNOMED or MDC speaks for itself, also where it is not read here. A name counts only as a whole: a word
beside it that is not known to be harmless may make it another test, and such a result is seen and not read.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass

from cds_service.facts.concepts import all_text, codes
from cds_service.facts.values.results import Reading
from cds_service.facts.values.written import Written, written
from cds_service.gather.views import Component

BY_NAME = "known by its name alone"
_WORD = re.compile(r"[^\W\d_]+")
_SHOWN = 40  # characters of a name that a card repeats


@dataclass(frozen=True, slots=True)
class Named:
    """Which value the name means, and the name where it may mean another one too."""

    key: str
    unclear: str = ""


def named(part: Component, kinds: Container[str], reading: Reading) -> Named | None:
    """What the name of a result says that holds a number and whose codes, if any, are a site's own."""
    if part.code is None or not holds_number(part) or has_standard_code(part, reading):
        return None
    name = all_text(part.code)
    words = reading.terms.words
    if not name or words["another lab"].find(name) is not None:
        return None
    found = set(words["lab"].find_all(name))
    plain = bool(found) and all(
        word.lower() in words["lab filler"].entries for word in _WORD.findall(words["lab"].without(name))
    )
    found = found or set(words["unclear lab"].find_all(name))
    key = found.pop() if len(found) == 1 else ""
    if key not in kinds:
        return None
    return Named(key, "" if plain else name[:_SHOWN])


def has_standard_code(part: Component, reading: Reading) -> bool:
    """Whether one of its codes is everybody's, so that it does not need its name."""
    standard = reading.terms.standard_systems
    return any(system in standard for system, _ in codes(part.code, reading.terms))


def holds_number(part: Component) -> bool:
    """Whether it holds a measured value, a whole number, or a text that is a number."""
    if part.valueQuantity is not None or part.valueRange is not None or part.valueInteger is not None:
        return True
    return part.valueString is not None and isinstance(written(part.valueString), Written)
