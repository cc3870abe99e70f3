"""Below: where `PUBLIC_URL` has a path, pages and links work under it, whether the proxy strips it or hands it on."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from cds_service.web import serving

HOST = {"Host": "cds.example"}
PAGES = (
    "/", "/api", "/coverage", "/evidence", "/governance", "/knowledge", "/knowledge/gilteritinib", "/knowledge/rules",
    "/pathway", "/pathway.svg",
    "/playground", "/prefetch", "/sheet", "/knowledge/rules/renal-dose",
)


@pytest.fixture(scope="module", params=["https://cds.example/aml", "https://cds.example/aml/"])
def client(request: pytest.FixtureRequest) -> Iterator[FlaskClient]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PUBLIC_URL", request.param)
        yield serving.from_environment().test_client()


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("sent", ["", "/aml"], ids=["stripped", "handed on"])
def test_every_link_of_a_page_stays_under_the_path(client: FlaskClient, page: str, sent: str) -> None:
    answer = client.get(sent + page, headers=HOST)
    assert answer.status_code == 200, page
    links = re.findall(r"""(?:href|src|action)=["'](/[^"']*)""", answer.text)
    assert links
    assert [link for link in links if not link.startswith("/aml/")] == []


@pytest.mark.parametrize("sent", ["", "/aml"], ids=["stripped", "handed on"])
def test_what_a_page_asks_for_is_there(client: FlaskClient, sent: str) -> None:
    page = client.get(sent + "/", headers=HOST).text
    style = re.search(r'href="(/aml/[^"]+\.css[^"]*)"', page)
    assert style
    whole = style[1]
    for path in (whole, whole.removeprefix("/aml")):
        with client.get(path, headers=HOST) as answer:
            assert answer.status_code == 200


def test_services_answer_under_the_path_and_without_it(client: FlaskClient) -> None:
    for path in ("/cds-services", "/aml/cds-services"):
        assert len(client.get(path, headers=HOST).get_json()["services"]) == 3


def test_a_name_that_only_begins_like_it_is_another(client: FlaskClient) -> None:
    assert client.get("/amlodipine/cds-services", headers=HOST).status_code == 404
    assert client.get("/aml", headers=HOST).status_code == 200


def test_without_a_path_nothing_stands_before_a_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_URL", "https://cds.example")
    plain = serving.from_environment().test_client()
    assert 'href="/knowledge"' in plain.get("/", headers=HOST).text
    assert plain.get("/aml/cds-services", headers=HOST).status_code == 404
