"""SOS/VOD: what makes one think of it on treatment. Shared by its own card and by that of the liver values."""

from __future__ import annotations

from cds_service.facts.entries import HISTORY
from cds_service.facts.fact import Fact, above
from cds_service.knowledge import topics
from cds_service.knowledge.model import Statement
from cds_service.quantity import Quantity
from cds_service.rules.rule import Case
from cds_service.rules.signs import Sign, entries_of, keys_of, weight_gain
from cds_service.rules.subjects import Use
from cds_service.rules.treatment import just_given
from cds_service.rules.upper_limits import bilirubin_multiple
from cds_service.truth import Truth

SOS = "SOS/VOD"
SOS_RULE = "sos-vod"


def suspicion(case: Case, use: Use) -> tuple[Sign, Fact[Quantity], Statement[Quantity]] | None:
    """Weight that rises on the drug or in the months after it, and a bilirubin above the limit for a dose."""
    limit = case.cite(topics.BILIRUBIN_HOLD_ABOVE, use.drug)
    heavier = weight_gain(case, use) if use.taken or use.restarts or just_given(case, use) else ()
    if limit is None or not heavier:
        return None
    bilirubin, _ = bilirubin_multiple(case, case.must(topics.LAB_WINDOW, "policy").value)
    return (heavier[0], bilirubin, limit) if above(bilirubin, limit.value) is Truth.YES else None


def surely_suspected(case: Case, use: Use) -> bool:
    """Whether the card about SOS/VOD tells of a suspicion without doubt, and with it of the liver values."""
    if case.cite(topics.SOS_VOD, use.drug) is None or SOS_RULE in case.snapshot.switches:
        return False
    if entries_of(case.fact(HISTORY), keys_of(case, SOS)):
        return False
    found = suspicion(case, use)
    return found is not None and not found[0].doubts and found[1].sure
