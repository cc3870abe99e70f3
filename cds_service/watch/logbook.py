"""The logbook: one line for each call, with counts and names of ours, and nothing that the chart said."""

from __future__ import annotations

import logging
from collections import Counter

import msgspec

from cards.model import INDICATORS
from cds_service.beside import Call
from cds_service.decoding import decode
from cds_service.watch.logs import CALLS, READERS, write

_LONGEST = 1024 * 1024  # bytes of a refused call that are looked through for its hookInstance


class _Named(msgspec.Struct):
    hookInstance: str = ""  # noqa: N815 - the specification's name


class Logbook:
    """A witness that writes a line. Fields that have not the form of the list are left out by `logs`."""

    def __init__(self) -> None:
        self._log = logging.getLogger(CALLS)

    def saw(self, call: Call) -> None:
        """Write the line of this call."""
        level = logging.WARNING if call.cause else logging.INFO
        if self._log.isEnabledFor(level):
            event = "call answered" if not call.cause else "call refused" if call.status >= 400 else "call broke"
            write(self._log, level, event, told(call))


def told(call: Call) -> dict[str, str | int | float]:
    """What a line says of a call, by the names of its fields: what has not their form is left out by `logs`."""
    return {
        "call": call.id,
        "hookInstance": call.answer.request.instance if call.answer else _instance(call.body),
        "service": call.service,
        "tenant": call.tenant,
        "status": call.status,
        "seconds": round(call.seconds, 4),
        "knowledge": call.knowledge,
        "cause": call.cause,
        **_cards(call),
    }


def opened(event: str, reader: str, card: str) -> None:
    """Write who logged in, and who opened the reasons of which card: a chart may stand there."""
    fields = {"reader": reader} | ({"card": card} if card else {})
    write(logging.getLogger(READERS), logging.INFO, event, fields)


def _cards(call: Call) -> dict[str, int]:
    if call.answer is None:
        return {}
    counts = Counter(card.indicator for card in call.answer.cards)
    hidden = {"not_repeated": len(call.answer.not_repeated)} if call.answer.not_repeated else {}
    return {indicator: counts[indicator] for indicator in INDICATORS} | hidden


def _instance(body: bytes) -> str:
    """The hookInstance of a call that was refused, where it can be found: the client knows the call by it."""
    if len(body) > _LONGEST:
        return ""
    try:
        return decode(body, _Named).hookInstance
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return ""
