"""Recorded: what a FHIR server was asked in one call and what it gave, so that the call can be answered again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cds_service.gather.collect import AsksFhir
from cds_service.gather.limits import Deadline
from cds_service.gather.query import Answered
from cds_service.hooks.request import FhirAccess


@dataclass(slots=True)
class Recorded:
    """Asks `fhir` and remembers each question (a query, or the address of a next page) as it was answered."""

    fhir: AsksFhir
    refused: str | None = None
    answers: dict[str, Answered] = field(default_factory=dict)

    def refusal(self, access: FhirAccess) -> str | None:
        """Why this server may not be asked, in words; None when it may."""
        self.refused = self.fhir.refusal(access)
        return self.refused

    def ask_all(self, access: FhirAccess, queries: Mapping[str, str], deadline: Deadline) -> dict[str, Answered]:
        """The answer to each query, by the deadline whatever happens."""
        found = self.fhir.ask_all(access, queries, deadline)
        self.answers.update({queries[key]: answered for key, answered in found.items()})
        return found

    def more_pages(self, access: FhirAccess, next_url: str, deadline: Deadline) -> Answered:
        """The pages that follow a first one."""
        found = self.answers[next_url] = self.fhir.more_pages(access, next_url, deadline)
        return found


@dataclass(frozen=True, slots=True)
class Replayed:
    """Stands in for the FHIR server with what was recorded. What was not asked then is not asked now."""

    refused: str | None
    answers: Mapping[str, Answered]

    def refusal(self, access: FhirAccess) -> str | None:
        """As it was then."""
        return self.refused

    def ask_all(self, access: FhirAccess, queries: Mapping[str, str], deadline: Deadline) -> dict[str, Answered]:
        """Those of the queries that were answered then."""
        return {key: self.answers[query] for key, query in queries.items() if query in self.answers}

    def more_pages(self, access: FhirAccess, next_url: str, deadline: Deadline) -> Answered:
        """The pages as they came then. Raises LookupError for one that was not asked for."""
        return self.answers[next_url]
