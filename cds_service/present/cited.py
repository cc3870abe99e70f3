"""Cited: on what a card rests, as its reader is told: lines with their place, names alone, and links."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cards.model import Link
from cards.render import escape
from cds_service.knowledge.model import Local, Statement, Verification
from cds_service.knowledge.spoken import verified_words
from cds_service.rules.rule import Finding


def local_first(finding: Finding) -> tuple[Statement[Any], ...]:
    """What the finding rests on, the hospital's own word before all others: the card names it as its source."""
    says = sorted(finding.says, key=lambda statement: statement.local is None)
    return (*says, *finding.mentions)


def source_lines(statements: tuple[Statement[Any], ...]) -> tuple[str, ...]:
    """Each statement's sources with their place, and how well it was verified, a line each; none that another holds."""
    every = dict.fromkeys([_source_line(each) for each in statements if not _is_default(each)])
    lines = {each: None for each in every if not any(other.startswith(f"{each}; also ") for other in every)}
    if any(map(_is_default, statements)):
        lines["- Service default, not from a source; the hospital may replace it"] = None
    return tuple(lines)


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


@lru_cache(maxsize=4_096)  # of the knowledge
def _source_line(statement: Statement[Any]) -> str:
    if statement.local is not None:
        return _local_line(statement.local)
    first, *rest = (f"{escape(each.reference.short)}, {escape(each.at)}" for each in statement.sources[:2])
    borrowed = f" ({statement.foreign} label), none for this place" if statement.foreign else ""
    also = f"; also {rest[0]}" if rest else ""
    return f"- {first}{borrowed} ({verified_words(statement)}){also}"


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
