"""What the server itself refuses: JSON with our headers, and not a word of what came."""

from __future__ import annotations

import json

import pytest

from cds_service.settings import Settings
from cds_service.web import guard
from cds_service.web.unread import refusal

DEMO = Settings.load({})
BEHIND_TLS = Settings.load({"PUBLIC_URL": "https://cds.example"})


@pytest.mark.parametrize("settings", [DEMO, BEHIND_TLS])
@pytest.mark.parametrize("status", [400, 403, 414, 417, 431, 500, 501, 418])
def test_every_refusal_is_an_outcome_that_says_what_to_do(settings, status):
    head, _, body = refusal(settings, status, "Some Reason").partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    told = dict(line.split(": ", 1) for line in lines)
    assert first == f"HTTP/1.1 {status} Some Reason"
    assert told["Connection"] == "close" and told["Content-Type"] == "application/json"
    assert int(told["Content-Length"]) == len(body)
    assert dict(guard.headers(settings)).items() <= told.items()
    (issue,) = json.loads(body)["issue"]
    assert issue["severity"] == "error" and issue["code"] and ": " in issue["diagnostics"]
