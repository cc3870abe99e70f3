"""Override reasons of a card: those of the findings that can be gone against, and of nothing that merely stands by."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from cards.reasons import by_rule, reasons
from cds_service.knowledge.model import Level
from cds_service.present.overrides import Overrides
from cds_service.rules.catalogue import RULES
from cds_service.rules.rule import Check, Clear, Finding, Proposal

BY_ID = {rule.id: rule for rule in RULES}
ORDER = Proposal("order", "Order a 12-lead ECG", order="ecg")


def found(rule: str, level: Level, *proposals: Proposal) -> tuple[Check, Finding]:
    finding = Finding(level, "x", (), "gilteritinib", (), (), (), proposals, {})
    return Check(BY_ID[rule], "", Clear(), (), ()), finding


def codes(*each: tuple[Check, Finding], proposes: bool = False, **local: tuple[str, ...]) -> set[str]:
    level = max(finding.level for _, finding in each)
    chosen = {rule.replace("_", "-"): reasons for rule, reasons in local.items()}
    return {coding.code for coding in Overrides(chosen).of_findings(each, level, proposes)}


def test_a_finding_that_only_informs_beside_a_warning_adds_no_reason():
    assert codes(found("target", Level.WARNING), found("contraception", Level.INFO)) == set(by_rule()["target"])


def test_a_second_warning_on_the_card_adds_its_own():
    both = codes(found("qtc-near-hold", Level.WARNING), found("electrolyte-wasting", Level.WARNING))
    assert "already-stopped" in both - set(by_rule()["qtc-near-hold"])


def test_information_is_declined_where_it_proposes_something():
    donor = found("donor-search", Level.INFO, ORDER)
    assert codes(donor, found("where-it-stands", Level.INFO), proposes=True) == set(by_rule()["donor-search"])


@pytest.mark.parametrize("proposals", [(), (ORDER,)])
def test_information_that_suggests_nothing_needs_no_reason(proposals):
    assert codes(found("donor-search", Level.INFO, *proposals)) == set()


def test_a_critical_card_puts_nothing_off():
    severe, low = found("electrolytes-severe", Level.CRITICAL), found("electrolytes", Level.WARNING)
    assert not codes(severe, low) & {"will-do-today", "will-do-later"}
    assert codes(replace_level(severe, Level.WARNING), low) & {"will-do-today", "will-do-later"}


def test_what_the_hospital_chose_stands_in_place_of_ours():
    assert codes(found("qtc-hold", Level.WARNING), qtc_hold=("local-protocol",)) == {"local-protocol"}


def replace_level(each: tuple[Check, Finding], level: Level) -> tuple[Check, Finding]:
    check, finding = each
    return check, replace(finding, level=level)


def test_what_is_put_off_fits_a_drug_that_is_taken_as_well():
    """Low potassium on treatment offers it too, and there a first dose is long past."""
    assert "will-do-later" in codes(found("electrolytes", Level.WARNING))
    assert reasons()["will-do-later"].coding.display == "Will be done before the first or next dose"
