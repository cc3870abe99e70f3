"""Left open: what a text says cannot be excluded. "Relapse cannot be excluded" tells of a relapse, and of none.

A double negation is no statement either way. Its own negation, and the word it denies, are blanked for the readers of
negations: "cannot exclude heart failure" denies nothing, and "no descartada" refutes nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable
from itertools import islice

from cds_service.knowledge.words import Span

_MOST = 200  # double negations in one text
_NEARBY = 80  # characters between one and what it leaves open
_BETWEEN = r"(?:be|been|yet|still|as|with|certainty|entirely|\w+ly)"
_SURE = (
    r"(?:(?:mit|letzter|sicher\w*|noch|vollständig|völlig|ganz|gänzlich|komplett|eindeutig|endgültig|definitiv|derzeit"
    r"|aktuell|bisher|zu)\s+){0,4}"
)
_IN_ENGLISH = r"can\s?not|can['’]t|could\s?n['’]t"
FROM = r"(?!\s+(?:from|aus|vom|von|del?|des?|du|dal|dalla|dallo|van|do|da|for|für)\b)"  # "excluded from the trial"
_STEM = re.compile(  # of a word for excluding: no text without one is looked at closely
    r"exclu|excluí|rul(?:e|es|ed|ing)\s+out|ausge?schl|ausschl|auszuschl|écart|élimin|descart|esclu|uitgesl|uitslu|sluiten|afast",
    re.IGNORECASE,
)
# What is left open stands before it, and rarely behind it: "not excluded: relapse".
_PASSIVE = re.compile(
    rf"\b(?:(?:{_IN_ENGLISH}|(?:is|was|has)n['’]t|not)\s+(?:{_BETWEEN}\s+){{0,4}}(?:exclud(?:ed|able)|ruled\s+out)"
    rf"|nicht\s+{_SURE}(?:ausgeschlossen|auszuschlie(?:ß|ss)en(?:d\w*)?|ausschlie(?:ß|ss)(?:bar|en))"
    r"|ne\s+(?:peut|peuvent|pouvait|pourrait)\s+(?:pas\s+)?être\s+(?:\w+ment\s+)?(?:exclu|écarté|éliminé)e?s?"
    r"|(?:non|pas)\s+(?:(?:encore|été|être|\w+ment)\s+){0,2}(?:exclu|écarté|éliminé)e?s?"
    r"|no\s+(?:(?:se|ha|han|está|estaba|es|fue|sido|ser|puede|pueden|podido|aún|todavía|\w+mente)\s+){0,4}"
    r"(?:descartad[oa]s?|excluid[oa]s?|descartables?|excluibles?|descartarse|excluirse)"
    r"|non\s+(?:(?:si|è|sono|ancora|stat[oaie]|può|possono|essere|potuto|del|tutto|\w+mente)\s+){0,4}"
    r"(?:esclus[oaie]|escludibil[ei]|escludersi)"
    r"|niet\s+(?:(?:te|met|zekerheid|worden|nog|helemaal|volledig|geheel|definitief|zeker)\s+){0,3}"
    r"(?:uitgesloten|uit\s+te\s+sluiten|uitsluiten|uitsluitbaar)"
    r"|não\s+(?:(?:se|foi|é|está|ainda|pode|podem|ser|sido|\w+mente)\s+){0,4}"
    r"(?:excluíd[oa]s?|descartad[oa]s?|afastad[oa]s?|excluir-se|descartar-se))\b"
    + FROM,
    re.IGNORECASE,
)
# What is left open stands behind it, and rarely before it: "relapse: cannot exclude".
_ACTIVE = re.compile(
    rf"\b(?:(?:{_IN_ENGLISH}|(?:un|not\s+)able\s+to|(?:im|not\s+)possible\s+to|(?:do|does|did)(?:n['’]t|\s+not)|not)\s+"
    rf"(?:(?:able\s+to|{_BETWEEN})\s+){{0,4}}(?:exclud(?:e|es|ing)|rul(?:e|es|ing)\s+out)"
    r"|without\s+(?:excluding|ruling\s+out)|no\s+exclusion\s+of"
    r"|kein(?:e[nrs]?)?\s+(?:sichere[rn]?\s+)?ausschlu(?:ss|ß)"
    r"|ne\s+(?:(?:peut|peuvent|pouvait|pourrait|permet|permettent|pouvant|pouvoir|pas)\s+){1,3}(?:de\s+|d['’])?"
    r"(?:exclure|écarter|éliminer)"
    r"|n['’](?:exclu(?:t|ent|ant)|écart(?:e|ent|ant)|élimin(?:e|ent|ant))\s+pas"
    r"|sans\s+(?:pouvoir\s+)?(?:exclure|écarter|éliminer)|impossible\s+d['’](?:exclure|écarter|éliminer)"
    r"|(?:no|sin)\s+(?:(?:se|puede|pueden|podemos|podido|ha|permite|permiten|posible|es|poder)\s+){0,3}"
    r"(?:descartan?|descartar|excluyen?|excluir)"
    r"|(?:non|senza)\s+(?:(?:si|può|possono|possiamo|permette|consente|di|è|possibile|poter)\s+){0,4}"
    r"esclud(?:e|ono|ere)"
    r"|(?:não|sem)\s+(?:(?:se|pode|podem|podemos|permite|é|possível|poder)\s+){0,3}"
    r"(?:exclui|excluem|excluir|descartar?|afastar?))\b",
    re.IGNORECASE,
)
_APART = (  # what is said behind one of these is another thing: "relapsed AML with infection not excluded"
    r"(?:with|without|after|before|under|on|but|mit|ohne|nach|vor|unter|aber|avec|sans|après|sous|mais|con|sin|senza"
    r"|tras|dopo|bajo|pero|ma|met|zonder|onder|maar|com|sem|após|sob|mas)\b"
)
_UP_TO = re.compile(rf"\w*\)?:?(?:[\s(]+(?!{_APART})[\w'’-]+){{0,6}}[\s:(–-]*", re.IGNORECASE)
_BEHIND_A_COMMA = re.compile(r"[\s)]*,\s*")  # "relapse, not excluded": nothing else may be meant
_ON_TO = re.compile(rf"[\s:]*(?:(?!{_APART})[\w'’-]+\s+){{0,5}}(?:[ld]['’])?", re.IGNORECASE)
_LAST = re.compile(r"(?:\s+(?:werden|worden))?[\s).]*(?:[,;|\n]|\Z)")

Spans = Callable[[str], Iterable[Span]]


def told_and_open(words: str, names: Spans) -> tuple[str, frozenset[int]]:
    """The words with blanks for their double negations, and where in them a name begins that one of those leaves open.

    `names`: what finds the names in words.
    """
    if not _STEM.search(words):
        return words, frozenset()
    passive, active = _matches(_PASSIVE, words), _matches(_ACTIVE, words)
    if not passive and not active:
        return words, frozenset()
    told = words
    for match in (*passive, *active):
        told = told[: match.start()] + " " * (match.end() - match.start()) + told[match.end() :]
    places = sorted((start, end) for start, end, value in names(told) if value)
    left_open: set[int] = set()
    for match in passive:
        left_open |= _before(told, match, places) or _behind(told, match, places)
    for match in active:
        left_open |= _behind(told, match, places) or (_before(told, match, places) if _is_last(told, match) else set())
    return told, frozenset(left_open)


def _matches(pattern: re.Pattern[str], words: str) -> list[re.Match[str]]:
    return list(islice(pattern.finditer(words), _MOST))


def _before(told: str, match: re.Match[str], places: list[tuple[int, int]]) -> set[int]:
    near = places[bisect_left(places, (match.start() - _NEARBY, 0)) : bisect_left(places, (match.start(), 0))]
    comma = _is_last(told, match)
    return {
        start
        for start, end in near
        if _UP_TO.fullmatch(told, end, match.start())
        or (comma and _BEHIND_A_COMMA.fullmatch(told, end, match.start()))
    }


def _is_last(told: str, match: re.Match[str]) -> bool:
    return _LAST.match(told, match.end()) is not None


def _behind(told: str, match: re.Match[str], places: list[tuple[int, int]]) -> set[int]:
    near = places[bisect_left(places, (match.end(), 0)) : bisect_left(places, (match.end() + _NEARBY, 0))]
    return {start for start, _ in near if _ON_TO.fullmatch(told, match.end(), start)}
