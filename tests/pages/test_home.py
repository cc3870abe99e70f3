"""The first page: what this is, how it is doing, and what to do next."""

from __future__ import annotations

from cds_service.beside import Beside, Health, Light


def test_it_says_what_this_is_for_whom_and_what_it_knows(client, tools):
    text = " ".join(client.get("/").text.split())
    for words in (
        "relapsed or refractory AML", "haematologists and pharmacists", "not a medical device", "Demo mode, US labels",
        tools.knowledge_version, tools.knowledge_day.isoformat(), "Three things to do next", ">ready<",
    ):  # fmt: skip
        assert words in text
    for service in tools.services:
        assert service.id in text and service.description in text


def test_the_first_thing_to_do_is_the_playground_where_there_is_one(client, make_app):
    assert 'href="/playground"' in client.get("/").text
    without = make_app(PLAYGROUND="off").test_client().get("/").text
    assert "playground" not in without.replace("The playground is off here", "") and "aml-cds try" in without


def test_a_service_that_limps_says_so_in_a_word(make_app):
    limping = Beside(probes={"store": lambda: Health(Light.AMBER, "the disk is nearly full")})
    assert '<span class="tag amber">limping</span>' in make_app(beside=limping).test_client().get("/").text


def test_the_same_as_data(client, tools):
    for told in (client.get("/?format=json"), client.get("/", headers={"Accept": "application/json"})):
        told = told.get_json()
        use = " ".join(told["intended_use"])
        assert "not a medical device" in use and "orders nothing" in use
        assert told["state"] == "ready" and told["knowledge"]["version"] == tools.knowledge_version
        assert [each["id"] for each in told["services"]] == [service.id for service in tools.services]
