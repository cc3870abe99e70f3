"""A corpus of shapes that records really have, each with the fact that it says, and its broken cousins.

The numbers are those of the list of observed shapes that the terminology tables were made with: 1-10 orders, 11-25
observations, 26-33 genomics. A shape tells its fact in words: a value, a drug, "present", "absent", or why not. A
broken one is known by another way or unknown in words; it never makes a fact that was not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from cds_service.facts.chart import Chart
from cds_service.facts.drugs.medications import MEDICATIONS
from cds_service.facts.fact import Fact, Key, State
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
        return "not found" if fact.state is State.ABSENT else fact.state.name.lower().replace("_", " ")
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
    ("2 contained", [referring("#med1", contained=[medication(VENETOCLAX)])], "venetoclax"),
    ("3 referenced", [referring("Medication/med1"), medication(VENETOCLAX)], "venetoclax"),
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
     CREATININE, "88.4 µmol/L"),
    ("12 QT of one lead is no QTc", [observation(
        "44975-1", category=[concept("procedure")], valueQuantity=measured(0.4, "s"))], QTC, "not found"),
    ("13 an impression of one QTc and nothing else", [observation(
        concept("18844-1", "EKG impression"), valueString="QTc 512 ms (Fridericia)")], QTC, "512 ms QTcF"),
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
    ("21 coded, without a number", [observation(concept("301117000", system=SNOMED), valueCodeableConcept=concept(
        "111975006", system=SNOMED))], QTC, "unreadable"),
    ("22 of unknown formula", [observation("8636-3", valueQuantity=measured(512, "ms"))], QTC,
     "512 ms QTc (formula not stated)"),
    ("23 a flowsheet row by its name", [observation(concept("57101", "QTcF", FLOWSHEET),
                                                    valueQuantity=measured(512, "ms"))], QTC, "512 ms QTcF"),
    ("25 ECOG as an answer code", [observation("89247-1", valueCodeableConcept=concept("LA9623-5"))],
     ECOG, "1 {score}"),
    ("25 ECOG as a number", [observation("89247-1", valueInteger=1)], ECOG, "1 {score}"),
]  # fmt: skip

GENOMICS: list[tuple[str, list[Json], Key[Any], str]] = [
    ("26 a variant, HGVS in whichever slot", [variant(gene("IDH1"), component(
        "81290-9", valueCodeableConcept={"text": "NP_005887.2:p.(Arg132His)"}))], IDH1, "present"),
    ("27 a fusion", [variant(gene("MLLT3"), gene("KMT2A"))], KMT2A_R, "present"),
    ("27 the partners the other way round", [variant(gene("KMT2A"), gene("MLLT3"))], KMT2A_R, "present"),
    ("28 absent", [observation("79210-1", valueCodeableConcept=ABSENT)], FLT3_ITD, "absent"),
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

# Their broken cousins: the damage that real records do to each, what is known then, and the words that say so.

BROKEN_ORDERS: list[tuple[str, list[Json], str, str]] = [
    ("1 an unknown code, and its text", [order(concept("0", "venetoclax", RXNORM))], "venetoclax", "its name"),
    ("1 the code under another system", [order(concept("1747561", "venetoclax", SNOMED))], "venetoclax", "its name"),
    ("1 code and text of two drugs", [order(concept("197361", "cytarabine", RXNORM))], "amlodipine, cytarabine",
     "cytarabine"),
    ("1 a list for the concept", [order("x", medicationCodeableConcept=[VENETOCLAX])], "venetoclax",
     "not valid FHIR R4 at medicationCodeableConcept"),
    ("2 contained under another name, display", [referring("#x", "Venetoclax", contained=[])], "venetoclax",
     "did not come along"),
    ("2 contained under another name", [referring("#x", contained=[medication(VENETOCLAX)])], "", "told apart"),
    ("2 contained as an object", [referring("#med1", contained=medication(VENETOCLAX))], "venetoclax", "RxNorm"),
    ("3 the Medication did not come, display", [referring("Medication/med1", "Venclexta 100 mg tablet")],
     "venetoclax", "did not come along"),
    ("3 the Medication did not come", [referring("Medication/med1")], "", "told apart"),
    ("3 a Medication without code", [referring("Medication/med1"), medication({})], "", "told apart"),
    ("4 a form group under another system", [order(concept("1747559", system=SNOMED), intent="plan")], "",
     "told apart"),
    ("5 the tenant's synonym alone", [order({"coding": [
        {"system": "https://ehr.example/synonym", "code": "77", "userSelected": True}]})], "", "told apart"),
    ("5 the tenant's synonym alone, display", [order(concept(
        "77", system="https://ehr.example/synonym", display="venetoclax"))], "venetoclax", "its name"),
    ("6 one ingredient without a word", [referring("#m", contained=[medication({"text": "chemo bag"}, "m", ingredient=[
        {"itemCodeableConcept": {"text": "cytarabine"}}, {"itemCodeableConcept": {}}])])], "cytarabine", ""),
    ("6 an object for the ingredients", [referring("#m", "cytarabine bag", contained=[medication(
        {}, "m", ingredient={"itemCodeableConcept": {"text": "cytarabine"}})])], "cytarabine", ""),
    ("7 contained, without its code", [referring("#med1", contained=[medication({"coding": [{"system": RXNORM}]})])],
     "", "told apart"),
    ("8 no text at all", [order("", medicationCodeableConcept={})], "", "told apart"),
    ("8 text that only holds the letters", [order("venetoclaxine")], "", ""),
    ("9 a code without system", [order({"coding": [{"code": "199885"}]})], "", "told apart"),
    ("9 a code with a digit too few", [order(concept("19988", system=RXNORM))], "", "told apart"),
    ("10 an object for the codings", [order({"coding": {"system": RXNORM, "code": "1747561"}, "text": "x"})],
     "venetoclax", "RxNorm"),
    ("10 no coding of a known system", [order({"coding": [
        {"system": "http://open.epic.com/FHIR/x", "code": "1", "display": None}]})], "", "told apart"),
]  # fmt: skip

NO_UNIT, NOT_FOUND = "without a unit", "none found under the codes we ask for"
BROKEN_VALUES: list[tuple[str, list[Json], Key[Any], str, str]] = [
    ("11 no unit", [observation("2823-3", valueQuantity=measured(5.4))], POTASSIUM, "unreadable", NO_UNIT),
    ("11 an unknown unit", [observation("2823-3", valueQuantity=measured(5.4, "mmol/24h"))], POTASSIUM, "unreadable",
     "not one we convert"),
    ("11 no code, and its name", [observation({"text": "Potassium"}, valueQuantity=measured(5.4, "mmol/L"))],
     POTASSIUM, "5.4 mmol/L", "known by its name alone"),
    ("11 no code and no name", [observation({}, valueQuantity=measured(5.4, "mmol/L"))], POTASSIUM, "not found",
     NOT_FOUND),
    ("12 QT without unit, with a rate", [
        observation("8634-8", name="qt", valueQuantity=measured(0.4)),
        observation("8867-4", name="hr", valueQuantity=measured(60, "/min"))], QTC, "unreadable", NO_UNIT),
    ("13 an impression in words is no number", [observation(concept("18844-1", "EKG impression"),
                                                            valueString="QTc prolonged")], QTC, "unreadable",
     "not read"),
    ("13 cut before its unit", [observation(concept("18844-1", "EKG impression"), valueString="QTcF 51")], QTC,
     "unreadable", NO_UNIT),
    ("14 under another system", [observation("82810-3", valueCodeableConcept=concept("77386006", system=LOINC))],
     PREGNANT, "unreadable", "decides nothing"),
    ("14 no value", [observation("82810-3")], PREGNANT, "unreadable", "decides nothing"),
    ("15 unknown without its system", [observation("82810-3", valueCodeableConcept={"coding": [{"code": "unknown"}]})],
     PREGNANT, "unreadable", "decides nothing"),
    ("16 the tenant's code alone", [observation(concept("9", system=LOCAL), valueQuantity=measured(3.9, "mmol/L"))],
     POTASSIUM, "not found", NOT_FOUND),
    ("16 a digit too many", [observation("2823-33", valueQuantity=measured(3.9, "mmol/L"))], POTASSIUM, "not found",
     NOT_FOUND),
    ("17 a reason without its code", [observation("718-7", dataAbsentReason={"text": "masked"})], HAEMOGLOBIN,
     "unreadable", "stated as not known"),
    ("17 neither a value nor a reason", [observation("718-7")], HAEMOGLOBIN, "unreadable", "no value"),
    ("18 the member did not come", [observation("24326-1", hasMember=[{"reference": "Observation/k"}])], POTASSIUM,
     "not found", NOT_FOUND),
    ("18 an object for the parts", [observation("24326-1", component=component(
        "2823-3", valueQuantity=measured(3.9, "mmol/L")))], POTASSIUM, "3.9 mmol/L", ""),
    ("19 an object for the notes", [observation("2823-3", valueQuantity=measured(3.9, "mmol/L"),
                                                note={"text": r"{\rtf1 2.1 mmol/L}"})], POTASSIUM, "3.9 mmol/L", ""),
    ("19 a number in the note alone", [observation("2823-3", note=[{"text": "3.9 mmol/L"}])], POTASSIUM, "unreadable",
     "no value"),
    ("20 a part without a unit", [observation("8636-3", component=[
        component("76634-5", valueQuantity=measured(512))])], QTC, "unreadable", NO_UNIT),
    ("20 the part's formula belied by its name", [observation("8636-3", component=[
        {"code": concept("76634-5", "QTcB"), "valueQuantity": measured(512, "ms")}])], QTC,
     "512 ms QTc (formula not stated)", "its code states one formula, its name another"),
    ("21 in words alone", [observation(concept("301117000", system=SNOMED), valueCodeableConcept={"text": "long"})],
     QTC, "unreadable", "a code instead of a number"),
    ("22 no unit", [observation("8636-3", valueQuantity=measured(512))], QTC, "unreadable", NO_UNIT),
    ("22 seconds under the unit of milliseconds", [observation("8636-3", valueQuantity=measured(0.512, "ms"))], QTC,
     "unreadable", "not a possible value"),
    ("23 a row without its name", [observation(concept("57101", system=FLOWSHEET),
                                               valueQuantity=measured(512, "ms"))], QTC, "not found", NOT_FOUND),
    ("23 a limit, by its name", [observation(concept("57101", "QTcF limit", FLOWSHEET),
                                             valueQuantity=measured(450, "ms"))], QTC, "not found", NOT_FOUND),
    ("25 whose number and code differ", [observation(
        "89247-1", valueInteger=3, interpretation=[concept("LA9623-5")])], ECOG, "unreadable", "contradict"),
    ("25 an answer of another list", [observation("89247-1", valueCodeableConcept=concept("LA9634-2"))], ECOG,
     "unreadable", "a code instead of a number"),
    ("25 beyond the scale", [observation("89247-1", valueInteger=80)], ECOG, "unreadable", "not a possible value"),
]  # fmt: skip

BROKEN_GENOMICS: list[tuple[str, list[Json], Key[Any], str, str]] = [
    ("26 of another place", [variant(gene("IDH1"), component(
        "48005-3", valueCodeableConcept={"text": "p.Gly105Gly"}))], IDH1, "unreadable", "unknown significance"),
    ("26 cut in its change", [variant(gene("IDH1"), component(
        "48005-3", valueCodeableConcept={"text": "p.Arg1"}))], IDH1, "present", "the variant is not stated"),
    ("26 no gene", [variant(component("48005-3", valueCodeableConcept={"text": "p.Arg132His"}))], IDH1, "not found",
     NOT_FOUND),
    ("27 one partner alone", [variant(gene("KMT2A"))], KMT2A_R, "unreadable", "not stated"),
    ("28 no call", [observation("79210-1", valueCodeableConcept=concept("LA18198-4"))], FLT3_ITD, "unreadable", ""),
    ("28 absent under another system", [observation("79210-1", valueCodeableConcept=concept(
        "LA9634-2", system=SNOMED))], FLT3_ITD, "unreadable", "no value that can be read"),
    ("29 components without their codes", [variant({"valueCodeableConcept": {"text": "IDH2 p.Arg140Gln"}})], IDH2,
     "unreadable", "not valid FHIR R4"),
    ("29 an object for the components", [observation("69548-6", valueCodeableConcept=PRESENT, component=gene("IDH2"))],
     IDH2, "present", "the variant is not stated"),
    ("30 no value", [observation("79210-1")], FLT3_ITD, "unreadable", "no value that can be read"),
    ("30 absent and present", [observation("79210-1", valueCodeableConcept={"coding": [
        *PRESENT["coding"], *ABSENT["coding"]]})], FLT3_ITD, "unreadable", "contradictory"),
    ("30 mutations found: none but", [observation("100022-3", valueString="None detected except R132C")], IDH1,
     "unreadable", ""),
    ("31 a name cut to its gene", [observation(concept("FLT3_STATUS", "FLT3", "https://lab.example"),
                                               valueString="detected")], FLT3_ITD, "unreadable",
     "whether ITD or TKD is not stated"),
    ("31 a name of its own, words of ours", [observation(concept("X1", "Order question 7", "https://lab.example"),
                                                         valueString="FLT3-ITD detected")], FLT3_ITD, "unreadable",
     "could not be read"),
    ("32 German words without a code", [observation("75034-9", valueCodeableConcept={"text": "nicht gefunden"})], NPM1,
     "unreadable", "nicht gefunden"),
    ("32 code and words that disagree", [observation("75034-9", valueCodeableConcept=concept(
        "LA11883-8", "nachweisbar"))], NPM1, "unreadable", "contradictory"),
    ("33 an old name and a slip", [variant(
        component("48018-6", valueCodeableConcept={"text": "MLL"}),
        component("48018-6", valueCodeableConcept={"text": "AF99"}))], KMT2A_R, "unreadable", "not stated"),
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


def orders_read(resources: list[Json], status: str) -> Chart:
    """The facts where these are the drafts, or the orders on record."""
    listed = [each for each in resources if each["resourceType"] == "MedicationRequest"]
    beside = [{"resource": each} for each in resources if each["resourceType"] == "Medication"]
    if status == "draft":
        return chart(drafts=[each | {"status": "draft"} for each in listed], others=beside)
    return chart(*listed, others=beside)


@pytest.mark.parametrize(
    ("shape", "resources", "expected", "words"), BROKEN_ORDERS, ids=[each[0] for each in BROKEN_ORDERS]
)
def test_a_broken_order(shape: str, resources: list[Json], expected: str, words: str) -> None:
    for status in ("active", "draft"):
        found = orders_read(resources, status)
        assert drugs(found) == expected
        said = [*found.get(MEDICATIONS).doubts]
        for each in found.medications.orders:
            said += [each.matched_by, each.conflict, *each.doubts]
        if status == "active" or expected:
            assert words in " | ".join(said), said


@pytest.mark.parametrize(
    ("shape", "resources", "key", "expected", "words"), [*BROKEN_VALUES, *BROKEN_GENOMICS],
    ids=[each[0] for each in [*BROKEN_VALUES, *BROKEN_GENOMICS]],
)  # fmt: skip
def test_a_broken_result(shape: str, resources: list[Json], key: Key[Any], expected: str, words: str) -> None:
    found = chart(*resources).get(key)
    assert told(found) == expected
    assert words in " | ".join([found.why, *found.doubts])
    assert found.why or found.value is not None  # unknown is unknown in words


def test_an_extension_of_the_patient_decides_nothing() -> None:
    """24: Epic's calculated pregnancy status. Nothing is read of it, whole or broken."""
    url = "http://open.epic.com/FHIR/StructureDefinition/extension/calculated-pregnancy-status"
    for extension in ([{"url": url, "valueCodeableConcept": concept("77386006", system=SNOMED)}], [{"url": url}],
                      {"url": url}):
        patient = {"resourceType": "Patient", "id": "p1", "birthDate": "1980-01-01", "extension": extension}
        assert chart(patient).get(PREGNANT).state is State.ABSENT


DECIDES_NOTHING = {24}  # said by the test above


def numbers(*lists: Sequence[tuple[Any, ...]]) -> set[int]:
    return {int(each[0].split()[0]) for every in lists for each in every}


def test_every_observed_shape_is_here_whole_and_broken() -> None:
    every = set(range(1, 34)) - DECIDES_NOTHING
    assert numbers(ORDERS, VALUES, GENOMICS) == every
    assert numbers(BROKEN_ORDERS, BROKEN_VALUES, BROKEN_GENOMICS) == every
