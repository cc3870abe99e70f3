"""Verdicts: which resources were found valid before, by their digest; nothing of what they say is kept.

An order that is chosen, changed and signed brings the same chart again, byte for byte: it need not be checked again.
"""

from __future__ import annotations

from hashlib import blake2b

_BYTES = 16  # of a digest: two different resources do not share one


class Verdicts:
    """Remembers the last `most` resources at least, and twice as many at most. Any number of threads may ask it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._young: set[bytes] = set()
        self._old: set[bytes] = set()

    @staticmethod
    def digest(type_name: str, raw: bytes) -> bytes:
        """What a resource is known by."""
        return blake2b(raw, digest_size=_BYTES, person=type_name[:_BYTES].encode()).digest()

    def knows(self, digest: bytes) -> bool:
        """Whether the resource of that digest was found valid of late."""
        return digest in self._young or digest in self._old

    def note(self, digest: bytes) -> None:
        """The resource of that digest is valid."""
        if len(self._young) >= self._most:
            self._old, self._young = self._young, set()
        self._young.add(digest)
