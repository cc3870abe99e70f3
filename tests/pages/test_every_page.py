"""What holds of every page: none is forgotten, each has its twin, each is fast, and no text of a chart is markup."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask

from tests.calls import ELECTROLYTES, flt3_itd, gilteritinib, observation, order, qtcf, request
from tests.pages.every_page import CARDS, NO_PAGES, PAGES, SHOW_A_CHART, Opened, opened, routes

SIGN = "/cds-services/aml-order-sign"
WARM = 0.1  # seconds of our own computing: what else the machine does is not counted
NASTY = '<img src=x onerror=alert(1)>"\'><script>alert(2)</script>'
_SAID = ("text", "display", "family", "given", "unit", "title", "description", "note", "value", "div", "valueString",
         "lastName", "comment", "patientInstruction", "line", "city", "version", "label")  # fmt: skip

Serve = Callable[..., Flask]


def a_call(change: Callable[[Any], Any] = lambda body: body) -> dict[str, Any]:
    """A call with a bit of everything: a stop, an interaction, a course of ECGs and labs, a marker, a gap."""
    active = gilteritinib(authoredOn="2026-10-20")
    draft = order("posaconazole 100 MG Delayed Release Oral Tablet", "1482669", 300, status="draft", id="m-posa")
    ecgs = [qtcf(512), qtcf(441, "2026-10-20T08:00:00Z")]
    labs = [*ELECTROLYTES, observation("2823-3", 3.1, "mmol/L", "2026-11-01T08:00:00Z")]
    marker = flt3_itd("2026-11-05T08:00:00Z")
    body = request("order-sign", draft, ecg=ecgs, labs=labs, medications=[active], genomics=[marker])
    return dict(change(json.loads(json.dumps(body))))


def nasty(value: Any, name: str = "") -> Any:
    """The same with NASTY in every text that a human wrote; codes, ids, dates and references stay what they are."""
    if isinstance(value, dict):
        return {key: nasty(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [nasty(each, name) for each in value]
    return f"{value} {NASTY}" if isinstance(value, str) and name in _SAID else value


def named_nastily(body: dict[str, Any]) -> dict[str, Any]:
    """Every text of the call is hostile, and the patient says so in every field that a patient has."""
    made: dict[str, Any] = nasty(body)
    made["prefetch"]["patient"] |= {
        "name": [{"text": NASTY, "family": NASTY, "given": [NASTY], "prefix": [NASTY]}],
        "identifier": [{"system": "http://hospital.example/mrn", "value": NASTY}],
        "address": [{"text": NASTY, "line": [NASTY], "city": NASTY}],
        "contact": [{"name": {"text": NASTY}, "relationship": [{"text": NASTY}]}],
        "maritalStatus": {"text": NASTY},
        "text": {"status": "generated", "div": f"<div xmlns='http://www.w3.org/1999/xhtml'>{NASTY}</div>"},
    }
    return made


def cards_of(app: Flask, body: dict[str, Any]) -> list[dict[str, Any]]:
    """The cards of this call, which is kept when the answer has gone out."""
    answered = app.test_client().post(SIGN, json=body)
    answered.close()
    return list(answered.get_json()["cards"])


@pytest.fixture
def app(served: Serve) -> Flask:
    return served(METRICS="on")


def test_every_route_is_entered_as_a_page_or_says_why_it_is_none(app):
    assert PAGES.keys() | NO_PAGES.keys() == routes(app)
    assert not PAGES.keys() & NO_PAGES.keys() and PAGES.keys() >= SHOW_A_CHART


def test_every_page_has_one_heading_a_way_past_the_navigation_and_nothing_inline(app):
    for page in opened(cards_of(app, a_call())):
        answered = app.test_client().get(page.path)
        assert answered.status_code == (404 if page.name == "why-gone" else 200), page.name
        assert answered.mimetype == "text/html", page.name
        html = answered.text
        assert len(re.findall(r"<h1[ >]", html)) == 1, page.name
        assert 'class="skip" href="#main"' in html and '<main id="main">' in html, page.name
        assert re.search(r"<title>[^<]+ · aml-cds</title>", html), page.name
        assert not re.search(r"<(script|link|img)[^>]+(src|href)=[\"'](https?:)?//", html), page.name
        assert not re.search(r"<script(?![^>]*\ssrc=)", html), page.name
        assert not re.search(r"<[^>]*\s(on\w+|style)=", html), page.name


def test_every_page_has_its_twin_by_address_and_by_what_the_client_accepts(app):
    for page in opened(cards_of(app, a_call())):
        by_address = app.test_client().get(page.twin)
        accepted = app.test_client().get(page.path, headers={"Accept": "application/json"})
        assert by_address.mimetype == accepted.mimetype == "application/json", page.name
        assert by_address.get_json().keys() == accepted.get_json().keys(), page.name
        assert by_address.headers["X-Content-Type-Options"] == "nosniff", page.name


def _fastest(app: Flask, path: str) -> float:
    """Seconds of computing for this address from warm, the best of three."""
    client, taken = app.test_client(), []
    client.get(path)
    for _ in range(3):
        begin = time.process_time()
        client.get(path)
        taken.append(time.process_time() - begin)
    return min(taken)


def test_every_page_and_twin_answers_in_under_100_ms_from_warm(app):
    slow = {
        path: f"{seconds * 1000:.0f} ms"
        for page in opened(cards_of(app, a_call()))
        for path in (page.path, page.twin)
        if (seconds := _fastest(app, path)) >= WARM * float(os.environ.get("SLOWER", "1"))
    }
    assert slow == {}


class _Elements(HTMLParser):
    """What a browser would make of a page: each element with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def _is_harmless(html: str) -> bool:
    """No picture, no script but our own files, nothing that runs by itself: what was sent in is text."""
    return not any(
        tag in ("img", "iframe", "object", "embed", "base")
        or (tag == "script" and not (attributes.get("src") or "").startswith("/"))
        or any(name.startswith("on") or name in ("style", "srcdoc") for name in attributes)
        for tag, attributes in _Elements(html).found
    )


def test_no_text_of_a_chart_is_markup_on_any_page(app):
    cards = cards_of(app, a_call(named_nastily))
    assert {"critical", "warning"} <= {card["indicator"] for card in cards}, "the call is still read"
    shown = set()
    for page in opened(cards):
        html = app.test_client().get(page.path).text
        assert _is_harmless(html), page.name
        if "onerror=alert(1)" in html:
            shown.add(page.name.partition("-")[0])
    assert shown == {"why"}, "the attack is shown, as text, and on no page but that of the card"


def test_an_attack_in_an_address_stays_text(app):
    """What is asked for by hand: words to find, names, days."""
    asked = {
        "knowledge.index": "/knowledge?q={0}&drug={0}&topic={0}", "knowledge.subject": "/knowledge/{0}",
        "knowledge.rule": "/knowledge/rules/{0}", "evidence.index": "/evidence?options={0}&therapies={0}",
        "pathway.index": "/pathway?lit={0}:here", "governance.look": "/governance?weeks={0}&rule={0}&tenant={0}",
        "why.rule": "/why/rule/{0}", "why.card": "/why/{0}?key={0}", "sheet.page": "/sheet?tenant={0}",
        "coverage.index": "/coverage?x={0}", "operations.home": "/?x={0}", "operations.prefetch": "/prefetch?x={0}",
        "playground.look": "/playground?x={0}", "api.page": "/api?x={0}", "knowledge.rules": "/knowledge/rules?x={0}",
    }  # fmt: skip
    assert asked.keys() == PAGES.keys()
    attack = "%22%3E%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E%3Cscript%3Ealert(2)%3C%2Fscript%3E"
    for path in asked.values():
        answered = app.test_client().get(path.format(attack))
        assert answered.status_code < 500, path
        assert answered.mimetype in ("text/html", "application/json"), path
        assert answered.mimetype == "application/json" or _is_harmless(answered.text), path


@pytest.mark.parametrize("keep", ["nothing", "audit"])
def test_where_not_everything_is_kept_no_page_holds_anything_of_the_chart(served, keep):
    app = served(KEEP=keep)
    for page in opened(cards_of(app, a_call(named_nastily))):
        for path in (page.path, page.twin):
            told = app.test_client().get(path).text
            assert "onerror" not in told and "512 ms" not in _of_this_call(page, told), path


def _of_this_call(page: Opened, told: str) -> str:
    """Pages about a card hold no value of it; those about knowledge have values of their own."""
    return told if page.name.startswith("why") else ""


def test_the_names_of_pages_are_names_of_pictures():
    names = [name for pages in PAGES.values() for name in pages]
    assert len(names) == len(set(names)) and all(re.fullmatch(r"[a-z-]+", name) for name in names)
    assert sum(path == CARDS for pages in PAGES.values() for path in pages.values()) == 1
