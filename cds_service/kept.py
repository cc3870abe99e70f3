"""Kept: what a wording or a code was found to mean, so that it need not be found out again for the next patient.

Records say the same things all day: the same products, diagnoses and instructions. What they mean follows from what is
written and from the knowledge alone, so it may be kept. Nothing else is: no date, no id, no result, and no long text.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar

import msgspec

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_MOST = 2000  # meanings of one kind
_LONGEST = 200  # letters of one text: a longer one is a letter about somebody
_LARGEST = 2000  # bytes of everything that is written in one place


class Kept(dict[K, V]):
    """Meanings by what was written; emptied when it is full. Threads may share it: what is lost is found again."""

    def __init__(self, most: int = _MOST) -> None:
        super().__init__()
        self._most = most

    def keep(self, written: K, meaning: V, *texts: str | None) -> V:
        """The meaning. It is known from now on, unless a text in it is too long."""
        size = len(written) if isinstance(written, (bytes, str)) else 0
        if size <= _LARGEST and all(len(text) <= _LONGEST for text in texts if text):
            if len(self) >= self._most:
                self.clear()
            self[written] = meaning
        return meaning


def is_short(text: str) -> bool:
    """Whether what the text means may be kept."""
    return len(text) <= _LONGEST


def as_written(*parts: object) -> bytes:
    """Everything that stands in these elements, by which they are known again."""
    return msgspec.json.encode(parts)
