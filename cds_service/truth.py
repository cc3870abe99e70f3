"""Three truth values: YES, NO and UNKNOWN.

Operators follow the strong three-valued tables. A Truth refuses to be used as a bool, so that `if`, `and` and
`not` cannot swallow UNKNOWN: match on it and end with `assert_never`.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Never


class Truth(Enum):
    """YES, NO or UNKNOWN; `&`, `|` and `~` are and, or, not."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, value: bool | None) -> Truth:
        """The truth of a bool, None meaning UNKNOWN."""
        if value is None:
            return cls.UNKNOWN
        return cls.YES if value else cls.NO

    def __and__(self, other: Truth) -> Truth:
        if self is Truth.NO or other is Truth.NO:
            return Truth.NO
        return Truth.UNKNOWN if self is Truth.UNKNOWN or other is Truth.UNKNOWN else Truth.YES

    def __or__(self, other: Truth) -> Truth:
        if self is Truth.YES or other is Truth.YES:
            return Truth.YES
        return Truth.UNKNOWN if self is Truth.UNKNOWN or other is Truth.UNKNOWN else Truth.NO

    def __invert__(self) -> Truth:
        if self is Truth.UNKNOWN:
            return self
        return Truth.NO if self is Truth.YES else Truth.YES

    def __bool__(self) -> Never:
        raise TypeError("a Truth is not a bool: match on YES, NO and UNKNOWN")


def any_of(truths: Iterable[Truth]) -> Truth:
    """YES when one is YES, else UNKNOWN when one is UNKNOWN, else NO."""
    result = Truth.NO
    for truth in truths:
        result |= truth
    return result


def all_of(truths: Iterable[Truth]) -> Truth:
    """NO when one is NO, else UNKNOWN when one is UNKNOWN, else YES."""
    result = Truth.YES
    for truth in truths:
        result &= truth
    return result
