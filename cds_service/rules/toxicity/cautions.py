"""Diseases on record that speak against a drug, by the sources that name them."""

from __future__ import annotations

from cds_service.facts.disease import DISEASE, Disease
from cds_service.facts.entries import PROBLEMS
from cds_service.facts.fact import Fact, at_or_below
from cds_service.facts.values.labs import LVEF
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level
from cds_service.quantity import Quantity
from cds_service.rules.rule import Case, Clear, NotApplicable, Outcome, rule
from cds_service.rules.signs import entries_of, keys_of
from cds_service.rules.subjects import Use, doubtful, uses
from cds_service.rules.treatment import not_taken
from cds_service.truth import Truth

_WEAK_HEART = "weak heart"


@rule("caution", subjects=uses(topics.CAUTION), sources=("SAF27", "SAF28"), worst=Level.WARNING)
def disease_on_record(case: Case, use: Use) -> Outcome:
    """A disease on record that speaks against the drug.

    It is asked of drugs that are drafted or taken, and of which the sources name diseases that speak against
    them. Such a disease among the current problems is a warning: caution, or advice against the drug where that is
    stated of the disease. A weak heart shows also by an ejection fraction at or
    below the limit of the policy; an old one alone counts one step lower.

    It is silent where no AML is on record, because the sources speak of AML. A problem list that was not read whole is
    named as a gap where nothing was found; a missing ejection fraction is not asked for here.
    """
    if not (use.drafts or use.active):
        return not_taken(case, use)
    disease = case.fact(DISEASE)
    if disease.value is Disease.NONE and disease.sure:
        return NotApplicable("no AML on record; the sources speak of AML")
    problems, low = case.fact(PROBLEMS), _low_lvef(case, use)
    found = []
    for name in case.snapshot.qualifiers(topics.CAUTION, use.drug):
        entries = entries_of(problems, keys_of(case, name))
        if entries or (low is not None and name == _WEAK_HEART):
            found.append((case.must(topics.CAUTION, use.drug, name), entries))
    if found:
        against = case.cite(topics.ADVISED_AGAINST, use.drug)
        if against is not None and not any(said.qualifier in against.value for said, _ in found):
            against = None
        entries = tuple(entry for _, each in found for entry in each)
        limit = case.must(topics.LVEF_UNFIT_AT_MOST, "policy")
        return case.fired(
            Level.WARNING,
            "caution",
            about=use.in_play,
            deciding=doubtful(use.in_play),
            drug=use.drug,
            because=(low,) if low is not None and not entries else (),
            says=(
                *(said for said, _ in found),
                *((limit,) if low is not None else ()),
                *((against,) if against is not None else ()),
            ),
            entries=entries,
            lvef=low,
            limit=limit,
            cautions=tuple(said for said, _ in found),
            against=against,
        )
    return Clear("no such disease on record") if problems.sure else case.blind(problems, about=use.in_play)


def _low_lvef(case: Case, use: Use) -> Fact[Quantity] | None:
    """The LVEF, where it is low and the sources name a weak heart: a weak heart shows by its measure too."""
    if _WEAK_HEART not in case.snapshot.qualifiers(topics.CAUTION, use.drug):
        return None
    lvef = case.fact(LVEF, case.must(topics.LVEF_WINDOW, "policy").value)
    low = at_or_below(lvef, case.must(topics.LVEF_UNFIT_AT_MOST, "policy").value)
    return lvef if low is Truth.YES else None
