"""Decoding: JSON into typed shapes, from any number of threads.

msgspec learns a shape when it is first asked for it, and is not safe while two threads teach it the same one: a worker
that had just started crashed under its first calls. Here a shape is learnt by one thread at a time, and once.
"""

from __future__ import annotations

import json
import re
import threading
from typing import Any, TypeVar, cast

import msgspec

T = TypeVar("T")


class Name:
    """A name in an object, as it came. As the key of a dict, two that read alike stay two, so that none hides another.

    `dict[Name, msgspec.Raw]` is such a shape: where JSON has a name twice, a plain dict holds the last one only.
    """

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


Members = dict[Name, msgspec.Raw]  # of an object, each as often as it came
LEARNING = threading.RLock()  # held while a shape is learnt, here or elsewhere
_DECODERS: dict[Any, msgspec.json.Decoder[Any]] = {}


BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Half of a letter beyond the first 65 536 (a surrogate) without its other half, where an escaped backslash is hidden.
_HALF = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
_ESCAPED, _HIDDEN = b"\\\\", b"\x00\x00"  # the second stands in no JSON
_SPELLED_OUT = re.compile(rb"\\u00[4-7]")  # a letter of ASCII by its number, as nobody writes it but to hide it


def may_stand_twice(raw: bytes, name: str, often: int) -> bool:
    """Whether an element of that name may stand twice in one object: it stands more often, or a letter is spelled."""
    spelled = b"\\" in raw and b"\\u00" in raw and _SPELLED_OUT.search(raw) is not None
    return spelled or raw.count(b'"%s"' % name.encode()) > often


def stands_twice(raw: bytes | msgspec.Raw, name: str, often: int) -> bool:
    """Whether an element of that name stands twice in one object, of which a reader takes one.

    Where the name stands at most so `often`, and no letter is spelled by its number, nobody need look closer.
    """
    whole = bytes(raw)
    if not may_stand_twice(whole, name, often):
        return False
    found = False

    def look(pairs: list[tuple[str, Any]]) -> None:
        nonlocal found
        found = found or sum(key == name for key, _ in pairs) > 1

    try:
        json.loads(whole, object_pairs_hook=look, parse_int=str, parse_float=str)  # a number may have any size
    except (ValueError, RecursionError):
        return False  # not readable at all, which is told elsewhere
    return found


def as_meant(raw: bytes) -> bytes:
    """JSON that was not readable: without a byte order mark, with the replacement character for each half of a letter.

    A text that was cut within an emoji costs all that stands around it: no reader takes it for JSON.
    """
    bare = raw.removeprefix(BYTE_ORDER_MARK)
    if _HIDDEN[:1] in bare:
        return bare
    return _HALF.sub(rb"\\ufffd", bare.replace(_ESCAPED, _HIDDEN)).replace(_HIDDEN, _ESCAPED)


def decoder(shape: type[T]) -> msgspec.json.Decoder[T]:
    """The decoder for that shape, made once."""
    found = _DECODERS.get(shape)
    if found is None:
        with LEARNING:
            found = _DECODERS.get(shape) or _DECODERS.setdefault(
                shape, msgspec.json.Decoder(shape, dec_hook=_made)
            )
    return cast("msgspec.json.Decoder[T]", found)


def _made(_: type, value: Any) -> Name:
    return Name(value)


def each_once(members: Members) -> bool:
    """Whether no name stands twice among these."""
    return len({each.text for each in members}) == len(members)


def any_twice(raw: bytes) -> bool:
    """Whether in some object of this JSON, however deep, a name stands twice. Slow: for small bodies."""
    found = False

    def look(pairs: list[tuple[str, Any]]) -> None:
        nonlocal found
        found = found or len({name for name, _ in pairs}) != len(pairs)

    json.loads(raw, object_pairs_hook=look, parse_int=str, parse_float=str)  # a number may have any size
    return found


def decode(raw: bytes | str | msgspec.Raw, shape: type[T]) -> T:
    """The JSON as that shape. Raises msgspec.DecodeError, also where a text is not UTF-8, or RecursionError."""
    try:
        return decoder(shape).decode(raw)
    except UnicodeDecodeError:
        raise msgspec.DecodeError("a text is not UTF-8") from None

