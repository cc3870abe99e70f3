"""What MkDocs is told about our pages: links that leave docs/ for the code lead to its place in the repository."""

from __future__ import annotations

import re
from typing import Any

_OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./)[^)\s]+\)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """A page without links to files that the site does not hold: their words stay."""
    return _OUTSIDE.sub(r"\1", markdown)
