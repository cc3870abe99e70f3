"""Inventory: the errata of the papers, and every rule of the clinical notes, each with what is done about it.

Nothing of the sources is left out silently: an entry that no rule answers says here why, or that it is still open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cds_service.errors import KnowledgeError
from cds_service.knowledge.files import citations, in_shape, read_list, verification
from cds_service.knowledge.model import Citation, Reference, Verification

SHOWS = ("corrected", "both shown", "hidden", "not used")
OPEN = "open"
DONE = ("display only", "not encoded", OPEN)


@dataclass(frozen=True, slots=True)
class Erratum:
    """What a paper prints, what holds instead, why, and whether the printed figure may be shown."""

    id: str
    about: str
    printed: str
    supported: str
    reason: str
    show: str
    hide: bool
    never: tuple[str, ...]
    never_in: Mapping[str, tuple[str, ...]]
    verification: Verification
    sources: tuple[Citation, ...]

    def forbids(self, text: str, *subjects: str) -> str:
        """The words of that text that may not be shown, anywhere or of one of these subjects; empty when none."""
        words = [*self.never, *(each for subject in subjects for each in self.never_in.get(subject, ()))]
        return next((each for each in words if each.lower() in text.lower()), "")


@dataclass(frozen=True, slots=True)
class SourceRule:
    """One rule of the clinical notes: its id, what it says, and what is done when no rule of ours answers it."""

    id: str
    says: str
    done: str = ""
    why: str = ""


def load_errata(path: Path, references: Mapping[str, Reference]) -> dict[str, Erratum]:
    """The errata, by id. Raises KnowledgeError."""
    with in_shape(path):
        return _errata(path, references)


def _errata(path: Path, references: Mapping[str, Reference]) -> dict[str, Erratum]:
    found: dict[str, Erratum] = {}
    for fields in read_list(path):
        place = f"{path.name}, {fields.get('id')}"
        try:
            _only(fields, _ERRATUM)
            if fields["show"] not in SHOWS:
                raise ValueError(f"show must be one of {', '.join(SHOWS)}, found {fields['show']!r}")
            erratum = Erratum(
                id=fields["id"],
                about=fields["about"],
                printed=fields["printed"],
                supported=fields["supported"],
                reason=fields["reason"],
                show=fields["show"],
                hide=fields["hide"],
                never=tuple(fields.get("never", ())),
                never_in={subject: tuple(words) for subject, words in fields.get("never_in", {}).items()},
                verification=verification(fields["state"]),
                sources=citations(place, fields["source"], references),
            )
            if erratum.hide is not bool(erratum.never or erratum.never_in):
                raise ValueError("what is hidden says with 'never' or 'never_in' which words, and only that does")
        except KeyError as missing:
            raise KnowledgeError(f"{place}: {missing} is missing") from None
        except (TypeError, ValueError) as fault:
            raise KnowledgeError(f"{place}: {fault}") from None
        if erratum.id in found:
            raise KnowledgeError(f"{place}: stands twice")
        found[erratum.id] = erratum
    return found


def load_source_rules(path: Path) -> dict[str, SourceRule]:
    """The rules of one kind, by id, in the order of the notes. Raises KnowledgeError."""
    with in_shape(path):
        return _source_rules(path)


def _source_rules(path: Path) -> dict[str, SourceRule]:
    found: dict[str, SourceRule] = {}
    for fields in read_list(path):
        place = f"{path.name}, {fields.get('id')}"
        try:
            _only(fields, _ROW)
            row = SourceRule(fields["id"], fields["says"], fields.get("done", ""), fields.get("why", ""))
            if row.done and row.done not in DONE:
                raise ValueError(f"done must be one of {', '.join(DONE)}, found {row.done!r}")
            if row.done and row.done != OPEN and not row.why:
                raise ValueError(f"'{row.done}' needs its why")
        except KeyError as missing:
            raise KnowledgeError(f"{place}: {missing} is missing") from None
        except (TypeError, ValueError) as fault:
            raise KnowledgeError(f"{place}: {fault}") from None
        if row.id in found:
            raise KnowledgeError(f"{place}: stands twice")
        found[row.id] = row
    return found


_ERRATUM = frozenset(
    ["id", "about", "printed", "supported", "reason", "show", "hide", "never", "never_in", "state", "source"]
)
_ROW = frozenset(["id", "says", "done", "why"])


def _only(fields: Mapping[str, Any], known: frozenset[str]) -> None:
    unknown = fields.keys() - known
    if unknown:
        raise ValueError(f"unknown field {sorted(unknown)[0]}")
