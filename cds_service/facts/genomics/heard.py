"""Heard: what stands in one result, told once however many readers ask: its words, its genes, and how sure it is."""

from __future__ import annotations

import re
from functools import cached_property

from cds_service.facts.concepts import Wording, all_text, told_once, wording
from cds_service.facts.genomics import markers
from cds_service.facts.genomics.answers import all_words, answer
from cds_service.facts.genomics.details import keys_of
from cds_service.facts.values.results import Reading
from cds_service.gather.views import Component, Observation

_UNCERTAIN = re.compile(r"\b(uncertain significance|unknown significance|VUS|benign|polymorphism)\b", re.IGNORECASE)


class Heard:
    """One result, and what stands in it: each told once, however many readers ask."""

    def __init__(self, view: Observation, reading: Reading) -> None:
        self.view, self.reading = view, reading

    @cached_property
    def words(self) -> str:
        """The words of its value and its components, without what is denied."""
        return all_words(self.view, self.reading)

    @cached_property
    def named(self) -> str:
        """The same after the test's name."""
        return f"{all_text(self.view.code)} | {self.words}"

    @cached_property
    def partners(self) -> tuple[str, ...]:
        """The genes that a variant is about."""
        return partners(self.view, self.reading)

    @cached_property
    def other_change(self) -> bool:
        """Whether it names any change of a protein."""
        return markers.other_change(self.words)

    def answer(self, gene: str) -> tuple[str, str]:
        """Present, absent or indeterminate, with its words."""
        return answer(self.view, gene, self.reading)

    @cached_property
    def uncertain(self) -> bool:
        """Whether the report itself calls the variant uncertain or benign."""
        significant = _parts(self.view, "clinical_significance", self.reading)
        told = [wording(part.valueCodeableConcept, self.reading.terms) for part in significant]
        answers = self.reading.terms.answers
        coded = {answers.get(code, ("", ""))[1] for each in told for code in each.codes}
        words = " | ".join([self.words, *(each.words for each in told)])
        return bool(coded & {"uncertain significance", "benign"}) or bool(_UNCERTAIN.search(words))


def partners(view: Observation, reading: Reading) -> tuple[str, ...]:
    """The genes that the variant is about, by their names of today, each once."""
    studied = _parts(view, "gene_studied", reading)
    found = (symbol(wording(part.valueCodeableConcept, reading.terms)) for part in studied)
    return tuple(dict.fromkeys(filter(None, found)))


@told_once
def symbol(said: Wording) -> str:
    """The name of a gene: by its code, else the first word that is a gene's name, an old one too."""
    terms = said.terms
    for code in said.codes:
        if terms.genomics.get(code, ("", ""))[1] == "gene":
            return terms.genomics[code][0]
    words = f"{said.words} {' '.join(code for _, code in said.codes)}"
    today = terms.words["gene"].find(words)
    if today is not None:
        return today
    return next((word.upper() for word in re.findall(r"[A-Za-z0-9]+", words) if word.lower() in terms.gene_names), "")


def _parts(view: Observation, key: str, reading: Reading) -> list[Component]:
    return [part for part in view.component or () if key in keys_of(part.code, reading.terms)]
