"""Variants: which changes of our genes a text names, of the protein, of its bases or in words.

Only changes of which a drug is known to depend count as a marker (IDH1 R132, IDH2 R140 and R172, FLT3 D835 and I836);
any other change of these genes is a variant of unknown significance. A partial tandem duplication of KMT2A is none.
"""

from __future__ import annotations

import re

from cds_service.facts.genomics.markers import (
    ANY_CHANGE,
    APL_FUSION,
    FLT3,
    ITD,
    KMT2A,
    MARKERS_OF,
    NPM1,
    PML_RARA,
    REARRANGEMENT,
    TKD,
    genes_in,
)
from cds_service.kept import Kept, by_digest
from cds_service.knowledge.terms import Terms

DUPLICATION = ("itd", "internal tandem duplication")
_CHANGE = re.compile(r"(?<![A-Za-z0-9])(?:p\.\(?)?[A-Z][a-z]{0,2}\d{2,4}(?:[A-Z*]|del|dup|ins|fs|_)")
_LETTERS = {
    "ala": "A", "arg": "R", "asn": "N", "asp": "D", "cys": "C", "gln": "Q", "glu": "E", "gly": "G", "his": "H",
    "ile": "I", "leu": "L", "lys": "K", "met": "M", "phe": "F", "pro": "P", "ser": "S", "thr": "T", "trp": "W",
    "tyr": "Y", "val": "V", "ter": "*",
}  # fmt: skip
_AMINO_ACID = re.compile("|".join(_LETTERS), re.IGNORECASE)
_CODON = re.compile(r"p\.([A-Za-z]+\d+)[A-Za-z]+")
_FUSION = re.compile(r"(?:KMT2A|MLL1?)\s*::\s*\w|\w\s*::\s*(?:KMT2A|MLL1?)\b", re.IGNORECASE)
_DUPLICATED = re.compile(r"\d(?:dup|ins)|duplication|in-frame insertion", re.IGNORECASE)  # with its exon, an ITD
# A change that makes the protein longer and keeps its frame: "p.(Y597_E598insDYVDFREYE)", "c.1770_1793dup".
_LONGER = re.compile(
    r"(?<![A-Za-z0-9])(?:p\.\(?)?[A-Z][a-z]{0,2}(\d{3,4})_[A-Z][a-z]{0,2}(\d{3,4})"
    r"(?:(dup)(?!fs|\*)|ins(?!\w*?(?:Ter|fs)|\w*\*)(?=[A-Z]{2}|[A-Z][a-z]{2}[A-Z]|\(?[1-9]))"
)
_LONGER_DNA = re.compile(r"(?<![A-Za-z0-9])c\.(\d{3,5})_(\d{3,5})(?:dup(?:[ACGT]*|\d*)|ins([ACGT]+))(?![A-Za-z0-9])")
_A_PLACE = re.compile(r"\d(?:dup|ins)")
_A_SYMBOL = re.compile(r"(?<![A-Za-z0-9])[A-Z][A-Z0-9]+")
_IN_ANOTHER = re.compile(r"(?:dup|ins)\S*\s+(?:in|of|von|im|de|du|di|em|en)\s+(?!FLT)([A-Z][A-Z0-9]++)(?!-mut)")
_ONE_RESIDUE = 3  # bases: one residue more is no duplication of a stretch
_SUBSTITUTED = re.compile(r"(?<![A-Za-z0-9])[cg]\.[\d*+-]+[ACGT]>[ACGT]", re.IGNORECASE)
_CODING = re.compile(r"(?<![A-Za-z0-9])c\.(\d{1,5})(?:[+-]\d+)?[ACGT]>[ACGT]", re.IGNORECASE)
_BETWEEN_EXONS = re.compile(r"(?<![A-Za-z0-9])c\.\d{1,5}[+-]\d", re.IGNORECASE)
_SILENT = re.compile(r"(?<![A-Za-z0-9])p\.\(?(?:[A-Za-z]{1,3}\d{1,4})?=|synonymous|silent", re.IGNORECASE)
_OF_A_LOSS = re.compile(r"\bFISH\b|\bdeletions?\b|\bdel\(|\bloss\b|(?<![\d.])17p|break.?apart", re.IGNORECASE)
_OF_A_MUTATION = re.compile(r"mutat|mutier|variant|sequenc|\bNGS\b", re.IGNORECASE)


def shown(genes: tuple[str, ...], text: str, terms: Terms) -> tuple[str, ...]:
    """The markers of these genes that the text names by a change that counts, or in words. Kept for short texts."""
    known: Kept[tuple[tuple[str, ...], bytes], tuple[str, ...]] = terms.kept("markers in words")
    asked = (genes, by_digest(text))
    found = known.get(asked)
    return known.keep(asked, _shown(genes, text, terms), text) if found is None else found


def _shown(genes: tuple[str, ...], text: str, terms: Terms) -> tuple[str, ...]:
    low = text.lower()
    known = [(change, marker.partition(" ")[0]) for (gene, change), marker in _changes(genes, terms)]
    found = [marker for change, marker in known if _mentions(low, change)]
    found += [marker for change, marker in known if (codon := _CODON.fullmatch(change)) and _codon(low, codon[1])]
    if FLT3 in genes:
        found += [ITD] if any(_mentions(low, words) for words in DUPLICATION) else []
        found += [ITD] if _DUPLICATED.search(text) and terms.words["itd exon"].find(text) else []
        found += [ITD] if lies_in(ITD, text, terms) else []
        found += [TKD] if _mentions(low, "tkd") or "tyrosine kinase domain" in low else []
    if KMT2A in genes and (_FUSION.search(text) or REARRANGEMENT in terms.words["alteration"].find_all(text)):
        found.append(REARRANGEMENT)
    if NPM1 in genes and NPM1 in terms.words["alteration"].find_all(text):
        found.append(NPM1)
    if PML_RARA in genes and PML_RARA in genes_in(text):
        found.append(APL_FUSION)
    found += [gene for gene in genes if gene in ANY_CHANGE and other_change(text)]
    return tuple(dict.fromkeys(found))


def noted(gene: str, text: str, terms: Terms) -> tuple[str, ...]:
    """Changes of the gene that the table knows and that are no marker of ours: told, never decisive. Kept too."""
    known: Kept[tuple[str, bytes], tuple[str, ...]] = terms.kept("other changes in words")
    asked = (gene, by_digest(text))
    found = known.get(asked)
    return known.keep(asked, _noted(gene, text, terms), text) if found is None else found


def _noted(gene: str, text: str, terms: Terms) -> tuple[str, ...]:
    ours = MARKERS_OF[gene]
    others = [(change, marker) for (of, change), marker in terms.changes.items() if of == gene]
    found = (m for change, m in others if m.partition(" ")[0] not in ours and _mentions(text.lower(), change))
    return tuple(dict.fromkeys(found))


def other_change(text: str) -> bool:
    """Whether the text names any change of a protein."""
    return _CHANGE.search(text) is not None


def is_duplication(text: str) -> bool:
    """Whether the text names a duplication or an insertion."""
    return _DUPLICATED.search(text) is not None


def lies_in(marker: str, text: str, terms: Terms) -> bool:
    """Whether the text names a duplication or insertion that keeps the frame, in the codons of the marker's own.

    What is told of the protein goes before what is told of its bases.
    """
    codons = terms.regions[marker]
    text = _without_places_of_others(text, terms)
    protein = [(int(match[1]), int(match[2])) for match in _LONGER.finditer(text)]
    if protein or other_change(text):
        return any(first in codons and last in codons for first, last in protein)
    bases = [(int(match[1]), int(match[2]), match[3]) for match in _LONGER_DNA.finditer(text)]
    return any(
        (first + 2) // 3 in codons
        and (last + 2) // 3 in codons
        and (more := len(added) if added else last - first + 1) % 3 == 0
        and more > _ONE_RESIDUE
        for first, last, added in bases
    )


def _without_places_of_others(text: str, terms: Terms) -> str:
    """The text without what follows the symbol of another gene than FLT3; "" where a place may be of one behind it."""
    if not _A_PLACE.search(text):
        return text
    symbols = [match for match in _A_SYMBOL.finditer(text) if match[0].lower() in terms.gene_names]
    if all(FLT3 in genes_in(match[0]) for match in symbols):
        return text
    if any(match[1].lower() in terms.gene_names for match in _IN_ANOTHER.finditer(text)):
        return ""
    starts = [0, *(match.start() for match in symbols[1:])]  # the first one may stand behind its change
    ends = [*starts[1:], len(text)]
    parts = zip(symbols, starts, ends, strict=True)
    own = [(start, end) for match, start, end in parts if FLT3 in genes_in(match[0])]
    return " ".join(text[start:end] for start, end in own)


def is_named_itd(text: str, terms: Terms) -> bool:
    """Whether the text has the name of an internal tandem duplication, or its exon."""
    low = text.lower()
    return any(_mentions(low, words) for words in DUPLICATION) or terms.words["itd exon"].find(text) is not None


def is_duplicated(text: str) -> bool:
    """Whether the text tells of a stretch of the protein that it stands there twice."""
    return any(match[3] for match in _LONGER.finditer(text))


def is_same_change(one: str, other: str) -> bool:
    """Whether both name one change, amino acids in one letter or in three: "p.(Arg132His)" and "R132H"."""
    return bool(one and other) and _in_letters(one) == _in_letters(other)


def _in_letters(change: str) -> str:
    plain = change.strip().removeprefix("p.").strip("()")
    return _AMINO_ACID.sub(lambda match: _LETTERS[match[0].lower()], plain).upper()


def is_substitution(text: str) -> bool:
    """Whether the text names a change of one base, of which the protein is not told."""
    return _SUBSTITUTED.search(text) is not None


def of_a_loss(text: str) -> bool:
    """Whether the text speaks of a deletion or of a FISH, and of no mutation: neither tells of the other."""
    return _OF_A_LOSS.search(text) is not None and not (_OF_A_MUTATION.search(text) or other_change(text))


def dna_sites(gene: str, text: str, terms: Terms) -> bool | None:
    """Whether a change of one base that the text names lies in a codon of the gene that counts; None: it names none.

    The codon follows from the place: three bases make one.
    """
    places = [int(match[1]) for match in _CODING.finditer(text) if not _BETWEEN_EXONS.match(match[0])]
    if not places:
        return False if _BETWEEN_EXONS.search(text) else None
    known = (_CODON.fullmatch(change) for (_, change), _ in _changes((gene,), terms))
    sites = {int(re.sub(r"\D", "", codon[1])) for codon in known if codon}
    return any((place + 2) // 3 in sites for place in places)


def is_silent(text: str) -> bool:
    """Whether the text names a change that alters no protein, and none that does."""
    return _SILENT.search(text) is not None and not other_change(text)


def whole_site(gene: str, text: str, terms: Terms) -> bool:
    """Whether the text names every site of the gene that counts without naming one change: "IDH1 R132 absent"."""
    sites = {codon[1] for (_, change), _ in _changes((gene,), terms) if (codon := _CODON.fullmatch(change))}
    short = {site for site in sites if re.fullmatch(r"[a-z]\d+", site)}
    low = text.lower()
    return bool(short) and all(re.search(rf"(?<![a-z0-9]){site}(?![a-z0-9*=])", low) for site in short)


def _changes(genes: tuple[str, ...], terms: Terms) -> list[tuple[tuple[str, str], str]]:
    """The changes that stand for a marker of these genes."""
    markers = {marker for gene in genes for marker in MARKERS_OF[gene]}
    return [
        (key, marker)
        for key, marker in terms.changes.items()
        if key[0] in genes and key[1] not in DUPLICATION and marker.partition(" ")[0] in markers
    ]


def _codon(text: str, codon: str) -> bool:
    """Whether the text names the place of a change, with any change of it but none ("D835=")."""
    return re.search(rf"(?<![a-z0-9]){codon}(?![0-9=])", text) is not None


def _mentions(text: str, change: str) -> bool:
    plain = change.removeprefix("p.")
    start = text.find(plain)
    while start >= 0:
        before = text[start - 1] if start else " "
        after = text[start + len(plain)] if start + len(plain) < len(text) else " "
        if not before.isalnum() and not after.isalnum() and after != "=":  # "p.Asp835=" is no change
            return True
        start = text.find(plain, start + 1)
    return False
