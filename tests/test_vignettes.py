"""Each vignette ends as a clinician would expect."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.vignette_runner import Vignette, compare, tell, vignettes

EVERY = vignettes()


@pytest.mark.parametrize("vignette", EVERY, ids=lambda vignette: f"{vignette.rule}: {vignette.name}")
def test_vignette(vignette: Vignette) -> None:
    told = tell(vignette)
    wrong = compare(vignette, told)
    assert not wrong, "\n".join([*wrong, "", "What was told:", told.text])


@pytest.mark.parametrize("vignette", EVERY, ids=lambda vignette: f"{vignette.rule}: {vignette.name}")
def test_no_card_ever_creates_an_order_for_a_drug(vignette: Vignette) -> None:
    made = [action for card in tell(vignette).cards for each in card.suggestions for action in each.actions]
    assert not [a for a in made if a.type == "create" and a.resource and a.resource["resourceType"] != "ServiceRequest"]


def test_every_vignette_has_a_name_of_its_own() -> None:
    names = Counter((vignette.rule, vignette.name) for vignette in EVERY)
    assert not [name for name, times in names.items() if times > 1]
