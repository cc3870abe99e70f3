"""Disease: what the problem list says of the AML, and what it only seems to say."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.facts.chart import Chart
from cds_service.facts.disease import APL, DISEASE, RELAPSE, Disease
from cds_service.facts.entries import HISTORY, PROBLEMS, PROCEDURES
from cds_service.facts.fact import State
from cds_service.gather.replies import Status
from tests.charts import ICD, Json, chart, clinical, concept, condition

VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"


def icd(code: str, **more: Any) -> Json:
    return condition(concept(code, system=ICD), **({"id": code} | more))


def words(text: str, **more: Any) -> Json:
    return condition({"text": text}, **({"id": text[:8].replace(" ", "-").replace(",", "")} | more))


def verified(status: str) -> Json:
    return concept(status, system=VERIFICATION)


def state(*conditions: Json) -> Disease | None:
    return chart(*conditions).get(DISEASE).value


@pytest.mark.parametrize(("code", "expected"), [
    ("C92.00", Disease.UNSTATED), ("C92.01", Disease.REMISSION), ("C92.02", Disease.RELAPSED),
    ("C92.0", Disease.UNSTATED), ("C92.52", Disease.RELAPSED), ("C92.62", Disease.RELAPSED),
    ("C92.A2", Disease.RELAPSED),
    ("C91.12", Disease.NONE), ("C92.10", Disease.NONE), ("C92.42", Disease.NONE),
])
def test_the_code_says_where_the_disease_stands(code: str, expected: Disease) -> None:
    assert state(icd(code)) is expected


@pytest.mark.parametrize("status", ["relapse", "recurrence"])
def test_a_clinical_status_of_relapse_is_a_relapse(status: str) -> None:
    assert state(icd("C92.00", clinicalStatus=clinical(status))) is Disease.RELAPSED


def test_a_clinical_status_of_remission_is_a_remission() -> None:
    assert state(icd("C92.00", clinicalStatus=clinical("remission"))) is Disease.REMISSION


@pytest.mark.parametrize("text", [
    "relapsed AML", "AML in relapse", "Acute myeloid leukaemia, first relapse", "Recurrent acute myeloid leukemia",
])
def test_text_may_say_relapsed(text: str) -> None:
    assert state(words(text)) is Disease.RELAPSED


@pytest.mark.parametrize("text", [
    "refractory AML", "AML, primary induction failure", "AML refractory to 7+3", "AML refractory to ven/aza",
    "Acute myeloblastic leukemia not having achieved remission, refractory to 2 cycles of induction",
    "AML refractory to two courses of induction chemotherapy", "AML, refractory to three lines of therapy",
])
def test_text_may_say_refractory(text: str) -> None:
    assert state(words(text)) is Disease.REFRACTORY
    assert state(icd("C92.00") | {"code": concept("C92.00", text, ICD)}) is Disease.REFRACTORY


@pytest.mark.parametrize("text", [
    "AML, no evidence of relapse", "AML without relapse", "AML, not relapsed", "AML, no signs of relapse",
    "AML at high risk of relapse", "AML: relapse risk adverse", "AML not in remission", "AML, no recurrence",
    "Acute myeloblastic leukemia, not having achieved remission", "AML transformed from refractory anemia",
    "AML, not refractory", "AML, maintenance for relapse prevention",
])
def test_a_word_that_is_denied_or_means_something_else_is_no_state(text: str) -> None:
    assert state(words(text)) is Disease.UNSTATED


@pytest.mark.parametrize("text", [
    "Family history of AML", "Family history of acute myeloid leukemia", "Rule out AML", "No evidence of AML",
    "Renal angiomyolipoma (AML)", "Chronic myeloid leukaemia", "amlodipine intolerance",
])
def test_what_only_sounds_like_aml_is_none(text: str) -> None:
    assert state(words(text)) is Disease.NONE


def test_relapsed_or_refractory_in_short_is_relapsed() -> None:
    assert state(words("R/R AML")) is Disease.RELAPSED


def test_mds_that_became_aml_is_aml() -> None:
    assert state(words("Myelodysplastic syndrome transformed to acute myeloid leukemia")) is Disease.UNSTATED


@pytest.mark.parametrize("more", [
    {"verificationStatus": verified("refuted")}, {"verificationStatus": verified("entered-in-error")},
    {"clinicalStatus": clinical("resolved")}, {"clinicalStatus": clinical("inactive")},
    {"clinicalStatus": {"text": "Resolved"}},
])
def test_a_refuted_or_resolved_entry_does_not_count(more: Json) -> None:
    assert state(icd("C92.02", **more)) is Disease.NONE
    assert chart(icd("C92.02", **more)).get(RELAPSE).state is State.ABSENT


@pytest.mark.parametrize(("status", "words"), [
    ("provisional", "provisional, not certain"),
    ("differential", "differential diagnosis, not certain"),
    ("unconfirmed", "unconfirmed, not certain"),
])
def test_an_entry_that_is_not_confirmed_is_not_certain_in_words(status: str, words: str) -> None:
    facts = chart(icd("C92.02", verificationStatus=verified(status), onsetDateTime="2026-10-01"))
    disease = facts.get(DISEASE)
    assert (disease.value, disease.sure, disease.doubts) == (Disease.RELAPSED, False, (words,))
    assert facts.get(RELAPSE).doubts == (words,)
    assert words in (facts.get(PROBLEMS).value or ())[0].words


def test_a_confirmed_entry_is_certain_whatever_is_thought_of_beside_it() -> None:
    thought = icd("C92.00", verificationStatus=verified("provisional"), id="c0")
    for conditions in ((thought, icd("C92.02")), (icd("C92.02"), thought)):
        disease = chart(*conditions).get(DISEASE)
        assert (disease.value, disease.sure) == (Disease.RELAPSED, True)


def test_a_relapse_that_is_only_thought_of_is_not_certain_beside_a_confirmed_leukaemia() -> None:
    disease = chart(icd("C92.00"), icd("C92.02", verificationStatus=verified("differential"))).get(DISEASE)
    assert (disease.value, disease.sure) == (Disease.RELAPSED, False)


def test_provisional_apl_is_not_certain() -> None:
    facts = chart(icd("C92.40", verificationStatus=verified("provisional")))
    assert (facts.get(APL).value, facts.get(APL).sure) == (True, False)


@pytest.mark.parametrize("text", ["Suspected AML", "Rule out acute myeloid leukemia", "V.a. akute myeloische Leukämie"])
def test_words_that_only_think_of_it_make_a_coded_entry_uncertain(text: str) -> None:
    disease = chart(condition(concept("C92.00", text, ICD))).get(DISEASE)
    assert (disease.value, disease.sure) == (Disease.UNSTATED, False)


@pytest.mark.parametrize(("system", "code", "expected"), [
    (ICD, "C9202", Disease.RELAPSED), (ICD, "c92.02", Disease.RELAPSED),
    ("urn:oid:2.16.840.1.113883.6.90", "C92.02", Disease.RELAPSED),
    ("HTTPS://hl7.org/fhir/sid/ICD-10-CM/", "C92.02", Disease.RELAPSED),
    ("http://hl7.org/fhir/sid/icd-10", "C92.0", Disease.UNSTATED),
    ("http://fhir.de/CodeSystem/bfarm/icd-10-gm", "C92.00", Disease.UNSTATED),
    ("http://snomed.info/sct", "91861009", Disease.UNSTATED),
    ("http://snomed.info/sct/731000124108/version/20260301", "91861009", Disease.UNSTATED),
])
def test_a_condition_is_told_by_each_of_its_code_systems(system: str, code: str, expected: Disease) -> None:
    assert state(condition(concept(code, system=system))) is expected


@pytest.mark.parametrize(("text", "expected"), [
    ("Akute myeloische Leukämie, Rezidiv", Disease.RELAPSED),
    ("Akute myeloische Leukämie in kompletter Remission", Disease.REMISSION),
    ("Akute myeloische Leukämie, kein Rezidiv", Disease.UNSTATED)])
def test_a_german_problem_list_is_read_by_its_words(text: str, expected: Disease) -> None:
    assert state(words(text)) is expected


GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"


@pytest.mark.parametrize(("code", "expected"), [("C92.00", Disease.UNSTATED), ("C92.01", Disease.REMISSION),
    ("C92.51", Disease.REMISSION), ("C93.01", Disease.REMISSION), ("C92.81", Disease.REMISSION)])
def test_the_german_fifth_character_says_where_the_disease_stands(code: str, expected: Disease) -> None:
    assert state(condition(concept(code, system=GM))) is expected


def lettered(letter: str, code: str = "C92.00", **more: object) -> Json:
    url = "http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit"
    coded = concept(code, system=GM)
    coded["coding"][0]["extension"] = [{"url": url, "valueCoding": {"code": letter}}]
    written = condition(coded, id="lettered", onsetDateTime="2026-11-01") | more
    return {name: part for name, part in written.items() if part is not None}


BARE: Json = {"clinicalStatus": None, "verificationStatus": None}


@pytest.mark.parametrize(("letter", "statuses", "found", "sure"), [
    ("G", BARE, Disease.UNSTATED, True), ("A", BARE, Disease.NONE, True), ("Z", BARE, Disease.NONE, True),
    ("V", BARE, Disease.UNSTATED, False), ("a", BARE, Disease.NONE, True),
    ("A", {}, Disease.UNSTATED, False), ("Z", {}, Disease.UNSTATED, False), ("G", {}, Disease.UNSTATED, True),
])
def test_the_letter_beside_a_german_code_says_whether_it_holds(
    letter: str, statuses: Json, found: Disease, sure: bool
) -> None:
    stated: Json = {
        "clinicalStatus": {"coding": [{"code": "active"}]}, "verificationStatus": {"coding": [{"code": "confirmed"}]},
    }  # fmt: skip
    read = chart(lettered(letter, **(stated | statuses))).get(DISEASE)
    assert (read.value, read.sure) == (found, sure), (read.doubts, read.why)


@pytest.mark.parametrize("value", [
    {"valueCoding": {"code": 5}}, {"valueCoding": {"code": "?"}}, {"valueCode": "A"}, {},
])
def test_a_letter_that_cannot_be_read_leaves_the_diagnosis_uncertain(value: Json) -> None:
    entry = lettered("G", **BARE)
    entry["code"]["coding"][0]["extension"][0].pop("valueCoding")
    entry["code"]["coding"][0]["extension"][0].update(value)
    read = chart(entry).get(DISEASE)
    assert (read.value, read.sure) == (Disease.UNSTATED, False)
    assert "letter of certainty" in " ".join(read.doubts)


def test_a_diagnosis_excluded_by_one_code_and_certain_by_another_is_uncertain() -> None:
    entry = lettered("A", **BARE)
    entry["code"]["coding"] += lettered("G", code="C95.00")["code"]["coding"]
    assert not chart(entry).get(DISEASE).sure


def test_the_german_code_of_refractory_leukaemia_speaks_of_the_aml_beside_it() -> None:
    refractory = condition(concept("C95.8", system=GM), id="c2", onsetDateTime="2026-10-01")
    facts = chart(condition(concept("C92.00", system=GM)), refractory)
    assert (facts.get(DISEASE).value, str(facts.get(RELAPSE).when)) == (Disease.REFRACTORY, "2026-10-01")
    assert state(refractory) is Disease.NONE


# Relapse and remission


def both(relapse: str | None, remission: str | None) -> list[list[Json]]:
    one = icd("C92.02", **({"onsetDateTime": relapse} if relapse else {}))
    other = icd("C92.01", **({"onsetDateTime": remission} if remission else {}))
    return [[one, other], [other, one]]


@pytest.mark.parametrize(("relapse", "remission", "expected", "sure"), [
    ("2026-10-01", "2025-03-01", Disease.RELAPSED, True), ("2025-03-01", "2026-10-01", Disease.REMISSION, True),
    ("2026-10-01", "2026-10-01", Disease.RELAPSED, True), ("2026-10-01", None, Disease.RELAPSED, False),
    (None, "2026-10-01", Disease.RELAPSED, False), (None, None, Disease.RELAPSED, False),
    ("2026-03-01", "2026", Disease.RELAPSED, False), ("2026", "2026-03-01", Disease.RELAPSED, False),
    ("2025", "2026-03", Disease.REMISSION, True), ("2026-03", "2025", Disease.RELAPSED, True),
])
def test_the_newest_of_relapse_and_remission_counts_and_relapse_where_nobody_can_tell(
    relapse: str | None, remission: str | None, expected: Disease, sure: bool,
) -> None:
    for conditions in both(relapse, remission):
        found = chart(*conditions).get(DISEASE)
        assert (found.value, found.sure) == (expected, sure)


@pytest.mark.parametrize(("more", "day"), [
    ({"onsetDateTime": "2026-10-05", "recordedDate": "2026-10-20"}, "2026-10-05"),
    ({"recordedDate": "2026-10-20"}, "2026-10-20"),
    ({"onsetPeriod": {"start": "2026-10-04"}, "recordedDate": "2026-10-20"}, "2026-10-04"),
    ({"onsetDateTime": "2026-10"}, "2026-10"),
])
def test_the_relapse_is_dated_by_its_onset_else_by_its_record(more: Json, day: str) -> None:
    assert str(chart(icd("C92.02", **more)).get(RELAPSE).when) == day


def test_a_relapse_without_date_is_known_as_relapse_and_its_date_as_missing() -> None:
    facts = chart(icd("C92.02"))
    assert facts.get(DISEASE).value is Disease.RELAPSED
    assert facts.get(RELAPSE).why == "relapse on record without a date"


@pytest.mark.parametrize("written", ["令和8年11月1日", "01.11.2026", "early November"])
def test_a_date_in_words_is_told_as_one_that_is_not_read(written: str) -> None:
    why = chart(icd("C92.02", onsetString=written)).get(RELAPSE).why
    assert why == f"relapse on record with a date that is not read: {written}"


def test_the_newest_relapse_counts() -> None:
    facts = chart(icd("C92.02", onsetDateTime="2025-01-01"), icd("C92.52", onsetDateTime="2026-10-01"))
    assert str(facts.get(RELAPSE).when) == "2026-10-01"


# The diagnosis of an encounter is filed at each visit: it says what the visit was about, not when a relapse came.


def visit(recorded: str, code: str = "C92.02", **more: Any) -> Json:
    encounter = concept("encounter-diagnosis", system="http://terminology.hl7.org/CodeSystem/condition-category")
    return icd(code, id=f"v{recorded}", recordedDate=recorded, category=[encounter], **more)


def dates(*entries: Json) -> tuple[str, str]:
    facts = chart(*entries)
    return str(facts.get(RELAPSE).when), str(facts.get(DISEASE).when)


PROBLEM = icd("C92.02", onsetDateTime="2026-10-01")


def test_visits_do_not_date_a_relapse_that_is_on_record() -> None:
    assert dates(visit("2026-11-18"), PROBLEM, visit("2026-11-10")) == ("2026-10-01", "2026-10-01")


def test_of_visits_alone_the_first_one_dates_it() -> None:
    assert dates(visit("2026-11-18"), visit("2026-11-10")) == ("2026-11-10", "2026-11-10")


def test_a_visit_after_a_remission_dates_the_next_relapse() -> None:
    first = icd("C92.02", onsetDateTime="2025-01-01", clinicalStatus=clinical("resolved"))
    remission = icd("C92.01", id="r", onsetDateTime="2025-04-01", clinicalStatus=clinical("resolved"))
    assert dates(first, remission, visit("2026-11-18")) == ("2026-11-18", "2026-11-18")
    undated = icd("C92.01", id="r", clinicalStatus=clinical("resolved"))
    assert dates(PROBLEM, undated, visit("2026-11-18"))[0] == "2026-11-18"


@pytest.mark.parametrize("newer", [
    visit("2026-11-18", onsetDateTime="2026-11-12"),  # it has a day of its own
    visit("2026-11-12", code="C92.02") | {"category": None},  # not said to be of an encounter
    visit("2026-11-12") | {"code": concept("C92.02", "AML, second relapse", ICD)},
    visit("2026-11-12", code="C92.00") | {"code": {"text": "refractory AML"}},
])
def test_what_says_more_than_a_visit_dates_it_anew(newer: Json) -> None:
    entry = {name: value for name, value in newer.items() if value is not None}
    assert dates(PROBLEM, entry)[0] == "2026-11-12"


GRAFT = {"resourceType": "Procedure", "id": "h", "status": "completed", "subject": {"reference": "Patient/p1"},
         "code": {"text": "Allogeneic stem cell transplantation"}}


def test_a_visit_after_a_transplantation_dates_the_next_relapse() -> None:
    relapse, later = icd("C92.02", onsetDateTime="2026-01-01"), visit("2026-11-18")
    assert dates(relapse, later)[0] == "2026-01-01"
    assert dates(relapse, later, GRAFT | {"performedDateTime": "2026-05-01"})[0] == "2026-11-18"
    assert dates(relapse, later, GRAFT | {"performedDateTime": "2025-05-01"})[0] == "2026-01-01"
    assert dates(relapse, later, GRAFT | {"performedDateTime": "2026-05-01", "status": "not-done"})[0] == "2026-01-01"


def test_a_visit_long_after_the_relapse_was_last_named_dates_it_anew() -> None:
    relapse = icd("C92.02", onsetDateTime="2025-01-10")
    assert dates(relapse, visit("2026-11-18"))[0] == "2026-11-18"
    assert dates(relapse, visit("2025-12-01"), visit("2026-11-18"))[0] == "2025-01-10"
    assert dates(icd("C92.02", onsetDateTime="2025-11-18"), visit("2026-11-18"))[0] == "2025-11-18"
    assert dates(icd("C92.02", onsetDateTime="2025-11-17"), visit("2026-11-18"))[0] == "2026-11-18"


@pytest.mark.parametrize("said", ["AML in new relapse", "AML, relapsed again", "AML, erneutes Rezidiv"])
def test_a_visit_that_calls_it_another_relapse_dates_it_anew(said: str) -> None:
    named = [visit(day) | {"code": concept("C92.02", said, ICD)} for day in ("2026-11-12", "2026-11-18")]
    assert dates(PROBLEM, *named)[0] == "2026-11-12"


def test_a_sure_visit_is_kept_beside_a_relapse_that_is_only_suspected() -> None:
    suspected = icd("C92.02", onsetDateTime="2026-10-01", verificationStatus=verified("provisional"))
    assert dates(suspected, visit("2026-11-12"))[0] == "2026-11-12"


# APL, other diseases, procedures


@pytest.mark.parametrize("apl", [icd("C92.40"), icd("C92.42"),
    words("Acute promyelocytic leukemia (AML M3), relapsed")])
def test_apl_is_apl_and_not_aml(apl: Json) -> None:
    facts = chart(apl)
    assert (facts.get(APL).value, facts.get(DISEASE).value) == (True, Disease.NONE)


def keys(facts: Chart) -> set[str]:
    return {key for entry in facts.get(PROBLEMS).value or () for key in entry.keys}


def test_other_indications_are_kept_by_their_keys() -> None:
    assert {"cll", "mastocytosis"} <= keys(chart(icd("C91.10"), words("systemic mastocytosis")))


@pytest.mark.parametrize(("said", "key"), [
    ("Capillary leak syndrome", "capillary_leak"), ("Differentiation syndrome", "differentiation_syndrome"),
    ("Hepatic veno-occlusive disease", "sos_vod"), ("Autoimmune hemolytic anemia", "haemolysis"),
    ("Ataxia, new", "cerebellar_signs"), ("Tumor lysis syndrome", "tumour_lysis"),
    ("Peripheral neuropathy", "neuropathy"), ("Atrial fibrillation", "atrial_fibrillation")])
def test_a_syndrome_is_told_by_its_words_where_it_has_no_code(said: str, key: str) -> None:
    assert key in keys(chart(words(said)))


@pytest.mark.parametrize(("said", "key"), [
    ("Posterior reversible encephalopathy syndrome", "pres"), ("Seizure", "seizure"), ("Epilepsy", "seizure"),
    ("Ventricular tachycardia", "ventricular_tachycardia"), ("V-fib arrest", "ventricular_fibrillation_flutter"),
    ("Heart failure, NYHA II", "heart_failure"), ("CONGESTIVE HEART FAILURE", "heart_failure"),
    ("Pregnant", "pregnancy"),
    ("Cirrhosis of liver without ascites", "cirrhosis"), ("Acute pancreatitis", "acute_pancreatitis"),
    ("Pancreatitis, chronic pancreatitis", "chronic_pancreatitis"), ("Pleural effusion", "pleural_effusion"),
    ("Altered mental status", "altered_mental_status"), ("Cardiomyopathy", "cardiomyopathy"),
    ("Chronic hepatitis B", "hepatitis_b"), ("Febrile neutropenia", "neutropenia_febrile"),
    ("Not pregnant", "not_pregnant"), ("Non-alcoholic cirrhosis of liver", "cirrhosis"),
    ("Non-sustained ventricular tachycardia", "ventricular_tachycardia"),
    ("Non ischemic cardiomyopathy", "cardiomyopathy"),
])
def test_a_danger_is_told_by_its_words_where_the_entry_has_no_code(said: str, key: str) -> None:
    assert key in keys(chart(words(said)))
    local = condition({"coding": [{"system": "urn:oid:1.2.3", "code": "17"}], "text": said})
    assert key in keys(chart(local))


@pytest.mark.parametrize(("said", "key", "now"), [
    ("AML in relapse (history of MDS)", "aml", True), ("Pregnant 8 weeks, history of miscarriage", "pregnancy", True),
    ("pregnancy test negative, now pregnant", "pregnancy", True), ("Pregnancy test positive", "pregnancy", True),
    ("no relapse, heart failure", "heart_failure", True), ("History of acute heart failure", "heart_failure", False),
    ("no known history of seizures", "seizure", False), ("Non pregnant", "not_pregnant", True),
])
def test_what_stands_around_a_name_belongs_to_that_name(said: str, key: str, now: bool) -> None:
    assert (key in keys(chart(words(said)))) is now


def test_history_of_is_told_as_past() -> None:
    past = chart(words("History of torsades de pointes") | {"recordedDate": "2026-11-20"})
    assert not keys(past)
    (entry,) = past.get(HISTORY).value
    assert (entry.keys, entry.over, entry.when) == (("torsades",), True, None)
    cm = "http://hl7.org/fhir/sid/icd-10-cm"
    assert keys(chart(condition(concept("I47.21", "History of torsades de pointes", cm))))


@pytest.mark.parametrize(("code", "said", "expected"), [
    ("Z85.6", "History of AML", Disease.NONE), ("Z85.6", "Personal history of acute myeloid leukemia", Disease.NONE),
    ("D46.9", "MDS, history of AML", Disease.NONE), ("Z85.6", "History of AML, now relapsed", Disease.RELAPSED),
    ("C92.00", "History of AML", Disease.UNSTATED), ("C92.02", "AML in relapse, history of MDS", Disease.RELAPSED)])
def test_a_leukaemia_told_as_past_beside_another_code_is_no_leukaemia_of_today(
    code: str, said: str, expected: Disease
) -> None:
    facts = chart(condition(concept(code, said, ICD)))
    assert facts.get(DISEASE).value is expected
    past = chart(condition(concept("Z85.6", "History of acute promyelocytic leukemia", ICD)))
    assert past.get(APL).value is False
    torsades = chart(condition(concept("Z85.6", "History of AML, history of torsades de pointes", ICD)))
    assert "torsades" in keys(torsades)


@pytest.mark.parametrize("said", ["Pulmonary veno-occlusive disease", "Possible capillary leak",
    "Rule out differentiation syndrome", "Family history of ataxia", "No long QT syndrome", "No acute heart failure",
    "Diabetes without heart failure", "Negative for hepatitis B", "Keine Epilepsie, no seizures", "Pregnancy test",
    "Hepatitis B vaccination", "Macular edema", "No signs of heart failure", "Seizure prophylaxis", "Denies dyspnea",
    "no complaints of headache or confusion", "Seizure precautions", "Glasgow coma score 15", "Pancreatitis excluded",
    "Pregnancy was ruled out", "wife is pregnant", "Avoid pregnancy", "Non-smoker; pregnancy excluded"])
def test_words_that_say_something_else_are_no_sign(said: str) -> None:
    assert not keys(chart(words(said)))


@pytest.mark.parametrize("status", ["not-done", "entered-in-error", "preparation"])
def test_a_procedure_that_was_not_done_does_not_count(status: str) -> None:
    done = {"resourceType": "Procedure", "id": "t", "status": "completed", "subject": {"reference": "Patient/p1"},
            "code": concept("38240", system="http://www.ama-assn.org/go/cpt")}
    assert chart(done).get(PROCEDURES).value
    assert not chart(done | {"status": status}).get(PROCEDURES).value


@pytest.mark.parametrize(("system", "code"), [("http://www.ama-assn.org/go/cpt", "38240"),
    ("http://www.cms.gov/Medicare/Coding/ICD10", "30230Y1"), ("urn:oid:2.16.840.1.113883.6.4", "30230y1")])
@pytest.mark.parametrize(("status", "certain"), [("completed", True), ("stopped", False), ("unknown", False)])
def test_a_procedure_counts_by_any_of_its_codes_and_says_when_it_is_not_certain(
    system: str, code: str, status: str, certain: bool,
) -> None:
    done = {"resourceType": "Procedure", "id": "t", "status": status, "subject": {"reference": "Patient/p1"},
            "code": concept(code, system=system)}
    found = chart(done).get(PROCEDURES).value or ()
    assert [entry.certain for entry in found] == [certain]


# What was not had


@pytest.mark.parametrize("status", [Status.FAILED, Status.NOT_ASKED])
def test_a_problem_list_that_was_not_had_says_nothing(status: Status) -> None:
    facts = chart(statuses={"conditions": status})
    assert (facts.get(DISEASE).value, facts.get(APL).value, facts.get(PROBLEMS).value) == (None, None, None)


def test_part_of_a_problem_list_never_says_no_aml_no_apl_or_no_relapse_for_sure() -> None:
    facts = chart(icd("C92.01"), statuses={"conditions": Status.PARTIAL})
    assert not facts.get(DISEASE).sure
    assert not facts.get(APL).sure
    assert not chart(statuses={"conditions": Status.PARTIAL}).get(DISEASE).sure


def test_an_entry_of_ours_that_cannot_be_read_leaves_a_doubt_and_another_does_not() -> None:
    assert not chart(icd("C92.02", verificationStatus="refuted")).get(DISEASE).sure
    assert not chart(icd("C92.02", modifierExtension=[{"url": "http://example.org/x",
        "valueBoolean": True}])).get(DISEASE).sure


@pytest.mark.parametrize(("noted", "day"), [("2026-11-10", "2026-11-10"), ("2027-11-10", None), (None, None)])
def test_a_relapse_that_has_not_come_yet_has_a_wrong_date(noted: str | None, day: str | None) -> None:
    more = {"recordedDate": noted} if noted else {}
    facts = chart(icd("C92.02", onsetDateTime="2027-11-10", **more))
    assert facts.get(DISEASE).value is Disease.RELAPSED
    assert str(facts.get(RELAPSE).when or "") == (day or "")
    (entry,) = facts.get(PROBLEMS).value or ()
    assert "dated in the future (2027-11-10), which counts as no date" in entry.origin.notes


def test_a_date_of_tomorrow_is_a_clock_of_another_zone() -> None:
    assert str(chart(icd("C92.02", onsetDateTime="2026-11-21")).get(RELAPSE).when) == "2026-11-21"


def test_a_transplantation_that_has_not_come_yet_has_no_date() -> None:
    done = {"resourceType": "Procedure", "id": "t", "status": "completed", "subject": {"reference": "Patient/p1"},
            "code": {"text": "Allogeneic stem cell transplantation"}, "performedDateTime": "2027-01-10"}  # fmt: skip
    (entry,) = chart(done).get(PROCEDURES).value or ()
    assert entry.when is None


# What the words around a state, a name or a date make of it


@pytest.mark.parametrize("text", [
    "AML, relapse after CR2", "AML relapsed after complete remission of 8 months", "AML in relapse, previously in CR1",
    "AML, relapse from second remission", "AML: in CR until 3/2026, now in relapse", "AML-Rezidiv", "AML Frührezidiv",
    "AML-Erstrezidiv", "AML-Spätrezidiv", "AML-Frührezidiv", "AML-Zweitrezidiv", "AML Erstrezidiv",
    "rezidivierte AML", "Leukemia, acute myeloid, in relapse", "t-AML in relapse", "Erythroleukemia (AML-M6), relapsed",
    "Acute monocytic leukaemia, relapsed", "Relapsed AML, allogeneic transplant from his brother",
    "AML in relapse, donor: sister",
])
def test_words_that_tell_of_a_relapse_are_one_whatever_was_before(text: str) -> None:
    found = chart(words(text)).get(DISEASE)
    assert (found.value, found.sure) == (Disease.RELAPSED, True)


@pytest.mark.parametrize("text", ["refraktäre AML", "AML-refraktär", "AML, therapierefraktär", "AML, failed induction"])
def test_words_that_tell_of_refractory_disease(text: str) -> None:
    assert state(words(text)) is Disease.REFRACTORY


@pytest.mark.parametrize("text", ["AML in CR", "AML in CR1", "AML, komplette Remission", "AML in MRD-negative CR",
    "AML, no signs of relapse, in CR", "AML; relapse excluded, in CR2", "AML in CR1, aim CR2",
    "AML, after induction in complete remission", "AML, since 2024 in CR2", "AML nach 7+3 in kompletter Remission"])
def test_words_that_tell_of_a_remission(text: str) -> None:
    assert state(words(text)) is Disease.REMISSION


@pytest.mark.parametrize("text", [
    "AML, never in remission", "AML no longer in remission", "AML, lost CR2", "AML, CR2 not reached", "AML not in CR",
    "AML, relapse ruled out", "impending relapse of AML", "keine komplette Remission der AML",
    "AML at risk for relapse",
])
def test_a_state_that_is_denied_past_or_only_feared_is_none(text: str) -> None:
    found = chart(words(text)).get(DISEASE)
    assert (found.value, found.sure) == (Disease.UNSTATED, True)


@pytest.mark.parametrize("text", [
    "suspected relapse of AML", "AML, possible relapse", "Verdacht auf Rezidiv AML", "V. a. AML-Rezidiv",
    "AML ?relapse",
    "AML, rule out relapse", "Suspected AML", "History of AML, now relapsed", "Z.n. AML, Rezidiv",
])
def test_a_leukaemia_in_words_that_is_not_certain_is_not_silence(text: str) -> None:
    found = chart(words(text)).get(DISEASE)
    assert (found.value, found.doubts) == (Disease.UNSTATED, ("by its words not certain",))


@pytest.mark.parametrize("text", ["Rule out relapsed AML", "Screening for AML", "Brother had AML", "AML was ruled out",
    "History of AML", "Z.n. AML", "apl antibodies positive"])
def test_a_leukaemia_of_others_of_the_past_or_looked_for_is_none(text: str) -> None:
    facts = chart(words(text))
    assert (facts.get(DISEASE).value, facts.get(APL).value) == (Disease.NONE, False)


@pytest.mark.parametrize("text", ["APL", "APL-Rezidiv", "APL-Erstdiagnose",
    "APML in relapse", "AML M3", "AML (FAB M3)", "AML-M3", "AML with t(15;17)",
    "PML-RARA positive AML", "AML with PML::RARA", "Promyelozytenleukämie"])
def test_apl_is_told_by_each_of_its_names(text: str) -> None:
    facts = chart(words(text))
    assert (facts.get(APL).value, facts.get(DISEASE).value) == (True, Disease.NONE)


@pytest.mark.parametrize("text", ["AML (not APL)", "AML, APL excluded", "AML; APL (M3) ruled out", "AML, non-APL",
    "AML, PML-RARA negative", "AML t(8;21), t(15;17) negative", "AML, t(15;17)/PML-RARA not detected",
    "AML; no t(15;17), no inv(16)"])
def test_apl_that_is_denied_is_aml(text: str) -> None:
    facts = chart(words(text))
    assert (facts.get(APL).value, facts.get(DISEASE).value) == (False, Disease.UNSTATED)


def test_apl_that_was_only_thought_of_beside_aml_is_aml() -> None:
    for entry in (words("AML, initially suspected APL"), icd("C92.02") | {"code": concept("C92.02", "r/o APL", ICD)}):
        facts = chart(entry)
        assert (facts.get(APL).value, facts.get(DISEASE).sure) == (False, False)
        assert facts.get(DISEASE).value in (Disease.UNSTATED, Disease.RELAPSED)


@pytest.mark.parametrize("said", [
    "AML in relapse, hx of APL in mother", "AML in relapse; family history of APL, heart failure",
    "AML in relapse (brother had APL)",
])
def test_beside_a_code_what_a_relative_had_is_not_of_the_patient(said: str) -> None:
    for code in ("C92.02", "C92.00"):
        facts = chart(icd(code) | {"code": concept(code, said, ICD)})
        assert (facts.get(DISEASE).value, facts.get(APL).value) == (Disease.RELAPSED, False)
        assert "heart_failure" not in keys(facts)


@pytest.mark.parametrize(("said", "key"), [("Heart failure, possible PRES", "heart_failure"),
    ("Seizure, at risk for falls", "seizure"), ("Syncope; rule out ventricular tachycardia", "syncope")])
def test_what_is_told_before_a_thought_stands(said: str, key: str) -> None:
    assert keys(chart(words(said))) == {key}
    assert not keys(chart(words("PRES suspected"))) | keys(chart(words("at risk for seizures")))


@pytest.mark.parametrize(("said", "told"), [
    ("suspected long QT syndrome", {"long_qt_syndrome"}), ("V.a. Long-QT-Syndrom", {"long_qt_syndrome"}),
    ("Long-QT-Syndrom, fraglich", {"long_qt_syndrome"}), ("possible torsades de pointes", {"torsades"}),
    ("suspected pregnancy", {"pregnancy"}), ("no fever, suspected long QT syndrome", {"long_qt_syndrome"}),
    ("Suspected congenital long QT syndrome", {"long_qt_syndrome"}), ("pregnancy possible", {"pregnancy"}),
    ("suspicion d'une grossesse", {"pregnancy"}), ("risk of falls; suspected torsades", {"torsades"}),
    ("Possible torsades. ECG repeated", {"torsades"}), ("sospecha de embarazo", {"pregnancy"}),
    ("Suspected UTI. Pregnant.", {"pregnancy"}), ("V.a. Lungenembolie, schwanger", {"pregnancy"}),
    ("Possible seizure. Known long QT syndrome.", {"long_qt_syndrome"}), ("Possible seizure, torsades", {"torsades"}),
    ("Suspected torsades, artefact unlikely", {"torsades"}),
    ("Suspected torsades, troponin negative", {"torsades"}), ("Suspected pregnancy, Rh negative", {"pregnancy"}),
    ("Suspected pregnancy. On posaconazole prophylaxis", {"pregnancy"}), ("possible episode of torsades", {"torsades"}),
    ("V.a. kongenitales Long-QT-Syndrom", {"long_qt_syndrome"}),
    ("long QT syndrome is suspected", {"long_qt_syndrome"}),
    ("Suspected diagnosis: long QT syndrome", {"long_qt_syndrome"}), ("grossesse est suspectée", {"pregnancy"}),
    ("long QT syndrome (LQTS), suspected", {"long_qt_syndrome"}), ("suspeita de uma gravidez", {"pregnancy"}),
])
def test_what_forbids_a_drug_is_told_with_a_doubt_where_it_is_suspected(said: str, told: set[str]) -> None:
    facts = chart(words(said))
    assert keys(facts) == told
    assert not any(entry.certain for entry in facts.get(PROBLEMS).value or ())


@pytest.mark.parametrize("said", [
    "kein V.a. Long-QT-Syndrom", "kein Verdacht auf Long-QT-Syndrom", "no suspected long QT syndrome",
    "suspected pregnancy, excluded", "rule out long QT syndrome", "possible pregnancy test",
    "kein Anhalt für V.a. Schwangerschaft", "mother: suspected long QT syndrome", "pregnancy not suspected",
    "long QT syndrome not suspected", "Possible pregnancy; test negative", "Possible pregnancy, hCG negative",
    "Possible anxiety; pregnancy unlikely", "Suspected pregnancy, not confirmed",
    "Suspicion of long QT syndrome not confirmed", "Suspected DVT; discussed risk of pregnancy",
    "Possible pregnancy. Unlikely by history", "V.a. Schwangerschaft, nicht bestätigt",
])
def test_what_is_not_suspected_is_not_told(said: str) -> None:
    assert keys(chart(words(said))).isdisjoint({"long_qt_syndrome", "pregnancy"})


@pytest.mark.parametrize("said", [
    "torsades de pointes not suspected", "Possible seizure, less likely torsades",
    "Possible drug reaction, could cause torsades", "Suspected sepsis, torsades prevention",
    "Torsades discussed; sepsis suspected",
])
def test_a_suspicion_of_another_thing_tells_no_torsades(said: str) -> None:
    assert "torsades" not in keys(chart(words(said)))


@pytest.mark.parametrize("entry", [
    icd("C92.01", clinicalStatus=clinical("relapse")),
    icd("C92.02") | {"code": concept("C92.02", "AML in remission", ICD)},
    icd("C92.01") | {"code": concept("C92.01", "AML, relapse after CR1", ICD)},
])
def test_an_entry_that_contradicts_itself_is_a_relapse_and_not_certain(entry: Json) -> None:
    found = chart(entry).get(DISEASE)
    assert (found.value, found.sure) == (Disease.RELAPSED, False)
    assert "disagree" in found.doubts[0]


def test_a_relapse_whose_clinical_status_is_remission_is_one_and_not_certain() -> None:
    found = chart(icd("C92.02", clinicalStatus=clinical("remission"))).get(DISEASE)
    assert (found.value, found.sure) == (Disease.REMISSION, False)
    assert "disagree" in found.doubts[0]


def test_the_onset_of_the_disease_dates_no_remission_that_only_the_clinical_status_tells() -> None:
    named = {"onsetDateTime": "2024-02-01", "recordedDate": "2024-02-02"}
    facts = chart(icd("C92.00", clinicalStatus=clinical("remission"), **named))
    assert (facts.get(DISEASE).value, facts.get(DISEASE).when) == (Disease.REMISSION, None)
    (entry,) = facts.get(PROBLEMS).value or ()
    assert any("2024-02-01) is that of the disease" in note for note in entry.origin.notes)


@pytest.mark.parametrize("status", ["relapse", "recurrence"])
def test_the_onset_of_a_relapse_that_only_the_clinical_status_tells_may_be_that_of_the_disease(status: str) -> None:
    told = chart(icd("C92.00", clinicalStatus=clinical(status), onsetDateTime="2026-10-01")).get(RELAPSE)
    assert (str(told.when), told.value and told.value.of_disease) == ("2026-10-01", True)
    coded = chart(icd("C92.02", clinicalStatus=clinical("relapse"), onsetDateTime="2026-10-01")).get(RELAPSE)
    assert (str(coded.when), coded.value and coded.value.of_disease) == ("2026-10-01", False)
    filed = chart(icd("C92.00", clinicalStatus=clinical(status), recordedDate="2026-10-01")).get(RELAPSE)
    assert (str(filed.when), filed.value and filed.value.of_disease) == ("2026-10-01", True)


@pytest.mark.parametrize(("remitted", "expected", "sure"), [
    ("2025-03-01", Disease.RELAPSED, False), ("2025-01-10", Disease.RELAPSED, True),
    ("2025", Disease.RELAPSED, False), ("2024-06-01", Disease.RELAPSED, True), (None, Disease.RELAPSED, False),
])
@pytest.mark.parametrize("date", ["onsetDateTime", "recordedDate"])
def test_no_remission_is_newer_than_a_relapse_that_may_have_come_after_it(
    date: str, remitted: str | None, expected: Disease, sure: bool
) -> None:
    told = icd("C92.00", clinicalStatus=clinical("relapse"), **{date: "2025-01-10"})
    remission = icd("C92.01", **({"onsetDateTime": remitted} if remitted else {}))
    for entries in ((told, remission), (remission, told)):
        found = chart(*entries).get(DISEASE)
        assert (found.value, found.sure) == (expected, sure)


def test_a_remission_after_a_dated_relapse_is_not_sure_beside_a_relapse_that_only_the_clinical_status_tells() -> None:
    told = icd("C92.00", clinicalStatus=clinical("relapse"), onsetDateTime="2025-01-10")
    dated = (icd("C92.02", onsetDateTime="2026-05-01"), icd("C92.01", onsetDateTime="2026-08-01"))
    found = chart(told, *dated).get(DISEASE)
    assert (found.value, found.sure) == (Disease.REMISSION, False)
    assert "do not say which came first" in found.doubts[0]


def test_what_has_ended_is_over_and_is_not_certain_where_it_is_called_active_too() -> None:
    ended = icd("C92.02", abatementDateTime="2026-05-01")
    assert chart(ended | {"clinicalStatus": None}).get(DISEASE).value is Disease.NONE
    called_active = chart(ended).get(DISEASE)
    assert (called_active.value, called_active.sure) == (Disease.RELAPSED, False)
    assert "recorded as ended on 2026-05-01" in called_active.doubts[0]
    assert chart(icd("C92.02", abatementDateTime="2027-05-01")).get(DISEASE).sure


@pytest.mark.parametrize(("said", "course"), [
    ("HiDAC consolidation, cycle 2", "earlier_high_dose_cytarabine"),
    ("Salvage chemotherapy: FLAG-IDA", "earlier_high_dose_cytarabine"),
    ("Induction chemotherapy 7+3 (cytarabine, daunorubicin)", "earlier_cytarabine_with_an_anthracycline"),
    ("HAM-D depression scale", None), ("Chemotherapy", None), ("Removal of red flag sign", None),
    ("Polychemotherapie FLAG-Ida, Zyklus 1", "earlier_high_dose_cytarabine"),
    ("7+3", "earlier_cytarabine_with_an_anthracycline"),
    ("HiDAC completed 3 g/m2 cytarabine days 1, 3, 5", "earlier_high_dose_cytarabine"),
    ("No HiDAC", None), ("HiDAC declined", None), ("HiDAC not given", None), ("Planned FLAG-IDA", None),
    ("HiDAC?", None), ("Consent for FLAG-IDA", None), ("PICC line for 7+3", None), ("Marrow after 7+3", None),
    ("Family: brother had 7+3", None), ("unfit for 7+3", None), ("kein HiDAC", None),
    ("Extraction of teeth 3+7", None)])
def test_a_procedure_tells_an_earlier_course_by_its_words(said: str, course: str | None) -> None:
    done = {"resourceType": "Procedure", "id": "t", "status": "completed", "subject": {"reference": "Patient/p1"},
            "code": {"text": said}, "performedDateTime": "2025-01-10"}
    found = {key for entry in chart(done).get(PROCEDURES).value or () for key in entry.keys}
    assert found == ({course} if course else set())
    assert not chart(done | {"status": "not-done"}).get(PROCEDURES).value
    assert not keys(chart(words(said)))


@pytest.mark.parametrize("entry", [icd("J81"), icd("J81.0"), words("Acute pulmonary edema"), words("Lungenödem")])
def test_pulmonary_oedema_is_one_sign_of_its_own(entry: Json) -> None:
    problems = chart(entry).get(PROBLEMS).value
    assert problems is not None
    assert [each.keys for each in problems] == [("pulmonary_oedema",)]


@pytest.mark.parametrize("text", [
    "MRD relapse of AML", "Molecular relapse of AML (NPM1)", "AML relapse (molecular)",
    "AML, MRD-positive relapse", "AML, molekulares Rezidiv",
    "AML in morphologic remission with molecular relapse",
])
def test_a_relapse_of_residual_disease_is_not_certain(text: str) -> None:
    found = chart(words(text)).get(DISEASE)
    assert found.doubts == ("by its words a relapse of measurable residual disease and no other, not certain",)


OF_RESIDUAL = ("by its words a relapse of measurable residual disease and no other, not certain",)


@pytest.mark.parametrize("entry", [
    *(words(text) for text in (
        "AML in remission, MRD relapse", "AML in CR1 with molecular relapse", "AML, CR2, molekulares Rezidiv 10/2026",
        "AML in complete remission; now MRD relapse", "AML en remisión completa, recaída molecular",
    )),
    condition(concept("C92.01", "AML in remission, MRD relapse", ICD)),
    condition(concept("C92.01", "AML, molecular relapse", ICD)),
    condition(concept("C92.02", "AML in remission, MRD relapse", ICD)),
])
def test_a_relapse_of_residual_disease_comes_in_a_remission_and_is_told_as_relapse(entry: Json) -> None:
    found = chart(entry).get(DISEASE)
    assert (found.value, found.doubts) == (Disease.RELAPSED, OF_RESIDUAL)


@pytest.mark.parametrize("entry", [
    condition(concept("C92.01", "AML, molecular relapse", ICD), clinicalStatus=clinical("remission")),
    words("AML in remission, MRD relapse", clinicalStatus=clinical("remission")),
])
def test_a_status_of_remission_speaks_of_marrow_and_blood(entry: Json) -> None:
    found = chart(entry).get(DISEASE)
    assert (found.value, found.doubts) == (Disease.RELAPSED, OF_RESIDUAL)


@pytest.mark.parametrize("text", [
    "AML nach molekularem Rezidiv", "AML, s/p molecular relapse", "AML, MRD relapse, resolved",
    "AML, MRD relapse 2024 treated with azacitidine", "AML, molecular relapse 2024, now MRD negative",
    "AML in CR2, MRD relapse 2024, alloSCT, now MRD-negative", "LMA tras recaída molecular",
])
def test_a_code_and_a_status_of_remission_stand_beside_such_a_relapse_that_is_over(text: str) -> None:
    coded = condition(concept("C92.01", text, ICD), clinicalStatus=clinical("remission"))
    found = chart(coded).get(DISEASE)
    assert (found.value, found.sure) == (Disease.REMISSION, False)


@pytest.mark.parametrize("text", [
    "AML, molecular relapse; pneumonia resolved", "AML, molekulares Rezidiv, GvHD resolved",
    "AML, MRD relapse, previously MRD negative", "AML, molecular relapse after MRD negativity",
    "AML, molecular relapse 3/2026 (MRD negative 2025)", "AML, since molecular relapse on azacitidine",
    "AML, MRD relapse, FLT3 MRD negative, NPM1 MRD positive", "LMA na recaída molecular",
    "AML, MRD relapse, now MRD negative for FLT3",
])
def test_what_ended_beside_or_before_such_a_relapse_is_not_the_relapse(text: str) -> None:
    coded = condition(concept("C92.01", text, ICD), clinicalStatus=clinical("remission"))
    assert state(coded) is Disease.RELAPSED


def test_the_day_of_the_remission_is_not_that_of_the_relapse_in_it() -> None:
    relapse = chart(words("AML in remission, MRD relapse", onsetDateTime="2026-01-01")).get(RELAPSE).value
    assert relapse is not None
    assert relapse.of_disease
    alone = chart(words("MRD relapse of AML", onsetDateTime="2026-01-01")).get(RELAPSE).value
    assert alone is not None
    assert not alone.of_disease


@pytest.mark.parametrize("text", [
    "AML, molecular relapse, now in remission", "AML in remission after molecular relapse",
    "AML in remission; MRD relapse 2024 treated, MRD negative since", "AML in remission, MRD positive",
    "AML in remission, risk of MRD relapse", "AML in remission, monitoring for molecular relapse",
    "AML in remission, no molecular relapse", "AML in remission since therapy of an MRD relapse",
])
def test_a_remission_after_or_without_such_a_relapse_stays_one(text: str) -> None:
    assert chart(words(text)).get(DISEASE).value is Disease.REMISSION


@pytest.mark.parametrize("text", [
    "AML, risk of MRD relapse", "AML, monitoring for molecular relapse", "AML, Risiko für ein molekulares Rezidiv",
    "AML, Risiko eines molekularen Rezidivs", "AML, risque de rechute moléculaire", "AML, screening for an MRD relapse",
    "AML with risk of recurrence", "AML, monitoring for recurrence", "AML, risk of relapsed disease",
])
def test_such_a_relapse_that_is_only_feared_is_none(text: str) -> None:
    found = chart(words(text)).get(DISEASE)
    assert (found.value, found.doubts) == (Disease.UNSTATED, ())


@pytest.mark.parametrize(("text", "expected"), [
    ("High risk relapsed AML", Disease.RELAPSED), ("AML ELN adverse risk relapse 3/2026", Disease.RELAPSED),
    ("AML intermediate risk refractory to 7+3", Disease.REFRACTORY), ("AML alto riesgo recaída", Disease.RELAPSED),
    ("AML, haut risque, en rechute", Disease.RELAPSED), ("AML, on surveillance late relapse", Disease.RELAPSED),
    ("Monitoring for relapsed AML", Disease.RELAPSED), ("AML, MRD monitoring relapse 3/2026", Disease.RELAPSED),
    ("AML hohes Risiko Rezidiv 3/2026", Disease.RELAPSED),
])
def test_a_state_behind_a_class_of_risk_or_a_surveillance_is_not_feared(text: str, expected: Disease) -> None:
    assert state(words(text)) is expected


@pytest.mark.parametrize("text", [
    "AML in relapse; previous molecular relapse 2024", "AML relapse (molecular studies: FLT3-ITD)",
    "AML relapse, molecular profile pending",
    "AML in relapse", "AML, overt relapse after molecular relapse", "AML in remission, no molecular relapse",
    "AML in remission, molecular relapse excluded", "AML in relapse, MRD positive before transplantation",
])
def test_other_relapses_and_remissions_are_certain(text: str) -> None:
    assert chart(words(text)).get(DISEASE).doubts == ()


@pytest.mark.parametrize("text", [
    "CNS relapse of AML", "Extramedullary relapse of AML", "Leukaemia cutis, relapse of AML", "AML: ZNS-Rezidiv",
])
def test_disease_outside_the_marrow_is_known_by_its_words(text: str) -> None:
    found = chart(words(text))
    assert found.get(DISEASE).value is Disease.RELAPSED
    assert any("extramedullary_disease" in entry.keys for entry in found.get(PROBLEMS).value or ())
