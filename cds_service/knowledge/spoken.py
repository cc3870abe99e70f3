"""Topics, kinds of effects and verification states as one speaks of them."""

from __future__ import annotations

import re

from cds_service.knowledge.model import Verification

STATES = {
    Verification.LABEL: "read in the label",
    Verification.LITERATURE: "read in the paper",
    Verification.SECONDARY: "read in a text that restates it: confirm on the current label",
    Verification.RECALLED: "not read: confirm on the current label",
    Verification.POLICY: "service default, not from a source",
}
_CAPITALS = {
    "rr": "RR", "fridericia": "Fridericia", "bazett": "Bazett", "ecog": "ECOG",
    "qtc": "QTc", "qt": "QT", "ecg": "ECG", "wbc": "white cells", "tls": "tumour lysis", "cyp3a": "CYP3A",
    "pgp": "P-gp", "uln": "upper limit", "alt": "ALT", "ast": "AST", "anc": "ANC", "inr": "INR", "hla": "HLA",
    "pres": "PRES", "5ht2b": "5-HT2B", "lvef": "LVEF", "hsct": "HSCT", "cd33": "CD33", "ck": "CK",
}  # fmt: skip


def topic_words(name: str) -> str:
    """The name of a topic as it is spoken: "qtc_hold_above" is "QTc hold above"."""
    return " ".join(_CAPITALS.get(word, word) for word in re.split("[_-]", name))
