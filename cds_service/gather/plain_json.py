"""Plain JSON: read exactly as it was written, numbers as decimals, nothing twice; and written again."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any

_EXPONENT = 100


def read_exactly(raw: bytes | str) -> Any:
    """What stands there. Raises Twice, ValueError (no JSON, or a number of impossible size) or RecursionError."""
    return json.loads(raw, parse_float=_decimal, parse_int=_integer, object_pairs_hook=_each_once)


def read_what_is_possible(raw: bytes | str) -> Any:
    """The same, with None for a number of impossible size. Raises ValueError or RecursionError."""
    return json.loads(raw, parse_float=_possible, parse_int=_possible)


def written(content: Any) -> str:
    """As JSON again."""
    return json.dumps(content, default=_number)


def without_empty(value: Any) -> Any:
    """The same JSON without elements that hold nothing: what we send holds no null and nothing empty."""
    if isinstance(value, dict):
        kept = {name: without_empty(each) for name, each in value.items()}
        return {name: each for name, each in kept.items() if each not in (None, "", [], {})}
    return [without_empty(each) for each in value] if isinstance(value, list) else value


class Twice(Exception):
    """An element stands twice in one object: readers differ in which of the two they take."""


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Twice
    return found


def _decimal(text: str) -> Decimal:
    """The number as written. Beyond any measured size it is refused: one such number could fill the memory."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError("a number of impossible size") from None
    if abs(number.adjusted()) > _EXPONENT:
        raise ValueError("a number of impossible size")
    return number


def _integer(text: str) -> int:
    """The whole number as written, refused like `_decimal` does."""
    if len(text) > _EXPONENT:
        raise ValueError("a number of impossible size")
    return int(text)


def _possible(text: str) -> Decimal | int | None:
    """The number as written, None where it is one of impossible size."""
    try:
        return _integer(text) if text.removeprefix("-").isdecimal() else _decimal(text)
    except ValueError:
        return None


def _number(value: Decimal) -> int | float:
    """Decimals as JSON writes them; all else in what was read from JSON it can write itself."""
    return int(value) if value == value.to_integral_value() else float(value)
