"""The playground, as a haematologist walks it: change the patient, see the card go and come, accept, look behind."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.browser.conftest import SHOTS, WIDTHS

START = "/playground"
ATTACK = "<img src=x onerror=alert(1)>"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def open_playground(walk):
    """The page with the story of gilteritinib at 512 ms, answered; requests counted from then on."""

    def at(width: str = "desk", scheme: str = "light"):
        visit = walk(START, width, scheme)
        _answered(visit.page)
        return visit

    return at


def _answered(page) -> None:
    page.locator("#playground[data-answered]").wait_for()


@contextmanager
def _asks(page) -> Iterator[None]:
    """What is done within makes the page ask once; afterwards the answer is shown."""
    place = page.locator("#playground")
    before = int(place.get_attribute("data-answered") or 0)
    yield
    page.wait_for_function(
        "before => Number(document.getElementById('playground').dataset.answered) > before", arg=before
    )


def _summaries(page) -> list[str]:
    return page.locator("#cards .card h3").all_inner_texts()


def _set(page, selector: str, value: str) -> None:
    with _asks(page):  # a date asks as soon as it is filled, a number once it is left
        page.fill(selector, value)
        page.keyboard.press("Tab")


def _tell(page, story: str) -> None:
    with _asks(page):
        page.select_option("#story", story)


def _shot(page, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"playground-{name}.png", full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", sorted(WIDTHS))
def test_it_opens_in_every_width_and_colour(open_playground, width, scheme):
    page = open_playground(width, scheme).page
    assert page.locator("h1").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert len(_summaries(page)) == 1
    _shot(page, f"first-{width}-{scheme}")
    if page.locator("#controls[open]").count() == 0:
        page.locator("#controls > summary").click()
        page.locator(".further > summary").click()
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        _shot(page, f"controls-{width}-{scheme}")


def test_it_works_over_plain_http_from_another_machine(open_playground):
    """There a browser offers no `crypto.randomUUID`: the page is no secure context."""
    page = open_playground().page
    page.add_init_script("delete Crypto.prototype.randomUUID")
    page.reload()
    _answered(page)
    assert page.evaluate("crypto.randomUUID") is None and len(_summaries(page)) == 1
    with _asks(page):
        page.get_by_role("button", name="Order a 12-lead ECG").click()
    assert "12 lead EKG panel" in page.inner_text("#tests") and "EKG" not in page.inner_text("#drugs")


def test_what_stands_in_a_field_is_what_was_asked_about(open_playground):
    """A field that was emptied takes the value from the record; where there must be one it comes back."""
    page = open_playground().page
    _set(page, "#value-qtc", "")
    assert "QTc: none on file" in page.inner_text("#heard") and any("ECG" in each for each in _summaries(page))
    for field, value in (("#age", "64"), ("#order-0-dose", "120")):
        page.fill(field, "")
        page.keyboard.press("Tab")
        assert page.input_value(field) == value


def test_a_qtc_of_512_stops_430_does_not_and_a_missing_ecg_is_a_gap(open_playground):
    page = open_playground().page
    assert _summaries(page) == ["Stop QTcF 512 ms (yesterday): do not start gilteritinib, limit 500 ms"]
    _set(page, "#value-qtc", "430")
    assert not any("QTc" in each for each in _summaries(page))
    assert "Gone: QTcF 512 ms" in page.inner_text("#heard")
    with _asks(page):
        page.get_by_role("button", name="QTc: take from the record").click()
    assert any("ECG" in each for each in _summaries(page))
    unseen = page.locator("details.group[data-outcome='not evaluated']")
    assert "QTc against the limit above which the drug is held" in unseen.inner_text()
    _shot(page, "no-ecg")


def test_voriconazole_beside_gilteritinib_is_an_interaction(open_playground):
    page = open_playground().page
    _set(page, "#value-qtc", "430")
    page.locator("#add-drug summary").click()
    page.fill("#new-name", "voriconazole")
    assert "strong inhibitor of CYP3A" in page.inner_text("#new-what")
    page.fill("#new-dose", "200")
    page.select_option("#new-often", "2")
    page.select_option("#new-role", "active")
    with _asks(page):
        page.get_by_role("button", name="Add", exact=True).click()
    assert any(each.startswith("Warning Voriconazole raises gilteritinib") for each in _summaries(page))
    assert "voriconazole" in page.inner_text("#drugs")
    _shot(page, "voriconazole")


def test_a_suggestion_is_accepted_and_the_next_answer_is_another(open_playground):
    page = open_playground().page
    with page.expect_request("**/feedback") as sent, _asks(page):
        page.get_by_role("button", name="Remove the gilteritinib draft").click()
    told = sent.value.post_data_json["feedback"][0]
    assert told["outcome"] == "accepted" and told["acceptedSuggestions"]
    assert "Feedback was sent" in page.inner_text("#heard")
    assert page.evaluate("document.activeElement.id") == "heard", "the keyboard goes on where the answer is told"
    assert "gilteritinib" not in page.inner_text("#drugs")
    assert not any("gilteritinib" in each for each in _summaries(page))
    with _asks(page):
        page.get_by_role("button", name="Undo").click()
    assert len(_summaries(page)) == 1


def test_a_dose_is_changed_by_an_update_and_a_test_is_ordered_by_a_create(open_playground):
    page = open_playground().page
    with _asks(page):
        page.get_by_role("button", name="Order a 12-lead ECG").click()
    assert "12 lead EKG panel" in page.inner_text("#tests") and "EKG" not in page.inner_text("#drugs")
    assert page.get_by_role("button", name="Order a 12-lead ECG").count() == 0
    _tell(page, "venetoclax-on-posaconazole/sign")
    with _asks(page):
        page.get_by_role("button", name=re.compile("Change the target dose of venetoclax to 70 mg")).click()
    assert "70 mg once daily" in page.inner_text("#drugs")
    assert not any(each.startswith("Stop") for each in _summaries(page))


def test_the_lit_path_and_the_studies_open_from_the_reasons(open_playground):
    page = open_playground().page
    _tell(page, "relapse-first-steps/view")
    for words in ("The pathway, this path lit", re.compile("The studies of [0-9]+ options")):
        with page.expect_popup() as opened:
            page.get_by_role("link", name=words).click()
        opened.value.wait_for_load_state()
        assert opened.value.url.startswith(page.url.partition("/playground")[0])
        assert opened.value.locator("svg").count()
    _shot(page, "relapse")


def test_an_override_is_sent_with_its_reason(open_playground):
    page = open_playground().page
    with page.expect_request("**/feedback") as sent:
        page.locator(".override select").first.select_option(label="Newer result known that the EHR does not show")
    told = sent.value.post_data_json["feedback"][0]
    assert told["outcome"] == "overridden" and told["overrideReason"]["reason"]["code"] == "value-outdated"
    page.get_by_text("Overridden: Newer result known").wait_for()


def test_mutations_age_and_today_change_the_answer(open_playground):
    page = open_playground().page
    _tell(page, "relapse-first-steps/view")
    assert "gilteritinib" in page.inner_text("#cards h3 >> nth=-1")
    with _asks(page):
        page.select_option("#marker-FLT3-ITD", "absent")
    assert "gilteritinib" not in page.inner_text("#cards h3 >> nth=-1")
    assert '"text": "absent"' in page.locator("#request pre").text_content()
    _set(page, "#age", "15")
    assert any("adult" in each.lower() or "15" in each for each in _summaries(page))
    _set(page, "#today", "2027-02-01")
    assert "2027-02-01" in page.input_value("#today")


def test_every_hook_is_fired_and_every_tab_opens_by_keyboard(open_playground):
    page = open_playground().page
    for hook in ("patient-view", "order-select", "order-sign"):
        with _asks(page):
            page.locator(f"[data-hook={hook}]").click()
        assert json.loads(page.locator("#request pre").text_content())["hook"] == hook
    page.focus("#tab-reasons")
    for tab in ("request", "response", "curl"):
        page.keyboard.press("ArrowRight")
        assert page.locator(f"#{tab}").is_visible()
    assert page.inner_text("#curl pre").startswith("curl -s -H 'Content-Type: application/json'")
    _shot(page, "curl")


def test_a_check_says_what_it_read_and_cited(open_playground):
    page = open_playground().page
    page.get_by_role("button", name="Its reasons").click()
    page.locator("details.check[open] .inside").first.wait_for()
    text = page.locator("details.check[open]").first.inner_text()
    for words in ("512 ms", "2026-11-20", "Observation/story-one-ecg-2026-11-20", "gilteritinib-qtc-hold", "Ma and Ge"):
        assert words in text
    _shot(page, "reasons")


def test_a_patient_outlives_a_reload_of_the_tab_and_no_other(open_playground, walk):
    page = open_playground().page
    _set(page, "#value-potassium", "2.9")
    page.reload()
    _answered(page)
    assert page.input_value("#value-potassium") == "2.9"
    other = walk(START).page
    _answered(other)
    assert other.input_value("#value-potassium") == "4.2"


def test_what_is_larger_than_the_service_reads_is_told_before_anything_reads_it(open_playground):
    page = open_playground().page
    page.locator(".own summary").click()
    page.evaluate("document.getElementById('own-text').value = '['.repeat(11 * 1024 * 1024)")
    page.click("#own-use")
    assert "This is 11.0 MB, and the service reads" in page.inner_text("#own-said")


def test_your_own_bundle_is_sorted_into_the_queries(open_playground):
    page = open_playground().page
    page.locator(".own summary").click()
    page.fill("#own-text", "no JSON")
    page.click("#own-use")
    assert "not JSON" in page.inner_text("#own-said")
    page.fill("#own-text", (ROOT / "fhir_samples" / "gilteritinib-qtc-512" / "patient.json").read_text())
    with _asks(page):
        page.click("#own-use")
    assert page.input_value("#value-qtc") == "512"
    sent = json.loads(page.locator("#request pre").text_content())["prefetch"]
    assert sent["patient"]["resourceType"] == "Patient" and sent["labs"]["total"] == len(sent["labs"]["entry"]) > 3


def test_a_file_of_your_own_is_read_in_the_browser_and_its_text_stays_text(open_playground, tmp_path):
    bundle = json.loads((ROOT / "fhir_samples" / "gilteritinib-qtc-512" / "patient.json").read_text())
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "Patient":
            entry["resource"] |= {"name": [{"text": ATTACK, "family": ATTACK, "given": [ATTACK]}]}
        if "code" in entry["resource"]:
            entry["resource"]["code"]["text"] = ATTACK
    own = tmp_path / f"{'a' * 40}.json"
    own.write_text(json.dumps(bundle), encoding="utf-8")
    visit = open_playground()
    page = visit.page
    page.evaluate("() => { window.alerted = 0; window.alert = () => { window.alerted += 1; }; }")
    asked = len(visit.asked)
    page.locator(".own summary").click()
    with _asks(page):
        page.set_input_files("#own-file", own)
    assert page.input_value("#value-qtc") == "512" and ATTACK in page.inner_text("#who")
    assert "No order is drafted in it" in page.inner_text("#own-said")
    assert page.get_attribute("[data-hook=patient-view]", "aria-pressed") == "true" and _summaries(page)
    _shot(page, "own-file")
    with _asks(page):
        page.locator("[data-hook=order-sign]").click()
    assert "add a drug as a draft order" in page.inner_text("#cards")
    page.locator("#add-drug summary").click()
    page.fill("#new-name", "gilteritinib")
    page.fill("#new-dose", "120")
    with _asks(page):
        page.get_by_role("button", name="Add", exact=True).click()
    assert _summaries(page)[0].startswith("Stop QTcF 512 ms")
    assert page.locator("main img, main script, main [onerror]").count() == 0 and page.evaluate("window.alerted") == 0
    assert all("/playground/answer" in url for url in visit.asked[asked:]), "the file is sent to nobody else"


def _poisoned(value):
    """The same resource with every free text an attack; what is a code, an id, a date or a reference stays."""
    texts = {"text", "display", "family", "unit", "label", "title", "description", "note", "value", "div"}
    if isinstance(value, dict):
        return {
            name: ATTACK if isinstance(each, str) and name in texts else _poisoned(each)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [_poisoned(each) for each in value]
    return value


@pytest.mark.parametrize("path", [
    "gilteritinib-qtc-512/sign", "epic-dialect/sign", "relapse-first-steps/view", "sandbox-dialect/sign-voriconazole",
    "on-gilteritinib-day-15/view", "hold-and-resume/sign-120-mg", "wrong-patient/sign-mixed",
])  # fmt: skip
def test_no_text_of_a_chart_becomes_an_element(open_playground, path):
    story, name = path.split("/")
    request = json.loads((ROOT / "fhir_samples" / story / "requests" / f"{name}.json").read_text())
    request = _poisoned(request)
    patient = request["prefetch"]["patient"]
    patient["name"] = [{"text": ATTACK, "given": [ATTACK], "family": ATTACK}]
    patient["gender"] = ATTACK
    visit = open_playground()
    page = visit.page
    page.on("dialog", lambda dialog: pytest.fail("a script ran"))
    page.evaluate("() => { window.alerted = 0; window.alert = () => { window.alerted += 1; }; }")
    asked = len(visit.asked)
    page.locator(".own summary").click()
    page.fill("#own-text", json.dumps(request))
    with _asks(page):
        page.click("#own-use")
    if name == "sign":
        _shot(page, f"attacked-{story}")
    for check in page.locator("details").all():
        check.evaluate("box => { box.open = true; }")
    for tab in ("request", "response", "curl", "reasons"):
        page.click(f"#tab-{tab}")
    page.wait_for_timeout(100)
    assert page.locator("main img, main script, main iframe, main svg, main [onerror]").count() == 0
    assert page.evaluate("window.alerted") == 0
    assert ATTACK in page.inner_text("#who")
    assert ATTACK in page.inner_text("#drugs") or not request["prefetch"]["medications"].get("entry")
    assert all("/playground/answer" in url for url in visit.asked[asked:])
