"""Kept: what a wording or a code was found to mean, so that it need not be found out again for the next patient.

Records say the same things all day: the same products, diagnoses and instructions. What they mean follows from what is
written and from the knowledge alone, so it may be kept. Nothing else is: no date, no id, no result. A text that is not
the name of a code is known again by its digest, and is not kept itself.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from hashlib import blake2b
from typing import TypeVar

import msgspec

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_MOST = 2000  # meanings of one kind
_LONGEST = 200  # letters of one text: a longer one is a letter about somebody
_DIGEST = 16  # bytes: two texts do not share one


class Kept(dict[K, V]):
    """Meanings by what was written; emptied when it is full. Threads may share it: what is lost is found again."""

    def __init__(self, most: int = _MOST) -> None:
        super().__init__()
        self._most = most

    def keep(self, written: K, meaning: V, *texts: str | None) -> V:
        """The meaning. It is known from now on, unless a text in it is too long."""
        if all(len(text) <= _LONGEST for text in texts if text):
            if len(self) >= self._most:
                self.clear()
            self[written] = meaning
        return meaning


def is_short(text: str) -> bool:
    """Whether what the text means may be kept."""
    return len(text) <= _LONGEST


def are_names(text: str | None, names: Iterable[str | None]) -> bool:
    """Whether every word of the text stands in the names of its codes: it is then nobody's own words."""
    if not text:
        return True
    known = [each for each in names if each]
    return text in known or set(text.casefold().split()) <= set(" ".join(known).casefold().split())


def as_written(*parts: object) -> bytes:
    """What these elements are known by: a digest of all that stands in them."""
    return blake2b(msgspec.json.encode(parts), digest_size=_DIGEST).digest()


def by_digest(text: str) -> bytes:
    """What a text is known by, without a word of it."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST).digest()
