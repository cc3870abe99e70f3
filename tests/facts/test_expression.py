"""CD33 on the blasts, told by a name where no code helps."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.facts.fact import Fact
from cds_service.facts.genomics.mutations import CD33, Mutation
from tests.charts import TODAY, Json, chart, concept, observation


def cd33(name: str, **value: Any) -> Fact[Mutation]:
    return chart(observation(concept(text=name), TODAY, "flow", **value)).get(CD33)


def outcome(fact: Fact[Mutation]) -> bool | None:
    return fact.value.present if fact.value else None

NAMES = ["CD33", "CD33 expression", "CD33 on blasts (flow cytometry)", "CD-33 antigen, bone marrow"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("words", "present"), [("negative", False), ("Not detected", False), ("Positive, 90%", True)])
def test_a_spoken_answer_under_a_name_is_read(name: str, words: str, present: bool) -> None:
    assert outcome(cd33(name, valueString=words)) is present


@pytest.mark.parametrize(
    ("value", "present"),
    [
        ({"valueQuantity": {"value": 85, "unit": "%"}}, True),
        ({"valueQuantity": {"value": 0, "unit": "%"}}, False),
        ({"valueString": "85 %"}, True),
        ({"valueString": "0 %"}, False),
    ],
)
def test_a_share_of_the_blasts_is_read(value: Json, present: bool) -> None:
    fact = cd33("CD33 positive blasts", **value)
    assert outcome(fact) is present
    assert not [doubt for doubt in fact.doubts if "all cells" in doubt]


@pytest.mark.parametrize(("words", "share"), [
    ("Positive (5% of blasts)", "5"), ("positive in 12.5 % of blasts", "12.5"), ("positive on 10-20% of blasts", "10"),
    ("CD33 positive, >90%", "90"), ("5 percent positive", "5"), ("Positive", None), ("Positive (bright)", None),
])
def test_a_positive_in_words_keeps_the_share_that_they_state(words: str, share: str | None) -> None:
    fact = cd33("CD33 on blasts (flow cytometry)", valueString=words)
    assert outcome(fact) is True and fact.sure and fact.value is not None
    told = fact.value.results[0].share
    assert (str(told.value) if told else None) == share


@pytest.mark.parametrize("words", [
    "CD33 positive; blasts 70%", "5% blasts; CD33 positive", "positive; blast count 5 %", "positive, viability 90%",
    "positive 85±5%", "positive, 5% of nucleated cells", "positive, MRD 0.1 %", "positive 90%/80%", "positive, 300%",
])
def test_a_percentage_that_may_be_of_something_else_is_a_doubt_and_no_share(words: str) -> None:
    fact = cd33("CD33 on blasts (flow cytometry)", valueString=words)
    assert outcome(fact) is True and not fact.sure and fact.value is not None
    assert fact.value.results[0].share is None


def test_a_cut_off_is_no_share() -> None:
    fact = cd33("CD33 on blasts (flow cytometry)", valueString="positive (cut-off 20%)")
    assert outcome(fact) is True and fact.sure and fact.value is not None and fact.value.results[0].share is None


@pytest.mark.parametrize("words", [
    "positive (<20%)", "positiv (unter 5%)", "positive in max. 5%", "positive in less than 5 % of blasts",
])
def test_a_positive_in_words_with_an_upper_bound_alone_decides_nothing(words: str) -> None:
    assert outcome(cd33("CD33 on blasts", valueString=words)) is None


def test_a_positive_share_of_none_is_negative_and_several_shares_are_a_doubt() -> None:
    assert outcome(cd33("CD33 on blasts", valueString="0% positive")) is False
    assert not cd33("CD33 on blasts", valueString="positive: 60 % of blasts, 5 % of lymphocytes").sure


@pytest.mark.parametrize(("words", "present"), [
    ("expressed", True), ("Not expressed", False), ("CD33 expressed on blasts", True),
    ("not expressed on the blasts", False), ("weakly expressed", None), ("expressed?", None),
])
def test_expressed_is_positive_where_nothing_else_is_said(words: str, present: bool | None) -> None:
    assert outcome(cd33("CD33 on blasts", valueString=words)) is present


def test_a_share_of_nothing_named_may_be_one_of_all_cells() -> None:
    fact = cd33("CD33", valueQuantity={"value": 40, "unit": "%"})
    assert any("all cells" in doubt for doubt in fact.doubts)


@pytest.mark.parametrize("name", ["anti-CD33 therapy", "CD33/CD34", "CD333", "CD33 SNP rs12459419", "MRD CD33", "CD34"])
def test_a_name_that_says_more_is_not_read(name: str) -> None:
    assert outcome(cd33(name, valueString="positive")) is None


def test_cells_left_after_treatment_tell_nothing_of_the_blasts() -> None:
    part = {"code": concept(text="CD33"), "valueString": "negative"}
    panel = observation(concept(text="Measurable residual disease by flow cytometry"), TODAY, "mrd", component=[part])
    assert outcome(chart(panel).get(CD33)) is None


def test_a_panel_that_names_it_in_a_component_is_read() -> None:
    part = {"code": concept(text="CD33 on blasts"), "valueQuantity": {"value": 92, "unit": "%"}}
    panel = observation(concept(text="Leukaemia immunophenotyping"), TODAY, "flow", component=[part])
    assert outcome(chart(panel).get(CD33)) is True
