"""Products: which drug an order is for, wherever that is said."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.facts.drugs.matching import match
from cds_service.facts.drugs.medications import Medication
from cds_service.gather.views import CodeableConcept, Coding
from tests.charts import RXNORM, Json, chart, concept, order, terms

ATC, NDC, SNOMED = "http://www.whocc.no/atc", "http://hl7.org/fhir/sid/ndc", "http://snomed.info/sct"
EDQM, NCI = "http://standardterms.edqm.eu", "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"


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
    ("2.16.840.1.113883.6.88", "1747556", "venetoclax"), ("URN:OID:2.16.840.1.113883.6.88", "1747556", "venetoclax"),
    ("HTTP://WWW.NLM.NIH.GOV/research/umls/RxNorm", "1747556", "venetoclax"), ("RXNORM", "1747556", "venetoclax"),
    ("http://nlm.nih.gov/research/umls/rxnorm|2026-10", "1747556", "venetoclax"), (ATC, "l01xx52", "venetoclax"),
    ("http://fhir.de/CodeSystem/bfarm/atc", "L01XX52", "venetoclax"), (NDC, "0074057622", "venetoclax"),
    (SNOMED, "782974005", "gilteritinib"), ("http://snomed.info/sct/900000000000207008", "412328000", "azacitidine"),
    (RXNORM, "1154999", "azacitidine"),
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


@pytest.mark.parametrize(("text", "drug"), [
    ("VORICONAZOLE_200_MG_TAB", "voriconazole"), ("TAB_POSACONAZOLE", "posaconazole"),
    ("posaconazole100mg", "posaconazole"),
    ("Klacid 500 mg", "clarithromycin"), ("Tegretal 200", "carbamazepine"), ("Eremfat 600", "rifampicin"),
    ("Johanniskraut-Trockenextrakt", "St John's wort"), ("Cytarabin 100 mg", "cytarabine"), ("AraC", "cytarabine"),
    ("Azacitidin 100 mg", "azacitidine"), ("Mitoxantron 10 mg", "mitoxantrone"), ("Gilterinib 40 mg", "gilteritinib"),
    ("isavucaonzole", "isavuconazole"),
    ("Zantac 150 mg", "ranitidine"), ("Rennie Kautabletten", "calcium carbonate"), ("Rolaids", "calcium carbonate"),
    ("Gaviscon Advance", "calcium carbonate"), ("Ciproxine 500 mg", "ciprofloxacin"),
])
def test_a_name_is_read_as_catalogues_and_other_languages_write_it(text: str, drug: str) -> None:
    assert ingredients(text) == (drug,)


@pytest.mark.parametrize("text", ["aspirin", "venetoclaxine", "no-venetoclax-here", "", "xospatal"])
def test_only_whole_words_are_names(text: str) -> None:
    assert "venetoclax" not in ingredients(text)
    assert "gilteritinib" not in ingredients(text)


@pytest.mark.parametrize("text", ["ac2201", "ag-1200"])
def test_a_number_that_goes_on_is_another_name(text: str) -> None:
    assert ingredients(text) == ()


@pytest.mark.parametrize(("text", "drugs"), [
    ("lopinavir-ritonavir 200-50 mg tablet", ("lopinavir", "ritonavir")), ("voriconazole-IV", ("voriconazole",)),
    ("darunavir-cobicistat", ("darunavir", "cobicistat")), ("rifampin-isoniazid", ("rifampicin",)),
    ("decitabine-cedazuridine 35-100 mg", ("decitabine cedazuridine",)), ("filgrastim-aafi", ("filgrastim",)),
    ("sulfamethoxazole-trimethoprim", ("sulfamethoxazole", "trimethoprim")),
    ("voriconazole-placebo", ()), ("posaconazole-level", ()), ("fluconazole-resistant Candida", ()),
    ("anti-venetoclax antibody", ()), ("venetoclax-free diluent", ()), ("potassium-sparing", ()),
])
def test_a_hyphen_joins_the_names_of_drugs_and_hides_none(text: str, drugs: tuple[str, ...]) -> None:
    assert ingredients(text) == drugs


@pytest.mark.parametrize("text", [
    "Ervebo", "ACAM2000", "MMR-Impfung", "Gelbfieberimpfung", "Varizellen-Impfstoff", "vaccin ROR",
    "vaccin vivant atténué", "vacuna triple vírica", "vaccino vivo attenuato", "Zostavax",
    "influenza vaccine, live attenuated, nasal",
])
def test_a_live_vaccine_is_known_by_its_name(text: str) -> None:
    assert ingredients(concept(text=text)) == ("live vaccine",)


@pytest.mark.parametrize("text", [
    "Jynneos", "Shingrix", "vaccin non vivant", "vacuna no viva", "vaccin inactivé", "hepatitis B vaccine",
    "inactivated influenza vaccine (not live)",
])
def test_another_vaccine_is_no_live_one(text: str) -> None:
    assert ingredients(concept(text=text)) == ()


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


def coded(*codings: tuple[str, str], text: str = "") -> Json:
    return {"coding": [{"system": system, "code": code} for system, code in codings]} | ({"text": text} if text else {})


def test_amlodipine_named_cytarabine_counts_as_perhaps_either_and_says_so() -> None:
    found = product(concept("197361", "cytarabine 100 MG Injection", RXNORM))
    assert found is not None
    assert set(found.ingredients) == {"amlodipine", "cytarabine"}
    assert found.conflict == "code and name disagree (amlodipine / cytarabine): both were checked"
    assert found.conflict in found.doubts
    assert found.matched_by == "RxNorm 197361 and its name"


def test_several_codings_of_one_order_agree() -> None:
    found = product(coded((RXNORM, "1747556"), (RXNORM, "1747561"), (ATC, "L01XX52"), text="venetoclax 100 mg"))
    assert found is not None
    assert (found.ingredients, found.matched_by, found.doubts) == (("venetoclax",), "RxNorm 1747556", ())


def test_an_order_of_a_drug_that_no_rule_knows_is_read_and_named_whatever_its_codings() -> None:
    facts = chart(order(coded((RXNORM, "103"), (RXNORM, "197931"), text="mercaptopurine 50 MG Oral Tablet")))
    assert (facts.medications.orders, facts.medications.read, facts.medications.unidentified) == ((), 1, 0)


def test_codings_of_one_order_that_name_two_drugs_disagree() -> None:
    found = product(coded((RXNORM, "197361"), (ATC, "L01XX52")))
    assert found is not None
    assert set(found.ingredients) == {"amlodipine", "venetoclax"}
    assert found.conflict == ("its codes disagree (amlodipine by RxNorm 197361 / venetoclax by ATC L01XX52): "
                              "all of them were checked")


@pytest.mark.parametrize(("code", "text", "drug"), [
    ("2017575", "cytarabine / daunorubicin", "daunorubicin cytarabine liposome"),
    ("1942743", "cytarabine liposome 100 MG / daunorubicin liposomal 44 MG Injection",
     "daunorubicin cytarabine liposome"),
    ("2384457", "cedazuridine 100 MG / decitabine 35 MG Oral Tablet", "decitabine cedazuridine"),
])
def test_the_parts_of_a_fixed_combination_are_no_other_drug(code: str, text: str, drug: str) -> None:
    found = product(concept(code, text, RXNORM))
    assert found is not None
    assert (found.ingredients, found.conflict) == ((drug,), "")
    assert ingredients("cedazuridine / decitabine") == ("decitabine cedazuridine",)


def test_every_ingredient_of_a_combination_is_read() -> None:
    assert ingredients(concept("1597379", system=RXNORM)) == ("ombitasvir", "paritaprevir", "ritonavir")
    assert set(ingredients("sulfamethoxazole 800 mg / trimethoprim 160 mg")) == {"sulfamethoxazole", "trimethoprim"}


def test_a_product_whose_words_name_no_known_drug_is_matched_by_its_code_alone_and_says_so() -> None:
    found = product(concept("1747561", "Leukozid 100 mg Filmtabletten", RXNORM))
    assert found is not None
    assert found.ingredients == ("venetoclax",)
    assert found.matched_by == ("its code alone, as its words name no drug that is known here: RxNorm 1747561")
    plain = product(concept("1747561", "chemotherapy cycle 1", RXNORM))
    assert plain is not None
    assert plain.matched_by == "RxNorm 1747561"


def test_no_display_of_our_own_tables_contradicts_its_code() -> None:
    wrong = []
    for (system, code), listed in terms().drugs.items():
        found = match((CodeableConcept([Coding(system, code, listed.display)]),), (), terms())
        if found.conflict or found.told.startswith("its code alone") or set(found.ingredients) != {*listed.ingredients}:
            wrong.append((code, listed.display, found))
    assert not wrong


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


@pytest.mark.parametrize(("said", "route"), [
    ("75 mg/m2 sc days 1-7", "parenteral"), ("300 mg i.v. once daily", "parenteral"), ("300 mg p.o. daily", "oral"),
    ("Take 3 tablets by mouth daily", "oral"), ("50 mg intrathecal on day 1", "intrathecal"),
    ("300 mg daily", ""), ("300 mg po or iv daily", ""), ("300 mg iv, then 300 mg po", ""),
    ("not for intrathecal use", ""), ("Fatal if given intrathecal", ""), ("300 mg po if the iv line is out", ""),
    ("Take 3 tablets 1 h before the infusion", ""), ("apply to the skin", ""),
    ("300 mg daily, sun cream on the skin", ""),
])
def test_the_words_of_the_instructions_tell_a_route_that_nothing_else_tells(said: str, route: str) -> None:
    found = product("posaconazole", dosageInstruction=[{"text": said}])
    assert found is not None
    assert found.route == route


def test_the_words_of_the_instructions_come_after_the_route_and_the_product() -> None:
    by_mouth = [{"text": "75 mg sc", "route": {"text": "oral"}}]
    for drug, said in (("azacitidine", by_mouth), ("azacitidine 300 mg tablet", [{"text": "300 mg sc"}])):
        found = product(drug, dosageInstruction=said)
        assert found is not None
        assert found.route == "oral"


def test_two_instructions_with_two_routes_in_words_tell_none() -> None:
    found = product("cytarabine", dosageInstruction=[{"text": "100 mg/m2 iv"}, {"text": "50 mg intrathecal"}])
    assert found is not None
    assert found.route == ""


def test_the_route_of_the_order_comes_before_that_of_the_product() -> None:
    found = product("ketoconazole cream", dosageInstruction=[{"route": {"text": "oral"}}])
    assert found is not None
    assert found.route == "oral"


SNOMED_ROUTES = [("26643006", "oral"), ("47625008", "parenteral"), ("72607000", "intrathecal"), ("6064005", "topical"),
                 ("54485002", "ophthalmic/otic"), ("16857009", "vaginal/rectal/intrauterine"),
                 ("46713006", "inhaled/nasal"), ("45890007", "transdermal")]


@pytest.mark.parametrize(("system", "code", "route"), [
    *((SNOMED, code, route) for code, route in SNOMED_ROUTES), (EDQM, "20053000", "oral"),
    (EDQM, "20045000", "parenteral"), ("urn:oid:0.4.0.127.0.16.1.1.2.1", "20042000", "intrathecal"),
    (NCI, "C38288", "oral"), (NCI, "C38267", "intrathecal"),
])
def test_a_route_is_told_by_its_code_alone(system: str, code: str, route: str) -> None:
    found = product("posaconazole", dosageInstruction=[{"route": concept(code, system=system)}])
    assert found is not None
    assert found.route == route


def test_of_two_routes_of_one_order_one_that_reaches_the_body_counts() -> None:
    found = product("tacrolimus", dosageInstruction=[{"route": {"text": "topical"}}, {"route": {"text": "oral"}}])
    assert found is not None
    assert found.route == "oral"


@pytest.mark.parametrize(("form", "route"), [
    ({"text": "Cream"}, "topical"), (concept("10219000", system=EDQM), "oral"), ({"text": "Vaginal tablet"},
    "vaginal/rectal/intrauterine"), ({"text": "Eye drops, suspension"}, "ophthalmic/otic"),
    ({"text": "Powder for suspension for injection"}, "parenteral"),
])
def test_the_form_of_a_medication_tells_its_route(form: Json, route: str) -> None:
    beside = {"resourceType": "Medication", "id": "d1", "code": {"text": "ketoconazole"}, "form": form}
    found = product("", (beside,), medicationReference={"reference": "Medication/d1"})
    assert found is not None
    assert found.route == route


@pytest.mark.parametrize("text", ["clotrimazole vaginal tablet", "ciprofloxacin ear drops, suspension",
    "budesonide nasal spray suspension, ketoconazole", "clotrimazole vaginal cream"])
def test_words_for_a_place_come_before_words_for_a_shape(text: str) -> None:
    found = product(text)
    assert found is not None
    assert found.route not in ("oral", "parenteral", "transdermal", "")


def test_an_injectable_solution_is_not_swallowed() -> None:
    wrong = [each.display for each in terms().drugs.values()
             if "inject" in each.display.lower() and each.route not in ("parenteral", "")]
    assert not wrong


def test_ingredients_may_be_medications_of_their_own_and_inactive_ones_do_not_count() -> None:
    inner = {"resourceType": "Medication", "id": "d2", "code": concept("1747556", system=RXNORM)}
    outer = {"resourceType": "Medication", "id": "d1", "ingredient": [
        {"itemReference": {"reference": "Medication/d2"}},
        {"itemCodeableConcept": {"text": "potassium chloride"}, "isActive": False}]}
    assert ingredients("", (outer, inner), medicationReference={"reference": "Medication/d1"}) == ("venetoclax",)


def test_a_medication_whose_code_and_ingredients_disagree_says_so() -> None:
    beside = medication(ingredient=[{"itemCodeableConcept": concept("2105807", system=RXNORM)}])
    found = product("", (beside,), medicationReference={"reference": "Medication/d1"})
    assert found is not None
    assert set(found.ingredients) == {"venetoclax", "gilteritinib"}
    assert found.conflict.startswith("its codes disagree (venetoclax by RxNorm 1747561 / gilteritinib by the ingr")


@pytest.mark.parametrize(("name", "drugs"), [
    ("SUBA-itraconazole 65 mg capsule", "itraconazole"), ("APO-Voriconazole 200 mg", "voriconazole"),
    ("Teva-Clarithromycin 250 mg", "clarithromycin"), ("PMS-Fluconazole", "fluconazole"),
    ("anti-voriconazole 5", ""), ("xapo-voriconazole", ""), ("Levomethadon 20 mg", "methadone"),
    ("Kevatril 1 mg", "granisetron"), ("Xomolix 2.5 mg", "droperidol"), ("Paspertin", "metoclopramide"),
    ("Itrizole 50 mg", "itraconazole"), ("Cinvanti 130 mg", "aprepitant"), ("Trileptal 300 mg", "oxcarbazepine"),
    ("Voquezna Triple Pak", "vonoprazan, clarithromycin"), ("Voquezna 20 mg", "vonoprazan"),
    ("Prevpac", "lansoprazole, clarithromycin"), ("Omeclamox-Pak", "omeprazole, clarithromycin"),
    ("Yasmin", "drospirenone, ethinylestradiol"), ("combined oral contraceptive pill", "hormonal contraceptive"),
    ("non-hormonal contraceptive", ""), ("Leponex 100 mg Tabl.", "clozapine"), ("Saroten 25", "amitriptyline"),
    ("Dilatrend 12,5 mg", "carvedilol"), ("Tarka 180/2", "trandolapril, verapamil"), ("Herbesser R 100", "diltiazem"),
    ("Sulfatrim suspension", "sulfamethoxazole, trimethoprim"), ("Efexor XL 75 mg", "venlafaxine"),
    ("Pariet 20 mg", "rabeprazole"), ("Inegy 10/20", "ezetimibe, simvastatin"), ("Yazoo milk", ""), ("Univers", ""),
    ("Torems", ""), ("Artist", ""), ("Xocova 125 mg", "ensitrelvir"), ("Zokinvy 50 mg", "lonafarnib"),
])
def test_a_name_before_which_its_maker_stands_and_further_names(name: str, drugs: str) -> None:
    (found,) = chart(order(name)).medications.orders or (None,)
    assert ", ".join(found.ingredients if found is not None else ()) == drugs


@pytest.mark.parametrize("name", ["Mirena", "Mirena 52 mg", "levonorgestrel 13.5 mg intrauterine system"])
def test_what_is_laid_into_the_womb_is_known_by_its_name(name: str) -> None:
    (found,) = chart(order(name)).medications.orders
    assert (found.ingredients, found.route) == (("levonorgestrel",), "vaginal/rectal/intrauterine")
