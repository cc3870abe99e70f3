"""Below: the path of `PUBLIC_URL`, under which callers see this service where a proxy gives it only a part of a name.

Links of pages begin with it. A proxy may take it away before it hands a call on, or leave it: both are understood.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def below(path: str, application: WSGIApplication) -> WSGIApplication:
    """The application as it is seen below this path, "/aml"; the same one where the path is empty."""
    path = path.rstrip("/")
    if not path:
        return application

    def seen(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        called: str = environ.get("PATH_INFO", "")
        if called == path or called.startswith(path + "/"):
            environ["PATH_INFO"] = called[len(path) :] or "/"
        environ["SCRIPT_NAME"] = path
        return application(environ, start)

    return seen
