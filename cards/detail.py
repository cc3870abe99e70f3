"""What a card says, piece by piece, and how the pieces become one text: whole, or short for a narrow panel.

In the short text no word of a warning or a stop is left out, every finding keeps its first line, and what is left out
is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

BY_HAND = "**By hand:** "
_BETWEEN = "\n\n"


@dataclass(frozen=True, slots=True)
class Said:
    """What the card says of one finding, in Markdown. `urgent`: a warning or a stop, which is never shortened."""

    text: str
    urgent: bool


@dataclass(frozen=True, slots=True)
class Detail:
    """The pieces: findings, the most urgent first; notes on them; the orders concerned; sources; and the foot.

    `sources` are whole lines with place and state; `named` are the same sources by their names alone.
    """

    findings: tuple[Said, ...]
    notes: tuple[str, ...] = ()
    concerns: str = ""
    sources: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    foot: str = ""

    def whole(self, by_hand: Iterable[str] = ()) -> str:
        """Everything. `by_hand`: what the client cannot be offered to do with one click."""
        sources = "**Sources**\n\n" + "\n".join(self.sources) if self.sources else ""
        return _joined([*(each.text for each in self.findings), *self._after(by_hand), sources, self.foot])

    def short(self, longest: int, by_hand: Iterable[str] = ()) -> str:
        """The same within `longest` characters, as far as that can be had without cutting what is urgent."""
        whole = self.whole(by_hand)
        if len(whole) <= longest:
            return whole
        sources = f"**Sources:** {'; '.join(self.named)}." if self.named else ""
        rest = [*self._after(by_hand), sources, self.foot]
        room = longest - len(_joined([*rest, _left_out(999)])) - len(_BETWEEN)
        return _joined([*_fitted(self.findings, room), *rest])

    def _after(self, by_hand: Iterable[str]) -> Iterator[str]:
        """What follows the findings in both texts."""
        todo = "; ".join(by_hand)
        yield from self.notes
        yield f"{BY_HAND}{todo}." if todo else ""
        yield self.concerns


def _joined(parts: Iterable[str]) -> str:
    return _BETWEEN.join(part for part in parts if part)


def _fitted(findings: tuple[Said, ...], room: int) -> Iterator[str]:
    """The findings within so many characters, and how many lines were left out."""
    lines = [_lines(each.text) for each in findings]
    kept = [len(these) if said.urgent else 1 for said, these in zip(findings, lines, strict=True)]
    room -= sum(len(line) for these, number in zip(lines, kept, strict=True) for line in these[:number])
    for index, these in enumerate(lines):
        while kept[index] < len(these) and len(these[kept[index]]) <= room:
            room -= len(these[kept[index]])
            kept[index] += 1
        while 1 < kept[index] < len(these) and _is_heading(these[kept[index] - 1]):
            kept[index] -= 1
    for these, number in zip(lines, kept, strict=True):
        yield "".join(these[:number]).strip()
    left_out = sum(len(these) - number for these, number in zip(lines, kept, strict=True))
    yield _left_out(left_out) if left_out else ""


def _lines(text: str) -> list[str]:
    """The lines that say something, each with what parts it from the one before."""
    return [
        ("\n" if index else _BETWEEN) + line
        for paragraph in text.split(_BETWEEN)
        for index, line in enumerate(paragraph.strip("\n").split("\n"))
    ]


def _is_heading(line: str) -> bool:
    words = line.strip()
    return words.startswith("**") and words.endswith("**")


def _left_out(number: int) -> str:
    lines = "1 further line" if number == 1 else f"{number} further lines"
    return f"*Shortened for a narrow panel: {lines} not shown.*"
