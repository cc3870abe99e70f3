"""Denials: which of the things that a text names it denies, refutes, or only aims at."""

from __future__ import annotations

import re

from cds_service.facts.clauses import CLAUSE, FAR, NEAR, NEARBY, PART
from cds_service.facts.diagnoses import AML, GRAFTS
from cds_service.facts.left_open import FROM

_LISTED = r"(?:(?!(?:of|or|nor|pour|auf|für|voor)\s)[\w-]+(?:\s+|['’])){0,2}"  # between "of" and "or"
_DENIED = re.compile(
    r"\b(?:(?:no|not|without|denies|denied|negative for|absence of|free of|ohne|kein\w*|pas de|sans|aucune?"
    r"|absence de|nie|sin|niega|ausencia de|senza|nega|assenza di|nessun[ao]?|geen|zonder|ontkent|sem|ausência de|não)"
    r"\s+"
    r"|(?:pas|absence) d['’])"
    rf"(?:{_LISTED}(?:of|or|nor|pour|auf|für|voor)\s+)*{_LISTED}\Z"
    r"|\bnicht\s+(?:mehr\s+)?\Z",  # and "nicht ischämische Kardiomyopathie" is one
    re.IGNORECASE,
)
_REFUTED = re.compile(
    r"(?:\s*+\([^()]*+\))?[\s,:-]*+(?:(?:was|is|has been)\s*+)?(?:(?:sicher|safely|definit\w+)\s++)?"
    r"(?:excluded|ruled out|refuted|not found|ausgeschlossen|exclue?s?|écartée?s?|descartad[oa]s?|esclus[oaie]"
    rf"|uitgesloten|excluíd[oa]s?)\b{FROM}",
    re.IGNORECASE,
)
# Behind a comma such a word may speak of what follows it: "AML, descartada recaída".
OF_WHAT_FOLLOWS = re.compile(
    r"\s*:\s*\w|\s+(?!(?:by|on|with|after|via|at|in|from|through|since|today|and|or|but|as|no longer|mittels"
    r"|durch|per|mit|nach|am"
    r"|im|bei|und|oder|da|werden|worden|par|sur|à|au|aux|avec|après|et|ou|le|por|con|en|tras|mediante|según|y"
    r"|o|e|al|dopo"
    r"|tramite|door|met|na|bij|op|pel[oa]|em|após|com)\b|\w+(?:ly|mente|ment|isch)\b)[^\W\d]",
    re.IGNORECASE,
)
REFUTES_AHEAD = re.compile(  # and of the first name behind it it is no word then
    r"(?:\A|[,;:.(|\n])\s*(?:excluded|ruled out|ausgeschlossen|exclue?s?|écartée?s?|descartad[oa]s?"
    r"|esclus[oaie]|uitgesloten"
    r"|excluíd[oa]s?)\s*:?\s+(?:(?:an?|the|une?|la|el|il|lo|o|a|een|eine?|new|nueva|nova)\s+)?\Z",
    re.IGNORECASE,
)
# A transplantation that was not done, or not yet, or of which only a service is named.
_PLANNED = re.compile(
    r"\b(?:plann?(?:ed|ing|s)?(?: for)?|candidate for|eligible for|ineligible for|evaluat\w+ for|consider\w*(?: for)?"
    r"|await\w*|before|prior to|bridge to|bridging to|towards?|referr\w+ (?:for|to)|work-?up for|scheduled for"
    r"|discuss\w*|pending|geplante?[rn]?|vor|never had|decline[sd]|avant|projet de|attente de|bilan (?:avant|pré\S*|de)"
    r"|candidate? à|prévue?|antes del?|espera del?|pendiente de|previo al?|candidat[oa] al?|prima del?|attesa d[ei]l?"
    r"|voor|gepland\w*|wacht op)"
    rf":?\s+{NEAR}\Z|\b(?:attente|projet) d['’]\Z|\bzur\s+\Z",
    re.IGNORECASE,
)
_NOT_DONE = re.compile(
    r"[\s,:(-]*(?:is |was |are )?(?:planned|not (?:planned|eligible|done|performed)|ineligible|scheduled|pending"
    r"|declined|geplant|vorgesehen|prévue?|programmée?|planifiée?|programad[oa]|previst[oa]|programmat[oa]"
    r"|gepland|refusée?|récusée?|abgelehnt"
    r"|rechazad[oa]|rifiutat[oa]|non (?:réalisée?|faite|eseguit[oa]|effettuat[oa]|indiquée?|prévue?)"
    r"|no (?:realizad[oa]|candidat[oa]|indicad[oa])|niet (?:verricht|uitgevoerd|mogelijk)|não realizad[oa]"
    r"|nicht (?:erfolgt|durchgeführt|möglich|geplant))\b"
    r"|\s+(?:candidate|evaluation|work-?up|donor(?!\s*:)|consult\w*|clinic|coordinator|unit)\b",
    re.IGNORECASE,
)
# The same, told of what is near: "evaluation for" one, and not "evaluation after" one.
_AIMED_AT = re.compile(
    r"\b(?:indication|recommend\w*|options?|aim\w*|goal|donor search|vorgesehen|evaluation|evaluierung"
    r"|abklärung|aufklärung"
    r"|spendersuche|ziel|wunsch|vorbereitung|indikation|empfehlung|anmeldung|angemeldet|ablehnung)"
    r":?\s+(?:(?!(?:after|post|following|since|nach|seit|zustand)\s)[\w-]+\s+){0,2}\Z|\bwunsch nach\s+\Z",
    re.IGNORECASE,
)
_ONLY_AIMED_AT = re.compile(
    r"[\s:(-]*(?:is |was |are |ist |wird |wurde )?(?:(?:am|im|für|for|in|on)\s+)?(?:[\d./-]+\s+)?"
    r"(?:planned|scheduled|geplant|vorgesehen|indicated|recommended|considered|discussed|advised|offered"
    r"|deferred|postponed"
    r"|cancell?ed|in planung|angestrebt|empfohlen|erwogen|besprochen|diskutiert|steht an|verschoben|abgesagt"
    r"|indiziert|evaluiert"
    r"|indiquée?|envisagée?|discutée?|proposée?|reportée?|annulée?|à (?:prévoir|discuter)|indicad[oa]"
    r"|propuest[oa]|aplazad[oa]"
    r"|pendiente|indicat[oa]|propost[oa]|in programma|da (?:eseguire|valutare)|geïndiceerd|overwogen|besproken"
    r"|uitgesteld"
    r"|adiad[oa])\b",
    re.IGNORECASE,
)
_FUSION = re.compile(r"pml|t\(15", re.IGNORECASE)  # the fusion of APL, which a text names where it was looked for too
_DENIAL = re.compile(
    r"\b(?:no|not|non|without|negative|absent|absence|excluded|ruled out|ohne|kein\w*|nicht|negativ)\b", re.IGNORECASE
)
DENIES_AHEAD = re.compile(r"\b(?:no|not|non|without|negative for|absence of|ohne|keine?|nicht)\b", re.IGNORECASE)
_ABERRATIONS = re.compile(
    r"(?:\s*(?:[,/&]|and|or|und|oder)?\s*(?:(?:t|inv|del)\([^()]*\)(?:\([^()]*\))?|\w+(?:::|[-/])\w+))+",
    re.IGNORECASE,
)


def is_no_aberration(words: str, start: int) -> bool:
    """Whether what stands around a chromosomal change denies it, alone or in a list: "t(8;21), inv(16): not found"."""
    before = CLAUSE.split(words[max(0, start - NEARBY) : start])[-1]
    listed = _ABERRATIONS.match(words, start, start + NEARBY)
    end = listed.end() if listed else start
    after = PART.split(words[end : end + NEARBY], maxsplit=1)[0]
    return DENIES_AHEAD.search(before) is not None or _DENIAL.search(after) is not None


def is_denied(words: str, start: int, end: int, key: str) -> bool:
    """Whether the words around a name deny it; the fusion of APL is denied by any word of its clause."""
    first = max(0, start - FAR)
    if REFUTES_AHEAD.search(words, max(0, start - NEARBY), start):
        return True
    if is_refuted(words, end) or (key not in AML and _DENIED.search(words, first, start)):
        return True
    is_after = words[start:end].lower().startswith("post")
    aimed_at = not is_after and _AIMED_AT.search(words, max(0, start - NEARBY), start)
    if key in GRAFTS and (aimed_at or _ONLY_AIMED_AT.match(words, end)):
        return True
    if key in GRAFTS and (_PLANNED.search(words, max(0, start - NEARBY), start) or _NOT_DONE.match(words, end)):
        return True
    return key == "apl" and bool(_FUSION.match(words, start)) and is_no_aberration(words, start)


def is_refuted(words: str, end: int) -> bool:
    """Whether what ends there is refuted by the word behind it, and not what follows that word."""
    found = _REFUTED.match(words, end)
    return found is not None and not ("," in found[0] and OF_WHAT_FOLLOWS.match(words, found.end()))
