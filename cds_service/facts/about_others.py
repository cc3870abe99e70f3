"""About others: which words of a diagnosis tell of a relative, and which doubt is of another thing than leukaemia."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection

from cds_service.facts.clauses import FAR, NEARBY, PART, STOP
from cds_service.facts.diagnoses import LEUKAEMIA
from cds_service.knowledge.terms import Terms
from cds_service.knowledge.words import Span

_OF_A_RELATIVE = "of a relative"  # a person
OTHERS = frozenset({"not told", _OF_A_RELATIVE})  # what is told of a family is not told of the patient
# A relative who is no patient in these words: who gave a graft, saw the patient, was told, or is the patient herself.
_GRAFT_FROM = re.compile(
    r"\b(?:\w*transplant\w*|trasplant\w*|trapiant\w*|allogre\w+|greffe\w*|\w*szt|\w*sct|\w*hct|\w*bmt|haplo\w*|hla\S*"
    r"|donor\w*|spender\w*|donn?eu(?:r|se)|donante|donat(?:ore|rice)|doador\w*|dli)\b",
    re.IGNORECASE,
)
_BESIDE_A_PERSON = re.compile(
    r"\b(?:jeune|petite|junge[rmn]?|young|\d+[- ]?(?:year|jährige|ans|jarige)\S*|chez (?:une|un|cette|ce))\s+\Z"
    r"|\b(?:(?:with|by|to|via|from|per|mit|von|laut|par|avec|selon|por|según|con|secondo|met|door|volgens|com"
    r"|pelo|pela|segundo"
    r"|told|informed|breast-?feeding|nursing|lactating|single|stillende|alleinerziehende)\s+)(?:(?:his|her|the"
    r"|der|dem|seine[rm]|ihre[rm]|la|le|les|sa|su|el|il|de|sua|seu|haar"
    r"|zijn)\s+)?\Z",
    re.IGNORECASE,
)
_OF_CHILDREN = re.compile(
    r"\s+(?:of|to|von|de|di|van)\s+(?:a|an|one|two|three|four|five|\d|einem|einer|zwei|drei|vier|deux|trois"
    r"|dos|tres|due|tre"
    r"|twee|drie|dois)\b",
    re.IGNORECASE,
)
_SPEAKS = re.compile(
    r"\s+(?:reports?|reported|says?|said|notice[sd]|noted|states?|stated|describe[sd]?|call(?:s|ed)|brought"
    r"|found|observed"
    r"|concerned|worried|present|informed|aware|berichte\w*|bemerkt\w*|schildert\w*|rapporte|signale|refieren?"
    r"|riferisc\w+"
    r"|meldt|relata)\b",
    re.IGNORECASE,
)
# A doubt that begins a clause, and what may stand between it and what it speaks of.
_OWN_CLAUSE = re.compile(
    r"(?:[,;:.(|\n]|\b(?:with|and|mit|und|avec|et|con|y|e|met|com))\s*(?:an?\s+|(?:can\s?not|can['’]t"
    r"|could not|not)\s+)?\Z",
    re.IGNORECASE,
)
_TO_A_THING = re.compile(
    r"[\s:]*(?:(?:an?|the|une?|la|el|eine?n?|de|of|early|new|acute|akute|invasive|pulmonary)\s+){0,3}", re.IGNORECASE
)
_OF_LEUKAEMIA = re.compile(
    r"le[uú][kcq]|blast|relaps|rezidiv|r[eé]cidi|reca[ií]|rechut|ricadut|progress|transform|refra[ck]t|remis"
    r"|\baml|\blma|\blam\b"
    r"|disease|krankheit|maladie|enfermedad|malattia|ziekte|doença|diagnos|\?",
    re.IGNORECASE,
)
_NOTHING_ELSE = re.compile(r"[\s().:]*(?:(?:his|her|the|su|la|le|il|el|sein\w*|ihr\w*)\s+)?\Z", re.IGNORECASE)


def told_of_others(words: str, hedges: list[Span]) -> list[tuple[int, int]]:
    """The parts of the words that tell of a relative: from the last comma before one to the end of the clause.

    Where nothing stands between two commas but the relative, what stands before is told of the relative.
    """
    others = [span for span in hedges if span[2] in OTHERS]
    if not others:
        return []
    begins = [0, *(part.end() for part in PART.finditer(words))]
    ends = [*(stop.start() for stop in STOP.finditer(words)), len(words)]
    found: list[tuple[int, int]] = []
    for start, end, value in others:
        place = bisect_right(begins, start) - 1
        begin, until = begins[place], ends[bisect_left(ends, end)]
        part = begins[place + 1] - 1 if place + 1 < len(begins) else len(words)
        alone = _NOTHING_ELSE.fullmatch(words, begin, start) and not words[end:part].strip(" .)")
        if alone and place and words[begin - 1] == ",":
            begin = begins[place - 1]
        if value == _OF_A_RELATIVE and _is_no_patient(words, start, end, words[begin:part]):
            continue
        begin, until = _in_brackets(words, (start, end), (begin, until))
        if found and begin < found[-1][1]:
            begin, until = min(begin, found[-1][0]), max(until, found[-1][1])
            found.pop()
        found.append((begin, until))
    return found


def _in_brackets(words: str, relative: tuple[int, int], part: tuple[int, int]) -> tuple[int, int]:
    """The part, or its brackets alone where more than the relative stands in them."""
    start, end = relative
    opens = words.rfind("(", part[0], start)
    closes = words.find(")", end, part[1])
    if opens < 0 or ")" in words[opens:start]:
        return part
    closes = part[1] if closes < 0 else closes
    return (opens, closes) if words[opens + 1 : start].strip() or words[end:closes].strip() else part


def _is_no_patient(words: str, start: int, end: int, part: str) -> bool:
    """Whether a relative only gave the graft, is only spoken with, or is the patient: "mother of two"."""
    if _OF_CHILDREN.match(words, end) or _SPEAKS.match(words, end):
        return True
    if _BESIDE_A_PERSON.search(words, max(0, start - NEARBY), start):
        return True
    return _GRAFT_FROM.search(part[:FAR]) is not None


def without(words: str, parts: list[tuple[int, int]]) -> str:
    """The words, with blanks for those parts."""
    for begin, until in parts:
        words = words[:begin] + " " * (until - begin) + words[until:]
    return words


def doubts_of_another(words: str, doubts: Collection[Span], terms: Terms) -> set[Span]:
    """The words of doubt in clauses of their own that speak of an infection or clot: "relapsed AML, possible sepsis".

    The leukaemia must be told before such a one, and nothing behind it may speak of the leukaemia again.
    """
    if not doubts:
        return set()
    last = max((found.start() for found in _OF_LEUKAEMIA.finditer(words)), default=-1)
    named = (start for start, _, key in terms.words["condition"].spans(words) if key in LEUKAEMIA)
    first = next(named, len(words))
    return {
        (start, end, value)
        for start, end, value in doubts
        if max(first, last) < start
        and _OWN_CLAUSE.search(words, max(0, start - NEARBY), start)
        and _is_a_thing(PART.split(words[end : end + NEARBY], maxsplit=1)[0], terms)
    }


def _is_a_thing(clause: str, terms: Terms) -> bool:
    return any(_TO_A_THING.fullmatch(clause, 0, thing) for thing, _, _ in terms.words["another thing"].spans(clause))
