"""The build sheet and the API, as an analyst and an integrator read them."""

from __future__ import annotations


def test_the_sheet_prints_whole(walk):
    page = walk("/sheet").page
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 760, "height": 1000})
    is_cut = "e => e.scrollHeight > e.clientHeight + 2"
    cut = page.evaluate(f"[...document.querySelectorAll('.query pre')].filter({is_cut}).length")
    assert cut == 0


def test_an_operation_opens_by_keyboard(walk):
    page = walk("/api").page
    summary = page.locator("details.operation summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("details.operation").first.get_attribute("open") is not None
