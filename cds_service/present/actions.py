"""Proposals become suggestions: valid FHIR R4 resources that the client can put into the chart.

A new order is held against `fhir.resources`. A changed draft keeps everything else of the draft but what tells the old
dose: its narrative, words to the patient that count, a maximum, the quantity to dispense. Where the drafted product
cannot make the dose, the order names the ingredient instead. Deleting and changing are never marked as recommended.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.servicerequest import ServiceRequest

from cards.model import Action, Suggestion
from cards.render import one_line
from cds_service.facts.drugs.amounts import product_strength
from cds_service.facts.drugs.dose_words import counts
from cds_service.facts.drugs.medications import Medication
from cds_service.gather.compiled import certainly_valid
from cds_service.knowledge.terms import Terms
from cds_service.quantity import Quantity, plain
from cds_service.rules.rule import Proposal

UCUM = "http://unitsofmeasure.org"
RENDERED = "renderedDosageInstruction"  # how an extension is named that tells the whole dose in words
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


def new_uuid(ids: Any) -> str:
    """A new uuid as text, from a callable that gives one."""
    made = ids()
    return str(made if isinstance(made, UUID) else UUID(str(made)))


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes suggestions for one patient. `ids`: where new uuids come from."""

    patient_id: str
    terms: Terms
    ids: Any  # a callable that gives a UUID
    made: set[tuple[str, str]] = field(default_factory=set)  # what is suggested already: nothing twice

    def suggestions(self, proposals: Iterable[Proposal], ordered: frozenset[str]) -> tuple[Suggestion, ...]:
        """One suggestion for each proposal that can be carried out; what is already ordered is left out."""
        found: list[Suggestion] = []
        for proposal in proposals:
            mark = (proposal.kind, proposal.order or (proposal.medication.reference if proposal.medication else ""))
            action = None if mark in self.made or proposal.order in ordered else self._action(proposal)
            if action is not None:
                self.made.add(mark)
                found.append(Suggestion(proposal.label, new_uuid(self.ids), (action,)))
        return tuple(found)

    def _action(self, proposal: Proposal) -> Action | None:
        match proposal.kind:
            case "order":
                resource = self._service_request(proposal.order)
                return Action("create", proposal.label, resource=resource, order=proposal.order)
            case "delete":
                return _delete(proposal)
            case "dose":
                return self._changed(proposal)
            case _:
                raise ValueError(f"no such proposal: {proposal.kind}")

    def _service_request(self, key: str) -> dict[str, Any]:
        order = self.terms.orders[key]
        code: dict[str, Any] = {"text": order.text}
        if order.codings:
            code["coding"] = [{"system": s, "code": c, "display": d} for s, c, d in order.codings]
        resource = {
            "resourceType": "ServiceRequest",
            "status": "draft",
            "intent": "order",
            "code": code,
            "subject": {"reference": f"Patient/{self.patient_id}"},
        }
        _require_valid(ServiceRequest, resource)
        return resource

    def _changed(self, proposal: Proposal) -> Action | None:
        """The draft with the new dose; None where it may be for another drug, or is for a second one as well (M2)."""
        order, daily = proposal.medication, proposal.daily
        if order is None or daily is None or "/" not in order.reference:
            return None
        if order.conflict or order.ingredients != (proposal.drug,):
            return None
        resource = order.resource.valid_json()
        if resource is None:
            return None
        dosage = _dosage(resource, daily)
        left_out = _without_old_dose(resource, dosage)
        each = Decimal(str(dosage["doseAndRate"][0]["doseQuantity"]["value"]))
        names_ingredient = not _can_make(order, each)
        if names_ingredient:
            _name_ingredient(resource, proposal.drug, self.terms)
        resource["dosageInstruction"] = [dosage]
        named = (resource.get("subject") or {}).get("reference")
        if not named or named.startswith("urn:"):  # such a name exists within its Bundle only
            resource["subject"] = {"reference": f"Patient/{self.patient_id}"}
        try:
            _require_valid(MedicationRequest, resource)
        except ValueError:
            return None  # the draft is too damaged to be sent back: the card says the dose in words
        words = f"{proposal.label} ({dosage['text']})"
        if names_ingredient:
            words += f"; ordered as {proposal.drug}, because the drafted product cannot make this dose"
        if left_out:
            words += f"; left out, because told for the old dose: {', '.join(left_out)}"
        return Action("update", words, resource=resource)


def _require_valid(model: Any, resource: dict[str, Any]) -> None:
    """Raises ValueError where it is not valid R4."""
    if not certainly_valid(model.__name__, msgspec.json.encode(resource)):
        model.model_validate(resource)


def _delete(proposal: Proposal) -> Action | None:
    order = proposal.medication
    if order is None or "/" not in order.reference:
        return None
    return Action("delete", f"{proposal.label} ({one_line(order.label)})", resource_id=order.reference)


def _dosage(resource: dict[str, Any], daily: Quantity) -> dict[str, Any]:
    """The first dosage with the new dose, once a day, everything else kept."""
    steps = resource.get("dosageInstruction") or [{}]
    kept = {key: value for key, value in steps[0].items() if key not in ("text", "_text", "doseAndRate", "timing")}
    kept.pop("asNeededBoolean", None)
    bounds = {
        key: value
        for key, value in ((steps[0].get("timing") or {}).get("repeat") or {}).items()
        if key.startswith("bounds")
    }
    amount = plain(daily.value)
    return kept | {
        "text": f"{amount} mg once daily",
        "timing": {"repeat": {**bounds, "frequency": 1, "period": 1, "periodUnit": "d"}},
        "doseAndRate": [{"doseQuantity": {"value": json.loads(amount), "unit": "mg", "system": UCUM, "code": "mg"}}],
    }


def _without_old_dose(resource: dict[str, Any], dosage: dict[str, Any]) -> tuple[str, ...]:
    """Takes away what would tell the old dose beside the new one. Gives what somebody may want to enter anew."""
    resource.pop("text", None)
    _keep(resource, "extension", lambda each: not str(each.get("url")).endswith(RENDERED))
    dispense = resource.get("dispenseRequest") or {}
    first = dispense.get("initialFill") or {}
    gone = {
        "the instruction to the patient": counts(dosage.get("patientInstruction") or "")
        and _without(dosage, "patientInstruction", "_patientInstruction"),
        "a further instruction": _keep(dosage, "additionalInstruction", lambda each: not _counts(each)),
        "the highest dose": _without(dosage, "maxDosePerPeriod", "maxDosePerAdministration"),
        "the quantity to dispense": _without(dispense, "quantity") | _without(first, "quantity"),
    }
    for place, name in ((dispense, "initialFill"), (resource, "dispenseRequest")):
        if place.get(name) == {}:
            del place[name]
    return tuple(words for words, is_gone in gone.items() if is_gone)


def _without(place: dict[str, Any], *names: str) -> bool:
    """Takes these away. Whether any was there."""
    return [place.pop(name) for name in names if name in place] != []


def _keep(place: dict[str, Any], name: str, stays: Callable[[dict[str, Any]], bool]) -> bool:
    """Takes away those of a list that do not stay, and the list where none does. Whether any was taken away."""
    every = place.get(name) or []
    kept = [each for each in every if stays(each)]
    if len(kept) < len(every):
        place[name] = kept
    if every and not kept:
        del place[name]
    return len(kept) < len(every)


def _counts(concept: dict[str, Any]) -> bool:
    """Whether the words of a concept may tell how much is taken."""
    return any(counts(each) for each in (concept.get("text"), *_displays(concept)) if each)


def _displays(concept: dict[str, Any]) -> Iterable[str | None]:
    return (each.get("display") for each in concept.get("coding") or ())


def _can_make(order: Medication, amount: Decimal) -> bool:
    """Whether whole pieces of the drafted product make the amount; a product without a stated strength can."""
    strength = product_strength(order.product)
    return strength is None or amount % strength == 0


def _name_ingredient(resource: dict[str, Any], drug: str, terms: Terms) -> None:
    """Order the ingredient instead of the product."""
    reference = resource.pop("medicationReference", {}).get("reference", "")
    if reference.startswith("#"):
        resource["contained"] = [c for c in resource.get("contained", ()) if f"#{c.get('id')}" != reference]
        if not resource["contained"]:
            del resource["contained"]
    code = next(
        (
            code
            for (system, code), found in terms.drugs.items()
            if system == RXNORM
            and found.ingredients == (drug,)
            and found.level == "ingredient"
            and found.display == drug
        ),
        None,
    )
    concept: dict[str, Any] = {"text": drug}
    if code is not None:
        concept["coding"] = [{"system": RXNORM, "code": code, "display": drug}]
    resource["medicationCodeableConcept"] = concept
