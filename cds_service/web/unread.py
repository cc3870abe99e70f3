"""Unread: what the server could not read as a request is refused in the same form as everything else.

gunicorn's own page is HTML without our headers, and repeats what it stumbled over. Where a client counts the length of
its body wrongly, that is a piece of a patient's chart.
"""

from __future__ import annotations

from cds_service.settings import Settings
from cds_service.web import errors, guard

# FHIR's IssueType for each status that gunicorn gives by itself, and what to do about it.
_WORDS = {
    400: (
        "structure",
        "this is no HTTP request that can be read: look at its first line, its headers, and whether Content-Length is "
        "the number of bytes of the body",
    ),
    403: ("forbidden", "the connection was refused: call this service as its address says"),
    414: ("too-long", "the address is longer than any of this service: GET /cds-services lists them"),
    417: ("not-supported", "no other expectation than 100-continue is met: send it without the Expect header"),
    431: ("too-long", "the headers are too long or too many: send fewer of them, and a token of 16 kB at most"),
    500: ("exception", "this service failed: the reason is in its log"),
    501: ("not-supported", "this transfer coding is not read: send Content-Length, or chunked alone"),
}


def refusal(settings: Settings, status: int, reason: str) -> bytes:
    """The whole answer, headers included. The connection ends with it."""
    code, words = _WORDS.get(status, _WORDS[400])
    body = errors.outcome(status, code, words).get_data()
    own = (("Connection", "close"), ("Content-Type", "application/json"), ("Content-Length", str(len(body))))
    told = "".join(f"{name}: {value}\r\n" for name, value in (*own, *guard.headers(settings)))
    return f"HTTP/1.1 {status} {reason}\r\n{told}\r\n".encode("ascii") + body
