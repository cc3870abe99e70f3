"""What is refused: a page for whoever sits before a browser, an OperationOutcome for every program."""

from __future__ import annotations

import pytest

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"}
ASKED = {
    "/nowhere/<b>at-all": 404, "/governance?weeks=3": 400, "/pathway?lit=nowhere:here": 400,
    "/playground/stories/none/none": 404, "/playground/answer": 405,
}  # fmt: skip


@pytest.mark.parametrize(("path", "status"), ASKED.items())
def test_before_a_browser_it_is_a_page_with_the_same_status_that_says_where_to_go(client, path, status):
    response = client.get(path, headers=BROWSER)
    assert (response.status_code, response.mimetype) == (status, "text/html")
    assert response.text.count("<h1>") == 1 and "Go on from here" in response.text and "<b>" not in response.text
    assert 'href="/knowledge"' in response.text and "style=" not in response.text
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


def test_what_can_be_asked_stands_on_it_with_a_way_back(client):
    page = client.get("/governance?weeks=3", headers=BROWSER).text
    assert "Weeks: expected one of 4, 12, 26, 52." in page and 'href="/governance"' in page


@pytest.mark.parametrize(
    "accept", [None, "*/*", "application/json", "application/fhir+json, */*", "application/json, text/html"]
)
@pytest.mark.parametrize(("path", "status"), ASKED.items())
def test_for_a_program_it_is_what_it_was(client, path, status, accept):
    response = client.get(path, headers={"Accept": accept} if accept else {})
    assert (response.status_code, response.mimetype) == (status, "application/json")
    assert response.json["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("path", ["/cds-services/none", "/cds-services/", "/cds-services/aml-order-sign"])
def test_a_hook_never_answers_with_a_page(client, path):
    for method in ("get", "post"):
        assert getattr(client, method)(path, headers=BROWSER, json={}).mimetype == "application/json"


def test_what_asks_for_the_twin_gets_it(client):
    assert client.get("/governance?weeks=3&format=json", headers=BROWSER).json["issue"]


def test_a_method_that_is_not_taken_still_names_those_that_are(client):
    assert "POST" in client.get("/playground/answer", headers=BROWSER).headers["Allow"]


def test_under_the_name_of_another_host_there_is_no_page(client):
    response = client.get("/", headers=BROWSER | {"Host": "elsewhere.example"})
    assert (response.status_code, response.mimetype) == (400, "application/json")
