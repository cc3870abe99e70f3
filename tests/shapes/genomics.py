"""Genomic results in the shapes in which they are sent: one finding goes in, FHIR resources come out.

`writers(finding)` are the shapes that can say it; `says_ratio` tells which carry an allelic ratio and a share of reads.
`DATES` are the ways to write the day of the specimen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

LOINC, SNOMED, HGNC = "http://loinc.org", "http://snomed.info/sct", "http://www.genenames.org/geneId"
UCUM = "http://unitsofmeasure.org"
GENE = {"FLT3-ITD": "HGNC:3765", "FLT3-TKD": "HGNC:3765", "IDH1": "HGNC:5382", "IDH2": "HGNC:5383",
        "NPM1": "HGNC:7910", "TP53": "HGNC:11998", "RUNX1": "HGNC:10471", "KMT2A-r": "HGNC:7132"}
NAME = {"HGNC:3765": "FLT3", "HGNC:5382": "IDH1", "HGNC:5383": "IDH2", "HGNC:7910": "NPM1", "HGNC:11998": "TP53",
        "HGNC:10471": "RUNX1", "HGNC:7132": "KMT2A", "HGNC:7136": "MLLT3"}
TEST = {"FLT3-ITD": "79210-1", "FLT3-TKD": "72520-0", "IDH1": "100022-3", "IDH2": "100023-1", "NPM1": "75034-9",
        "TP53": "21739-8", "KMT2A-r": "78219-3"}
CHANGE = {"FLT3-ITD": "ITD", "FLT3-TKD": "p.Asp835Tyr", "IDH1": "p.R132H", "IDH2": "p.Arg140Gln",
          "NPM1": "p.W288Cfs*12", "TP53": "p.R175H", "RUNX1": "p.R201Q", "KMT2A-r": "KMT2A::MLLT3"}
SPOKEN = {"KMT2A-r": "KMT2A rearrangement"}


@dataclass(frozen=True)
class Finding:
    """What a laboratory found: a marker, present or absent, the share of reads in %, the ratio, the specimen's day."""

    marker: str
    present: bool
    vaf: int | None = None
    ratio: str | None = None
    day: str = "2026-11-10"

    @property
    def gene(self) -> str:
        return NAME[GENE[self.marker]]

    @property
    def spoken(self) -> str:
        return SPOKEN.get(self.marker, self.marker)


def coding(code: str, system: str = LOINC, **more: str) -> Json:
    return {"coding": [{"system": system, "code": code, **more}]}


def observation(code: Json, name: str = "g1", **more: Any) -> Json:
    return {"resourceType": "Observation", "id": name, "status": "final", "code": code,
            "subject": {"reference": "Patient/p1"}, **more}


def gene_studied(marker: str) -> Json:
    return part("48018-6", valueCodeableConcept=coding(GENE[marker], HGNC, display=NAME[GENE[marker]]))


def part(code: str, **value: Any) -> Json:
    return {"code": coding(code), **value}


def vaf(found: Finding) -> list[Json]:
    if found.vaf is None or not found.present:
        return []
    share = {"value": found.vaf / 100, "unit": "1", "system": UCUM, "code": "1"}
    return [part("81258-6", valueQuantity=share)]


def ratio(found: Finding) -> list[Json]:
    if found.ratio is None or not found.present:
        return []
    return [part("92844-0", valueQuantity={"value": float(found.ratio), "unit": "1", "system": UCUM, "code": "1"})]


def in_words(found: Finding) -> str:
    """The finding as a laboratory writes it."""
    if not found.present:
        return f"No {found.spoken} detected"
    named = {"FLT3-ITD": "FLT3-ITD", "KMT2A-r": "KMT2A::MLLT3 fusion"}.get(
        found.marker, f"{found.gene} {CHANGE[found.marker]}")
    share = f" (VAF {found.vaf} %)" if found.vaf is not None else ""
    of_alleles = f" (allelic ratio {found.ratio})" if found.ratio is not None else ""
    return f"{named} detected{share}{of_alleles}"


# Shapes


def marker_test(found: Finding) -> list[Json]:
    """A test of its own by LOINC, answered by code; a positive names its change in a component."""
    answer = "LA9633-4" if found.present else "LA9634-2"
    changes = [part("48005-3", valueCodeableConcept={"text": CHANGE[found.marker]})] if found.present else []
    return [observation(coding(TEST[found.marker]), valueCodeableConcept=coding(answer),
                        component=[*changes, *vaf(found), *ratio(found)] or None)]


def detected(found: Finding) -> list[Json]:
    """The same, answered "Detected" or "Not detected", with text in another language beside it."""
    answer = coding("LA11882-0" if found.present else "LA11883-8")
    answer["text"] = "nachweisbar" if found.present else "nicht nachweisbar"
    changes = [part("48005-3", valueString=CHANGE[found.marker])] if found.present else []
    return [observation(coding(TEST[found.marker]), valueCodeableConcept=answer,
                        component=[*changes, *vaf(found), *ratio(found)] or None)]


def answered_in_words(found: Finding) -> list[Json]:
    """The same test with a string for an answer."""
    return [observation(coding(TEST[found.marker]), valueString=in_words(found))]


def listed(found: Finding) -> list[Json]:
    """A test for the mutations found: the list of them, or that there were none."""
    value = CHANGE[found.marker] if found.present else "None detected"
    return [observation(coding(TEST[found.marker]), valueCodeableConcept={"text": value},
                        component=[*vaf(found), *ratio(found)] or None)]


def variant(found: Finding) -> list[Json]:
    """A variant of Genomics Reporting; what is absent is the site, not one change."""
    site = {"IDH1": "R132", "IDH2": "R140, R172"}.get(found.marker, CHANGE[found.marker])
    change = CHANGE[found.marker] if found.present else site
    return [observation(coding("69548-6"), valueCodeableConcept=coding("LA9633-4" if found.present else "LA9634-2"),
                        component=[gene_studied(found.marker), part("48005-3", valueCodeableConcept={"text": change}),
                                   *vaf(found), *ratio(found)])]


def mcode_variant(found: Finding) -> list[Json]:
    """The same with the change in another slot and an interpretation beside the value (mCODE)."""
    [made] = variant(found)
    made["component"][1]["code"] = coding("81290-9")
    made["interpretation"] = [coding("10828004" if found.present else "260385009", SNOMED)]
    return [made]


def fusion(found: Finding) -> list[Json]:
    """A fusion as two genes studied; it can only be present, because one fusion absent leaves the others."""
    partner = part("48018-6", valueCodeableConcept=coding("HGNC:7136", HGNC, display="MLLT3"))
    return [observation(coding("69548-6"), valueCodeableConcept=coding("LA9633-4"),
                        component=[partner, gene_studied(found.marker)])]


def fusion_of_old_names(found: Finding) -> list[Json]:
    """The same by names of old, without codes."""
    named = [part("48018-6", valueCodeableConcept={"text": text}) for text in ("AF9", "MLL")]
    return [observation(coding("69548-6"), valueCodeableConcept=coding("LA9633-4"), component=named)]


def report_in_words(found: Finding) -> list[Json]:
    """A report of several genes as one text."""
    return [observation(coding("51969-4"), valueString=f"CEBPA wild type; {in_words(found)}.")]


def named_in_words(found: Finding) -> list[Json]:
    """A test without any code that is known, and an answer in words."""
    return [observation({"text": f"{found.spoken} mutation analysis"}, valueString=in_words(found))]


def panel_of_components(found: Finding) -> list[Json]:
    """A panel whose components are the tests."""
    [test] = marker_test(found)
    told = {"text": CHANGE[found.marker]} if found.present else {}
    inner = {"code": test["code"], "valueCodeableConcept": test["valueCodeableConcept"] | told}
    return [observation({"text": "Myeloid panel"}, component=[inner])]


def report_with_results(found: Finding) -> list[Json]:
    """A DiagnosticReport that refers to its result."""
    [made] = variant(found)
    return [made, report(result=[{"reference": "Observation/g1"}])]


def report_with_contained(found: Finding) -> list[Json]:
    """A DiagnosticReport that holds its result."""
    [made] = variant(found)
    return [report(contained=[made], result=[{"reference": "#g1"}])]


def covered_gene(found: Finding) -> list[Json]:
    """A report with the gene among the regions studied, and a variant of it only where there is one."""
    region = observation(coding("53041-0"), "r1", component=[gene_studied(found.marker)])
    found_here = variant(found) if found.present else []
    named = [{"reference": f"Observation/{each['id']}"} for each in (region, *found_here)]
    return [region, *found_here, report(result=named)]


def report(**more: Any) -> Json:
    return {"resourceType": "DiagnosticReport", "id": "d1", "status": "final", "code": coding("51969-4"),
            "subject": {"reference": "Patient/p1"}, **more}


# Dates: each writes the day of the specimen on what a shape made.


def effective(made: list[Json], day: str) -> list[Json]:
    return [each | {"effectiveDateTime": f"{day}T08:00:00Z"} for each in made]


def specimen_beside(made: list[Json], day: str) -> list[Json]:
    """The specimen as a resource of its own; the result was filed, and reported on, days later."""
    specimen = {"resourceType": "Specimen", "id": "s1", "subject": {"reference": "Patient/p1"},
                "collection": {"collectedDateTime": f"{day}T08:00:00Z"}}
    named = {"specimen": {"reference": "Specimen/s1"}, "issued": "2026-11-19T08:00:00Z"}
    later = {"effectiveDateTime": "2026-11-18T08:00:00Z"}
    marked = [each | (named | later if each["resourceType"] == "Observation" else
                      {"specimen": [{"reference": "Specimen/s1"}]}) for each in made]
    return [specimen, *(_inner(each, named | later) for each in marked)]


def specimen_inside(made: list[Json], day: str) -> list[Json]:
    """The specimen contained in the result, or in the report that holds it."""
    specimen = {"resourceType": "Specimen", "id": "s1", "collection": {"collectedDateTime": f"{day}T08:00:00Z"}}

    def marked(each: Json) -> Json:
        if each["resourceType"] == "Observation":
            return each | {"specimen": {"reference": "#s1"}, "contained": [specimen]}
        return _inner(each | {"specimen": [{"reference": "#s1"}]}, {"specimen": {"reference": "#s1"}}) | {
            "contained": [*_inner(each, {"specimen": {"reference": "#s1"}}).get("contained", ()), specimen]}

    return [marked(each) for each in made]


def _inner(made: Json, more: Json) -> Json:
    if "contained" not in made or made["resourceType"] != "DiagnosticReport":
        return made
    return made | {"contained": [each | more for each in made["contained"]]}


DATES: dict[str, Callable[[list[Json], str], list[Json]]] = {
    "effective": effective, "specimen beside": specimen_beside, "specimen inside": specimen_inside,
}
_WORDS = (report_in_words, named_in_words, answered_in_words)
_TESTS = (marker_test, detected, answered_in_words, listed, panel_of_components)
_VARIANTS = (variant, mcode_variant, report_with_results, report_with_contained)
_SITES = frozenset({"IDH1", "IDH2", "FLT3-ITD"})  # whose absence one variant can state: the site, or the duplication


def writers(found: Finding) -> tuple[Callable[[Finding], list[Json]], ...]:
    """Every shape that can say this finding."""
    if found.marker == "KMT2A-r":
        fused = (fusion, fusion_of_old_names) if found.present else ()
        return (*fused, marker_test, detected, answered_in_words, report_in_words, panel_of_components)
    shapes: tuple[Callable[[Finding], list[Json]], ...] = (report_in_words, named_in_words)
    if found.marker in TEST:
        shapes += _TESTS
    if found.present or found.marker in _SITES:
        shapes += _VARIANTS
    if found.marker != "FLT3-ITD" or found.present:
        shapes += (covered_gene,)
    return tuple(dict.fromkeys(shapes))


def says_ratio(shape: Callable[[Finding], list[Json]]) -> bool:
    """Whether the shape carries an allelic ratio and a share of reads."""
    return shape not in (panel_of_components, fusion, fusion_of_old_names)
