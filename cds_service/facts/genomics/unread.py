"""Unread: words that name one of our genes or CD33 and that nobody can read, so that they are not told as "not found".

A karyotype is read for two things only, with a doubt: a translocation of KMT2A by both of its bands, and the one of
acute promyelocytic leukaemia.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from cds_service.facts.concepts import all_text, wording
from cds_service.facts.genomics import markers
from cds_service.facts.genomics.details import Detail
from cds_service.facts.genomics.expression import names_cd33
from cds_service.facts.genomics.said import UNREAD, Said
from cds_service.facts.genomics.wording import PRESENT
from cds_service.facts.values.lab_names import has_standard_code
from cds_service.facts.values.results import Reading
from cds_service.gather.views import Component, Observation

_BY_KARYOTYPE = "by its karyotype, which is no test of the gene"
_COUNTED = re.compile(r"\b(?:KMT2A|MLL)x\d")  # as ISCN counts the signals of a FISH
_SHOWN = 60  # characters of the words that are repeated


def may_tell(view: Observation, reading: Reading) -> bool:
    """Whether a result of a site's own, which is none of our tests, has words that name one of our genes."""
    if has_standard_code(wording(view.code, reading.terms)):
        return False
    words = value_words(view)
    return bool((words and names_cd33(words)) or markers.genes_in(own_words(view, reading)))


def own_words(view: Observation, reading: Reading) -> str:
    """The words of a result of a site's own: of its value, of its components, and its name where it has an answer."""
    value, inside = value_words(view), words_inside(view, reading)
    answered = value or inside or view.valueBoolean is not None or view.valueCodeableConcept or view.interpretation
    return " | ".join(filter(None, (all_text(view.code) if answered else "", value, inside)))


def words_inside(view: Observation, reading: Reading) -> str:
    """The words of the components that are of a site's own: columns of a table, each under its name."""
    parts = (part for part in view.component or () if not has_standard_code(wording(part.code, reading.terms)))
    return " | ".join(filter(None, map(value_words, parts)))


def of_karyotype(text: str) -> list[Said]:
    """A translocation of KMT2A or of APL, where a karyotype names both bands. It is no test of the gene: a doubt."""
    named = markers.in_karyotype(text)
    rearranged = [_translocated(markers.REARRANGEMENT, named)] if named else []
    return [*rearranged, *apl_of_karyotype(text)]


def apl_of_karyotype(text: str) -> list[Said]:
    """The translocation of APL, where a text holds it as a karyotype is written."""
    named = markers.apl_in_karyotype(text)
    return [_translocated(markers.APL_FUSION, named)] if named else []


def _translocated(marker: str, named: str) -> Said:
    return Said(marker, PRESENT, named, (_BY_KARYOTYPE,), detail=Detail("karyotype", from_text=True))


def unread(words: str, reading: Reading, told: Collection[str] = ()) -> list[Said]:
    """The markers whose gene the words name without saying anything of it that can be read."""
    genes = list(markers.genes_in(words))
    if markers.KMT2A not in genes and (_COUNTED.search(words) or _names_translocation(words, reading)):
        genes.append(markers.KMT2A)
    why = f"its words name the gene and could not be read: {words[:_SHOWN]}"
    of_cd33 = f"its words name CD33 and could not be read: {words[:_SHOWN]}"
    cd33 = [Said(markers.CD33, UNREAD, of_cd33)] if names_cd33(words) and markers.CD33 not in told else []
    return cd33 + [
        Said(marker, UNREAD, why)
        for gene in genes
        if not set(markers.MARKERS_OF[gene]) & set(told)
        for marker in markers.MARKERS_OF[gene]
    ]


def _names_translocation(words: str, reading: Reading) -> bool:
    return markers.REARRANGEMENT in reading.terms.words["alteration"].find_all(words)


def value_words(view: Observation | Component) -> str:
    """The words of its value."""
    return " | ".join(filter(None, (all_text(view.valueCodeableConcept), view.valueString)))
