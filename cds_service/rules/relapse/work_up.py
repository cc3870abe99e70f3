"""Work-up: where the patient stands at relapse, fitness criterion by criterion, and what remission would mean."""

from __future__ import annotations

from datetime import date

from cds_service.facts.course import ALLOGENEIC, FIRST_REMISSION, RELAPSE_NUMBER, TO_RELAPSE
from cds_service.facts.diagnoses import IN_RELAPSE
from cds_service.facts.disease import DISEASE, Disease
from cds_service.facts.entries import HISTORY, PROBLEMS, Entry
from cds_service.facts.fact import holds
from cds_service.facts.times import When
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level
from cds_service.rules.relapse.fitness import assess
from cds_service.rules.relapse.prognosis import epi
from cds_service.rules.rule import Case, NotApplicable, Outcome, rule
from cds_service.rules.signs import entries_of
from cds_service.rules.standing import RELAPSE_CARD, common_doors, gate, shut, told_as_relapse
from cds_service.rules.subjects import the_patient

_TRANSPLANT = (topics.TRANSPLANT_GOAL, topics.CONDITIONING)
_OUTSIDE_THE_MARROW = frozenset(
    {"myeloid_sarcoma", "cns_leukaemia", "cns_leukaemia_secondary_neoplasm", "extramedullary_disease"}
)


@rule(
    "where-it-stands",
    subjects=the_patient,
    sources=("D07", "D08", "D10", "D11", "D12", "D13", "D14", "D15", "D16", "E54", "I4", "I6", "I7", "gap-1", "gap-4"),
    worst=Level.INFO,
    viewing=True,
)
def where_it_stands(case: Case, patient: str) -> Outcome:
    """Where the patient stands: course, fitness and prognosis.

    It is asked where the patient is viewed, for an adult with relapsed or refractory AML that is not yet treated. A
    line of information tells the course, each criterion of fitness, the prognosis of a first relapse, and the aim of
    transplantation, unless the performance status or an organ surely speaks against that. The limits of fitness are a
    policy of this service, which a hospital may replace.

    One criterion against intensive therapy is enough; what is left to judgement, or not known, is said as such, and
    old or doubtful values do not count. The score is told only when each of its inputs is known. Lung function,
    infection and dependence on help are not read. Disease outside the marrow is named where it is on record, as the
    sources say nothing of it.
    """
    closed = gate(case)
    if closed is not None:
        return closed
    said = case.must(topics.FITNESS, "policy")
    assessment = assess(case)
    transplant = () if assessment.impaired else tuple(case.must(topic, "pathway") for topic in _TRANSPLANT)
    score = epi(case)
    refractory = case.fact(DISEASE).value is Disease.REFRACTORY
    meaning = case.must(topics.REFRACTORY_MEANING, "pathway") if refractory else None
    return case.fired(
        Level.INFO,
        "where_it_stands",
        drug=RELAPSE_CARD,
        says=(said, *transplant),
        mentions=tuple(
            each for each in (meaning, case.cite(topics.EPI, "pathway") if score and score.group else None) if each
        ),
        line=True,
        disease=case.fact(DISEASE),
        number=case.fact(RELAPSE_NUMBER),
        first_remission=case.fact(FIRST_REMISSION),
        to_relapse=case.fact(TO_RELAPSE),
        allogeneic=case.fact(ALLOGENEIC),
        outside=tuple(dict.fromkeys(each.words for each in entries_of(case.fact(PROBLEMS), _OUTSIDE_THE_MARROW))),
        criteria=assessment.criteria,
        verdict=assessment.verdict,
        asks_for_cause=assessment.asks_for_cause,
        score=score,
        meaning=meaning,
        transplant=transplant,
    )


@rule(
    "after-response",
    subjects=the_patient,
    sources=("D90", "D91", "D92", "D93", "E58"),
    worst=Level.INFO,
    viewing=True,
)
def after_response(case: Case, patient: str) -> Outcome:
    """Remission after a relapse or refractory disease: what follows.

    It is asked where the patient is viewed, for an adult whose AML is in remission after an earlier relapse or after
    refractory disease. One card of information tells what follows: transplantation, residual disease, and that
    maintenance evidence is of first remissions.

    It is silent in a first remission that came at once, with acute promyelocytic leukaemia, in a child and after
    death. A record that does not tell what came before, or an unknown age, is named as a gap; a relapse without a
    date counts as earlier. One of residual disease is told on its own card. Results of residual disease are not read.
    """
    disease, history = case.fact(DISEASE), case.fact(HISTORY)
    remission = holds(disease, lambda state: state is Disease.REMISSION)
    closed = told_as_relapse(case)
    other = (~remission, f"on record: {disease.value.value if disease.value else ''}", disease)
    closed = closed or shut(case, (other,))
    closed = closed or shut(case, common_doors(case))
    if closed is not None:
        return closed
    stated = [entry for entry in history.value or () if entry.status in _ACTIVE and "apl" not in entry.keys]
    before = max((entry for entry in stated if _before(entry, disease.when)), key=_day, default=None)
    if before is None:
        if not history.sure:
            return case.blind(history)
        return NotApplicable("no relapse or refractory disease before this remission on record")
    said = case.must(topics.AFTER_RESPONSE, "pathway")
    return case.fired(
        Level.INFO,
        "after_response",
        drug="after response",
        because=(disease,),
        says=(said,),
        said=said,
        disease=disease,
        relapse=before,
        refractory=before.status not in IN_RELAPSE,
        allogeneic=case.fact(ALLOGENEIC),
    )


_ACTIVE = IN_RELAPSE | {"refractory"}


def _before(entry: Entry, remission: When | None) -> bool:
    """Whether a relapse or refractory disease precedes the remission, as far as both have a date."""
    return entry.when is None or remission is None or entry.when.earliest <= remission.latest


def _day(entry: Entry) -> date:
    return entry.when.latest.date() if entry.when else date.min
