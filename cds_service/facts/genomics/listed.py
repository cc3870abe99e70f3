"""Listed: the variants that a report lists by gene, change and share, without a word that says that they were found.

"Pathogenic variants: IDH1 p.R132C (VAF 34 %), NPM1 W288fs". A clause counts only where it is such a list from its first
letter to its last, and only in a text of which every other clause is understood: any other word, before it or after it,
may turn it around ("Sample 1", "benign", "not detected"). Without a share its heading must say that they were found.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from cds_service.facts.genomics import markers
from cds_service.knowledge.terms import Terms

_LISTED = frozenset({markers.FLT3, "IDH1", "IDH2", markers.NPM1, *markers.ANY_CHANGE})  # of fusions no list is read
_ENTRY = re.compile(
    r"(?P<change>p\.\(?[A-Z][a-z]{0,2}\d[\w*>]*\)?|[A-Z]\d{2,4}(?:[A-Z]?fs\w*(?:\*\d+)?|[A-Z*])(?![A-Za-z0-9])"
    r"|ITDs?\b|TKD\b|typ[e ]?\s?[ABD]\b|internal tandem duplication\b)"
    r"|(?:VAF|AF|(?:variant\s+)?allele\s+(?:frequency|fraction|burden)|allelfrequenz|allellast)"
    r"\s*(?:of|von|is)?\s*[:=~]?\s*(?P<named>\d{1,3}(?:[.,]\d+)?)(?![\d.,]*\d)\s*%?"
    r"|(?:allelic\s+)?(?:ratio|AR)\s*[:=~]?\s*(?P<ratio>\d{1,2}(?:[.,]\d+)?)(?![\d.,]*\d)(?!\s*%)"
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
    r"|molecular|genetic|summary of|of(?= (?:strong|potential|clinical))|with(?= (?:strong|potential|clinical))|and|und"
    r"|were|was|detected|identified|found|positive(?: for)?|nachgewiesene?)++",
    re.IGNORECASE,
)
_SAYS_FOUND = re.compile(
    r"\b(?:pathogenic|pathogene|tier\s*(?:I{1,2}|[12])|detected|identified|found|positive|nachgewiesene?)\b"
    r"|\bstrong clinical significance\b",
    re.IGNORECASE,
)
_OF_SEVERAL = re.compile(
    r"(?:variants|mutations|alterations|findings|results|(?:vari|mutati)\w*en|veränderungen)\b", re.IGNORECASE
)
_OF_A_TEST = re.compile(r"\b(?:NGS|panel)\b", re.IGNORECASE)  # which may name what it looks for
_SAYS_DETECTED = re.compile(r"\b(?:detected|identified|found|positive|nachgewiesene?)\b", re.IGNORECASE)
# A heading of what does not count, below which nothing is read.
_OF_NO_WEIGHT = re.compile(
    r"(?:[\s()/&,-]|variant(?:s|en)?|VUS|of (?:uncertain|unknown) (?:clinical )?significance|(?:likely )?benign"
    r"|tier\s*(?:III|IV|[34])(?:\s*/\s*(?:IV|4))?(?![\dIV])|unklarer Signifikanz)++",
    re.IGNORECASE,
)
# What may stand beside a list and leaves it as it is: that there is no more, and of what it was.
_NO_MORE = re.compile(
    r"no (?:other|further|additional) (?:(?:pathogenic|likely|or|and|clinically|significant|relevant|somatic)\s+)*"
    r"(?:variants?|mutations?|alterations?)(?: (?:were|was))?(?: (?:detected|identified|found))?",
    re.IGNORECASE,
)
_NONE = re.compile(r"(?:none|keine)(?: (?:detected|identified|found|nachgewiesen))?", re.IGNORECASE)
_OF_WHAT = re.compile(
    r"(?:specimen|sample|material)(?: type)?: (?:bone marrow|peripheral blood|knochenmark|peripheres blut)"
    r"(?: aspirate)?|(?:mean )?(?:coverage|depth):? \d+\s?x|[-=*_]{3,}",
    re.IGNORECASE,
)
_NOT_SAID = re.compile(  # a place that was left empty, or a minus that stands for "no"
    r"\[\s*\]|\(\s*\)|[-–—]\s*(?:[,)\]]|$)|\S[-–—](?=\s)"
)
_WHOLE_SHARE = 100  # percent: of what was read, and of no variant
_LIKELY = re.compile(r"\blikely (?=pathogenic)", re.IGNORECASE)
_A_LINE = 300  # characters; a longer one is prose


_ONE_AMINO_ACID = re.compile(r"(?:p\.)?\(?([A-Z][a-z]{0,2})\d+([A-Z][a-z]{0,2}|=)\)?", re.IGNORECASE)
_UNKNOWN = "?"  # a heading of which nobody knows what stands below it


@dataclass(slots=True)
class Entry:
    """A gene with what is listed beside it."""

    gene: str
    start: int
    end: int
    seen_from: Decimal  # percent: a smaller share may be what a test sees at best
    changed: bool = False
    silent: bool = False  # the change alters no protein
    classed: bool = False  # as a variant that matters
    shares: int = 0
    none: bool = False  # what it states of a share is zero, or all there is
    small: bool = False

    def add(self, found: re.Match[str]) -> None:
        """Take in what stands beside the gene."""
        self.end = found.end()
        self.changed = self.changed or found["change"] is not None
        self.silent = self.silent or _is_silent(found["change"] or "")
        self.classed = self.classed or found["classed"] is not None
        share = found["named"] or found["share"]
        self.shares += share is not None
        for told in filter(None, (share, found["ratio"])):
            value = Decimal(told.replace(",", "."))
            self.none = self.none or not value or value >= _WHOLE_SHARE
            self.small = self.small or (told is share and value < self.seen_from)

    @property
    def is_whole(self) -> bool:
        """Whether it names a change, and one share at most, which is neither zero nor all there is."""
        return self.changed and not self.silent and self.shares <= 1 and not self.none

    def is_found(self, heading: str) -> bool:
        """Whether it says, or its heading does, that the variant was found; of some genes, that it matters."""
        says = _SAYS_DETECTED if _OF_A_TEST.search(heading) else _SAYS_FOUND
        shown = self.shares > 0 and not self.small and self.gene not in markers.ANY_CHANGE
        return self.classed or shown or says.search(heading) is not None


def _is_silent(change: str) -> bool:
    same = _ONE_AMINO_ACID.fullmatch(change)
    return same is not None and same[1].lower() == same[2].lower()


def without_class(text: str) -> str:
    """The text without the "likely" of "likely pathogenic": that is a class of variants, no doubt of the finding."""
    return _LIKELY.sub("", text)


def listed(
    clauses: list[str], terms: Terms, states: Callable[[str], bool | None]
) -> list[tuple[int, str, str]]:
    """Of clauses in their order: which one lists a variant of which gene as found, and in which words.

    A heading holds for the clauses below it. Where one clause is neither a heading nor a list, and neither `states` of
    its own genes whether they are changed nor stands in a closed list of what leaves a list alone, none counts.
    `states`: None where it does not, else whether it may hold for the clauses below it too ("Not detected: IDH1").
    """
    told: list[tuple[int, str, str]] = []
    by_heading: list[tuple[int, str, str]] = []  # those below this heading that say nothing by themselves
    heading, bare = "", False
    for place, whole in enumerate(clauses):
        above = heading if bare else ""
        heading, clause = _below(heading, whole)
        headed = clause != whole
        bare = bare or headed if not clause.strip() else False
        if headed:  # below "Benign variants | Pathogenic variants" nobody knows what is which
            heading = _UNKNOWN if _UNKNOWN in (above, heading) else heading
            told += by_heading
            by_heading = []
        if not clause.strip() or _OF_WHAT.fullmatch(clause.strip()) or _NO_MORE.fullmatch(clause.strip()):
            continue
        entries = _entries(clause, terms) if len(clause) <= _A_LINE else None
        if entries is None:
            if headed and _NONE.fullmatch(clause.strip()):
                heading = _UNKNOWN
                continue
            leads = states(clause)
            if leads is None:
                return []
            by_heading = []  # "Pathogenic variants: IDH1 R132C, FLT3-ITD", and in the line below "NPM1 not detected"
            heading = _UNKNOWN if heading or leads else ""
        elif heading is not _UNKNOWN:
            for each in entries:
                if each.gene in _LISTED and each.is_found(heading):
                    words = clause[each.start : each.end].strip(" ,")
                    (told if each.is_found("") else by_heading).append((place, each.gene, words))
    return told + by_heading


def _below(heading: str, clause: str) -> tuple[str, str]:
    """The heading that holds for a clause, with what the clause says beside a heading of its own.

    A line of one word or two that says "pathogenic" is the column of a table, and no heading.
    """
    whole, (before, _, after) = clause.strip(), clause.rpartition(": ")
    for words, rest in ((whole.removesuffix(":"), ""), (before.strip(), after)):
        is_line = words == whole and _OF_SEVERAL.search(words) is None
        if _is_all(_HEADING, words) and not (is_line and _SAYS_FOUND.search(words)):
            return words, rest
        if _is_all(_OF_NO_WEIGHT, words) and not is_line:
            return _UNKNOWN, rest
    return heading, "" if _is_all(_HEADING, whole) else clause


def _is_all(pattern: re.Pattern[str], text: str) -> bool:
    """Whether the text is that and nothing else, and holds a word at all."""
    return pattern.fullmatch(text) is not None and re.search(r"\w", text) is not None and not _NOT_SAID.search(text)


def _entries(text: str, terms: Terms) -> list[Entry] | None:
    """The genes of a list, each with its change; None where the text is anything else than such a list."""
    entries: list[Entry] = []
    place = 0
    if _NOT_SAID.search(text.strip()):
        return None
    while place < len(text):
        found = _ENTRY.match(text, place)
        if found is None or found.end() == place:
            return None
        symbol = found["gene"]
        if symbol is not None:
            ours = markers.genes_in(symbol)
            if not ours and symbol.lower() not in terms.gene_names:
                return None
            seen_from = terms.units["vaf"].alone_from
            entries.append(Entry(ours[0] if ours else symbol, found.start(), found.end(), seen_from))
        elif entries:
            entries[-1].add(found)
        elif found["change"] or found["named"] or found["share"]:
            return None
        place = found.end()
    return entries if entries and all(each.is_whole for each in entries) else None
