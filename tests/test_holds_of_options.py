"""No option is offered, with cautions or without, while a value is beyond a limit at which its own source holds it.

Every limit that any drug of an option has, in every place, a step below and a step above it, with all else in order.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from cds_service.facts.genomics.mutations import MARKERS
from cds_service.knowledge import topics
from cds_service.knowledge.model import Topic
from cds_service.knowledge.snapshot import Snapshot
from cds_service.quantity import Quantity
from cds_service.rules.catalogue import RULES
from cds_service.rules.relapse.offers import Offer, Verdict
from cds_service.rules.rule import Check, Fired
from cds_service.rules.running import evaluate
from tests.calls import NOW, tools
from tests.vignette_runner import Vignette, read_vignette

DAY = "on 2026-11-19"
IN_ORDER: dict[str, Any] = {
    "sex": "male", "disease": "relapsed since 2026-11-01", "age": "50 years", "relapse_number": "1",
    "qtc": f"430 ms QTcF {DAY}", "potassium": f"4.4 mmol/L {DAY}", "magnesium": f"0.9 mmol/L {DAY}",
    "phosphate": f"1.1 mmol/L {DAY}", "calcium_total": f"2.3 mmol/L {DAY}", "uric_acid": f"300 umol/L {DAY}",
    "creatinine": f"80 umol/L {DAY}", "creatinine_clearance": f"90 mL/min {DAY}", "lvef": f"60 % {DAY}",
    "ast_uln": f"1 × ULN {DAY}", "alt_uln": f"1 × ULN {DAY}", "bilirubin_uln": f"1 × ULN {DAY}",
    "wbc": f"4 ×10⁹/L {DAY}", "platelets": f"50 ×10⁹/L {DAY}", "body_weight": f"80 kg {DAY}",
}  # fmt: skip
# The facts that each limit is held against, and how they are written.
LIMITS: dict[Topic[Quantity], tuple[tuple[str, str], ...]] = {
    topics.QTC_HOLD_ABOVE: (("qtc", "ms QTcF"),),
    topics.QTC_START_AT_MOST: (("qtc", "ms QTcF"),),
    topics.TRANSAMINASE_HOLD_ABOVE: (("ast_uln", "× ULN"), ("alt_uln", "× ULN")),
    topics.BILIRUBIN_HOLD_ABOVE: (("bilirubin_uln", "× ULN"),),
    topics.WBC_START_BELOW: (("wbc", "×10⁹/L"),),
    topics.RENAL_STOP_BELOW: (("creatinine_clearance", "mL/min"),),
}
FALLING = {topics.RENAL_STOP_BELOW.name}  # the low value is the danger
OFFERED = (Verdict.OFFERED, Verdict.CAUTIONS)
OPTIONS = next(each for each in RULES if each.id == "options-at-relapse")


@cache
def snapshot(jurisdiction: str) -> Snapshot:
    return tools().knowledge.at(NOW.date(), jurisdiction)


def limited() -> Iterator[tuple[str, str, str, str, Decimal]]:
    """Each place, drug, topic and fact, with the limit."""
    for jurisdiction in ("US", "EU", "JP"):
        here = snapshot(jurisdiction)
        for drug in sorted({drug for option in here.options.values() for drug in option.drugs}):
            for topic, facts in LIMITS.items():
                for qualifier in here.qualifiers(topic, drug) or ():
                    said = here.find(topic, drug, qualifier)
                    assert said is not None
                    if topic is topics.QTC_START_AT_MOST and here.find(topics.QTC_START_OPEN, drug) and said.foreign:
                        continue  # its own text says that it has none
                    for name, _ in facts:
                        yield jurisdiction, drug, topic.name, name, said.value.value


def asked(jurisdiction: str, name: str, value: Decimal, doubt: str = "") -> Check:
    """The check of the options in that patient."""
    unit = next(unit for facts in LIMITS.values() for fact, unit in facts if fact == name)
    markers = {key.name: f"present {DAY}" for key in MARKERS}
    chart = read_vignette(
        Vignette("", OPTIONS.id, {"facts": IN_ORDER | markers | {name: f"{value} {unit} {DAY}{doubt}"}})
    )
    (check,) = evaluate((OPTIONS,), chart, snapshot(jurisdiction)).checks
    return check


def offers(jurisdiction: str, name: str, value: Decimal, doubt: str = "") -> dict[str, Offer]:
    """Every option shown to that patient, by name."""
    check = asked(jurisdiction, name, value, doubt)
    assert isinstance(check.outcome, Fired)
    groups: Any = check.outcome.finding.values["groups"]
    return {offer.name: offer for _, _, together in groups for offer in together}


def with_drug(jurisdiction: str, drug: str, among: dict[str, Offer]) -> list[Offer]:
    """The options shown that hold the drug."""
    names = {option.name for option in snapshot(jurisdiction).options.values() if drug in option.drugs}
    return [offer for name, offer in among.items() if name in names]


EVERY = sorted(set(limited()))


@pytest.mark.parametrize("doubt", ["", ", preliminary"])
@pytest.mark.parametrize(("jurisdiction", "drug", "topic", "name", "limit"), EVERY)
def test_nothing_is_offered_beyond_a_limit_at_which_its_source_holds_it(
    jurisdiction: str, drug: str, topic: str, name: str, limit: Decimal, doubt: str
) -> None:
    beyond = limit - 1 if topic in FALLING else limit + 1
    shown = with_drug(jurisdiction, drug, offers(jurisdiction, name, beyond, doubt))
    wrong = [f"{each.name}: {each.verdict.value}" for each in shown if each.verdict in OFFERED]
    assert not wrong, (beyond, wrong)


def test_limits_are_walked_and_options_are_offered_within_them() -> None:
    """The property holds of something: many limits, and many options offered where all is in order."""
    assert len(EVERY) > 50
    fine = offers("US", "qtc", Decimal(430))
    offered = [each.name for each in fine.values() if each.verdict in OFFERED]
    assert {"gilteritinib", "revumenib (KMT2A)"} <= set(offered), {n: (o.verdict, o.why) for n, o in fine.items()}


def test_a_held_option_names_what_holds_it() -> None:
    held = offers("US", "alt_uln", Decimal(6))["gilteritinib"]
    assert held.verdict is Verdict.DEPENDS
    assert [finding.card for finding in held.held] == ["liver"]


def test_the_trace_of_the_options_names_what_excludes_holds_or_cautions() -> None:
    check = asked("US", "qtc", Decimal(512))
    assert "qtc" in {fact.key.name for fact in check.reads}
    assert {"gilteritinib-qtc-hold", "quizartinib-qtc-start"} <= {said.id for said in check.cites}
    held = asked("US", "alt_uln", Decimal(6))
    assert "alt_uln" in {fact.key.name for fact in held.reads}
    assert "gilteritinib-transaminases" in {said.id for said in held.cites}
