"""What we offer: three services, one per hook, and the queries that each would like answered.

To add a hook, add one `Service` here (and, if its context differs, one reader in `request.py`).
The code lists of the queries come from the terminology tables, so that what we ask for and what we read cannot
drift apart.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum


class Moment(Enum):
    """When in the clinic's day a service is called. Rules know moments, never hooks."""

    VIEW = "viewing the patient"
    SELECT = "choosing an order"
    SIGN = "signing orders"


@dataclass(frozen=True, slots=True)
class Query:
    """One prefetch entry: its key, its FHIR query (with tokens) and what we need the answer for, in words."""

    key: str
    template: str
    needed_for: str
    asked: bool = True  # of the FHIR server, where it was not sent along

    def filled(self, patient_id: str) -> str:
        """The query with its token replaced by the (validated) patient id."""
        return self.template.replace("{{context.patientId}}", patient_id)


@dataclass(frozen=True, slots=True)
class Service:
    """One CDS service: an id of its own per hook, because clients key what they show by id."""

    id: str
    hook: str
    moment: Moment
    title: str
    description: str
    queries: tuple[Query, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The prefetch keys of this service, in order."""
        return tuple(query.key for query in self.queries)

    def slips(self, sent: Collection[str]) -> tuple[tuple[str, str], ...]:
        """The keys that were sent and are nearly one of ours that was not, each with that one."""
        missing = [key for key in self.keys if key not in sent]
        strange = [key for key in sent if key not in self.keys] if missing else []
        plain = filter(_PLAIN.fullmatch, strange[:_MOST_STRANGE])
        nearest = ((key, get_close_matches(key.lower(), missing, 1, _NEARLY)) for key in plain)
        return tuple((key, ours[0]) for key, ours in nearest if ours)


_PLAIN = re.compile(r"[A-Za-z0-9_-]{2,20}")
_MOST_STRANGE = 20  # keys of others in one request
_NEARLY = 0.8  # of 1, as difflib counts letters that two words share in order

CDS_HOOKS = "2.0.1"  # the version of the specification that is spoken; CDS Hooks 3.0 asks for it, 2.0 lets it pass

USAGE = (
    "Advice for haematologists and pharmacists treating relapsed or refractory AML in adults. "
    "Shows what it read and what it could not read; it orders nothing."
)


def offered(codes: Mapping[str, tuple[str, ...]]) -> tuple[Service, ...]:
    """Our services. `codes`: for each coded query (ecg, labs, bedside, genomics) what we read.

    A code is one of LOINC, unless it stands behind its system: "urn:oid:1.2.3|K".
    """
    patient = Query("patient", "Patient/{{context.patientId}}", "age and sex; who this is")
    conditions = Query(
        "conditions",
        "Condition?patient={{context.patientId}}",
        "AML and its state, other indications, signs of drug toxicity",
    )
    medications = Query(
        "medications",
        "MedicationRequest?patient={{context.patientId}}&status=active,on-hold,stopped,completed,unknown",
        "drugs the patient takes, holds or has stopped: interactions, doses, treatment start",
    )
    ecg = Query("ecg", _observations(codes["ecg"]), "QTc with its formula, QT, RR and heart rate of the same ECG")
    labs = Query("labs", _observations(codes["labs"]), "electrolytes, blood counts, liver, kidney and pancreas values")
    bedside = Query(
        "bedside",
        _observations(codes["bedside"]),
        "LVEF, weight, temperature, oxygen saturation, ECOG status, pregnancy tests",
    )
    genomics = Query(
        "genomics",
        _observations(codes["genomics"]),
        "FLT3, IDH1, IDH2, NPM1, KMT2A, TP53 and CD33 results with their specimen date",
    )
    statements = Query(
        "statements",
        "MedicationStatement?patient={{context.patientId}}&status=active,on-hold,stopped,completed,unknown",
        "drugs that the patient is said to take and that no order names; may be left out",
    )
    administrations = Query(
        "administrations",
        "MedicationAdministration?patient={{context.patientId}}&status=in-progress,on-hold,stopped,completed,unknown",
        "drugs that were given and that no order names; may be left out, and is not asked for",
        asked=False,
    )
    orders = Query(
        "orders",
        "ServiceRequest?patient={{context.patientId}}&status=active,draft,on-hold",
        "tests already ordered, so that none is suggested twice; regimens that are ordered as a service",
    )
    procedures = Query(
        "procedures", "Procedure?patient={{context.patientId}}", "earlier transplantation and HLA typing"
    )
    allergies = Query(
        "allergies", "AllergyIntolerance?patient={{context.patientId}}", "allergies to the drugs that are ordered"
    )
    everywhere: tuple[Query, ...] = (patient, conditions, medications, ecg, labs, bedside, genomics, orders)
    everywhere += (procedures, allergies, statements, administrations)
    return (
        Service(
            "aml-patient-view",
            "patient-view",
            Moment.VIEW,
            "AML: treatment now and next steps",
            "Relapsed or refractory AML: first steps at relapse, options by mutation, and dangers of the current "
            "treatment.",
            everywhere,
        ),
        Service(
            "aml-order-select",
            "order-select",
            Moment.SELECT,
            "AML: is this drug safe here?",
            "Checks the selected orders: QTc, interactions in both directions, dose, mutation status.",
            everywhere,
        ),
        Service(
            "aml-order-sign",
            "order-sign",
            Moment.SIGN,
            "AML: check before signing",
            "Checks every draft order and the running AML treatment: QTc, electrolytes, interactions, dose, "
            "monitoring.",
            everywhere,
        ),
    )


def _observations(codes: tuple[str, ...]) -> str:
    tokens = (code if "|" in code else f"http://loinc.org|{code}" for code in codes)
    return "Observation?patient={{context.patientId}}&code=" + ",".join(tokens)


def discovery(services: tuple[Service, ...]) -> dict[str, list[dict[str, object]]]:
    """The body of `GET /cds-services`."""
    return {
        "services": [
            {
                "hook": service.hook,
                "title": service.title,
                "description": service.description,
                "id": service.id,
                "usageRequirements": USAGE,
                "version": CDS_HOOKS,
                "prefetch": {query.key: query.template for query in service.queries},
            }
            for service in services
        ]
    }
