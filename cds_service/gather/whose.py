"""Whose: whether a resource is of the patient of this call, of another one, or does not say plainly of whom.

A reference decides. Without one an identifier is held against those of the Patient that came: of the same system the
same value is this patient's, and another value is another's. What cannot be compared so is nobody's, and neither is
what is of another type, or of somebody who is only spoken of (`display`). Without any subject it is this patient's, as
it came with their answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from enum import Enum
from functools import cached_property

import msgspec

from cds_service.decoding import decode
from cds_service.gather.bundle import Unpacked
from cds_service.gather.query import Answered
from cds_service.gather.views import Identifier, Patient, Reference, View

_A_PATIENT = re.compile(r"(?:^|/)Patient/[A-Za-z0-9\-.]{1,64}(?:/_history/[^/]+)?\Z")
_TYPE = b'"Patient"'


class Owner(Enum):
    """Whose a resource is."""

    OURS = "of the patient of this call"
    ANOTHER = "of another patient"
    UNCLEAR = "not plainly of anybody"


class _Numbered(msgspec.Struct, tag_field="resourceType", tag="Patient"):
    """A Patient by id and identifiers."""

    id: str | None = None
    identifier: msgspec.Raw = msgspec.Raw(b"[]")

    @property
    def numbers(self) -> Iterator[Identifier]:
        """Those that can be read: another one beside them takes nothing from them."""
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            for raw in decode(self.identifier, list[msgspec.Raw]):
                with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                    yield decode(raw, Identifier)


class Whose:
    """Tells whose resources are. `came`: everything that came, among which the Patient may be."""

    def __init__(self, patient_id: str, came: Sequence[tuple[Answered, Unpacked]]) -> None:
        self.patient_id = patient_id
        self._came = came
        self._plain = f"Patient/{patient_id}"  # by which nearly every resource names this patient
        self._also = frozenset(  # by which resources name the entry of this patient in a Bundle
            url
            for _, unpacked in came
            for place, url in unpacked.full_urls.items()
            if url.startswith("urn:") and self._is_patient(unpacked.views.get(place))
        )

    def names_plainly(self, view: View) -> bool:
        """Whether it names this patient as nearly all do."""
        subject = subject_of(view)
        return subject is not None and (subject.reference == self._plain or subject.reference in self._also)

    def of(self, view: View) -> Owner:
        """Whose it is, as its subject says."""
        subject = subject_of(view)
        if subject is None or subject == _NOBODY:
            return Owner.OURS
        reference = subject.reference
        if reference is not None:
            if reference in self._also or belongs_to(reference, self.patient_id):
                return Owner.OURS
            return Owner.ANOTHER if _A_PATIENT.search(reference) else Owner.UNCLEAR
        return self._by_number(subject.identifier) if may_be_patient(subject) else Owner.UNCLEAR

    def drafted(self, view: View) -> bool:
        """Whether a draft is for the patient of this call: it says so, or names nobody by more than words."""
        subject = subject_of(view)
        spoken = subject is not None and subject.reference is None and subject.identifier is None
        return (spoken and may_be_patient(subject)) or self.of(view) is Owner.OURS

    def _by_number(self, named: Identifier | None) -> Owner:
        if named is None or not named.value:
            return Owner.UNCLEAR
        system = _system(named)
        ours = self._numbers.get(system)
        if ours is None:
            return Owner.UNCLEAR
        if named.value.strip() in ours:
            return Owner.OURS
        return Owner.ANOTHER if system else Owner.UNCLEAR  # numbers of systems that are not named may be of two

    @cached_property
    def _numbers(self) -> Mapping[str, frozenset[str]]:
        """The identifiers of this patient by their systems, as far as a Patient came."""
        found: dict[str, frozenset[str]] = {}
        for patient in self._patients():
            for each in patient.numbers:
                if patient.id == self.patient_id and each.value:
                    system = _system(each)
                    found[system] = found.get(system, frozenset()) | {each.value.strip()}
        return found

    def _patients(self) -> Iterator[_Numbered]:
        for answered, _ in self._came:
            for raw in answered.resources:
                if _TYPE in raw:
                    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                        yield decode(raw, _Numbered)

    def _is_patient(self, view: View | None) -> bool:
        return isinstance(view, Patient) and view.id == self.patient_id


_NOBODY = Reference()


def subject_of(view: View) -> Reference | None:
    """The subject of the resource, under either of its names."""
    subject: Reference | None = getattr(view, "subject", None)
    return subject if subject is not None else getattr(view, "patient", None)


def belongs_to(reference: str, patient_id: str) -> bool:
    """Whether a reference, relative, absolute or versioned, names this patient; the bare id of the call does too."""
    before, slash, last = reference.partition("/_history/")[0].removesuffix("/").rpartition("/")
    of_a_patient = before.rpartition("/")[2].lower() == "patient" if slash else True
    return last == patient_id and of_a_patient


def may_be_patient(subject: Reference | None) -> bool:
    """Whether its type, where it is told, is that of a patient."""
    kind = subject.type if subject is not None else None
    return not kind or kind.rpartition("/")[2].lower() == "patient"


def _system(identifier: Identifier) -> str:
    return (identifier.system or "").strip().rstrip("/").lower()
