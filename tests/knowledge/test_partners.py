"""What the interaction tables say of other drugs fits what the rules ask, and every word has its list."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.knowledge import topics
from cds_service.knowledge.load import Knowledge
from cds_service.knowledge.model import Statement, Topic
from cds_service.rules.interactions.inhibitor_dose import LIGHTER
from cds_service.rules.interactions.intake import ACID_CLASSES
from cds_service.rules.interactions.partners import STRONG

KNOWLEDGE = Knowledge.load()
ON_CYP3A = {
    *(f"{strength} {way}" for strength in ("strong", "moderate", "weak") for way in ("inhibitor", "inducer")),
    "inhibitor of unstated strength",
}
ON_PGP = {"inhibitor", "weak inhibitor", "inducer", "substrate"}
EFFECTS = [(name, each) for name, drug in KNOWLEDGE.precipitants.items() for each in drug.statements]
KINDS = {each.topic for _, each in EFFECTS}


def said(topic: Topic[Any]) -> list[Statement[Any]]:
    return [each for each in KNOWLEDGE.statements if each.topic == topic.name]


@pytest.mark.parametrize(("kind", "known"), [("cyp3a", ON_CYP3A), ("pgp", ON_PGP), ("acid", set(ACID_CLASSES))])
def test_every_effect_is_one_that_the_rules_ask_about(kind, known):
    assert not [(name, each.value) for name, each in EFFECTS if each.topic == kind and each.value not in known]


def test_every_effect_names_its_list_and_where_it_stands_there():
    assert not [each.id for _, each in EFFECTS for citation in each.sources if not citation.at or not citation.says]


def test_what_is_only_remembered_says_so():
    recalled = [each for _, each in EFFECTS if any(c.reference.id == "project-recall" for c in each.sources)]
    assert not [each.id for each in recalled if each.verification.value not in ("recalled", "policy")]


def test_creams_drops_and_sprays_are_not_systemic():
    azoles = ("ketoconazole", "clotrimazole", "itraconazole")
    local = {"topical", "ophthalmic/otic", "inhaled/nasal", "vaginal/rectal/intrauterine"}
    assert not [name for name in azoles if local & KNOWLEDGE.precipitants[name].routes]


def test_what_a_label_names_is_known_among_the_partners():
    named = [(each.id, name) for each in said(topics.CONTRAINDICATED_WITH) for name in each.value]
    named += [(each.id, each.qualifier) for each in said(topics.COUNTS_AS)]
    named += [(each.id, each.qualifier) for each in said(topics.AFFECTS) if each.qualifier not in KINDS]
    assert not [pair for pair in named if pair[1] not in KNOWLEDGE.precipitants]


def test_what_is_taken_apart_is_one_of_our_drugs():
    assert {each.qualifier for each in said(topics.TAKE_APART)} <= set(KNOWLEDGE.drugs)


def test_what_is_forbidden_says_why():
    why = {(each.about, each.qualifier) for each in said(topics.CONTRAINDICATED_WHY)}
    assert {(each.about, each.qualifier) for each in said(topics.CONTRAINDICATED_WITH)} == why


def test_a_dose_beside_an_inhibitor_has_its_words_its_limit_and_its_way_back():
    drugs = {each.about for each in said(topics.DOSE_BESIDE_INHIBITOR)}
    assert {each.about for each in said(topics.CEILING_BESIDE_INHIBITOR) if each.qualifier == STRONG} == drugs
    assert drugs <= {each.about for each in said(topics.RETURN_WORDS)}
    by_weight = {each.about for each in said(topics.DOSE_WEIGHT_FROM)}
    assert by_weight == {each.about for each in said(topics.DOSE_BESIDE_INHIBITOR) if each.qualifier == LIGHTER}


@pytest.mark.parametrize("topic", [
    topics.TRIAL_COMBINATION_WITH, topics.NOT_INTERCHANGEABLE_WITH, topics.CONDITIONING_DRUGS,
    topics.QT_NAMED_PARTNERS, topics.CONTRAINDICATED_WITH, topics.COUNTS_AS_PGP,
], ids=lambda topic: topic.name)  # fmt: skip
def test_every_drug_that_a_source_names_beside_another_is_known_by_name(topic):
    known = KNOWLEDGE.terms.known_drugs
    assert said(topic)
    assert not [(each.id, name) for each in said(topic) for name in each.value if name not in known]
