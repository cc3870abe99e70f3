"""What holds at every edge: each of our drugs, drafted or taken, at every boundary and beside a drug of each kind.

The generated patients of `test_invariants.py` wander; here nothing is left to chance. `GRID=full` (make grid) walks the
whole product; the fast suite walks one line through it for each drug.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from itertools import pairwise, product
from typing import Any

import pytest

from cds_service.knowledge.model import Level
from cds_service.quantity import Quantity
from cds_service.rules.rule import Fired, NotEvaluated
from tests.calls import NOW, RELAPSED, observation, order, request, tools
from tests.test_invariants import Told, level, said, stands_in_another, tell, topic

Json = dict[str, Any]
KNOWLEDGE = tools().knowledge
JURISDICTIONS = ("US", "EU", "JP")
DRUGS = tuple(sorted(KNOWLEDGE.drugs))
QTCS = (None, 440, 450, 451, 470, 471, 480, 481, 500, 501)
POTASSIUMS = (None, "2.9", "3.0", "3.4", "3.5", "4.4")
BESIDE = ("", "posaconazole", "fluconazole", "rifampicin", "enzalutamide", "amiodarone", "escitalopram", "pantoprazole")
FULL = os.environ.get("GRID") == "full"
MG = dict.fromkeys(DRUGS, 1)
# A louder finding about the same hazard takes the place of a quieter one.
TAKES_THE_PLACE = {
    "gap",
    "qtcNearHold",
    "qtcStartCaution",
    "qtcResume",
    "qtcRise",
    "qtcAction",
    "qtcStartLimit",
    "electrolytes",
    "strongCyp3aInhibitor",
    "strongCyp3aInducer",
    "cyp3aInducer",
    "inhibitorStopped",
}


def patient(
    drug: str, role: str, qtc: int | None = 430, potassium: str | None = "4.4", beside: str = "", hook: str = ""
) -> Json:
    """A relapsed patient with this drug, this newest ECG, this potassium, and another drug beside."""
    since = "2026-11-15" if role == "active" else "2026-11-21"
    ours = order(drug, "", MG[drug], id="ours", status=role, authoredOn=since)
    other = [order(beside, "", 100, id="other", status="active", authoredOn="2026-11-01")] if beside else []
    day = "2026-11-20T08:00:00Z"
    ecg = [observation("76634-5", qtc, "ms", day)] if qtc else []
    labs = [observation("2601-3", 0.9, "mmol/L", day)]
    labs += [observation("2823-3", float(potassium), "mmol/L", day)] if potassium else []
    drafts, taken = ([ours], other) if role == "draft" else ([], [ours, *other])
    hook = hook or ("order-sign" if role == "draft" else "patient-view")
    return request(hook, *drafts, conditions=[RELAPSED], medications=taken, ecg=ecg, labs=labs)


def lines() -> Iterator[tuple[str, str]]:
    yield from product(DRUGS, ("draft", "active"))


@cache
def asked(drug: str, role: str, qtc: int | None = 430, potassium: str | None = "4.4", beside: str = "",
          jurisdiction: str = "US") -> Told:  # fmt: skip
    """What is told about that patient; neighbours on several lines are asked once."""
    return tell(patient(drug, role, qtc, potassium, beside), jurisdiction=jurisdiction)


def with_a_qtc(jurisdiction: str) -> frozenset[str]:
    """The drugs of which something is said in ms there: for the others every QTc is alike, as the US line shows."""
    said = KNOWLEDGE.at(NOW.date(), jurisdiction).statements.values()
    return frozenset(each.about for each in said if isinstance(each.value, Quantity) and each.value.unit == "ms")


def walked() -> Iterator[tuple[str, str, str]]:
    """Each drug in each role; outside the US only where a QTc makes a difference, unless all is walked."""
    for jurisdiction, (drug, role) in product(JURISDICTIONS, lines()):
        if FULL or jurisdiction == "US" or drug in with_a_qtc(jurisdiction):
            yield drug, role, jurisdiction


def loud(told: Told) -> dict[str, Level]:
    """The topics of warnings and critical cards, with their levels."""
    found: dict[str, Level] = {}
    for card in told.cards:
        if level(card) >= Level.WARNING:
            found[topic(card)] = max(level(card), found.get(topic(card), Level.INFO))
    return found


def assert_no_calmer(before: Told, after: Told, where: Any) -> None:
    gone = loud(before).keys() - loud(after).keys() - TAKES_THE_PLACE
    lost = {each for each in gone if not stands_in_another(each, after)}
    assert not lost, (where, lost, said(before), said(after))
    assert after.highest >= before.highest, (where, said(before), said(after))


@pytest.mark.parametrize(("drug", "role", "jurisdiction"), list(walked()))
def test_a_longer_qtc_is_never_calmer(drug: str, role: str, jurisdiction: str) -> None:
    steps = [asked(drug, role, qtc, jurisdiction=jurisdiction) for qtc in QTCS if qtc]
    for shorter, longer in pairwise(steps):
        assert_no_calmer(shorter, longer, (drug, role))


@pytest.mark.parametrize(("drug", "role"), list(lines()))
def test_less_potassium_is_never_calmer(drug: str, role: str) -> None:
    steps = [asked(drug, role, potassium=value) for value in reversed(POTASSIUMS) if value]
    for higher, lower in pairwise(steps):
        assert_no_calmer(higher, lower, (drug, role))


@pytest.mark.parametrize("beside", [each for each in BESIDE if each])
@pytest.mark.parametrize(("drug", "role"), list(lines()))
def test_a_drug_beside_is_never_calmer(drug: str, role: str, beside: str) -> None:
    assert_no_calmer(asked(drug, role), asked(drug, role, beside=beside), (drug, role, beside))


@pytest.mark.parametrize("beside", [each for each in BESIDE if each])
@pytest.mark.parametrize("drug", DRUGS)
def test_both_directions_of_an_interaction_agree(drug: str, beside: str) -> None:
    """Ours drafted beside the other, and the other drafted beside ours: the same pairs are found, as urgent."""
    theirs = order(beside, "", 100, id="other", status="draft", authoredOn="2026-11-15")
    taken = patient(drug, "active")["prefetch"]
    chart = {key: taken[key] for key in ("conditions", "medications", "ecg", "labs")}

    def pairs(told: Told) -> dict[str, Level]:
        return {check.rule.id: fired.finding.level for check, fired in told.fired if check.rule.pairs}

    assert pairs(asked(drug, "draft", beside=beside)) == pairs(tell(request("order-sign", theirs, **chart)))


@pytest.mark.parametrize("drug", DRUGS)
def test_a_stop_whose_input_is_missing_is_said(drug: str) -> None:
    """Where an ECG could stop the drug, no ECG is a gap that is told as a warning."""
    stopped = tell(patient(drug, "draft", 560))
    by_qtc = [
        check
        for check, fired in stopped.fired
        if fired.finding.level >= Level.WARNING and any(fact.key.name == "qtc" for fact in fired.finding.because)
    ]
    if not by_qtc:
        return
    blind = tell(patient(drug, "draft", None))
    assert blind.highest >= Level.WARNING, (drug, said(blind))
    missing = [
        fact.key.name for _, gap in blind.answer.evaluation.outcomes(NotEvaluated) for fact in gap.missing
    ]
    assert "qtc" in missing


@pytest.mark.skipif(not FULL, reason="the whole product is walked by make grid")
@pytest.mark.parametrize(("drug", "role"), list(lines()))
def test_every_point_of_the_product_is_no_calmer_than_its_neighbours(drug: str, role: str) -> None:
    told = {
        (qtc, potassium, beside): tell(patient(drug, role, qtc, potassium, beside))
        for qtc, potassium, beside in product(QTCS[1:], POTASSIUMS[1:], BESIDE)
    }
    for (qtc, potassium, beside), before in told.items():
        longer = [value for value in QTCS[1:] if value > qtc][:1]
        lower = [value for value in reversed(POTASSIUMS[1:]) if float(value) < float(potassium)][:1]
        for worse in [*((q, potassium, beside) for q in longer), *((qtc, k, beside) for k in lower)]:
            assert_no_calmer(before, told[worse], (drug, role, (qtc, potassium, beside), worse))
        if not beside:
            for other in BESIDE[1:]:
                assert_no_calmer(before, told[qtc, potassium, other], (drug, role, qtc, potassium, other))


@pytest.mark.parametrize("jurisdiction", JURISDICTIONS)
def test_on_days_between_which_no_statement_changed_the_same_is_known(jurisdiction: str) -> None:
    """A replay of last week's call is answered as then; a snapshot changes only where a statement says so."""
    turning = sorted(
        {day for each in KNOWLEDGE.all_statements() for day in (each.effective, each.until) if day is not None}
    )
    for day in turning:
        if day > NOW.date():
            continue
        following = [other for other in turning if other > day]
        last = (following[0] if following else NOW.date() + timedelta(days=30)) - timedelta(days=1)
        assert KNOWLEDGE.at(day, jurisdiction).statements == KNOWLEDGE.at(last, jurisdiction).statements


def test_the_review_day_answers_as_today() -> None:
    """Unless a statement changed since its review, the knowledge of that day gives the answer of today."""
    reviewed = max(each.reviewed_on for each in KNOWLEDGE.all_statements())
    changed = [
        each.id
        for each in KNOWLEDGE.all_statements()
        if each.effective > reviewed or (each.until is not None and each.until > reviewed)
    ]
    assert not changed
    for drug in DRUGS:
        body = patient(drug, "draft", 512, beside="posaconazole")
        then = tell(body, now=lambda: NOW.replace(year=reviewed.year, month=reviewed.month, day=reviewed.day))
        assert {topic(card) for card in then.cards} == {topic(card) for card in tell(body).cards}


def test_the_grid_stands_on_the_edges() -> None:
    """Each limit of a QTc in the knowledge has its value and the next above it in the grid."""
    limits = {
        int(each.value.value)
        for each in KNOWLEDGE.statements
        if isinstance(each.value, Quantity) and each.value.unit == "ms" and 440 <= each.value.value <= 510
    }
    assert {edge for limit in limits for edge in (limit, limit + 1)} <= set(filter(None, QTCS)), limits


def test_fired_is_what_is_compared() -> None:
    """The grid is no empty walk: for some drug a long QTc is critical."""
    told = tell(patient("gilteritinib", "draft", 501))
    assert any(isinstance(check.outcome, Fired) for check, _ in told.fired) and told.highest is Level.CRITICAL
