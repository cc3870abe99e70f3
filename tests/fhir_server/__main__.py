"""Run the server: python -m tests.fhir_server [--port N] [--token-file FILE]. Its first line is its base URL."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from werkzeug.serving import WSGIRequestHandler, make_server

from tests.fhir_server.app import create_app


class Handler(WSGIRequestHandler):
    """Keeps connections open, as real servers do, and logs nothing."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for the one before

    def send_response(self, code: int, message: str | None = None) -> None:
        """Without the headers that come by themselves: one Date is enough."""
        self.send_response_only(code, message)

    def log_request(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="python -m tests.fhir_server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="a free one by default")
    parser.add_argument("--token-file", type=Path, help="only who sends the token in it is let in")
    given = parser.parse_args()
    token = given.token_file.read_text(encoding="utf-8").strip() if given.token_file else None
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", given.port, create_app(token), threaded=True, request_handler=Handler)
    print(f"http://127.0.0.1:{server.port}/fhir", flush=True)  # noqa: T201 - whoever started it waits for this
    server.serve_forever()


if __name__ == "__main__":
    main()
