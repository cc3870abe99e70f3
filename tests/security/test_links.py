"""Addresses of the page about one card: whose key opens it, for how long, and what stands in the address."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from types import SimpleNamespace

import pytest

from cds_service.security.links import OFF, OPEN, SIGNED, Links

CARD, OTHER = "0b1c2d3e-0000-4000-8000-000000000001", "0b1c2d3e-0000-4000-8000-000000000002"
HOUR = 3600


def mark(text: bytes) -> str:
    return hashlib.sha256(b"secret" + text).hexdigest()[:32]


@pytest.fixture
def clock():
    return SimpleNamespace(now=1_800_000_000.7)


@pytest.fixture
def links(clock):
    return Links("https://cds.example", SIGNED, HOUR, True, lambda: mark, lambda: clock.now)


def key_in(address: str) -> str:
    return address.partition("?key=")[2]


def test_a_signed_address_names_the_card_and_nothing_of_the_patient(links):
    until = 1_800_000_000 + HOUR
    expected = f"https://cds.example/why/{CARD}?key={until}-{mark(f'{CARD} {until}'.encode())}"
    assert links.to(CARD, "qtc-hold") == expected


def test_it_opens_its_own_card_until_its_hour_is_over(links, clock):
    key = key_in(links.to(CARD, "qtc-hold"))
    assert links.opens(CARD, key) and not links.opens(OTHER, key)
    clock.now = 1_800_000_000 + HOUR - 0.5
    assert links.opens(CARD, key)
    clock.now = 1_800_000_000 + HOUR
    assert not links.opens(CARD, key)


def test_nobody_lengthens_its_hour(links):
    until, _, signed = key_in(links.to(CARD, "qtc-hold")).partition("-")
    assert not links.opens(CARD, f"{int(until) + 1}-{signed}")


@pytest.mark.parametrize("spoiled", [
    "", "-", "{until}", "{mark}", "{until}-", "{until}-{mark}0", "{until}-{mark}\n", " {until}-{mark}",
    "0{until}-{mark}", "{until}-{MARK}", "{until}-zz{mark:.30}", "{until}-{mark}&key=1", "-{until}-{mark}",
])  # fmt: skip
def test_a_key_in_any_other_form_opens_nothing(links, spoiled):
    until, _, signed = key_in(links.to(CARD, "qtc-hold")).partition("-")
    assert not links.opens(CARD, spoiled.format(until=until, mark=signed, MARK="A" + signed[1:].upper()))


def test_a_key_of_another_installation_opens_nothing(links):
    elsewhere = replace(links, marker=lambda: lambda text: hashlib.sha256(b"theirs" + text).hexdigest()[:32])
    assert not links.opens(CARD, key_in(elsewhere.to(CARD, "qtc-hold")))


@pytest.mark.parametrize("kept, marker", [(False, lambda: mark), (True, lambda: None)])
def test_without_a_store_or_its_key_the_rule_is_linked_and_no_card_opens(links, kept, marker):
    signed = key_in(links.to(CARD, "qtc-hold"))
    without = replace(links, kept=kept, marker=marker)
    assert without.to(CARD, "qtc-hold") == "https://cds.example/why/rule/qtc-hold"
    assert without.opens(CARD, signed) is (marker() is not None)


def test_open_links_need_no_key_but_the_name_of_a_card(links):
    opened = replace(links, mode=OPEN)
    assert opened.to(CARD, "qtc-hold") == f"https://cds.example/why/{CARD}"
    assert opened.opens(CARD, "")
    assert not any(opened.opens(each, "") for each in ("", "..", CARD[:-1], CARD + "\n", CARD.upper(), f"{CARD}/x"))


def test_where_links_are_off_there_is_none_and_none_opens(links):
    off = replace(links, mode=OFF)
    assert off.to(CARD, "qtc-hold") == ""
    assert not off.opens(CARD, key_in(links.to(CARD, "qtc-hold")))
