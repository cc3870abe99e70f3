"""The reasons to go on against a card, as a FHIR CodeSystem that others can load and map.

Codes stay for ever, so that feedback can be counted over years. A wording may be made clearer, never changed in sense.
"""

from __future__ import annotations

from typing import Any

from cards.render import REASON_SYSTEM, reasons

PATH = "/codesystems/override-reasons"


def code_system(version: str) -> dict[str, Any]:
    """The CodeSystem resource (FHIR R4). `version`: of the service that publishes it."""
    concepts = [{"code": each.code, "display": each.display} for each in reasons()]
    return {
        "resourceType": "CodeSystem",
        "id": "aml-cds-override-reasons",
        "url": REASON_SYSTEM,
        "version": version,
        "name": "AmlCdsOverrideReasons",
        "title": "Reasons for going on against a card of decision support in relapsed or refractory AML",
        "status": "active",
        "experimental": False,
        "description": "Offered as overrideReasons of CDS Hooks cards; each card offers those that fit.",
        "caseSensitive": True,
        "content": "complete",
        "count": len(concepts),
        "concept": concepts,
    }
