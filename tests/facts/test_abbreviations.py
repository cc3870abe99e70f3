"""LAM and LMA: the leukaemia in French, Italian, Spanish and Portuguese, where nothing else can be meant."""

from __future__ import annotations

import pytest

from cds_service.facts.disease import APL, DISEASE, Disease
from cds_service.facts.entries import HISTORY, PROBLEMS
from tests.calls import SUBJECT, cards, gilteritinib
from tests.charts import Json, chart, concept, condition


def words(text: str, **more: object) -> Json:
    return condition({"text": text}, **more)


@pytest.mark.parametrize(("text", "expected"), [
    ("LAM FLT3+", Disease.UNSTATED), ("LAM FLT3-ITD", Disease.UNSTATED), ("LAM NPM1 mutée", Disease.UNSTATED),
    ("LAM secondaire", Disease.UNSTATED), ("LAM de novo", Disease.UNSTATED), ("LAM4", Disease.UNSTATED),
    ("LAM-M5", Disease.UNSTATED), ("LMA M2", Disease.UNSTATED), ("LMA secundária", Disease.UNSTATED),
    ("LAM en rechute", Disease.RELAPSED), ("LAM FLT3-ITD en rechute", Disease.RELAPSED),
    ("Rechute de LAM", Disease.RELAPSED), ("LMA en recaída", Disease.RELAPSED), ("LAM in recidiva", Disease.RELAPSED),
    ("LMA em recidiva", Disease.RELAPSED), ("LAM réfractaire", Disease.REFRACTORY),
    ("LMA refractaria", Disease.REFRACTORY),
    ("LAM en rémission complète", Disease.REMISSION), ("LMA en remisión", Disease.REMISSION),
    ("LAM en rechute, aspergillose pulmonaire", Disease.RELAPSED), ("LAM-MRC", Disease.UNSTATED),
    ("LAM rechutée", Disease.RELAPSED), ("LAM R/R", Disease.RELAPSED), ("R/R LMA", Disease.RELAPSED),
    ("LAM FLT3-ITD en rechute, GvH sous sirolimus", Disease.RELAPSED),
    ("LAM5 en rechute, O2 au masque", Disease.RELAPSED),
])
def test_an_abbreviation_beside_a_word_of_the_leukaemia_is_the_leukaemia(text: str, expected: Disease) -> None:
    disease = chart(words(text)).get(DISEASE)
    assert (disease.value, disease.sure) == (expected, True), disease.doubts


@pytest.mark.parametrize("text", ["LAM3", "LAM-M3", "LAM M3", "LMA-M3", "LAM 3 en rémission"])
def test_the_third_type_of_fab_is_apl(text: str) -> None:
    facts = chart(words(text))
    assert (facts.get(APL).value, facts.get(DISEASE).value) == (True, Disease.NONE)


@pytest.mark.parametrize("text", [
    "LAM", "LMA", "SMD à haut risque d'évolution en LAM",
    "LAM, neumotórax recidivante", "LAM con pneumotorace recidivante", "LAM, épilepsie réfractaire",
    "Insuffisance respiratoire secondaire à LAM", "LAM, dyspnée MRC 3", "LAM en rechute sous sirolimus",
    "LAM en rechute, O2 au masque", "LAM, ascite réfractaire",
    "LAM (2019)", "LAM, suivi", "LAM avec atteinte rénale", "LAM FLT3+ avec atteinte pulmonaire",
])
def test_one_that_stands_alone_may_be_the_leukaemia_and_settles_nothing(text: str) -> None:
    disease = chart(words(text)).get(DISEASE)
    assert disease.value is Disease.NONE
    assert any("may be acute myeloid leukaemia" in doubt and text in doubt for doubt in disease.doubts)


@pytest.mark.parametrize("text", [
    "Lymphangioleiomyomatosis (LAM)", "LAM, lymphangioléiomyomatose en rechute", "LAM sporadique", "LAM pulmonaire",
    "LAM (sclérose tubéreuse de Bourneville), FLT3", "TSC-LAM", "S-LAM", "LAM sous sirolimus", "LMA (masque laryngé)",
    "LMA size 4, airway secured", "Récidive de LAM après greffe pulmonaire", "Monsieur Lam, FLT3 recherché",
    "lam en rechute", "Lma refractaria", "Pas de LAM", "No LMA", "Islam en rémission", "LAMB3", "LAM3A",
    "FLAM en rechute",
    "Antécédent familial de LAM FLT3", "ATCD familiaux : LAM FLT3",
    "LMA stenosis 70%, stent", "LAM sous évérolimus", "LAM, neumotórax",
])
def test_its_near_neighbours_are_not_the_leukaemia(text: str) -> None:
    disease = chart(words(text)).get(DISEASE)
    assert (disease.value, disease.doubts) == (Disease.NONE, ()), text


def test_a_code_decides_before_an_abbreviation() -> None:
    lung = condition(concept("J84.81", "LAM", "http://hl7.org/fhir/sid/icd-10-cm"))
    assert (chart(lung).get(DISEASE).value, chart(lung).get(DISEASE).doubts) == (Disease.NONE, ())


def test_one_that_is_suspected_settles_nothing() -> None:
    disease = chart(words("Suspicion de LAM FLT3+")).get(DISEASE)
    assert not disease.sure


def test_beside_a_sure_leukaemia_it_raises_no_doubt() -> None:
    facts = chart(words("LAM"), words("AML in relapse", id="c2"))
    assert (facts.get(DISEASE).value, facts.get(DISEASE).sure) == (Disease.RELAPSED, True)


def test_what_may_be_the_leukaemia_is_on_the_list_with_its_words() -> None:
    assert [entry.words for entry in chart(words("LAM")).get(PROBLEMS).value or ()] == ["LAM"]


def stated(text: str) -> Json:
    return words(text, subject=SUBJECT, onsetDateTime="2026-11-01")


def test_one_that_stands_alone_is_told_as_unread_when_the_chart_is_opened() -> None:
    (gap,) = cards("patient-view", conditions=[stated("LAM")])
    assert gap["indicator"] == "info"
    assert "'LAM' may be acute myeloid leukaemia" in gap["detail"]


def test_one_of_the_lung_puts_no_card_on_a_view() -> None:
    assert cards("patient-view", conditions=[stated("LAM sporadique")]) == []


def test_with_a_drug_of_ours_it_is_told_that_it_was_not_read() -> None:
    found = cards("order-sign", gilteritinib(status="draft"), conditions=[stated("LAM")])
    assert any("may be acute myeloid leukaemia" in card["detail"] for card in found)


def told(text: str, **more: object) -> list[tuple[tuple[str, ...], bool]]:
    return [(entry.keys, entry.over) for entry in chart(words(text, **more)).get(HISTORY).value or ()]


@pytest.mark.parametrize(("text", "key"), [
    ("VOD", "sos_vod"), ("hepatic VOD", "sos_vod"), ("VOD/SOS", "sos_vod"), ("VOD nach GO", "sos_vod"),
    ("Severe VOD after gemtuzumab ozogamicin 2025", "sos_vod"), ("PRES", "pres"), ("PRES under gilteritinib", "pres"),
    ("Hypertension, PRES", "pres"), ("LQTS", "long_qt_syndrome"), ("LQT2", "long_qt_syndrome"),
    ("torsades", "torsades"), ("TdP", "torsades"), ("KMT", "history_hsct"),
])
def test_an_abbreviated_condition_that_stands_alone_is_it(text: str, key: str) -> None:
    assert told(text) == [((key,), False)]


@pytest.mark.parametrize(("text", "key"), [("Z.n. KMT", "history_hsct"), ("Z.n. KMT 2024", "history_hsct"),
                                           ("history of PRES", "pres")])
def test_an_abbreviated_condition_of_the_past_is_over(text: str, key: str) -> None:
    assert told(text) == [((key,), True)]


@pytest.mark.parametrize("text", [
    "VOD 20/25", "VOD 0.8", "VOD OD 0.5", "vod", "près de la fin", "pres", "No PRES", "kein VOD", "TDP-43", "tdp",
    "KMT geplant", "KMT2A", "family history of LQTS", "PRES suspected", "Presse",
])
def test_what_may_be_another_thing_is_none(text: str) -> None:
    assert told(text) == []


def test_a_code_of_another_thing_says_what_the_abbreviation_is() -> None:
    visual = concept("H54.6", system="http://hl7.org/fhir/sid/icd-10", text="VOD")
    assert chart(condition(visual)).get(HISTORY).value == ()
