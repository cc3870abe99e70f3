"""ECGs in words: an impression that states one QTc and nothing else is read; one that says more is only said."""

from __future__ import annotations

import re

from cds_service.facts.concepts import Wording, told_once, wording
from cds_service.facts.values.ecg_names import FORMULAS, UNSPECIFIED, Name, qtc_words
from cds_service.facts.values.lab_names import observed
from cds_service.facts.values.results import Reading
from cds_service.facts.values.written import Written, written
from cds_service.gather.views import Component
from cds_service.knowledge.words import as_seen, is_of_unread_script

IN_WORDS = "ecg_words"  # it speaks of a QTc, and cannot be read
NOT_READ = "told in words that say more than one QTc, which were not read"
_FROM_WORDS = "read from the words of an ECG"
_TOLD = re.compile(
    r"(?P<name>[^\d<>≤≥]+?)[:=]?\s*(?P<number>(?:[<>]=?|[≤≥])?\s*\d[^()]*?)\s*(?:\((?P<formula>[^()\d]+)\))?\.?"
)
_GLUED = re.compile(r"\bqtc[fb]?(?=\d{3}(?!\d))", re.IGNORECASE)  # "QTcF512ms"
_WITH_NUMBER = re.compile(r"\bqt[^\d;|,、。]{0,20}(?:\d{3}|[01][.,]\d{2,3})(?!\d)", re.IGNORECASE)
_ECG = re.compile("心電図|心电图|心電圖|심전도|экг|ηκγ", re.IGNORECASE)  # the name of a report of an ECG
_LONGEST = 80  # characters; what states one QTc is short
_HARMLESS = frozenset({"interval", "is", "of", "by", "formula", "correction", "corrected", "method", "after", "time"})
_WORD = re.compile(r"[^\W\d_]+")


def spoken(part: Component, reading: Reading, *, of_ecgs: bool = False) -> Name | None:
    """What a report of an ECG in words says of the QTc; None where it is no such report or says nothing of it.

    A note under a name that is not read ("no history of a long QTc") is a report where a number stands beside the QTc,
    where its name speaks of an ECG, or where it came as one of the ECGs (`of_ecgs`).
    """
    text = as_seen(part.valueString or "")
    if not text or part.code is None or "qt" not in text.lower():
        return None
    name = wording(part.code, reading.terms)
    of_ecgs = of_ecgs or _ECG.search(name.words) is not None or _WITH_NUMBER.search(text) is not None
    if not is_report(name) or (_is_unread(name) and not of_ecgs):
        return None
    text = _GLUED.sub(r"\g<0> ", text)
    table = reading.terms.words["qtc"]
    if not {*table.find_all(text)} - {"other"}:
        return None
    told = _TOLD.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    number = written(told["number"]) if told else ""
    beside = f"{told['name']} | {told['formula'] or ''}" if told else ""
    said = set(table.find_all(beside))
    rest = (word.lower() for word in _WORD.findall(table.without(beside)))
    plain = said and "other" not in said and len(said & FORMULAS) < 2 and all(word in _HARMLESS for word in rest)
    if told is None or not plain or not isinstance(number, Written) or _is_unread(name):
        return Name(IN_WORDS)
    key = next(iter(said & FORMULAS), UNSPECIFIED)
    return Name(key, (), (_FROM_WORDS,), Component(valueString=told["number"]))


@told_once
def is_report(said: Wording) -> bool:
    """Whether its name is that of an ECG told in words, or of a QTc; or a code without words that says nothing here.

    A name in a script that is not read may be that of an ECG.
    """
    if qtc_words(said):
        return "other" not in qtc_words(said)
    if not said.words:
        return not observed(said)
    return said.terms.words["ecg report"].find(said.words) is not None or _is_unread(said)


def _is_unread(said: Wording) -> bool:
    """Whether its name is in a script that is not read, and no code says what it is: it may be that of an ECG."""
    if not is_of_unread_script(said.words) or said.terms.words["ecg report"].find(said.words) or qtc_words(said):
        return False
    return not observed(said)
