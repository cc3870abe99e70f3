"""Charts: bars as SVG within the page. Colours come from the page's own style, so they follow light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import drawsvg  # type: ignore[import-untyped]  # it has no stubs

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
    drawing = drawsvg.Drawing(_WIDTH, max(1, len(found)) * _LINE, class_="bars", role="img")
    drawing.append_title(title)
    longest = max((bar.total for bar in found), default=0) or 1
    scale = (_WIDTH - _LABEL - 60) / longest
    for place, bar in enumerate(found):
        top = place * _LINE
        drawing.append(
            drawsvg.Text(bar.label, 13, _LABEL - 8, top + _BAR - 1, text_anchor="end", class_="label")
        )
        left = float(_LABEL)
        for name, number in bar.parts:
            if number:
                drawing.append(
                    drawsvg.Rectangle(round(left, 1), top + 2, round(number * scale, 1), _BAR, class_=f"part {name}")
                )
            left += number * scale
        drawing.append(drawsvg.Text(str(bar.total), 13, round(left + 6, 1), top + _BAR - 1, class_="label"))
    drawn: str = drawing.as_svg()
    return drawn[drawn.index("<svg"):]
