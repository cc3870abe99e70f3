"""Plain text: our Markdown without its marks, and what a chart wrote as the chart wrote it."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cards.plain import plain
from cards.render import escape, one_line
from tests.calls import SUBJECT, cards, gilteritinib


@pytest.mark.parametrize(("markdown", "text"), [
    ("**Seen:** 512 ms (QTcF)", "Seen: 512 ms (QTcF)"),
    ("*Demo mode.* **Bold *and* more**", "Demo mode. Bold and more"),
    ("- one\n- two", "- one\n- two"),
    ("## Heading\n\nwords", "Heading\n\nwords"),
    (r"a \*star\*, an \_underline\_, \[a bracket\]", "a *star*, an _underline_, [a bracket]"),
    ("platelets &lt; 50 &amp; falling", "platelets < 50 & falling"),
    ("see [the label](https://label.example/a_b)", "see the label (https://label.example/a_b)"),
    ("`code`", "code"),
    ("10*9/L, 0.5*10*9/L", "10*9/L, 0.5*10*9/L"),
    (r"\\*x*", r"\x"),
    ("", ""),
])
def test_the_marks_go_and_the_words_stay(markdown, text):
    assert plain(markdown) == text


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Zl", "Zp", "Cs")), max_size=60))
def test_what_a_chart_wrote_comes_out_as_it_was(written):
    assume(not re.search(r"://|www\.|\S@", written, re.IGNORECASE))
    assert plain(f"**Concerns:** {escape(written)}.") == f"Concerns: {written}."


@pytest.mark.parametrize(("written", "shown"), [
    ("gilteritinib http://evil.example/a", "gilteritinib http: //evil.example/a"),
    ("HTTPS://evil.example", "HTTPS: //evil.example"),
    ("see www.evil.example", "see www .evil.example"),
    ("WWW.evil.example", "WWW .evil.example"),
    ("mailto:a.b+c@evil.example", "mailto:a.b+c @evil.example"),
    ("1 tablet @ 8:00", "1 tablet @ 8:00"),
    ("mg/d: 120", "mg/d: 120"),
])
def test_an_address_in_a_chart_is_no_link(written, shown):
    assert escape(written) == shown


@pytest.mark.parametrize(("written", "shown"), [
    ("gilteritinib <img src=x>", "gilteritinib \u2039img src=x>"),
    ("a </b> <!-- c --> <?x?>", "a \u2039/b> \u2039!-- c --> \u2039?x?>"),
    ("<\u200bscript>", "< script>"),
    ("potassium <2.6 mmol/L, a < b", "potassium <2.6 mmol/L, a < b"),
])
def test_plain_text_opens_no_tag(written, shown):
    assert one_line(written) == shown


def test_a_summary_opens_no_tag_where_a_client_shows_it_as_html():
    allergy = {"resourceType": "AllergyIntolerance", "id": "a1", "patient": SUBJECT,
               "code": {"text": "gilteritinib <img src=x onerror=alert(1)>"}}  # fmt: skip
    shown = cards("order-sign", gilteritinib(status="draft"), allergies=[allergy])
    assert any("llergy on record" in card["summary"] for card in shown)
    assert not [card["summary"] for card in shown if "<img" in card["summary"]]
