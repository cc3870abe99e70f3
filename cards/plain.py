"""Our Markdown as plain text, for clients that show the stars and backslashes as they are.

Reads what our templates write: emphasis, headings, links, code, entities, and the escapes that `render` puts before
characters of a chart.
"""

from __future__ import annotations

import html
import re

_HEADING = re.compile(r"^#{1,6}\s+", re.MULTILINE)
_MARKUP = re.compile(
    r"\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|(?<!\\)!?\[(?P<words>(?:\\.|[^\]\\])*)\]\((?P<url>[^)\s]*)\)"
    r"|(?P<entity>&(?:lt|gt|amp|quot|#\d+);)"
    r"|(?<!\w)\*+|\*+(?!\w)|`+"  # a star between two letters or digits, as in 10*9/L, is none of our marks
)


def plain(markdown: str) -> str:
    """The text without its markup; what a chart wrote is as the chart wrote it."""
    return _MARKUP.sub(_unmarked, _HEADING.sub("", markdown))


def _unmarked(match: re.Match[str]) -> str:
    if match["escaped"]:
        return str(match["escaped"])
    if match["entity"]:
        return html.unescape(match["entity"])
    if match["url"]:
        return f"{plain(match['words'])} ({match['url']})"
    return ""
