"""Diseases on record that speak against a drug of trials, by the sources that name them."""

from __future__ import annotations

from cds_service.facts.disease import DISEASE, PROBLEMS, Disease
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level
from cds_service.rules.rule import Case, Clear, NotApplicable, Outcome, rule
from cds_service.rules.signs import entries_of, keys_of
from cds_service.rules.subjects import Use, doubtful, uses
from cds_service.rules.treatment import not_taken


@rule("caution", subjects=uses(topics.CAUTION), sources=("SAF27", "SAF28"), worst=Level.WARNING)
def disease_on_record(case: Case, use: Use) -> Outcome:
    """A disease on record that speaks against the drug."""
    if not (use.drafts or use.active):
        return not_taken(case, use)
    disease = case.fact(DISEASE)
    if disease.value is Disease.NONE and disease.sure:
        return NotApplicable("no AML on record; the sources speak of AML")
    problems = case.fact(PROBLEMS)
    found = []
    for name in case.snapshot.qualifiers(topics.CAUTION, use.drug):
        entries = entries_of(problems, keys_of(case, name))
        found += [(case.must(topics.CAUTION, use.drug, name), entries)] if entries else []
    if found:
        return case.fired(
            Level.WARNING,
            "caution",
            about=use.in_play,
            deciding=doubtful(use.in_play),
            drug=use.drug,
            says=tuple(said for said, _ in found),
            entries=tuple(entry for _, entries in found for entry in entries),
            cautions=tuple(said for said, _ in found),
        )
    return Clear("no such disease on record") if problems.sure else case.blind(problems, about=use.in_play)
