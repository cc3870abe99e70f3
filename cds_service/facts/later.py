"""Later: facts that are read when somebody asks for them, and then once. Most calls never ask for most of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar, overload

from cds_service.facts.fact import Fact

T = TypeVar("T")


class Later(Sequence[T]):
    """A tuple that is made when it is first looked at, and no further than whoever goes through it goes."""

    def __init__(self, read: Callable[[], Iterable[T]]) -> None:
        self._read = read
        self._made: list[T] = []

    @cached_property
    def _rest(self) -> Iterator[T]:
        return iter(self._read())

    def __iter__(self) -> Iterator[T]:
        place = 0
        while place < len(self._made) or self._has_more():
            yield self._made[place]
            place += 1

    def _has_more(self) -> bool:
        """Make the next one, if there is one."""
        for each in self._rest:
            self._made.append(each)
            return True
        return False

    @cached_property
    def _all(self) -> tuple[T, ...]:
        return tuple(iter(self))

    @overload
    def __getitem__(self, place: int) -> T: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[T, ...]: ...

    def __getitem__(self, place: int | slice) -> T | tuple[T, ...]:
        return self._all[place]

    def __len__(self) -> int:
        return len(self._all)

    def __eq__(self, other: object) -> bool:
        return self._all == (other._all if isinstance(other, Later) else other)

    def __hash__(self) -> int:
        return hash(self._all)

    def __repr__(self) -> str:
        return repr(self._all)


class WhenAsked(Mapping[str, Fact[Any]]):
    """Facts by name: those that were read, and those that are read when they are asked for (`later`: by whom).

    Whoever looks at all of them has all of them read.
    """

    def __init__(self, read: Mapping[str, Fact[Any]], later: Mapping[str, Callable[[str], Fact[Any]]]) -> None:
        self._read, self._later = dict(read), later

    def __getitem__(self, name: str) -> Fact[Any]:
        found = self._read.get(name)
        if found is None:
            found = self._read[name] = self._later[name](name)
        return found

    def __len__(self) -> int:
        return len(self._read.keys() | self._later.keys())

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self._read, *self._later)))

    def __repr__(self) -> str:
        return repr(dict(self))
