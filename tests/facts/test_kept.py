"""What is kept from call to call: what wordings and codes mean, and nothing of a patient."""

from __future__ import annotations

import dataclasses
import re
from decimal import Decimal

import pytest
from msgspec.structs import replace

from cds_service.facts.chart import Chart
from cds_service.facts.concepts import Wording
from cds_service.facts.drugs.instructions import instructed
from cds_service.facts.drugs.prescribed import Said
from cds_service.facts.drugs.products import product_of
from cds_service.gather.views import CodeableConcept, MedicationRequest
from cds_service.kept import Kept
from cds_service.knowledge import units as tables
from cds_service.knowledge.terms import Terms
from cds_service.knowledge.words import Words
from tests import charts
from tests.charts import ICD, RXNORM, Json, concept, condition, order, resource

DAYS = {"start": "1999-05-04", "end": "1999-05-25"}
LETTER = "to be taken as we agreed when she came to the ward with her daughter, " * 4


@pytest.fixture
def terms(monkeypatch: pytest.MonkeyPatch) -> Terms:
    """Terms that nothing was asked of yet."""
    fresh = dataclasses.replace(charts.terms(), elsewhere=None)
    monkeypatch.setattr(charts, "terms", lambda: fresh)
    return fresh


def dosage(**more: object) -> Json:
    repeat = {"frequency": 1, "period": 1, "periodUnit": "d"}
    amount = {"doseQuantity": {"value": 120, "unit": "mg"}}
    return {"text": "120 mg daily", "timing": {"repeat": repeat | more}, "doseAndRate": [amount]}


def gilteritinib(number: str, **more: object) -> Json:
    product = concept("2105851", "gilteritinib", RXNORM, "Gilteritinib 40 MG Oral Tablet")
    return order(product, id=f"MARK{number}", authoredOn="1998-07-06", dosageInstruction=[dosage()]) | more


def everything(terms: Terms) -> str:
    held = [*terms._kept.values(), *(each for each in terms.__dict__.values() if isinstance(each, Kept))]
    made = [each.made for kept in held for each in kept.values() if isinstance(each, Wording)]
    return re.sub(r" at 0x[0-9a-f]+", "", str((held, made)))  # a place in memory is of no patient, whatever its digits


def test_the_same_product_and_instructions_are_read_once_and_mean_the_same(terms: Terms):
    read: list[Chart] = [charts.chart(gilteritinib("1")), charts.chart(gilteritinib("2"))]
    first, second = (each.medications.orders[0] for each in read)
    assert (first.reference, second.reference) == ("MedicationRequest/MARK1", "MedicationRequest/MARK2")
    assert replace(first, reference="", resource=second.resource) == replace(second, reference="")
    assert (len(terms.kept("products")), len(terms.kept("instructions"))) == (1, 1)
    assert first.dose is second.dose


def test_nothing_of_a_patient_is_kept(terms: Terms):
    problem = condition(concept("C92.02", system=ICD, display="AML in relapse"), id="MARK", onsetDateTime="1997-03-02")
    listed = gilteritinib("1", dosageInstruction=[dosage(boundsPeriod=DAYS)])
    facts = charts.chart(problem, listed, gilteritinib("2", dosageInstruction=[{"timing": {"event": ["1996-01-01"]}}]))
    assert [str(each.end) for each in facts.medications.orders] == ["1999-05-25", "None"]
    told = everything(terms)
    assert "gilteritinib" in told and "C92.02" in told
    assert not [mark for mark in ("MARK", "199", "p1", "resource") if mark in told]


def test_words_beside_a_code_are_read_and_not_kept(terms: Terms):
    """A text that is no name of the code may be about one patient, however short it is."""
    own = "venetoclax as agreed with Mrs Example"
    (first,) = charts.chart(order(concept("1747556", own, RXNORM, "venetoclax 100 MG Oral Tablet")),
                            condition(concept("C92.02", own, ICD, "AML in relapse"))).medications.orders
    assert first.ingredients == ("venetoclax",)
    assert "Example" not in everything(terms)


def test_a_long_text_is_read_and_not_kept(terms: Terms):
    listed = gilteritinib("1", dosageInstruction=[dosage() | {"text": LETTER + "HiDAC"}])
    (first,) = charts.chart(listed).medications.orders
    assert first.high_dose
    charts.chart(order(LETTER), condition(concept(text=LETTER)))
    assert "daughter" not in everything(terms)
    words = Words([("ward", "here")])
    assert (words.find(LETTER), words.find_all(LETTER), len(words.spans(LETTER))) == ("here", ("here",), 4)
    assert not words._told and not words._spans


def test_the_strength_of_the_product_belongs_to_what_its_instructions_mean(terms: Terms):
    pieces = resource(order("venetoclax", dosageInstruction=[
        dosage() | {"text": "", "doseAndRate": [{"doseQuantity": {"value": 2, "unit": "tablet"}}]}]), "medications")
    view = pieces.view()
    assert isinstance(view, MedicationRequest)
    amounts = []
    for name in ("venetoclax 50 MG Oral Tablet", "venetoclax 100 MG Oral Tablet"):
        product = product_of(Said((CodeableConcept(text=name),)), terms)
        amounts.append(str(instructed(view, None, product, terms).dose.daily))
    assert amounts == ["100 mg daily", "200 mg daily"]


def test_it_is_emptied_when_it_is_full():
    known: Kept[str, int] = Kept(3)
    assert [known.keep(str(number), number) for number in range(5)] == list(range(5))
    assert known == {"3": 3, "4": 4}


def test_a_unit_that_nobody_knows_may_be_somebodys_words_and_is_not_kept(terms: Terms):
    own = "tablets for Mrs Example"
    assert terms.units["potassium"].convert(Decimal(4), own) is None
    assert terms.units["potassium"].convert(Decimal(4), "MMOL / L") is not None
    assert "MMOL / L" in tables._FOLDED
    assert own not in tables._FOLDED
