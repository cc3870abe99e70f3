"""References: the Medications that orders point at and that did not come along, to be asked of the FHIR server."""

from __future__ import annotations

import re
from collections.abc import Iterable

from cds_service.gather.resources import Resource
from cds_service.gather.views import MedicationRequest, Reference
from cds_service.security.fhir_servers import same_server

MOST = 24  # Medications asked for in one call, drafts first; a number of our craft
_MEDICATION = re.compile(r"(?:^|/)(Medication/[A-Za-z0-9\-.]{1,64})(?:/_history/[^/]+)?\Z")


def medications_to_ask(
    orders: Iterable[Resource], spoken: Iterable[Resource], known: Iterable[Resource], server: str
) -> dict[str, str]:
    """What to ask this server (`Medication/id`) for each Medication that an order points at and that nobody sent.

    Each with the reference as the order writes it. Of `spoken` orders only those that have no name (`display`) count.
    A reference to another server is not followed, and one that an entry answers by its fullUrl is answered.
    """
    had = {name for resource in known for name in (resource.reference, resource.full_url)}
    wanted: dict[str, str] = {}
    named = [(each, False) for each in orders] + [(each, True) for each in spoken]
    for resource, may_be_spoken in named:
        reference = _reference(resource)
        if reference is None or not reference.reference or (may_be_spoken and reference.display):
            continue
        query = _query(reference.reference, server)
        if query is not None and not had & {query, reference.reference} and len(wanted) < MOST:
            wanted.setdefault(query, reference.reference)
    return wanted


def _reference(resource: Resource) -> Reference | None:
    view = resource.view() if resource.type == "MedicationRequest" else None
    return view.medicationReference if isinstance(view, MedicationRequest) else None


def _query(reference: str, server: str) -> str | None:
    """What to ask the server for; None for a reference that leads to no Medication of this server."""
    found = _MEDICATION.search(reference)
    if found is None or (found.start() and not same_server(server, reference)):
        return None
    return found[1]
