"""The chart: every reader in order, so that rules ask one place for one patient's facts.

The patient's facts are a Chart, because Patient is FHIR's own word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any, TypeVar, cast

from cds_service.facts.allergies import read_allergies
from cds_service.facts.apl import with_fusion
from cds_service.facts.came import contained, sorted_out, what_came
from cds_service.facts.course import COURSE_FACTS, Course
from cds_service.facts.demographics import read_deceased, read_demographics, read_links, read_sex
from cds_service.facts.disease import APL, read_disease
from cds_service.facts.drugs.medication_list import read_medications
from cds_service.facts.drugs.medications import MEDICATIONS, Medications
from cds_service.facts.drugs.plans import unread_plans
from cds_service.facts.entries import PROBLEMS, read_procedures
from cds_service.facts.fact import Fact, Key
from cds_service.facts.genomics.karyotype import read_karyotypes
from cds_service.facts.genomics.ledger import LEDGER, read_ledger
from cds_service.facts.genomics.markers import APL_FUSION
from cds_service.facts.genomics.mutations import MARKER_NAMES, read_mutations
from cds_service.facts.later import WhenAsked
from cds_service.facts.orders import DRAFTED, TYPED, read_drafted, read_orders, read_typing
from cds_service.facts.reproduction import read_pregnancy
from cds_service.facts.values.ecg import read_ecgs
from cds_service.facts.values.inside import with_reports
from cds_service.facts.values.labs import LAB_FACTS, Labs
from cds_service.facts.values.results import Reading, Spans
from cds_service.gather.replies import Gathered, Status
from cds_service.knowledge.terms import Terms
from cds_service.quantity import Quantity

T = TypeVar("T")


@dataclass(frozen=True)
class Chart:
    """One patient's facts at one moment, and what was set aside while reading them."""

    patient_id: str
    now: datetime
    facts: Mapping[str, Fact[Any]]
    foreign: int = 0
    unreadable_drafts: tuple[str, ...] = ()  # of each, why

    def get(self, key: Key[T]) -> Fact[T]:
        """The fact of that key. Every key of the catalogue has one."""
        return cast("Fact[T]", self.facts[key.name])

    def of_late(self, key: Key[T], within: Quantity) -> Fact[T]:
        """The fact of that key, turned stale when it is older than `within`; the very same each time."""
        asked = (key.name, within)
        if asked not in self._of_late:
            self._of_late[asked] = self.get(key).within(within, self.now)
        return cast("Fact[T]", self._of_late[asked])

    @cached_property
    def _of_late(self) -> dict[tuple[str, Quantity], Fact[Any]]:
        return {}

    @cached_property
    def medications(self) -> Medications:
        """Every order that could be read, drafts included, however incomplete the list."""
        return self.get(MEDICATIONS).value or Medications((), 0, 0)


def read_chart(
    gathered: Gathered, patient_id: str, selections: tuple[str, ...], spans: Spans, terms: Terms, now: datetime
) -> Chart:
    """Everything that could be read. `now` carries the site's zone."""
    reading = Reading(terms, now.tzinfo or UTC, now, patient_id)
    came = what_came(gathered)
    patient, age = read_demographics(gathered.reply("patient"), reading)
    procedures = read_procedures(gathered.reply("procedures"), reading)
    conditions = read_disease(gathered.reply("conditions"), reading, procedures, spans.named_again)
    inside = contained(gathered, came.holders)
    results, within = sorted_out(came.observations, terms), sorted_out(inside, terms)
    ecg, labs, bedside = (
        with_reports(gathered.reply(key), came.holders.get(key, ()), came.observations)
        for key in ("ecg", "labs", "bedside")
    )
    qtc, ecgs, refused_ecgs = read_ecgs((*results.ecgs, *within.ecgs), ecg, spans.same_ecg, reading)
    _, relapse, _, _, history = conditions
    said = (*gathered.reply("statements").resources, *gathered.reply("administrations").resources)
    medications = read_medications(
        gathered.reply("medications"), gathered.drafts, gathered.others, selections, reading, spans, said,
        gathered.reply("orders").resources,
    )  # fmt: skip
    for name in ("statements", "administrations"):  # none sent says nothing; one that was lost may name any drug
        taken = gathered.reply(name)
        if taken.status is Status.PARTIAL:
            medications = medications.doubted(f"not all {name} were read: {taken.why}")
    services = gathered.reply("orders")  # a call that leaves them out says nothing by it
    if gathered.drafts and services.status in (Status.PARTIAL, Status.FAILED):
        lost = "not all orders of services were read, and one of them may name a regimen"
        medications = medications.doubted(f"{lost}: {services.why}")
    unread = (
        *gathered.unreadable,
        *unread_plans(gathered.drafts, gathered.others, gathered.reply("medications").resources, reading),
    )
    if unread:
        medications = medications.doubted("a draft order could not be read")
    single: tuple[Fact[Any], ...] = (
        patient,
        age,
        *conditions,
        read_deceased(gathered.reply("patient"), reading),
        read_sex(gathered.reply("patient"), reading),
        read_links(gathered.reply("patient")),
        qtc,
        ecgs,
        refused_ecgs,
        medications,
        procedures,
        read_orders(
            gathered.reply("orders"), gathered.drafts, reading, spans.ordered, gathered.reply("procedures").resources
        ),
        read_allergies(gathered.reply("allergies"), reading),
    )
    facts: dict[str, Fact[Any]] = {fact.key.name: fact for fact in single}
    measured = Labs((*results.labs, *within.labs), labs, bedside, reading)
    genomic = (results.genomics, within.genomics)
    if came.reports:  # what a report covered is told by all that it names
        genomic = ([*came.observations], [*inside])
    in_panels = (each for each in genomic[1] if each[0].inside.startswith("Observation"))  # others go with their report
    diagnoses = history.value or ()
    mutations = read_mutations(
        (*genomic[0], *in_panels), gathered.reply("genomics"), reading, came.reports, diagnoses
    )
    facts[APL.name] = with_fusion(facts[APL.name], mutations.fact(APL_FUSION))
    pregnant = read_pregnancy(
        (*results.pregnancy, *within.pregnancy), bedside, facts[PROBLEMS.name], reading, spans.pregnant
    )
    facts[pregnant.key.name] = pregnant
    markers = WhenAsked({}, dict.fromkeys(MARKER_NAMES, mutations.fact))
    typing = (  # who tells of it, if anybody
        *gathered.reply("orders").resources, *gathered.reply("procedures").resources,
        *(resource for resource, _ in came.observations),
    )  # fmt: skip
    course = Course(
        history, procedures, relapse, reading, partial(read_karyotypes, (*results.genomics, *within.genomics), reading)
    )
    later: dict[str, Callable[[str], Fact[Any]]] = {
        **dict.fromkeys(COURSE_FACTS, course.fact),
        **dict.fromkeys(MARKER_NAMES, markers.__getitem__),
        LEDGER.name: lambda _: read_ledger(markers, mutations.beside),
        **dict.fromkeys(LAB_FACTS, measured.fact),
        TYPED.name: lambda _: read_typing(typing, reading),
        DRAFTED.name: lambda _: read_drafted(gathered.drafts, reading),
    }
    every = WhenAsked(facts, later)  # nothing in it holds it: it is gone with the call
    return Chart(patient_id, now, every, gathered.foreign, tuple(each.reason for each in unread))
