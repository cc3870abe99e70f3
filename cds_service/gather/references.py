"""References: the Medications that orders point at and that did not come along, to be asked of the FHIR server."""

from __future__ import annotations

import re
from collections.abc import Iterable

from cds_service.gather.resources import Resource
from cds_service.gather.views import MedicationRequest

MOST = 24  # Medications asked for in one call, drafts first; a number of our craft
_MEDICATION = re.compile(r"(?P<base>.*/)?(?P<local>Medication/[A-Za-z0-9\-.]{1,64})(?:/_history/[^/]+)?\Z")


def medications_to_ask(orders: Iterable[Resource], known: Iterable[Resource], server: str) -> tuple[str, ...]:
    """`Medication/id` of each that an order points at on this server and that nobody sent, in the order of the orders.

    A reference to another server is not followed, and one that an entry answers by its fullUrl is answered.
    """
    had = {name for resource in known for name in (resource.reference, resource.full_url)}
    wanted: dict[str, None] = {}
    for resource in orders:
        if resource.type != "MedicationRequest":
            continue
        view = resource.view()
        reference = view.medicationReference if isinstance(view, MedicationRequest) else None
        match = _MEDICATION.match(reference.reference or "") if reference is not None else None
        if match is None or had & {match["local"], match[0]} or match["base"] not in (None, f"{server}/"):
            continue
        wanted[match["local"]] = None
    return tuple(wanted)[:MOST]
