"""Listed: the variants that a report lists by gene, change and share, without a word that says that they were found.

"Pathogenic variants: IDH1 p.R132C (VAF 34 %), NPM1 W288fs". A clause counts only where it is such a list from its first
letter to its last: any other word may turn it around. Without a share its heading must say that they were found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cds_service.facts.genomics import markers
from cds_service.knowledge.terms import Terms

_LISTED = frozenset({markers.FLT3, "IDH1", "IDH2", markers.NPM1, *markers.ANY_CHANGE})  # of fusions no list is read
_ENTRY = re.compile(
    r"(?P<change>p\.\(?[A-Z][a-z]{0,2}\d[\w*>]*\)?|[A-Z]\d{2,4}(?:[A-Z]?fs\w*(?:\*\d+)?|[A-Z*])(?![A-Za-z0-9])"
    r"|ITDs?\b|TKD\b|typ[e ]?\s?[ABD]\b|internal tandem duplication\b)"
    r"|(?:VAF|AF|(?:variant\s+)?allele\s+(?:frequency|fraction|burden)|allelfrequenz|allellast)"
    r"\s*(?:of|von|is)?\s*[:=~]?\s*(?P<named>\d{1,3}(?:[.,]\d+)?)(?![\d.,]*\d)\s*%?"
    r"|(?:allelic\s+)?(?:ratio|AR)\s*[:=~]?\s*\d{1,2}(?:[.,]\d+)?(?![\d.,]*\d)(?!\s*%)"  # how much, not whether
    r"|(?<![<≤\d.,])(?P<share>\d{1,3}(?:[.,]\d+)?)\s*%"
    r"|(?P<classed>(?:likely\s+)?pathogenic\b|tier\s*(?:I{1,2}|[12])[AB]?\b)"
    r"|(?:[cg]\.[\w*+>_-]+|N[MPC]_[\d.]+:?|exons?\s*\d{1,2}|codon\s*\d{1,3}|missense|frameshift|insertion|mutation"
    r"|variant|gene|and|und|et)(?![A-Za-z0-9])"
    r"|(?P<gene>(?-i:[A-Z][A-Z0-9]{2,7}))(?![A-Za-z0-9])"
    r"|[\s,()\[\]•*–-]+|:(?=\s|[cgp]\.)",
    re.IGNORECASE,
)
_HEADING = re.compile(
    r"(?:[\s()/&,-]|variant(?:s|en|\(s\))?|mutation(?:s|en)?|alterations?|findings?|results?|NGS|panel|myeloid|AML"
    r"|veränderungen|(?:likely\s+)?pathogenic|pathogene|somatic|clinical(?:ly)?|klinisch|strong|potential"
    r"|significan(?:t|ce)|relevante?|actionable|tier\s*(?:I{1,2}|[12])(?:\s*/\s*(?:II|2))?(?![\dIV])|genomic"
    r"|molecular|genetic|summary|of|and|und|the|with|for|were|was|detected|identified|found|positive"
    r"|nachgewiesene?)++",
    re.IGNORECASE,
)
_SAYS_FOUND = re.compile(
    r"\b(?:pathogenic|pathogene|tier\s*(?:I{1,2}|[12])|detected|identified|found|positive|nachgewiesene?)\b"
    r"|\bstrong clinical significance\b",
    re.IGNORECASE,
)
_LIKELY = re.compile(r"\blikely (?=pathogenic)", re.IGNORECASE)
_A_LINE = 300  # characters; a longer one is prose


_UNKNOWN = "?"  # a heading of which nobody knows what stands below it


@dataclass(slots=True)
class Entry:
    """A gene with what is listed beside it."""

    gene: str
    start: int
    end: int
    changed: bool = False
    classed: bool = False  # as a variant that matters
    shares: int = 0
    none: bool = False  # its share is zero

    def add(self, found: re.Match[str]) -> None:
        """Take in what stands beside the gene."""
        self.end = found.end()
        self.changed = self.changed or found["change"] is not None
        self.classed = self.classed or found["classed"] is not None
        share = found["named"] or found["share"]
        if share is not None:
            self.shares += 1
            self.none = self.none or not float(share.replace(",", "."))

    @property
    def is_whole(self) -> bool:
        """Whether it names a change, and one share at most, which is not zero."""
        return self.changed and self.shares <= 1 and not self.none

    @property
    def found(self) -> bool:
        """Whether it says by itself that the variant was found."""
        return self.classed or self.shares > 0


def without_class(text: str) -> str:
    """The text without the "likely" of "likely pathogenic": that is a class of variants, no doubt of the finding."""
    return _LIKELY.sub("", text)


def listed(clauses: list[str], terms: Terms) -> Iterator[tuple[int, str, str]]:
    """Of clauses in their order: which one lists a variant of which gene as found, and in which words.

    A heading holds for the clauses below it. Below words that are no heading of findings nothing counts.
    """
    heading = ""
    for place, clause in enumerate(clauses):
        before, _, after = clause.rpartition(": ")
        if _is_heading(clause.strip().removesuffix(":")):
            heading = clause
        elif _is_heading(before):
            heading, clause = before, after
        entries = _entries(clause, terms) if heading is not _UNKNOWN and len(clause) <= _A_LINE else None
        for entry in entries or ():
            if entry.gene in _LISTED and (entry.found or _SAYS_FOUND.search(heading)):
                yield place, entry.gene, clause[entry.start : entry.end].strip(" ,")
        if not entries and heading != clause and clause.strip() and (heading or not markers.genes_in(clause)):
            heading = _UNKNOWN


def _is_heading(text: str) -> bool:
    return bool(text.strip()) and _HEADING.fullmatch(text.strip()) is not None


def _entries(text: str, terms: Terms) -> list[Entry] | None:
    """The genes of a list, each with its change; None where the text is anything else than such a list."""
    entries: list[Entry] = []
    place = 0
    while place < len(text):
        found = _ENTRY.match(text, place)
        if found is None or found.end() == place:
            return None
        symbol = found["gene"]
        if symbol is not None:
            ours = markers.genes_in(symbol)
            if not ours and symbol.lower() not in terms.gene_names:
                return None
            entries.append(Entry(ours[0] if ours else symbol, found.start(), found.end()))
        elif entries:
            entries[-1].add(found)
        elif found["change"] or found["named"] or found["share"]:
            return None
        place = found.end()
    return entries if entries and all(each.is_whole for each in entries) else None
