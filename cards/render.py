"""Template and values to words: a summary line and a Markdown body.

A template lies in `templates/NAME.md`: YAML front matter (summary), then the body. It must be given every value that
it names. All text is escaped for Markdown and HTML: some clients render raw HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined, Template, TemplateError, meta, nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from cards.compiled import Compiled
from cards.kept import Kept
from cards.loading import load
from cards.model import LONGEST_SUMMARY

HOME = Path(__file__).parent / "templates"
_MARKDOWN = str.maketrans({"<": "&lt;", ">": "&gt;", "&": "&amp;"} | {letter: f"\\{letter}" for letter in "\\`*_[]|~"})
_LINKS = re.compile(r"(?<=:)(?=//)|(?<=[Ww]{3})(?=\.)|(?<=[\w.+-])(?=@[\w-]+\.)")
_LINE_END, _EMPTY_LINES = re.compile(r"[ \t]+\n"), re.compile(r"\n{3,}")
_OF_LINKS = ("//", "w.", "W.", "@")
_TO_MEND = re.compile(r"[<>&\\`*_\[\]|~@]|//|[Ww]\.")  # what `escape` may have to change
# What would open a heading or a list where the text stands first on its line: "# ", "- ", "1. ".
_OPENS = re.compile(r"\A(\s*(?:\d{1,9}(?=[.)]\s))?)([#+.)-])(?=[#\s]|\Z)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
_OPENS_A_TAG = re.compile(r"<(?=[A-Za-z/!?])")  # of HTML; "<2.6 mmol/L" opens none


@dataclass(frozen=True, slots=True)
class Words:
    """What a template says."""

    summary: str
    body: str


@dataclass(frozen=True, slots=True)
class CardTemplate:
    """One template, compiled."""

    name: str
    summary: Template
    body: Template
    home: Path

    @property
    def needs(self) -> frozenset[str]:
        """Which values it needs. Looked for anew: only who compares wordings asks, and no call."""
        trees = parsed(self.name, self.home)
        return frozenset().union(*(meta.find_undeclared_variables(tree) for tree in trees))


def one_line(text: str) -> str:
    """Text from a chart as plain text: on one line, without characters that cannot be seen or turn the writing.

    It opens no tag either, though plain text has none: some client may show it as HTML.
    """
    return " ".join(_plainly(text).split())


def _plainly(text: str) -> str:
    if not text.isprintable():
        text = _CONTROL.sub(" ", text)
    return _OPENS_A_TAG.sub("\u2039", text) if "<" in text else text


def escape(text: str) -> str:
    """Text from a chart, made harmless in Markdown and HTML and on one line.

    An address in it is parted by a space: GitHub's Markdown makes a link of it, escaped or not (seen in the Sandbox).
    """
    if not text.isprintable():
        text = _CONTROL.sub(" ", text)
    if _TO_MEND.search(text) is not None:
        if any(mark in text for mark in _OF_LINKS):
            text = _LINKS.sub(" ", text)
        text = text.translate(_MARKDOWN)
    return _OPENS.sub(r"\1\\\2", text)


class Safe(str):
    """Words of our own templates, already safe."""

    __slots__ = ()


def _finalize(value: object) -> object:
    return value if isinstance(value, Safe) else escape(str(value))


def _one_line(value: object) -> str:
    return _plainly(str(value))


def first_upper(text: object) -> object:
    """The text with its first letter raised and the rest left alone: "FLT3-ITD is lost"."""
    words = str(text)
    raised = words[:1].upper() + words[1:]
    return Safe(raised) if isinstance(text, Safe) else raised


def few(names: Iterable[object], room: int) -> str:
    """As many whole names as stand in so many characters, and how many more there are; "" where not even one does."""
    every = [str(name) for name in names]
    for shown in range(len(every), 0, -1):
        more = len(every) - shown
        said = ", ".join(every[:shown]) + (f" and {more} more" if more else "")
        if len(said) <= room:
            return said
    return ""


def _environments(kind: type[Environment]) -> tuple[Environment, Environment]:
    """For the body and for the summary."""
    body = kind(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_finalize)
    plain = kind(undefined=StrictUndefined, finalize=_one_line)
    for environment in (body, plain):
        environment.filters |= {"first_upper": first_upper, "few": few}
    return body, plain


_MARK = re.compile(r" \([^()]{1,40}\)$")  # whose word it is, at the end of a summary: that is not cut off
_OURS = _environments(Environment)
_THEIRS = _environments(ImmutableSandboxedEnvironment)  # wording that comes from outside
_CODE = Compiled(__file__)  # of ours


@Kept
def template(name: str, home: Path = HOME) -> CardTemplate:
    """The template of that name, compiled once. Raises ValueError naming the file."""
    try:
        front, body = _read(name, home)
        summary = _text(front, "summary")
        if home == HOME:
            in_body, plain = _OURS
            said = _ours(f"{name} summary", summary, plain)
            return CardTemplate(name, said, _ours(name, body.strip(), in_body), home)
        in_body, plain = _THEIRS
        return CardTemplate(name, plain.from_string(summary), in_body.from_string(body.strip()), home)
    except (OSError, ValueError, KeyError, TypeError, TemplateError, yaml.YAMLError) as fault:
        raise ValueError(f"cards/templates/{name}.md: {fault}") from fault


def _ours(name: str, text: str, environment: Environment) -> Template:
    return Template.from_code(environment, _CODE.of(name, text, environment), {})


def parsed(name: str, home: Path = HOME) -> tuple[nodes.Template, nodes.Template]:
    """Summary and body of a template as syntax trees, for whoever compares two of them."""
    front, body = _read(name, home)
    in_body, plain = _OURS if home == HOME else _THEIRS
    return plain.parse(_text(front, "summary")), in_body.parse(body)


def _read(name: str, home: Path) -> tuple[Mapping[str, Any], str]:
    """Front matter and body."""
    text = (home / f"{name}.md").read_text(encoding="utf-8")
    head, divided, body = text.removeprefix("---\n").partition("\n---\n")
    front = load(head) if divided else None
    if not isinstance(front, dict):
        raise ValueError("expected front matter between two lines of ---, then the body")
    unknown = [str(key) for key in front if key != "summary"]
    if unknown:
        raise ValueError(f"front matter has summary only, not '{unknown[0]}'; override reasons belong to rules")
    return front, body


def _text(front: Mapping[str, Any], name: str) -> str:
    if not isinstance(front.get(name), str):
        raise ValueError(f"{name} is missing in the front matter")
    return str(front[name])


def check_all(home: Path = HOME) -> None:
    """Compile every template, so that a broken one is found before it is needed. Raises ValueError naming the file."""
    for path in sorted(home.glob("*.md")):
        template(path.stem, home)


def render(name: str, values: Mapping[str, Any], home: Path = HOME) -> Words:
    """What the template says of these values. A value that it names and does not get is an error."""
    said, body = said_of(name, values, home)
    return Words(_short(said), body)


def said_of(name: str, values: Mapping[str, Any], home: Path = HOME) -> tuple[str, str]:
    """Summary, of whatever length, and body of these values."""
    found = template(name, home)
    if home is HOME or home == HOME:  # one context serves both of our own, which use nothing but their values
        context = Context(_OURS[0], dict(values), None, {})
        said, body = "".join(found.summary.root_render_func(context)), "".join(found.body.root_render_func(context))
    else:
        said, body = found.summary.render(values), found.body.render(values)
    return " ".join(said.split()), _tidy(body)


@Kept
def named_by(name: str) -> frozenset[str]:
    """The values that the summary of one of our own templates needs."""
    return frozenset(meta.find_undeclared_variables(parsed(name)[0]))


def summary_of(name: str, values: Mapping[str, Any]) -> str:
    """The summary alone of one of our own templates, for whoever names the finding within another card."""
    context = Context(_OURS[1], dict(values), None, {})
    said = "".join(template(name, HOME).summary.root_render_func(context))
    return _short(" ".join(said.split()))


def _short(words: str) -> str:
    """The summary, no longer than a card's may be: cut behind a whole word, as half a number is another."""
    if len(words) <= LONGEST_SUMMARY:
        return words
    mark = _MARK.search(words)
    kept = mark.group() if mark else ""
    room = LONGEST_SUMMARY - len(kept)
    whole, parted, _ = words[:room].rpartition(" ")
    return (whole.rstrip(" ,;:") if parted else words[: room - 1]) + "…" + kept


def _tidy(body: str) -> str:
    """Paragraphs apart by one empty line, no spaces at line ends."""
    if " \n" in body or "\t\n" in body:
        body = _LINE_END.sub("\n", body)
    return _EMPTY_LINES.sub("\n\n", body).strip() if "\n\n\n" in body else body.strip()
