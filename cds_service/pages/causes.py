"""Why a check fired or was not made, in words, of the names that are kept of it: facts, their states, statements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cds_service.facts.fact import State
from cds_service.knowledge.model import Statement
from cds_service.knowledge.spoken import topic_words, what_words


def state_words(state: str) -> str:
    """How a fact stands: "too old" for what is kept as "stale". Another's word stands as it is."""
    name = state.replace(" ", "_").upper()
    return State[name].value if name in State.__members__ else state.replace("_", " ")


def cause_words(cause: str) -> str:
    """Why a check was not made: "potassium: too old" for what is kept as "potassium:stale"."""
    parts = (each.partition(":") for each in cause.split(", "))
    return ", ".join(f"{topic_words(name)}: {state_words(state)}" if state else name for name, _, state in parts)


def because_words(because: str, statements: Mapping[str, Statement[Any]]) -> str:
    """By what a check fired: "QTc; by QTc hold above of gilteritinib" for the kept "qtc by gilteritinib-qtc-hold"."""
    facts, _, ids = because.partition(" by ")
    said = [statements.get(each) for each in ids.split(", ")] if ids else []
    by = [f"{what_words(each.topic, each.qualifier)} of {each.about}" for each in said if each is not None]
    unknown = [name for name, each in zip(ids.split(", "), said, strict=False) if each is None]
    named = ", ".join(dict.fromkeys([*by, *unknown]))
    told = ", ".join(topic_words(each) for each in facts.split(", "))
    return f"{told}; by {named}" if named else told
