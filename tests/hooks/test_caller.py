"""Who calls, as far as the call says so: read leniently, believed in nothing but the form."""

from __future__ import annotations

import base64
import json

import pytest

from cds_service.hooks.caller import Caller, claimed


def bearer(claims: object, encode=json.dumps) -> str:
    part = base64.urlsafe_b64encode(encode(claims).encode()).decode().rstrip("=")
    return f"Bearer eyJhbGciOiJFUzM4NCJ9.{part}.c2lnbmF0dXJl"


def test_the_issuer_and_the_tenant_are_read_and_not_believed():
    caller = claimed(bearer({"iss": "https://ehr.example/r4/", "tenant": "north", "aud": "x"}))
    assert caller == Caller("https://ehr.example/r4", "north", verified=False)
    assert claimed(bearer({"iss": "https://ehr.example"})) == Caller("https://ehr.example")
    assert claimed("bearer" + bearer({"iss": "https://ehr.example"})[6:]) == Caller("https://ehr.example")
    assert claimed(bearer({"iss": "https://ehr.example"}).replace(" ", "  ")) == Caller("https://ehr.example")


@pytest.mark.parametrize("header", [
    None, "", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer opaque", "Bearer a.b", "Bearer a.b.c.d", "Bearer ..",
    "Bearer a.!!!.c", "Bearer a.é.c", f"Bearer a.{'A' * 20_000}.c", bearer([]), bearer("iss"), bearer(7), bearer({}),
    bearer({"iss": None}), bearer({"iss": 7}), bearer({"iss": ["https://a.example"]}), bearer({"iss": ""}),
    bearer({"iss": "x" * 600}), bearer("[" * 5_000, encode=str), bearer('{"iss": ', encode=str),
])
def test_what_cannot_be_read_names_nobody(header):
    assert claimed(header) is None


def test_a_token_and_a_claim_are_read_up_to_their_longest():
    token = bearer({"iss": "https://ehr.example"})
    longest = token + "A" * (16_384 - len(token.removeprefix("Bearer ")))
    assert claimed(longest) == Caller("https://ehr.example") and claimed(longest + "A") is None
    assert claimed(bearer({"iss": "x" * 512, "tenant": "y" * 512})) == Caller("x" * 512, "y" * 512)
    assert claimed(bearer({"iss": "x" * 513})) is None


@pytest.mark.parametrize("tenant", [None, 7, [], "x" * 600])
def test_a_strange_tenant_is_no_tenant(tenant):
    assert claimed(bearer({"iss": "https://ehr.example", "tenant": tenant})) == Caller("https://ehr.example")
