"""A hospital's own wording of a card, held against ours: it says the same things in other words, and nothing else.

It must use every value that the shipped wording uses, and no other; and it runs in a sandbox, as it comes from outside.
It is rendered once with stand-ins before anybody needs it. What it may be made of is what ours is made of, so that none
can run for long: no calls, no includes, and loops over nothing but the values of the card.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from jinja2 import TemplateError, nodes

from cards.model import LONGEST_SUMMARY
from cards.render import HOME, parsed, said_of, template

_MARKUP = re.compile(r"<[A-Za-z/!]")
_IMAGE = re.compile(r"!\[")
_MADE_OF = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Const, nodes.Name, nodes.Getattr, nodes.Getitem,
    nodes.Slice, nodes.If, nodes.For, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not,
    nodes.Test,
    nodes.Filter, nodes.Keyword, nodes.Neg, nodes.Add, nodes.Sub, nodes.Mod, nodes.Concat, nodes.List, nodes.Tuple,
)  # fmt: skip
_FILTERS = frozenset((
    "abs", "capitalize", "count", "default", "few", "first", "first_upper", "join", "last", "length", "lower", "map",
    "replace", "reverse", "round", "sort", "title", "trim", "unique", "upper",
))  # fmt: skip
_FILLED = re.compile(r"(?:[^%]|%s)*")  # words with places for values
_DEEPEST = 3  # loops within loops


def check(name: str, folder: Path) -> None:
    """Hold the wording `name` of that folder against the shipped one. Raises ValueError naming what is wrong."""
    shipped = {path.stem for path in HOME.glob("*.md")}
    if name not in shipped:
        raise ValueError(f"there is no such card{_near(name, shipped)}")
    text = (folder / f"{name}.md").read_text(encoding="utf-8")
    if _MARKUP.search(text):
        raise ValueError("holds HTML, which some clients would run and others would show as text")
    if _IMAGE.search(text):
        raise ValueError("holds an image, which some clients would fetch from elsewhere: say it in words")
    try:
        for tree in parsed(name, folder):
            _require_plain(tree)
    except RecursionError:
        raise ValueError("is nested too deeply to be read: write it more simply") from None
    except TemplateError as fault:
        raise ValueError(str(fault)) from None
    theirs, ours = template(name, folder), template(name)
    for value in sorted(theirs.needs - ours.needs):
        raise ValueError(f"names '{value}', which this card does not have{_near(value, set(ours.needs))}")
    for value in sorted(ours.needs - theirs.needs):
        raise ValueError(f"does not say '{value}', which the shipped wording says")
    parts = set(_parts(name, HOME))
    for part in sorted(set(_parts(name, folder)) - parts):
        raise ValueError(f"names '{part}', which the shipped wording does not{_near(part, parts)}")
    prove(name, folder)


def prove(name: str, home: Path) -> None:
    """Render that template with stand-ins, once as something and once as nothing. Raises ValueError."""
    said = []
    for there in (True, False):
        try:
            said.append(said_of(name, dict.fromkeys(template(name, home).needs, _Anything(there)), home))
        except Exception as fault:  # noqa: BLE001 - whatever a template does wrong is what we want to know
            raise ValueError(f"cannot be rendered ({fault}): correct it, or take the file away") from None
    if not any(summary for summary, _ in said):
        raise ValueError("its summary says nothing: write one line")
    if not any(body for _, body in said) and any(_of_ours(name)):
        raise ValueError("its body says nothing: write what the card should say")
    longest = max(len(summary) for summary, _ in said)
    if longest > LONGEST_SUMMARY:
        raise ValueError(
            f"its summary has {longest} characters before any value stands in it, and a card shows {LONGEST_SUMMARY}: "
            "shorten it"
        )


def _of_ours(name: str) -> Iterator[str]:
    """The body of the shipped wording, with the stand-ins."""
    for there in (True, False):
        yield said_of(name, dict.fromkeys(template(name).needs, _Anything(there)), HOME)[1]


def _require_plain(tree: nodes.Template) -> None:
    """Only what shipped wordings are made of. Raises ValueError naming what else there is."""
    for node in tree.find_all(nodes.Node):
        if isinstance(node, nodes.Filter) and (node.name not in _FILTERS or (node.name == "map" and node.args)):
            raise ValueError(f"the filter '{node.name}' is not used in wordings; there are "
                             f"{', '.join(sorted(_FILTERS))} (map with attribute= only)")  # fmt: skip
        if isinstance(node, nodes.For) and not _is_value(node.iter):
            raise ValueError("a loop goes over a value of the card, and over nothing else")
        if isinstance(node, nodes.Mod) and not _fills_words(node.left):
            raise ValueError("'%' fills words at %s, and does nothing else")
        if not isinstance(node, (*_MADE_OF, nodes.Helper, nodes.EvalContextModifier)):
            kind = type(node).__name__.lower()
            raise ValueError(f"'{kind}' is not used in wordings: say it with values, if and for")
    if _depth(tree) > _DEEPEST:
        raise ValueError(f"more than {_DEEPEST} loops stand within each other")


def _fills_words(left: nodes.Expr) -> bool:
    return isinstance(left, nodes.Const) and _FILLED.fullmatch(str(left.value)) is not None


def _is_value(node: nodes.Node) -> bool:
    """Whether it is a value of the card, or a part of one."""
    while isinstance(node, (nodes.Getattr, nodes.Getitem, nodes.Filter)) and node.node is not None:
        node = node.node
    return isinstance(node, nodes.Name)


def _depth(node: nodes.Node) -> int:
    deepest = max((_depth(each) for each in node.iter_child_nodes()), default=0)
    return deepest + isinstance(node, nodes.For)


class _Anything:
    """Stands in for any value that a template may ask for; once as something, once as nothing."""

    def __init__(self, there: bool) -> None:
        self._there = there

    def __getattr__(self, name: str) -> _Anything:
        return self

    def __bool__(self) -> bool:
        return self._there

    def __iter__(self) -> Iterator[_Anything]:
        return iter((self,) if self._there else ())

    def __len__(self) -> int:
        return int(self._there)

    def __getitem__(self, key: object) -> _Anything:
        return self

    def __str__(self) -> str:
        return "…"

    def __compared(self, other: object) -> bool:
        return self._there

    __lt__ = __le__ = __gt__ = __ge__ = __compared

    def __together(self, other: object) -> str:
        return "…"

    __add__ = __radd__ = __sub__ = __rsub__ = __mod__ = __together

    def __int__(self) -> int:
        return int(self._there)

    def __abs__(self) -> _Anything:
        return self

    def __round__(self, digits: int = 0) -> _Anything:
        return self


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
