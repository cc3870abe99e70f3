"""The Markdown of cards, shown: what a chart wrote stays text."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest

from cds_service.pages.shown import ELEMENTS, shown, tree
from tests.samples import samples

ATTACKS = [
    "<img src=x onerror=alert(1)>",
    "**<script>alert(1)</script>**",
    "![a picture](https://elsewhere.example/x.png)",
    "[a word](javascript:alert(1))",
    "[a word](data:text/html;base64,AAAA)",
    "[a word](//elsewhere.example/x)",
    "[a word][1]\n\n[1]: vbscript:alert(1)",
    "<https://elsewhere.example/\"onmouseover=alert(1)>",
    "<javascript:alert(1)>",
    "- <svg onload=alert(1)>\n- `<b>`",
    "    <iframe src=x>",
    "[a\" onclick=\"alert(1)](https://a.example/\"onclick=\"alert(1)\")",
    "[broken](http://[)",
]  # fmt: skip


class Elements(HTMLParser):
    """The elements and attributes of a piece of HTML."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [str(value) for name, value in attrs if name == "href"]


def _links(pieces: list) -> list[str]:
    inside = [piece for piece in pieces if isinstance(piece, dict)]
    return [each["href"] for each in inside if "href" in each] + [
        link for each in inside for link in _links(each["children"])
    ]


@pytest.mark.parametrize("text", ATTACKS)
def test_nothing_of_a_chart_becomes_an_element_or_a_link_to_a_script(text):
    found = Elements(shown(text))
    assert found.tags <= set(ELEMENTS.values())
    assert found.attributes <= {"href", "rel", "target"}
    assert all(link.startswith(("http://", "https://")) for link in (*found.links, *_links(tree(text))))


def test_a_link_opens_elsewhere_and_tells_nothing():
    text = shown("[the label](https://label.example/a?b=c&d=e)")
    assert 'href="https://label.example/a?b=c&amp;d=e"' in text
    assert 'rel="noopener noreferrer"' in text and 'target="_blank"' in text


def test_a_heading_within_a_card_is_never_one_of_the_page():
    assert Elements(shown("# Loud")).tags == {"h4"}


def test_the_tree_says_the_same_as_the_html():
    assert tree("**Seen:** 512 ms.\n\n- *one*\n- two") == [
        {"tag": "p", "children": [{"tag": "strong", "children": ["Seen:"]}, " 512 ms."]},
        {
            "tag": "ul",
            "children": [
                {"tag": "li", "children": [{"tag": "em", "children": ["one"]}]},
                {"tag": "li", "children": ["two"]},
            ],
        },
    ]


def test_every_detail_of_the_samples_is_made_of_these_elements_and_loses_no_letter():
    details = {
        card["detail"]
        for sample in samples() if sample.status == 200
        for card in json.loads(sample.expected_file.read_text())["cards"]
    }
    for detail in details:
        text = shown(detail)
        assert Elements(text).tags <= {"p", "ul", "ol", "li", "strong", "em", "a", "br", "code"}
        assert _text(tree(detail)) == _heard(text)


def _text(pieces: list) -> str:
    return "".join(
        "".join(piece.split()) if isinstance(piece, str) else _text(piece["children"]) for piece in pieces
    )


def _heard(html: str) -> str:
    heard: list[str] = []

    class Ear(HTMLParser):
        def handle_data(self, data: str) -> None:
            heard.append("".join(data.split()))

    Ear().feed(html)
    return "".join(heard)
