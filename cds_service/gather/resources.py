"""Resources: raw bytes, a typed view of what we need, and whether they may be used.

Reading is lenient and says what it did. A resource whose view cannot be decoded, and every resource that can change or
silence a card, is held against `fhir.resources`. One that fails is mended leaf by leaf: an object where a list belongs
is wrapped, a code that came as a number is read as its digits, a leaf without meaning for the rules is left out, and
each is noted. A leaf with meaning is never left out: such a resource is `Unreadable`, and the reason reaches the
clinician.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec

from cds_service.gather import plain_json
from cds_service.gather.compiled import certainly_valid
from cds_service.gather.mending import LEFT_OUT, NO_FULL_TIME, Mending, UnderRepair
from cds_service.gather.quick import view_as
from cds_service.gather.r4 import decoded, fault_of, is_modified, misfit, not_r4
from cds_service.gather.salvage import rescued
from cds_service.gather.views import VIEWS, View
from cds_service.hooks.request import FHIR_ID

LEAVES_PER_RESOURCE = 8
DRAFTS = "draftOrders"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A resource that cannot be used: its type and the reason, in words and without patient data."""

    type: str
    reason: str


class Resource(msgspec.Struct, eq=False):
    """One resource as it came: its type, where it came from, and its bytes. Views and verdicts are kept once made.

    `quick`: its view, where whoever unpacked it has read it already.
    """

    type: str
    raw: bytes
    where: str  # prefetch key, "draftOrders" or the query it answers
    full_url: str | None = None
    mending: Mending = msgspec.field(default_factory=Mending)
    inside: str = ""  # of a contained resource: `Type/id#name`, by which it is named
    quick: View | None = None
    notes: tuple[str, ...] = ()  # what was left out or wrapped to make it readable
    doubts: tuple[str, ...] = ()  # where it came in versions that differ, that nobody knows the newest
    _view: View | Unreadable | None = None
    _checked: View | Unreadable | None = None
    _valid: bytes | str = b""
    _reference: str = ""

    def __repr__(self) -> str:
        return f"Resource({self.type!r}, where={self.where!r})"  # what it holds is a patient's

    @property
    def reference(self) -> str:
        """`Type/id`, or the type alone when it has no id that FHIR allows; for a contained one `Type/id#name`."""
        return self._reference or self._named()

    def _named(self) -> str:
        if self.inside:
            return self.inside
        seen = self.view()
        view = self.salvaged() if isinstance(seen, Unreadable) else seen
        written = view.id if view is not None else None
        self._reference = f"{self.type}/{written}" if written and FHIR_ID.match(written) else self.type
        return self._reference

    def view(self) -> View | Unreadable:
        """The typed view, quickly from the bytes, else by the slow reader. Not yet held against R4."""
        if self.quick is not None:
            return self.quick
        if self._view is None:
            self._view = _quick(self) or self.checked()
        return self._view

    def checked(self) -> View | Unreadable:
        """The typed view of a resource that passed R4, mended where that was allowed."""
        if self._checked is None:
            self._checked, self.notes = self._strictly()
        return self._checked

    def _strictly(self) -> tuple[View | Unreadable, tuple[str, ...]]:
        shape = VIEWS.get(self.type)
        if shape is None:
            return Unreadable(self.type, "a type that is not read here"), ()
        quickly = not self.mending.strict_all and certainly_valid(self.type, self.raw)
        view = _quick(self) if quickly else None
        if view is not None:
            self._valid = self.raw
            return view, ()
        verdict, notes, self._valid = _held_against_r4(self, shape)
        return verdict, notes

    def salvaged(self) -> View | None:
        """What can be read of a resource that is not valid, leaf by leaf. It may warn; it clears nothing."""
        shape = VIEWS.get(self.type)
        try:
            content = plain_json.read_what_is_possible(self.raw)
            found = rescued(content, shape) if shape is not None and isinstance(content, dict) else None
        except (ValueError, RecursionError):
            return None
        if not isinstance(found, View):
            return None
        if any(content.get(name) and getattr(found, name, None) is None for name in ("subject", "patient")):
            return None  # when its subject is lost, nobody can say whose it is
        return found

    def fault(self) -> str:
        """Why `fhir.resources` does not take it as it came; "" when it does. What is told here changes no card."""
        if self.type not in VIEWS:
            return ""
        alone = Resource(self.type, self.raw, self.where, self.full_url, Mending(strict_all=True))
        found = alone.checked()
        return found.reason if isinstance(found, Unreadable) else "; ".join(alone.notes)

    def valid_json(self) -> dict[str, Any] | None:
        """A copy as plain JSON that passed R4, the missing filled; None when none did, or when it would not be whole.

        A leaf that had to go, or a time that is none of R4, is not in it: sent back, it would be lost to the EHR.
        """
        self.checked()
        whole = not any(note.endswith((LEFT_OUT, NO_FULL_TIME)) for note in self.notes)
        return plain_json.without_empty(json.loads(self._valid)) if self._valid and whole else None


def _quick(resource: Resource) -> View | None:
    """The view straight from the bytes; None where they have another shape."""
    shape = VIEWS.get(resource.type)
    if resource.quick is None and shape is not None:
        with suppress(msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            resource.quick = view_as(resource.raw, shape)
    return resource.quick


_MODIFIED = "an extension changes its meaning in a way not known here"
_Verdict = tuple[View | Unreadable, tuple[str, ...], str]  # what was read, what was mended, and the valid JSON


def _held_against_r4(resource: Resource, shape: type[View]) -> _Verdict:
    """The same at length: by `fhir.resources`, leaf by leaf where something is to be mended."""
    try:
        content = plain_json.read_exactly(resource.raw)
    except plain_json.Twice:
        return Unreadable(resource.type, "an element stands twice in it, and which one holds is not known"), (), ""
    except (ValueError, RecursionError):
        return Unreadable(resource.type, "not readable JSON, or a number of impossible size"), (), ""
    repair = UnderRepair(resource.type, content, resource.where == DRAFTS)
    for _ in range(LEAVES_PER_RESOURCE + 1):
        fault = fault_of(resource.type, content) or misfit(content, shape)
        if fault is None and is_modified(content):
            return Unreadable(resource.type, _MODIFIED), tuple(repair.notes), ""
        if fault is None:
            valid = plain_json.written(content)
            repair.take_back()
            view = _converted(resource, content, shape, mended=bool(repair.notes))
            return view, tuple(repair.notes), valid
        if resource.mending.left <= 0:
            return Unreadable(resource.type, "too many faults in this call to mend them all"), tuple(repair.notes), ""
        if not repair.mend(fault):
            return Unreadable(resource.type, not_r4(resource.type, content, fault[0])), tuple(repair.notes), ""
        resource.mending.left -= 1
    return Unreadable(resource.type, "not valid FHIR R4 in many places"), tuple(repair.notes), ""


def _converted(resource: Resource, content: Any, shape: type[View], *, mended: bool) -> View | Unreadable:
    """The view of a valid resource: as it came, or of its mended content."""
    quick = None if mended else _quick(resource)
    if quick is not None:
        return quick
    try:
        return decoded(content, shape)
    except (msgspec.DecodeError, RecursionError):
        return Unreadable(resource.type, "not typed as FHIR R4 has it")
