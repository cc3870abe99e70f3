"""Charts: bars as SVG within the page. Colours come from the page's own style, so they follow light and dark.

Lengths are shares of the width and letters have a size of their own, so that a bar is as long as the screen is wide and
its label can be read on a phone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

_LINE, _BAR, _LABEL = 36, 13, 15  # heights: of all of a bar, of its colours, of the label above them
_LONGEST = 85  # percent of the width; its number stands behind it


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its label, and its parts, each with the class that colours it."""

    label: str
    parts: Sequence[tuple[str, int]]

    @property
    def total(self) -> int:
        """How long it is."""
        return sum(number for _, number in self.parts)


def bars(found: Sequence[Bar], title: str) -> str:
    """The bars below each other, as an <svg>. The numbers stand in the table beside it; `title` says what it shows."""
    longest = max((bar.total for bar in found), default=0) or 1
    lines = [line for place, bar in enumerate(found) for line in _drawn(bar, place * _LINE, _LONGEST / longest)]
    height = max(1, len(found)) * _LINE
    return "\n".join((
        f'<svg xmlns="http://www.w3.org/2000/svg" width="100%" height="{height}" class="bars" role="img">',
        f"<title>{escape(title)}</title>",
        *lines,
        "</svg>",
    ))  # fmt: skip


def _drawn(bar: Bar, top: int, scale: float) -> Iterator[str]:
    yield _text(bar.label, 0, top + _LABEL - 3)
    left = 0.0
    for name, number in bar.parts:
        if number:
            yield (
                f'<rect x="{left:.2f}%" y="{top + _LABEL}" width="{number * scale:.2f}%" height="{_BAR}" '
                f'class="part {escape(name)}"/>'
            )
        left += number * scale
    yield _text(str(bar.total), left, top + _LABEL + _BAR - 2, ' dx="6"')


def _text(words: str, left: float, line: int, more: str = "") -> str:
    return f'<text x="{left:.2f}%" y="{line}" font-size="13" class="label"{more}>{escape(words)}</text>'
