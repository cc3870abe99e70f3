"""Repeats: a card that the same user has answered at order-select is not shown again at order-sign.

Off unless a hospital wants it (REPEATS). Only what a memory knows for sure is left out: that this user was shown this
very card, with nothing it rests on changed, and that feedback came about it. A critical card is always shown.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Protocol

from cards.model import Card
from cds_service.hooks.request import HookRequest

ALWAYS_SHOWN = "critical"
NOT_AGAIN = re.compile(
    r"\*(?:One card|\d{1,3} cards) that you answered when choosing the order (?:is|are) not [^*]{1,200}\*"
)


@dataclass(frozen=True, slots=True)
class Who:
    """Whom a card is shown to, and of whom it speaks."""

    tenant: str
    user: str
    patient: str


class Memory(Protocol):
    """Knows which cards were answered."""

    def answered(self, who: Who, fingerprints: Collection[str]) -> frozenset[str]:
        """Those of them that this user was shown of this patient at order-select and has answered since.

        Must answer at once: what it cannot tell in 50 ms it leaves out.
        """


def without_repeats(
    cards: tuple[Card, ...], request: HookRequest, tenant: str, memory: Memory
) -> tuple[tuple[Card, ...], tuple[Card, ...]]:
    """The cards to show, and those that would be shown again. The last one shown says how many there are."""
    may = {card.fingerprint for card in cards if card.fingerprint and card.indicator != ALWAYS_SHOWN}
    if not may or not request.user_id:
        return cards, ()
    known = memory.answered(Who(tenant, request.user_id, request.patient_id), may)
    shown = tuple(card for card in cards if card.indicator == ALWAYS_SHOWN or card.fingerprint not in known)
    hidden = tuple(card for card in cards if card not in shown)
    if not hidden or not shown:
        return shown, hidden
    several = f"{len(hidden)} cards that you" if len(hidden) > 1 else "One card that you"
    words = f"*{several} answered when choosing the order is not shown again; nothing it rests on has changed.*"
    if len(hidden) > 1:
        words = words.replace(" is not", " are not").replace("it rests on", "they rest on")
    *others, last = shown
    told = replace(last, detail=replace(last.detail, notes=(*last.detail.notes, words)))
    return (*others, told), hidden
