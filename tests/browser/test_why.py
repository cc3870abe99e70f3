"""Why this card, as a clinician opens it from the EHR: at each width, in both colours, on paper, with hostile text."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.calls import flt3_itd, gilteritinib, observation, order, qtcf, request

SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
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


def ask(base: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    """The cards, from the server that runs."""
    sent = urllib.request.Request(
        f"{base}/cds-services/aml-order-sign", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(sent) as answered:
        return list(json.load(answered)["cards"])


def page_of(card: dict[str, Any]) -> str:
    """Where its reasons are, without the host."""
    return "/why" + str(card["links"][0]["url"]).partition("/why")[2]


@pytest.fixture(scope="module")
def cards(base: str) -> list[dict[str, Any]]:
    return ask(base, a_course())


@pytest.mark.parametrize(
    ("width", "scheme"), [("desk", "light"), ("desk", "dark"), ("panel", "light"), ("phone", "dark")]
)
def test_the_reasons_of_a_stop(walk, cards, width, scheme):
    card = next(each for each in cards if each["indicator"] == "critical")
    page = walk(page_of(card), width, scheme, shot="why").page
    assert page.locator("h1").inner_text() == "Why this card"
    assert page.locator("svg.plot").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_the_reasons_on_paper(walk, cards):
    card = next(each for each in cards if each["indicator"] == "critical")
    page = walk(page_of(card)).page
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 760, "height": 1000})
    page.screenshot(path=SHOTS / "why-print.png", full_page=True)
    assert page.locator("svg.plot").first.is_visible()


def test_the_page_of_a_rule_and_a_link_that_ended(walk):
    page = walk("/why/rule/qtcHold", "panel", shot="why-rule").page
    assert "nothing of a patient" in page.content()


def test_hostile_text_from_the_chart_is_shown_as_text(walk, base):
    hostile = "<img src=/none onerror=\"document.title='broken'\">"
    body = a_course()
    body["prefetch"]["patient"]["name"] = [{"text": hostile, "family": hostile}]
    for entry in body["prefetch"]["medications"]["entry"]:
        entry["resource"]["medicationCodeableConcept"]["text"] += hostile
    for entry in body["prefetch"]["conditions"]["entry"]:
        entry["resource"]["code"]["text"] += hostile
    for entry in body["context"]["draftOrders"]["entry"]:
        entry["resource"]["medicationCodeableConcept"]["text"] += hostile
    for card in ask(base, body)[:3]:
        visit = walk(page_of(card))
        assert visit.page.title() != "broken" and visit.page.locator("img").count() == 0
