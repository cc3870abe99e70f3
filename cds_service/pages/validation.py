"""The vignettes of each rule, as the tests hold them: `scripts/docs` writes the list, a test keeps it current."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import msgspec

from cds_service.decoding import decode

LIST = Path(__file__).with_name("validation.json")


class CaseFile(msgspec.Struct, frozen=True):
    """A file of cases: where the expectation comes from, and each case by its name and what is expected of it."""

    file: str
    source: str
    cases: tuple[tuple[str, str], ...]


class _Told(msgspec.Struct, frozen=True):
    rules: dict[str, tuple[CaseFile, ...]]
    therapies: dict[str, int]
    sources: dict[str, int]


@cache
def _told() -> _Told:
    return decode(LIST.read_bytes(), _Told)


def cases_of(rule: str) -> tuple[CaseFile, ...]:
    """The files of cases of a rule."""
    return _told().rules.get(rule, ())


def told_of(rules: Iterable[str]) -> int:
    """How many cases tell of these rules."""
    return sum(len(each.cases) for rule in rules for each in cases_of(rule))


def naming(source: str) -> int:
    """How many cases give this entry of the sources as theirs."""
    return _told().sources.get(source, 0)


def told_with(therapy: str) -> int:
    """How many cases tell of a drug of this therapy."""
    return _told().therapies.get(therapy, 0)


def by_outcome(files: Iterable[CaseFile]) -> Mapping[str, int]:
    """How many of the cases expect which outcome, the most frequent first."""
    return dict(Counter(expected for each in files for _, expected in each.cases).most_common())
