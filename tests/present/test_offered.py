"""A test is offered once in an answer, by the first card that is shown."""

from cards.detail import Detail
from cards.model import Action, Card, Coding, Source, Suggestion
from cds_service.present.offered import offered_once
from tests.calls import ELECTROLYTES, cards, gilteritinib, observation, qtcf

RUNNING = gilteritinib(authoredOn="2026-09-01")
SOURCE = Source("aml-cds", "https://example.org", Coding("https://example.org/topics", "x", "x"))
OLD = "2026-10-01T08:00:00Z"


def offers(found):
    return [each["label"] for card in found for each in card.get("suggestions", ())]


def gap_of(found):
    return next(card for card in found if card["summary"].startswith(("Not checked", "What this check")))


def test_what_is_overdue_and_unseen_is_offered_once():
    for hook, drafts in (("patient-view", ()), ("order-sign", (gilteritinib(status="draft", id="d1"),))):
        for old in ((), (observation("1920-8", 20, "U/L", OLD), observation("2823-3", 4.2, "mmol/L", OLD))):
            found = cards(hook, *drafts, medications=[RUNNING], labs=[*old])
            assert sorted(set(offers(found))) == sorted(offers(found))
            assert {"Order a 12-lead ECG", "Order AST", "Order potassium"} <= set(offers(found))
            assert "Offered on another card here: a 12-lead ECG" in gap_of(found)["detail"]


def test_the_card_of_gaps_keeps_what_no_other_card_offers():
    found = cards("order-sign", gilteritinib(status="draft"))
    assert {"Order a 12-lead ECG", "Order potassium"} <= {each["label"] for each in gap_of(found)["suggestions"]}
    assert "Offered on another card" not in gap_of(found)["detail"]


def test_the_more_urgent_card_keeps_the_offer():
    found = cards("patient-view", medications=[RUNNING], ecg=[qtcf(430)], labs=ELECTROLYTES)
    first = next(card for card in found if "Order ALT" in offers([card]))
    assert first["indicator"] == "warning"
    assert gap_of(found)["indicator"] == "info"
    assert "suggestions" not in gap_of(found) and "overrideReasons" not in gap_of(found)


def test_of_two_overdue_panels_each_keeps_its_own():
    found = cards("patient-view", medications=[RUNNING])
    assert [len(card.get("suggestions", ())) > 0 for card in found[:3]] == [True, True, True]


def card(uuid, *labels, selection="any"):
    made = tuple(
        Suggestion(label, f"{uuid}-{label}", (Action("create", label, resource={"a": 1}, order=label.lower()),))
        for label in labels
    )
    return Card(uuid, "A summary", "warning", Detail(()), SOURCE, made, selection)


def test_a_card_of_which_one_suggestion_is_chosen_leaves_the_test_to_another():
    choosing, free = card("1", "Order ECG", "Lower the dose", selection="at-most-one"), card("2", "Order ECG")
    first, second = offered_once((choosing, free))
    assert [each.label for each in first.suggestions] == ["Lower the dose"]
    assert [each.label for each in second.suggestions] == ["Order ECG"]
    assert offered_once((choosing,)) == (choosing,)
