"""Topics, kinds of effects and verification states as one speaks of them."""

from __future__ import annotations

import re
from typing import Any

from cds_service.knowledge.model import Statement, Verification

STATES = {
    Verification.LABEL: "read in the label",
    Verification.LITERATURE: "read in the paper",
    Verification.SECONDARY: "read in a text that restates it: confirm on the current label",
    Verification.RECALLED: "not read: confirm on the current label",
    Verification.POLICY: "service default, not from a source",
}
ON_THE_LABEL = "confirm on the current label"
_PAPERS = frozenset({"trial", "guideline", "review"})
_LABELS = frozenset({"label", "regulator", "regulator-list", "compendium"})  # or a text that restates one
_NO_DRUGS = frozenset({"pathway", "policy", "signs"})  # what a statement is about, where it is no drug
_OPTION = "option "
_CAPITALS = {
    "rr": "RR", "fridericia": "Fridericia", "bazett": "Bazett", "ecog": "ECOG",
    "qtc": "QTc", "qt": "QT", "ecg": "ECG", "wbc": "white cells", "tls": "tumour lysis", "cyp3a": "CYP3A",
    "pgp": "P-gp", "uln": "upper limit", "alt": "ALT", "ast": "AST", "anc": "ANC", "inr": "INR", "hla": "HLA",
    "pres": "PRES", "5ht2b": "5-HT2B", "lvef": "LVEF", "hsct": "HSCT", "cd33": "CD33", "ck": "CK",
    "bcrp": "BCRP", "oct1": "OCT1", "oatp1b": "OATP1B", "cyp2c9": "CYP2C9", "cda": "cytidine deaminase",
    "cockcroft": "Cockcroft", "gault": "Gault", "sos": "SOS", "vod": "VOD", "h2": "H2",
}  # fmt: skip
_PHRASES = {"child pugh": "Child–Pugh", "Cockcroft Gault": "Cockcroft–Gault", "SOS VOD": "SOS/VOD"}
_AFFECTED = {
    "pgp": "drugs that P-gp carries", "bcrp": "drugs that BCRP carries", "oct1": "drugs that OCT1 carries",
    "oatp1b": "drugs that OATP1B carries", "cyp3a-substrate": "drugs that CYP3A breaks down",
    "cyp2c9-substrate": "drugs that CYP2C9 breaks down", "contraceptive": "hormonal contraception",
    "cda-substrate": "drugs that cytidine deaminase breaks down",
}  # fmt: skip
_GRADES = {"boxed": "a boxed warning", "warning": "a warning", "reported": "reported"}


def verified_words(statement: Statement[Any]) -> str:
    """How well a statement was verified; what papers alone say, and of no drug of ours, no label could confirm."""
    words = STATES[statement.verification]
    of_no_drug = statement.about in _NO_DRUGS or statement.about.startswith(_OPTION)
    papers = all(each.reference.kind in _PAPERS for each in statement.sources)
    return words.replace(ON_THE_LABEL, "confirm in the paper") if of_no_drug and papers else words


def borrowed_words(statement: Statement[Any]) -> str:
    """What a statement of another place stands in: "US label", "review", "from memory"; "" where it is of this one."""
    if not statement.foreign:
        return ""
    if statement.verification is Verification.RECALLED:
        return "from memory"
    first = next((each.reference for each in statement.sources if each.reference.kind != "policy"), None)
    if first is None or first.kind in _LABELS:
        own = first is not None and first.jurisdiction in statement.jurisdictions
        return f"{first.jurisdiction if first is not None and own else statement.foreign} label"
    return f"{statement.foreign} label by a digest" if first.kind == "digest" else first.kind


def topic_words(name: str) -> str:
    """The name of a topic as it is spoken: "qtc_hold_above" is "QTc hold above"."""
    words = " ".join(_CAPITALS.get(word, word) for word in re.split("[_-]", name))
    for written, said in _PHRASES.items():
        words = words.replace(written, said)
    return words


def what_words(topic: str, qualifier: str) -> str:
    """What a statement is of, as it is spoken: "what it does to drugs that BCRP carries", "renal action (mild)"."""
    if topic == "affects":
        return f"what it does to {_AFFECTED.get(qualifier, qualifier)}"
    told = topic_words(qualifier) if re.fullmatch("[a-z0-9_-]+", qualifier) else qualifier
    return f"{topic_words(topic)} ({told})" if told else topic_words(topic)


def value_words(topic: str, value: str) -> str:
    """The value of a statement as it is spoken: "prolongs it (a warning)" for "prolongs (warning)" of the QT."""
    does, _, grade = value.rstrip(")").partition(" (")
    return f"{does} it ({_GRADES[grade]})" if topic == "qt" and grade in _GRADES else value
