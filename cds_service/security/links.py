"""Links: addresses of the page about one card, which open for a while only.

An address holds the card's uuid (128 random bits), when it ends, and a keyed mark of both: no patient and no value. A
card of which nothing is kept, or whose key is not at hand, gets the address of its rule's page instead; that page holds
nothing of a patient and is open to everybody. Where readers log in (`readers`), the address is the card's uuid alone.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass

OFF, SIGNED, LOGIN, OPEN = "off", "signed", "login", "open"
PATH = "/why"
LOGIN_PATH, LOGOUT_PATH = f"{PATH}/login", f"{PATH}/logout"
_KEY = re.compile(r"(?P<until>[1-9]\d{8,10})-(?P<mark>[0-9a-f]{32})\Z")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")

Mark = Callable[[bytes], str]  # 32 hexadecimal digits that nobody makes without the key


@dataclass(frozen=True, slots=True)
class Links:
    """How this installation links its cards. `marker`: what marks them, None while the key is not at hand."""

    base: str  # PUBLIC_URL
    mode: str
    seconds: int
    kept: bool  # whether anything is kept of a card
    marker: Callable[[], Mark | None]
    now: Callable[[], float]  # seconds since 1970

    def to(self, card: str, topic: str) -> str:
        """Where the page about this card is; "" where cards have no link."""
        if self.mode == OFF:
            return ""
        mark = self.marker() if self.kept else None
        if mark is None:
            return f"{self.base}{PATH}/rule/{topic}"
        if self.mode in (LOGIN, OPEN):
            return f"{self.base}{PATH}/{card}"
        until = int(self.now()) + self.seconds
        return f"{self.base}{PATH}/{card}?key={until}-{mark(_marked(card, until))}"

    def opens(self, card: str, key: str) -> bool:
        """Whether this key opens the page of this card now, to somebody who has not logged in."""
        if self.mode in (OFF, LOGIN) or not is_card(card):
            return False
        if self.mode == OPEN:
            return True
        told, mark = _KEY.match(key), self.marker()
        if told is None or mark is None:
            return False
        until = int(told["until"])
        return hmac.compare_digest(mark(_marked(card, until)), told["mark"]) and self.now() < until


def is_card(text: str) -> bool:
    """Whether this may be the uuid of a card."""
    return _UUID.match(text) is not None


def _marked(card: str, until: int) -> bytes:
    return f"{card} {until}".encode("ascii")
