"""The Markdown of cards as pages show it: as HTML for templates, and as a tree of named elements for scripts.

What a chart wrote stays text: HTML is not read, pictures are not made, and a link leads to http(s) or is not one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from markupsafe import Markup

if TYPE_CHECKING:  # imported by the first page that shows a card: the hooks need none of it
    from markdown_it import MarkdownIt
    from markdown_it.token import Token
    from markdown_it.tree import SyntaxTreeNode

# Every element that may come of a card, by the name that markdown-it has for it. A script makes no other either.
ELEMENTS = {
    "paragraph": "p", "bullet_list": "ul", "ordered_list": "ol", "list_item": "li", "strong": "strong", "em": "em",
    "code_inline": "code", "link": "a", "heading": "h4", "blockquote": "blockquote", "softbreak": "br",
    "hardbreak": "br", "fence": "pre", "code_block": "pre", "hr": "hr",
}  # fmt: skip
_SCHEMES = ("http", "https")
_REL = "noopener noreferrer"

Piece = str | dict[str, Any]  # a text, or {"tag": "a", "href": "https://…", "children": [piece, …]}


def shown(markdown: str) -> Markup:
    """The text as safe HTML, ready for a template."""
    return Markup(_reader().render(markdown))  # noqa: S704 - the reader escapes what it did not write itself


def tree(markdown: str) -> list[Piece]:
    """The same text as elements and texts, for scripts that make elements one by one and never read HTML."""
    from markdown_it.tree import SyntaxTreeNode

    return list(_pieces(SyntaxTreeNode(_reader().parse(markdown))))


def _pieces(node: SyntaxTreeNode) -> Iterator[Piece]:
    for child in node.children:
        if child.type == "text":
            yield from [child.content] if child.content else []
        elif child.type == "inline" or child.type not in ELEMENTS or (child.type == "paragraph" and child.hidden):
            yield from _pieces(child)
        else:
            yield _element(child)


def _element(node: SyntaxTreeNode) -> Piece:
    inside: list[Piece] = [node.content] if node.type in ("code_inline", "fence", "code_block") else []
    element: dict[str, Any] = {"tag": ELEMENTS[node.type], "children": inside or list(_pieces(node))}
    if node.type == "link":
        element["href"] = str(node.attrs["href"])
    return element


def _leads_somewhere(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme.lower() in _SCHEMES and bool(parts.hostname)


def _smaller(renderer: Any, tokens: list[Token], index: int, options: Any, env: Any) -> str:
    """A heading within a card is never one of the page."""
    tokens[index].tag = ELEMENTS["heading"]
    return str(renderer.renderToken(tokens, index, options, env))


def _away(renderer: Any, tokens: list[Token], index: int, options: Any, env: Any) -> str:
    """A link that opens elsewhere and learns nothing of where it was opened."""
    tokens[index].attrSet("rel", _REL)
    tokens[index].attrSet("target", "_blank")
    return str(renderer.renderToken(tokens, index, options, env))


@cache
def _reader() -> MarkdownIt:
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False, "breaks": True})
    reader.disable(["image", "html_block", "html_inline"])
    reader.validateLink = _leads_somewhere  # type: ignore[method-assign]
    reader.add_render_rule("link_open", _away)
    reader.add_render_rule("heading_open", _smaller)
    reader.add_render_rule("heading_close", _smaller)
    return reader
