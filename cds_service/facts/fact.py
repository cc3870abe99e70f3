"""What a fact is: a key with a value, or the reason why there is none.

Missing, stale, unreadable and conflicting are different. A fact with a doubt (stale, preliminary, conflicting, perhaps
superseded) may still say YES to a danger, and never says NO. A bound says what it rules in or out: white cells of < 0.1
are not above 25, an eGFR of > 60 is not below 30. Of QTc, potassium and magnesium only a plain value clears.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Generic, TypeVar

import msgspec
from msgspec.structs import replace

from cds_service.facts.times import When, spoken_age
from cds_service.quantity import Quantity
from cds_service.truth import Truth

T = TypeVar("T")
U = TypeVar("U")


class State(Enum):
    """How a fact stands. All but KNOWN reach the clinician in words."""

    KNOWN = "known"
    ABSENT = "none found under the codes we ask for"
    STALE = "too old"
    UNREADABLE = "could not be read"
    CONFLICTING = "conflicting"
    FAILED = "the EHR gave no usable answer"
    NOT_ASKED = "not sent, and not to be had"


@dataclass(frozen=True, slots=True)
class Key(Generic[T]):
    """The one name of a fact, from reader to vignette to card, and how it is spoken."""

    name: str
    label: str
    order: str = ""  # which order of terminology/orders.csv would close the gap, if any
    exact: bool = False  # nothing but a plain value clears it: a bound never does


class Origin(msgspec.Struct, frozen=True):
    """Where a value came from: the resource, the query or prefetch key, and what it looked like there."""

    resource: str
    source: str
    as_received: str = ""
    notes: tuple[str, ...] = ()


_BOUND_WORDS = {"<": "below", "<=": "at most", ">": "above", ">=": "at least"}


class Fact(msgspec.Struct, Generic[T], frozen=True):
    """A value with time and origin, or the reason why there is none."""

    key: Key[T]
    state: State
    value: T | None = None
    when: When | None = None
    origin: Origin | None = None
    bound: str = ""  # "<", "<=", ">" or ">=" when the value is only a bound
    doubts: tuple[str, ...] = ()
    why: str = ""  # the reason, in words, when the state is not KNOWN
    rivals: tuple[T, ...] = ()  # other sure values that may be as new; each is named in the doubts
    newer: Fact[T] | None = None  # a newer one that is doubtful; it counts once this one is too old
    surer: Fact[T] | None = None  # a sure one that may be as new, where this one is doubtful
    once_old: tuple[str, ...] = ()  # what one doubts of it besides, once it is too old

    @property
    def usable(self) -> bool:
        """Whether a value stands here that may still warn of danger, however doubtful."""
        return self.value is not None

    @property
    def sure(self) -> bool:
        """Whether the value may clear a check: known and without any doubt."""
        return self.state is State.KNOWN and not self.doubts and not self.bound

    @property
    def told(self) -> str:
        """The value as it is told: with the sign before it where it is only a bound, and empty where there is none."""
        return "" if self.value is None else f"{self.bound}{self.value}"

    @property
    def bounded(self) -> str:
        """What one doubts of a value that is only a bound, in words; "" of any other."""
        return f"only known to be {_BOUND_WORDS[self.bound]} this" if self.bound else ""

    def within(self, days: Quantity, now: datetime) -> Fact[T]:
        """The same fact, turned STALE when it may be older than so many days. Its value stays visible."""
        if self.state is not State.KNOWN:
            return self
        if self.when is None:
            undated = replace(self.doubted("no date"), state=State.STALE, why="has no date")
            return undated.surer_if(lambda fact: fact.within(days, now).state is State.KNOWN)
        if not self.when.older_than(int(days.value), now):
            return self.surer_if(lambda fact: fact.within(days, now).state is State.KNOWN)
        if self.newer is not None:
            return self.newer.within(days, now)
        words = f"newest: {self.when}, {spoken_age(self.when, now)}; counts for {days}"
        doubts = (*self.doubts, f"{spoken_age(self.when, now)}", *self.once_old)
        return replace(self, state=State.STALE, doubts=doubts, why=words)

    def told_as(self, key: Key[U], convert: Callable[[T], U]) -> Fact[U]:
        """The same measurement as another key, its value converted, and with it every rival."""
        value = None if self.value is None else convert(self.value)
        rivals = tuple(map(convert, self.rivals))
        return Fact(key, self.state, value, self.when, self.origin, self.bound, self.doubts, self.why, rivals)

    def surer_if(self, counts: Callable[[Fact[T]], bool]) -> Fact[T]:
        """The same fact, and the surer one with it only where that counts."""
        return self if self.surer is None or counts(self.surer) else replace(self, surer=None)

    def doubted(self, doubt: str) -> Fact[T]:
        """The same fact with one more doubt."""
        if doubt in self.doubts:
            return self
        newer = self.newer.doubted(doubt) if self.newer is not None else None
        return replace(self, doubts=(*self.doubts, doubt), newer=newer)


def known(key: Key[T], value: T, when: When | None = None, origin: Origin | None = None, **more: Any) -> Fact[T]:
    """A known fact."""
    return Fact(key, State.KNOWN, value, when, origin, **more)


def missing(key: Key[T], state: State, why: str) -> Fact[T]:
    """A fact without a value, and the reason in words."""
    return Fact(key, state, why=why)


_RIVAL = "another result of the same time or without date: "
_RANGE = "given as a range: "
RIVALS = (_RIVAL, "another ECG of the same time or without date: ")
BESIDE = "another one beside it is not certain: "  # told only: it takes nothing from what is sure
RIVALRIES = (*RIVALS, _RANGE)


def rivalled(fact: Fact[T], others: Iterable[Fact[T]]) -> Fact[T]:
    """The fact beside others that may be as new and say something else: doubted, and with its rivals where sure."""
    rivals = tuple(others)
    words = tuple(dict.fromkeys(f"{_RIVAL}{other.bound}{other.value}" for other in rivals))
    values = tuple(other.value for other in rivals if other.value is not None)
    agreeing = values if fact.sure and all(other.sure for other in rivals) else ()
    return replace(fact, doubts=(*fact.doubts, words[0]), rivals=agreeing)


def ranging(fact: Fact[Quantity], most: Quantity, *, low_is_danger: bool) -> Fact[Quantity]:
    """The fact of a range, from its value up to `most`: the end nearer to danger, with the other one as its rival."""
    assert fact.value is not None
    least, sure = fact.value, not fact.doubts
    value, other = (least, most) if low_is_danger else (most, least)
    words = f"{_RANGE}{least} to {most}"
    return replace(fact, value=value, bound="", doubts=(*fact.doubts, words), rivals=(other,) if sure else ())


def holds(fact: Fact[T], test: Callable[[T], bool]) -> Truth:
    """Whether `test` holds of the value: a doubtful value may say YES, never NO; without a value UNKNOWN.

    Where rivals are the only doubt, and the test holds of none of them, whichever is right: NO.
    """
    if fact.value is None:
        return Truth.UNKNOWN
    if test(fact.value):
        return Truth.YES
    return Truth.NO if fact.sure or (_only_rivalled(fact) and not any(map(test, fact.rivals))) else Truth.UNKNOWN


def _only_rivalled(fact: Fact[T]) -> bool:
    only = all(doubt.startswith(RIVALRIES) for doubt in fact.doubts)
    return fact.state is State.KNOWN and bool(fact.rivals) and not fact.bound and only


def above(fact: Fact[Quantity], limit: Quantity) -> Truth:
    """Whether the measured value lies above the limit (the limit itself is not above)."""
    if fact.bound in ("<", "<="):
        return _ruled_out(fact, lambda most: most <= limit)
    if fact.bound == ">":
        return holds(fact, lambda value: value >= limit)
    return holds(fact, lambda value: value > limit)


def below(fact: Fact[Quantity], limit: Quantity) -> Truth:
    """Whether the measured value lies below the limit (the limit itself is not below)."""
    if fact.bound in (">", ">="):
        return _ruled_out(fact, lambda least: least >= limit)
    if fact.bound == "<":
        return holds(fact, lambda value: value <= limit)
    return holds(fact, lambda value: value < limit)


def at_or_above(fact: Fact[Quantity], limit: Quantity) -> Truth:
    """Whether the measured value reaches the limit from below, the limit itself included."""
    if fact.bound in ("<", "<="):
        return _ruled_out(fact, lambda most: most < limit or (most == limit and fact.bound == "<"))
    return above(fact, limit) | holds(fact, lambda value: value == limit and fact.bound in ("", ">", ">="))


def at_or_below(fact: Fact[Quantity], limit: Quantity) -> Truth:
    """Whether the measured value reaches the limit from above, the limit itself included."""
    if fact.bound in (">", ">="):
        return _ruled_out(fact, lambda least: least > limit or (least == limit and fact.bound == ">"))
    return below(fact, limit) | holds(fact, lambda value: value == limit and fact.bound in ("", "<", "<="))


def _ruled_out(fact: Fact[Quantity], test: Callable[[Quantity], bool]) -> Truth:
    """NO where the bound is beyond all doubt and lies on the harmless side of the limit."""
    plain = fact.state is State.KNOWN and not fact.doubts and not fact.key.exact
    return Truth.NO if plain and fact.value is not None and test(fact.value) else Truth.UNKNOWN
