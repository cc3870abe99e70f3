"""How the disease went: months, relapses counted after remissions, whose cells were transplanted, the karyotype."""

from __future__ import annotations

import pytest

from cds_service.facts.course import ALLOGENEIC, CYTOGENETICS, FIRST_REMISSION, RELAPSE_NUMBER, TO_RELAPSE, Months
from cds_service.facts.disease import DISEASE, RELAPSE, Disease
from cds_service.facts.entries import HISTORY, PROBLEMS
from cds_service.facts.fact import State
from tests.charts import ICD, chart, clinical, concept, condition, observation

SNOMED = "http://snomed.info/sct"


def entry(code, onset=None, name="c", text=None, status="active", **more):
    dated = {"onsetDateTime": onset} if onset else {}
    stated = {"id": f"{name}-{code}-{onset}", "clinicalStatus": clinical(status)}
    return condition(concept(code, text, system=ICD), **(stated | dated | more))


def relapse(onset="2026-11-01", **more):
    return entry("C92.02", onset, **more)


def remission(onset, until=None, **more):
    ended = {"abatementDateTime": until, "status": "resolved"} if until else {}
    return entry("C92.01", onset, **(ended | more))


def procedure(code, when="2025-06-01"):
    return {
        "resourceType": "Procedure", "id": f"p{code}", "status": "completed", "code": concept(code, system=SNOMED),
        "subject": {"reference": "Patient/p1"}, "performedDateTime": when,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("until", "months"),
    [("2026-01-31", 11), ("2026-02-01", 12), ("2026-02-28", 12), ("2026-03-01", 13)],
)
def test_a_first_remission_is_told_in_whole_calendar_months(until, months):
    read = chart(relapse(), remission("2025-02-01", until))
    assert read.get(FIRST_REMISSION).value == Months(months, months)


def test_without_an_abatement_the_first_relapse_ends_it():
    read = chart(relapse("2026-11-01"), remission("2025-05-01"))
    assert read.get(FIRST_REMISSION).value == Months(18, 18)
    assert read.get(TO_RELAPSE).value == Months(18, 18)


def test_months_and_years_give_an_interval():
    read = chart(relapse("2026-11"), remission("2025"))
    assert read.get(FIRST_REMISSION).value == Months(10, 22)


def test_a_remission_that_is_called_the_second_is_not_the_first():
    read = chart(relapse(), remission("2026-03-01", text="AML in second remission"))
    assert read.get(FIRST_REMISSION).state is State.ABSENT


def test_a_remission_after_a_relapse_is_not_the_first():
    read = chart(relapse("2025-01-01", status="resolved"), remission("2025-04-01"), relapse("2026-11-01"))
    assert read.get(FIRST_REMISSION).value is None


def test_the_first_of_two_remissions_counts_and_this_relapse_is_measured_from_it():
    read = chart(
        remission("2024-01-01", "2025-03-01"), relapse("2025-03-01", status="resolved"),
        remission("2025-06-01", "2026-11-01"), relapse("2026-11-01"),
    )  # fmt: skip
    assert read.get(FIRST_REMISSION).value == Months(14, 14)
    assert read.get(TO_RELAPSE).value == Months(34, 34)
    assert read.get(RELAPSE_NUMBER).value == 2


def test_two_entries_of_one_relapse_count_once_and_the_count_is_doubtful():
    read = chart(relapse("2026-11-01"), relapse("2026-11-08"))
    assert read.get(RELAPSE_NUMBER).value == 1
    assert not read.get(RELAPSE_NUMBER).sure


@pytest.mark.parametrize(
    ("text", "number"), [("AML, first relapse", 1), ("Second relapse of AML", 2), ("AML, 3rd relapse", 3)]
)
def test_a_relapse_that_is_numbered_in_words_is_not_counted(text, number):
    fact = chart(relapse(text=text)).get(RELAPSE_NUMBER)
    assert (fact.value, fact.sure) == (number, True)


def test_a_refuted_remission_does_not_count():
    refuted = remission("2025-01-01", verificationStatus={"coding": [{"code": "refuted"}]})
    assert chart(relapse(), refuted).get(FIRST_REMISSION).value is None


def test_an_allogeneic_transplantation_has_its_own_day_beside_later_gvhd():
    read = chart(relapse(), entry("D89.811", "2026-03-01", text="Chronic GVHD"), procedure("58390007"))
    assert (read.get(ALLOGENEIC).value, str(read.get(ALLOGENEIC).when)) == (True, "2025-06-01")


def test_an_autologous_transplantation_is_none():
    assert chart(relapse(), procedure("58776007")).get(ALLOGENEIC).value is False


def test_a_transplant_status_does_not_say_whose_cells_they_were():
    fact = chart(relapse(), entry("Z94.84", "2025-06-01", text="Stem cells transplant status")).get(ALLOGENEIC)
    assert (fact.value, fact.state) == (None, State.UNREADABLE)
    assert "does not say" in fact.why


def test_a_later_transplantation_of_which_it_is_open_is_not_the_autologous_one_before():
    own = procedure("58776007", "2024-03-01")
    later = chart(relapse(), own, procedure("234336002", "2026-09-01")).get(ALLOGENEIC)
    assert (later.value, later.state) == (None, State.UNREADABLE)
    for when in ("2024-03-01", "2024"):
        assert chart(relapse(), own, procedure("234336002", when)).get(ALLOGENEIC).value is False


def test_a_code_of_any_transplantation_says_whose_cells_they_were_by_its_words_alone():
    plain = chart(relapse(), procedure("234336002")).get(ALLOGENEIC)
    assert (plain.value, "does not say" in plain.why) == (None, True)
    for text, allogeneic in (("Allogeneic stem cell transplant", True), ("Autologous stem cell transplant", False)):
        named = procedure("234336002")
        named["code"]["text"] = text
        assert chart(relapse(), named).get(ALLOGENEIC).value is allogeneic, text


@pytest.mark.parametrize(("when", "allogeneic"), [
    ("2024-06-01", None), ("2025-12-01", None), ("2025-06-02", None),
    ("2025-06-01", False), ("2025", False), (None, False),
])
def test_a_transplantation_of_another_time_than_the_autologous_one_leaves_open_whose_cells_they_were(when, allogeneic):
    other = procedure("234336002", when)
    if when is None:
        del other["performedDateTime"]
    assert chart(relapse(), procedure("58776007"), other).get(ALLOGENEIC).value is allogeneic


@pytest.mark.parametrize("text", ["Candidate for allogeneic stem cell transplantation", "GVHD prophylaxis"])
def test_a_plan_is_no_transplantation(text):
    planned = condition({"text": text}, id="plan")
    assert chart(relapse(), planned).get(ALLOGENEIC).value is False


def test_a_transplantation_in_words_counts():
    told = condition({"text": "Status after allogeneic stem cell transplantation 2024"}, id="told")
    assert chart(relapse(), told).get(ALLOGENEIC).value is True


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("AML with t(8;21), in relapse", "t(8;21)"),
        ("AML inv(16) in relapse", "inv(16)"),
        ("AML, complex karyotype", "other"),
        ("Acute myeloid leukemia with 11q23-abnormality in relapse", "other"),
        ("AML mit 11q23-Abnormität", "other"), ("AML, no 11q23-rearrangement", None),
    ],
)
def test_the_karyotype_is_read_from_the_name_of_the_disease(text, group):
    assert chart(relapse(text=text)).get(CYTOGENETICS).value == group


@pytest.mark.parametrize(
    ("code", "group"),
    [
        ("1148906001", "t(8;21)"), ("838355002", "inv(16)"), ("703387000", "other"), ("1157157006", "other"),
        ("91861009", None),
    ],
)
def test_the_karyotype_is_read_from_the_code_of_the_disease_that_came_without_words(code, group):
    disease = condition(concept(code, system=SNOMED), id="disease")
    assert chart(relapse(), disease).get(CYTOGENETICS).value == group


def test_the_codes_of_two_karyotypes_decide_nothing():
    one = condition(concept("C92.62", system=ICD), id="one")
    other = condition(concept("1148906001", system=SNOMED), id="other")
    assert chart(relapse(), one).get(CYTOGENETICS).value == "other"
    assert chart(relapse(), one, other).get(CYTOGENETICS).state is State.CONFLICTING


def test_an_entry_that_came_as_a_code_alone_is_named_in_words():
    assert chart(relapse()).get(RELAPSE).value.words == "Acute myeloblastic leukemia, in relapse (C92.02)"
    german = condition(concept("C92.01", system="http://fhir.de/CodeSystem/bfarm/icd-10-gm"), id="german")
    assert "ICD-10-GM" not in chart(german).get(HISTORY).value[0].words
    disease = condition(
        concept("91861009", system=SNOMED), id="disease", clinicalStatus=clinical("relapse"), onsetDateTime="2026-11-01"
    )
    assert chart(disease).get(RELAPSE).value.words == "Acute myeloid leukemia, disease (91861009)"


ISCN = "59267-5"
AT_DIAGNOSIS = "2025-01-05"
COURSE = (relapse(), remission("2025-03-01", "2026-10-20"))


def karyotype(text, when=AT_DIAGNOSIS, **more):
    return observation(ISCN, when, valueString=text, **more)


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("46,XY,t(8;21)(q22;q22.1)[18]/46,XY[2]", "t(8;21)"),
        ("46,XX,inv(16)(p13.1q22)[20]", "inv(16)"),
        ("46,XX,t(16;16)(p13.1;q22)", "inv(16)"),
        ("46,XX[20]", "other"),
        ("45,XY,-7,t(9;11)(p21;q23)[20]", "other"),
    ],
)
def test_a_karyotype_from_before_the_first_remission_is_that_of_the_diagnosis(text, group):
    read = chart(*COURSE, karyotype(text)).get(CYTOGENETICS)
    assert (read.value, read.sure) == (group, True)


@pytest.mark.parametrize("when", ["2026-11-02", "2025-06-01", None])
def test_a_later_karyotype_leaves_open_what_it_was_at_diagnosis(when):
    read = chart(*COURSE, karyotype("46,XX[20]", when, issued="2026-11-02T10:00:00Z")).get(CYTOGENETICS)
    assert read.value == "other" and not read.sure
    assert "whether it is the karyotype of the diagnosis is not known" in read.doubts


def test_two_later_karyotypes_that_differ_decide_nothing_in_whatever_order_they_come():
    later = (karyotype("46,XX[20]", "2026-11-02", name="k1"),
             karyotype("46,XX,t(8;21)(q22;q22.1)[20]", "2026-11-03", name="k2"))  # fmt: skip
    for results in (later, later[::-1]):
        read = chart(*COURSE, *results).get(CYTOGENETICS)
        assert (read.state, read.why) == (State.CONFLICTING, "the record names other and t(8;21)")


def test_of_two_karyotypes_of_one_group_the_same_counts_in_whatever_order_they_come():
    later = (karyotype("46,XX[20]", "2026-11-02", name="k1"), karyotype("46,XX[19]", "2026-11-03", name="k2"))
    read = [chart(*COURSE, *results).get(CYTOGENETICS) for results in (later, later[::-1])]
    assert read[0] == read[1] and str(read[0].when) == "2026-11-02"


@pytest.mark.parametrize("text", ["46,XX,der(8)t(8;21)(q22;q22)", "46,XX,inv(16)(p13q22)c[20]", "46,XX,inv(16)"])
def test_a_change_in_another_form_is_not_read(text):
    assert chart(*COURSE, karyotype(text)).get(CYTOGENETICS).state is State.UNREADABLE


@pytest.mark.parametrize("text", ["no t(8;21) seen, 46,XX", "46,XX with comment"])
def test_words_beside_a_karyotype_are_not_read(text):
    assert chart(*COURSE, karyotype(text)).get(CYTOGENETICS).state is State.ABSENT


def test_a_karyotype_that_was_taken_back_does_not_count():
    assert chart(*COURSE, karyotype("46,XX", status="entered-in-error")).get(CYTOGENETICS).state is State.ABSENT


def test_a_preliminary_karyotype_is_doubted():
    read = chart(*COURSE, karyotype("46,XX", status="preliminary")).get(CYTOGENETICS)
    assert read.value == "other" and not read.sure


def test_a_karyotype_against_the_name_of_the_disease_decides_nothing():
    read = chart(relapse(text="AML with t(8;21)"), COURSE[1], karyotype("46,XX[20]")).get(CYTOGENETICS)
    assert read.state is State.CONFLICTING


def test_two_karyotypes_decide_nothing():
    read = chart(relapse(text="AML with t(8;21)"), entry("C92.00", "2025-01-01", text="AML with inv(16)"))
    assert read.get(CYTOGENETICS).state is State.CONFLICTING


@pytest.mark.parametrize(
    "text",
    ["Allogeneic hematopoietic stem cell transplant", "Allo-HSCT", "allo SCT", "Allogeneic bone marrow transplant"],
)
def test_usual_names_of_an_allogeneic_transplantation_are_read(text):
    assert chart(entry("Z99.99", "2025-06-01", text=text)).get(ALLOGENEIC).value is True


@pytest.mark.parametrize(
    "text", ["Planned for allo-HSCT", "Bone marrow transplant donor", "No prior stem cell transplant"]
)
def test_words_about_a_transplantation_that_was_none(text):
    read = chart(entry("Z99.99", "2025-06-01", text=text)).get(ALLOGENEIC)
    assert read.value is not True and read.state is not State.UNREADABLE


PROVISIONAL = {"verificationStatus": {"coding": [{"code": "provisional"}]}}


def test_what_is_counted_from_an_entry_that_is_not_certain_is_doubtful():
    read = chart(relapse(), remission("2025-01-01", "2026-05-01", **PROVISIONAL))
    for key in (FIRST_REMISSION, TO_RELAPSE):
        assert (read.get(key).value is not None, read.get(key).doubts) == (True, ("provisional, not certain",))
    karyotype = chart(relapse(text="AML with t(8;21), in relapse", **PROVISIONAL)).get(CYTOGENETICS)
    assert (karyotype.value, karyotype.sure) == ("t(8;21)", False)
    assert not chart(relapse(text="AML, second relapse", **PROVISIONAL)).get(RELAPSE_NUMBER).sure


def test_a_remission_of_which_only_the_record_has_a_day_may_have_begun_long_before():
    read = chart(relapse(), remission(None, recordedDate="2026-10-15"))
    found = read.get(FIRST_REMISSION)
    assert (found.value, found.doubts) == (
        Months(0, 0),
        ("counted by the days on which the entries were recorded",),
    )
    assert not read.get(TO_RELAPSE).sure
    before = chart(relapse(), remission(None, recordedDate="2026-10-15"), karyotype("46,XX[20]", "2026-10-01"))
    assert not before.get(CYTOGENETICS).sure
    assert not chart(relapse(None, recordedDate="2026-11-05"), remission("2025-01-01")).get(FIRST_REMISSION).sure
    assert chart(relapse(), remission("2025-01-01", recordedDate="2026-10-15")).get(FIRST_REMISSION).sure


def test_a_remission_holds_no_longer_than_until_the_relapse_after_it():
    read = chart(relapse("2026-01-01"), remission("2025-06-01", "2026-09-01"))
    assert read.get(FIRST_REMISSION).value == Months(7, 7)


def test_a_remission_that_ends_before_it_begins_tells_no_duration():
    found = chart(relapse(), remission("2025-05-01", "2024-11-19")).get(FIRST_REMISSION)
    assert (found.value, found.state) == (None, State.CONFLICTING)
    assert found.why == "the first remission began on 2025-05-01 and ended on 2024-11-19"


def test_a_transplantation_of_which_nobody_knows_whether_it_was_done_is_doubtful():
    unknown = procedure("58390007") | {"status": "unknown"}
    found = chart(relapse(), unknown).get(ALLOGENEIC)
    assert (found.value, found.doubts) == (True, ("not known whether done",))
    told = entry("Z94.84", "2025-06-01", text="Status after allogeneic stem cell transplantation")
    assert chart(relapse(), unknown, told).get(ALLOGENEIC).sure


OPS, GM = "http://fhir.de/CodeSystem/bfarm/ops", "http://fhir.de/CodeSystem/bfarm/icd-10-gm"


@pytest.mark.parametrize(("code", "allogeneic"), [
    ("8-805.40", True), ("8-805.52", True), ("8-805.25", True), ("5-411.30", True), ("5-411.4", True),
    ("8-805.00", False), ("5-411.02", False), ("5-410.11", False),
])
def test_a_german_procedure_code_says_whose_cells_were_transplanted(code, allogeneic):
    for system in (OPS, "http://fhir.de/CodeSystem/dimdi/ops"):
        found = chart(relapse(), procedure("x") | {"code": concept(code, system=system)}).get(ALLOGENEIC)
        assert (found.value, str(found.when)) == (allogeneic, "2025-06-01" if allogeneic else "None")


def test_german_codes_tell_the_state_after_a_transplantation_and_gvhd():
    for code in ("Z94.80", "Z94.81"):
        found = chart(relapse(), condition(concept(code, system=GM))).get(ALLOGENEIC)
        assert (found.value, "does not say whether it was allogeneic" in found.why) == (None, True)
    for code in ("T86.01", "T86.02", "T86.05", "T86.06", "T86.07", "T86.09"):
        assert chart(relapse(), condition(concept(code, system=GM))).get(ALLOGENEIC).value is True
    assert chart(relapse(), condition(concept("Z94.88", system=GM))).get(ALLOGENEIC).value is False


@pytest.mark.parametrize("text", [
    "alloHSCT 2025", "allo-HSCT performed 2025", "alloHSCT, donor: brother", "Haploidentical HCT",
    "Cord blood transplantation", "MUD transplant", "Allogene Stammzelltransplantation", "Z.n. allogener SZT",
    "AML relapse post-allo-HSCT",
])
def test_short_and_german_names_of_an_allogeneic_transplantation_are_read(text):
    assert chart(condition({"text": text}, id="told")).get(ALLOGENEIC).value is True


@pytest.mark.parametrize("text", [
    "Allogene PBSZT", "allo-SZT 06/2025", "Z.n. alloSZT 2025", "Z.n. allogener Blutstammzelltransplantation",
    "KMT allogen",
    "Allogene periphere Blutstammzelltransplantation", "Allogene hämatopoetische Stammzelltransplantation",
    "Transfusion von hämatopoetischen Stammzellen: Stammzelltransfusion, allogen, HLA-identisch, nicht verwandt",
    "Stammzelltransplantation (allogen)", "haplo-SZT", "Rezidiv nach allogener SZT", "AML, Z.n. allo-KMT",
    "Allogeneic peripheral blood stem cell transplantation", "Allogeneic PBSCT", "Stem cell transplant, allogeneic",
    "MRD evaluation after allo-SZT", "Options after allo-HSCT", "Evaluation post-allo-SZT",
    "allo-SZT 2019; DLI geplant",
    "Status post allo-HSCT, discussed at tumor board",
    "Allo-BMT 2025", "Transplantation of allogeneic hematopoietic stem cell", "Nachsorge nach allo-SZT",
    "AML, history of alloHSCT 2024", "AML, Z.n. alloHSCT", "AML in relapse, previous allo-SCT",
    "Vorstellung zur Kontrolle nach allo-SZT",
])
def test_other_names_of_an_allogeneic_transplantation_are_read(text):
    assert chart(condition({"text": text}, id="told")).get(ALLOGENEIC).value is True


@pytest.mark.parametrize("text", [
    "allo-SZT in Planung", "vorgesehen für allo-SZT", "Evaluation allo-SZT", "Aufklärung allo-SZT",
    "Indication for allo-SZT",
    "Ziel allo-SZT", "Wunsch nach allogener SZT", "allo-SZT empfohlen", "allo-SZT am 3.12. vorgesehen",
    "allo-SZT abgesagt",
    "allo-KMT 2027 geplant", "Allogeneic stem cell transplant indicated", "allo-SZT erwogen", "allo-SZT steht an",
    "allo-SZT geplant", "Vor allogener SZT", "Keine allogene PBSZT", "Aufnahme zur allo-SZT", "Autologe PBSZT",
    "Stammzelltransfusion, autogen", "Autologous peripheral blood stem cell transplantation", "Z.n. auto-SZT",
    "Spendersuche vor allo-SZT", "allo-SZT nicht möglich", "No prior allogeneic PBSCT", "Allogenes Knochentransplantat",
])
def test_other_names_of_one_that_is_planned_denied_or_autologous_are_none(text):
    assert chart(condition({"text": text}, id="told")).get(ALLOGENEIC).value is False


@pytest.mark.parametrize("text", [
    "Planned alloHSCT", "alloHSCT planned", "HSCT evaluation", "awaiting alloHSCT", "not eligible for HSCT",
    "BMT clinic follow-up", "alloHSCT not done", "AML, bridge to alloHSCT", "No prior HSCT", "HSCT donor",
])
def test_a_transplantation_that_is_planned_denied_or_a_service_is_none(text):
    fact = chart(condition({"text": text}, id="told")).get(ALLOGENEIC)
    assert (fact.value, fact.sure) == (False, True)


def test_a_transplantation_told_as_past_beside_a_coded_leukaemia_counts_and_one_denied_does_not():
    def told(text):
        return chart(condition(concept("C92.02", system=ICD, text=text), id="told")).get(ALLOGENEIC).value

    assert told("AML, history of alloHSCT 2024") is True
    assert told("AML, relapsed, Z.n. allogener SZT") is True
    assert told("AML, family history of alloHSCT") is False
    assert told("AML, no history of alloHSCT") is False
    assert told("AML, history of planned alloHSCT, declined") is False


def test_what_is_told_as_past_beside_another_thing_is_past_and_has_no_day_of_its_own():
    for text, key in (("AML, history of torsades de pointes", "torsades"),
                      ("AML, Z.n. sinusoidal obstruction syndrome", "sos_vod"),
                      ("Heart failure, history of alloHSCT 2015", "hsct_procedure")):
        facts = chart(condition({"text": text}, id="told", onsetDateTime="2026-11-01"))
        (told,) = [entry for entry in facts.get(HISTORY).value if key in entry.keys]
        assert (told.over, told.when, key in facts.get(PROBLEMS).value[0].keys) == (True, None, False)
    graft = chart(condition({"text": "Heart failure, history of alloHSCT 2015"}, id="told", onsetDateTime="2026-11-01"))
    assert (graft.get(ALLOGENEIC).value, graft.get(ALLOGENEIC).when) == (True, None)


@pytest.mark.parametrize("text", ["Heart failure, history of AML", "AML, no history of torsades de pointes",
                                  "AML, family history of torsades de pointes", "AML, history of AML"])
def test_what_is_denied_or_a_leukaemia_of_the_past_is_told_of_nothing_more(text):
    assert len(chart(condition({"text": text}, id="told")).get(HISTORY).value) <= 1


def test_a_bare_hsct_does_not_say_whose_cells_they_were():
    assert chart(condition({"text": "Status post HSCT"}, id="told")).get(ALLOGENEIC).state is State.UNREADABLE


def test_the_date_of_a_relapse_is_not_that_of_the_transplantation_that_its_words_name():
    read = chart(relapse("2026-11-01", text="AML, relapse after alloHSCT"))
    assert (read.get(ALLOGENEIC).value, read.get(ALLOGENEIC).when) == (True, None)
    assert str(read.get(RELAPSE).when) == "2026-11-01"


@pytest.mark.parametrize(("text", "group"), [
    ("AML, no t(8;21)", None), ("AML, t(8;21), inv(16): not detected", None), ("AML, CBFB-MYH11 negative", None),
    ("AML, t(8;21) negative, inv(16)", "inv(16)"), ("AML with t(8;21)(q22;q22.1), FLT3 negative", "t(8;21)"),
])
def test_a_karyotype_that_is_denied_is_none(text, group):
    assert chart(relapse(text=text)).get(CYTOGENETICS).value == group


@pytest.mark.parametrize(("text", "number"), [("AML, 2. Rezidiv", 2), ("AML, zweites Rezidiv", 2)])
def test_a_german_number_of_the_relapse_is_read(text, number):
    assert chart(relapse(text=text)).get(RELAPSE_NUMBER).value == number


@pytest.mark.parametrize("date", ["onsetDateTime", "recordedDate"])
def test_the_date_of_the_disease_is_none_of_a_relapse_before_the_first_remission(date):
    disease = entry("C92.00", name="d", status="relapse", **{date: "2025-01-10"})
    facts = chart(disease, remission("2025-03-01"))
    assert (facts.get(FIRST_REMISSION).state, facts.get(TO_RELAPSE).state) == (State.ABSENT, State.ABSENT)
    facts = chart(disease, remission("2025-03-01"), relapse("2026-11-01"))
    assert facts.get(RELAPSE_NUMBER).value == 1
    assert facts.get(FIRST_REMISSION).value == Months(20, 20)


# An entry of a relapse that a remission ended


def ended_by_a_remission(until, **more):
    return relapse("2026-01-10", name="first", status="remission", abatementDateTime=until, **more)


def test_a_relapse_that_ended_in_remission_counts_as_one() -> None:
    read = chart(ended_by_a_remission("2026-04-01"), relapse("2026-10-01"))
    assert read.get(RELAPSE_NUMBER).value == 2
    assert read.get(FIRST_REMISSION).value is None
    assert [(e.status, str(e.when), e.over) for e in read.get(HISTORY).value or ()] == [
        ("in_relapse", "2026-10-01", False), ("remission", "2026-04-01", False), ("in_relapse", "2026-01-10", True),
    ]  # fmt: skip


def test_the_remission_that_ended_it_is_the_state_of_today() -> None:
    read = chart(ended_by_a_remission("2026-04-01"))
    assert read.get(DISEASE).value is Disease.REMISSION
    assert [entry.status for entry in read.get(PROBLEMS).value or ()] == ["remission"]


@pytest.mark.parametrize("until", [None, "2026-12-01"])
def test_without_the_day_of_the_remission_the_relapse_is_none_of_its_own(until) -> None:
    found = chart(ended_by_a_remission(until) if until else relapse("2026-01-10", status="remission"))
    assert [(each.status, each.when) for each in found.get(HISTORY).value or ()] == [("remission", None)]


def test_a_relapse_without_an_onset_is_dated_by_its_record() -> None:
    bare = relapse(None, status="remission", recordedDate="2026-01-15", abatementDateTime="2026-04-01")
    past = next(each for each in chart(bare).get(HISTORY).value or () if each.over)
    assert (str(past.when), past.noted, str(past.ended)) == ("2026-01-15", True, "2026-04-01")
