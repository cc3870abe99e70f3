"""Lean: Flask without what this service never uses, since it would be asked for at every call.

There are no sessions here and nothing asynchronous, and an answer that is whole goes out with its headers as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Flask, Request, Response
from flask.sessions import NullSession, SessionInterface
from werkzeug.datastructures import Headers

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class _NoSessions(SessionInterface):
    """Nobody has a session: one that cannot be written to stands for all."""

    def __init__(self) -> None:
        self._none = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:
        """The session that is none."""
        return self._none


class Lean(Flask):
    """The application. Whoever writes an asynchronous function for it gets it back unasked, which Flask refuses."""

    session_interface = _NoSessions()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function: it is synchronous, as all of ours are."""
        return func


class Whole(Response):
    """An answer with status 200 and a body at hand: no header of it needs to be made out or put right at the end."""

    def __init__(self, body: bytes, content_type: str) -> None:
        super().__init__(body, content_type=content_type)

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        """The headers as they stand: the length is among them, an address is not."""
        return self.headers
