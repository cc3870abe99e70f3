"""Every address that a browser is shown, by its route. A route that stands in neither table fails the tests.

What holds of every page (it is fast, it has a JSON twin, no text of a chart is markup, nothing is asked from elsewhere,
axe is content) is tested over these tables: a new page is tested by being entered here, and cannot be left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask

LIT = (
    "/pathway?lit=scope:here,stands:here,mutations:here,donor:looked,transplant:open,trial:here,"
    "targeted:here,intensive:looked,low-intensity:here,after-hsct:off,supportive:here,response:off"
)
CARDS = "the cards of the call"  # stands for the links of cards that a test has just been given

PAGES: Mapping[str, Mapping[str, str]] = {  # route: what is opened, by the name of its screenshot
    "operations.home": {"home": "/"},
    "operations.prefetch": {"prefetch": "/prefetch"},
    "playground.look": {"playground": "/playground"},
    "pathway.index": {"pathway": "/pathway", "pathway-lit": LIT},
    "evidence.index": {"evidence": "/evidence", "evidence-options": "/evidence?options=gilteritinib,flag-ida"},
    "knowledge.index": {"knowledge": "/knowledge", "knowledge-found": "/knowledge?q=qtc+500"},
    "knowledge.subject": {"knowledge-drug": "/knowledge/gilteritinib"},
    "knowledge.rules": {"knowledge-rules": "/knowledge/rules"},
    "knowledge.rule": {"knowledge-rule": "/knowledge/rules/qtc-hold"},
    "coverage.index": {"coverage": "/coverage"},
    "governance.look": {"governance": "/governance?weeks=12"},
    "sheet.page": {"sheet": "/sheet"},
    "api.page": {"api": "/api"},
    "why.rule": {"why-rule": "/why/rule/qtcHold", "why-gap": "/why/rule/gap"},
    "why.card": {"why": CARDS, "why-gone": "/why/00000000-0000-4000-8000-000000000000?key=x"},
}

NO_PAGES: Mapping[str, str] = {  # what is served beside the pages, and for whom
    "hooks_api.discover": "JSON for an EHR",
    "hooks_api.call": "JSON for an EHR",
    "hooks_api.feedback": "JSON for an EHR",
    "playground_api.try_out": "JSON for the playground: the same answer as the hooks give",
    "playground.story": "JSON for the playground: a request of fhir_samples/",
    "operations.override_reasons": "JSON: the code system",
    "operations.healthz": "JSON for whoever watches",
    "operations.readyz": "JSON for whoever watches",
    "operations.readyz_calls": "JSON for whoever watches",
    "operations.metrics": "text for Prometheus",
    "api.described": "JSON: OpenAPI",
    "pathway.picture": "SVG: the picture of the pathway by itself",
}

SHOW_A_CHART = {"why.card", "playground.look"}  # pages with text of a patient in it; the others read none


@dataclass(frozen=True, slots=True)
class Opened:
    """A page to open: the name of its screenshot, its address."""

    name: str
    path: str

    @property
    def twin(self) -> str:
        """The address of its JSON."""
        return self.path + ("&" if "?" in self.path else "?") + "format=json"


def routes(app: Flask) -> set[str]:
    """Every route of the application but files that never change."""
    return {rule.endpoint for rule in app.url_map.iter_rules() if not rule.endpoint.endswith("static")}


def opened(cards: list[dict[str, Any]]) -> Iterator[Opened]:
    """Every page; why this card once for each of these cards of a call just made."""
    for pages in PAGES.values():
        for name, path in pages.items():
            if path != CARDS:
                yield Opened(name, path)
                continue
            for place, card in enumerate(cards, start=1):
                yield Opened(f"{name}-{place}", why_link(card))


def why_link(card: Mapping[str, Any]) -> str:
    """Where "Why this card" leads, without the host."""
    (found,) = [each for each in card["links"] if each["label"] == "Why this card"]
    return "/why" + str(found["url"]).partition("/why")[2]
