"""Products: which ingredients an order is for, wherever that is said, and how it was told.

Codes decide; a name helps where no code does, and the match says so. Where code and text disagree, both are checked.
A regimen written as one order stands for its drugs; its name on the order of one of them does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cds_service.facts.concepts import all_text, codes
from cds_service.facts.concepts import text as spoken
from cds_service.facts.prescribed import Concepts, concepts_of
from cds_service.facts.results import Reading
from cds_service.gather.resources import Resource, Unreadable
from cds_service.gather.views import MedicationRequest
from cds_service.knowledge.terms import DrugCode

_BY_NAME = "its name"
SYSTEMIC = frozenset({"oral", "parenteral", "transdermal"})


@dataclass(frozen=True, slots=True)
class Product:
    """What was ordered: its ingredients, its words, its name with strength, its route, and how it was told."""

    ingredients: tuple[str, ...]
    words: str
    name: str
    route: str
    matched_by: str
    doubt: str = ""
    regimen: bool = False  # its doses belong to several drugs


def identify(view: MedicationRequest, library: Mapping[str, Resource], reading: Reading) -> Product | Unreadable:
    """The product of the order. A drug that is not in our tables has words and no ingredients."""
    concepts = concepts_of(view, library)
    if isinstance(concepts, Unreadable):
        return concepts
    ingredients, matched_by, route, display, doubt = _identify(concepts, reading)
    regimen = _regimen(concepts, ingredients, reading) if matched_by in ("", _BY_NAME) else None
    if regimen is not None:
        ingredients, matched_by = regimen
    words = next((spoken(concept) for concept in concepts if spoken(concept)), "") or display
    everything = " ".join(filter(None, (display, *(all_text(concept) for concept in concepts))))
    name = display if any(character.isdigit() for character in display) else everything
    routes = reading.terms.words["route"].find_all(everything)
    stated = next((each for each in routes if each in SYSTEMIC), next(iter(routes), ""))  # in doubt it reaches the body
    return Product(ingredients, words[:80], name, stated or route, matched_by, doubt, regimen is not None)


def _identify(product: Concepts, reading: Reading) -> tuple[tuple[str, ...], str, str, str, str]:
    """Ingredients, how they were told, route, the product's display, and a doubt when code and text disagree."""
    by_code: list[str] = []
    route = display = matched = ""
    for concept in product:
        for system, code in codes(concept, reading.terms):
            found = reading.terms.drugs.get((system, code)) or _ndc(system, code, reading)
            if found is not None:
                by_code += found.ingredients
                route = route or found.route
                if not display or (found.level.startswith(("SCD", "SBD")) and not any(c.isdigit() for c in display)):
                    display = found.display
                matched = matched or f"{_SPOKEN.get(system, system)} {code}"
    by_name = [drug for concept in product for drug in reading.terms.drug_names.find_all(all_text(concept))]
    named = tuple(dict.fromkeys(name for drug in by_name for name in drug.split("|")))
    coded = tuple(dict.fromkeys(by_code))
    if not coded:
        return named, _BY_NAME if named else "", route, display, ""
    extra = tuple(name for name in named if name not in coded)
    doubt = f"code and name disagree ({', '.join(coded)} / {', '.join(extra)}): both were checked" if extra else ""
    return (*coded, *extra), matched, route, display, doubt


def _regimen(product: Concepts, named: tuple[str, ...], reading: Reading) -> tuple[tuple[str, ...], str] | None:
    """The drugs of the regimens that the words name, and how they were told: a name may leave one of them open.

    None where no regimen is named, or where its name only follows that of one of its drugs, as in "cytarabine (7+3)".
    """
    text = " | ".join(all_text(concept) for concept in product)
    drugs = list(named)
    told = ["the name of its regimen"]
    found = False
    for start, parts in reading.terms.regimens.places(text):
        before = set("|".join(reading.terms.drug_names.find_all(text[:start])).split("|"))
        components = [part.split("/") for part in parts.split("|") if part]
        if not components or before & {drug for choice in components for drug in choice}:
            continue
        found = True
        for choice in components:
            if not set(choice) & set(drugs):
                drugs.append(choice[0])
                told += [f"which leaves open {' or '.join(choice)}: {choice[0]} was checked"] * (len(choice) > 1)
    return (tuple(dict.fromkeys(drugs)), ", ".join(dict.fromkeys(told))) if found else None


_SPOKEN = {
    "http://www.nlm.nih.gov/research/umls/rxnorm": "RxNorm",
    "http://www.whocc.no/atc": "ATC",
    "http://hl7.org/fhir/sid/ndc": "NDC",
}


def _ndc(system: str, code: str, reading: Reading) -> DrugCode | None:
    """An NDC is listed by labeler and product: its package part is dropped, and the zeros of its eleven-digit form."""
    if not system.endswith("/ndc"):
        return None
    if code.count("-") == 2:
        labeler, product, _ = code.split("-")
    elif len(code) == 11 and code.isdecimal():
        labeler, product = code[:5], code[5:9]
    else:
        return None
    names = [(labeler, product), (labeler.removeprefix("0"), product), (labeler, product.removeprefix("0"))]
    found = (reading.terms.drugs.get((system, "-".join(name))) for name in names)
    return next(filter(None, found), None)
