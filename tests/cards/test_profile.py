"""Profiles: what is shipped can be read and differs as told; a wrong key is refused by its name."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from cards import profile
from cards.kept import afresh
from cards.profile import HOME, Profile, read, shipped

DEFAULT = yaml.safe_load((HOME / "default.yaml").read_text(encoding="utf-8"))


def test_epic_oracle_the_sandbox_and_any_other_client_have_a_profile():
    assert list(shipped()) == ["default", "epic", "oracle", "sandbox"]


def test_the_default_says_every_key_and_the_others_only_what_differs():
    assert set(DEFAULT) == {field.name for field in fields(Profile)} - {"name"}
    for path in HOME.glob("*.yaml"):
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
        if path.stem != "default":
            assert told.pop("like") == "default"
            assert not [key for key in told if told[key] == DEFAULT[key]], path.name


def test_every_profile_says_where_its_client_is_known_from():
    assert all(each.client and each.known_from for each in shipped().values())


def test_no_issuer_belongs_to_two_profiles():
    issuers = [issuer for each in shipped().values() for issuer in each.issuers]
    assert len(set(issuers)) == len(issuers)


def test_like_takes_everything_but_name_and_issuers():
    ours = read("ours", {"like": "oracle", "links": True}, shipped())
    assert (ours.name, ours.issuers, ours.links) == ("ours", (), True)
    assert (ours.suggestions, ours.longest_detail) == (False, shipped()["oracle"].longest_detail)


@pytest.mark.parametrize(("told", "says"), [
    ({"like": "epci"}, "like: there is no profile 'epci'; there are default, epic, oracle, sandbox; did you mean epic"),
    ({}, "client: is missing, and there is no 'like' to take it from"),
    ({"like": "epic", "linkz": True}, "linkz: no such key; there are client"),
    ({"like": "epic", "links": "yes"}, "links: expected true or false, found 'yes'"),
    ({"like": "epic", "selection_behaviors": []}, "selection_behaviors: expected a list of any, at-most-one, found []"),
    ({"like": "epic", "selection_behaviors": ["all"]}, "selection_behaviors: expected"),
    ({"like": "epic", "actions": ["order ECG"]}, "actions: expected a list such as [create ServiceRequest"),
    ({"like": "epic", "detail": "html"}, "detail: expected markdown or plain, found 'html'"),
    ({"like": "epic", "longest_detail": 100}, "longest_detail: expected a whole number of characters from 600"),
    ({"like": "epic", "longest_detail": True}, "longest_detail: expected"),
    ({"like": "epic", "order_codes": {"ecg": 1234}}, "order_codes: expected codes as quoted text"),
    ({"like": "epic", "order_codes": ["ecg"]}, "order_codes: expected"),
    ({"like": "epic", "order_codes": {"ecg": " x"}}, "order_codes: expected"),
    ({"like": "epic", "order_system": "preference list"}, "order_system: expected a URI"),
    ({"like": "default", "order_codes": {"ecg": "1"}}, "order_system: is missing"),
    ({"like": "epic", "plain_extension": {"nodot": "x"}}, "plain_extension: expected names with a dot"),
    ({"like": "epic", "issuers": ["hospital"]}, "issuers: expected a list of URLs"),
    ({"like": ["epic"]}, "like: there is no profile"),
])
def test_a_wrong_key_is_refused_by_its_name_with_the_reason(told, says):
    with pytest.raises(ValueError) as refused:
        read("ours", told, shipped())
    assert str(refused.value).startswith(says)


@pytest.mark.parametrize("text", ["like: [", "like: default\nlinks: 7\n", "just words", ""])
def test_a_broken_profile_of_ours_is_named_with_its_file(text, monkeypatch, tmp_path: Path):
    (tmp_path / "default.yaml").write_text((HOME / "default.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "ours.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(profile, "HOME", tmp_path)
    with pytest.raises(ValueError, match=r"^cards/profiles/ours\.yaml, "), afresh():
        shipped()
