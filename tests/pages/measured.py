"""How long every page takes: `python -m tests.pages.measured` prints the table of docs/pages.md.

Milliseconds of computing in one process, from warm, through the application itself: the median of nine; and the size of
the answer. What the network and the browser add is theirs.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time

from tests.pages.every_page import Opened, opened

_TIMES = 9


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"KEEP": "full", "DATA": folder}
        from cds_service.web import serving
        from tests.pages.test_every_page import a_call, cards_of

        app = serving.from_environment()
        sys.stdout.write("| Page | ms | kB | as JSON, ms | kB |\n|---|---:|---:|---:|---:|\n")
        for page in opened(cards_of(app, a_call())):
            told = " | ".join(_told(app, path) for path in (page.path, page.twin))
            sys.stdout.write(f"| {_named(page)} | {told} |\n")
        app.extensions["store"].close()


def _named(page: Opened) -> str:
    if page.name.startswith("why-") and page.name[4:].isdigit():
        return f"why this card ({page.name[4:]} of a call)"
    return f"`{page.path}`" if len(page.path) < 50 else "`/pathway?lit=…`"


def _told(app, path: str) -> str:
    client, taken = app.test_client(), []
    size = len(client.get(path).data)
    for _ in range(_TIMES):
        begin = time.process_time()
        client.get(path)
        taken.append(1000 * (time.process_time() - begin))
    return f"{statistics.median(taken):.1f} | {size / 1000:.0f}"


if __name__ == "__main__":
    main()
