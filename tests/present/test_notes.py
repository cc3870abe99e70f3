"""Lines without a card of their own share one, and its summary says what the first of them is about."""

from __future__ import annotations

from tests.calls import ELECTROLYTES, cards, observation, order, qtcf


def test_a_card_of_several_lines_is_named_by_the_first() -> None:
    draft, taken = order("foscarnet", status="draft"), order("ivosidenib", mg=500)
    found = cards("order-sign", draft, medications=[taken], ecg=[qtcf(420)], labs=ELECTROLYTES)
    (card,) = [each for each in found if "QT added up" in each["detail"]]
    assert card["summary"] == "Foscarnet (draft) lowers potassium and magnesium, with ivosidenib (and 1 more)"
    assert card["detail"].count("Electrolytes with ivosidenib") == 1


def test_a_line_that_begins_with_what_was_seen_has_its_headline() -> None:
    draft, taken = order("revumenib 110 MG Oral Tablet", mg=320, status="draft"), order("clarithromycin", mg=1000)
    found = cards("order-sign", draft, medications=[taken], ecg=[qtcf(420)], labs=ELECTROLYTES)
    (card,) = [each for each in found if each["summary"].startswith("Starting revumenib")]
    before, _ = card["detail"].split("**Seen:** clarithromycin")
    assert before.rstrip().splitlines()[-1].startswith("**Clarithromycin")


def test_a_note_is_named_by_what_weighs_more_than_contraception() -> None:
    counts = [observation(code, 90, "10*9/L", "2026-11-20T08:00:00Z") for code in ("6690-2", "777-3")]
    male = {"resourceType": "Patient", "id": "p1", "birthDate": "1960-01-01", "gender": "male"}
    found = cards("order-sign", order("Onureg 300 mg tablet", mg=300, status="draft"), labs=counts, patient=male)
    (note,) = [card for card in found if "**Contraception:**" in card["detail"]]
    assert note["summary"] == "Azacitidine in relapse: off-label (and 1 more)"


def test_nor_is_it_named_by_food() -> None:
    counts = [observation(code, 90, "10*9/L", "2026-11-20T08:00:00Z") for code in ("6690-2", "777-3")]
    chart = {"labs": [*ELECTROLYTES, *counts], "ecg": [qtcf(420)]}
    drafts = (order("midostaurin 25 mg", status="draft"), order("cytarabine", status="draft"))
    found = cards("order-sign", *drafts, **chart)
    (note,) = [card for card in found if "taken with food" in card["detail"]]
    assert note["summary"].startswith("Midostaurin in relapse: off-label")


def test_how_long_a_response_may_take_is_no_part_of_a_card_that_stops_the_start() -> None:
    draft = order("gilteritinib 40 MG Oral Tablet", "2105811", 120, status="draft")
    stopped = cards("order-sign", draft, ecg=[qtcf(512)], labs=ELECTROLYTES)
    assert "critical" in [card["indicator"] for card in stopped]
    assert not [card for card in stopped if "A response may take" in card["detail"]]
    free = cards("order-sign", draft, ecg=[qtcf(420)], labs=ELECTROLYTES)
    (start,) = [card for card in free if "A response may take" in card["detail"]]
    assert start["summary"].startswith("Starting gilteritinib")
