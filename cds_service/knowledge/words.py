"""Words: tables of words, found in texts as whole words, the longest first, with and without accents."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from cds_service.kept import Kept, by_digest, is_short
from cds_service.knowledge import spelling
from cds_service.knowledge.spelling import LATIN_WORD as LATIN_WORD  # readers of facts ask for words here
from cds_service.knowledge.spelling import as_seen as as_seen
from cds_service.knowledge.spelling import is_of_unread_script as is_of_unread_script
from cds_service.knowledge.spelling import narrow as narrow
from cds_service.knowledge.spelling import plain

_TEXTS = 500  # whose words a table remembers; what is made of a whole concept is kept by those who read it
Span = tuple[int, int, str]  # where an entry begins and ends in a text, and its value


# Where an entry may begin and end: a hyphen makes it part of a longer word, a letter of a script without spaces not.
BEGIN = rf"(?<![^\W{spelling.WITHOUT_SPACES}])(?<!-)"
END = rf"(?:(?<=')|(?!-)(?![^\W{spelling.WITHOUT_SPACES}]))"  # "suspicion d'" ends where its noun begins

# German writes the name of a course and what it is as one word: "FLAG-IDA-Schema", and not "FLAG-IDA-blockade".
_OF_A_COURSE = (
    r"therap(?:ie|y)|schem[ae]|proto[ck]oll?|zyklus|zyklen|regim|chemo|behandlung|kurs?|bl(?:o|ö|oe)ck|(?:re-?)?indu[kc]tion"
    r"|[ck]onsolid(?:ierung|ation)|salvage|plan|beginn|cycle|course"
)
END_OF_COURSE = (
    rf"(?:{END}|(?=-(?:(?:{_OF_A_COURSE})(?:e[ns]?|s|n|ns|ens|ta|ies|o)?-?){{1,3}}(?:\d{{1,2}})?{END})"
    rf"|(?=-(?:basiert\w*|based){END}))"
)


class Words:
    """A table of words: finds the first entry (longest first) that stands in a text as whole words.

    What stands in a short text is kept, and not the text: records use the same words all day.
    """

    def __init__(self, entries: Iterable[tuple[str, str]], begin: str = BEGIN, end: str = END) -> None:
        self._values = {plain(words): value for words, value in entries}
        self._pattern = re.compile(f"{begin}{spelling.any_of(self._values)}{end}")  # of a plain text
        self._spans: Kept[bytes, tuple[Span, ...]] = Kept(_TEXTS)
        self._told: Kept[bytes, tuple[str, ...]] = Kept(_TEXTS)

    @property
    def values(self) -> frozenset[str]:
        """Everything that the entries stand for."""
        return frozenset(self._values.values())

    def find(self, text: str) -> str | None:
        """The value of the first entry in the text, None when there is none."""
        if not is_short(text):
            return next((value for _, _, value in self._search(text)), None)
        found = self.spans(text)
        return found[0][2] if found else None

    def without(self, text: str) -> str:
        """The text in small letters and without accents, and without every entry that stands in it."""
        return self._pattern.sub(" ", plain(text))

    def holds(self, word: str) -> bool:
        """Whether the word is an entry by itself."""
        return plain(word) in self._values

    def find_all(self, text: str) -> tuple[str, ...]:
        """The values of all entries in the text, each once, in order."""
        known = by_digest(text)
        told = self._told.get(known)
        if told is None:
            told = self._told.keep(known, tuple(dict.fromkeys(value for _, _, value in self._search(text))), text)
        return told

    def places(self, text: str) -> Iterator[tuple[int, str]]:
        """Where each entry begins in the text, and its value."""
        return ((start, value) for start, _, value in self.spans(text))

    def spans(self, text: str) -> tuple[Span, ...]:
        """Where each entry begins and ends in the text, and its value."""
        known = by_digest(text)
        found = self._spans.get(known)
        if found is None:
            found = self._spans.keep(known, tuple(self._search(text)), text)
        return found

    def _search(self, text: str) -> Iterator[Span]:
        return ((m.start(), m.end(), self._values[m.group()]) for m in self._pattern.finditer(plain(text)))

    @property
    def entries(self) -> frozenset[str]:
        """Every entry, in small letters and without accents."""
        return frozenset(self._values)
