"""A corpus of shapes that records really have, each with the fact that it says and, where it has one, a broken cousin.

The numbers are those of the list of observed shapes that the terminology tables were made with: 1-10 orders, 11-25
observations, 26-33 genomics. A shape tells its fact in words: a value, a drug, "present", "absent", or why not.
"""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.facts.chart import Chart
from cds_service.facts.fact import Fact, Key
from cds_service.facts.genomics.mutations import FLT3_ITD, FLT3_TKD, IDH1, IDH2, KMT2A_R, NPM1
from cds_service.facts.reproduction import PREGNANT
from cds_service.facts.values.ecg import QTC
from cds_service.facts.values.labs import CREATININE, ECOG, HAEMOGLOBIN, POTASSIUM
from tests.charts import LOINC, RXNORM, Json, chart, concept, measured, observation, order

SNOMED, UCUM = "http://snomed.info/sct", "http://unitsofmeasure.org"
ABSENT_REASON = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
HGNC = "http://www.genenames.org/geneId"
LOCAL = "https://ehr.example/codeSet/72"
FLOWSHEET = "http://open.epic.com/FHIR/StructureDefinition/observation-flowsheet-id"
PRESENT, ABSENT = concept("LA9633-4"), concept("LA9634-2")
VENETOCLAX = concept("1747561", system=RXNORM)


def told(fact: Fact[Any]) -> str:
    """The fact in words: its value, else its state."""
    value = fact.value
    if value is None:
        return fact.state.name.lower().replace("_", " ")
    if hasattr(value, "qtc"):
        return f"{value.qtc} {value.formula.value}"
    if hasattr(value, "present"):
        return {True: "present", False: "absent"}.get(value.present, "open")
    return f"{fact.bound}{value}"


def drugs(found: Chart) -> str:
    """The drugs of every order."""
    return ", ".join(sorted({drug for each in found.medications.orders for drug in each.ingredients}))


def component(code: str, system: str = LOINC, **value: Any) -> Json:
    return {"code": concept(code, system=system), **value}


def medication(code: Json, name: str = "med1", **more: Any) -> Json:
    return {"resourceType": "Medication", "id": name, "code": code, **more}


def referring(to: str, display: str | None = None, **more: Any) -> Json:
    reference = {"reference": to} | ({"display": display} if display else {})
    return order("", medicationReference=reference, **more)


def gene(symbol: str) -> Json:
    return component("48018-6", valueCodeableConcept=concept(symbol, system=HGNC, display=symbol))


def variant(*components: Json, value: Json = PRESENT, **more: Any) -> Json:
    return observation("69548-6", valueCodeableConcept=value, component=list(components), **more)


ORDERS: list[tuple[str, list[Json], str]] = [
    ("1 coded, with text", [order(VENETOCLAX | {"text": "venetoclax 100 MG Oral Tablet"})], "venetoclax"),
    ("1 broken: an unknown code, and its text", [order(concept("0", "venetoclax", RXNORM))], "venetoclax"),
    ("2 contained", [referring("#med1", contained=[medication(VENETOCLAX)])], "venetoclax"),
    ("2 broken: contained under another name, display", [referring("#x", "Venetoclax", contained=[])], "venetoclax"),
    ("3 referenced", [referring("Medication/med1"), medication(VENETOCLAX)], "venetoclax"),
    ("3 broken: the Medication did not come", [referring("Medication/med1", "Venclexta 100 mg tablet")], "venetoclax"),
    ("4 reported, by its form group", [order(concept("1747559", "venetoclax Pill", RXNORM), intent="plan",
                                             reportedBoolean=True)], "venetoclax"),
    ("5 a tenant's synonym first", [order({"coding": [
        {"system": "https://ehr.example/synonym", "code": "77", "display": "venetoclax", "userSelected": True},
        {"system": RXNORM, "code": "1747561", "userSelected": False}]})], "venetoclax"),
    ("5 the narrative of another drug is not read", [order(VENETOCLAX, text={
        "status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">gilteritinib</div>'})], "venetoclax"),
    ("6 several ingredients", [referring("#m", "chemo", contained=[medication(
        {"text": "chemo bag"}, "m", ingredient=[
            {"itemCodeableConcept": {"text": "cytarabine"}}, {"itemCodeableConcept": {"text": "daunorubicin"}},
        ])])], "cytarabine, daunorubicin"),
    ("7 contained, RxNorm within", [referring("#med1", contained=[
        medication({"coding": [{"system": RXNORM, "code": "1747561"}]})])], "venetoclax"),
    ("8 text alone", [order("Venclexta 100 mg tablets")], "venetoclax"),
    ("8 broken: text that only holds the letters", [order("venetoclaxine")], ""),
    ("9 a clinical drug alone", [order(concept("199885", system=RXNORM))], "levofloxacin"),
    ("9 a code as a number", [order({"coding": [{"system": RXNORM, "code": 1747561}]})], "venetoclax"),
    ("10 further codings without display", [order({"coding": [
        {"system": "http://open.epic.com/FHIR/x", "code": "1", "display": None},
        {"system": RXNORM, "code": "1747561", "display": None}]})], "venetoclax"),
]  # fmt: skip

VALUES: list[tuple[str, list[Json], Key[Any], str]] = [
    ("11 flagged normal although high", [observation(
        "2823-3", valueQuantity=measured(5.4, "mmol/L", system=UCUM, code="mmol/L"),
        interpretation=[concept("N")])], POTASSIUM, "5.4 mmol/L"),
    ("11 in mass", [observation("2160-0", valueQuantity=measured(1, "mg/dL", system=UCUM, code="mg/dL"))],
     CREATININE, "88.4 umol/L"),
    ("12 QT of one lead is no QTc", [observation(
        "44975-1", category=[concept("procedure")], valueQuantity=measured(0.4, "s"))], QTC, "absent"),
    ("13 an impression in words is no number", [observation("18844-1", valueString="QTc prolonged")], QTC, "absent"),
    ("14 pregnancy by SNOMED", [observation("82810-3", valueCodeableConcept=concept(
        "77386006", "Pregnant", SNOMED))], PREGNANT, "True"),
    ("15 unknown within the value", [observation("82810-3", valueCodeableConcept=concept(
        "unknown", system=ABSENT_REASON))], PREGNANT, "unreadable"),
    ("16 the tenant's code first", [observation({"coding": [
        {"system": LOCAL, "code": "9", "userSelected": True}, {"system": LOINC, "code": "2823-3"}]},
        valueQuantity=measured(3.9, "mmol/L"))], POTASSIUM, "3.9 mmol/L"),
    ("17 masked", [observation("718-7", dataAbsentReason=concept("masked", system=ABSENT_REASON))],
     HAEMOGLOBIN, "unreadable"),
    ("18 a panel without a value, its member with one", [
        observation("24326-1", hasMember=[{"reference": "Observation/k"}], name="panel"),
        observation("2823-3", name="k", valueQuantity=measured(3.9, "mmol/L"))], POTASSIUM, "3.9 mmol/L"),
    ("18 parts alone", [observation("24326-1", component=[
        component("2823-3", valueQuantity=measured(3.9, "mmol/L"))])], POTASSIUM, "3.9 mmol/L"),
    ("19 a note is not read", [observation(
        "2823-3", valueQuantity=measured(3.9, "mmol/L"), note=[{"text": r"{\rtf1 2.1 mmol/L}"}])],
     POTASSIUM, "3.9 mmol/L"),
    ("20 QTcF and QTcB as parts", [observation("8636-3", component=[
        component("76634-5", valueQuantity=measured(512, "ms")),
        component("76635-2", valueQuantity=measured(530, "ms"))])], QTC, "512 ms QTcF"),
    ("20 broken: a part without a unit", [observation("8636-3", component=[
        component("76634-5", valueQuantity=measured(512))])], QTC, "unreadable"),
    ("21 coded, without a number", [observation(concept("301117000", system=SNOMED), valueCodeableConcept=concept(
        "111975006", system=SNOMED))], QTC, "unreadable"),
    ("22 of unknown formula", [observation("8636-3", valueQuantity=measured(512, "ms"))], QTC,
     "512 ms QTc (formula not stated)"),
    ("23 a flowsheet row by its name", [observation(concept("57101", "QTcF", FLOWSHEET),
                                                    valueQuantity=measured(512, "ms"))], QTC, "512 ms QTcF"),
    ("25 ECOG as an answer code", [observation("89247-1", valueCodeableConcept=concept("LA9623-5"))],
     ECOG, "1 {score}"),
    ("25 ECOG as a number", [observation("89247-1", valueInteger=1)], ECOG, "1 {score}"),
    ("25 ECOG whose number and code differ", [observation(
        "89247-1", valueInteger=3, interpretation=[concept("LA9623-5")])], ECOG, "unreadable"),
]  # fmt: skip

GENOMICS: list[tuple[str, list[Json], Key[Any], str]] = [
    ("26 a variant, HGVS in whichever slot", [variant(gene("IDH1"), component(
        "81290-9", valueCodeableConcept={"text": "NP_005887.2:p.(Arg132His)"}))], IDH1, "present"),
    ("26 of another place", [variant(gene("IDH1"), component(
        "48005-3", valueCodeableConcept={"text": "p.Gly105Gly"}))], IDH1, "unreadable"),
    ("27 a fusion", [variant(gene("MLLT3"), gene("KMT2A"))], KMT2A_R, "present"),
    ("27 the partners the other way round", [variant(gene("KMT2A"), gene("MLLT3"))], KMT2A_R, "present"),
    ("28 absent", [observation("79210-1", valueCodeableConcept=ABSENT)], FLT3_ITD, "absent"),
    ("28 no call", [observation("79210-1", valueCodeableConcept=concept("LA18198-4"))], FLT3_ITD, "unreadable"),
    ("29 components of new names", [variant(gene("IDH2"), component(
        "48005-3", valueCodeableConcept={"text": "p.Arg140Gln"}))], IDH2, "present"),
    ("30 the test of one gene", [observation("79210-1", valueCodeableConcept=PRESENT)], FLT3_ITD, "present"),
    ("30 mutations found, as a list", [observation("100022-3", valueString="p.R132C")], IDH1, "present"),
    ("30 mutations found: none", [observation("100022-3", valueString="None detected")], IDH1, "absent"),
    ("30 D835", [observation("92843-2", valueCodeableConcept=PRESENT)], FLT3_TKD, "present"),
    ("31 a local code and a text", [observation(concept("FLT3_STATUS", "FLT3-ITD", "https://lab.example"),
                                               valueString="detected")], FLT3_ITD, "present"),
    ("32 not detected, and German words", [observation(
        "75034-9", valueCodeableConcept=concept("LA11883-8", "nicht nachgewiesen"))], NPM1, "absent"),
    ("33 by its old names", [variant(
        component("48018-6", valueCodeableConcept={"text": "MLL"}),
        component("48018-6", valueCodeableConcept={"text": "AF9"}))], KMT2A_R, "present"),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "resources", "expected"), ORDERS, ids=[each[0] for each in ORDERS])
def test_an_order(shape: str, resources: list[Json], expected: str) -> None:
    listed = [each for each in resources if each["resourceType"] == "MedicationRequest"]
    beside = [{"resource": each} for each in resources if each["resourceType"] == "Medication"]
    assert drugs(chart(*listed, others=beside)) == expected
    assert drugs(chart(drafts=[each | {"status": "draft"} for each in listed], others=beside)) == expected


@pytest.mark.parametrize(
    ("shape", "resources", "key", "expected"), [*VALUES, *GENOMICS], ids=[each[0] for each in [*VALUES, *GENOMICS]]
)
def test_a_result(shape: str, resources: list[Json], key: Key[Any], expected: str) -> None:
    assert told(chart(*resources).get(key)) == expected


def test_every_observed_shape_is_here() -> None:
    numbers = {int(each[0].split()[0]) for each in (*ORDERS, *VALUES, *GENOMICS)}
    assert sorted(set(range(1, 34)) - numbers) == [24]  # 24, Epic's extension on Patient, decides nothing here
