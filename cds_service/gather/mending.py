"""Mending: a fault of a resource put right, where nothing that it means is lost. Each is noted."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from cds_service.gather.bundle import BESIDE
from cds_service.gather.r4 import Fault, Path, dotted
from cds_service.gather.views import MEANING

LEAVES_PER_CALL = 64


@dataclass(slots=True)
class Mending:
    """How many leaves may still be mended in this call, and how it checks.

    `strict_all`: `fhir.resources` itself is asked, and of every resource; the compiled check says nothing.
    """

    left: int = LEAVES_PER_CALL
    strict_all: bool = False


# What a draft may lack because its author has not come so far, and what a chart entry may lack because it came with
# this patient's answer. The placeholder satisfies R4 while it is checked, and is taken away again.
_IN_A_DRAFT: Mapping[str, Any] = {"intent": "order", "status": "draft", "subject": {"display": "this patient"}}
_IN_THE_CHART: Mapping[str, Any] = {
    "intent": "order",
    "subject": {"display": "this patient"},
    "patient": {"display": "this patient"},
}
_NO_DRUG_YET = {"text": "none chosen yet"}

# A time that people understand and R4 does not: no zone, no seconds, a blank for the T, a zone without its colon (as
# Java writes it). It is kept; its zone is settled when it is read.
_ALMOST_A_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?\Z")
_A_VALID_TIME = "2000-01-01T00:00:00Z"

# Inside an element with meaning, only these leaves may go: what they say is said again by their neighbours.
_DECORATIONS = frozenset({"display", "userSelected", "version", "id"})

LEFT_OUT = "was left out: not valid FHIR R4"
NO_FULL_TIME = "is not written as FHIR writes a time (zone, seconds, T or colon missing)"


@dataclass(slots=True)
class UnderRepair:
    """The content of one resource while it is checked, and what was done to it."""

    type: str
    content: Any
    is_draft: bool
    notes: list[str] = field(default_factory=list)
    _taken_back: list[Callable[[], Any]] = field(default_factory=list)

    def mend(self, fault: Fault) -> bool:
        """Whether the fault could be mended in the content, in place."""
        return self._fill(*fault) or self._without_what_is_held(fault[0]) or self._put_right(*fault)

    def take_back(self) -> None:
        """Undo what was put in for the check alone."""
        for undo in self._taken_back:
            undo()

    def _fill(self, path: Path, kind: str) -> bool:
        """Whether the fault is an element that may be missing here; it is filled while the check lasts."""
        fillers = _IN_A_DRAFT if self.is_draft else _IN_THE_CHART
        lacks = _lacks(kind) and len(path) == 1 and self.content.get(path[0]) is None
        if lacks and path[0] in fillers:
            element, filler = str(path[0]), fillers[str(path[0])]
        elif not path and self.is_draft and not any(key.startswith("medication") for key in self.content):
            element, filler = "medicationCodeableConcept", _NO_DRUG_YET
        else:
            return False
        self.content[element] = filler
        self._taken_back.append(partial(self.content.pop, element))
        self.notes.append(f"{element} is missing")
        return True

    def _without_what_is_held(self, path: Path) -> bool:
        """Whether the fault lies in a contained resource of a type that no reader asks for, which goes as a whole."""
        if path[:1] != ("contained",) or len(path) < 2:
            return False
        held, place = self.content["contained"], path[1]
        part = held[place] if isinstance(held, list) and isinstance(place, int) and place < len(held) else None
        if not isinstance(part, dict) or part.get("resourceType") not in BESIDE:
            return False
        del held[place]
        if not held:
            del self.content["contained"]
        self.notes.append(f"contained[{place}] {LEFT_OUT}")
        return True

    def _put_right(self, path: Path, kind: str) -> bool:
        if _lacks(kind):  # what lacks a part goes as a whole: a narrative without its words
            path = path[:-1]
        if not path:
            return False
        try:
            holder = self.content
            for step in path[:-1]:
                holder = holder[step]
            done = self._in_place(holder, path, kind)
        except (KeyError, IndexError, TypeError):
            return False
        if done:
            self.notes.append(f"{dotted(path)} {done}")
        return bool(done)

    def _in_place(self, holder: Any, path: Path, kind: str) -> str:
        """What was done to the last step of this path, in words; "" where nothing may be."""
        leaf = path[-1]
        if kind == "list_type" and isinstance(holder[leaf], dict):
            holder[leaf] = [holder[leaf]]
            return "was an object where a list belongs"
        if leaf == "code" and type(holder[leaf]) is int:
            holder[leaf] = str(holder[leaf])
            return "was a number where a code belongs"
        if isinstance(holder[leaf], str) and _ALMOST_A_TIME.match(holder[leaf]):
            self._taken_back.append(partial(holder.__setitem__, leaf, holder[leaf]))
            holder[leaf] = _A_VALID_TIME
            return NO_FULL_TIME
        if path[0] in MEANING[self.type] and not _is_decoration(path, kind):
            return ""
        del holder[leaf]
        return LEFT_OUT


def _lacks(kind: str) -> bool:
    """Whether the fault is a part that has to be there and is not."""
    return kind.rpartition(".")[2] == "missing"


def _is_decoration(path: Path, kind: str) -> bool:
    unknown_element = kind == "extra_forbidden" and len(path) > 1
    return path[-1] in _DECORATIONS or unknown_element
