"""Words in a script that is not read: a Latin name among them is found, what they say of it is a doubt."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.facts.disease import APL, RELAPSE
from cds_service.facts.entries import ONLY_A_SCRIPT, PROBLEMS
from cds_service.knowledge.words import is_of_unread_script
from tests.calls import ELECTROLYTES, RELAPSED, SUBJECT, cards, flt3_itd, gilteritinib, order, qtcf
from tests.charts import chart, terms

LAST = "2026-11-10"


def problem(words: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Condition", "id": "c-words", "clinicalStatus": {"coding": [{"code": "active"}]},
            "code": {"text": words}, "subject": SUBJECT, "recordedDate": LAST} | more  # fmt: skip


def allergy(words: str) -> dict[str, Any]:
    return {"resourceType": "AllergyIntolerance", "id": "a-words", "code": {"text": words}, "patient": SUBJECT,
            "clinicalStatus": {"coding": [{"code": "active"}]}}  # fmt: skip


def told(*drafts: dict[str, Any], **chart: Any) -> list[dict[str, Any]]:
    return cards("order-sign", *drafts, **({"genomics": [flt3_itd(LAST)], "labs": ELECTROLYTES} | chart))


@pytest.mark.parametrize(("words", "unread"), [
    ("αβ T-cell depleted", False), ("TCR-αβ/CD19", False), ("ΔΔ", False), ("10¹²/L", False), ("½¼", False),
    ("₂₃", False), ("①②", False), ("℃℉", False), ("・AML", False), ("β", False), ("№", False), ("ⅠⅡ", False),
    ("λευχαιμία", True), ("не", True), ("高", True), ("αβ 高", True), ("급성", True), ("नहीं", True), ("αβγδ", True),
    ("ΟΜΛ", True), ("ΟΠΛ (2025)", True), ("αβγ T cells", False),
])
def test_greek_letters_of_a_name_and_what_is_no_letter_are_no_unread_script(words: str, unread: bool) -> None:
    assert is_of_unread_script(words) is unread


@pytest.mark.parametrize("words", ["αβ T-cell depleted allogeneic HSCT", "TCR-αβ depleted allogeneic HSCT"])
def test_a_graft_without_its_alpha_beta_cells_is_a_graft(words: str) -> None:
    graft = {"resourceType": "Procedure", "id": "p-words", "status": "completed", "code": {"text": words},
             "subject": SUBJECT, "performedDateTime": "2026-01-01"}  # fmt: skip
    found = str(cards("patient-view", procedures=[graft], genomics=[flt3_itd(LAST)], labs=ELECTROLYTES))
    assert ("no allogeneic transplantation" in found, "a script not read" in found) == (False, False)


@pytest.mark.parametrize(("words", "drug"), [
    ("XOSPATA錠40mg", "gilteritinib"), ("Gilteritinib錠40mg「AST」", "gilteritinib"),
    ("gilteritinib片", "gilteritinib"), ("VANFLYTA錠17.7mg", "quizartinib"), ("gilteritinib정", "gilteritinib"),
    ("注射用cytarabine", "cytarabine"),
])
def test_a_latin_name_among_letters_without_spaces_is_that_drug(words: str, drug: str) -> None:
    assert terms().drug_names.find_all(words) == (drug,)


def test_a_regimen_before_a_japanese_word_is_that_regimen() -> None:
    assert terms().regimens.find_all("FLAG-IDA療法") == terms().regimens.find_all("FLAG-IDA")


@pytest.mark.parametrize("words", ["gilteritinibum", "xgilteritinib", "ΔQTcF", "антиgilteritinib"])
def test_a_letter_of_a_script_with_spaces_makes_another_word(words: str) -> None:
    assert terms().drug_names.find_all(words) == ()


def test_a_japanese_product_is_held_by_the_qtc() -> None:
    found = told(order("XOSPATA錠40mg", status="draft"), ecg=[qtcf(520)])
    assert found[0]["summary"].startswith("QTcF 520 ms")


def test_a_partner_before_a_japanese_word_is_found() -> None:
    partner = order("voriconazole錠200mg")
    assert any("Voriconazole" in each["summary"] for each in told(gilteritinib(status="draft"), medications=[partner]))


@pytest.mark.parametrize("words", ["APL疑い", "APL 疑い"])
def test_a_diagnosis_beside_words_that_are_not_read_is_not_certain(words: str) -> None:
    found = cards("patient-view", conditions=[RELAPSED, problem(words)], ecg=[qtcf(430)], labs=ELECTROLYTES)
    (card,) = [each for each in found if "promyelocytic" in each["summary"]]
    assert "partly in a script not read, not certain" in card["detail"]


def test_a_coded_diagnosis_stays_certain_beside_a_translation() -> None:
    coding = {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "C92.02", "display": "AML in relapse"}
    coded = problem("", code={"coding": [coding], "text": "急性骨髄性白血病 再発 AML"})
    found = told(gilteritinib(status="draft"), conditions=[coded], ecg=[qtcf(430)])
    assert "a script not read" not in str(found)


def test_an_allergy_beside_words_that_are_not_read_is_told_with_a_doubt() -> None:
    found = told(gilteritinib(status="draft"), allergies=[allergy("Xospata錠")], ecg=[qtcf(430)])
    (card,) = [each for each in found if "Allergy" in each["summary"]]
    assert "partly in a script not read" in card["detail"]


UNREAD = "some are in a script that is not read"
NOT_READ = ["急性骨髄性白血病 再発", "QT延長症候群", "妊娠", "급성 골수성 백혈병", "острый миелоидный лейкоз",
            "QT延長 relapse"]  # fmt: skip


@pytest.mark.parametrize("words", NOT_READ)
def test_a_condition_that_is_not_read_is_a_gap_in_one_line(words: str) -> None:
    several = [problem(words, id=f"c-{number}") for number in range(5)]
    found = told(gilteritinib(status="draft"), conditions=[RELAPSED, *several], ecg=[qtcf(430)])
    assert str(found).count(UNREAD) == 1


@pytest.mark.parametrize("entry", [
    problem("高血圧症 (hypertension)"),
    problem("", code={"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "I10"}], "text": "高血圧症"}),
    problem("高血圧症", verificationStatus={"coding": [{"code": "entered-in-error"}]}),
    problem("hypertension β"),
])
def test_a_condition_that_is_told_to_be_another_is_no_gap(entry: dict[str, Any]) -> None:
    assert UNREAD not in str(told(gilteritinib(status="draft"), conditions=[RELAPSED, entry], ecg=[qtcf(430)]))


def test_no_aml_is_denied_where_a_diagnosis_was_not_read() -> None:
    found = str(told(gilteritinib(status="draft"), conditions=[problem("急性骨髄性白血病 再発")], ecg=[qtcf(430)]))
    assert UNREAD in found
    assert "no AML" not in found
    assert "no relapse on record" not in found


def test_an_entry_that_is_not_read_takes_no_card_of_a_relapse_that_is_coded_away() -> None:
    alone, beside = (
        cards("patient-view", conditions=conditions, genomics=[flt3_itd(LAST)], labs=ELECTROLYTES, ecg=[qtcf(430)])
        for conditions in ([RELAPSED], [RELAPSED, problem("高血圧")])
    )
    titles = [{each["summary"].partition(":")[0] for each in found} for found in (alone, beside)]
    assert titles[0] <= titles[1]
    assert "Acute promyelocytic leukaemia" not in str(beside)


def test_a_suspected_aml_leaves_apl_open_beside_an_entry_that_is_not_read() -> None:
    suspected = problem("suspected relapse of AML", id="c-other")
    facts = chart(suspected, problem("高血圧"))
    assert facts.get(APL).doubts == facts.get(PROBLEMS).doubts == (ONLY_A_SCRIPT,)
    facts = chart(RELAPSED, problem("高血圧"))
    assert (facts.get(APL).value, facts.get(APL).doubts) == (False, ())
    assert (facts.get(RELAPSE).doubts, facts.get(PROBLEMS).doubts) == ((), (ONLY_A_SCRIPT,))


@pytest.mark.parametrize(("status", "read"), [("completed", False), ("not-done", True), ("entered-in-error", True)])
def test_a_procedure_that_is_not_read_may_be_a_transplantation(status: str, read: bool) -> None:
    graft = {"resourceType": "Procedure", "id": "p-words", "status": status, "code": {"text": "同種造血幹細胞移植"},
             "subject": SUBJECT, "performedDateTime": "2026-01-01"}  # fmt: skip
    found = str(cards("patient-view", procedures=[graft], genomics=[flt3_itd(LAST)], labs=ELECTROLYTES))
    assert ("no allogeneic transplantation on record" in found, UNREAD in found) == (read, not read)


@pytest.mark.parametrize(("words", "read"), [
    ("ゾスパタ", False), ("薬物アレルギー: ゾスパタ", False), ("drug allergy: ゾスパタ", False),
    ("卵 (egg white)", True), ("penicillin", True),
])
def test_an_allergy_that_is_not_read_is_a_gap(words: str, read: bool) -> None:
    entries = [allergy(words), allergy(words) | {"id": "a-other"}]
    found = str(told(gilteritinib(status="draft"), allergies=entries, ecg=[qtcf(430)]))
    assert found.count("in a script that is not read") == (0 if read else 1)
