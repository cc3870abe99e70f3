"""The tables of codes, names and words: sound as shipped, and each kind of fault is found. What was rejected decides
nothing."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest

from cds_service.console.terminology import HOME, Tables, look
from cds_service.facts.allergies import ALLERGIES
from cds_service.facts.entries import PROBLEMS
from cds_service.facts.values.labs import LABS
from cds_service.knowledge.load import Knowledge
from cds_service.knowledge.local_codes import KINDS
from tests.charts import Json, chart, concept, condition, order, quantity, terms
from tests.overlays import written

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


def rejected() -> list[dict[str, str]]:
    with (HOME / "rejected.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_tables_as_shipped_are_sound() -> None:
    assert look(Tables.read(), terms()) == []


@pytest.mark.parametrize("row", rejected(), ids=lambda row: f"{row['code']}-{row['key']}")
def test_a_rejected_code_decides_nothing(row: dict[str, str]) -> None:
    code: Json = concept(row["code"], system=row["system"])
    orders = chart(order(code)).medications.orders
    assert row["key"] not in {name for each in orders for name in each.ingredients}
    entries = chart(condition(code)).get(PROBLEMS).value or ()
    assert row["key"] not in {key for entry in entries for key in entry.keys}
    facts = chart(quantity(code, 5, "mmol/L"))
    assert not [key.name for key in LABS if facts.get(key).value is not None and key.name == row["key"]]
    allergy = {"resourceType": "AllergyIntolerance", "id": "a", "patient": {"reference": "Patient/p1"}, "code": code}
    assert row["key"] not in {drug for each in chart(allergy).get(ALLERGIES).value or () for drug in each.drugs}
    known = terms()
    assert known.observations.get((row["system"], row["code"])) != row["key"]
    assert known.genomics.get((row["system"], row["code"]), ("",))[0] != row["key"]


@pytest.mark.parametrize(("code", "drugs"), [
    ("J05AE30", {"nirmatrelvir", "ritonavir"}), ("J05AR22", {"cobicistat", "darunavir"}), ("J04AM02", {"rifampicin"}),
    ("A02BD07", {"clarithromycin", "lansoprazole"}), ("L01EH03", {"tucatinib"}), ("L01DB04", {"aclarubicin"}),
    ("L01XE54", {"gilteritinib"}), ("L01XE52", {"quizartinib"}), ("L01XX59", {"enasidenib"}),
    ("L01XC05", {"gemtuzumab ozogamicin"}), ("J05AR08", {"rilpivirine"}), ("J05AR19", {"rilpivirine"}),
    ("J05AR21", {"rilpivirine"}), ("J05AR13", set()),
])
@pytest.mark.parametrize("system", ["http://www.whocc.no/atc", "http://fhir.de/CodeSystem/bfarm/atc"])
def test_an_atc_code_alone_names_its_drugs_be_it_of_a_combination_or_a_former_one(
    system: str, code: str, drugs: set[str]
) -> None:
    orders = chart(order(concept(code, system=system))).medications.orders
    assert {name for each in orders for name in each.ingredients} == drugs


@pytest.mark.parametrize(("text", "drug"), [
    ("Apalutamid 60 mg Filmtabletten", "apalutamide"), ("Primidon 250 mg Tabl.", "primidone"),
    ("Mitotan 500 mg", "mitotane"), ("Enzalutamida 40 mg cápsulas", "enzalutamide"),
    ("Dronedaron 400 mg", "dronedarone"), ("Metadona 5 mg", "methadone"), ("Chinin 200 mg", "quinine"),
    ("Levofloxacina 500 mg compresse", "levofloxacin"), ("Pantoprazolo 40 mg", "pantoprazole"),
    ("Doxycyclin 100 mg Tabletten", "doxycycline"), ("Phénytoïne 100 mg", "phenytoin"),
])
def test_a_drug_is_found_by_its_name_in_other_languages(text: str, drug: str) -> None:
    orders = chart(order(text)).medications.orders
    assert {name for each in orders for name in each.ingredients} == {drug}


def test_no_form_for_ear_lung_bladder_or_under_the_skin_is_read_as_swallowed() -> None:
    parts = "ear|eye|nasal|nebuliser|endotracheo\\w+|intravesical|implantation|endosinusial|dental|gargle"
    elsewhere = re.compile(rf"\b(?:{parts})\b", re.IGNORECASE)
    with (HOME / "routes.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["route"] == "oral"]
    assert [row["display"] for row in rows if elsewhere.search(row["display"]) and "Oral" not in row["display"]] == []


@pytest.mark.parametrize(("code", "key"), [
    ("G62.0", "neuropathy"), ("G62.9", "neuropathy"), ("E11.42", "neuropathy"), ("I48.91", "atrial_fibrillation"),
    ("I48.0", "atrial_fibrillation"), ("D59.10", "haemolysis"), ("D69.41", "haemolysis"),
    ("I48.92", ""), ("D59.31", ""),
])
def test_a_code_alone_tells_what_the_cautions_ask_for(code: str, key: str) -> None:
    entries = chart(condition(concept(code, system="http://hl7.org/fhir/sid/icd-10-cm"))).get(PROBLEMS).value or ()
    assert [found for each in entries for found in each.keys] == ([key] if key else [])
    told = [each.words for each in entries]
    assert not key or (len(told) == 1 and told[0].endswith(f" ({code})"))  # by what our tables call it, with the code
    assert key or not told


@pytest.mark.parametrize(("text", "key"), [
    ("AFib with RVR", "atrial_fibrillation"), ("Vorhofflimmern, paroxysmal", "atrial_fibrillation"),
    ("Chemotherapy-induced neuropathy, grade 2", "neuropathy"), ("Diabetic neuropathy", "neuropathy"),
    ("Polyneuropathie", "neuropathy"), ("Guillain-Barré syndrome", "guillain_barre"),
    ("Child-Pugh class C", "cirrhosis"), ("Child Pugh score B8", "cirrhosis"),
])
def test_words_alone_tell_what_the_cautions_ask_for(text: str, key: str) -> None:
    entries = chart(condition(concept(text=text))).get(PROBLEMS).value or ()
    assert [found for each in entries for found in each.keys] == [key]


def with_line(tmp_path: Path, table: str, line: str) -> list[str]:
    for path in HOME.glob("*.csv"):
        text = path.read_text(encoding="utf-8")
        added = f"{line}\n" if path.stem == table else ""
        (tmp_path / path.name).write_text(text.rstrip("\n") + "\n" + added, encoding="utf-8")
    return look(Tables.read(tmp_path), terms())


@pytest.mark.parametrize(("table", "line", "fault"), [
    ("drug_codes", f"{RXNORM},1747561,venetoclax,oral,SCD,again,x", "1747561 stands in line"),
    ("drug_codes", f"{RXNORM},x17,venetoclax,oral,SCD,venetoclax,x", "x17 is no code of"),
    ("drug_codes", f"{RXNORM},99999,venetoclax,orall,SCD,venetoclax,x", "there is no route 'orall'"),
    ("drug_codes", f"{RXNORM},99999,venetoclax,oral,SCD,venetoclax,", "evidence: is empty"),
    ("drug_codes", f"{RXNORM},99999,venetoclax,oral,SCD,cytarabine,x", "its display names cytarabine too"),
    ("drug_codes", f"{RXNORM},99999,venetoclax,oral,SCD,x,x,x", "has more cells than there are columns"),
    ("drug_codes", f"{RXNORM},1858040,venetoclax,oral,SCD,venetoclax,x", "1858040 is read as venetoclax all the same"),
    ("conditions", "http://snomed.info/sct,91861008,aml,,AML,x", "91861008 is no code of"),
    ("observations", "http://loinc.org,2823-4,potassium,K,x", "2823-4 is no code of"),
    ("drug_names", "Venetoclax,cytarabine,inn,x", "venetoclax stands in line"),
    ("systems", "URN:OID:2.16.840.1.113883.6.88,http://loinc.org,x", "stands in line"),
    ("words", "mood,gloomy,yes", "says nothing of words mood"),
    ("combinations", "venetoclax,vitamin,x", "there is no drug 'vitamin'"),
    ("order_panels", "lipids,http://loinc.org,57698-3,Lipids,cholesterol,x", "there is no order 'cholesterol'"),
])
def test_each_kind_of_fault_is_found(tmp_path: Path, table: str, line: str, fault: str) -> None:
    assert any(fault in each for each in with_line(tmp_path, table, line))


def test_a_table_that_nobody_reads_or_that_is_gone_is_found(tmp_path: Path) -> None:
    with_line(tmp_path, "", "")
    (tmp_path / "roots.csv").rename(tmp_path / "rots.csv")
    found = look(Tables.read(tmp_path), terms())
    assert "terminology/rots.csv: nobody reads it" in found
    assert "terminology/roots.csv: is missing" in found


@pytest.mark.parametrize("spelled", [
    "http://snomed.info/sct", "https://snomed.info/sct/", "HTTP://SNOMED.INFO/SCT", "urn:oid:2.16.840.1.113883.6.96",
    "2.16.840.1.113883.6.96", "http://snomed.info/sct|http://snomed.info/sct/900000000000207008",
    "http://snomed.info/sct/731000124108/version/20260301", " http://www.snomed.info/sct ", "SCT"])
def test_a_system_has_one_spelling(spelled: Any) -> None:
    assert terms().system(spelled) == "http://snomed.info/sct"


def test_a_system_that_nobody_knows_stays_itself() -> None:
    assert terms().system("urn:oid:1.2.3.4.5/") == "urn:oid:1.2.3.4.5"
    assert terms().system(None) == terms().system("") == ""


def test_the_local_codes_of_the_page_are_read(tmp_path: Path) -> None:
    page = Path("docs/terminology.md").read_text(encoding="utf-8")
    block = next(part for part in page.split("```text\n")[1:] if part.startswith("system,code")).partition("```")[0]
    overlay = Knowledge.load(overlay=written(tmp_path / "overlay", codes=block)).overlay
    assert overlay is not None
    assert {each.kind for each in overlay.codes} == set(KINDS)
