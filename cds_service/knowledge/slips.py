"""Slips in a hospital's overlay: the one error they end in, and a hint at what was meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from cds_service.errors import KnowledgeError


def near(name: str, names: Iterable[str]) -> str:
    """A hint for a name that does not exist: the nearest ones that do."""
    found = get_close_matches(name, sorted(set(names)), n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(found)}?" if found else ""


def wrong(place: str, reason: str) -> KnowledgeError:
    """The error that stops the start."""
    return KnowledgeError(f"overlay, {place}: {reason}")
