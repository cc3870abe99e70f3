"""What the words of an entry tell of a relative is not the patient's, and what they tell beside it is."""

from __future__ import annotations

import pytest

from cds_service.facts.disease import DISEASE, Disease
from cds_service.facts.entries import HISTORY
from tests.charts import ICD, chart, concept, condition


def keys(text: str, code: str = "") -> set[str]:
    entry = condition(concept(code, text, ICD) if code else {"text": text}, id="words")
    return {key for each in chart(entry).get(HISTORY).value or () for key in each.keys}


@pytest.mark.parametrize("text", [
    "Long-QT-Syndrom bei Bruder", "Long-QT-Syndrom des Vaters", "Long-QT-Syndrom in der Familie",
    "Brother with long QT syndrome", "Son with long QT syndrome", "Long QT syndrome in daughter",
    "Long QT syndrome (mother)", "Long QT syndrome, mother", "FHx long QT syndrome",
    "Family history of long QT syndrome", "First-degree relative with long QT syndrome",
    "Syndrome du QT long chez le frère", "Frère avec syndrome du QT long", "Hermano con síndrome de QT largo",
    "Fratello con sindrome del QT lungo", "Sindrome del QT lungo nel fratello", "Lang-QT-syndroom bij broer",
    "Síndrome do QT longo no irmão", "QT-Verlängerung beim Vater", "Heart failure in family",
    "Aunt with AML", "Grandmother had acute myeloid leukemia", "AML in sibling", "Vater mit AML", "AML bei Mutter",
    "Leucémie aiguë myéloïde chez la mère", "Leucemia mieloide aguda en padre", "AML bij moeder", "AML M3 in brother",
])  # fmt: skip
def test_what_a_relative_has_is_not_the_patients(text: str) -> None:
    assert keys(text) == set()


@pytest.mark.parametrize("text", [
    "AML in relapse, mother present at visit", "AML in relapse, lives with sister",
    "AML in relapse; sister HLA-identical",
    "AML in relapse, daughter informed", "AML im Rezidiv, Bruder als Spender", "Mother of two, AML in relapse",
    "AML in relapse, father died of AML", "AML in relapse. Father died of AML.",
    "AML in relapse, family history of AML",
    "Father died of AML. Patient has AML in relapse.", "AML im Rezidiv, Familienanamnese: Long-QT-Syndrom",
    "Leucémie aiguë myéloïde en rechute, frère donneur", "Relapsed AML, brother had APL",
    "Relapsed AML (brother had APL)",
    "Trasplante de células madre; leucemia mieloide aguda en recaída", "AML-Rezidiv bei jungem Vater",
    "Leucémie aiguë myéloïde en rechute chez une jeune fille", "AML relapse in a 25-year-old mother",
])  # fmt: skip
def test_the_patients_own_relapse_is_told_beside_a_relative(text: str) -> None:
    found = chart(condition({"text": text}, id="words")).get(DISEASE)
    assert (found.value, found.sure) == (Disease.RELAPSED, True)
    assert not keys(text) & {"apl", "long_qt_syndrome"}


@pytest.mark.parametrize(("text", "key"), [
    ("Seizure witnessed by mother", "seizure"), ("Krampfanfall, von Mutter beobachtet", "seizure"),
    ("Daughter reports confusion since yesterday", "altered_mental_status"),
    ("Verwirrtheit, laut Tochter seit gestern", "altered_mental_status"),
    ("Confusion selon sa fille", "altered_mental_status"), ("Breastfeeding mother", "lactation"),
    ("Long QT syndrome inherited from mother", "long_qt_syndrome"), ("Familial long QT syndrome", "long_qt_syndrome"),
    ("Congenital long QT syndrome", "long_qt_syndrome"), ("Long QT syndrome; brother also affected",
    "long_qt_syndrome"),
    ("Pregnancy; sister pregnant", "pregnancy"), ("Relative neutropenia", "neutropenia"),
    ("Allogeneic transplant from brother", "hsct_procedure"), ("Haploidentical transplant, mother", "hsct_procedure"),
    ("Allogene Stammzelltransplantation vom Bruder", "hsct_procedure"), ("Allogreffe de son frère", "hsct_procedure"),
    ("Trasplante alogénico de hermano", "hsct_procedure"), ("Matched sibling donor transplant", "hsct_procedure"),
    ("GVHD nach Transplantation vom Vater", "gvhd"), ("Heart failure (TIA)", "heart_failure"),
])  # fmt: skip
def test_what_is_the_patients_own_stays_told(text: str, key: str) -> None:
    assert key in keys(text)


@pytest.mark.parametrize(("code", "text"), [
    ("I45.81", "Long QT syndrome in brother"), ("C92.00", "AML bei Mutter"), ("C92.00", "Mother with AML"),
])  # fmt: skip
def test_a_code_whose_words_tell_of_a_relative_alone_is_a_doubt(code: str, text: str) -> None:
    (entry,) = chart(condition(concept(code, text, ICD))).get(HISTORY).value or ()
    assert entry.doubts == ("by its words told of a relative, not certain",)


@pytest.mark.parametrize(("code", "text"), [
    ("I45.81", "Long QT syndrome, brother also affected"), ("C92.02", "AML in relapse, sister as donor"),
    ("C92.00", "AML, brother with AML"), ("C92.02", "AML in relapse; brother with long QT syndrome"),
])  # fmt: skip
def test_a_relative_beside_the_patients_own_leaves_no_doubt(code: str, text: str) -> None:
    (entry,) = chart(condition(concept(code, text, ICD))).get(HISTORY).value or ()
    assert not entry.doubts


@pytest.mark.parametrize(("text", "code", "key"), [
    ("Family history of sudden cardiac death", "Z82.41", "family_sudden_death"),
    ("Family history of sudden cardiac death", "Z84.89", "family_sudden_death"),
    ("Family history of sudden cardiac death", "", "family_sudden_death"),
    ("FHx sudden death", "", "family_sudden_death"),
    ("Family history: sudden death (father)", "", "family_sudden_death"),
    ("Brother died of sudden cardiac death at 31", "", "family_sudden_death"),
    ("Plötzlicher Herztod beim Vater", "", "family_sudden_death"), ("Mort subite chez le frère", "",
    "family_sudden_death"),
    ("Family history of polymorphic ventricular tachycardia", "", "family_ventricular_arrhythmia"),
])  # fmt: skip
def test_what_a_label_asks_of_the_family_is_read(text: str, code: str, key: str) -> None:
    assert keys(text, code) == {key}


@pytest.mark.parametrize("text", [
    "No family history of sudden death", "Family history of sudden death: none", "Survivor of sudden cardiac death",
    "Family history unremarkable, no sudden death",
])  # fmt: skip
def test_a_denied_family_history_is_none_nor_is_the_patients_own(text: str) -> None:
    assert not keys(text) & {"family_sudden_death", "family_ventricular_arrhythmia"}


def test_beside_it_the_relatives_long_qt_stays_the_relatives() -> None:
    assert keys("Family history of sudden cardiac death and long QT syndrome") == {"family_sudden_death"}
