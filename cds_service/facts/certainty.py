"""Certainty: the letter that German coding sets beside the code of a diagnosis, as an extension of its coding.

It stands where other systems have a verification status, and often alone: excluded, suspected, a state after, certain.
Where a status is stated too and the letter says otherwise, neither is believed without a doubt.
"""

from __future__ import annotations

from cds_service.facts.standing import Standing
from cds_service.gather.extensions import certainty_letters
from cds_service.gather.resources import Resource
from cds_service.gather.views import Condition

_EXCLUDED, _SUSPECTED, _AFTER, _CERTAIN = "A", "V", "Z", "G"
_DOUBTS = {
    _EXCLUDED: "excluded by the letter beside its code, not certain",
    _SUSPECTED: "suspected by the letter beside its code, not certain",
    _AFTER: "a state after it by the letter beside its code, not certain",
}
_UNREADABLE = "the letter of certainty beside its code cannot be read, not certain"


def weighed(standing: Standing, view: Condition, resource: Resource) -> Standing:
    """How the entry stands, with the letters beside its codes."""
    letters = sorted({(letter or "").strip().upper() for letter in certainty_letters(resource)})
    if not letters:
        return standing
    told = (_DOUBTS.get(letter, _UNREADABLE) for letter in letters if letter != _CERTAIN)
    never = letters == [_EXCLUDED] and view.verificationStatus is None
    over = letters == [_AFTER] and view.clinicalStatus is None
    doubts = () if never or over else tuple(told)
    return Standing(standing.never or never, standing.over or over, standing.disease, (*standing.doubts, *doubts))
