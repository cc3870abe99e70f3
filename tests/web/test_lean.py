"""What was left out of Flask for speed is of no use here, and what goes out is what would have gone out."""

from __future__ import annotations

import inspect
import io

import pytest
from flask import Response, session

from cds_service.web.lean import Whole
from tests.web.conftest import Answer

ORDER_SIGN = "/cds-services/aml-order-sign"
SECURITY = ("Cache-Control", "Content-Security-Policy", "Referrer-Policy", "X-Content-Type-Options", "Vary")


class Stream:
    """A body that comes in pieces; an error among them is raised."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self._pieces = [*pieces]
        self.asked: list[int] = []

    def read(self, size: int = -1) -> bytes:
        self.asked.append(size)
        piece = self._pieces.pop(0) if self._pieces else b""
        if isinstance(piece, Exception):
            raise piece
        return piece


def posted(client, stream, length: int):
    environ = {"wsgi.input": stream, "CONTENT_LENGTH": str(length)}
    return client.post(ORDER_SIGN, content_type="application/json", environ_overrides=environ)


@pytest.fixture
def sizes(make_app):
    """A client, and how large the bodies were that reached the line."""
    found: list[bytes] = []

    def answer(body: bytes, *_: object):
        found.append(body)
        return Answer(b'{"cards":[]}')

    return make_app(answer).test_client(), found


def test_nothing_in_the_application_is_asynchronous(make_app):
    app = make_app()
    hooks = [each for chain in (app.before_request_funcs, app.after_request_funcs) for each in chain.values()]
    ours = [*app.view_functions.values(), *(function for chain in hooks for function in chain)]
    assert len(ours) > 5 and not [each for each in ours if inspect.iscoroutinefunction(each)]


def test_nobody_has_a_session_and_nobody_can_write_to_one(make_app):
    app = make_app()
    app.add_url_rule("/writes", "writes", lambda: session.update(who="p1") or "written")
    app.add_url_rule("/reads", "reads", lambda: str(dict(session)))
    client = app.test_client()
    assert client.get("/writes").status_code == 500
    read = client.get("/reads")
    assert read.text == "{}" and "Set-Cookie" not in read.headers


def test_an_answer_goes_out_with_the_headers_that_any_other_would_have(make_app):
    app = make_app()
    with app.test_request_context(ORDER_SIGN) as context:
        environ = context.request.environ
        plain, whole = (kind(b"{}", content_type="application/json") for kind in (Response, Whole))
        told = [made.get_wsgi_response(environ) for made in (plain, whole)]
    assert told[0][1:] == told[1][1:] and [b"".join(each[0]) for each in told] == [b"{}", b"{}"]


def test_a_page_with_headers_of_its_own_has_each_of_ours_once(make_app):
    app = make_app()
    own = {"cache-control": "public", "Vary": "Accept"}
    app.add_url_rule("/own", "own", lambda: Response("here", headers=own))
    headers = app.test_client().get("/own").headers
    assert {name: len(headers.getlist(name)) for name in SECURITY} == dict.fromkeys(SECURITY, 1)
    assert headers["Cache-Control"] == "no-store" and headers["Vary"] == "Accept, Origin"


def test_a_body_that_comes_in_pieces_is_read_to_its_end_and_no_further(sizes):
    client, found = sizes
    stream = Stream(b"abc", b"de", b"fghij", b"the next request")
    assert posted(client, stream, 10).status_code == 200
    assert found == [b"abcdefghij"] and stream.asked == [10, 7, 5]


@pytest.mark.parametrize(
    "stream", [Stream(b"abc"), Stream(b"abc", OSError()), Stream(ValueError()), Stream(b"a", EOFError())]
)
def test_a_body_that_breaks_off_reaches_nobody(sizes, stream):
    client, found = sizes
    refused = posted(client, stream, 10)
    assert refused.status_code == 400 and refused.get_json()["resourceType"] == "OperationOutcome"
    assert not found


def test_a_body_in_chunks_is_read_as_before(sizes):
    client, found = sizes
    chunked = {"wsgi.input": io.BytesIO(b"x" * 100), "wsgi.input_terminated": True}
    headers = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    assert client.post(ORDER_SIGN, headers=headers, environ_overrides=chunked).status_code == 200
    assert found == [b"x" * 100]
