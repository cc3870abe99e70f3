"""What MkDocs is told about our pages: links that leave docs/ stay as words; its colours follow the reader's.

The script of the theme that switches light and dark looks for two style sheets of a highlighter that we do not load.
"""

from __future__ import annotations

import re
from typing import Any

_OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./)[^)\s]+\)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """A page without links to files that the site does not hold: their words stay."""
    return _OUTSIDE.sub(r"\1", markdown)


_HIGHLIGHTER = '<style id="hljs-light"></style><style id="hljs-dark"></style></head>'


def on_post_page(output: str, **_: Any) -> str:
    """A page with the two style sheets that the theme's script switches; empty ones, as nothing is highlighted."""
    return output.replace("</head>", _HIGHLIGHTER, 1)


def on_post_template(output_content: str, **_: Any) -> str:
    """The same for what is no page of ours, as the one that says there is none."""
    return output_content.replace("</head>", _HIGHLIGHTER, 1)
