"""Salvage: what can be read of a resource that is not valid, leaf by leaf."""

from __future__ import annotations

from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

import msgspec
from msgspec.structs import FieldInfo, fields

from cds_service.decoding import decode
from cds_service.gather.plain_json import written


def rescued(value: Any, shape: Any) -> Any:
    """As much of `value` as has the shape, leaf by leaf; None when it has nothing of it.

    A list of one object is that object; of several nobody knows which.
    """
    if isinstance(shape, UnionType):
        found = (rescued(value, option) for option in get_args(shape) if option is not NoneType)
        return next((each for each in found if each is not None), None)
    if get_origin(shape) is list:
        items = value if isinstance(value, list) else [value]
        return [found for each in items if (found := rescued(each, get_args(shape)[0])) is not None] or None
    if isinstance(shape, type) and issubclass(shape, msgspec.Struct):
        if isinstance(value, list) and len(value) == 1:
            (value,) = value
        return _parts_rescued(value, shape) if isinstance(value, dict) else None
    try:
        return decode(written(value), shape)
    except (msgspec.DecodeError, RecursionError):
        return None


def _parts_rescued(value: dict[str, Any], shape: type[msgspec.Struct]) -> msgspec.Struct | None:
    """The object with the parts that can be read; None when all that it holds is lost."""
    told = [each for each in _parts_of(shape) if each.encode_name in value]
    parts = {each.name: rescued(value[each.encode_name], each.type) for each in told}
    kept = {name: part for name, part in parts.items() if part is not None}
    lost = not kept and any(value.get(each.encode_name) is not None for each in told)
    return None if lost else shape(**kept)


@cache
def _parts_of(shape: type[msgspec.Struct]) -> tuple[FieldInfo, ...]:
    return fields(shape)
