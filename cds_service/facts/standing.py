"""Standing: what the clinical and the verification status of an entry of the problem list come to."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.facts.concepts import codes, is_of_catalogue, texts_of, wording
from cds_service.facts.concepts import text as spoken
from cds_service.facts.diagnoses import IN_RELAPSE, IN_REMISSION
from cds_service.gather.views import CodeableConcept
from cds_service.kept import as_written
from cds_service.knowledge.terms import Terms

_NEVER = frozenset({"refuted", "entered-in-error"})
_OVER = frozenset({"inactive", "resolved"})
_UNCERTAIN = {
    "unconfirmed": "unconfirmed, not certain",
    "provisional": "provisional, not certain",
    "differential": "differential diagnosis, not certain",
}
_UNVERIFIED = "its verification cannot be read, not certain"  # it may say that the entry is refuted


@dataclass(frozen=True, slots=True)
class Standing:
    """What the clinical and the verification status of an entry come to."""

    never: bool  # refuted, or entered in error
    over: bool
    disease: str  # relapse or remission, where the clinical status says so
    doubts: tuple[str, ...]


def standing_of(clinical: CodeableConcept | None, verification: CodeableConcept | None, terms: Terms) -> Standing:
    """How an entry of the problem list stands, as its two statuses say."""
    kept = terms.kept("standings")
    coded = (clinical is None or is_of_catalogue(clinical)) and (verification is None or is_of_catalogue(verification))
    said = (wording(clinical, terms), wording(verification, terms))
    written = said if coded else as_written(clinical, verification)
    known: Standing | None = kept.get(written)
    if known is None:
        texts = (*texts_of(clinical), *texts_of(verification))
        known = kept.keep(written, _stands(clinical, verification, terms), *texts)
    return known


def _stands(clinical: CodeableConcept | None, verification: CodeableConcept | None, terms: Terms) -> Standing:
    stated, verified = _said(clinical, terms), _said(verification, terms)
    either = {*stated, *verified}
    doubts = tuple(words for status, words in _UNCERTAIN.items() if status in verified)
    if verification is not None and not {"confirmed", *_UNCERTAIN} & {*verified}:
        doubts += (_UNVERIFIED,)
    disease = next((code for code in stated if code in IN_RELAPSE | IN_REMISSION), "")
    return Standing(bool(either & _NEVER), bool(either & _OVER), disease, doubts)


def _said(status: CodeableConcept | None, terms: Terms) -> tuple[str, ...]:
    """The codes of a status, and its words where it comes without codes."""
    return (*(code.lower() for _, code in codes(status, terms)), spoken(status).strip().lower())
