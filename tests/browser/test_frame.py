"""The frame of every page: it opens in any width and colour, by keyboard, with nothing from elsewhere."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", ["desk", "phone"])
@pytest.mark.parametrize("path", ["/", "/prefetch"])
def test_a_page_opens(walk, path, width, scheme):
    visit = walk(path, width, scheme, shot="home" if path == "/" else path.strip("/"))
    assert visit.page.locator("h1").count() == 1


def test_no_page_is_wider_than_a_phone(walk):
    for path in ("/", "/prefetch"):
        page = walk(path, "phone").page
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_the_first_stop_of_the_keyboard_skips_to_the_content(walk):
    page = walk("/").page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
