"""Scores: tables of points from the literature, as data. A score is told only when every input exists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Bands = tuple[tuple[int | None, int], ...]  # up to this value, that many points; None: above all others


@dataclass(frozen=True, slots=True)
class Epi:
    """The points of the EPI score for a first relapse, its groups, and the ages in which it was derived."""

    interval: Bands  # months of the first remission
    age: Bands  # years at relapse
    cytogenetics: tuple[tuple[str, int], ...]  # the group as words.csv names it, and its points
    transplanted: int
    groups: tuple[tuple[int, str], ...]  # up to this sum, the words of the group
    oldest: int

    def __str__(self) -> str:
        return "; ".join(words for _, words in self.groups)

    def group(self, points: int) -> str:
        """The words of the group into which a sum falls."""
        return next(words for most, words in self.groups if points <= most)


def points_of(bands: Bands, value: int) -> int:
    """The points of a value."""
    return next(points for most, points in bands if most is None or value <= most)


def an_epi(value: Any) -> Epi:
    """The score as written in YAML."""
    if not isinstance(value, dict):
        raise ValueError(f"expected the table of the score, found {value!r}")
    return Epi(
        interval=_bands(value["interval"]),
        age=_bands(value["age"]),
        cytogenetics=tuple((str(group), int(points)) for group, points in value["cytogenetics"].items()),
        transplanted=int(value["transplanted"]),
        groups=tuple((int(most), str(words)) for most, words in value["groups"]),
        oldest=int(value["oldest"]),
    )


def _bands(value: Any) -> Bands:
    return tuple((None if most is None else int(most), int(points)) for most, points in value)
