"""Allergies: by code or name, without what is refuted, resolved or none at all."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.facts.allergies import ALLERGIES, Allergy
from cds_service.facts.fact import Fact, State
from cds_service.gather.replies import Status
from tests.charts import Json, chart, concept

STATUS = "http://terminology.hl7.org/CodeSystem/allergyintolerance-"


def allergy(code: Json | None, clinical: str = "active", verified: str = "confirmed", **more: Any) -> Json:
    found = {"resourceType": "AllergyIntolerance", "id": "a1", "patient": {"reference": "Patient/p1"},
             "verificationStatus": concept(verified, system=STATUS + "verification")}
    if verified != "entered-in-error":
        found["clinicalStatus"] = concept(clinical, system=STATUS + "clinical")
    return found | ({"code": code} if code else {}) | more


def read(*entries: Json, **more: Any) -> Fact[tuple[Allergy, ...]]:
    return chart(*entries, **more).get(ALLERGIES)


def names(fact: Fact[tuple[Allergy, ...]]) -> list[tuple[str, ...]]:
    return [each.drugs for each in fact.value or ()]


def test_a_drug_is_told_by_name_or_by_the_substance_of_a_reaction() -> None:
    assert names(read(allergy(concept(text="Venetoclax")))) == [("venetoclax",)]
    reaction = [{"substance": concept(text="gilteritinib"), "manifestation": [concept(text="rash")]}]
    assert names(read(allergy(concept(text="drug allergy"), reaction=reaction))) == [("gilteritinib",)]


@pytest.mark.parametrize("code", [concept(text="Inqovi"), concept("2384456", text="cedazuridine / decitabine",
    system="http://www.nlm.nih.gov/research/umls/rxnorm")])
def test_an_allergy_to_a_fixed_combination_is_one_to_its_parts(code: Json) -> None:
    assert names(read(allergy(code))) == [("decitabine cedazuridine", "decitabine")]


def test_a_substance_is_told_by_its_snomed_code() -> None:
    found = read(allergy(concept("782974005", text="Allergy to a drug", system="http://snomed.info/sct")))
    assert names(found) == [("gilteritinib",)]


def test_another_substance_keeps_its_words() -> None:
    found = read(allergy(concept(text="Mannitol")))
    assert (names(found), found.value[0].words if found.value else "") == ([()], "Mannitol")


@pytest.mark.parametrize(("clinical", "verified"), [
    ("resolved", "confirmed"), ("inactive", "confirmed"), ("active", "refuted"), ("active", "entered-in-error"),
])
def test_what_is_over_refuted_or_wrong_does_not_count(clinical: str, verified: str) -> None:
    assert read(allergy(concept(text="Venetoclax"), clinical, verified)).value == ()


@pytest.mark.parametrize("code", [concept("716186003", system="http://snomed.info/sct"), concept(text="NKDA"),
                                  concept(text="No known drug allergies")])
def test_no_known_allergy_is_no_allergy(code: Json) -> None:
    found = read(allergy(code))
    assert (found.value, found.sure) == ((), True)


IPS = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"


@pytest.mark.parametrize("code", ["no-known-allergies", "no-known-medication-allergies"])
def test_the_patient_summary_says_no_known_allergy_by_codes_of_its_own(code: str) -> None:
    found = read(allergy(concept(code, system=IPS)))
    assert (found.value, found.sure) == ((), True)


@pytest.mark.parametrize("code", [
    concept("no-allergy-info", system=IPS), concept(text="No information about allergies"),
])
def test_that_nothing_is_known_of_allergies_is_no_no(code: Json) -> None:
    found = read(allergy(code))
    assert (found.state, found.why) == (State.ABSENT, "the record says that nothing is known of allergies")
    beside = read(allergy(code), allergy(concept(text="Venetoclax"), id="a2"))
    assert (names(beside), beside.sure) == ([("venetoclax",)], False)


def test_a_refuted_statement_of_no_allergy_says_nothing() -> None:
    assert read(allergy(concept("no-allergy-info", system=IPS), verified="refuted")).sure


@pytest.mark.parametrize(("criticality", "words"), [
    ("high", "Venetoclax (criticality high)"), ("low", "Venetoclax (criticality low)"),
    ("unable-to-assess", "Venetoclax"),
])
def test_the_criticality_is_said(criticality: str, words: str) -> None:
    found = read(allergy(concept(text="Venetoclax"), criticality=criticality))
    assert found.value is not None
    assert found.value[0].words == words


def test_an_unconfirmed_entry_is_doubted_and_a_nameless_one_leaves_a_doubt() -> None:
    found = read(allergy(concept(text="Venetoclax"), verified="unconfirmed"))
    assert found.value is not None
    assert found.value[0].doubts == ("unconfirmed",)
    assert not read(allergy(None)).sure


def test_another_patients_allergy_is_not_read() -> None:
    found = read(allergy(concept(text="Venetoclax"), patient={"reference": "Patient/p2"}))
    assert not found.value


@pytest.mark.parametrize("status", [Status.FAILED, Status.NOT_ASKED])
def test_allergies_that_could_not_be_had_are_not_none(status: Status) -> None:
    assert read(statuses={"allergies": status}).state in (State.FAILED, State.NOT_ASKED)


@pytest.mark.parametrize("damage", [
    {"reaction": [{"severity": "severe"}]}, {"reaction": "zzz"}, {"clinicalStatus": "active"},
    {"verificationStatus": [concept("confirmed")]},
])
def test_an_entry_that_is_not_valid_still_tells_its_drug_and_is_doubted(damage: Json) -> None:
    found = read(allergy(concept(text="Venetoclax")) | damage)
    assert names(found) == [("venetoclax",)]
    assert found.value is not None and found.value[0].doubts and not found.sure


def test_an_entry_that_names_no_patient_came_with_the_answer_for_this_one() -> None:
    entry = allergy(concept(text="Venetoclax"))
    del entry["patient"]
    found = read(entry)
    assert (names(found), found.sure) == ([("venetoclax",)], True)


def test_a_broken_entry_of_another_patient_is_not_read() -> None:
    entry = allergy(concept(text="Venetoclax"), reaction="zzz", patient={"reference": "Patient/p2"})
    assert not names(read(entry))


def test_a_refuted_entry_that_is_not_valid_does_not_count() -> None:
    assert not names(read(allergy(concept(text="Venetoclax"), verified="refuted", reaction="zzz")))


@pytest.mark.parametrize("text", ["No allergy to gilteritinib", "Not allergic to gilteritinib"])
def test_that_there_is_no_allergy_to_a_drug_is_none(text: str) -> None:
    assert names(read(allergy(concept(text=text)))) == [()]


@pytest.mark.parametrize("code", [
    concept(text="Anaphylaxis to gilteritinib, not allergic to penicillin"),
    concept("2105806", "Gilteritinib - no allergy to other FLT3 inhibitors known", "http://www.nlm.nih.gov/research/umls/rxnorm"),
])
def test_that_there_is_no_allergy_to_another_substance_hides_none(code: Json) -> None:
    assert names(read(allergy(code))) == [("gilteritinib",)]
    reaction = [{"substance": concept(text="gilteritinib"), "manifestation": [concept(text="rash")]}]
    assert names(read(allergy(concept(text="no allergy to penicillin"), reaction=reaction))) == [("gilteritinib",)]


@pytest.mark.parametrize("code", [
    concept(text="No known allergies except cytarabine"), concept(text="NKDA; cytarabine: rash"),
    concept("409137002", text="No known drug allergy other than cytarabine", system="http://snomed.info/sct"),
])
def test_an_entry_of_no_known_allergy_that_names_one_is_an_allergy_with_a_doubt(code: Json) -> None:
    found = read(allergy(code))
    assert names(found) == [("cytarabine",)]
    assert (found.value or ())[0].doubts == ("it also says that no allergy is known",)
    assert read(allergy(concept(text="No known allergy to cytarabine"))).value == ()
    (other,) = read(allergy(concept(text="No known allergies except walnuts"))).value or ()
    assert (other.drugs, other.words) == ((), "No known allergies except walnuts")


@pytest.mark.parametrize("text", ["Unknown", "see note", "Other", "unbekannt"])
def test_an_entry_that_does_not_say_to_what_clears_nothing(text: str) -> None:
    found = read(allergy(concept(text=text)))
    assert (found.value, found.sure) == ((), False)
    assert text in found.doubts[0]


ATC = "http://www.whocc.no/atc"
ANTHRACYCLINES = {"daunorubicin", "idarubicin", "aclarubicin", "mitoxantrone", "daunorubicin cytarabine liposome"}


@pytest.mark.parametrize("code", [
    concept(text="Anthracyclines"), concept(text="Allergy to anthracyclines"), concept("L01DB", system=ATC),
    concept("372540003", system="http://snomed.info/sct"), concept(text="Penicillins, anthracyclines"),
    concept(text="Allergie gegen Anthrazykline"), concept(text="No known allergies except anthracyclines"),
    concept(text="Anthracyclines (all)"), concept(text="Unverträglichkeit gegenüber Anthrazyklinen"),
    concept(text="alergia a antraciclinas"), concept(text="Anthracyclines excluded because of an allergy"),
    concept(text="Anthracyclines: none tolerated"),
])
def test_an_allergy_to_a_class_names_the_drugs_in_it(code: Json) -> None:
    found = read(allergy(code)).value
    assert found is not None and [set(each.of_class) for each in found] == [ANTHRACYCLINES]
    assert found[0].drugs == ()


@pytest.mark.parametrize("code", [
    concept(text="Afatinib (tyrosine kinase inhibitor)"), concept(text="Doxorubicin, an anthracycline"),
    concept(text="anthracycline-induced cardiomyopathy"), concept(text="No allergy to anthracyclines"),
    concept(text="Tetracyclines"), concept("L01DB06", system=ATC), concept("L", system=ATC),
    concept("J01AA", system=ATC), concept(text="Mannitol"),
    concept(text="Antibiotics: none; anthracyclines: none known"),
    concept(text="Allergie gegen Anthrazykline ausgeschlossen"), concept(text="Anthracycline allergy ruled out"),
])
def test_what_only_describes_a_drug_or_is_denied_names_no_class_of_ours(code: Json) -> None:
    found = read(allergy(code)).value or ()
    assert not [drug for each in found for drug in each.of_class if drug in ANTHRACYCLINES or drug == "gilteritinib"]
