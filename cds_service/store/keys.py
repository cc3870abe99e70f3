"""Keys: ids become marks that nobody can turn back without the key, and what is kept whole is encrypted.

The file of keys has one key a line, as `aml-cds store key` prints it (32 random bytes, URL-safe base64). The first
encrypts; every one decrypts, so a new key is put in front and an old one stays until nothing needs it. Marks are made
with the last: as long as it stays, old and new marks of one id are the same.
"""

from __future__ import annotations

import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from cds_service.errors import SettingsError

if TYPE_CHECKING:  # imported by the first call that is kept whole: marks need none of it
    from cryptography.fernet import MultiFernet

_KEY = 32  # bytes
_MARK = 32  # hexadecimal digits, 128 bits


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """The keys of this installation."""

    lines: tuple[str, ...]

    @classmethod
    def read(cls, file: Path) -> Keys:
        """The keys in this file. Raises SettingsError, OSError."""
        lines = tuple(line.strip() for line in file.read_text(encoding="ascii", errors="replace").splitlines())
        keys = cls(tuple(line for line in lines if line and not line.startswith("#")))
        if not keys.lines or not all(map(_is_key, keys.lines)):
            raise SettingsError(
                f"KEEP_KEY_FILE {file}: expected one key a line, as `aml-cds store key` prints it"
            )
        return keys

    @classmethod
    def read_or_make(cls, file: Path) -> Keys:
        """The keys in this file; when there is none it is made, for its owner only. Raises SettingsError, OSError."""
        if not file.exists():
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with NamedTemporaryFile("w", dir=file.parent, encoding="ascii") as made:  # for its owner only
                made.write(new_key() + "\n")
                made.flush()
                os.fsync(made.fileno())
                with suppress(FileExistsError):  # whole or not at all, and the first of several processes wins
                    os.link(made.name, file)
        return cls.read(file)

    def mark(self, *parts: str) -> str:
        """What stands for these texts. The first says what they are, so that no two kinds can be compared."""
        whole = b"".join([len(part := each.encode("utf-8", "surrogatepass")).to_bytes(4) + part for each in parts])
        return self.mark_of(whole)

    def mark_of(self, content: bytes) -> str:
        """What stands for these bytes."""
        return _marked(_begun(self.lines[-1], b"aml-cds marks"), content)

    def mark_of_link(self, content: bytes) -> str:
        """What proves that a link is ours; no mark of an id can be taken for it."""
        return _marked(_begun(self.lines[-1], b"aml-cds links"), content)

    def seal(self, content: bytes) -> bytes:
        """Encrypted with the first key."""
        return self._boxes().encrypt(content)

    def unseal(self, sealed: bytes) -> bytes | None:
        """As it was; None when none of the keys fits."""
        from cryptography.fernet import InvalidToken

        try:
            return self._boxes().decrypt(sealed)
        except InvalidToken:
            return None

    def _boxes(self) -> MultiFernet:
        from cryptography.fernet import Fernet, MultiFernet

        return MultiFernet([Fernet(line) for line in self.lines])


@lru_cache(maxsize=8)
def _begun(line: str, purpose: bytes) -> hmac.HMAC:
    """A mark that is begun, with the secret that a line of the file gives for this purpose. To be copied."""
    return hmac.new(hmac.digest(urlsafe_b64decode(line), purpose, "sha256"), digestmod="sha256")


def _marked(begun: hmac.HMAC, content: bytes) -> str:
    mark = begun.copy()
    mark.update(content)
    return mark.hexdigest()[:_MARK]


def new_key() -> str:
    """A new key, as the file of keys holds it."""
    return urlsafe_b64encode(os.urandom(_KEY)).decode("ascii")


def _is_key(line: str) -> bool:
    try:
        return len(urlsafe_b64decode(line)) == _KEY
    except ValueError:
        return False
