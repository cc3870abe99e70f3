"""Tested: which of our tests a result is, by its codes or by its name: of a marker, a gene, a variant, or words."""

from __future__ import annotations

import re

from cds_service.facts.concepts import Wording, told_once, wording
from cds_service.facts.genomics import expression, markers, variants
from cds_service.facts.genomics.details import RATIO
from cds_service.facts.genomics.heard import partners, residual
from cds_service.facts.genomics.said import UNREAD
from cds_service.facts.genomics.unread import may_tell
from cds_service.facts.genomics.wording import is_plain
from cds_service.facts.values.results import Reading
from cds_service.gather.views import Observation
from cds_service.knowledge.codes import VARIANT
from cds_service.knowledge.terms import Terms

REPORTS = frozenset({"genomic_report", "karyotype_FISH"})  # reports in words about any gene
_IN_WORDS = "genomic_report"
SEVERAL = "several genes"
FUSION_TEST = "KMT2A_"


def tests_asked(terms: Terms) -> tuple[str, ...]:
    """The kinds of genomic tests that we read, so that what is asked for and what is read are one list."""
    tests = {key for key, category in terms.genomics.values() if category == "test" and _is_ours(key)}
    tests.discard(markers.PML_RARA)  # it is no target: read where it comes, and not asked for
    return (*sorted(tests), VARIANT)


def _is_ours(key: str) -> bool:
    return key in (*markers.MARKERS_OF, markers.ITD, markers.TKD, RATIO, *REPORTS) or key.startswith(FUSION_TEST)


@told_once
def test_of(said: Wording) -> str | None:
    """Which of our tests a result of that name is: a marker's, a gene's, a report in words, or a variant.

    Codes decide. A test without any code that we know may be named in words that name nothing else.
    """
    known = False
    for code in said.codes:
        key, category = said.terms.genomics.get(code, ("", ""))
        if key == VARIANT:
            return key
        if category == "test" and _is_ours(key):
            return key
        named = said.terms.observations.get(code)
        if named in ("cd33", expression.OF_CELLS):
            return markers.CD33
        known = known or bool(key or named)
    return None if known else named_test(said)


def named_test(said: Wording) -> str | None:
    """The test that the words name: one marker, one gene, or a panel that may tell of several."""
    name, terms = said.text, said.terms
    if not name:
        return None
    genes = markers.genes_in(name)
    if not genes and expression.named(said):
        return markers.CD33
    if not genes:
        panel = terms.words["panel name"].find(name) is not None and is_plain(name, terms)
        return _IN_WORDS if panel else None
    if not is_plain(name, terms) or re.search(r"\d(?:wt|neg)\b", name, re.IGNORECASE):
        return None
    if len(genes) > 1:
        return SEVERAL
    if genes[0] == markers.KMT2A:
        return markers.KMT2A
    shown = variants.shown(genes, name, terms)
    return shown[0] if len(shown) == 1 and shown[0] in (markers.ITD, markers.TKD) else genes[0]


def tests_in(view: Observation, reading: Reading) -> list[tuple[str, Observation]]:
    """Every test that the Observation reports: itself, and those that stand in its components."""
    own = test_of(wording(view.code, reading.terms))
    found = [] if own is None else [(own, view)]
    for part in (view.component or ()) if own != VARIANT else ():
        inner = test_of(wording(part.code, reading.terms))
        left_over = inner == markers.CD33 and residual(wording(view.code, reading.terms))  # CD33 of the cells left over
        if inner is not None and inner not in (own, _IN_WORDS, VARIANT) and not left_over:
            fields = {name: getattr(part, name) for name in part.__struct_fields__}
            found.append((inner, Observation(**fields)))
    return found or ([(UNREAD, view)] if may_tell(view, reading) else [])


@told_once
def genes_in(said: Wording) -> tuple[str, ...]:
    """Our genes that the words name."""
    return markers.genes_in(said.words)


def is_unnamed(view: Observation, reading: Reading) -> bool:
    """Whether it is a variant of a gene that nobody can tell: it may be one of ours."""
    return test_of(wording(view.code, reading.terms)) == VARIANT and not partners(view, reading)
