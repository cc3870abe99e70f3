"""Offered once: a test that one card of an answer offers to order is not offered on another, where both are shown.

Two clicks would be two orders. The first card that is shown keeps the offer; the others say where it stands. A card of
which one suggestion at most may be accepted keeps it only where no other card has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cards.model import Card, Suggestion
from cds_service.knowledge.model import Level

_VERBS = ("Order ", "Repeat ")


def offered_once(cards: tuple[Card, ...]) -> tuple[Card, ...]:
    """The cards in their order, each test offered by the first of them that offers it."""
    offered: dict[str, Card] = {}
    for card in sorted(cards, key=_chooses):
        for each in card.suggestions:
            if test := _test(each):
                offered.setdefault(test, card)
    return tuple(_without(card, offered) for card in cards)


def _chooses(card: Card) -> bool:
    """Whether accepting one of its suggestions excludes the others."""
    return card.selection == "at-most-one" and len(card.suggestions) > 1


def _test(suggestion: Suggestion) -> str:
    """The test that it orders, by its name in our tables; "" where it does anything else."""
    action, *others = suggestion.actions
    return action.order if action.type == "create" and not others else ""


def _named(suggestion: Suggestion) -> str:
    named = (suggestion.label.removeprefix(verb) for verb in _VERBS if suggestion.label.startswith(verb))
    return next(named, suggestion.label)


def _without(card: Card, offered: Mapping[str, Card]) -> Card:
    """The card without what another one offers, and with words for it. Information without an offer asks no reason."""
    again = tuple(each for each in card.suggestions if offered.get(_test(each), card) is not card)
    if not again:
        return card
    left = tuple(each for each in card.suggestions if each not in again)
    words = f"Offered on another card here: {', '.join(map(_named, again))}."
    detail = replace(card.detail, notes=(*card.detail.notes, words))
    nothing = not left and card.indicator == Level.INFO.indicator
    reasons = () if nothing else card.override_reasons
    return replace(card, suggestions=left, detail=detail, override_reasons=reasons)
