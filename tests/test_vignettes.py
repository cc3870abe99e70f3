"""Each vignette ends as a clinician would expect."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.vignette_runner import Told, Vignette, compare, tell, vignettes

EVERY = vignettes()


@pytest.mark.parametrize("vignette", EVERY, ids=lambda vignette: f"{vignette.rule}: {vignette.name}")
def test_vignette(vignette: Vignette) -> None:
    told = tell(vignette)
    wrong = compare(vignette, told) + orders_for_a_drug(told) + running_on(told)
    assert not wrong, "\n".join([*wrong, "", "What was told:", told.text])


def orders_for_a_drug(told: Told) -> list[str]:
    """No card ever creates one: only tests are proposed as new orders."""
    actions = [action for card in told.cards for each in card.suggestions for action in each.actions]
    made = [each.resource["resourceType"] for each in actions if each.type == "create" and each.resource]
    return [f"a card creates a {kind}" for kind in made if kind != "ServiceRequest"]


def running_on(told: Told) -> list[str]:
    """Markdown joins a line to the one before it, unless an empty one stands between them."""
    found = [match[1] for card in told.cards for match in re.finditer(r"[^\n]\n(\*\*[^*]+)", card.detail.whole())]
    return [f"'{words}' runs on in the paragraph before it" for words in found]


def test_every_vignette_has_a_name_of_its_own() -> None:
    names = Counter((vignette.rule, vignette.name) for vignette in EVERY)
    assert not [name for name, times in names.items() if times > 1]
