"""A call that was recorded is answered again by what the FHIR server gave then, and by nothing else."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from cds_service.gather.limits import Deadline
from cds_service.gather.query import Answered
from cds_service.gather.recorded import Recorded, Replayed
from cds_service.gather.replies import Status
from cds_service.hooks.request import FhirAccess

ACCESS = FhirAccess("https://ehr.example.org/fhir")
DEADLINE = Deadline(2, lambda: 0.0)
LABS, PATIENT = "Observation?patient=p1", "Patient/p1"
NEXT = "https://ehr.example.org/fhir?page=2"


class Server:
    """Stands in for a FHIR server, until it is gone."""

    gone = False

    def refusal(self, access: FhirAccess) -> str | None:
        assert not self.gone
        return "not one of those that may be asked" if access.server.endswith("/other") else None

    def ask_all(self, access: FhirAccess, queries: Mapping[str, str], deadline: Deadline) -> dict[str, Answered]:
        assert not self.gone
        return {key: Answered((query.encode(),), Status.COMPLETE, "") for key, query in queries.items()}

    def more_pages(self, access: FhirAccess, next_url: str, deadline: Deadline) -> Answered:
        assert not self.gone
        return Answered((next_url.encode(),), Status.PARTIAL, "the FHIR server did not answer in time")


def test_what_was_asked_is_given_again_without_the_server() -> None:
    server = Server()
    recorded = Recorded(server)
    assert recorded.refusal(ACCESS) is None
    first = recorded.ask_all(ACCESS, {"labs": LABS, "patient": PATIENT}, DEADLINE)
    pages = recorded.more_pages(ACCESS, NEXT, DEADLINE)
    server.gone = True
    replayed = Replayed(recorded.refused, recorded.answers)
    assert replayed.refusal(ACCESS) is None
    assert replayed.ask_all(ACCESS, {"other key": LABS, "patient": PATIENT}, DEADLINE) == {
        "other key": first["labs"], "patient": first["patient"],
    }  # fmt: skip
    assert replayed.more_pages(ACCESS, NEXT, DEADLINE) == pages
    assert (pages.status, pages.why) == (Status.PARTIAL, "the FHIR server did not answer in time")


def test_what_was_not_asked_then_has_no_answer_now() -> None:
    replayed = Replayed(None, {})
    assert replayed.ask_all(ACCESS, {"labs": LABS}, DEADLINE) == {}
    with pytest.raises(LookupError):
        replayed.more_pages(ACCESS, NEXT, DEADLINE)


def test_a_server_that_might_not_be_asked_might_not_be_asked_then() -> None:
    recorded = Recorded(Server())
    told = recorded.refusal(FhirAccess("https://ehr.example.org/other"))
    assert Replayed(recorded.refused, {}).refusal(ACCESS) == told == "not one of those that may be asked"
