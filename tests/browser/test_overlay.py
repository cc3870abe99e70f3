"""A hospital's own: what its overlay changes is told where a committee looks, and marked as its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import SHOTS, WIDTHS, served

OVERLAY = Path(__file__).parents[2] / "docs" / "overlay_example"
TOP = {"x": 0, "y": 0, "height": 1400}  # the rest is as without an overlay
PAGES = {"overlay-coverage": "/coverage", "overlay-knowledge": "/knowledge?q=gilteritinib+qtc+hold"}


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a service with the overlay of the documents."""
    yield from served({"OVERLAY": str(OVERLAY), "KEEP": "nothing", "DATA": str(tmp_path_factory.mktemp("data"))})


@pytest.mark.parametrize(("width", "scheme"), [("desk", "light"), ("phone", "dark")])
@pytest.mark.parametrize("name", PAGES)
def test_what_the_hospital_changes_stands_in_words(walk, hospital, name, width, scheme):
    page = walk(PAGES[name], width, scheme, at=hospital).page
    page.screenshot(path=SHOTS / f"{name}-{width}-{scheme}.png", clip=TOP | {"width": WIDTHS[width]}, full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_a_value_of_the_hospital_is_marked_where_it_stands_and_values_come_first(walk, hospital):
    page = walk(PAGES["overlay-knowledge"], at=hospital).page
    assert "480 ms, local policy (leukaemia board" in page.locator("#gilteritinib-qtc-hold .local").inner_text()
    page.get_by_role("link", name="all that differs here").click()
    page.wait_for_url("**/coverage#here")
    assert page.locator("#here ~ h3").first.inner_text() == "Values"
    assert page.get_by_text("500 ms → 480 ms (lower: stricter").is_visible()
    assert page.locator(".tag", has_text="beware").count() == 1
