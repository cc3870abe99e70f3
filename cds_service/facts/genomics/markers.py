"""Markers: the genes and markers that drugs aim at, and where a text names them.

Of KMT2A only a rearrangement is a marker. The fusion of PML and RARA is no target: it tells acute promyelocytic
leukaemia.
"""

from __future__ import annotations

import re

ITD, TKD = "FLT3-ITD", "FLT3-TKD"
REARRANGEMENT = "KMT2A-r"
CD33 = "CD33"
FLT3, KMT2A, NPM1 = "FLT3", "KMT2A", "NPM1"
PML_RARA, APL_FUSION = "PML_RARA", "PML::RARA"  # the genes as the tests are called, and the fusion of both
ONE_NAME = "PML-RARA"  # what a text holds in place of every other name of the fusion
MARKERS_OF = {
    FLT3: (ITD, TKD),
    "IDH1": ("IDH1",),
    "IDH2": ("IDH2",),
    NPM1: ("NPM1",),
    KMT2A: (REARRANGEMENT,),
    "TP53": ("TP53",),
    "RUNX1": ("RUNX1",),
    PML_RARA: (APL_FUSION,),
}
ANY_CHANGE = frozenset({"TP53", "RUNX1"})  # any pathogenic change of these counts
_TYPES = re.compile(
    r"(?<!\w)(?<!wild[\s-])(?:typ(?:e[ns]?)?|tipos?)[\s-]+[A-Z](?!\w)|(?<!\w)c\.8[56]\d_8[56]\d(?:dup|ins)",
    re.IGNORECASE,
)
VARIANT_MATTERS = frozenset({"IDH1", "IDH2"})  # a positive that does not name its variant is doubtful

_END = r"(?:(?![A-Z0-9])|(?=(?:mut|wt|neg|pos)(?![A-Z0-9])))"  # "NPM1mut" names the gene too
_GENE = {gene: re.compile(rf"(?<![A-Z0-9]){gene}{_END}", re.IGNORECASE) for gene in MARKERS_OF}
_GENE["IDH1"] = re.compile(rf"(?<![A-Z0-9])IDH[- ]?1{_END}", re.IGNORECASE)
_GENE["IDH2"] = re.compile(rf"(?<![A-Z0-9])IDH(?:[- ]?1\s?/\s?|[- ]?)2{_END}", re.IGNORECASE)  # "IDH1/2" is both
_GENE[NPM1] = re.compile(rf"(?<![A-Z0-9])NPM[- ]?1{_END}", re.IGNORECASE)
_GENE[FLT3] = re.compile(rf"(?<![A-Z0-9])FLT[- ]?3(?:(?=ITD|TKD)|{_END})", re.IGNORECASE)
_GENE[KMT2A] = re.compile(rf"(?<![A-Z0-9])(?:KMT2A|MLL1?){_END}|11q23", re.IGNORECASE)
_GENE["TP53"] = re.compile(rf"(?<![A-Z0-9])T?P53{_END}", re.IGNORECASE)
_T_15_17 = r"(?<![A-Z0-9)])t\(15;\s?17\)"
_GENE[PML_RARA] = re.compile(
    rf"(?<![A-Z0-9])PML\s?(?:::|[-/:]|\s)\s?RAR[- ]?(?:alpha|α|A){_END}|(?<![A-Z0-9])RARA::PML{_END}|{_T_15_17}",
    re.IGNORECASE,
)
_FUSED = re.compile(  # all that stands for the fusion in one name: "t(15;17)(q24;q21)(PML,RARA)"
    rf"{_T_15_17}(?:\s?\(q[\d.]+;\s?q[\d.]+\))?(?:\s?[;,]?\s?\(?PML[-/:, ]+RARA?\)?)?"
    rf"|{_GENE[PML_RARA].pattern}",
    re.IGNORECASE,
)
_WITHIN = re.compile(r";(?=[^();]{0,12}\))")  # the semicolon of "t(8;21)(q22;q22)"
_ONE_BREAKPOINT = re.compile(r"\bbcr ?[123]\b|\b[LSV][- ]?form\b", re.IGNORECASE)
_ANY_GENE = re.compile(  # nothing else is one of ours
    "FLT[- ]?3|IDH[- ]?[12]|NPM[- ]?1|KMT2A|MLL|11q23|P53|RUNX1|RARA?|RARα|15;\\s?17"
    "|FMS[- ]|nucleophosmin|isocitrate",
    re.IGNORECASE,
)
_IN_FULL = {  # the names in full, for who writes no symbol
    FLT3: re.compile(r"\bFMS[- ](?:like|related)(?: receptor)? tyrosine kinase[- ]?3(?!\w)", re.IGNORECASE),
    NPM1: re.compile(r"\bnucleophosmin(?:[- ]?1)?(?!\w|[- ]?[2-9])", re.IGNORECASE),
    "IDH1": re.compile(r"\bisocitrate dehydrogenase(?: \(NADP\(?\+?\)?\))?[- ]?1(?!\w)", re.IGNORECASE),
    "IDH2": re.compile(
        r"\bisocitrate dehydrogenase(?: \(NADP\(?\+?\)?\))?[- ]?(?:1\s?(?:/|and|und|or|&)\s?)?2(?!\w)", re.IGNORECASE
    ),
}
_BARE = re.compile(r"(?<![\w-])(?:ITD|TKD|(?:p\.\(?)?(?:D835|I836|Asp835|Ile836)(?:[A-Za-z]\w*)?)(?![\w-])")
_GLUED = re.compile(r"\d(?:mut|wt|neg|pos)(?![A-Za-z0-9])", re.IGNORECASE)
_EITHER = re.compile(
    r"IDH[- ]?1\s?/\s?(?:IDH[- ]?)?2|isocitrate dehydrogenase[- ]?1\s?(?:/|and|und|or|&)\s?2", re.IGNORECASE
)
_OR = re.compile(r"\b(?:or|oder|o|ou|of)\b", re.IGNORECASE)
_FUSED_RUNX1 = re.compile(r"RUNX1T1|::\s*RUNX1|RUNX1\s*::|ETV6", re.IGNORECASE)
_PARTIAL = re.compile(r"\bPTD\b|partial tandem", re.IGNORECASE)
# A karyotype as ISCN writes it: number of chromosomes, sex chromosomes, changes; clones apart by "/".
_CLONE = r"\d\d(?:~\d\d)?,[XY]{1,3}(?:\[\w+\])?(?:,[^\s,/?]+)*"
_KARYOTYPE = re.compile(rf"\s*{_CLONE}(?:/{_CLONE})*\.?\s*")
_OF_KMT2A = re.compile(
    r",(t\((?:9;11\)\(p2[12]|6;11\)\(q27|10;11\)\(p12|4;11\)\(q21)(?:\.\d+)?;q23(?:\.\d)?\)"
    r"|t\(11;19\)\(q23(?:\.\d)?;p13(?:\.\d)?\))(?=[,\[/.\s]|\Z)"
)
_OF_APL = re.compile(
    r"(?<!\d)\d\d(?:~\d\d)?,[XY]{1,3},(?:[^\s,/?]{1,60},){0,20}"
    r"(t\(15;17\)\(q2[24](?:\.\d)?;q(?:11|12|21)(?:\.\d+)?\))(?=[,\[/.;\s]|\Z)"
    r"|\b(PML con RARAx[1-9])"
)
_ONE_PARTNER = re.compile(r"::|\bt\(|(?:KMT2A|MLL1?)[-/][A-Z]+\d", re.IGNORECASE)


def genes_in(text: str) -> tuple[str, ...]:
    """Our genes that the text names. A fusion of RUNX1 is not a mutation of it."""
    if not _ANY_GENE.search(text):
        return ()
    found = [gene for gene in _GENE if _spans(gene, text)]
    if "RUNX1" in found and _FUSED_RUNX1.search(text):
        found.remove("RUNX1")
    return tuple(found)


def without_full_names(text: str) -> str:
    """The text without the names in full of our genes."""
    for pattern in _IN_FULL.values() if _ANY_GENE.search(text) else ():
        text = pattern.sub(" ", text)
    return text


def places(text: str) -> list[tuple[int, str]]:
    """Where the text names our genes, in no order."""
    return [(span.start(), gene) for gene in genes_in(text) for span in _spans(gene, text)]


def _spans(gene: str, text: str) -> list[re.Match[str]]:
    """Where the text names the gene: by its symbol, and only where it holds none by its name in full."""
    found = list(_GENE[gene].finditer(text))
    return found or (list(_IN_FULL[gene].finditer(text)) if gene in _IN_FULL else [])


def bare(text: str) -> list[int]:
    """Where the text names a change of FLT3 without the gene: "ITD", "D835Y"."""
    return [match.start() for match in _BARE.finditer(text)]


def with_flt3_named(clause: str) -> str:
    """The clause with the gene before the first change of FLT3, where it names no gene at all: "ITD negative"."""
    found = None if genes_in(clause) else _BARE.search(clause)
    return clause if found is None else f"{clause[: found.start()]}{FLT3}-{clause[found.start() :]}"


def is_karyotype(text: str) -> bool:
    """Whether the text is a karyotype in the notation of ISCN, and nothing else."""
    return _KARYOTYPE.fullmatch(text) is not None


def in_karyotype(text: str) -> str:
    """The translocation of KMT2A that a karyotype names by both bands; "" where the text is no plain karyotype."""
    found = _OF_KMT2A.search(text) if is_karyotype(text) else None
    return found[1] if found else ""


def apl_in_karyotype(text: str) -> str:
    """The translocation of acute promyelocytic leukaemia, where a text holds it as ISCN writes it; else ""."""
    found = _OF_APL.search(text) if "15;17" in text or "PML con" in text else None
    return (found[1] or found[2]) if found else ""


def with_fusion_named(text: str) -> str:
    """The text with one name for the fusion of PML and RARA; no semicolon of a translocation in it ends a clause."""
    if not _GENE[PML_RARA].search(text):
        return text
    return _WITHIN.sub("/", _FUSED.sub(ONE_NAME, text))


def one_breakpoint(text: str) -> bool:
    """Whether the text speaks of one breakpoint of PML and RARA, so that its absence says nothing of the others."""
    return _ONE_BREAKPOINT.search(text) is not None


def only_partial(text: str) -> bool:
    """Whether the text speaks of a partial tandem duplication of KMT2A, which is no rearrangement."""
    return _PARTIAL.search(text) is not None


def one_partner(text: str) -> bool:
    """Whether the text speaks of one fusion of KMT2A, so that its absence says nothing of the others."""
    return _ONE_PARTNER.search(text) is not None


def names_types(text: str) -> bool:
    """Whether the text names single types of the NPM1 mutation, by letter or by their bases."""
    return _TYPES.search(text) is not None


def without_types(text: str) -> str:
    """The text without the names of single types of the NPM1 mutation."""
    return _TYPES.sub(" ", text)


def is_glued(text: str) -> bool:
    """Whether a gene and what is said of it stand in one word: "NPM1mut", "IDH1wt"."""
    return _GLUED.search(text) is not None


def either(text: str) -> bool:
    """Whether the text names two as one: "IDH1/2", "IDH1 or IDH2". Not found is neither, found may be either."""
    if _EITHER.search(text):
        return True
    found = [*(start for start, _ in places(text)), *bare(text)]
    return len(found) > 1 and _OR.search(text, min(found), max(found)) is not None
