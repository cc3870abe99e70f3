"""Words of genomic reports: each gene with what is said of it; what is hedged, denied twice or unclear is neither."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.facts.genomics.wording import spoken
from tests.charts import terms

YES, NO, UNSURE = "present", "absent", "indeterminate"


def told(text: str) -> dict[str, str]:
    return {each.gene: each.outcome for each in spoken(text, terms())}


@pytest.mark.parametrize(("text", "expected"), [
    ("FLT3-ITD detected", {"FLT3": YES}),
    ("No FLT3-ITD detected", {"FLT3": NO}),
    ("no evidence of FLT3-ITD", {"FLT3": NO}),
    ("Negative for FLT3-ITD, IDH1 and IDH2", {"FLT3": NO, "IDH1": NO, "IDH2": NO}),
    ("Positive for NPM1 mutation, negative for FLT3-ITD", {"NPM1": YES, "FLT3": NO}),
    ("FLT3-ITD and NPM1 mutated, IDH1/IDH2 wild type", {"FLT3": YES, "NPM1": YES, "IDH1": NO, "IDH2": NO}),
    ("FLT3-ITD, NPM1 mutated; IDH1, IDH2, TP53 wild type",
     {"FLT3": YES, "NPM1": YES, "IDH1": NO, "IDH2": NO, "TP53": NO}),
    ("FLT3-ITD positive and NPM1 negative", {"FLT3": YES, "NPM1": NO}),
    ("FLT3-ITD positive but IDH2 negative", {"FLT3": YES, "IDH2": NO}),
    ("Detected: FLT3-ITD, NPM1. Not detected: IDH1, IDH2, TP53",
     {"FLT3": YES, "NPM1": YES, "IDH1": NO, "IDH2": NO, "TP53": NO}),
    ("No mutations were detected in FLT3, IDH1 and NPM1", {"FLT3": NO, "IDH1": NO, "NPM1": NO}),
    ("FLT3-ITD: positive | IDH1: negative", {"FLT3": YES, "IDH1": NO}),
    ("FLT3-ITD detected without NPM1 mutation", {"FLT3": YES, "NPM1": NO}),
    ("Wild-type TP53", {"TP53": NO}), ("FLT3-ITD/WT ratio 0.62", {}), ("FLT3-ITD to wild-type ratio 0.62", {}),
    ("FLT3-ITD Wildtyp", {"FLT3": NO}), ("FLT3-ITD: Wild-Typ", {"FLT3": NO}), ("NPM1 im Wildtyp", {"NPM1": NO}),
    ("FLT3-ITD positiv, NPM1 Wildtyp", {"FLT3": YES, "NPM1": NO}), ("IDH1 und IDH2 Wildtyp", {"IDH1": NO, "IDH2": NO}),
    ("FLT3-ITD ist Wildtyp", {"FLT3": NO}), ("Wildtyp: FLT3, NPM1", {"FLT3": NO, "NPM1": NO}),
    ("FLT3-ITD/Wildtyp-Ratio 0,62", {}), ("FLT3-ITD positiv (ITD/Wildtyp-Ratio 0,62)", {"FLT3": YES}),
    ("FLT3-ITD positiv, mutiert/Wildtyp-Quotient 0,4", {"FLT3": YES}), ("IDH1 unmutiert", {"IDH1": NO}),
    ("FLT3-ITD positive, ITD/WT ratio 0.62; IDH1 wild type", {"FLT3": YES, "IDH1": NO}),
    ("FLT3-ITD positive (mutant/wild-type ratio 0.62)", {"FLT3": YES}),
    ("FLT3-ITD not detected (ITD/WT 0.00)", {"FLT3": NO}), ("FLT3-ITD: wild type", {"FLT3": NO}),
    ("FLT3-ITD: wild type; IDH1 R132H detected", {"FLT3": NO, "IDH1": YES}),
    ("FLT3-ITD: no mutation detected", {"FLT3": NO}),
    ("IDH2 p.R140Q detected (VAF 34 %)", {"IDH2": YES}),
    ("MLL-AF9 fusion detected", {"KMT2A": YES}),
    ("FLT3-ITD nicht nachweisbar", {"FLT3": NO}),
    ("FLT3-ITD not tested", {"FLT3": UNSURE}),
    ("NPM1 pending, IDH1 negative", {"NPM1": UNSURE, "IDH1": NO}),
    ("IDH1 QNS", {"IDH1": UNSURE}),
    ("NPM1 mut, FLT3 wt", {"NPM1": YES, "FLT3": NO}),
    ("FLT3-ITD+, NPM1 negative", {"FLT3": UNSURE, "NPM1": UNSURE}),
    ("IDH2 R140Q, FLT3-ITD negative", {"IDH2": UNSURE, "FLT3": NO}),
    ("FLT3-ITD (-), NPM1 detected", {"FLT3": UNSURE, "NPM1": UNSURE}),
    ("FLT3-ITD not detected (limit of detection 1 %)", {"FLT3": NO}),
    ("FLT3-ITD detected, no other mutations were found", {"FLT3": YES}),
    ("IDH1/2 wild type", {"IDH1": NO, "IDH2": NO}),
    ("IDH1/2 mutated", {"IDH1": UNSURE, "IDH2": UNSURE}),
    ("IDH1/IDH2: positive", {"IDH1": UNSURE, "IDH2": UNSURE}),
    ("IDH-2 R140Q detected", {"IDH2": YES}),
    ("NPM 1 mutated", {"NPM1": YES}),
    ("NPM1mut detected, IDH1wt detected", {"NPM1": UNSURE, "IDH1": UNSURE}),
    ("NPM1 type A or type B not detected", {"NPM1": NO}), ("NPM1 type D mutation detected", {"NPM1": YES}),
    ("NPM1 Typ B positiv", {"NPM1": YES}), ("IDH1 or IDH2 not detected", {"IDH1": NO, "IDH2": NO}),
    ("no IDH1 or IDH2 mutation detected", {"IDH1": NO, "IDH2": NO}),
    ("NPM1 ed IDH1 mutati", {"NPM1": YES, "IDH1": YES}),
    ("FLT3-ITD detected, depth 2021", {"FLT3": YES}), ("FLT3-ITD detected at 2000x", {"FLT3": YES}),
    ("FLT3-ITD detected (coverage 2000 reads)", {"FLT3": YES}),
    ("pathogenic or likely pathogenic variant in IDH1 R132C detected", {"IDH1": UNSURE}),
    ("IDH1 R132C or R132H detected", {"IDH1": YES}), ("TP53 mutated (ELN 2022 adverse)", {"TP53": UNSURE}),
])
def test_each_gene_has_its_own_outcome(text: str, expected: dict[str, str]) -> None:
    assert told(text) == expected


@pytest.mark.parametrize("text", [
    "Possible FLT3-ITD detected", "FLT3-ITD cannot be excluded, detected at low level?", "FLT3-ITD previously detected",
    "FLT3-ITD detected at diagnosis", "This assay: FLT3-ITD detected down to 1 %", "FLT3-ITD may be present",
    "FLT3-ITD not clearly detected", "FLT3-ITD is not negative", "no change, FLT3-ITD present",
    "FLT3-ITD positive control detected", "suspicious for FLT3-ITD, positive", "FLT3-ITD positive negative",
    "neither FLT3-ITD nor NPM1 detected", "FLT3-ITD could not be detected", "FLT3-ITD detected no NPM1",
    "FLT3-ITD detected in the specimen of 2025-01-10", "FLT3-ITD positive (03/2024)", "FLT3-ITD detected in 2024",
    "It is unlikely that FLT3-ITD is present", "if FLT3-ITD is present consider an inhibitor",
    "FLT3-ITD not detected, detected", "no negative FLT3-ITD",
    "FLT3-ITD kein Wildtyp", "kein Wildtyp für FLT3-ITD", "FLT3-ITD nicht im Wildtyp", "FLT3-ITD: kein reiner Wildtyp",
    "FLT3-ITD nicht Wildtyp", "FLT3-ITD not wild type", "FLT3-ITD positiv, Wildtyp-Allel nachweisbar",
    "FLT3-ITD Wildtyp nicht nachweisbar", "FLT3-ITD wild-type allele not detected", "FLT3-ITD wild type absent",
    "FLT3-ITD Wildtyp in 95% der Reads", "NPM1 Wildtyp 60%",
    "FLT3-ITD Wildtyp-Allel nachweisbar", "Wildtyp-Kontrolle FLT3 nachweisbar",
    "FLT3-ITD positiv (ED)", "ED: FLT3-ITD positiv", "Befund ED: IDH1 R132C positiv", "FLT3-ITD positiv, Ed",
    "FLT3-ITD positive (2021)", "2021: FLT3-ITD positive", "Befund 2023: FLT3-ITD positiv", "Result 2021: NPM1 mutated",
    "NGS 2021: IDH1 R132C detected", "FLT3-ITD detected 2024", "B: FLT3-ITD detected", "A B: FLT3-ITD detected",
    "A: FLT3-ITD detected", "Specimen A: FLT3-ITD detected", "Specimen B: FLT3-ITD detected",
    "Specimen D: FLT3-ITD not detected", "FLT3-ITD detected in specimen B",
    "IDH1 or IDH2 mutated", "IDH1 and/or IDH2 mutated", "NPM1 oder IDH1 positiv", "FLT3-ITD or TKD detected",
])
def test_what_is_hedged_or_turned_around_is_neither(text: str) -> None:
    assert YES not in told(text).values()
    assert NO not in told(text).values()


@pytest.mark.parametrize("text", [
    "", "FLT3-ITD", "see report", "Myeloid panel: FLT3, NPM1, IDH1, IDH2, TP53", "FLT3LG positive", "XIDH1 positive",
    "positive", "IDH12 detected", "NPM10 mutated", "AML with NPM1 mutation",
])
def test_a_name_alone_or_another_word_says_nothing(text: str) -> None:
    assert told(text) == {}


@pytest.mark.parametrize(("text", "genes"), [
    ("IDH1 p.R132C (VAF 34%)", {"IDH1"}),
    ("IDH1 p.R132C, VAF: 34.2 %, exon 4", {"IDH1"}),
    ("IDH2 p.R140Q (c.419G>A) 22%", {"IDH2"}),
    ("NM_005896.4(IDH1):c.394C>T p.(Arg132Cys) 34%", {"IDH1"}),
    ("IDH1 NM_005896.4:c.394C>T (p.Arg132Cys), VAF=34%", {"IDH1"}),
    ("FLT3 internal tandem duplication, VAF 40%", {"FLT3"}),
    ("- FLT3-ITD, VAF 12%\n- NPM1 p.W288Cfs*12, VAF 41%\n- DNMT3A p.R882H, VAF 45%", {"FLT3", "NPM1"}),
    ("Pathogenic variants: IDH1 p.R132C", {"IDH1"}),
    ("Pathogenic variants identified: IDH1 p.R132C (34%), NPM1 p.W288fs (28%)", {"IDH1", "NPM1"}),
    ("Likely pathogenic variants: TP53 p.R248Q", {"TP53"}),
    ("Tier I variants:\nIDH1 R132C\nNPM1 W288fs", {"IDH1", "NPM1"}),
    ("Tier I: IDH1 R132C; FLT3-ITD (allelic ratio 0.6)", {"FLT3", "IDH1"}),
    ("Nachgewiesene Mutationen: IDH2 R140Q (22 %)", {"IDH2"}),
    ("Clinically relevant alterations\nFLT3 ITD (VAF 40%)", {"FLT3"}),
    ("Mutations: IDH1 R132C (34%). FLT3-ITD negative.", {"IDH1"}),
    ("IDH1 p.R132C, pathogenic", {"IDH1"}),
    ("VUS: IDH1 p.V178I. Pathogenic variants: NPM1 W288fs.", {"NPM1"}),
    ("Tier I variants:\nTP53 p.R248Q 51%\nTier III variants:\nRUNX1 L29S 48%", {"TP53"}),
    ("Tier I: TP53 R248Q. Tier II: none. VUS: none detected. No other variants were detected.", {"TP53"}),
    ("Specimen: bone marrow\nPathogenic variants:\nIDH1 R132C 34%\nMean coverage: 1200x", {"IDH1"}),
    ("TP53 p.R248Q 51%, pathogenic; FLT3-ITD not detected", {"TP53"}),
    ("FLT3-ITD, VAF 30%, ratio 0.43", {"FLT3"}), ("IDH1 p.R132C 1%", {"IDH1"}),
])
def test_a_list_of_variants_tells_that_they_were_found(text: str, genes: set[str]) -> None:
    assert {gene for gene, outcome in told(text).items() if outcome == YES} == genes


@pytest.mark.parametrize("text", [
    "VUS: IDH1 p.R132C (34%)", "VUS:\nIDH1 p.R132C (34%)", "Variants of uncertain significance: IDH1 p.R132C (48%)",
    "Benign: IDH1 p.R132C 34%", "Not detected: IDH1 p.R132C (LOD 1%)", "IDH1 p.R132C (LOD 1%)",
    "IDH1 p.R132C (sensitivity 1%)", "IDH1 p.R132C 0%", "IDH1 p.R132C VAF 0.0 %", "IDH1 p.R132C <1%",
    "IDH1 p.R132C 0.99%",
    "IDH1 p.R132C VAF <1%", "IDH1 p.R132C: VAF 0", "Pathogenic variants: IDH1 p.R132C 0%",
    "Hotspots covered: IDH1 R132C, R132H 100%", "Genes: IDH1 R132, IDH2 R140", "Coverage: IDH1 R132C 99%",
    "IDH1 R132C coverage 99%", "Prior results: IDH1 p.R132C (34%)", "Initial sample:\nIDH1 p.R132C (34%)",
    "At diagnosis: IDH1 p.R132C (34%)", "Germline: IDH1 p.R132C 50%", "Donor: IDH1 p.R132C 50%",
    "Brother: IDH1 p.R132C 50%", "IDH1 p.R132C (34%) no longer detected", "Pathogenic variants: none; IDH1 p.R132C",
    "IDH1/2 R140Q 34%", "IDH1 34%", "FLT3 34%", "NPM1 exon 12 0.5%", "IDH1 R132 34%", "FLT3-ITD ratio 0.5",
    "FLT3-ITD/WT ratio 0.62", "IDH1 p.R132C 120 reads", "IDH1 p.R132C (34", "blasts 34%. IDH1 p.R132C",
    "Tier III: IDH1 p.R132C 34%", "Tier IV: IDH1 V178I 48%", "Tier I and II: none. Tier III:\nIDH1 R132C 34%",
    "Tier 1-3 variants: IDH1 R132C", "Pathogenic variants tested: IDH1 R132C", "Probe: FLT3 ITD 5%",
    "Control: IDH1 p.R132C 5%", "positive control: IDH1 R132C 5%", "Result: IDH1 R132C", "Variants: IDH1 R132C",
    "Tumour content 34%: IDH1 R132C", "IDH1 R132C, tumour content 34%", "Diagnosis 2024:\nIDH1 p.R132C (34%)",
    "IDH1 p.R132C 34% (2024-03-01)", "IDH1 p.R132C -", "IDH1 p.R132C: 34%?", "Cut-off: IDH1 R132C 2%",
    "Limit: FLT3-ITD 1%", "Threshold: FLT3-ITD 1%", "FLT3-ITD 1% limit", "IDH1 R132C VAF 34%, not confirmed",
    "IDH1 R132C or IDH2 R140Q 34%", "IDH1 p.R132= 34%", "Reference: IDH1 R132C 34%", "RUNX1 RUNX1T1 fusion 34%",
    "Results from outside hospital:\nIDH1 p.R132C (34%)",
    "Somatic variants, sample 1 (diagnosis):\nIDH1 p.R132C (34%)", "Detected at relapse: IDH1 R132C",
    "Patient 2: IDH1 R132C 34%", "Clone 1: IDH1 R132C 34%", "Previously: IDH1 R132C 34%", "Lost: IDH1 R132C 34%",
    "Cleared: IDH1 R132C 34%", "Resolved\nIDH1 R132C 34%", "IDH1 R132C 34% -> 0%", "IDH1 R132C 34%, 0%",
    "IDH1 R132C 34% / 0%", "IDH1 R132C 34% 12% 0%", "IDH1 R132C (34% in 2024, now 0%)",
    "Genes tested: FLT3, IDH1, IDH2, NPM1. Benign: IDH1 R132C 34%", "IDH1 R132C 34%, IDH2",
    "IDH1 p.R132C (34%) and more",
    "VUS: IDH1 p.V178I 48%\nRUNX1 p.L29S 49%", "Benign variants in TP53\nTP53 p.P72R 51%, pathogenic",
    "Variants non pathogènes: IDH1 p.V178I 48%\nIDH2 R140Q 50%", "Keimbahn TP53\nIDH1 R132C 50%",
    "Donor: IDH1 R132C 50%\nNPM1 W288fs 20%", "Dx: IDH1 R132C 30%\nFLT3-ITD 20%\nRelapse: negative",
    "Sample 1: IDH1 R132C 30%\nFLT3-ITD 20%", "LOD FLT3-ITD 1%\nIDH1 R132C 2%", "Genes: FLT3, IDH1\nFLT3 D835Y 99%",
    "TP53 p.P72R (VAF 51%). This is a common polymorphism.", "IDH1 p.R132C 34%. VUS.", "TP53 p.R248Q 51%",
    "Pathogenic variants: TP53 p.R213R 51%", "Pathogenic variants\nIDH1 R132C, FLT3 ITD\nnot detected",
    "Pathogenic variants:\nIDH1 R132C, FLT3 ITD,\nNPM1 W288fs not detected",
    "Pathogenic variants: IDH1 p.R132C; not detected", "IDH1 p.R132C 34%\nno longer detectable", "IDH1 R132C 34%; VUS",
    "IDH1 p.R132C 34%\nArtefact", "IDH1 p.R132C 34%. At diagnosis.", "IDH1 p.R132C 34%. Donor cells only.",
    "IDH1 p.R132C 34%\nFollow-up: not detected", "NPM1 type A 0.003%", "IDH1 R132C 100%", "FLT3 D324N 51%",
    "NGS panel for pathogenic variants: FLT3 ITD", "Pathogenic NGS panel: FLT3 ITD",
    "Pathogenic variants: FLT3-ITD ratio 0.00", "FLT3-ITD [ ] 20%", "Pathogenic variants: FLT3-ITD (-)",
    "Pathogenic variants: FLT3-ITD -", "Pathogenic variants (-): FLT3-ITD", "Not detected: NPM1\nIDH1 R132C 34%",
    "Sample 1: FLT3-ITD negative\nIDH1 R132C 34%", "IDH1 R132C 34% | none", "IDH1 R132C 34% | -",
    "Pathogenic variants: none\nIDH1 R132C 34%", "Benign variants | Pathogenic variants\nTP53 P72R | TP53 R248Q",
    "Tier I | Tier III\nTP53 R248Q | RUNX1 L29S", "Pathogenic variants | VUS\nIDH1 R132C 34% | RUNX1 L29S",
])
def test_what_is_no_list_of_findings_tells_of_none(text: str) -> None:
    assert YES not in told(text).values()


def test_a_name_between_two_outcomes_belongs_to_neither() -> None:
    assert told("FLT3-ITD positive, NPM1, IDH1 negative")["NPM1"] != YES


GENES = ("FLT3-ITD", "NPM1", "IDH1", "IDH2", "TP53", "KMT2A")
WAYS = {
    YES: ("{} detected", "{} positive", "positive for {}", "{} mutated", "{} mut", "mutated {}", "{}+", "{} (+)",
          "{}: present", "{} R882H", "{} p.V100M VAF 20 %", "{}: mutation", "detected: {}", "{} pos",
          "{} variant found"),
    NO: ("{} not detected", "no {} detected", "negative for {}", "{} wild type", "{} wt", "no {}",
         "without {} mutation", "{}-", "{} (-)", "{}: none detected", "no mutation in {}", "{} neg",
         "not detected: {}", "no evidence of {}"),
    UNSURE: ("{} pending", "{} not tested", "{}: QNS", "{} equivocal", "possible {}", "{} ?", "{} cannot be excluded",
             "{} previously detected", "awaiting {}", "{} to follow", "{}", "suspicious for {}"),
}
STATEMENTS = st.lists(
    st.tuples(st.sampled_from(GENES), st.sampled_from(list(WAYS)), st.integers(0, 99)), min_size=2, max_size=5,
    unique_by=lambda each: each[0],
)


@settings(max_examples=400, deadline=None)
@given(STATEMENTS, st.lists(st.sampled_from((", ", "; ", ". ", " and ", " but ", ", with ", " | ", "\n")), min_size=4,
                            max_size=4))
def test_statements_side_by_side_never_lend_a_gene_the_opposite(
    said: list[tuple[str, str, int]], between: list[str]
) -> None:
    parts = [WAYS[outcome][way % len(WAYS[outcome])].format(gene) for gene, outcome, way in said]
    text = parts[0] + "".join(f"{sign}{part}" for sign, part in zip(between, parts[1:], strict=False))
    found = told(text)
    for gene, outcome, _ in said:
        opposite = {YES: {NO}, NO: {YES}, UNSURE: set()}[outcome]
        assert found.get(gene.partition("-")[0]) not in opposite, (text, found)
