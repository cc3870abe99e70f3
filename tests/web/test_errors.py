"""When something of ours breaks: a card for the clinician, a line for the operator, nothing of the patient."""

from __future__ import annotations

import logging

import pytest

from cds_service.errors import CannotGather, RequestError, WrongContent
from tests import card_grammar

ORDER_SIGN = "/cds-services/aml-order-sign"
SECRET = "Jane Doe"


def _raising(error):
    def answer(body, service, tools, caller):
        raise error

    return answer


@pytest.mark.parametrize("error", [
    ValueError(SECRET), KeyError(SECRET), RecursionError(SECRET), MemoryError(SECRET), TimeoutError(SECRET),
    AssertionError(SECRET), UnicodeDecodeError("utf-8", SECRET.encode(), 0, 1, SECRET),
])
def test_a_fault_of_ours_is_a_warning_card_not_an_error_status(make_app, error, caplog):
    with caplog.at_level(logging.DEBUG):
        response = make_app(_raising(error)).test_client().post(ORDER_SIGN, json={})
    assert response.status_code == 200
    (card,) = response.get_json()["cards"]
    assert card["indicator"] == "warning"
    assert "could not be made" in card["summary"] and len(card["summary"]) < 140
    assert "nothing was checked" in card["detail"]
    assert "demo" in card["source"]["label"]
    assert SECRET not in response.text
    assert type(error).__name__ in caplog.text and "test_errors.py" in caplog.text
    assert SECRET not in caplog.text


def test_such_a_card_obeys_the_grammar_and_reads_well_in_a_client_that_knows_no_markdown(make_app):
    response = make_app(_raising(ValueError())).test_client().post(ORDER_SIGN, json={})
    card_grammar.assert_grammar(response.data)
    assert "*" not in response.get_json()["cards"][0]["detail"]


def test_each_such_card_has_an_id_of_its_own(make_app):
    client = make_app(_raising(ValueError())).test_client()
    ids = {client.post(ORDER_SIGN, json={}).get_json()["cards"][0]["uuid"] for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize("error, status, path", [
    (CannotGather("the patient cannot be had", "prefetch.patient"), 412, ["prefetch.patient"]),
    (WrongContent("another patient", "prefetch.patient"), 422, ["prefetch.patient"]),
    (RequestError("no path known"), 400, None),
])
def test_a_refusal_keeps_its_status_and_its_path(make_app, error, status, path):
    response = make_app(_raising(error)).test_client().post(ORDER_SIGN, json={})
    issue = response.get_json()["issue"][0]
    assert response.status_code == status
    assert issue.get("expression") == path


def test_a_fault_outside_a_call_is_an_outcome_without_details(make_app):
    app = make_app()
    app.add_url_rule("/broken", view_func=_raising(ValueError(SECRET)), defaults={"body": 0, "service": 0, "tools": 0})
    response = app.test_client().get("/broken")
    assert response.status_code == 500
    assert response.get_json()["issue"][0]["code"] == "exception"
    assert SECRET not in response.text
