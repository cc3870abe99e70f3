"""APL: whether the leukaemia is acute promyelocytic, by the problem list and by the genetic results that came.

The newest result decides. One that found the fusion of PML and RARA tells APL with a doubt; one that did not find it
silences no diagnosis, and one that leaves it open changes nothing.
"""

from __future__ import annotations

from msgspec.structs import replace

from cds_service.facts.disease import APL
from cds_service.facts.fact import Fact, State, known
from cds_service.facts.genomics.mutations import Mutation

BY_A_RESULT = "told by a genetic result, no APL diagnosis on record"
DISPUTED = "results of one day say of PML::RARA both present and absent"


def with_fusion(apl: Fact[bool], fusion: Fact[Mutation]) -> Fact[bool]:
    """Whether it is APL: as the problem list says, and where that names none, as the newest result of the fusion says.

    Results that contradict each other leave it open.
    """
    if apl.value or fusion.value is None or not fusion.value.present:
        return apl
    if fusion.state is State.CONFLICTING:
        doubts = (*apl.doubts, DISPUTED)
        return Fact(APL, State.CONFLICTING, False, fusion.when, fusion.origin, doubts=doubts, why=fusion.why)
    came = fusion.origin
    told = replace(came, as_received=f"PML::RARA, {came.as_received}") if came is not None else None
    return known(APL, True, fusion.when, told, doubts=(BY_A_RESULT, *fusion.doubts))
