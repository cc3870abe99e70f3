"""Concepts that are written alike are understood once; of a patient, nothing is kept in between."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.facts.concepts import Wording, phrase, told_once, wording
from cds_service.facts.genomics.mutations import FLT3_ITD
from cds_service.facts.values.labs import POTASSIUM
from cds_service.gather.views import CodeableConcept, Coding
from cds_service.knowledge.terms import Terms
from tests import charts
from tests.charts import LOINC, concept, observation, quantity

LETTER = "as we agreed when she came to the ward with her daughter, " * 5


@pytest.fixture
def terms(monkeypatch: pytest.MonkeyPatch) -> Terms:
    """Terms that nothing was asked of yet."""
    fresh = replace(charts.terms(), elsewhere=None)
    monkeypatch.setattr(charts, "terms", lambda: fresh)
    return fresh


def potassium() -> CodeableConcept:
    return CodeableConcept([Coding("https://loinc.org/", " 2823-3", "Potassium")], "potassium")


def test_what_is_written_alike_has_one_wording(terms: Terms):
    said = wording(potassium(), terms)
    assert (said.codes, said.text, said.words) == (((LOINC, "2823-3"),), "potassium", "potassium | Potassium")
    assert wording(potassium(), terms) is said
    assert wording(CodeableConcept([Coding(LOINC, "2823-3", "Potassium")], "POTASSIUM"), terms) is not said
    assert wording(None, terms).codes == () and wording(None, terms).words == ""
    assert wording(potassium(), replace(terms, elsewhere=None)) is not said


def test_a_reader_is_asked_once_of_a_wording(terms: Terms):
    asked: list[str] = []

    @told_once
    def length(said: Wording) -> int:
        asked.append(said.words)
        return len(said.words)

    assert [length(wording(potassium(), terms)), length(wording(potassium(), terms))] == [21, 21]
    assert asked == ["potassium | Potassium"]


def test_a_long_text_is_understood_and_not_kept(terms: Terms):
    long = CodeableConcept(text=f"{LETTER} FLT3-ITD")
    assert wording(long, terms).words == phrase(long.text or "", terms).words == long.text
    assert not terms.kept("wordings") and not terms.kept("phrases")


def test_nothing_of_a_patient_is_kept(terms: Terms):
    lab = quantity("2823-3", 4.1234, "mmol/L", "1999-02-03T04:05:06Z", name="MARK-1")
    finding = observation("54447-0", "1999-02-03", "MARK-2", valueString=f"FLT3-ITD detected. {LETTER}")
    facts = charts.chart(lab, finding, observation(concept(text="FLT3-ITD"), "1999-02-04", "MARK-3",
                                                   valueCodeableConcept={"text": "detected"}))  # fmt: skip
    assert facts.get(POTASSIUM).value is not None and facts.get(FLT3_ITD).value is not None
    kept = str([
        [(written, said.words, said.codes, said.made) for written, said in terms.kept(kind).items()]
        for kind in ("wordings", "phrases")
    ] + [list(terms.kept(kind).items()) for kind in ("markers in words", "other changes in words")])
    assert "2823-3" in kept and "FLT3-ITD" in kept
    assert not [mark for mark in ("MARK", "1999", "4.1234", "daughter", "p1") if mark in kept]
