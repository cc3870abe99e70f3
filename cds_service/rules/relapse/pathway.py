"""Pathway: is this patient in scope, and what comes first at relapse? Scope gates the pathway, never drug safety."""

from __future__ import annotations

from typing import assert_never

from cds_service.facts.course import ALLOGENEIC
from cds_service.facts.demographics import AGE, DECEASED
from cds_service.facts.disease import APL, DISEASE, RELAPSE, Disease
from cds_service.facts.drugs.medications import Role
from cds_service.facts.entries import PROBLEMS, PROCEDURES, Entry
from cds_service.facts.fact import Fact, holds
from cds_service.facts.genomics.mutations import MARKER_NAMES
from cds_service.facts.orders import ORDERED, TYPED
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level
from cds_service.rules.relapse.fitness import Fitness, assess
from cds_service.rules.rule import Case, Clear, NotApplicable, Outcome, Proposal, rule
from cds_service.rules.signs import entries_of, keys_of
from cds_service.rules.standing import (
    RELAPSE_CARD,
    adult,
    common_doors,
    gate,
    in_relapse,
    is_apl,
    open_age,
    shut,
    told_as_relapse,
)
from cds_service.rules.subjects import Use, the_patient, uses
from cds_service.truth import Truth

_IN_PLAY = (Role.DRAFT, Role.ACTIVE, Role.ON_HOLD)
_DONOR_SEARCH = "donor-search"


@rule("scope-apl", subjects=the_patient, sources=("D01",), worst=Level.INFO, viewing=True)
def out_of_scope(case: Case, patient: str) -> Outcome:
    """Acute promyelocytic leukaemia is outside the relapse pathway.

    It is asked where the patient is viewed. Where the problem list holds acute promyelocytic leukaemia, one card of
    information says that no work-up and no option for relapse is offered. The checks of drugs go on, and beside an
    order they alone speak. Where the problem list does not name it, a genetic result counts that found its gene
    fusion, and the card says so.

    A problem list that was not read whole is named as a gap, unless the disease was found in what was read; so are
    results of one day that contradict each other. The newest result decides. One that is negative silences no
    diagnosis, and one that is open changes nothing. Such results are read where they come, and not asked for.
    """
    match is_apl(case):
        case Truth.YES:
            said = case.must(topics.OUT_OF_SCOPE, "pathway")
            apl = case.fact(APL)
            return case.fired(
                Level.INFO, "out_of_scope", drug="apl", because=(apl,), says=(said,), said=said, apl=apl
            )
        case Truth.NO:
            return Clear("no acute promyelocytic leukaemia on record")
        case Truth.UNKNOWN:
            return case.blind(case.fact(APL))
        case other:
            assert_never(other)


@rule("scope-adult", subjects=the_patient, sources=("D07", "T10"), worst=Level.INFO)
def adults_only(case: Case, patient: str) -> Outcome:
    """The options are written for adults.

    It is asked where the AML is relapsed or refractory, or where a drug of this service is drafted, taken or held.
    Below the age of an adult, one card of information says that no adult option is offered and that the checks of
    drugs go on, with limits for adults.

    An age that is not known, or a birth date that leaves it open, is named as a gap. Labels that begin at a younger
    age are not told apart here.
    """
    ours = [order for order in case.orders(*_IN_PLAY) if any(drug in case.snapshot.drugs for drug in order.ingredients)]
    if in_relapse(case) is not Truth.YES and not ours:
        return NotApplicable("nothing here depends on age")
    age = case.fact(AGE)
    match adult(case):
        case Truth.YES:
            return Clear(f"{age.value}")
        case Truth.NO:
            limit = case.must(topics.ADULT_FROM, "policy")
            return case.fired(
                Level.INFO, "not_adult", drug="scope", because=(age,), says=(limit,), age=age, limit=limit
            )
        case Truth.UNKNOWN:
            return case.blind(age, about=ours, why=open_age(age))
        case other:
            assert_never(other)


@rule("trial-first", subjects=the_patient, sources=("D02", "D11", "D15", "E60"), worst=Level.INFO, viewing=True)
def trial_first(case: Case, patient: str) -> Outcome:
    """At relapse, a clinical trial first.

    It is asked where the patient is viewed, for an adult with relapsed or refractory AML. It is information: a
    clinical trial comes first, and is the best option where every criterion of fitness holds. Where the performance
    status or an organ surely speaks against intensive therapy, the aim that follows stands before that.

    It is silent with acute promyelocytic leukaemia, in a child, after death, and once this relapse is treated. An
    unknown state of the AML or an unknown age is named as a gap. Trials are not searched or matched.
    """
    closed = gate(case)
    if closed is not None:
        return closed
    said = case.must(topics.TRIAL_FIRST, "pathway")
    disease, fitness = case.fact(DISEASE), assess(case)
    about_unfit = (topics.UNFIT_AIM, topics.TRANSPLANT_UNFIT) if fitness.impaired else ()
    unfit = tuple(case.must(topic, "pathway") for topic in about_unfit)
    return case.fired(
        Level.INFO,
        "first_steps",
        drug=RELAPSE_CARD,
        because=(disease,),
        says=(said, *unfit),
        said=said,
        disease=disease,
        relapse=case.fact(RELAPSE),
        best=fitness.verdict is Fitness.FIT,
        aim=unfit[0] if unfit else None,
        impaired=fitness.impaired,
        donor=not _no_donor_search(case) and _DONOR_SEARCH not in case.snapshot.switches,
        untyped=not _donor_known(case),
    )


@rule("state-not-stated", subjects=the_patient, sources=("I3",), worst=Level.INFO, viewing=True)
def state_not_stated(case: Case, patient: str) -> Outcome:
    """AML on record without its state.

    It is asked where the patient is viewed. Where AML is on record without its state, or markers of a leukaemia beside
    a problem list that could not be read, one card of information asks which it is.

    It is silent once the state is recorded, without AML, with acute promyelocytic leukaemia, in a child and after
    death; a relapse of residual disease is told on its own card. An unknown age is named as a gap. It asks because one
    code covers new and refractory disease alike.
    """
    disease = case.fact(DISEASE)
    unstated = holds(disease, lambda state: state is Disease.UNSTATED)
    unread = disease.value is None and any(case.fact(key).value is not None for key in MARKER_NAMES.values())
    closed = told_as_relapse(case)
    closed = closed or shut(case, ((~unstated, f"on record: {disease.value.value if disease.value else ''}", disease),))
    closed = closed or shut(case, common_doors(case))
    unread = unread or (unstated is Truth.YES and is_apl(case) is Truth.UNKNOWN)  # no reason not to ask
    if closed is not None and not (unread and adult(case) is Truth.YES and not case.fact(DECEASED).value):
        return closed
    said = case.must(topics.STATE_ASKED, "pathway")
    return case.fired(
        Level.INFO, "state_asked", drug="state", because=(disease,), says=(said,), said=said, disease=disease
    )


@rule(_DONOR_SEARCH, subjects=the_patient, sources=("D03", "D11", "T4"), worst=Level.INFO, viewing=True)
def donor_search(case: Case, patient: str) -> Outcome:
    """At relapse, HLA typing and donor search.

    It is asked where the patient is viewed, for an adult with relapsed or refractory AML that is not yet treated. A
    line proposes HLA typing and a donor search, to be ordered in one click.

    It is silent where a donor search is ordered already, or where a transplantation is on record that had a donor or
    may have had one. So it is where HLA typing was done, as a result, a procedure or a completed order says. Typing
    that is only ordered is told, and the search still proposed. Where the performance status or an organ surely speaks
    against intensive therapy, the transplant centre is asked first. Procedures or problems that were not read whole are
    named in the line.
    """
    closed = gate(case)
    if closed is not None:
        return closed
    settled = _no_donor_search(case)
    if settled:
        return Clear(settled)
    ordered = case.fact(ORDERED).value or frozenset()
    said = case.must(topics.DONOR_SEARCH, "pathway")
    unknown = tuple(fact for fact in (case.fact(PROCEDURES), case.fact(PROBLEMS)) if not fact.sure)
    return case.fired(
        Level.INFO,
        "donor_search",
        drug=RELAPSE_CARD,
        says=(said,),
        line=True,
        propose=(
            Proposal("order", "Order HLA typing", order="hla_typing"),
            Proposal("order", "Request a donor search", order="donor_search"),
        ),
        said=said,
        typing="hla_typing" in ordered,
        unknown=unknown,
    )


def _no_donor_search(case: Case) -> str:
    """Why none is to be proposed; "" where it is."""
    impaired = assess(case).impaired
    return _donor_known(case) or (f"the transplant centre decides first ({impaired})" if impaired else "")


def _donor_known(case: Case) -> str:
    """Why there is no donor to be searched for any more."""
    transplanted = _transplanted(case)
    if transplanted:
        return f"earlier transplantation on record ({transplanted[0].words})"
    if "donor_search" in (case.fact(ORDERED).value or frozenset()):
        return "a donor search is already ordered"
    return "HLA typing was done" if case.fact(TYPED).value else ""


def _transplanted(case: Case) -> tuple[Entry, ...]:
    """Entries of a transplant that had a donor, or may have had one; none where it is known that it was autologous."""
    if case.fact(ALLOGENEIC).value is False:
        return ()
    wanted = keys_of(case, "transplant, perhaps from a donor")
    found = (*entries_of(case.fact(PROCEDURES), wanted), *entries_of(case.fact(PROBLEMS), wanted))
    return tuple(entry for entry in found if entry.certain)  # one that is not certain spares nobody the search


@rule("aml-on-record", subjects=uses(topics.TARGETS, topics.RAMP_UP), sources=("I8", "I9"), worst=Level.INFO)
def aml_on_record(case: Case, use: Use) -> Outcome:
    """A diagnosis on record that fits the drug.

    It is asked of an order for a targeted drug or for venetoclax. Where no AML is on record, and no other disease for
    which the drug is given, a line of information says so and the checks go on. For a drug that the sources place at
    relapse, a line says when the record states no relapse.

    A problem list that was not read whole is named as a gap. It never stops an order: the diagnosis may stand in a
    note that is not read.
    """
    if not use.drafts:
        return NotApplicable("not drafted")
    disease = case.fact(DISEASE)
    match holds(disease, lambda state: state is Disease.NONE):
        case Truth.YES:
            problems = case.fact(PROBLEMS).value or ()
            fits = set(case.snapshot.drugs[use.drug].indications)
            other = next((entry.words for entry in problems if entry.certain and fits & set(entry.keys)), "")
            if other:
                return Clear(f"another indication is on record ({other})")
            if not disease.sure:  # what was not read may be AML
                return case.blind(disease, about=use.drafts)
            return case.fired(
                Level.INFO,
                "no_aml_on_record",
                about=use.drafts,
                drug=use.drug,
                because=(disease,),
                says=(case.must(topics.DIAGNOSIS_ASKED, "policy"),),
                line=True,
                drug_name=use.drug,
                read=len({(entry.origin.resource, entry.words, entry.when) for entry in problems}),  # each once
            )
        case Truth.NO:
            return _fits_the_state(case, use, disease)
        case Truth.UNKNOWN:
            return case.blind(disease, about=use.drafts)
        case unreachable:
            assert_never(unreachable)


def _fits_the_state(case: Case, use: Use, disease: Fact[Disease]) -> Outcome:
    """A drug for relapse in AML that is not stated to be relapsed or refractory: said, not judged."""
    option = case.cite(topics.OPTION, use.drug)
    state = disease.value.value if disease.value else ""
    if option is None or in_relapse(case) is Truth.YES:
        return Clear(state)
    spoken = case.snapshot.drugs[use.drug].spoken_indication
    return case.fired(
        Level.INFO,
        "state_on_file",
        about=use.drafts,
        drug=use.drug,
        because=(disease,),
        says=(option,),
        line=True,
        drug_name=use.drug,
        indication=spoken,
        state=state,
    )
