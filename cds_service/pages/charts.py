"""Charts: bars as SVG within the page. Colours come from the page's own style, so they follow light and dark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _LINE, _BAR, _LABEL = 640, 26, 16, 190


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
    scale = (_WIDTH - _LABEL - 60) / longest
    lines = [line for place, bar in enumerate(found) for line in _drawn(bar, place * _LINE, scale)]
    height = max(1, len(found)) * _LINE
    return "\n".join((
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}" '
        'class="bars" role="img">',
        f"<title>{escape(title)}</title>",
        *lines,
        "</svg>",
    ))  # fmt: skip


def _drawn(bar: Bar, top: int, scale: float) -> Iterator[str]:
    yield _text(bar.label, _LABEL - 8, top, ' text-anchor="end"')
    left = float(_LABEL)
    for name, number in bar.parts:
        if number:
            yield (
                f'<rect x="{left:.1f}" y="{top + 2}" width="{number * scale:.1f}" height="{_BAR}" '
                f'class="part {escape(name)}"/>'
            )
        left += number * scale
    yield _text(str(bar.total), left + 6, top)


def _text(words: str, left: float, top: int, more: str = "") -> str:
    return f'<text x="{left:.1f}" y="{top + _BAR - 1}" font-size="13" class="label"{more}>{escape(words)}</text>'
