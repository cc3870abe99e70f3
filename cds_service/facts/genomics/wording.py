"""Wording: what a genomic report says in words, gene by gene.

A word that may turn a statement around, a hedge, or any word that is not known to be harmless leaves the genes of its
clause open. What belongs to none or to two outcomes ("A positive, B, C negative") is open too. A name alone says
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from cds_service.facts.genomics import markers, variants, wild_type
from cds_service.facts.genomics.listed import listed, without_class
from cds_service.knowledge.terms import Terms

PRESENT, ABSENT, INDETERMINATE = "present", "absent", "indeterminate"

_LONGEST_CLAUSE = 2_000  # characters; a longer one is not followed, and leaves its genes open
_CLAUSE = re.compile(r"[;|\n]|\.(?=\s|$)")
_COMMA = re.compile(rf",(?![^()]{{0,{_LONGEST_CLAUSE}}}\))")
_AND = re.compile(r"\b(?:and|but|while|whereas|however|with|without(?=.)|und|aber|ohne)\b|&|\+(?=\s)", re.IGNORECASE)
_BESIDE = re.compile(rf"{_AND.pattern}|\s[-/]\s", re.IGNORECASE)
_SYMBOL = re.compile(r"(?<![A-Za-z0-9])[A-Z][A-Z0-9]+(?![A-Za-z0-9])")
_DENIAL = re.compile(r"(?<![\w-])(?:no|without|absence of|ohne|kein|keine|keinen)(?![\w-])", re.IGNORECASE)
_NOTHING_ELSE = re.compile(
    r"\bno (?:other|additional|further) \w+(?: (?:was|were))?(?: (?:detected|identified|found|seen))?", re.IGNORECASE
)
_SIGN = re.compile(r"\w[+-](?=\s|[,;:)]|$)|\([+-]+\)|\s[+-](?=\s|$)")  # "FLT3-ITD+", "NPM1 (-)"
_SITE = re.compile(r"[A-Z]\d{2,4}|\d{1,2}")
_LIMIT = re.compile(
    r"\((?=[^()]*\b(?:limit of detection|detection limit|sensitivity|LOD|Nachweisgrenze|Sensitivität)\b)[^()]*+\)",
    re.IGNORECASE,
)
_WITH_DIGIT = re.compile(r"(?<!\S)[^\s\d]*+\d\S*")
_WORD = re.compile(r"[^\W\d_]+|\?")
_NUMBERED = re.compile(  # one of several specimens
    r"\b(?:samples?|specimens?|probes?|aspirates?|marrow|blood|tests?|analysis|panel)\s*(?:#|no\.?)?\s*(?:\d|[A-H]\b)",
    re.IGNORECASE,
)
_LETTERED = re.compile(  # so is "Specimen A"
    r"(?:(?:^|,)\s*+|\b(?i:specimen|sample|probe|aspirate)\s++)[A-H](?=\s*+(?:[:,)]|$))"
)
_DATED = re.compile(  # it may speak of another specimen than its own
    r"\b(?:19|20)\d\d-\d\d\b|\b\d{1,2}[./]\d{1,2}[./](?:(?:19|20)\d\d|\d\d)\b|\b\d{1,2}/(?:19|20)\d\d\b"
    r"|\b(?:in|of|from|on|im|vom)\s+(?:19|20)\d\d\b"
    r"|(?<![\w.,:/-])(?<!depth )(?<!depth: )(?<!coverage )(?<!coverage: )(?<!(?:ELN|WHO|ICC|CAP|net) )"
    r"(?<!(?:ELN\)|NCCN|ACMG|ISCN) )(?:199\d|20[0-4]\d)"
    r"(?![\w%/-]|[.,]\d|\s*+(?:x\b|reads|bp|base|cells|copies|kopien|ELN|WHO|ICC|European|NCCN))"
    r"|\b(?-i:E[Dd])\b|\bed(?=\s*+(?:[:,;.)]|$))",  # "ED" is the first diagnosis in German, "ed" Italian for "and"
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a clause says of one gene: the outcome, and the part of the clause that is about the gene."""

    gene: str
    outcome: str
    words: str
    clause: str


@dataclass(slots=True)
class _Piece:
    """A part of a clause: its genes, what it says, and whether the outcome leads them, follows them, or either."""

    text: str
    genes: tuple[str, ...]
    outcome: str | None = None
    leads: bool = False
    follows: bool = False
    lists: bool = False  # genes and sites, and no word, sign or change that may be an outcome of its own


def spoken(text: str, terms: Terms) -> list[Spoken]:
    """Every gene of which the text says whether it is changed. A gene of an open clause is indeterminate."""
    if not markers.genes_in(text):
        return []
    text = markers.with_fusion_named(text)
    clauses = _CLAUSE.split(text)
    found = _listed(clauses, terms)
    for place, clause in enumerate(clauses):
        if place not in found:
            found[place] = list(_of_clause(clause, terms))
    return [said for place in range(len(clauses)) for said in found[place]]


def _listed(clauses: list[str], terms: Terms) -> dict[int, list[Spoken]]:
    """The clauses that list variants as found; none where anything in the text is hedged."""
    found: dict[int, list[Spoken]] = {}
    if not is_hedged(without_class(" | ".join(clauses)), terms):
        for place, gene, words in listed(clauses, terms, lambda clause: _states(clause, terms)):
            if gene != markers.FLT3 or variants.shown((gene,), words, terms):  # another change of it is none to tell
                found.setdefault(place, []).append(Spoken(gene, PRESENT, words, clauses[place].strip()))
    return found


def _states(clause: str, terms: Terms) -> bool | None:
    """Whether what a clause says may hold for those below it too; None where more is said than which genes are changed.

    One that tells several specimens apart says more.
    """
    outcomes = {each.outcome for each in _of_clause(clause, terms)}
    if not outcomes or INDETERMINATE in outcomes or _NUMBERED.search(clause):
        return None
    return min(start for start, _, _ in _cues(clause, terms)) < min(start for start, _ in markers.places(clause))


def stating(text: str, terms: Terms) -> list[str]:
    """The clauses of the text that say anything of presence."""
    return [clause for clause in _CLAUSE.split(text) if terms.words["presence"].find(clause)]


def parts_of(text: str) -> list[list[str]]:
    """The clauses of the text, each in the parts between its commas; one in brackets parts nothing."""
    return [_COMMA.split(clause) for clause in _CLAUSE.split(text)]


def states_of_others_only(text: str, own: Callable[[str], bool], terms: Terms) -> bool:
    """Whether every part that says anything of presence names a gene, and no part of them the one that is asked for.

    A list goes on with what its last part says: "FLT3-ITD, NPM1 negative". A measure ends it: "ITD ratio 0.6".
    """
    parts = [part for clause in parts_of(text) for one in clause for part in _BESIDE.split(one) if part.strip()]
    stating_it = [part for part in parts if _cues(part, terms)]
    if not stating_it or any(own(part) or not _names_a_gene(part, terms) for part in stating_it):
        return False
    return not any(own(part) and _is_list(part, terms) for part in parts)


def _names_a_gene(text: str, terms: Terms) -> bool:
    return bool(markers.genes_in(text)) or names_another_gene(text, terms)


def names_another_gene(text: str, terms: Terms) -> bool:
    """Whether the text holds the symbol of a gene of which no rule asks."""
    symbols = (word for word in _SYMBOL.findall(text) if word.lower() in terms.gene_names)
    return any(not markers.genes_in(word) for word in symbols)


def is_hedged(text: str, terms: Terms) -> bool:
    """Whether the text doubts what it says: "possible", "previously", "cannot be excluded", a question mark, a date."""
    return "?" in text or terms.words["hedge"].find(text) is not None or _DATED.search(text) is not None


def without_limits(text: str) -> str:
    """The text without what stands in brackets of the limit of its method."""
    return _LIMIT.sub("", text)


def is_plain(text: str, terms: Terms) -> bool:
    """Whether the text holds no word but names of genes and words that leave the meaning of others alone."""
    filler, genes = terms.words["filler"], terms.gene_names
    text = markers.without_types(markers.without_full_names(text))
    return all(filler.holds(word) or word.lower() in genes for word in _WORD.findall(_WITH_DIGIT.sub(" ", text)))


def _of_clause(clause: str, terms: Terms) -> Iterator[Spoken]:
    if len(clause) > _LONGEST_CLAUSE:
        yield from (Spoken(gene, INDETERMINATE, clause[:80], clause[:80]) for gene in markers.genes_in(clause))
        return
    clause = wild_type.without_shares(without_limits(_NOTHING_ELSE.sub("", clause)))
    genes = markers.genes_in(clause)
    if not genes or not _cues(clause, terms):
        return
    strange = _strange(clause, terms)
    pieces = [piece for part in _COMMA.split(clause) for piece in _pieces(part, terms, bare=markers.FLT3 in genes)]
    if not any(piece.outcome for piece in pieces):
        return
    strange = strange or any(_hangs(pieces, place) for place in range(len(pieces)))
    for place, piece in enumerate(pieces):
        outcome = INDETERMINATE if strange else piece.outcome or _borrowed(pieces, place)
        if outcome == ABSENT and len(piece.genes) > 1 and variants.other_change(piece.text):
            outcome = INDETERMINATE  # "IDH2 R140Q and FLT3-ITD negative" may be two statements
        if outcome == PRESENT and markers.either(piece.text):
            outcome = INDETERMINATE
        for gene in piece.genes:
            yield Spoken(gene, outcome, piece.text.strip(), clause.strip())


def _pieces(part: str, terms: Terms, *, bare: bool) -> Iterator[_Piece]:
    """The part as one piece, or split at its conjunctions where it says more than one thing."""
    if len(_cues(part, terms)) > 1:
        places = [0, *(match.start() for match in _AND.finditer(part)), len(part)]
        cut = [part[one:other] for one, other in pairwise(places)]
        with_cue = sum(bool(_cues(each, terms)) for each in cut)
        if with_cue > 1:
            yield from (_piece(each, terms, bare=bare) for each in cut if each.strip())
            return
    yield _piece(part, terms, bare=bare)


def _cues(text: str, terms: Terms) -> list[tuple[int, int, str]]:
    """What the text says of presence, in order, a denial that stands alone among it as "no"."""
    said = list(terms.words["presence"].spans(text))
    taken = [(start, end) for start, end, _ in said]
    denials = [
        (match.start(), match.end(), "no")
        for match in _DENIAL.finditer(text)
        if not any(start <= match.start() < end for start, end in taken)
    ]
    return sorted([*said, *denials])


def _piece(text: str, terms: Terms, *, bare: bool) -> _Piece:
    spans = markers.places(text)
    if bare and not any(gene in (markers.FLT3, markers.KMT2A) for _, gene in spans):
        spans += [(start, markers.FLT3) for start in markers.bare(text)]
    genes = tuple(dict.fromkeys(gene for _, gene in sorted(spans)))
    cues = _cues(text, terms)
    if not cues:
        return _Piece(text, genes, lists=_is_list(text, terms))
    starts = [start for start, _ in spans]
    first = cues[0][0]
    among = any(min(starts) < start < max(starts) for start, _, _ in cues) if starts else False
    if len(genes) > 1:
        listed = first < min(starts) or _is_list(text[min(starts) : max(starts)], terms)
        if among or not listed or ":" in text[min(starts) : max(starts)] or (
            first < min(starts) and ":" in text[max(starts) :]
        ):  # fmt: skip
            return _Piece(text, genes, INDETERMINATE)  # "NPM1 mutation and IDH1 negative" may be two statements
    leads = not starts or first < min(starts)
    follows = not starts or first > min(starts)
    return _Piece(text, genes, _outcome(text, cues, starts), leads, follows)


def _is_list(text: str, terms: Terms) -> bool:
    """Whether the text lists genes and nothing else: "IDH1 R132", and neither "FLT3-ITD+" nor "IDH2 R140Q"."""
    listing, genes = terms.words["list word"], terms.gene_names
    plain = text.replace(markers.ONE_NAME, " ")
    tokens = filter(None, re.split(r"[\s,/&]+", plain.strip().rstrip(":")))
    return all(listing.holds(token) or token.lower() in genes or _SITE.fullmatch(token) for token in tokens)


def _outcome(text: str, cues: list[tuple[int, int, str]], genes: list[int]) -> str:
    """The one outcome of a piece; indeterminate when it says several things, or denies in a way not known."""
    first, *others = cues
    values = [value for _, _, value in others]
    no_mutations = first[2] == ABSENT and text[first[0] :].lower().startswith("no ")
    if no_mutations and values in ([], [PRESENT]):
        return ABSENT  # "no mutations were detected"
    if first[2] == "no":
        one_side = all(start > first[0] for start in genes) or (bool(values) and all(s < first[0] for s in genes))
        return ABSENT if genes and one_side and values in ([], [PRESENT]) else INDETERMINATE
    stated = {value for _, _, value in cues}
    return stated.pop() if len(stated) == 1 else INDETERMINATE


def _hangs(pieces: list[_Piece], place: int) -> bool:
    """Whether a part says something of no gene: "FLT3-ITD not detected, detected"."""
    piece = pieces[place]
    listed = [each for each in pieces[max(place - 1, 0) : place + 2] if each.genes and each.outcome is None]
    return piece.outcome is not None and not piece.genes and not listed


def _borrowed(pieces: list[_Piece], place: int) -> str:
    """The outcome of the neighbours for a piece that lists genes only; indeterminate when they do not agree."""
    if not pieces[place].lists:
        return INDETERMINATE
    before = next((each for each in reversed(pieces[:place]) if each.outcome), None)
    after = next((each for each in pieces[place + 1 :] if each.outcome), None)
    found = {each.outcome for each, fits in ((before, before and before.leads), (after, after and after.follows)) if
             each is not None and fits and each.outcome}  # fmt: skip
    return found.pop() if len(found) == 1 else INDETERMINATE


def _strange(clause: str, terms: Terms) -> bool:
    """Whether the clause holds a word that is not known to leave its meaning alone."""
    doubted = is_hedged(clause, terms) or wild_type.denied(clause) or wild_type.is_a_part(clause)
    if doubted or _SIGN.search(clause) or _LETTERED.search(clause) or markers.is_glued(clause):
        return True
    rest = clause
    for start, end, _ in reversed(_cues(clause, terms)):
        rest = f"{rest[:start]} {rest[end:]}"
    return not is_plain(rest, terms)
