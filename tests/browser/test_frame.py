"""The frame of every page: what a script may not do, and what holds without scripts."""

from __future__ import annotations

import pytest

from tests.pages.every_page import CARDS, PAGES

READ = sorted(path for pages in PAGES.values() for path in pages.values() if path != CARDS and "key=" not in path)


@pytest.mark.parametrize("path", [path for path in READ if path != "/playground"])
def test_a_page_says_all_it_has_to_say_without_scripts(chromium, base, path):
    """A locked-down browser of a ward: only the playground needs scripts, and says so."""
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(base + path)
    assert len(page.inner_text("main")) > 200
    context.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a file of the server, left half sent
def test_the_playground_says_that_it_needs_scripts(chromium, base):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(base + "/playground")
    assert "This page needs JavaScript" in page.inner_text("noscript .card")
    context.close()
