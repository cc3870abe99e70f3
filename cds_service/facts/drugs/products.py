"""Products: which ingredients an order is for, and how that was told.

A regimen written as one order stands for its drugs; its name on the order of one of them does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cds_service.facts.concepts import all_text, codes, is_of_catalogue, shortened, texts_of, wording
from cds_service.facts.concepts import text as spoken
from cds_service.facts.drugs import routes
from cds_service.facts.drugs.matching import BY_NAME, NOTHING, Told, match, unlisted
from cds_service.facts.drugs.prescribed import Concepts, Said, said_of
from cds_service.facts.values.results import Reading
from cds_service.gather.resources import Resource, Unreadable
from cds_service.gather.views import MedicationRequest
from cds_service.kept import as_written
from cds_service.knowledge.codes import Code
from cds_service.knowledge.terms import Terms
from cds_service.knowledge.words import LATIN_WORD, as_seen


@dataclass(frozen=True, slots=True)
class Product:
    """What was ordered: its ingredients, words that name it, its name with strength, its route, and how it was told."""

    ingredients: tuple[str, ...]
    words: str
    name: str
    route: str
    matched_by: str
    doubt: str = ""
    regimen: bool = False  # its doses belong to several drugs
    high_dose: bool = False  # its words name a high-dose regimen
    courses: tuple[str, ...] = ()  # the regimens that its words name


@dataclass(frozen=True, slots=True)
class _Known:
    """What our tables say of a product, and the codes that they do not hold."""

    product: Product
    unlisted: tuple[Code, ...]


def identify(view: MedicationRequest, library: Mapping[str, Resource], reading: Reading) -> Product | Unreadable:
    """The product of the order. A drug that is not in our tables has words and no ingredients."""
    said = said_of(view, library)
    return said if isinstance(said, Unreadable) else product_of(said, reading.terms)


def product_of(said: Said, terms: Terms) -> Product:
    """The product that is said. What our tables say of it is kept: it follows from its codes and words alone."""
    kept = terms.kept("products")
    product = tuple([wording(each, terms) for each in said.product])
    parts = tuple([wording(each, terms) for each in said.parts])
    written = (product, parts, said.form and as_written(said.form))
    known: _Known | None = kept.get(written)
    if known is None:
        concepts = (*said.product, *said.parts)
        known = _Known(_product(said, terms, NOTHING), unlisted(concepts, terms))
        if all(map(is_of_catalogue, concepts)):
            kept.keep(written, known, *(each for concept in concepts for each in texts_of(concept)))
    told = terms.drugs_elsewhere(known.unlisted) if terms.elsewhere else NOTHING
    return _product(said, terms, told) if told else known.product


def _product(said: Said, terms: Terms, elsewhere: Told) -> Product:
    concepts = (*said.product, *said.parts)
    found = match(said.product, said.parts, terms, elsewhere)
    regimen = _regimen(concepts, found.ingredients, terms) if found.told in ("", BY_NAME) else None
    ingredients, told = regimen or (found.ingredients, found.told)
    said_whole = next((spoken(concept) for concept in concepts if spoken(concept)), "") or found.display
    words = shortened(said_whole)
    ruled_out = any(terms.holds_every_drug_of(system) for concept in concepts for system, _ in codes(concept, terms))
    words = words if ingredients or _names_something(words, terms, ruled_out=ruled_out) else ""
    everything = " ".join(filter(None, (found.display, *(all_text(concept) for concept in concepts))))
    name = as_seen(found.display) if any(character.isdigit() for character in found.display) else everything
    return Product(
        ingredients,
        words,
        name,
        routes.of_product(everything, said.form, found.route, terms),
        told,
        found.conflict,
        regimen is not None,
        bool(terms.words["high_dose"].find(as_seen(said_whole) if words else "")),
        terms.words["course"].find_all(f"{as_seen(words)} {name}"),
    )


# Our names are written in Latin letters. A word of two letters of another script, or of wide ones, may be any of them.
_OTHER_SCRIPT = re.compile(
    r"[^\W\d_A-Za-z\u00aa\u00b5\u00ba\u00c0-\u024f\u1e00-\u1eff\uff21-\uff5a]{2}|[\uff21-\uff5a]{4}"
)
# What tells the form or the way beside such a name tells no drug.
_OF_A_FORM = re.compile(
    r"\b(?:(?:film|hart|hard|soft)\W?)?(?:tabl|tbl|caps|kaps|comprim|gel[uú]l|compress|inje|infus|solu|lösung|powder|pulver"
    r"|coated|film|oral|daily|unit|vial|amp|intraven|subcut)\w*",
    re.IGNORECASE,
)


def _names_something(words: str, terms: Terms, *, ruled_out: bool) -> bool:
    """Whether the words name a drug, be it none of ours: "study drug" and "see comments" may stand for any.

    So may a name in a script in which we know none; `ruled_out`: where its code does not say that it is another's.
    """
    rest = terms.words["any drug"].without(words)
    if not ruled_out and _OTHER_SCRIPT.search(rest) and not LATIN_WORD.search(_OF_A_FORM.sub(" ", rest)):
        return False
    return any(character.isalpha() for character in rest)


def _regimen(product: Concepts, named: tuple[str, ...], terms: Terms) -> tuple[tuple[str, ...], str] | None:
    """The drugs of the regimens that the words name, and how they were told: a name may leave one of them open.

    None where no regimen is named, or where its name only follows that of one of its drugs, as in "cytarabine (7+3)".
    """
    text = " | ".join(all_text(concept) for concept in product)
    drugs = list(named)
    told = ["the name of its regimen"]
    found = False
    names, before = list(reversed(terms.drug_names.spans(text))), set[str]()
    for start, parts in terms.regimens.places(text):
        while names and names[-1][1] <= start:
            before.update(names.pop()[2].split("|"))
        components = [part.split("/") for part in parts.split("|") if part]
        if not components or before & {drug for choice in components for drug in choice}:
            continue
        found = True
        for choice in components:
            if not set(choice) & set(drugs):
                drugs.append(choice[0])
                told += [f"which leaves open {' or '.join(choice)}: {choice[0]} was checked"] * (len(choice) > 1)
    return (tuple(dict.fromkeys(drugs)), ", ".join(dict.fromkeys(told))) if found else None
