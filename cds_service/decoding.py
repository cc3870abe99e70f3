"""Decoding: JSON into typed shapes, from any number of threads.

msgspec learns a shape when it is first asked for it, and is not safe while two threads teach it the same one: a worker
that had just started crashed under its first calls. Here a shape is learnt by one thread at a time, and once.
"""

from __future__ import annotations

import threading
from typing import Any, TypeVar, cast

import msgspec

T = TypeVar("T")
LEARNING = threading.RLock()  # held while a shape is learnt, here or elsewhere
_DECODERS: dict[Any, msgspec.json.Decoder[Any]] = {}


def decoder(shape: type[T]) -> msgspec.json.Decoder[T]:
    """The decoder for that shape, made once."""
    found = _DECODERS.get(shape)
    if found is None:
        with LEARNING:
            found = _DECODERS.get(shape) or _DECODERS.setdefault(shape, msgspec.json.Decoder(shape))
    return cast("msgspec.json.Decoder[T]", found)


def decode(raw: bytes | str | msgspec.Raw, shape: type[T]) -> T:
    """The JSON as that shape. Raises msgspec.DecodeError, UnicodeDecodeError or RecursionError."""
    return decoder(shape).decode(raw)

