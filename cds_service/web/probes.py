"""Probes of what the web itself knows: the FHIR servers that were asked, as this process met them."""

from __future__ import annotations

from cds_service.beside import Health, Light, Probe
from cds_service.gather.shelter import Shelter


def fhir_probe(shelter: Shelter) -> Probe:
    """How the FHIR servers do. Without them answers are still given, so nothing here is worse than amber."""

    def health() -> Health:
        words = []
        lost, bulkhead, clocks = shelter.breakers.open, shelter.bulkhead, shelter.clocks
        if lost:
            words.append(f"{lost} FHIR server(s) did not answer and are tried again every few seconds: see the log")
        if bulkhead.full_lately:
            words.append(
                f"all {bulkhead.places} places for calls that wait for FHIR servers were taken, and calls went on "
                "without asking: let the EHR send prefetch, or raise THREADS or WORKERS"
            )
        if clocks.differ:
            words.append(
                f"the clock of a FHIR server differs from ours by {abs(clocks.furthest):.0f} s, and ages are judged by "
                "ours: check both"
            )
        return Health(Light.AMBER, "; ".join(words)) if words else Health(Light.GREEN)

    return health
