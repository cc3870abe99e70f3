"""The ledger: each marker with what came in, from where and how, and what decides nothing."""

from __future__ import annotations

import json

from cds_service.facts.genomics.ledger import LEDGER, Ledger
from cds_service.facts.genomics.mutations import FLT3_ITD, FLT3_TKD, IDH1
from tests.charts import Json, chart
from tests.shapes.genomics import HGNC, LOINC, Finding, coding, effective, marker_test, observation, part, variant


def ledger(*resources: Json) -> Ledger:
    held = chart(*resources).get(LEDGER).value
    assert held is not None
    return held


def variant_of(gene: str, change: str, name: str = "v1", day: str = "2026-11-10") -> Json:
    studied = part("48018-6", valueCodeableConcept=coding(gene, HGNC))
    return observation(coding("69548-6"), name, valueCodeableConcept=coding("LA9633-4"), effectiveDateTime=day,
                       component=[studied, part("48005-3", valueCodeableConcept={"text": change})])


def test_without_any_result_every_marker_stands_without_one() -> None:
    [line] = ledger().words
    assert line.startswith("no result (none found under the codes we ask for): FLT3-ITD, ")


def test_a_result_is_told_with_resource_shape_day_method_and_share() -> None:
    [found] = effective(marker_test(Finding("FLT3-ITD", True, ratio="0.62")), "2026-11-10")
    pcr = {"coding": [{"system": LOINC, "code": "LA26418-6", "display": "PCR"}]}
    line = ledger(found | {"method": pcr}).of("FLT3-ITD")
    assert (line.state, line.entries[0].resource, line.entries[0].method) == ("present", "Observation/g1", "PCR")
    assert "allelic ratio 0.62" in line.words
    assert "on 2026-11-10" in line.words


def test_what_decides_nothing_is_told_with_its_reason() -> None:
    [no_call] = effective(variant(Finding("IDH1", True)), "2026-11-10")
    line = ledger(no_call | {"valueCodeableConcept": coding("LA18198-4", display="No call")}).of("IDH1")
    assert (line.state, line.entries[0].outcome) == ("open", "indeterminate")
    assert "No call" in line.words
    cancelled = ledger(no_call | {"status": "cancelled"}).of("IDH1")
    assert (cancelled.state, cancelled.why) == ("no result", "result of 2026-11-10: it is cancelled")


def test_a_loss_is_told() -> None:
    made = [effective(marker_test(Finding("FLT3-ITD", present)), day)[0] | {"id": day}
            for present, day in ((False, "2026-11-10"), (True, "2026-01-10"))]
    line = ledger(*made).of("FLT3-ITD")
    assert line.change == "lost: present on 2026-01-10, absent on 2026-11-10"
    assert [entry.outcome for entry in line.entries] == ["absent", "present"]


def test_resistance_is_shown_and_decides_nothing() -> None:
    found = chart(variant_of("HGNC:3765", "p.F691L"), variant_of("HGNC:7010", "p.M327I", "v2"))
    held = found.get(LEDGER).value
    assert held is not None
    assert found.get(FLT3_ITD).value is None
    assert "present" in held.of("FLT3 F691L").entries[0].outcome
    assert "variant of unknown significance" in found.get(FLT3_TKD).why
    assert "p.F691L" in found.get(FLT3_TKD).why
    assert "p.M327I" in held.of("MEN1").words


def test_a_second_change_of_the_gene_takes_nothing_from_the_first() -> None:
    both = chart(variant_of("HGNC:5382", "p.R132H"), variant_of("HGNC:5382", "p.S280F", "v2"))
    assert both.get(IDH1).sure
    held = both.get(LEDGER).value
    assert held is not None
    assert "p.S280F" in held.of("IDH1").words
    assert chart(variant_of("HGNC:5382", "p.S280F")).get(IDH1).value is None


def test_the_ledger_is_plain_data_for_a_page() -> None:
    [found] = effective(marker_test(Finding("FLT3-ITD", True, ratio="0.62")), "2026-11-10")
    plain = json.loads(json.dumps(ledger(found).as_json()))
    assert plain[0]["marker"] == "FLT3-ITD"
    assert plain[0]["entries"][0]["day"] == "2026-11-10"
