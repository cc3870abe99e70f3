"""Values as multiples of their upper limit of normal, and what is taken where a bilirubin came without one."""

from __future__ import annotations

from cds_service.facts.fact import Fact
from cds_service.facts.values.labs import BILIRUBIN, BILIRUBIN_ULN
from cds_service.knowledge import topics
from cds_service.knowledge.model import Statement
from cds_service.quantity import Quantity
from cds_service.rules.once import once
from cds_service.rules.rule import Case


@once
def bilirubin_multiple(case: Case, window: Quantity) -> tuple[Fact[Quantity], Statement[Quantity] | None]:
    """Bilirubin in multiples of its upper limit, and the default limit where that had to be assumed.

    The limit that came with the newest result comes first. Without one the default is taken; an older multiple does
    not speak for a newer bilirubin.
    """
    multiple = case.fact(BILIRUBIN_ULN, window)
    if multiple.value is not None and multiple.sure:
        return multiple, None
    bilirubin = case.fact(BILIRUBIN, window)
    if bilirubin.value is None or (multiple.value is not None and not bilirubin.sure):
        return multiple, None
    assumed = case.must(topics.BILIRUBIN_ULN_DEFAULT, "policy")
    limit = assumed.value.value
    return bilirubin.told_as(BILIRUBIN_ULN, lambda each: Quantity(each.value / limit, "[ULN]")), assumed
