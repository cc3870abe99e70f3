"""What hospitals of Europe write in their own languages: German, French, Spanish, Italian, Dutch, Portuguese."""

from __future__ import annotations

import unicodedata

import pytest

from cds_service.facts.chart import Chart
from cds_service.facts.concepts import phrase
from cds_service.facts.disease import APL, DISEASE, Disease
from cds_service.facts.drugs.routes import spoken
from cds_service.facts.entries import PROBLEMS
from cds_service.facts.genomics.answers import presence
from cds_service.facts.genomics.mutations import FLT3_ITD, FLT3_TKD, IDH1, IDH2, NPM1
from cds_service.facts.orders import TYPED
from tests.charts import Json, chart, concept, condition, observation, order, terms

ICD_WHO = "http://hl7.org/fhir/sid/icd-10"


def words(text: str) -> Json:
    return condition({"text": text}, id="words")


def keys(facts: Chart) -> set[str]:
    return {key for entry in facts.get(PROBLEMS).value or () for key in entry.keys}


@pytest.mark.parametrize(("text", "drug"), [
    ("Vénétoclax 100 mg", "venetoclax"), ("VÉNÉTOCLAX", "venetoclax"), ("Giltéritinib 40 mg comprimé", "gilteritinib"),
    ("Midostaurine 25 mg", "midostaurin"), ("Décitabine", "decitabine"), ("Étoposide", "etoposide"),
    ("Érythromycine 500 mg", "erythromycin"), ("Carbamazépine 200 mg", "carbamazepine"),
    ("Phénytoïne 100 mg", "phenytoin"), ("Fenitoína 100 mg", "phenytoin"), ("Fenytoïne 100 mg", "phenytoin"),
    ("Claritromycine 500 mg", "clarithromycin"), ("Lévofloxacine", "levofloxacin"), ("Méthadone", "methadone"),
    ("Dompéridone 10 mg", "domperidone"), ("Triflucan 200 mg", "fluconazole"), ("Seropram 20 mg", "citalopram"),
    ("Quensyl 200 mg", "hydroxychloroquine"), ("Novantron", "mitoxantrone"), ("Hierba de San Juan", "St John's wort"),
    ("Hipérico 300 mg", "St John's wort"), ("Sint-janskruid", "St John's wort"), ("Iperico", "St John's wort"),
    ("Erva de São João", "St John's wort"), ("Anfotericina B", "amphotericin B"),
])
def test_a_drug_is_known_by_its_names_in_europe(text: str, drug: str) -> None:
    assert terms().drug_names.find_all(text) == (drug,)


def test_an_accent_may_be_a_character_of_its_own() -> None:
    apart = unicodedata.normalize("NFD", "Leucémie aiguë myéloïde en rechute")
    assert chart(words(apart)).get(DISEASE).value is Disease.RELAPSED


@pytest.mark.parametrize(("text", "drug"), [
    ("gilte\u00adritinib 40 mg", "gilteritinib"), ("vene\u200btoclax", "venetoclax"),
    ("\ufeffXos\u2060pata\u200f", "gilteritinib"),
    ("\uff36\uff25\uff2e\uff23\uff2c\uff25\uff38\uff34\uff21\u3000\uff11\uff10\uff10\uff4d\uff47", "venetoclax"),
    ("\ufb02uconazole 200 mg", "fluconazole"), ("\ufb01lgrastim", "filgrastim"),
    ("gilteritinib¹ 40 mg", "gilteritinib"), ("Ara\u2013C 1 g", "cytarabine"),
    ("CPX\u2013351", "daunorubicin cytarabine liposome"),
])  # fmt: skip
def test_marks_that_nobody_sees_and_letters_of_print_hide_no_drug(text: str, drug: str) -> None:
    (found,) = chart(order("x") | {"medicationCodeableConcept": {"text": text}}).medications.orders
    assert found.ingredients == (drug,)


@pytest.mark.parametrize("text", [
    "FLAG-IDA", "FLAG\u2011IDA", "FLAG\u2013IDA", "FLAG\u2212IDA", "FLAG \u2013 IDA",
    "FLAG\u2010IDA", "FLAG\u00ad-IDA", "\uff26\uff2c\uff21\uff27\uff0d\uff29\uff24\uff21",
])  # fmt: skip
def test_a_regimen_is_the_same_with_every_hyphen_and_in_broad_letters(text: str) -> None:
    def read(written: str) -> tuple[object, ...]:
        (found,) = chart(order("x") | {"medicationCodeableConcept": {"text": written}}).medications.orders
        return found.ingredients, found.high_dose, found.courses

    assert read(text) == read("FLAG-IDA")


def test_a_high_dose_in_broad_letters_is_one() -> None:
    broad = "\uff28igh\uff0ddose cytarabine"
    (found,) = chart(order("x") | {"medicationCodeableConcept": {"text": broad}}).medications.orders
    assert found.high_dose


def test_a_soft_hyphen_hides_no_relapse() -> None:
    found = chart(words("Akute myeloische Leuk\u00e4\u00admie, Re\u00adzidiv"))
    assert found.get(DISEASE).value is Disease.RELAPSED


def test_a_dose_in_broad_letters_is_read() -> None:
    dosage = [{"text": "\uff14\uff10\uff10 \uff4d\uff47 once dai\u00adly"}]
    written = order("x") | {"medicationCodeableConcept": {"text": "venetoclax"}, "dosageInstruction": dosage}
    (found,) = chart(written).medications.orders
    assert found.dose.daily is not None and found.dose.daily.value == 400


@pytest.mark.parametrize("text", [
    "Leucémie aiguë myéloïde en rechute", "Rechute d'une leucémie aiguë myéloïde après rémission complète",
    "Leucemia mieloide aguda, recaída tras remisión completa", "Leucemia mieloide aguda recidivante",
    "Leucemia mieloide acuta in recidiva", "Leucemia mieloide acuta recidivata dopo remissione completa",
    "Acute myeloïde leukemie, recidief na complete remissie", "AML recidief", "Leucemia mieloide aguda em recaída",
    "Leucemia mieloide aguda recidivada",
])
def test_words_that_tell_of_a_relapse(text: str) -> None:
    found = chart(words(text)).get(DISEASE)
    assert (found.value, found.sure) == (Disease.RELAPSED, True)


@pytest.mark.parametrize("text", [
    "Leucémie aiguë myéloïde réfractaire", "Leucemia mieloide aguda refractaria", "Leucemia mieloide acuta refrattaria",
    "Refractaire acute myeloïde leukemie", "Leucemia mieloide aguda refratária",
])
def test_words_that_tell_of_refractory_disease(text: str) -> None:
    assert chart(words(text)).get(DISEASE).value is Disease.REFRACTORY


@pytest.mark.parametrize("text", [
    "Leucémie aiguë myéloïde en rémission complète, pas de rechute", "Leucemia mieloide aguda en remisión completa",
    "Leucemia mieloide acuta in remissione", "AML in complete remissie", "Leucemia mieloide aguda em remissão",
])
def test_words_that_tell_of_a_remission(text: str) -> None:
    assert chart(words(text)).get(DISEASE).value is Disease.REMISSION


@pytest.mark.parametrize("text", [
    "AML ohne Anhalt für Rezidiv", "AML, keine Hinweise auf ein Rezidiv", "AML, nicht refraktär",
    "Leucémie aiguë myéloïde sans rechute", "Leucémie aiguë myéloïde, risque de rechute",
    "LAM à risque élevé de rechute", "Leucemia mieloide aguda, riesgo elevado de recaída",
    "Leucemia mieloide acuta, rischio elevato di recidiva", "Leucemia mieloide aguda, risco elevado de recidiva",
    "Leucémie aiguë myéloïde, rechute écartée", "Leucemia mieloide aguda sin recaída",
    "Leucemia mieloide acuta, non recidivata", "AML, geen recidief", "AML, recidief uitgesloten",
    "Leucemia mieloide aguda sem recidiva", "Leucémie aiguë myéloïde après anémie réfractaire",
])
def test_a_state_that_is_denied_or_only_feared_is_none(text: str) -> None:
    assert chart(words(text)).get(DISEASE).value is Disease.UNSTATED


@pytest.mark.parametrize("text", [
    "Pas de leucémie aiguë myéloïde", "Sin evidencia de leucemia mieloide aguda", "Geen acute myeloïde leukemie",
    "Antécédents familiaux de leucémie aiguë myéloïde", "Keine AML",
])
def test_a_leukaemia_that_is_denied_or_of_others_is_none(text: str) -> None:
    assert chart(words(text)).get(DISEASE).value is Disease.NONE


def test_the_code_of_the_who_has_no_relapse_and_its_words_do() -> None:
    entry = condition(concept("C92.0", "LAM en rechute", ICD_WHO))
    assert chart(entry).get(DISEASE).value is Disease.RELAPSED


@pytest.mark.parametrize("text", [
    "Leucémie aiguë promyélocytaire", "Leucemia promielocítica aguda", "Leucemia promielocitica acuta",
    "Acute promyelocytenleukemie",
])
def test_apl_is_known_by_its_names(text: str) -> None:
    assert chart(words(text)).get(APL).value is True


@pytest.mark.parametrize(("text", "key"), [
    ("Krampfanfall", "seizure"), ("Crise convulsive", "seizure"), ("Convulsiones", "seizure"),
    ("Crisi epilettica", "seizure"), ("Epileptische aanval", "seizure"), ("Convulsões", "seizure"),
    ("Verwirrtheit", "altered_mental_status"), ("Fièvre", "fever"), ("Koorts", "fever"), ("Atemnot", "dyspnoea"),
    ("Épanchement pleural", "pleural_effusion"), ("Derrame pleural", "pleural_effusion"),
    ("Œdème pulmonaire", "pulmonary_oedema"), ("Beinödeme", "oedema"), ("Vorhofflimmern", "atrial_fibrillation"),
    ("Herzinsuffizienz", "heart_failure"), ("Schwangerschaft", "pregnancy"), ("Nicht schwanger", "not_pregnant"),
    ("Grossesse", "pregnancy"), ("Borstvoeding", "lactation"), ("Leberzirrhose", "cirrhosis"),
    ("Hepatozelluläres Karzinom", "malignant_liver_tumour"), ("Differenzierungssyndrom", "differentiation_syndrome"),
    ("Maladie veino-occlusive", "sos_vod"), ("Polyneuropathie", "neuropathy"),
    ("Trapianto allogenico", "hsct_procedure"),
    ("Syndrome du QT long", "long_qt_syndrome"), ("Tachycardie ventriculaire", "ventricular_tachycardia"),
])
def test_a_danger_is_told_by_its_words_where_the_entry_has_no_code(text: str, key: str) -> None:
    assert key in keys(chart(words(text)))


@pytest.mark.parametrize("text", [
    "Kein Krampfanfall", "Krampfanfall ausgeschlossen", "Pas de crise convulsive", "Pas d'épanchement pleural",
    "Sin convulsiones", "Niega convulsiones", "Nega convulsioni", "Geen epileptische aanval", "Sem convulsões",
    "Familienanamnese: Krampfanfall", "Fièvre jaune", "Œdème maculaire", "Test de grossesse", "En attente d'allogreffe",
    "Allogreffe prévue", "In attesa di trapianto allogenico", "Gepland: allogene stamceltransplantatie",
    "Candidato a trasplante alogénico",
])
def test_what_is_denied_planned_or_something_else_is_not_told(text: str) -> None:
    assert keys(chart(words(text))) == set()


@pytest.mark.parametrize(("text", "outcome"), [
    ("positif", "present"), ("positivo", "present"), ("positief", "present"), ("aangetoond", "present"),
    ("mutado", "present"), ("négatif", "absent"), ("no mutado", "absent"), ("niet aangetoond", "absent"),
    ("geen mutatie aangetoond", "absent"), ("pas de mutation", "absent"),
    ("niet duidelijk aangetoond", "indeterminate"),
    ("mogelijk aangetoond", "indeterminate"), ("en cours", "indeterminate"),
])
def test_a_genetic_result_in_words(text: str, outcome: str) -> None:
    assert presence(phrase(text, terms())) == outcome


@pytest.mark.parametrize(("text", "done"), [
    ("HLA-Typisierung", True), ("Typage HLA", True), ("HLA-Typisierung Spender", False),
    ("Typage HLA du donneur", False),
    ("HLA-Typisierung geplant", False), ("Tipaje HLA pendiente", False),
])
def test_hla_typing_that_was_done_for_the_patient(text: str, done: bool) -> None:
    entry = {"resourceType": "Procedure", "id": "hla", "status": "completed", "code": {"text": text},
             "subject": {"reference": "Patient/p1"}}
    assert chart(entry).get(TYPED).value is done


@pytest.mark.parametrize(("text", "route"), [
    ("Ketoconazol Creme 2 %", "topical"), ("Kétoconazole crème", "topical"), ("Ketoconazolo crema", "topical"),
    ("Ketoconazol champú", "topical"), ("Ciprofloxacin Ohrentropfen", "ophthalmic/otic"),
    ("Ciprofloxacine collyre", "ophthalmic/otic"), ("Eritromicina pomada oftálmica", "ophthalmic/otic"),
    ("Clotrimazol Vaginaltabletten", "vaginal/rectal/intrauterine"), ("Fluconazol Kapseln", "oral"),
    ("Voriconazole 200 mg comprimé", "oral"), ("Fluconazol Infusionslösung", "parenteral"),
    ("Levonorgestrel 52 mg IUD", "vaginal/rectal/intrauterine"),
    ("Levonorgestrel 52mg (IUS)", ""), ("Levonorgestrel 52 mg (IUS)", "vaginal/rectal/intrauterine"),
    ("Levonorgestrel 20micrograms/24hours IUS", "vaginal/rectal/intrauterine"), ("rifampicin 300 mg IUD removal", ""),
    ("Levonorgestrel 52 mg IUS", "vaginal/rectal/intrauterine"), ("Itraconazole 200 mg IUS user", ""),
    ("Ciprofloxacin 500 mg tab pre IUD insertion", ""),
    ("Clarithromycin 500 mg tablets - patient has IUD", "oral"), ("Vitamin D3 400 IUs, clarithromycin", ""),
    ("Ciprofloxacino suspensión oral", "oral"), ("Zalf met ketoconazol", "topical"),
])
def test_the_route_of_a_product_in_words(text: str, route: str) -> None:
    (taken,) = chart(order({"text": text})).medications.orders
    assert taken.route == route


@pytest.mark.parametrize("text", [
    "Leucémie aiguë myéloïde, pas d'élément en faveur d'une rechute", "Leucémie aiguë myéloïde, rechute non confirmée",
    "Leucemia mieloide aguda, no se evidencia recaída", "Leucemia mieloide aguda, no hay datos de recaída",
    "Leucemia mieloide aguda, libre de recaída", "Leucemia mieloide acuta, non segni di recidiva",
    "Leucemia mieloide acuta, non si evidenzia recidiva", "AML, geen tekenen van een recidief",
    "AML, recidief niet aangetoond", "AML, vrij van recidief", "AML frei von Rezidiv", "AML, Angst vor Rückfall",
    "Leucemia mieloide aguda, herpes recidivante", "Leucémie aiguë myéloïde, herpès récidivant",
    "AML, recidiverende urineweginfecties", "AML, therapieresistente Übelkeit",
    "Leucemia mieloide aguda, refractaria a transfusión de plaquetas", "AML, refractair voor trombocytentransfusies",
    "Leucemia mieloide aguda con trombocitopenia refractaria", "AML, refraktär auf Thrombozytentransfusionen",
    "Leucémie myéloïde aiguë, sans mention de rémission complète", "Leucemia mieloide aguda en remisión parcial",
    "AML, recurrent infections", "AML, refractory nausea", "AML with recurrent fever",
    "Leucemia mieloide aguda sin mención de remisión completa", "AML, complete remissie niet bereikt",
    "Leucémie aiguë myéloïde, rémission complète non obtenue",
    "Leucemia mieloide acuta, remissione completa non raggiunta",
])
def test_what_is_denied_not_reached_or_of_something_else_is_no_state_of_the_leukaemia(text: str) -> None:
    facts = chart(words(text))
    assert (facts.get(DISEASE).value, facts.get(DISEASE).sure) == (Disease.UNSTATED, True)
    assert "aml" in keys(facts)


@pytest.mark.parametrize("text", [
    "Familienanamnese unauffällig; AML im Rezidiv", "Family history unremarkable; AML in relapse",
    "Antecedentes familiares sin interés. Leucemia mieloide aguda en recaída", "Prophylaxe, AML im Rezidiv",
    "Trasplante de células madre; leucemia mieloide aguda en recaída", "AML geen FLT3, recidief",
    "Leucémie aiguë myéloïde sans mutation FLT3, en rechute", "Leucemia mieloide aguda no tratada en recaída",
    "AML, recurrent", "Recurrent AML, recurrent infections", "Recidiverende AML",
    "Recidiverende of refractaire AML", "Leucémie aiguë myéloïde, récidivante",
])
def test_a_relapse_beside_other_words_is_not_hidden(text: str) -> None:
    assert chart(words(text)).get(DISEASE).value is Disease.RELAPSED


@pytest.mark.parametrize(("text", "expected"), [
    ("Nicht näher bezeichnete Herzinsuffizienz", {"heart_failure"}),
    ("Nicht ischämische Kardiomyopathie", {"cardiomyopathy"}), ("Pas de signe d'insuffisance cardiaque", set()),
    ("Pas d'argument pour une insuffisance cardiaque", set()), ("Suspicion d'insuffisance cardiaque", set()),
    ("Suspicion d’insuffisance cardiaque", set()), ("Risque d'allongement du QT", set()), ("Nicht mehr Fieber", set()),
    ("Kein Hinweis auf eine akute Herzinsuffizienz", set()), ("Ehefrau ist schwanger", set()),
    ("Su esposa está embarazada", set()), ("Zijn vrouw is zwanger", set()),
    ("Trapianto allogenico non eseguito", set()),
    ("Allogreffe refusée", set()), ("Bilan post allogreffe", {"hsct_procedure"}), ("Bilan avant allogreffe", set()),
])
def test_what_small_words_make_of_a_finding(text: str, expected: set[str]) -> None:
    assert keys(chart(words(text))) == expected


@pytest.mark.parametrize("text", ["Eryfer 100 Hartkapseln", "Amiodarone (fibrillation auriculaire)"])
def test_iron_is_no_erythromycin_and_the_auricle_of_the_heart_is_no_ear(text: str) -> None:
    assert "erythromycin" not in terms().drug_names.find_all(text)
    assert "ophthalmic/otic" not in spoken(text, terms())


@pytest.mark.parametrize("text", [
    "FLT3-ITD nicht negativ", "FLT3-ITD niet negatief", "FLT3-ITD non négatif", "FLT3-ITD no negativo",
    "FLT3-ITD contrôle positif valide", "FLT3-ITD control negativo",
])
def test_a_control_and_a_negative_that_is_denied_are_no_result(text: str) -> None:
    assert presence(phrase(text, terms())) not in ("present", "absent")


@pytest.mark.parametrize(("name", "text"), [
    ("Molekulargenetischer Befund", "FLT3-ITD positiv (Ratio 0,6); NPM1 mutiert; IDH1 und IDH2 Wildtyp"),
    ("Myeloisches NGS-Panel", "FLT3-ITD positiv, NPM1 Typ A nachgewiesen; IDH1 Wildtyp, IDH2 Wildtyp"),
    ("Mutationsanalyse", "FLT3-ITD positiv; NPM1 mutiert; IDH1 negativ, IDH2 negativ"),
    ("Biologie moléculaire", "FLT3-ITD positif ; NPM1 muté ; IDH1 et IDH2 non mutés"),
    ("Panel NGS mieloide", "FLT3-ITD positivo (ratio 0,6); NPM1 positivo; IDH1 e IDH2 no mutados"),
    ("Estudio molecular", "FLT3-ITD positivo; NPM1 mutado; IDH1 y IDH2 negativos"),
    ("Analisi molecolare", "FLT3-ITD positivo; NPM1 mutato; IDH1 e IDH2 non mutati"),
])
def test_a_panel_in_one_text_is_read_by_its_name_in_europe(name: str, text: str) -> None:
    found = chart(observation({"text": name}, valueString=text))
    told = [value.present if (value := found.get(key).value) else None for key in (FLT3_ITD, NPM1, IDH1, IDH2)]
    assert (told, found.get(FLT3_TKD).value) == ([True, True, False, False], None)


@pytest.mark.parametrize("text", [
    "FLT3-ITD positivo y NPM1 negativo, IDH1 pendiente", "IDH1 e IDH2 pendientes", "Befund folgt: NPM1, IDH1",
    "recherche NPM1 et IDH1 en cours",
])
def test_what_is_open_in_such_a_text_stays_open(text: str) -> None:
    found = chart(observation({"text": "Panel NGS mieloide"}, valueString=text))
    assert all(found.get(key).value is None for key in (NPM1, IDH1, IDH2))


@pytest.mark.parametrize("text", [
    "ni FLT3-ITD ni NPM1 mutés", "ni FLT3-ITD ni NPM1 mutados", "né FLT3-ITD né NPM1 mutati",
    "nem FLT3-ITD nem NPM1 mutados", "tampoco NPM1 y FLT3-ITD mutados", "ausencia de FLT3-ITD y NPM1 mutados",
    "assenza di FLT3-ITD e NPM1 mutati",
    "se descarta FLT3-ITD y NPM1 mutados", "FLT3-ITD et NPM1 mutés à confirmer", "controles positivos: FLT3-ITD y NPM1",
    "FLT3-ITD et NPM1 négatifs sauf R132", "FLT3-ITD y NPM1 negativos salvo NPM1",
])  # fmt: skip
def test_several_genes_that_are_denied_doubted_or_left_out_are_no_result(text: str) -> None:
    assert chart(observation({"text": "NPM1 mutation"}, valueString=text)).get(NPM1).value is None


def test_a_wild_type_and_another_gene_behind_the_italian_word_for_and() -> None:
    found = chart(observation({"text": "NPM1 mutation"}, valueString="NPM1 wild type e FLT3-ITD non mutato")).get(NPM1)
    assert found.value is not None
    assert not found.value.present
