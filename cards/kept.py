"""What was read from files once is kept; a reload reads it afresh, and takes the old back when the new is no good."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
_EVERY: list[Kept[..., Any]] = []


class Kept(Generic[P, T]):
    """A function whose results are kept, by its arguments, until a reload."""

    def __init__(self, function: Callable[P, T]) -> None:
        self.__doc__ = function.__doc__
        self._function = function
        self.results: dict[Hashable, T] = {}
        _EVERY.append(self)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """The result for these arguments."""
        key: Hashable = (args, *kwargs.items()) if kwargs else args
        try:
            return self.results[key]
        except KeyError:
            pass
        found = self.results[key] = self._function(*args, **kwargs)
        return found


@contextmanager
def afresh() -> Iterator[None]:
    """Within this everything is read again. When it ends in an error, what was kept before is taken back."""
    before = [(each, each.results) for each in _EVERY]
    for each in _EVERY:
        each.results = {}
    try:
        yield
    except BaseException:
        for each, results in before:
            each.results = results
        raise
