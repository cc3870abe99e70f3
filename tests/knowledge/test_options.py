"""Every option stands on the inventory of therapies, names drugs that are checked, and has its status and evidence."""

from __future__ import annotations

import shutil
from datetime import date

import pytest

from cds_service.errors import KnowledgeError
from cds_service.knowledge import topics
from cds_service.knowledge.load import HOME, Knowledge
from cds_service.knowledge.model import Verification
from cds_service.knowledge.therapies import Kind

KNOWLEDGE = Knowledge.load()
OPTIONS = KNOWLEDGE.options.values()
DAY = date(2026, 11, 21)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.id)
def test_an_option_stands_on_the_inventory_and_on_drugs_that_are_checked(option):
    assert set(option.drugs) <= set(KNOWLEDGE.drugs)
    assert {option.given, option.not_given} - {""} <= set(KNOWLEDGE.courses)


@pytest.mark.parametrize("place", ["US", "EU"])
@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.id)
def test_an_option_says_where_it_stands_and_on_what_evidence(option, place):
    snapshot = KNOWLEDGE.at(DAY, place)
    status = snapshot.find(topics.OPTION_STATUS, option.about)
    assert status is not None
    assert not status.foreign
    assert snapshot.find(topics.OPTION_EVIDENCE, option.about) is not None


@pytest.mark.parametrize("place", ["US", "EU"])
@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.id)
def test_an_approval_for_relapse_is_the_one_of_the_inventory(option, place):
    status = KNOWLEDGE.at(DAY, place).find(topics.OPTION_STATUS, option.about)
    standing = KNOWLEDGE.therapies[option.therapy].standing(place)
    assert (status.value.kind is Kind.APPROVED_RR) == (standing.kind.value == Kind.APPROVED_RR.value)


@pytest.mark.parametrize(("file", "old", "new", "reason"), [
    ("options.yaml", "evidence: [quantum-r-survival]", "evidence: [quantum-r-survivel]",
     "quizartinib: no evidence 'quantum-r-survivel' to be shown in 'quizartinib' and its kin"),
    ("options.yaml", "evidence: [quantum-r-survival]", "evidence: [hidac-all]", "no evidence 'hidac-all'"),
    ("options.yaml", "evidence: [quantum-r-survival]", "evidence: []", "quizartinib: no evidence ''"),
    ("therapies/flt3.yaml", "{id: quantum-r-survival, ", "{id: quantum-r-survival, hide: true, ",
     "no evidence 'quantum-r-survival' to be shown"),
    ("options.yaml", "high_dose: cytarabine", "high_dose: cytarabin", "high_dose: 'cytarabin' is none of its drugs"),
    ("options.yaml", "therapy: ivosidenib\n", "therapy: ivosidenip\n", "there is no therapy 'ivosidenip'"),
])
def test_an_option_stands_on_evidence_that_is_there_is_its_own_and_may_be_shown(tmp_path, file, old, new, reason):
    home = tmp_path / "knowledge"
    shutil.copytree(HOME, home)
    text = (home / file).read_text(encoding="utf-8")
    assert old in text
    (home / file).write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(KnowledgeError) as refused:
        Knowledge.load(home)
    assert reason in str(refused.value)


@pytest.mark.parametrize(("option", "line"), [
    ("gilteritinib", "phase III, n = 371: at 120 mg daily survival 9.3 v 5.6 months with salvage chemotherapy,"
     " CR 21.1 v 10.5 %, CR/CRh 34.0 v 15.3 %"),
    ("revumenib-kmt2a", "phase I/II, n = 104: CR/CRh 21.2 %, median duration 6.4 months"),
    ("ham", "phase II, n = 44: CR 36 %; phase I/II, n = 40: CR 53 % (21 of 40)"),
    ("clofarabine-cytarabine", "phase II, n = 21: CR 43 %; 35-51 % over series"),
    ("mec", "phase II, n = 32: CR 66 % (n=32; far lower in control arms of later trials)"),
    ("donor-lymphocytes", "effective in some; no rate is given"),
])
def test_a_line_of_evidence_is_made_of_the_entries_that_it_names(option, line):
    said = KNOWLEDGE.at(DAY, "US").find(topics.OPTION_EVIDENCE, f"option {option}")
    assert said is not None
    assert said.value == line


def test_a_line_is_as_sure_as_the_least_sure_of_its_entries_and_names_every_source():
    said = KNOWLEDGE.at(DAY, "US").find(topics.OPTION_EVIDENCE, "option azacitidine-after-hsct")
    assert said is not None
    assert said.verification is Verification.SECONDARY
    assert [each.reference.id for each in said.sources] == ["ma-ge-2021", "hma-after-hsct-151", "hma-after-hsct-204"]


def test_an_entry_of_evidence_is_named_once():
    names = [entry.id for each in KNOWLEDGE.therapies.values() for entry in each.evidence if entry.id]
    assert len(names) == len(set(names))


def test_no_figure_that_errata_hide_stands_in_an_option():
    words = " ".join(str(s.value) for s in KNOWLEDGE.statements if s.topic == topics.OPTION_EVIDENCE.name)
    for hidden in ("47.7", "76 %", "20.2", "17.5 months", "73 %", "13 %", "56.5", "38 %"):
        assert hidden not in words
