"""A marker that the words of a diagnosis name is not told as "none found", and is no result either."""

from __future__ import annotations

import pytest

from cds_service.facts.disease import APL
from cds_service.facts.fact import State
from cds_service.facts.genomics.ledger import LEDGER
from cds_service.facts.genomics.mutations import FLT3_ITD, FLT3_TKD, IDH1, KMT2A_R, MARKERS, NPM1
from cds_service.gather.replies import Status
from tests.charts import ICD, LAST_WEEK, TODAY, Json, chart, concept, condition, observation

NEGATIVE = observation("79210-1", TODAY, "g1", valueCodeableConcept=concept("LA9634-2"))


def relapse(words: str | None = None, code: str = "C92.02") -> Json:
    return condition(concept(code, system=ICD, text=words), id="c1", onsetDateTime=LAST_WEEK)


@pytest.mark.parametrize(("words", "named"), [
    ("AML with FLT3-ITD mutation, relapsed", {"FLT3-ITD"}), ("AML, FLT3 mutated", {"FLT3-ITD", "FLT3-TKD"}),
    ("Relapsed AML, IDH1 R132C, NPM1 mutated", {"IDH1", "NPM1"}), ("AML, FLT3-ITD negative", {"FLT3-ITD"}),
    ("AML with mutated nucleophosmin", {"NPM1"}), ("AML in relapse", set()), ("AML, PML-RARA negative", set()),
])
def test_a_marker_that_the_diagnosis_names_is_unread_and_decides_nothing(words: str, named: set[str]) -> None:
    facts = chart(relapse(words))
    assert {key.name for key in MARKERS if facts.get(key).state is State.UNREADABLE} == named
    assert all(facts.get(key).value is None for key in MARKERS)
    told = {facts.get(key).why for key in MARKERS if key.name in named}
    assert told <= {f'the diagnosis of {LAST_WEEK[:10]} says "{words}", no result does'}


def test_a_code_without_words_names_what_our_tables_call_it() -> None:
    assert "11q23" in chart(relapse(code="C92.62")).get(KMT2A_R).why


def test_a_result_decides_whatever_the_diagnosis_says() -> None:
    fact = chart(relapse("AML with FLT3-ITD"), NEGATIVE).get(FLT3_ITD)
    assert fact.sure and fact.value is not None and not fact.value.present


def test_another_problem_names_no_marker_of_the_leukaemia() -> None:
    tumour = condition(concept("C71.9", system=ICD, text="Glioma, IDH1 mutated"), id="c2")
    assert chart(relapse(), tumour).get(IDH1).state is State.ABSENT


def test_where_results_were_not_had_that_is_told_first() -> None:
    fact = chart(relapse("AML with NPM1 mutation"), statuses={"genomics": Status.NOT_ASKED}).get(NPM1)
    assert fact.state is State.NOT_ASKED
    assert fact.why.endswith('the diagnosis of 2026-11-13 says "AML with NPM1 mutation", no result does')


def test_it_stands_in_the_ledger_and_apl_is_told_by_the_disease() -> None:
    facts = chart(relapse("AML with FLT3-ITD, PML-RARA negative"))
    line = facts.get(LEDGER).value.of("FLT3-ITD")  # type: ignore[union-attr]
    assert line.words.startswith("FLT3-ITD: hint on 2026-11-13 from Condition/c1 (AML with FLT3-ITD")
    assert facts.get(FLT3_TKD).state is State.ABSENT
    assert not facts.get(APL).value


def test_the_conclusion_of_a_report_goes_before_the_diagnosis_and_the_newest_diagnosis_before_others() -> None:
    concluded = {
        "resourceType": "DiagnosticReport", "id": "r1", "status": "final", "subject": {"reference": "Patient/p1"},
        "code": concept(text="Myeloid panel"), "effectiveDateTime": "2026-11-05", "conclusion": "FLT3-ITD detected",
    }  # fmt: skip
    older = relapse("AML with FLT3-ITD, NPM1 mutated") | {"id": "c0", "onsetDateTime": "2024-02-01"}
    newer = relapse("AML, FLT3-ITD negative, NPM1 negative")
    for problems in ((older, newer), (newer, older)):
        facts = chart(*problems, concluded)
        assert "its conclusion says" in facts.get(FLT3_ITD).why
        assert "NPM1 negative" in facts.get(NPM1).why
