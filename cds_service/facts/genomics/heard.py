"""Heard: what stands in one result, told once however many readers ask: its words, its genes, and how sure it is."""

from __future__ import annotations

import re

from cds_service.facts.concepts import Wording, phrase, text, told_once, wording
from cds_service.facts.genomics import variants
from cds_service.facts.genomics.answers import BESIDE, affirmed, answer, denies
from cds_service.facts.genomics.details import Part, genomic_keys
from cds_service.facts.values.results import Reading
from cds_service.gather.views import Observation

_UNCERTAIN = re.compile(
    r"\b(uncertain significance|unknown significance|VUS|benign|polymorphism|tier (?:III|IV|3|4))\b", re.IGNORECASE
)
_OF_MRD = re.compile(r"\b(MRD|(minimal|measurable) residual)\b", re.IGNORECASE)
_GENES, _GENE_ID = "http://www.genenames.org", re.compile(r"HGNC:\d+")  # every gene has one of these
_RESIDUAL = re.compile(r"\b(MRD|(minimal|measurable) residual|transcripts?)\b", re.IGNORECASE)


class Heard:
    """One result: its components, what it says beside its name and without what is denied, and the genes it is about.

    `words`: of its value and its components; `named`: the same after the test's name.
    """

    __slots__ = ("_significance", "named", "partners", "parts", "reading", "view", "words")

    def __init__(self, view: Observation, reading: Reading) -> None:
        terms = reading.terms
        texts = [wording(view.valueCodeableConcept, terms).words, view.valueString or ""]
        parts: list[Part] = []
        genes: dict[str, None] = {}
        significance: list[Wording] = []
        for part in view.component or ():
            keys = genomic_keys(wording(part.code, terms))
            value = wording(part.valueCodeableConcept, terms)
            parts.append((part, keys))
            if "gene_studied" in keys:
                genes[symbol(value)] = None
            if "clinical_significance" in keys:
                significance.append(value)
            if BESIDE.isdisjoint(keys):
                words, *coded = affirmed(value)
                text = part.valueString or ""
                texts += [words, "" if text and denies(text) else text, *coded]
        genes.pop("", None)
        self.view, self.reading, self.parts, self._significance = view, reading, parts, significance
        self.partners = tuple(genes)  # by their names of today
        self.words = " | ".join([each for each in texts if each])
        self.named = f"{wording(view.code, terms).words} | {self.words}"

    @property
    def other_change(self) -> bool:
        """Whether it names any change of a protein."""
        return other_change(phrase(self.words, self.reading.terms))

    @property
    def residual(self) -> bool:
        """Whether it is a test for residual disease."""
        method = text(self.view.method)
        return residual(phrase(f"{self.named} | {method}" if method else self.named, self.reading.terms))

    @property
    def of_mrd(self) -> bool:
        """Whether it calls itself a test for residual disease; a transcript alone is how a fusion is found."""
        return _OF_MRD.search(f"{self.named} | {text(self.view.method)}") is not None

    @property
    def uncertain(self) -> bool:
        """Whether the report itself calls the variant uncertain or benign."""
        terms = self.reading.terms
        coded = {terms.answers.get(code, ("", ""))[1] for each in self._significance for code in each.codes}
        if not coded.isdisjoint(("uncertain significance", "benign")):
            return True
        return any(uncertain(each) for each in (phrase(self.words, terms), *self._significance))

    def answer(self, gene: str) -> tuple[str, str]:
        """Present, absent or indeterminate, with its words."""
        return answer(self.view, gene, self.reading)


@told_once
def other_change(said: Wording) -> bool:
    """Whether the words name any change of a protein."""
    return variants.other_change(said.words)


@told_once
def residual(said: Wording) -> bool:
    """Whether the words speak of residual disease."""
    return _RESIDUAL.search(said.words) is not None


@told_once
def uncertain(said: Wording) -> bool:
    """Whether the words call a variant uncertain or benign."""
    return _UNCERTAIN.search(said.words) is not None


def partners(view: Observation, reading: Reading) -> tuple[str, ...]:
    """The genes that the variant is about, by their names of today, each once."""
    return Heard(view, reading).partners


@told_once
def symbol(said: Wording) -> str:
    """The name of a gene: by its code, else the first word that is a gene's name, an old one too.

    A gene of which our tables hold nothing is called by its code: that it is none of ours is certain.
    """
    terms = said.terms
    for code in said.codes:
        if terms.genomics.get(code, ("", ""))[1] == "gene":
            return terms.genomics[code][0]
    words = f"{said.words} {' '.join(code for _, code in said.codes)}"
    today = terms.words["gene"].find(words)
    if today is not None:
        return today
    named = (word.upper() for word in re.findall(r"[A-Za-z0-9]+", words) if word.lower() in terms.gene_names)
    of_others = (code for system, code in said.codes if system == _GENES and _GENE_ID.fullmatch(code))
    return next(named, "") or next(of_others, "")
