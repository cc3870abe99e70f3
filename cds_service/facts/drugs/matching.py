"""Matching: which ingredients the concepts of a product name, and how that was told.

Codes decide; a name helps where no code does, and the match says so. Several codings of one concept translate each
other, so they should agree; so should code and name. Where they do not, every candidate counts as perhaps taken, and
the order says so: no code is believed against the words beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from cds_service.facts.concepts import all_text, codes
from cds_service.facts.drugs.routes import spoken as routes_in
from cds_service.gather.views import CodeableConcept
from cds_service.knowledge.codes import LOCAL, SERVER, Code, DrugCode
from cds_service.knowledge.terms import Terms

BY_NAME = "its name"
ALONE = "its code alone, as its words name no drug that is known here"
Concepts = tuple[CodeableConcept, ...]
Told = Mapping[Code, DrugCode]
NOTHING: Told = {}

_STRENGTH = re.compile(r"\d\s*(?:mg|mcg|µg|ug|g|ml|iu|units?|%)(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Match:
    """The ingredients, how they were told, what our tables say of the product, and what disagrees."""

    ingredients: tuple[str, ...]
    told: str
    route: str = ""
    display: str = ""
    conflict: str = ""


@dataclass(frozen=True, slots=True)
class _Read:
    """One code that is known: what it stands for, and how that is said."""

    found: DrugCode
    how: str


def match(product: Concepts, parts: Concepts, terms: Terms, elsewhere: Told = NOTHING) -> Match:
    """What the concepts of a product say together with those of its parts.

    `elsewhere`: what a terminology server says of the codes that our tables do not hold.
    """
    own = [read for concept in product for read in _read(concept, terms, elsewhere)]
    inside = [read for part in parts for read in _read(part, terms, elsewhere)]
    coded = _each(name for read in (*own, *inside) for name in read.found.ingredients)
    text = " | ".join(filter(None, (all_text(concept) for concept in (*product, *parts))))
    named = named_in(text, terms)
    if not coded:
        return Match(named, BY_NAME if named else "")
    extra = tuple(name for name in named if name not in terms.with_parts(coded))
    conflict = _conflict(own, inside, extra, terms)
    found = Match((*coded, *extra), _told(own, inside, extra), *_product((*own, *inside)), conflict)
    unnamed = not extra and not set(named) & terms.with_parts(coded)
    return replace(found, told=f"{ALONE}: {found.told}") if unnamed and _is_product(text, terms) else found


def named_in(text: str, terms: Terms) -> tuple[str, ...]:
    """The drugs that a text names as whole words; what is part of a fixed combination that it names is that one."""
    names = _each(name for drugs in terms.drug_names.find_all(text) for name in drugs.split("|"))
    inside = {part for name in names for part in terms.combined.get(name, ())}
    return tuple(name for name in names if name not in inside)


def unlisted(concepts: Iterable[CodeableConcept], terms: Terms) -> tuple[Code, ...]:
    """The codes that our tables do not hold."""
    every = (code for concept in concepts for code in codes(concept, terms))
    return tuple(code for code in every if terms.listed_drug(*code) is None)


def _read(concept: CodeableConcept, terms: Terms, elsewhere: Told) -> tuple[_Read, ...]:
    return tuple(
        _Read(found, _how(terms.spoken_system(system), code, found))
        for system, code in codes(concept, terms)
        if (found := terms.listed_drug(system, code) or elsewhere.get((system, code))) is not None
    )


def _how(system: str, code: str, found: DrugCode) -> str:
    if found.level == LOCAL:
        return f"local code {code}"
    by_server = ", told by the terminology server" if found.level == SERVER else ""
    return f"{system} {code}{by_server}"


def _told(own: list[_Read], inside: list[_Read], extra: tuple[str, ...]) -> str:
    """How it was told: by the first code of the product, else by those of its parts; and by name what no code says."""
    first = own[:1] or inside
    return " and ".join([*_each(read.how for read in first), *([BY_NAME] if extra else [])])


def _product(reads: tuple[_Read, ...]) -> tuple[str, str]:
    """The route, and the name that states the strength if one does."""
    route = display = ""
    for read in reads:
        found = read.found
        route = route or found.route
        if not display or (found.level.startswith(("SCD", "SBD")) and not any(letter.isdigit() for letter in display)):
            display = found.display
    return route, display


def _conflict(own: list[_Read], inside: list[_Read], extra: tuple[str, ...], terms: Terms) -> str:
    """What disagrees, in words; "" where all that was read says the same, or one of it more than the other."""
    whole = _each(name for read in inside for name in read.found.ingredients)
    says = [(read.found.ingredients, read.how) for read in own]
    says += [(whole, "the ingredients")] if whole else []
    most = max(says, key=lambda each: len(each[0]))
    against = [each for each in says if not _agree(each[0], most[0], terms)]
    if extra:
        coded = _each(name for drugs, _ in says for name in drugs)
        return f"code and name disagree ({', '.join(coded)} / {', '.join(extra)}): both were checked"
    if against:
        shown = " / ".join(f"{', '.join(drugs)} by {how}" for drugs, how in (most, *against))
        return f"its codes disagree ({shown}): all of them were checked"
    return ""


def _agree(one: tuple[str, ...], other: tuple[str, ...], terms: Terms) -> bool:
    first, second = terms.with_parts(one), terms.with_parts(other)
    return first <= second or second <= first


def _is_product(text: str, terms: Terms) -> bool:
    """Whether the words are those of a product, not merely "chemotherapy" or the name of an order set."""
    return _STRENGTH.search(text) is not None or bool(routes_in(text, terms))


def _each(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
