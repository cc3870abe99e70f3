"""Details: how a result came about and what it adds: its shape, the change, the share of reads, ratio and method."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from cds_service.facts.concepts import Wording, all_text, text, told_once, wording
from cds_service.facts.values.numbers import number
from cds_service.facts.values.results import Reading
from cds_service.gather.views import CodeableConcept, Component, Observation
from cds_service.knowledge.terms import Terms
from cds_service.quantity import Quantity

_VAF = re.compile(r"\bVAF\b\D{0,12}(100|\d{1,2}(?:\.\d+)?)\s*%", re.IGNORECASE)
_RATIO = re.compile(r"\bratio\b\D{0,8}(\d{1,2}(?:\.\d+)?)(?!\d|\s*%)", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_CHANGES = ("protein_hgvs", "coding_hgvs", "genomic_hgvs", "variation_code")
RATIO = "FLT3-ITD_allelic_ratio"
Part = tuple[Component, tuple[str, ...]]  # a component, and what its name means among the genomic ones


class Detail(msgspec.Struct, frozen=True):
    """What a result adds to present or absent. `vaf` in %, `ratio` mutant to normal; `from_text`: read from words."""

    shape: str = ""
    change: str = ""
    vaf: Quantity | None = None
    ratio: Quantity | None = None
    method: str = ""
    from_text: bool = False

    @property
    def words(self) -> str:
        """What it adds, short: "p.Arg132His, VAF 34 %"."""
        parts = [self.change] if self.change else []
        parts += [f"VAF {self.vaf}"] if self.vaf is not None else []
        parts += [f"allelic ratio {self.ratio.value}"] if self.ratio is not None else []
        return ", ".join([*parts, "read from text"] if self.from_text else parts)


NO_DETAIL = Detail()


def detail_of(view: Observation, parts: Iterable[Part], shape: str, reading: Reading) -> Detail:
    """The details that the components and the value of the result state."""
    vaf = ratio = None
    changes: dict[str, str] = {}
    for part, keys in parts:
        for key in keys:
            if key == "allele_frequency" and part.valueQuantity is not None:
                vaf = _measured(part, "vaf", reading)
            elif key == RATIO:
                ratio = ratio_of(part, reading)
            elif key in _CHANGES:
                changes.setdefault(key, text(part.valueCodeableConcept) or _code(part) or part.valueString or "")
    named = next((changes[key] for key in _CHANGES if changes.get(key)), "") if changes else ""
    detail = Detail(shape, named[:60], vaf, ratio, text(view.method), from_text=not is_coded(view, reading.terms))
    return from_words(detail, f"{all_text(view.valueCodeableConcept)} {view.valueString or ''}")


def from_words(detail: Detail, words: str) -> Detail:
    """The same with what the words state, where nothing else did."""
    if not _DIGIT.search(words):
        return detail
    vaf, ratio = _VAF.search(words), _RATIO.search(words)
    if detail.vaf is None and vaf is not None:
        detail = replace(detail, vaf=Quantity(Decimal(vaf[1]), "%"))
    if detail.ratio is None and ratio is not None:
        detail = replace(detail, ratio=Quantity(Decimal(ratio[1]), "1"))
    return detail


def keys_of(concept: CodeableConcept | None, terms: Terms) -> tuple[str, ...]:
    """What the codes of a test or component mean among the genomic ones."""
    return genomic_keys(wording(concept, terms))


@told_once
def genomic_keys(said: Wording) -> tuple[str, ...]:
    """What the codes of a name mean among the genomic ones."""
    known = said.terms.genomics
    return tuple(known[code][0] for code in said.codes if code in known)


def ratio_of(part: Component, reading: Reading) -> Quantity | None:
    """The ratio of mutant to normal that the result or component measures, as far as it has one."""
    if part.valueRatio is not None:
        above, below = part.valueRatio.numerator, part.valueRatio.denominator
        if above is None or below is None or above.value is None or not below.value or above.comparator:
            return None
        return Quantity(above.value / below.value, "1") if above.unit == below.unit and above.value >= 0 else None
    return _measured(part, "allelic_ratio", reading)


def _measured(part: Component, key: str, reading: Reading) -> Quantity | None:
    read = number(part, key, reading.terms)
    return None if isinstance(read, str) or read.bound else read.quantity


def _code(part: Component) -> str:
    """The first code of the value, for a change that has no words."""
    value = part.valueCodeableConcept
    return next((each.code for each in (value.coding if value else None) or () if each.code), "")


def is_coded(view: Observation, terms: Terms) -> bool:
    """Whether the outcome stands in a code, a boolean or a number, and not in words alone."""
    if view.valueBoolean is not None or view.valueQuantity is not None:
        return True
    concepts = (view.valueCodeableConcept, *(view.interpretation or ()))
    return any(presence_by_code(wording(each, terms)) for each in concepts if each is not None)


@told_once
def presence_by_code(said: Wording) -> tuple[str, ...]:
    """What its codes say of presence."""
    answers = said.terms.answers
    return tuple(answers[code][1] for code in said.codes if code in answers and answers[code][0] == "presence")
