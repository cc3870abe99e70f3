"""Products: which drug an order is for, wherever that is said."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.facts.medications import Medication
from tests.charts import RXNORM, Json, chart, concept, order

ATC, NDC = "http://www.whocc.no/atc", "http://hl7.org/fhir/sid/ndc"


def product(drug: Json | str = "", others: tuple[Json, ...] = (), **more: Any) -> Medication | None:
    orders = chart(order(drug, **more), others=others).medications.orders
    return orders[0] if orders else None


def ingredients(drug: Json | str = "", others: tuple[Json, ...] = (), **more: Any) -> tuple[str, ...]:
    found = product(drug, others, **more)
    return found.ingredients if found else ()


@pytest.mark.parametrize(("system", "code", "drug"), [
    (RXNORM, "1747556", "venetoclax"), (RXNORM, "1747561", "venetoclax"), (RXNORM, "2105807", "gilteritinib"),
    (RXNORM, "2105808", "gilteritinib"), (RXNORM, "2105809", "gilteritinib"), (RXNORM, "2105810", "gilteritinib"),
    (RXNORM, "2105812", "gilteritinib"), (RXNORM, "2105817", "gilteritinib"), (RXNORM, "2105823", "gilteritinib"),
    (ATC, "L01XX52", "venetoclax"), (NDC, "0074-0576", "venetoclax"), (NDC, "0074-0576-22", "venetoclax"),
    (NDC, "00074057622", "venetoclax"), (NDC, "00074-0576-22", "venetoclax"),
    ("urn:oid:2.16.840.1.113883.6.88", "1747556", "venetoclax"),
    ("https://www.nlm.nih.gov/research/umls/rxnorm/", "1747556", "venetoclax"),
])
def test_a_code_of_any_level_and_system_names_the_drug(system: str, code: str, drug: str) -> None:
    assert ingredients(concept(code, system=system)) == (drug,)


@pytest.mark.parametrize(("text", "drug"), [
    ("Venclexta", "venetoclax"), ("VENCLYXTO 100 mg", "venetoclax"), ("venetoclax 100 mg tablet", "venetoclax"),
    ("Xospata", "gilteritinib"), ("gilteritinib fumarate", "gilteritinib"), ("Noxafil", "posaconazole"),
    ("rifampin 300 mg", "rifampicin"), ("ciclosporin 100 mg", "ciclosporin"), ("cyclosporine 100 mg", "ciclosporin"),
])
def test_a_name_helps_where_no_code_does_and_says_so(text: str, drug: str) -> None:
    found = product(text)
    assert found is not None
    assert (found.ingredients, found.matched_by) == ((drug,), "its name")
    assert ingredients(concept("unknown", system=RXNORM, display=text)) == (drug,)


@pytest.mark.parametrize("text", ["aspirin", "venetoclaxine", "no-venetoclax-here", "", "xospatal"])
def test_only_whole_words_are_names(text: str) -> None:
    assert "venetoclax" not in ingredients(text)
    assert "gilteritinib" not in ingredients(text)


def test_the_standard_code_may_come_second() -> None:
    code = {"coding": [{"system": "urn:oid:1.2.3", "code": "17", "userSelected": True},
        {"system": RXNORM, "code": "1747561"}]}
    found = product(code)
    assert found is not None
    assert (found.ingredients, found.matched_by) == (("venetoclax",), "RxNorm 1747561")


def test_where_code_and_text_disagree_both_are_checked_with_a_doubt() -> None:
    found = product(concept("1747561", "gilteritinib 40 mg", RXNORM))
    assert found is not None
    assert set(found.ingredients) == {"venetoclax", "gilteritinib"}
    assert "code and name disagree" in found.doubts[0]


def medication(**more: Any) -> Json:
    return {"resourceType": "Medication", "id": "d1", "code": concept("1747561", system=RXNORM)} | more


@pytest.mark.parametrize("reference", ["Medication/d1", "https://ehr.example.org/fhir/Medication/d1"])
def test_a_medication_may_be_another_entry_referred_to_relatively_or_absolutely(reference: str) -> None:
    assert ingredients("", (medication(),), medicationReference={"reference": reference}) == ("venetoclax",)


def test_a_medication_may_be_contained() -> None:
    found = ingredients("", contained=[{"resourceType": "Medication", "id": "other", "code": {"text": "aspirin"}},
                                       medication()], medicationReference={"reference": "#d1"})
    assert found == ("venetoclax",)


def test_a_medication_may_be_told_by_its_ingredients_or_by_the_display_alone() -> None:
    by_parts = {"resourceType": "Medication", "id": "d1",
                "ingredient": [{"itemCodeableConcept": concept("1747556", system=RXNORM)}]}
    assert ingredients("", (by_parts,), medicationReference={"reference": "Medication/d1"}) == ("venetoclax",)
    assert ingredients("", medicationReference={"reference": "Medication/gone",
        "display": "Venclexta"}) == ("venetoclax",)


def test_a_medication_that_cannot_be_found_makes_the_list_unsure() -> None:
    facts = chart(order("", medicationReference={"reference": "Medication/gone"}))
    assert facts.medications.unidentified == 1


@pytest.mark.parametrize("text", [
    "ketoconazole 2 % shampoo", "ketoconazole topical cream", "tacrolimus 0.1 % ointment", "erythromycin gel",
    "ciprofloxacin ear drops", "clotrimazole vaginal", "clotrimazole pessary", "ciprofloxacin inhalation",
    "erythromycin eye ointment", "metronidazole suppository",
])
def test_a_topical_is_not_systemic(text: str) -> None:
    found = product(text)
    assert found is not None
    assert found.route not in ("oral", "parenteral", "transdermal", "")


@pytest.mark.parametrize("text", [
    "ciclosporin 100 mg gel capsule", "cyclosporine modified 100 mg softgel", "ciclosporin liquid gel capsules",
    "itraconazole oral gel", "itraconazole 100 mg capsule", "tacrolimus injection, not the ointment",
])
def test_a_capsule_is_systemic_whatever_its_shell(text: str) -> None:
    found = product(text)
    assert found is not None
    assert found.route in ("oral", "parenteral")


@pytest.mark.parametrize(("said", "route"), [
    ("PO", "oral"), ("p.o.", "oral"), ("IV", "parenteral"), ("i.v. infusion", "parenteral"), ("SC", "parenteral"),
    ("Nasal route", "inhaled/nasal"), ("per vaginal use", "vaginal/rectal/intrauterine"), ("skin patch", "transdermal"),
    ("Subcutaneous route", "parenteral"), ("Oromucosal use", "topical"),
])
def test_a_route_is_read_as_it_is_spoken(said: str, route: str) -> None:
    found = product("posaconazole", dosageInstruction=[{"route": {"text": said}}])
    assert found is not None
    assert found.route == route


def test_the_route_of_the_order_comes_before_that_of_the_product() -> None:
    found = product("ketoconazole cream", dosageInstruction=[{"route": {"text": "oral"}}])
    assert found is not None
    assert found.route == "oral"
