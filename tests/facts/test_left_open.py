"""Double negations: what cannot be excluded is neither told nor denied, in the languages that the tables know."""

from __future__ import annotations

import pytest

from cds_service.facts.chart import Chart
from cds_service.facts.disease import DISEASE, RELAPSE, Disease
from cds_service.facts.entries import HISTORY, PROBLEMS, Entry
from tests.charts import ICD, chart, concept, condition

GERMAN, FRENCH = "AML", "Leucémie aiguë myéloïde"
SPANISH, ITALIAN = "Leucemia mieloide aguda", "Leucemia mieloide acuta"


def words(text: str) -> Chart:
    return chart(condition({"text": text}, id="words"))


def of(facts: Chart, key: str) -> Entry:
    return next(entry for entry in facts.get(PROBLEMS).value or () if key in entry.keys)


@pytest.mark.parametrize("text", [
    "AML Rezidiv nicht ausgeschlossen", "AML-Rezidiv nicht auszuschließen",
    "AML, Rezidiv kann nicht ausgeschlossen werden", "AML, Rezidiv nicht mit Sicherheit ausgeschlossen",
    "AML, Rezidiv noch nicht sicher ausgeschlossen", "AML, kein Ausschluss eines Rezidivs",
    "AML, relapse cannot be excluded", "AML relapse not yet ruled out", "AML, cannot exclude relapse",
    "AML, unable to exclude an early relapse", "AML, relapse could not be excluded", "AML relapse (not excluded)",
    "AML; relapse: not excluded", "Not excluded: relapse of AML", "AML, relapse in the marrow cannot be excluded",
    "AML relapse or infection cannot be excluded", "AML in remission, relapse cannot be excluded",
    f"{FRENCH}, récidive non exclue", f"{FRENCH}, rechute ne peut être exclue", f"{FRENCH}, n'exclut pas une rechute",
    f"{FRENCH}, on ne peut exclure une rechute", f"{FRENCH}, une rechute n'est pas écartée",
    f"{SPANISH}, recidiva no descartada", f"{SPANISH}, no se descarta recaída", f"{SPANISH}, no descartada recaída",
    f"{SPANISH}, no puede descartarse una recaída", f"{ITALIAN}, recidiva non esclusa",
    f"{ITALIAN}, non si può escludere una recidiva", "AML, recidief niet uitgesloten",
    "AML, recidief niet met zekerheid uitgesloten", f"{SPANISH}, recaída não excluída",
    f"{SPANISH}, não se pode excluir recaída", "AML, refractory disease cannot be excluded",
])  # fmt: skip
def test_a_relapse_that_cannot_be_excluded_is_neither_told_nor_denied(text: str) -> None:
    found = words(text).get(DISEASE)
    assert (found.value, found.sure) == (Disease.UNSTATED, False)
    assert found.doubts == ("by its words not certain",)


@pytest.mark.parametrize("text", [
    "Relapsed AML, infection not excluded", "Relapsed AML with infection not excluded",
    "AML in relapse, cannot exclude infection", "AML Rezidiv, Pilzinfektion nicht auszuschließen",
    "AML Rezidiv, ZNS-Befall nicht ausgeschlossen", "Relapsed AML, not excluded from the trial",
    "Relapsed AML, excluded from the trial", f"{FRENCH} en rechute, infection non exclue",
    f"{FRENCH} en rechute, non exclu de l'essai", f"{SPANISH} en recaída, no se descarta infección",
    f"{ITALIAN} recidivata, non esclusa infezione", "AML recidief, infectie niet uitgesloten",
    "AML in relapse; GVHD cannot be excluded", "Relapsed AML, second relapse not excluded",
])  # fmt: skip
def test_a_relapse_stays_told_where_something_else_cannot_be_excluded(text: str) -> None:
    found = words(text).get(DISEASE)
    assert (found.value, found.sure) == (Disease.RELAPSED, True)


@pytest.mark.parametrize("text", [
    "AML, Rezidiv ausgeschlossen", "AML, Rezidiv sicher ausgeschlossen", "AML, relapse ruled out",
    f"{FRENCH}, rechute écartée", f"{SPANISH}, recaída descartada", f"{SPANISH}, se descarta recaída",
    f"{ITALIAN}, recidiva esclusa", "AML, recidief uitgesloten", "AML, kein Rezidiv",
])  # fmt: skip
def test_a_relapse_that_is_excluded_is_none(text: str) -> None:
    found = words(text).get(DISEASE)
    assert (found.value, found.sure) == (Disease.UNSTATED, True)


@pytest.mark.parametrize(("code", "value"), [
    ("C92.00", Disease.UNSTATED), ("C92.01", Disease.REMISSION), ("C92.02", Disease.RELAPSED),
])  # fmt: skip
def test_the_words_leave_doubt_on_the_state_of_the_code(code: str, value: Disease) -> None:
    entry = condition(concept(code, "AML, relapse cannot be excluded", ICD))
    found = chart(entry).get(DISEASE)
    assert (found.value, found.sure) == (value, False)


@pytest.mark.parametrize(("text", "key"), [
    ("Long QT syndrome not excluded", "long_qt_syndrome"), ("Syndrome du QT long non exclu", "long_qt_syndrome"),
    ("Differentiation syndrome cannot be excluded", "differentiation_syndrome"),
    ("Cannot rule out heart failure", "heart_failure"), ("No se descarta insuficiencia cardíaca", "heart_failure"),
    ("Non si esclude scompenso cardiaco", "heart_failure"), ("Krampfanfall nicht ausgeschlossen", "seizure"),
    ("Schwangerschaft nicht ausgeschlossen", "pregnancy"), ("APL not excluded", "apl"),
    ("Relapsed AML, GVHD not excluded", "gvhd"), ("AML, APL not excluded", "apl"),
    ("Relapsed AML, no PRES, seizure not excluded", "seizure"),
])  # fmt: skip
def test_anything_else_that_cannot_be_excluded_is_told_with_the_doubt(text: str, key: str) -> None:
    assert of(words(text), key).doubts == ("by its words not certain",)


@pytest.mark.parametrize("text", [
    "Heart failure excluded", "Krampfanfall ausgeschlossen", "Long QT syndrome ruled out",
])  # fmt: skip
def test_what_is_excluded_is_not_told(text: str) -> None:
    assert words(text).get(HISTORY).value == ()


def test_a_relapse_that_cannot_be_excluded_dates_none() -> None:
    assert words("AML Rezidiv nicht ausgeschlossen").get(RELAPSE).value is None


@pytest.mark.parametrize("text", [
    "arterielle Hypotonie", "Hypotonie bei Sepsis", "orthostatische Hypotonie", "Hypotonie, Tachykardie",
    "Sepsis mit Hypotonie", "hypotonie artérielle", "hypotension", "Hypotension artérielle",
])  # fmt: skip
def test_a_low_blood_pressure_is_told_where_the_language_is(text: str) -> None:
    assert of(words(text), "hypotension").certain


@pytest.mark.parametrize("text", ["Hypotonie", "hypotonie", "chute avec hypotonie", "hypotonie, patient somnolent"])
def test_a_word_that_is_a_low_blood_pressure_in_one_language_only_is_a_doubt(text: str) -> None:
    assert of(words(text), "hypotension").doubts == ("by its words not certain",)


@pytest.mark.parametrize("text", [
    "hypotonie musculaire", "Hypotonie axiale du nourrisson", "Muskelhypotonie", "muskuläre Hypotonie",
    "hypotonie utérine", "keine Hypotonie", "Pas d'hypotonie", "Hypotonie beim Vater",
])  # fmt: skip
def test_a_low_tone_of_muscles_is_no_low_blood_pressure(text: str) -> None:
    assert words(text).get(HISTORY).value == ()


@pytest.mark.parametrize("text", [
    f"{SPANISH}, descartada recaída", f"{ITALIAN}, esclusa recidiva", f"{FRENCH}, exclue rechute",
    "AML, excluded: relapse",
    f"{SPANISH}, descartada infección", "AML, ruled out infection", "AML, no molecular relapse", "AML, no MRD relapse",
    "AML, kein molekulares Rezidiv", "AML, no evidence of hematologic relapse", "AML, no CNS relapse",
    "AML, negative for relapse", "AML, no early relapse",
])
def test_the_leukaemia_stays_where_only_what_follows_is_excluded(text: str) -> None:
    found = words(text).get(DISEASE)
    assert (found.value, found.sure) == (Disease.UNSTATED, True)


@pytest.mark.parametrize("text", [
    f"{SPANISH} en recaída, descartada infección", f"{ITALIAN} in recidiva, esclusa infezione",
    "AML in relapse, ruled out infection", "AML Rezidiv, ausgeschlossen: Pneumonie", "AML, early relapse",
    "AML with no CNS disease, late relapse", "AML no longer in remission, molecular and overt relapse",
    "AML, first relapse, no second relapse",
])
def test_a_relapse_stays_where_only_what_follows_is_excluded(text: str) -> None:
    found = words(text).get(DISEASE)
    assert (found.value, found.sure) == (Disease.RELAPSED, True)


@pytest.mark.parametrize("text", [
    "AML, excluded", "AML, ausgeschlossen", "AML, ruled out by biopsy", "AML, descartada por biopsia", "Descartada AML",
    "AML, ausgeschlossen am 3.4.", "AML, ausgeschlossen mittels FISH", "Ruled out: AML", "AML, definitely excluded",
])
def test_a_leukaemia_that_is_excluded_is_none(text: str) -> None:
    assert words(text).get(DISEASE).value is Disease.NONE


@pytest.mark.parametrize("text", [
    "AML in relapse, possible pneumonia", "Relapsed AML: cannot rule out pneumonia", "AML in relapse; rule out sepsis",
    "AML in relapse with possible invasive aspergillosis", "AML Rezidiv, V.a. Pneumonie",
    "Relapsed AML (suspected GVHD)",
    f"{FRENCH} en rechute, suspicion d'infection fongique", f"{SPANISH} en recaída, posible neumonía",
    f"{ITALIAN} in recidiva, sospetta polmonite", "AML recidief, mogelijke longontsteking",
])
def test_a_doubt_about_an_infection_leaves_the_relapse_sure(text: str) -> None:
    found = words(text).get(DISEASE)
    assert (found.value, found.sure) == (Disease.RELAPSED, True)


@pytest.mark.parametrize("text", [
    "AML in relapse, possible", "AML in relapse, suspected", "AML in relapse, possible pneumonia or progression",
    "AML, possible relapse, pneumonia", "Possible AML in relapse, pneumonia", "AML, suspected relapse or infection",
    "AML in relapse, possible leukemic infiltration, pneumonia", "Suspected pneumonia, AML in relapse",
    "AML in relapse, pneumonia possible", "AML, V.a. Rezidiv, Pneumonie", "AML relapse suspected, possible pneumonia",
    "AML in relapse? possible pneumonia", "AML, possible infection versus relapse",
    "AML relapse, suspected by infection team",
    "AML in relapse, possible extramedullary disease", "AML: rule out relapse and pneumonia",
    "AML relapse, possible. Pneumonia", "AML in relapse, suspected, infection excluded",
])
def test_a_doubt_that_may_be_about_the_leukaemia_stays(text: str) -> None:
    assert not words(text).get(DISEASE).sure
