"""Cited: on what a card rests, as its reader is told: lines with their place, names alone, and links."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from cards.model import Link
from cards.render import escape
from cds_service.knowledge.model import Local, Statement, Verification
from cds_service.knowledge.spoken import borrowed_words, verified_words
from cds_service.rules.rule import Finding


def local_first(finding: Finding) -> tuple[Statement[Any], ...]:
    """What the finding rests on, the hospital's own word before all others: the card names it as its source."""
    says = sorted(finding.says, key=lambda statement: statement.local is None)
    return (*says, *finding.mentions)


@lru_cache(maxsize=1_024)  # of the knowledge: nothing of a patient is in it
def source_lines(statements: tuple[Statement[Any], ...]) -> tuple[str, ...]:
    """The sources of these statements, a line each: every place in it that is used, and how well that was verified.

    What stands beside it as a second source is told behind it, unless a line of its own tells it already.
    """
    lines: dict[_Cited, _Places] = {}
    own: dict[str, None] = {}
    for each in statements:
        if each.local is not None:
            own[_local_line(each.local)] = None
        elif not _is_default(each):
            cited, at, also = _cited(each)
            places = lines.setdefault(cited, _Places())
            places.at[at] = None
            if also is not None:
                places.also[also] = None
    told = {(cited.short, at) for cited, places in lines.items() for at in places.at}
    spoken = [*own, *(_line(cited, places, told) for cited, places in lines.items())]
    if any(map(_is_default, statements)):
        spoken.append("- Service default, not from a source; the hospital may replace it")
    return tuple(spoken)


def source_names(statements: tuple[Statement[Any], ...]) -> tuple[str, ...]:
    """The same sources by their names alone, for a narrow panel; what has to be confirmed stays said."""
    return tuple(dict.fromkeys(_source_name(each) for each in statements))


@lru_cache(maxsize=4_096)  # of the knowledge
def _source_name(statement: Statement[Any]) -> str:
    if _is_default(statement):
        return "service default"
    if statement.local is not None:
        return escape(statement.local.words)
    confirm = verified_words(statement).partition("confirm ")[2]
    return escape(statement.sources[0].reference.short) + (f" (confirm {confirm})" if confirm else "")


def _is_default(statement: Statement[Any]) -> bool:
    return statement.verification is Verification.POLICY and statement.local is None


class _Cited(NamedTuple):
    """A source as a card names it: whose it is, and how well what it says was verified."""

    short: str
    borrowed: str
    verified: str


@dataclass(slots=True)
class _Places:
    """The places of a source that a card uses, and other sources that say the same, with theirs; each once."""

    at: dict[str, None] = field(default_factory=dict)
    also: dict[tuple[str, str], None] = field(default_factory=dict)


@lru_cache(maxsize=4_096)  # of the knowledge
def _cited(statement: Statement[Any]) -> tuple[_Cited, str, tuple[str, str] | None]:
    """The source of a statement, the place in it, and the second source with its place."""
    first, *rest = [(escape(each.reference.short), escape(each.at)) for each in statement.sources[:2]]
    borrowed = borrowed_words(statement)
    if borrowed:
        none = "none for this place" if borrowed.endswith(" label") else "no label of this place"
        borrowed = f" ({borrowed}), {none}"
    return _Cited(first[0], borrowed, verified_words(statement)), first[1], rest[0] if rest else None


def _line(cited: _Cited, places: _Places, told: set[tuple[str, str]]) -> str:
    others: dict[str, list[str]] = {}
    for short, at in places.also:
        if (short, at) not in told:
            others.setdefault(short, []).append(at)
    also = "".join(f"; also {short}, {'; '.join(where)}" for short, where in others.items())
    return f"- {cited.short}, {'; '.join(places.at)}{cited.borrowed} ({cited.verified}){also}"


def _local_line(local: Local) -> str:
    """The hospital's own word, why, and what it stands in for."""
    shipped = local.instead
    values = shipped.value if isinstance(shipped.value, tuple) else (shipped.value,)
    whose = "service default" if shipped.verification is Verification.POLICY else shipped.sources[0].reference.short
    said = f"{', '.join(map(str, values))} ({whose})" if not isinstance(shipped.value, str) else f"the words of {whose}"
    words = f"{local.words[:1].upper()}{local.words[1:]}: {local.reason}; in place of {said}"
    return f"- {escape(words)}"


def links(statements: tuple[Statement[Any], ...]) -> tuple[Link, ...]:
    """Where the sources stand that have an address, each once."""
    found = {link.url: link for statement in statements for link in _links_of(statement)}
    return tuple(found.values())


@lru_cache(maxsize=4_096)  # of the knowledge
def _links_of(statement: Statement[Any]) -> tuple[Link, ...]:
    named = [each.reference for each in statement.sources]
    return tuple([Link(f"Source: {each.short}", each.where) for each in named if each.where.startswith("http")])
