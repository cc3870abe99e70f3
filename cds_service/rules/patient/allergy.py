"""Allergy: is a drug that is drafted or taken, something in it, or its class among the allergies on record?"""

from __future__ import annotations

from msgspec.structs import replace

from cds_service.facts.allergies import ALLERGIES, Allergy
from cds_service.knowledge import topics
from cds_service.knowledge.model import Level
from cds_service.rules.rule import Case, Clear, NotApplicable, Outcome, rule
from cds_service.rules.subjects import Use, doubtful, our_drugs, removal

INTOLERANCE = "intolerance"


@rule("allergy", subjects=our_drugs, sources=("label-contraindications",), worst=Level.CRITICAL)
def allergy_on_record(case: Case, use: Use) -> Outcome:
    """An allergy on record to the drug, to something in it, or to its class.

    It is asked of every drug of this service that is drafted or taken; one that is only on hold is left out. An
    allergy to it is critical where its label forbids the drug after one, and else a warning. One to a named part of it
    is a warning, and so is one to a class of drugs to which it belongs. What nobody confirmed counts one step lower,
    and a label of another country warns at most. Of several entries the surest decides, an allergy before an
    intolerance and the drug before its class, and all are told.

    A list that was not sent, or an entry that cannot be read, is named as a gap before an order: as a warning where
    the unread entry could forbid the drug. Which drugs belong to a class goes by their ATC group; other
    cross-reactions are not looked for.
    """
    if not (use.drafts or use.active):
        return NotApplicable("not taken now")
    allergies = case.fact(ALLERGIES)
    inside = case.cite(topics.ALLERGY_TO, use.drug)
    to_drug = [each for each in allergies.value or () if use.drug in each.drugs]
    to_part = [each for each in allergies.value or () if inside and _names(each, inside.value)]
    to_class = [each for each in allergies.value or () if use.drug in each.of_class and use.drug not in each.drugs]
    if not to_drug and not to_part and not to_class:
        if allergies.sure:
            return Clear(f"none to it among {len(allergies.value or ())} entries")
        # An entry is there that nobody could read: it matters more than a list that was never sent.
        stops = allergies.value is not None and case.cite(topics.ALLERGY_CONTRAINDICATED, use.drug) is not None
        outcome = case.blind(allergies, about=use.in_play, level=Level.WARNING if stops else Level.INFO)
        return outcome if use.drafts else replace(outcome, quiet=True)
    label = case.cite(topics.ALLERGY_CONTRAINDICATED, use.drug) if to_drug else None
    named = [*_surest_first(to_drug), *to_part] if label else _surest_first([*to_drug, *to_part])
    found = [*named, *(each for each in _surest_first(to_class) if each not in named)]
    to_it = found[0] in to_drug
    policy = topics.ALLERGY_ON_RECORD if named else topics.ALLERGY_TO_CLASS
    said = label or (inside if inside and named and not to_it else case.must(policy, "policy"))
    return case.fired(
        Level.CRITICAL if label else Level.WARNING,
        "allergy",
        about=use.in_play,
        deciding=doubtful(use.in_play),
        drug=use.drug,
        says=(said,),
        doubts=found[0].doubts,
        propose=removal(use.drug, use.drafts),
        waits=bool(use.drafts),
        holds=not all(map(_is_intolerance, found)),  # after an intolerance it is given once that is clarified
        taken=not use.drafts,
        entry=found[0].words,
        kind=found[0].kind,
        day=str(found[0].when or "no date"),
        others=tuple(dict.fromkeys(_told(each) for each in found if _told(each) != _told(found[0]))),
        said=said,
        part=bool(named) and not to_it,
        of_class=not named,
    )


def _surest_first(entries: list[Allergy]) -> list[Allergy]:
    return sorted(entries, key=lambda each: (len(each.doubts), _is_intolerance(each)))


def _told(allergy: Allergy) -> str:
    return f"{allergy.kind} to {allergy.words} ({allergy.when or 'no date'})"


def _is_intolerance(allergy: Allergy) -> bool:
    return allergy.kind.startswith(INTOLERANCE)


def _names(allergy: Allergy, substances: tuple[str, ...]) -> bool:
    words = allergy.words.lower()
    return any(substance.lower() in words for substance in substances)
