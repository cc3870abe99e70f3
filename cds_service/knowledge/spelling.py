"""Spelling: the one spelling of a code system's name, a code and words, however a record writes them. The only place.

Records write OIDs with and without `urn:oid:`, http for https, a slash at the end, capitals, `www.`, a version behind a
bar, or the edition of SNOMED CT. None of these means another system.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
NDC = "http://hl7.org/fhir/sid/ndc"
ICD_O = "http://terminology.hl7.org/CodeSystem/icd-o-3"
HELD_WHOLE = frozenset({RXNORM, ATC})  # of other systems our tables hold some codes of our drugs, and not each
SPOKEN = {
    RXNORM: "RxNorm",
    ATC: "ATC",
    NDC: "NDC",
    SNOMED: "SNOMED CT",
    "http://hl7.org/fhir/sid/icd-10-cm": "ICD-10-CM",
    "http://hl7.org/fhir/sid/icd-10": "ICD-10",
    ICD_O: "ICD-O-3",
    "http://www.cms.gov/Medicare/Coding/ICD10": "ICD-10-PCS",
    "http://www.ama-assn.org/go/cpt": "CPT",
    "http://fhir.de/CodeSystem/bfarm/ops": "OPS",
}

_MORPHOLOGY = re.compile(r"(?:M[ -]?)?(\d{4})(?:/?(\d))?")
_MALIGNANT, _ELSEWHERE = "3", frozenset({"6", "9"})  # in its own place, and in another one or none that is told
_BARE_OID = re.compile(r"[012](?:\.\d+){3,}")
_ADDRESS = re.compile(r"https?://(?:www\.)?")
_KEPT = 1000  # spellings remembered: callers may invent any number of them
_LONGEST = 200  # letters of one


@dataclass(frozen=True)
class Systems:
    """The one spelling of each code system, by every other that is known."""

    known: Mapping[str, str]
    _met: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, aliases: Iterable[tuple[str, str]]) -> Systems:
        """From (alias, spelling) pairs; a spelling that has no alias stands beside itself."""
        pairs = tuple(aliases)
        known = {_folded(spelling): spelling for _, spelling in pairs}
        return cls(known | {_folded(alias): spelling for alias, spelling in pairs})

    def spelled(self, name: str | None) -> str:
        """The one spelling of that name; of a system that nobody knows, its name in small letters. "" for none."""
        if not name:
            return ""
        found = self._met.get(name)
        if found is None:
            found = self._spelled(name)
            if len(self._met) < _KEPT and len(name) <= _LONGEST:
                self._met[name] = found
        return found

    def _spelled(self, name: str) -> str:
        folded = _folded(name)
        if folded.startswith(("snomed.info/sct/", "snomed.info/xsct/")):
            return SNOMED
        return self.known.get(folded) or name.strip().partition("|")[0].rstrip("/").lower().replace("https:", "http:")


def _folded(name: str) -> str:
    plain = _ADDRESS.sub("", name.strip().lower().partition("|")[0].rstrip("/"), count=1)
    return f"urn:oid:{plain}" if _BARE_OID.fullmatch(plain) else plain


def drug_codes(system: str, code: str) -> tuple[str, ...]:
    """The spellings under which our tables may hold a drug's code: ATC in capitals, an NDC by labeler and product."""
    if system == NDC:
        return _ndc(code)
    return (code.upper(),) if system == ATC else ()


def _ndc(code: str) -> tuple[str, ...]:
    """An NDC by labeler and product: its package part is dropped, and the zeros of its eleven-digit form.

    Of ten digits without hyphens nobody can tell the parts for sure: each way to part them is looked up.
    """
    plain = code.strip()
    if plain.count("-") == 2:
        labeler, product, _ = plain.split("-")
        pairs = [(labeler, product)]
    elif plain.isdecimal() and len(plain) == 11:
        pairs = [(plain[:5], plain[5:9])]
    elif plain.isdecimal() and len(plain) == 10:
        pairs = [(plain[:4], plain[4:8]), (plain[:5], plain[5:8]), (plain[:5], plain[5:9])]
    else:
        return ()
    zeros = [(first.removeprefix("0"), second) for first, second in pairs]
    zeros += [(first, second.removeprefix("0")) for first, second in pairs]
    return tuple(dict.fromkeys("-".join(pair) for pair in (*pairs, *zeros)))


def icd(code: str) -> str:
    """An ICD-10 code in capitals, with its dot and without the marks of dagger and asterisk."""
    plain = code.strip().upper().rstrip("+*!#†")
    return f"{plain[:3]}.{plain[3:]}" if len(plain) > 3 and "." not in plain else plain


def morphology(code: str) -> str:
    """A morphology of ICD-O-3 with its behaviour behind a slash, and without the M before it; "" for what is none.

    A malignant growth is the same one where it has spread. One without behaviour stays so: the tables say what it is.
    """
    parts = _MORPHOLOGY.fullmatch(code.strip().upper())
    if parts is None:
        return ""
    kind, behaviour = parts[1], parts[2] or ""
    behaviour = _MALIGNANT if behaviour in _ELSEWHERE else behaviour
    return f"{kind}/{behaviour}" if behaviour else kind


def _letter(written: str) -> str:
    """The letter below an accent, where Latin has it as one letter with its mark; else the letter as it is."""
    apart = unicodedata.normalize("NFD", written)
    return apart[0] if len(apart) > 1 and apart[0].isascii() else written


_MARKED = {code: _letter(chr(code)) for code in range(0xC0, 0x250)}  # Latin letters with their marks
_MARKED[ord("’")] = "'"


# Marks within words that nobody sees: where a word may be parted, which way it is written, how letters join.
_UNSEEN = (0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF)
_WIDE = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}  # Latin letters as broad as Japanese ones
_NARROW = {**_WIDE, 0x3000: " "}
_JOINED = dict(zip(range(0xFB00, 0xFB05), ("ff", "fi", "fl", "ffi", "ffl"), strict=True))  # as print has them
_RAISED = {ord(raised): str(digit) for digit, raised in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
_HYPHENS = dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2212), "-")  # what word processors make of the key for it
_AS_SEEN: Mapping[int, str | None] = {
    **dict.fromkeys(_UNSEEN), **_WIDE, **_JOINED, **_RAISED, **_HYPHENS, 0x3000: " "
}  # fmt: skip


# Scripts that part no words, or join endings to them: a Latin name among their letters is a whole word.
WITHOUT_SPACES = (
    r"\u3005-\u3007\u3040-\u30ff\u3130-\u318f\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f"
)
# What our tables are not written in: one letter of those is a word, of other scripts two, and of Greek four, whose
# letters stand in Latin words ("αβ T cells"). What Python takes for a letter and is a number, a mark or a sign is none.
_LATIN = r"A-Za-z\u00aa\u00b5\u00ba\u00c0-\u024f\u1e00-\u1eff\uff21-\uff3a\uff41-\uff5a"
_GREEK = r"\u0370-\u03ff\u1f00-\u1fff"
_NO_LETTERS = (  # raised and lowered digits, fractions, circled digits, signs such as ℃, letters of formulas, sounds
    r"\u00b2\u00b3\u00b9\u00bc-\u00be\u0250-\u02ff\u2070-\u218f\u2460-\u24ff\u2776-\u2793\U0001d400-\U0001d7ff"
)
_POINT_BETWEEN = r"\u30a0\u30fb"  # of Japanese words, which stands as a bullet before others too
LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]{4}")  # one that may tell what a thing is
_UNREAD = re.compile(
    rf"(?![{_POINT_BETWEEN}])[{WITHOUT_SPACES}]|[{_GREEK}]{{4}}|[^\W\d_{_LATIN}{_GREEK}{_NO_LETTERS}]{{2}}"
)
_SHORT_GREEK = re.compile(rf"[{_GREEK}]{{3}}")  # "ΟΜΛ", which is AML, where no Latin letter stands beside it
_ANY_LATIN = re.compile(rf"[{_LATIN}]")


def is_of_unread_script(text: str) -> bool:
    """Whether a word stands in the text in a script in which we read none."""
    if text.isascii():
        return False
    return _UNREAD.search(text) is not None or (
        _SHORT_GREEK.search(text) is not None and _ANY_LATIN.search(text) is None
    )


def as_seen(text: str) -> str:
    """The text as it is seen: each accent part of its letter, no unseen marks within words, and plain letters."""
    return text if text.isascii() else unicodedata.normalize("NFC", text.translate(_AS_SEEN))


def narrow(text: str) -> str:
    """The text with its letters and digits no broader than Latin ones, and nothing else of it changed."""
    return text if text.isascii() else text.translate(_NARROW)


def plain(text: str) -> str:
    """The text in small letters, without accents and with one kind of apostrophe, each letter in its place.

    Of a capital i with a dot, Python's small letters make two characters.
    """
    small = text.lower()
    if small.isascii():
        return small
    return (small if len(small) == len(text) else text.replace("İ", "i").lower()).translate(_MARKED)


def any_of(words: Iterable[str]) -> str:
    """A pattern for the longest of these words that stands at a place. Common beginnings are looked at once."""
    root: dict[str, Any] = {}
    for word in words:
        node = root
        for letter in word:
            node = node.setdefault(letter, {})
        node[""] = {}
    return _branches(root) if root else "(?!)"


def _branches(node: dict[str, Any]) -> str:
    """The ways on from here; where a word may end, going on is tried first."""
    ways = [re.escape(letter) + _branches(after) for letter, after in node.items() if letter]
    if not ways:
        return ""
    joined = ways[0] if len(ways) == 1 and "" not in node else f"(?:{'|'.join(ways)})"
    return f"{joined}?" if "" in node else joined
