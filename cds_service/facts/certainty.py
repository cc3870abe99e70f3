"""Certainty: the letter that German coding sets beside the code of a diagnosis, as an extension of its coding.

It stands where other systems have a verification status, and often alone: excluded, suspected, a state after, certain.
Where a status is stated too and the letter says otherwise, neither is believed without a doubt.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from cds_service.facts.conditions import Standing
from cds_service.gather.resources import Resource
from cds_service.gather.views import Condition

_URL = "icd-10-gm-diagnosesicherheit"
_MARK = _URL.encode()
_EXCLUDED, _SUSPECTED, _AFTER = "A", "V", "Z"
_DOUBTS = {
    _EXCLUDED: "excluded by the letter beside its code, not certain",
    _SUSPECTED: "suspected by the letter beside its code, not certain",
    _AFTER: "a state after it by the letter beside its code, not certain",
}


def weighed(standing: Standing, view: Condition, resource: Resource) -> Standing:
    """How the entry stands, with the letters beside its codes."""
    if _MARK not in resource.raw:
        return standing
    letters = sorted(set(_letters(resource)))
    never = letters == [_EXCLUDED] and view.verificationStatus is None
    over = letters == [_AFTER] and view.clinicalStatus is None
    doubts = () if never or over else tuple(_DOUBTS[letter] for letter in letters if letter in _DOUBTS)
    return Standing(standing.never or never, standing.over or over, standing.disease, (*standing.doubts, *doubts))


def _letters(resource: Resource) -> Iterator[str]:
    """The letters of its codings, wherever it can be read."""
    try:
        content = json.loads(resource.raw)
    except (ValueError, RecursionError):
        return
    for coding in _parts(_part(content, "code"), "coding"):
        for extension in _parts(coding, "extension"):
            letter = _part(_part(extension, "valueCoding"), "code")
            if str(_part(extension, "url")).endswith(_URL) and isinstance(letter, str):
                yield letter.strip().upper()


def _part(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _parts(value: Any, name: str) -> list[Any]:
    part = _part(value, name)
    return part if isinstance(part, list) else [part]
