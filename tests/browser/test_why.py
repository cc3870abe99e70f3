"""Why this card, as a clinician opens it from the EHR: at each width, in both colours, on paper, with hostile text."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest

from tests.browser.conftest import WIDTHS
from tests.calls import flt3_itd, gilteritinib, observation, order, qtcf, request

DAYS = ("2026-09-01", "2026-09-22", "2026-10-14", "2026-11-04", "2026-11-18")


def a_course() -> dict[str, Any]:
    """Gilteritinib for weeks, the QTc rising, potassium falling, posaconazole drafted."""
    ecgs = [qtcf(value, f"{day}T08:00:00Z") for value, day in zip((428, 441, 463, 487, 512), DAYS, strict=True)]
    labs = [
        observation(code, value, unit, f"{day}T07:00:00Z")
        for code, unit, values in (
            ("2823-3", "mmol/L", (4.4, 4.2, 4.0, 3.8, 3.4)), ("2601-3", "mmol/L", (0.9, 0.88, 0.85, 0.8, 0.66)),
            ("6690-2", "10*9/L", (14.2, 6.1, 3.0, 2.4, 2.2)), ("2160-0", "mg/dL", (0.9, 0.9, 1.0, 1.1, 1.1)),
        )
        for value, day in zip(values, DAYS, strict=True)
    ]  # fmt: skip
    active = gilteritinib(authoredOn="2026-09-08")
    past = order("ondansetron 8 MG Oral Tablet", "312086", 16, authoredOn="2026-09-08", id="m-onda")
    draft = order("posaconazole 100 MG Delayed Release Oral Tablet", "1482669", 300, status="draft", id="m-posa")
    return request("order-sign", draft, ecg=ecgs, labs=labs, medications=[active, past], genomics=[flt3_itd(DAYS[0])])


def ask(base: str, body: dict[str, Any], service: str = "aml-order-sign") -> list[dict[str, Any]]:
    """The cards, from the server that runs."""
    sent = urllib.request.Request(
        f"{base}/cds-services/{service}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(sent) as answered:
        return list(json.load(answered)["cards"])


def page_of(card: dict[str, Any]) -> str:
    """Where its reasons are, without the host."""
    return "/why" + str(card["links"][0]["url"]).partition("/why")[2]


@pytest.fixture(scope="module")
def cards(base: str) -> list[dict[str, Any]]:
    return ask(base, a_course())


def test_on_a_phone_every_value_and_every_word_of_a_drawing_lies_within_the_screen(walk, cards):
    card = next(each for each in cards if each["indicator"] == "critical")
    page = walk(page_of(card), "phone").page
    assert not any(each.is_visible() for each in page.locator("svg.plot.wide, svg.plot.small").all())
    drawings = page.locator("svg.plot.narrow").all()
    assert len(drawings) > 1, "QTc, and laboratory values"
    for drawing in drawings:
        points = drawing.locator("circle").all()
        assert len(points) == len(DAYS)
        boxes = [each.bounding_box() for each in (*points, *drawing.locator("text").all())]
        assert all(box["x"] >= 0 and box["x"] + box["width"] <= WIDTHS["phone"] for box in boxes)


def test_the_reasons_of_a_stop_are_drawn_and_stand_in_columns(walk, cards):
    card = next(each for each in cards if each["indicator"] == "critical")
    page = walk(page_of(card)).page
    assert page.locator("h1").inner_text() == "Why this card"
    assert page.locator("svg.plot").first.is_visible()
    table = page.locator("table", has_text="What it read").first
    heads = table.locator("thead th").evaluate_all("all => all.map(each => Math.round(each.getBoundingClientRect().x))")
    cells = table.locator("tbody tr").first.locator("th, td").evaluate_all(
        "all => all.map(each => Math.round(each.getBoundingClientRect().x))"
    )
    assert heads == cells, "each heading stands above its column"


def test_what_would_change_the_answer_is_tried_and_told(walk, cards):
    card = next(each for each in cards if each["indicator"] == "critical")
    page = walk(page_of(card)).page
    told = page.locator("section.ground", has=page.get_by_role("heading", name="QTc against the limit")).first
    assert "QTc 500 ms, measured today: no card from this check" in told.locator(".changes").inner_text()
    assert page.get_by_role("heading", name="What was not seen").is_visible()


@pytest.mark.parametrize(("width", "scheme"), [("desk", "light"), ("panel", "dark")])
def test_a_card_at_relapse_shows_this_patients_path(walk, base, width, scheme):
    body = a_course() | {"hook": "patient-view"}
    body["context"].pop("draftOrders")
    found = next(card for card in ask(base, body, "aml-patient-view") if "Relapsed" in card["summary"])
    page = walk(page_of(found), width, scheme, shot="why-relapse").page
    picture = page.locator("svg.graph:visible")
    assert picture.count() == 1 and picture.locator("g.node.here").count() >= 3
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.get_by_role("link", name="Each step explained").is_visible()


def test_a_link_that_somebody_changed_opens_nothing_and_says_what_to_do(walk, cards):
    page = walk(page_of(cards[0])[:-4] + "0000", gone=True).page
    assert page.locator("h1").inner_text() == "This link opens nothing"
    assert "the new card has a new link" in page.inner_text("main")
