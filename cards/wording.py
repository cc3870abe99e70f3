"""A hospital's own wording of a card, held against ours: it says the same things in other words, and nothing else.

It must use every value that the shipped wording uses, and no other; and it runs in a sandbox, as it comes from outside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from jinja2 import nodes

from cards.render import HOME, parsed, template

_MARKUP = re.compile(r"<[A-Za-z/!]")


def check(name: str, folder: Path) -> None:
    """Hold the wording `name` of that folder against the shipped one. Raises ValueError naming what is wrong."""
    shipped = {path.stem for path in HOME.glob("*.md")}
    if name not in shipped:
        raise ValueError(f"there is no such card{_near(name, shipped)}")
    if _MARKUP.search((folder / f"{name}.md").read_text(encoding="utf-8")):
        raise ValueError("holds HTML, which some clients would run and others would show as text")
    theirs, ours = template(name, folder), template(name)
    for value in sorted(theirs.needs - ours.needs):
        raise ValueError(f"names '{value}', which this card does not have{_near(value, set(ours.needs))}")
    for value in sorted(ours.needs - theirs.needs):
        raise ValueError(f"does not say '{value}', which the shipped wording says")
    parts = set(_parts(name, HOME))
    for part in sorted(set(_parts(name, folder)) - parts):
        raise ValueError(f"names '{part}', which the shipped wording does not{_near(part, parts)}")


def _parts(name: str, folder: Path) -> Iterator[str]:
    """Each `value.part` that a template asks for."""
    for tree in parsed(name, folder):
        for node in tree.find_all(nodes.Getattr):
            root: nodes.Node = node.node
            while isinstance(root, (nodes.Getattr, nodes.Getitem)):
                root = root.node
            yield f"{root.name if isinstance(root, nodes.Name) else '…'}.{node.attr}"


def _near(name: str, names: set[str]) -> str:
    found = get_close_matches(name, sorted(names), n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(found)}?" if found else ""
