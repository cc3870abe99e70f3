"""Said: what one report says of one marker."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.facts.genomics.details import Detail
from cds_service.quantity import Quantity

OTHER_CHANGE = "another change"  # of the gene, that is none of the marker's
ELSEWHERE = "says nothing of it"  # a result that looks like one of the marker and does not speak of it
UNSTATED = "not stated which"  # the gene is changed, or one of several genes, and the result does not say which of them
UNREAD = "not read"  # words that name the gene, and of which nobody here can tell what they say


@dataclass(frozen=True, slots=True)
class Said:
    """What a report says of one marker."""

    marker: str
    outcome: str
    words: str
    doubts: tuple[str, ...] = ()
    share: Quantity | None = None
    detail: Detail | None = None  # its own, where the result speaks of several markers
