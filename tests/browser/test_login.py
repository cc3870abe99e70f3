"""The login in front of the page behind a card, as a member of the committee meets it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cds_service.security.readers import entry
from tests.browser.conftest import SHOTS, served
from tests.browser.test_why import a_course, ask, page_of

SECRET = "a long enough secret"
ENTRY = entry("a.example", "", SECRET)


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a service whose pages behind cards ask for a login."""
    folder: Path = tmp_path_factory.mktemp("locked")
    (folder / "readers.toml").write_text(ENTRY, encoding="utf-8")
    yield from served({
        "KEEP": "full", "DATA": str(folder), "WHY_LINKS": "login", "WHY_READERS": str(folder / "readers.toml"),
    })  # fmt: skip


def headed(page, words: str) -> None:
    """Wait for the page with this heading."""
    page.get_by_role("heading", name=words, exact=True).wait_for()


@pytest.mark.parametrize(("width", "scheme"), [("desk", "light"), ("panel", "dark"), ("phone", "light")])
def test_a_reader_logs_in_sees_why_and_logs_out_by_keyboard(walk, locked, width, scheme):
    card = next(each for each in ask(locked, a_course()) if each["indicator"] == "critical")
    page = walk(page_of(card), width, scheme, shot="login", gone=True, at=locked).page
    assert page.locator("h1").inner_text() == "Log in to see why" and "QTc" not in page.inner_text("main")
    page.get_by_label("Name").fill("a.example")
    page.get_by_label("Password").fill("something else")
    page.keyboard.press("Enter")
    assert "not known here" in page.get_by_role("alert").inner_text()
    page.screenshot(path=SHOTS / f"login-wrong-{width}-{scheme}.png", full_page=True)
    page.keyboard.type(SECRET)  # the name is still there, and so is the caret
    page.keyboard.press("Enter")
    headed(page, "Why this card")
    assert "512 ms" in page.inner_text("main")
    page.screenshot(path=SHOTS / f"login-in-{width}-{scheme}.png")
    assert page.evaluate("document.cookie") == "", "no script sees it"
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.get_by_role("button", name="Log out").focus()
    page.keyboard.press("Enter")
    headed(page, "Log in to see why")
    page.go_back()
    headed(page, "Log in to see why")
    assert "512 ms" not in page.inner_text("main"), "nothing is kept for the way back"


def test_a_link_from_elsewhere_keeps_a_reader_logged_in(walk, locked):
    card = next(each for each in ask(locked, a_course()) if each["indicator"] == "critical")
    page = walk("/why/login", gone=True, at=locked).page
    page.get_by_label("Name").fill("a.example")
    page.get_by_label("Password").fill(SECRET)
    page.get_by_role("button", name="Log in").click()
    headed(page, "You are logged in")
    page.screenshot(path=SHOTS / "login-done-desk-light.png", full_page=True)
    page.goto("about:blank")
    page.goto(locked + page_of(card))
    assert page.locator("h1").inner_text() == "Why this card"


def test_what_another_site_does_in_that_browser_logs_nobody_in_or_out(walk, locked):
    page = walk("/why/login", gone=True, at=locked).page.context.new_page()
    elsewhere = locked.replace("127.0.0.1", "localhost")  # the same service, and another site to a browser
    form = """([at, fields]) => { const form = document.createElement("form"); form.method = "post"; form.action = at;
        for (const [name, value] of Object.entries(fields)) { const field = document.createElement("input");
        field.name = name; field.value = value; form.append(field); } document.body.append(form); form.submit(); }"""
    page.context.route("**/elsewhere", lambda route: route.fulfill(content_type="text/html", body="<h1>Elsewhere</h1>"))
    page.goto(f"{elsewhere}/elsewhere")
    page.evaluate(form, [f"{locked}/why/login", {"name": "a.example", "password": SECRET}])
    headed(page, "Log in to see why")
    assert "another site" in page.get_by_role("alert").inner_text()
    page.get_by_label("Name").fill("a.example")
    page.get_by_label("Password").fill(SECRET)
    page.keyboard.press("Enter")
    headed(page, "You are logged in")
    page.goto(f"{elsewhere}/elsewhere")
    page.evaluate(form, [f"{locked}/why/logout", {}])
    headed(page, "You are logged in")
