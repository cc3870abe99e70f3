"""Evidence: what the sources do not support, or ask for first, when a drug is chosen in relapse; its approval there."""

from __future__ import annotations

from typing import Any, assert_never

from cds_service.facts.disease import DISEASE, RELAPSE, Disease
from cds_service.facts.drugs.medications import MEDICATIONS, Medication, Role
from cds_service.facts.fact import holds
from cds_service.facts.genomics.mutations import MARKER_NAMES
from cds_service.facts.times import When
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level, Statement, Verification
from cds_service.knowledge.therapies import Kind
from cds_service.rules.rule import Case, Clear, NotApplicable, Outcome, rule
from cds_service.rules.standing import RELAPSE_CARD, in_relapse, no_relapse, not_for_aml, present_now, shut
from cds_service.rules.subjects import Use, our_drugs, the_patient, uses
from cds_service.truth import Truth, any_of


@rule("alone-in-relapse", subjects=uses(topics.ALONE_IN_RELAPSE), sources=("D22", "D64"), worst=Level.INFO)
def alone_in_relapse(case: Case, use: Use) -> Outcome:
    """Drugs that do little when given alone in relapse.

    It is asked of an order for a drug that the sources do not support alone in relapse. In relapsed or refractory AML,
    with no other drug against leukaemia drafted or taken, a card of information says so. Hydroxycarbamide is no
    partner; a partner that is only planned or on hold is not seen, nor one that this service has no knowledge of: the
    card says so.

    Where the medication list is not known, it is told with that doubt; an unknown state of the AML is named as a gap.
    It is silent in new disease or remission, on running treatment, and where another disease is the reason.
    """
    if not use.drafts:
        return NotApplicable("not drafted")
    if elsewhere := not_for_aml(case):
        return NotApplicable(elsewhere)
    match in_relapse(case):
        case Truth.NO:
            return Clear("no relapsed or refractory AML on record")
        case Truth.UNKNOWN:
            return case.blind(case.fact(DISEASE), about=use.drafts)
        case Truth.YES:
            pass
        case other:
            assert_never(other)
    partners = _partners(case, use)
    if partners:
        return Clear(f"given with {', '.join(partners)}")
    said = case.must(topics.ALONE_IN_RELAPSE, use.drug)
    list_known = case.fact(MEDICATIONS).sure
    return case.fired(
        Level.INFO,
        "alone_in_relapse",
        about=use.drafts,
        drug=use.drug,
        because=(case.fact(DISEASE),),
        says=(said,),
        doubts=() if list_known else ("whether it is given with another drug is not known",),
        said=said,
        disease=case.fact(DISEASE),
        listed=list_known,
    )


def _partners(case: Case, use: Use) -> tuple[str, ...]:
    """The other drugs against leukaemia that are drafted or taken. Lowering the white cells is no partner."""
    others = [
        drug
        for order in case.orders(Role.DRAFT, Role.ACTIVE)
        for drug in order.ingredients
        if drug != use.drug and drug in case.snapshot.drugs
    ]
    return tuple(drug for drug in dict.fromkeys(others) if "cytoreduction" not in case.snapshot.drugs[drug].drug_class)


@rule(
    "relapse-on-drug",
    subjects=uses(topics.RELAPSE_ON_DRUG, roles=tuple(Role)),
    sources=("D27",),
    worst=Level.INFO,
)
def relapse_on_drug(case: Case, use: Use) -> Outcome:
    """Relapse after a targeted drug: test for resistance before it is given again.

    It is asked of a targeted drug with known ways of resistance that is taken, held or was given before. Where the
    relapse came after its start, a card of information asks for the test of the source before the drug is given again.
    A drug begun on the day of the relapse was begun because of it.

    Where another drug with the same target is ordered instead, the same is a line with that order.

    Dates that leave open which came first are named as a gap where the drug is ordered. Whether it was still taken
    when the relapse came is not asked, and results of such tests are not read.
    """
    given = use.of(Role.ACTIVE, Role.ON_HOLD, Role.PAST)
    if not given:
        return NotApplicable("not taken before")
    match in_relapse(case):
        case Truth.NO:
            return Clear("no relapsed or refractory AML on record")
        case Truth.UNKNOWN:
            return case.blind(case.fact(DISEASE), about=use.in_play)
        case Truth.YES:
            pass
        case other:
            assert_never(other)
    relapse = case.fact(RELAPSE)
    starts = [order.start for order in given]
    match any_of(_came_after(relapse.when, start) for start in starts):
        case Truth.NO:
            return Clear(f"begun with the relapse ({relapse.when}) or after it")
        case Truth.UNKNOWN:
            why = "whether the relapse came after its start is not known"
            return case.blind(relapse, about=use.in_play, why=why, quiet=not use.drafts)
        case Truth.YES:
            said = case.must(topics.RELAPSE_ON_DRUG, use.drug)
            started = min((start for start in starts if start), key=lambda when: when.earliest, default=None)
            alike = () if use.drafts else _drafts_alike(case, use.drug)
            if alike:
                return case.fired(
                    Level.INFO,
                    "relapse_on_its_like",
                    about=alike,
                    drug=next(drug for drug in alike[0].ingredients if _has_its_target(case, drug, use.drug)),
                    because=(relapse,),
                    says=(said,),
                    line=True,
                    said=said,
                    relapse=relapse,
                    started=started,
                    earlier=use.drug,
                )
            return case.fired(
                Level.INFO,
                "relapse_on_drug",
                about=use.in_play,
                drug=use.drug,
                because=(relapse,),
                says=(said,),
                said=said,
                relapse=relapse,
                started=started,
                again=bool(use.drafts),
            )
        case unreachable:
            assert_never(unreachable)


def _drafts_alike(case: Case, given: str) -> tuple[Medication, ...]:
    """The drafts of another drug with the same target."""
    return tuple(
        order
        for order in case.orders(Role.DRAFT)
        if any(_has_its_target(case, drug, given) for drug in order.ingredients)
    )


def _has_its_target(case: Case, drug: str, given: str) -> bool:
    of_each = (case.cite(topics.TARGETS, each) for each in (drug, given))
    one, other = ({*said.value} if said is not None else set() for said in of_each)
    return drug != given and bool(one & other)


def _came_after(relapse: When | None, start: When | None) -> Truth:
    """Whether the relapse came after the drug was begun: on the day of the relapse it is begun because of it."""
    if relapse is None or start is None:
        return Truth.UNKNOWN
    if relapse.latest.date() <= start.earliest.date():
        return Truth.NO
    return Truth.YES if relapse.earliest.date() > start.latest.date() else Truth.UNKNOWN


@rule("no-targeted-drug", subjects=the_patient, sources=("D28", "E53"), worst=Level.INFO, viewing=True)
def no_targeted_drug(case: Case, patient: str) -> Outcome:
    """Mutations for which no drug is approved.

    It is asked where the patient is viewed and the AML is relapsed or refractory. Where a result since the relapse
    shows a mutation at which no approved drug aims, a line of information says so and points to trials.

    An older or missing result leaves it silent: the check of mutation results since the relapse asks for the test. It
    speaks against no treatment.
    """
    closed = shut(case, (no_relapse(case),))
    if closed is not None:
        return closed
    results = [case.fact(MARKER_NAMES[name]) for name in case.snapshot.qualifiers(topics.NO_TARGETED_DRUG, "pathway")]
    found = [result for result in results if present_now(case, result) is Truth.YES]
    if found:
        said = case.must(topics.NO_TARGETED_DRUG, "pathway", found[0].key.name)
        return case.fired(
            Level.INFO,
            "no_targeted_drug",
            drug=RELAPSE_CARD,
            because=tuple(found),
            says=(said,),
            line=True,
            said=said,
            result=found[0],
        )
    if all(present_now(case, result) is Truth.NO for result in results):
        return Clear("no such mutation in results since the relapse")
    return case.blind(*results, quiet=True)  # the panel at relapse asks for it


@rule(
    "off-label-relapse",
    subjects=our_drugs,
    sources=("SAF46", "D62", "D21", "D25", "D26", "D31", "D50", "D51", "D67", "D69", "D91", "E35", "E49", "E58"),
    worst=Level.INFO,
)
def off_label_in_relapse(case: Case, use: Use) -> Outcome:
    """Approval status in relapsed or refractory AML.

    It is asked of an order in relapsed or refractory AML, by drug and route. Where a source read for this place says
    that the drug is not approved there for that use, a line of information says what it is approved for. It is no
    reason against the drug.

    It is silent in new disease or remission. Approval is never borrowed from another country: in a place whose labels
    were hardly read, the line at a start says so, or how the drug stands there as far as that was read. Elsewhere it is
    silent. An unknown state of the AML is named as a gap where the source would speak.
    """
    if not use.drafts:
        return NotApplicable("not drafted")
    disease = case.fact(DISEASE)
    routes = (use.drafts[0].route, "")
    said = next((found for route in routes if (found := case.cite(topics.OFF_LABEL, use.drug, route))), None)
    if said is None or said.foreign:
        return _unread_here(case, use)
    match holds(disease, lambda state: state in (Disease.RELAPSED, Disease.REFRACTORY)):
        case Truth.YES:
            return case.fired(
                Level.INFO,
                "off_label",
                about=use.drafts,
                drug=use.drug,
                because=(disease,),
                says=(said,),
                line=True,
                said=said,
            )
        case Truth.NO:
            return Clear(f"{disease.value.value if disease.value else ''}")
        case Truth.UNKNOWN:
            return case.blind(disease, about=use.drafts)
        case other:
            assert_never(other)


def _unread_here(case: Case, use: Use) -> Outcome:
    """What is known of the approval, at a start in relapse, in a place where hardly any label was read."""
    unread = case.cite(topics.APPROVAL_NOT_READ, "pathway")
    if unread is None or unread.foreign or not use.is_new:
        return NotApplicable("nothing is said of its approval here")
    alone = (option.about for option in case.snapshot.options.values() if option.drugs == (use.drug,))
    told = (case.cite(topics.OPTION_STATUS, about) for about in alone)
    known = next((each for each in told if each is not None and not each.foreign), None)
    if known is not None and known.verification is Verification.LABEL and known.value.kind is Kind.APPROVED_RR:
        return NotApplicable("its approval here was read in its label")
    disease = case.fact(DISEASE)
    match holds(disease, lambda state: state in (Disease.RELAPSED, Disease.REFRACTORY)):
        case Truth.YES:
            said: Statement[Any] = known or unread
            return case.fired(
                Level.INFO,
                "approval_not_read",
                about=use.drafts,
                drug=use.drug,
                because=(disease,),
                says=(said,),
                line=True,
                said=said,
            )
        case Truth.NO:
            return Clear(f"{disease.value.value if disease.value else ''}")
        case Truth.UNKNOWN:
            return case.blind(disease, about=use.drafts, quiet=True)
        case other:
            assert_never(other)
