"""Every page at every width, in both colours, by keyboard alone and on paper.

`walk` looks at each with axe, listens for errors of scripts, and fails when anything but our own address was asked for.

Which pages there are stands in `tests/pages/every_page.py`; a route that is in no table there fails the fast suite.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import SHOTS, WIDTHS
from tests.browser.test_why import a_course, ask
from tests.pages.every_page import CARDS, PAGES, why_link
from tests.pages.test_every_page import a_call, named_nastily

EVERY = [(name, path) for pages in PAGES.values() for name, path in pages.items()]
A4 = {"width": 794, "height": 1123}  # at 96 dpi
MOST = 120  # controls of a page with more: the first so many
STOPS_OF_A_DATE = 4  # month, day, year, and the calendar
SPARE = 60  # what a browser makes a stop by itself: drawings and boxes that scroll
NO_WIDER = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"

# Cells that stand below each other, as on a phone, and leave most of its width empty.
SQUEEZED = """() => [...document.querySelectorAll('main td, main tbody th')].filter(each =>
  getComputedStyle(each).display === 'block' && each.checkVisibility() && each.getBoundingClientRect().width
    < 0.8 * each.closest('tr').getBoundingClientRect().width).map(each => each.outerHTML.slice(0, 90))"""
# Everything that a mouse can use and a keyboard must reach: shown, and not within a closed <details>.
CONTROLS = """() => [...document.querySelectorAll('a[href], button, input, select, textarea, summary')].filter(each =>
  !each.disabled && each.checkVisibility({checkVisibilityCSS: true, contentVisibilityAuto: true})
  && each.getClientRects().length && each.getAttribute('role') !== 'tab')"""
# Where the keyboard stands: its place among the controls, and whether one sees it.
STANDS = f"""() => {{
  const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
  return {{place: ({CONTROLS})().indexOf(at), body: at === document.body,
    seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    inside: box.bottom > 0 && box.top < innerHeight, what: at.outerHTML.slice(0, 90)}};
}}"""


@pytest.fixture(scope="module")
def addresses(base: str) -> dict[str, str]:
    """Each page by its name; why this card is that of the most urgent card of a course of weeks."""
    stop = next(card for card in ask(base, a_course()) if card["indicator"] == "critical")
    return {name: why_link(stop) if path == CARDS else path for name, path in EVERY}


def ready(page: Any) -> Any:
    """The page once its scripts, if any, have drawn it."""
    if page.locator("#playground").count():
        page.locator("#playground[data-answered]").wait_for()
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", sorted(WIDTHS))
@pytest.mark.parametrize("name", [name for name, _ in EVERY])
def test_it_opens_at_every_width_in_both_colours(walk, addresses, name, width, scheme):
    page = ready(walk(addresses[name], width, scheme, gone=name == "why-gone").page)
    page.screenshot(path=SHOTS / f"{name}-{width}-{scheme}.png", full_page=True)
    assert page.locator("h1").count() == 1
    assert page.evaluate(NO_WIDER)
    assert page.evaluate(SQUEEZED) == []


@pytest.mark.parametrize("name", [name for name, _ in EVERY])
def test_it_prints(walk, addresses, name):
    page = ready(walk(addresses[name], gone=name == "why-gone").page)
    page.emulate_media(media="print")
    page.set_viewport_size(A4)
    page.screenshot(path=SHOTS / f"{name}-print.png", full_page=True)
    assert page.locator(".top nav").is_hidden() and page.locator("main").is_visible()
    assert page.evaluate(NO_WIDER)


@pytest.mark.parametrize("name", [name for name, _ in EVERY])
def test_the_keyboard_reaches_every_control_and_one_sees_where_it_is(walk, addresses, name):
    page = ready(walk(addresses[name], gone=name == "why-gone").page)
    controls = page.evaluate(f"({CONTROLS})().length")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.hash") == "#main", "the first stop skips to the content"
    reached: set[int] = set()
    besides = page.locator("[tabindex='0'], [role=tab]").count() + SPARE  # what scrolls by keyboard, and tabs
    dates = page.locator("input[type=date]").count()
    for _ in range(min(controls, MOST) + (STOPS_OF_A_DATE - 1) * dates + besides):
        stop = page.evaluate(STANDS)
        if stop["body"]:
            break
        assert stop["seen"] and stop["inside"], stop["what"]
        reached.add(stop["place"])
        page.keyboard.press("Tab")
    missed = set(range(min(controls, MOST))) - reached
    which = f"places => places.map(each => ({CONTROLS})()[each].outerHTML.slice(0, 90))"
    assert not missed, page.evaluate(which, sorted(missed))


def test_no_text_of_a_chart_becomes_an_element_on_any_page(walk, base, addresses):
    """The reasons of every card of a call that is hostile in every field; nothing is asked for, nothing runs."""
    cards = ask(base, a_call(named_nastily))
    assert cards
    for card in cards:
        visit = walk(why_link(card))
        page = visit.page
        for box in page.locator("details").all():
            box.evaluate("each => { each.open = true; }")
        assert "onerror=alert(1)" in page.inner_text("main")
        assert page.locator("main img, main script, main iframe, main [onerror], main form").count() == 0
        assert all("/why/" in url or "/static/" in url for url in visit.asked)
