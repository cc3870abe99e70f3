"""How the command line speaks: answers to stdout, everything else to stderr, colours only where somebody looks."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer
from time import monotonic
from typing import Any

from cds_service.errors import CdsError

GOOD, PROBLEM, WRONG_USAGE = 0, 1, 2
_PATIENCE = 1.0  # seconds after which progress is told

_RED, _AMBER, _BLUE, _GREEN, _BOLD = "1;31", "33", "36", "32", "1"
# What is coloured: words that stand at the beginning of a line and are said in words too, so that no colour is needed.
_PAINTED = (
    (re.compile(r"^(\[CRITICAL\]|FIRED \(critical\)(?: in shadow)?)", re.M), _RED),
    (re.compile(r"^(\[WARNING\]|FIRED \(warning\)(?: in shadow)?|NOT EVALUATED)", re.M), _AMBER),
    (re.compile(r"^(\[INFO\]|FIRED \(info\)(?: in shadow)?)", re.M), _BLUE),
    (re.compile(r"^(CLEAR|Everything is sound\.)", re.M), _GREEN),
    (re.compile(r"^(Not sound\b)", re.M), _RED),
    (re.compile(r"^(== .*)$", re.M), _BOLD),
)


def say(words: str = "", end: str = "\n") -> None:
    """The answer, or a part of it."""
    print(painted(words) if is_coloured() else words, end=end)  # noqa: T201 - the one place that answers at the prompt


def say_json(content: Any) -> int:
    """The answer for machines."""
    print(json.dumps(content, indent=2, ensure_ascii=False, default=str))  # noqa: T201 - likewise, never coloured
    return GOOD


def is_coloured() -> bool:
    """Whether somebody looks who may want colours: at a terminal, and NO_COLOR (no-color.org) is not set."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def painted(words: str) -> str:
    """The same in colours, for a terminal."""
    for pattern, colour in _PAINTED:
        words = pattern.sub(f"\x1b[{colour}m\\1\x1b[0m", words)
    return words


def tell_error(error: CdsError, code: int) -> int:
    """What went wrong, and the exit code."""
    sys.stdout.flush()
    _beside(str(error))
    return code


def tell_beside(words: str) -> None:
    """What accompanies the answer, where there is something to say."""
    if words:
        _beside(words)


def teller() -> Callable[[str], None]:
    """Says each step, once it has taken longer than one is glad to wait."""
    patient_until = monotonic() + _PATIENCE

    def tell(words: str) -> None:
        if monotonic() >= patient_until:
            _beside(f"{words} …")

    return tell


@contextmanager
def progress(words: str) -> Iterator[None]:
    """Say what is going on when it takes longer than one is glad to wait."""
    timer = Timer(_PATIENCE, lambda: _beside(f"{words} …"))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _beside(words: str) -> None:
    print(f"aml-cds: {words}", file=sys.stderr, flush=True)  # noqa: T201 - what only accompanies the answer


def at_the_prompt() -> dict[str, str]:
    """The environment for what is told at the prompt: the stories are of demo mode, whatever the service runs in."""
    return {name: value for name, value in os.environ.items() if name not in ("MODE", "TENANTS")}
