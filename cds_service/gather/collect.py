"""Collect: take each query's answer from prefetch, else ask the FHIR server; interpret no medicine.

A resource of another patient is never read, only counted; one that does not say plainly whose it is leaves its answer
partial. A Patient of another id stops the call (422), because then nothing says whom the rest is about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from cds_service.errors import WrongContent
from cds_service.gather.bundle import Matches, Unpacked, resource_type, unpack
from cds_service.gather.limits import Deadline
from cds_service.gather.mending import Mending
from cds_service.gather.query import TOO_FEW, Answered
from cds_service.gather.references import medications_to_ask
from cds_service.gather.replies import Gathered, Reply, Status
from cds_service.gather.resources import DRAFTS, Resource, Unreadable
from cds_service.gather.views import (
    AllergyIntolerance,
    CarePlan,
    Medication,
    MedicationAdministration,
    MedicationRequest,
    MedicationStatement,
    Patient,
    RequestGroup,
    Substance,
    View,
)
from cds_service.gather.whose import Owner, Whose
from cds_service.hooks.request import FhirAccess, HookRequest
from cds_service.hooks.services import Service

FHIR_SERVER = "FHIR server"  # where a reply came from that was not sent along
NOT_OURS = "all that came belongs to another patient"
UNCLEAR = "an entry does not say plainly whose it is"
MOST_OF_A_KIND, MOST = 5_000, 8_000  # entries read of one reply and of one call: more would take the time of the checks
TOO_MANY = "more entries came than this service reads in one call"
_NOT_SENT = Unpacked()
_Came = tuple[str, tuple[Answered, str, Unpacked]]  # a key; what answered it, from where and, if sent along, as it came


class AsksFhir(Protocol):
    """Whoever can ask a FHIR server: `query.FhirSession`, or a stand-in."""

    def refusal(self, access: FhirAccess) -> str | None:
        """Why this server may not be asked, in words; None when it may."""

    def ask_all(self, access: FhirAccess, queries: Mapping[str, str], deadline: Deadline) -> dict[str, Answered]:
        """The answer to each query, by the deadline whatever happens."""

    def more_pages(self, access: FhirAccess, next_url: str, deadline: Deadline) -> Answered:
        """The pages that follow a first one."""


def collect(
    request: HookRequest, service: Service, fhir: AsksFhir, deadline: Deadline, *, strict_all: bool = False
) -> Gathered:
    """Everything that the EHR sent or that its FHIR server gave. Raises WrongContent for a Patient of another id.

    `strict_all`: `fhir.resources` itself checks every resource, asked for or not; that adds notes and changes no card.
    """
    mending = Mending(strict_all=strict_all)
    refusal = _refusal(request, fhir)
    came: list[_Came] = []
    for query in service.queries:
        if query.key in request.prefetch:
            unpacked = unpack(request.prefetch[query.key])
            answered = _prefetched(unpacked, request, fhir, refusal, deadline)
            came.append((query.key, (answered, "prefetch", unpacked)))
    missing = [query for query in service.queries if query.asked and query.key not in request.prefetch]
    if missing and refusal is None and request.fhir is not None:
        asked = {query.key: query.filled(request.patient_id) for query in missing}
        answers = fhir.ask_all(request.fhir, asked, deadline)
        came += [(key, (answered, FHIR_SERVER, _NOT_SENT)) for key, answered in answers.items()]
    whose = Whose(request.patient_id, [(answered, unpacked) for _, (answered, _, unpacked) in came])
    sorting = _Sorting(whose, mending)
    replies = {key: sorting.reply(key, *answer) for key, answer in came}
    for query in service.queries:
        replies.setdefault(query.key, Reply(query.key, Status.NOT_ASKED, why=refusal or "not sent"))
    drafts, unreadable = sorting.drafts(request)
    if refusal is None and request.fhir is not None:
        _follow(sorting, replies, drafts, request.fhir, fhir, deadline)
    return Gathered(replies, drafts, tuple(sorting.others), sorting.foreign, unreadable, tuple(sorting.notes))


def _refusal(request: HookRequest, fhir: AsksFhir) -> str | None:
    if request.fhir is None:
        return "not sent with the request, and no FHIR server was given"
    return fhir.refusal(request.fhir)


def _prefetched(
    unpacked: Unpacked, request: HookRequest, fhir: AsksFhir, refusal: str | None, deadline: Deadline
) -> Answered:
    if unpacked.problems and not unpacked.resources:
        return Answered((), Status.FAILED, unpacked.problems[0])
    status, why = (Status.PARTIAL, unpacked.problems[0]) if unpacked.problems else (Status.COMPLETE, "")
    if unpacked.short and status is Status.COMPLETE:
        status, why = Status.PARTIAL, "the Bundle counts more entries than came"
    if unpacked.next_page is None:
        return Answered(unpacked.resources, status, why)
    if refusal is not None or request.fhir is None:
        return Answered(unpacked.resources, Status.PARTIAL, "only the first page was sent")
    rest = fhir.more_pages(request.fhir, unpacked.next_page, deadline)
    resources = unpacked.resources + rest.resources
    if rest.status is Status.COMPLETE and unpacked.total > len(unpacked.matches | Matches.of(rest.resources)):
        status, why = Status.PARTIAL, why or TOO_FEW
    whole = rest.status is Status.COMPLETE and status is Status.COMPLETE
    return Answered(resources, Status.COMPLETE if whole else Status.PARTIAL, why or rest.why)


def _follow(
    sorting: _Sorting,
    replies: Mapping[str, Reply],
    drafts: Iterable[Resource],
    access: FhirAccess,
    fhir: AsksFhir,
    deadline: Deadline,
) -> None:
    """Read the Medications that orders refer to and that did not come along.

    A listed order that came with the request and is spoken ("display") is not asked about: the call need not wait.
    """
    asked = [each for reply in replies.values() if reply.source == FHIR_SERVER for each in reply.resources]
    sent = [each for reply in replies.values() if reply.source != FHIR_SERVER for each in reply.resources]
    wanted = medications_to_ask((*drafts, *asked), sent, sorting.others, access.server)
    for query, answered in (fhir.ask_all(access, {each: each for each in wanted}, deadline) if wanted else {}).items():
        for raw in answered.resources:
            resource = sorting.resource(raw, "medications", wanted[query])
            if resource.reference == query:
                sorting.others.append(resource)


@dataclass(slots=True)
class _Sorting:
    """Sorts what came: into the reply it answers, aside (Medications), or away (another patient's)."""

    whose: Whose
    mending: Mending
    foreign: int = 0
    others: list[Resource] = field(default_factory=list)
    room: int = MOST
    notes: list[str] = field(default_factory=list)

    def resource(self, raw: bytes, key: str, full_url: str | None, view: View | None = None) -> Resource:
        """The resource; where everything is checked, what is wrong with it is noted."""
        kind = type(view).__name__ if view is not None else resource_type(raw) or ""
        made = Resource(kind, raw, key, full_url, self.mending, "", view)
        if self.mending.strict_all and (fault := made.fault()):
            self.notes.append(f"{made.type} in {key}: {fault}")
        return made

    def reply(self, key: str, answered: Answered, source: str, unpacked: Unpacked = _NOT_SENT) -> Reply:
        kept: list[Resource] = []
        missed = ""
        before = self.foreign
        came = len(answered.resources)
        most = min(came, MOST_OF_A_KIND, self.room)
        self.room -= most
        views, full_urls, whose = unpacked.views, unpacked.full_urls, self.whose
        for place, raw in enumerate(answered.resources[:most]):
            read = views.get(place)
            resource = self.resource(raw, key, full_urls.get(place), read)
            view = resource.view() if read is None else read
            if isinstance(view, Unreadable):
                missed = missed or f"an entry could not be read ({view.reason})"
                rescued = resource.salvaged()
                may_warn = isinstance(rescued, (MedicationRequest, Patient, AllergyIntolerance))
                if rescued is not None and may_warn and self._is_this_patient(rescued, key, source):
                    kept.append(resource)  # what can be read of an order or an allergy may still warn
            elif isinstance(view, (Medication, Substance)):
                self.others.append(resource)
            elif whose.names_plainly(view) or self._is_this_patient(view, key, source):
                kept.append(resource)
            elif whose.of(view) is Owner.UNCLEAR:
                missed = missed or UNCLEAR
        status, why = (Status.PARTIAL, TOO_MANY) if most < came else (answered.status, answered.why)
        if missed:
            status, why = Status.PARTIAL if status is Status.COMPLETE else status, why or missed
        if most and self.foreign - before == most:
            status, why, kept = Status.FAILED, NOT_OURS, []  # an answer to another question
        return Reply(key, status, tuple(kept), source, why, answered.notes)

    def drafts(self, request: HookRequest) -> tuple[tuple[Resource, ...], tuple[Unreadable, ...]]:
        kept: list[Resource] = []
        unreadable: list[Unreadable] = []
        for draft in request.drafts:
            resource = self.resource(draft.raw, DRAFTS, draft.full_url)
            view = resource.view()
            if isinstance(view, Unreadable):
                rescued = resource.salvaged()
                if isinstance(rescued, MedicationRequest) and _orders_a_drug(rescued) and self.whose.drafted(rescued):
                    kept.append(resource)
                elif resource.type in _MEDICATION_TYPES or _MEDICATION.search(draft.raw):
                    unreadable.append(view)
            elif isinstance(view, (Medication, Substance)):
                self.others.append(resource)
            elif isinstance(view, (MedicationStatement, MedicationAdministration)):
                unreadable.append(Unreadable(resource.type, "it is no order"))
            elif self.whose.drafted(view):
                kept.append(resource)
                if isinstance(view, (RequestGroup, CarePlan)) and _MEDICATION.search(draft.raw):
                    unreadable.append(Unreadable(resource.type, "it holds orders of its own"))
            elif isinstance(view, MedicationRequest):
                unreadable.append(Unreadable(resource.type, "it does not name the patient of this call"))
            else:
                self.foreign += 1
        return tuple(kept), tuple(unreadable)

    def _is_this_patient(self, view: View, key: str, source: str) -> bool:
        if isinstance(view, Patient):
            if view.id in (None, self.whose.patient_id):
                return True
            if source == FHIR_SERVER:
                self.foreign += 1
                return False
            raise WrongContent(
                "the Patient sent along has another id than context.patientId: send the patient of this call",
                f"prefetch.{key}",
            )
        owner = self.whose.of(view)
        self.foreign += owner is Owner.ANOTHER
        return owner is Owner.OURS


_MEDICATION = re.compile(rb'"medication\w*"\s*:')  # the name of an element that names a drug
_MEDICATION_TYPES = ("", "MedicationRequest", "Medication")


def _orders_a_drug(view: MedicationRequest) -> bool:
    """Whether anything is left that says which drug is ordered."""
    concept, reference = view.medicationCodeableConcept, view.medicationReference
    said = (concept.text, concept.coding) if concept else ()
    return any(said) or bool(reference and (reference.reference or reference.display)) or view.medication is not None
