"""APL: told by the fusion of its genes where no diagnosis names it, and by nothing less."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.facts.apl import BY_A_RESULT
from cds_service.facts.disease import APL, DISEASE, Disease
from cds_service.facts.entries import HISTORY
from cds_service.facts.fact import Fact, State, holds
from cds_service.facts.genomics.mutations import FLT3_ITD, NPM1
from cds_service.truth import Truth
from tests.charts import ICD, LAST_WEEK, TODAY, Json, chart, concept, condition, observation
from tests.shapes.genomics import HGNC, coding, part, report

RELAPSED = condition(concept("C92.02", system=ICD), id="aml")
DETECTED, NOT_DETECTED = coding("LA11882-0"), coding("LA11883-8")
REPORT = "51969-4"


def apl(*results: Json, problem: Json = RELAPSED) -> Fact[bool]:
    return chart(problem, *results).get(APL)


def of_test(answer: Json, when: str | None = TODAY, name: str = "o1", **more: Any) -> Json:
    return observation("60588-1", when, name, valueCodeableConcept=answer, **more)


def said(words: str) -> Json:
    return observation(REPORT, valueString=words)


def variant(*genes: str, answer: str = "LA9633-4") -> Json:
    studied = [part("48018-6", valueCodeableConcept=coding(gene, HGNC)) for gene in genes]
    return observation("69548-6", valueCodeableConcept=coding(answer), component=studied)


FOUND = {
    "a test by its code": of_test(DETECTED),
    "a test that names its transcript": observation(
        concept("60588-1", display="t(15;17)(q24.1;q21.1)(PML,RARA) bcr2 fusion transcript [Presence] in Blood"),
        valueCodeableConcept=DETECTED),
    "FISH by its code": observation("77031-3", valueString="positive"),
    "a test by its name": observation({"text": "PML-RARA PCR"}, valueString="positive"),
    "a test by the translocation": observation({"text": "t(15;17) FISH"}, valueCodeableConcept={"text": "Detected"}),
    "a variant of both genes": variant("HGNC:9113", "HGNC:9864"),
    "a variant that lists the fusion": observation("69548-6", valueString="PML::RARA"),
    "a report in words": said("PML::RARA fusion detected. FLT3-ITD not detected."),
    "a report of the translocation": said("t(15;17)(q24;q21) detected; inv(16) not detected"),
    "a report with a slash": said("PML/RARA positive"),
    "a report in Greek letters": said("PML-RARα fusion transcript detected"),
    "a karyotype": observation(REPORT, valueString="46,XX,t(15;17)(q24;q21)[18]/46,XX[2]"),
    "a karyotype with finer bands": observation(REPORT, valueString="47,XY,+8,t(15;17)(q24.1;q21.2)[20]"),
    "a karyotype under a name of the site": observation(
        {"text": "Zytogenetik"}, valueString="46,XY,t(15;17)(q22;q12)[20]"),
    "a karyotype in a sentence": said("Karyotype: 46,XY,t(15;17)(q24;q21)[20]."),
    "FISH as ISCN writes it": said("nuc ish(PML,RARA)x3(PML con RARAx2)[180/200]"),
    "words under a name of the site": observation({"text": "Befund"}, valueString="PML-RARA positive"),
    "the conclusion of a report": report(conclusion="PML::RARA detected", effectiveDateTime=TODAY),
}
OPEN = {
    "a test without an answer": of_test({"text": "see report"}),
    "one that was not done": of_test({"text": "not tested"}),
    "one that is indeterminate": of_test({"text": "indeterminate"}),
    "absent": of_test(NOT_DETECTED),
    "absent in words": said("PML-RARA not detected"),
    "absent among others": said("No inv(16), t(8;21) or t(15;17) detected"),
    "absent after others": said("t(8;21), inv(16), t(15;17): not detected"),
    "absent beside one that was found": said("t(8;21)(q22;q22) detected; no t(15;17)"),
    "absent with another that was found": said("t(8;21) positive, t(15;17) negative"),
    "in a list that is denied": said("no FLT3-ITD, PML-RARA detected"),
    "with a share of zero": said("PML-RARA transcript: 0 % detected"),
    "denied and another found": said("FLT3-ITD detected, PML::RARA not detected"),
    "named only": said("PML::RARA was asked for by the ward"),
    "doubted": said("possible PML::RARA fusion detected"),
    "of the past": said("PML::RARA previously detected"),
    "one gene alone": variant("HGNC:9864"),
    "an absent variant of both": variant("HGNC:9113", "HGNC:9864", answer="LA9634-2"),
    "another translocation": observation(REPORT, valueString="46,XX,t(8;21)(q22;q22)[20]"),
    "other bands": observation(REPORT, valueString="46,XX,t(15;17)(p11;p13)[20]"),
    "an uncertain change in a karyotype": observation(REPORT, valueString="46,XX,?t(15;17)(q24;q21)[2]"),
    "one entered in error": of_test(DETECTED) | {"status": "entered-in-error"},
    "a report that denies it": report(conclusion="PML::RARA not detected", effectiveDateTime=TODAY),
    "PML as a disease": said("PML was detected by MRI"),
}


@pytest.mark.parametrize("shape", FOUND)
def test_the_fusion_tells_apl_with_a_doubt(shape: str) -> None:
    told = apl(FOUND[shape])
    assert (told.value, told.doubts[:1]) == (True, (BY_A_RESULT,))
    assert told.origin is not None


@pytest.mark.parametrize("shape", OPEN)
def test_what_does_not_say_that_it_is_there_changes_nothing(shape: str) -> None:
    told = apl(OPEN[shape])
    assert (told.value, told.sure) == (False, True)


def test_without_a_diagnosis_the_fusion_tells_apl_too() -> None:
    assert apl(of_test(DETECTED), problem=condition({"text": "anaemia"})).value is True


def test_the_disease_stays_what_it_is() -> None:
    assert chart(RELAPSED, of_test(DETECTED)).get(DISEASE).value is Disease.RELAPSED


@pytest.mark.parametrize(("newer", "older", "expected"), [
    (DETECTED, NOT_DETECTED, True), (NOT_DETECTED, DETECTED, False),
    ({"text": "indeterminate"}, DETECTED, True),
])
def test_the_newest_result_decides(newer: Json, older: Json, expected: bool) -> None:
    told = apl(of_test(newer, TODAY, "o1"), of_test(older, LAST_WEEK, "o2"))
    assert told.value is expected


def test_results_of_one_day_that_disagree_leave_it_open() -> None:
    told = apl(of_test(DETECTED), of_test(NOT_DETECTED, name="o2"))
    assert (told.state, holds(told, bool)) == (State.CONFLICTING, Truth.UNKNOWN)


def test_one_breakpoint_that_is_absent_says_nothing_of_the_other() -> None:
    one = observation(concept("60589-9", display="PML-RARA bcr1 fusion transcript"), name="o2",
                      valueCodeableConcept=NOT_DETECTED)
    assert apl(of_test(DETECTED), one).state is State.KNOWN


def test_no_residual_disease_says_nothing_of_the_leukaemia() -> None:
    gone = observation({"text": "PML-RARA MRD"}, valueString="not detected")
    assert apl(gone, of_test(DETECTED, LAST_WEEK, "o2")).value is True


def test_a_negative_result_silences_no_diagnosis() -> None:
    told = apl(of_test(NOT_DETECTED), problem=condition(concept("C92.42", system=ICD)))
    assert (told.value, told.sure) == (True, True)


def test_a_diagnosis_needs_no_doubt_beside_its_result() -> None:
    assert apl(of_test(DETECTED), problem=condition(concept("C92.42", system=ICD))).doubts == ()


def test_a_fusion_that_is_absent_beside_others_leaves_them_as_they_are() -> None:
    facts = chart(said("FLT3-ITD, PML-RARA and NPM1 not detected"))
    assert [fact.value.present for key in (FLT3_ITD, NPM1) if (fact := facts.get(key)).value] == [False, False]


@pytest.mark.parametrize("other", [
    {"system": "http://terminology.hl7.org/CodeSystem/icd-o-3", "code": "9866/3"},
    {"system": "http://snomed.info/sct", "code": "110004001"},
])
def test_two_codes_of_one_entry_that_mean_two_things_are_both_named(other: Json) -> None:
    relapse = {"system": ICD, "code": "C92.02"}
    for codings in ([relapse, other], [other, relapse]):
        facts = chart(condition({"coding": codings}, id="aml"))
        entry, = facts.get(HISTORY).value or ()
        assert entry.words.startswith("Acute myeloblastic leukemia, in relapse (C92.02), Acute promyelocytic leuk")
        assert facts.get(APL).value is True
    alike = {"coding": [relapse, {"system": "http://snomed.info/sct", "code": "91861009"}]}
    entry, = chart(condition(alike, id="aml")).get(HISTORY).value or ()
    assert entry.words == "Acute myeloblastic leukemia, in relapse (C92.02)"
