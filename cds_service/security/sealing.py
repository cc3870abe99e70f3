"""Sealing: bytes in memory that only whoever has a secret of theirs, such as an access token, can have opened again."""

from __future__ import annotations

import os
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12  # bytes, as AES-GCM wants them


class Seals:
    """Seals for one process and those forked from it: what was sealed cannot be opened after it has ended."""

    def __init__(self) -> None:
        self._own = os.urandom(32)

    def name(self, secret: str, text: str) -> bytes:
        """What `text` is filed under for this secret; it tells neither."""
        return self._digest(b"name", f"{secret}\n{text}")

    def seal(self, secret: str, plain: bytes) -> bytes:
        """Encrypted with a key made of the secret."""
        nonce = os.urandom(_NONCE)
        return nonce + self._box(secret).encrypt(nonce, plain, None)

    def unseal(self, secret: str, sealed: bytes) -> bytes:
        """What was sealed with this secret. Raises cryptography's InvalidTag for another."""
        return self._box(secret).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)

    def _box(self, secret: str) -> AESGCM:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # needed by few: it is a setting

        return AESGCM(self._digest(b"key", secret))

    def _digest(self, use: bytes, text: str) -> bytes:
        return blake2b(text.encode(), digest_size=32, key=self._own, person=use).digest()
