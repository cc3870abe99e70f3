"""Residual disease: a molecular or MRD relapse that words tell, and whether it lies in a remission of the marrow."""

from __future__ import annotations

import re

from cds_service.facts.clauses import NEARBY
from cds_service.facts.denials import DENIES_AHEAD, is_refuted
from cds_service.facts.diagnoses import AML, IN_REMISSION
from cds_service.facts.states_in_words import FEARED
from cds_service.knowledge.terms import Terms

OF_RESIDUAL = "by its words a relapse of measurable residual disease and no other, not certain"
_EARLIER = re.compile(  # a molecular relapse that went before this one
    r"\b(?:previous\w*|prior|earlier|former\w*|preceded by|history of|after|following)\s+(?:a\s+|an\s+|the\s+)?\Z",
    re.IGNORECASE,
)
_WITHIN = re.compile(  # what may stand between a remission and the molecular relapse in it
    r"[\s,;:.()/+–-]*(?:(?:but|with|now|current|currently|and|new|mit|jetzt|aktuell|aber|und|neue[rsn]?|avec|mais|et"
    r"|con|pero|y|ma|e|met|maar|en|com|mas|an?|eine?[mn]?|une?|una?|isolated|first|second|1st|2nd)[\s,:]+)*",
    re.IGNORECASE,
)
_TREATED = re.compile(  # a molecular relapse that is over
    r"[\s,:(]*(?:[\d./-]+[\s,)]*)?(?:(?:was|in|successfully|since)\s+)?(?:treated|resolved|cleared|behandelt|traitée?"
    r"|tratad[oa]|trattat[oa]|behandeld)\b",
    re.IGNORECASE,
)
_AFTER = re.compile(  # it stands before one that is over; "na recaída" is in it
    r"\b(?:nach|z\.?\s?n\.?|s/p|status post|st\.?\s?p\.?|post|après|tras|después de(?:l| una?)?|dopo"
    r"|na(?=\s+een\s)|após|depois de|behandelte[mnrs]?|treated|resolved|cleared)\s+"
    r"(?:an?\s+|eine[mnr]\s+|une\s+|una\s+|een\s+|uma\s+)?\Z",
    re.IGNORECASE,
)
_CLEARED = re.compile(  # behind it, and of today: "MRD relapse 2024, now MRD negative"
    r"\b(?:now|currently|since|again|jetzt|aktuell|seither|wieder|actuellement|ahora|ora|adesso|nu|agora)\s+"
    r"(?:mrd|molec\w+|molek\w+|moléc\w+)[\s-]*+(?:again\s+|wieder\s+)?"
    r"(?:neg|négat|undetect|nicht nachw)(?!\w*\s+(?:for|für)\b)",
    re.IGNORECASE,
)
_LOOKED_AT = re.compile(  # "relapse (molecular studies: ...": what was looked at, not what relapsed
    r"(?:(?<=molecular)|(?<=mrd))\s+(?:stud|profil|test|analys|panel|genetic|marker|result|data|work-?up"
    r"|patholog|diagnos"
    r"|finding|pending)",
    re.IGNORECASE,
)


def of_residual(keys: list[str], words: str, terms: Terms) -> tuple[str, ...]:
    """The doubt where the words tell of a molecular or MRD relapse of AML, and of none in marrow or blood."""
    spans = terms.words["relapse of residual disease"].spans(words) if AML.intersection(keys) else ()
    overt = any(value == "overt" for _, _, value in spans)
    return (OF_RESIDUAL,) if not overt and any(_is_residual(words, start, end) for start, end, _ in spans) else ()


def _is_residual(words: str, start: int, end: int) -> bool:
    before = max(0, start - NEARBY)
    ahead = (DENIES_AHEAD, _EARLIER, FEARED)
    if any(each.search(words, before, start) for each in ahead) or is_refuted(words, end):
        return False
    return not _LOOKED_AT.match(words, end)


def is_within_remission(words: str, terms: Terms) -> bool:
    """Whether a molecular or MRD relapse that has not ended is told right behind a remission, as it comes in one."""
    ends = [end for _, end, state in terms.words["state"].spans(words) if state in IN_REMISSION]
    starts = begun(words, terms) if ends else []
    return any(max(ends) <= start and _WITHIN.fullmatch(words, max(ends), start) for start in starts)


def begun(words: str, terms: Terms) -> list[int]:
    """Where a molecular or MRD relapse is told, and not as one that is over."""
    cleared = max((match.start() for match in _CLEARED.finditer(words)), default=-1)
    return [
        start
        for start, end, _ in terms.words["relapse of residual disease"].spans(words)
        if _is_residual(words, start, end)
        and not (cleared >= end or _TREATED.match(words, end) or _AFTER.search(words, max(0, start - NEARBY), start))
    ]
