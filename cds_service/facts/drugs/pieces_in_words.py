"""Pieces in words: how many tablets or capsules an instruction counts for a dose, and what else it may count.

What is handed out, what changes from day to day and what leaves a choice is no number of pieces for a day.
"""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal

from cds_service.facts.drugs.amounts import plainly
from cds_service.facts.drugs.times_in_words import times_in, without_times
from cds_service.knowledge.terms import Terms
from cds_service.quantity import Quantity

IN_MG = re.compile(r"(?<![\d.,])(\d[\d.,]*)\s*mg\b(\s*(?:/|per\b)\s*(?!d\b|day)\w)?", re.IGNORECASE)
WORDS = "two|three|four|five|six|seven|eight|nine|ten"
# The same in other languages, without those that mean something else in another one ("due", "sept").
ABROAD = (
    "zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|deux|trois|quatre|cinq|huit|neuf|dix|dos|tres|cuatro|cinco|seis|siete"
    "|ocho|nueve|diez|tre|quattro|cinque|otto|nove|dieci|twee|drie|vijf|zes|zeven|negen|tien|dois|duas|três|quatro|sete"
    "|oito|dez|halbe?[nr]?|demie?|medi[oa]|mezz[oa]|meia"
)
PIECE = r"(?:tab|tbl|cap|cáp|kaps|kps|pill|gél|compr|drag|stück|stk|stuk|cpr|cps)"
SPAN = r"(?:d|days?|weeks?|months?|cycles?|doses?|h|hrs?|hours?|tage?)\b"
_TAKEN = re.compile(rf"(?<![\w.,/-])(\d+|one|{WORDS})\s*{PIECE}", re.IGNORECASE)
_WHOLE_PIECES = re.compile(rf"{_TAKEN.pattern}\w*(?:\((?:s|n|en)\))?\.?", re.IGNORECASE)
_PIECES_A_DAY = re.compile(
    rf"{_WHOLE_PIECES.pattern}\s*(?:/\s*|per\s+|an?\s+|each\s+|pro\s+|am\s+|par\s+|al\s+|por\s+|ao\s+)"
    r"(?:day|tag|jour|d[ií]a|giorno|dag)\b",
    re.IGNORECASE,
)
_SAID_TWICE = re.compile(rf"(?<![\d.,])(\d+)\s*\((one|{WORDS})\)", re.IGNORECASE)
_BETWEEN_WORDS = re.compile(r"[\s,;:()]+")
# What a text counts that is taken in more than a day, or not at all; and where it leaves a choice.
_NOT_OF_A_DAY = re.compile(
    r"\b(?:dispense\w*|supply|qty|quantity|refills?|cycles?|courses?|weeks?|months?)\b", re.IGNORECASE
)
_TAKE = r"(?:takes?|give|swallow|nehmen|prendre|tomar|prendere|innemen)"
# What is handed out, which is no dose: to the end of the sentence, or to where it is told how it is taken.
_HANDED_OUT = re.compile(
    r"\b(?:disp(?:ens\w*)?|qty|quantity|(?:mitte|abgabe)(?=[\s:]{1,3}(?:von\s)?\d))\b"
    rf"(?:(?![;\n]|[.](?!\d)|\b(?:sig\b|s:|{_TAKE}\b)).)*"
    rf"|(?<!take\s)(?<!give\s)[#№]\s*\d+(?:\s*{PIECE}\w*)?",
    re.IGNORECASE,
)
_SUPPLIED = re.compile(r"\b(?:supply|refills?)\b", re.IGNORECASE)  # a part of the text is of nothing else
_PACK = (
    r"(?:(?:bottles?|blisters?|box(?:es)?|packs?|packages?)(?=\s+(?:of|with))|packung\w*|schachtel\w*"
    r"|boîtes?|flacons?|envases?|cajas?|frascos?|confezion[ei]|scatol[ae]|verpakking\w*|doos|embalage(?:m|ns)|caixas?"
    r"|N[1-3])\b"
)
# A pack with what is in it: "1 bottle of 30 tablets", "N3 112 Tabletten", "112 Tabletten (1 Packung)".
_OF_A_PACK = re.compile(
    rf"(?:\b\d+\s*{PIECE}\w*(?:\s*[(/]\s*|\s+(?:par|pro|per|je|por)\s+))?(?:\b\d+\s*)?\b{_PACK}"
    rf"(?:\s*[:(]?\s*(?:(?:of|with|mit|zu|von|à|de|con|da|di|van|met|com)\s+\d+|\d\d+)(?:\s*{PIECE}\w*)?)?",
    re.IGNORECASE,
)
_PACK_TAKEN = re.compile(rf"\b{_TAKE}\s+(?:\w+\s+){{0,3}}?{_PACK}", re.IGNORECASE)  # "take 1 pack of 4 tablets"
_NUMBER = re.compile(r"\d\d+")  # smaller ones stand in many places
_SENTENCES = re.compile(r"[;\n]|[.](?!\d)")
_PARTS = re.compile(r"[;\n]|[.,](?!\d)")
_CHOICE = re.compile(r"\b(?:or|oder)\b", re.IGNORECASE)
# A number in the words of another language that counts neither times nor days, so that it may count pieces.
_LONE = re.compile(
    rf"\b(?:{ABROAD})\b(?!\s*(?:mal|fois|ve[zc]|volt|{SPAN}|stunden|wochen?|monate|heures|jours?"
    rf"|semaines?|mois|horas"
    r"|d[ií]as|semanas|meses|ore|giorni|settimane|mesi|uur|dagen|weken|maanden)\b)",
    re.IGNORECASE,
)
_RANGE = re.compile(
    rf"(?:\d|\b(?:one|{WORDS}|ein\w*|une?|un[ao]|um|uma|een|{ABROAD}|due))\s*"
    rf"(?:[-–—/]|\b(?:to|or|bis|oder|à|a|ou|o|of|tot|até|e|y|et|und|and|en))\s*(?:\d[\d.,]*|{WORDS}"
    rf"|{ABROAD}|due)\s*{PIECE}",
    re.IGNORECASE,
)
# What says that it goes up in steps.
STEPS = (
    r"increas\w*|titrat\w*|titul\w*|ramp\w*|reduc\w*|taper\w*|steiger\w*|erhöh\w*|reduzier\w*|ausschleich\w*"
    r"|augment\w*|réduire|rédui\w*|diminu\w*|aument\w*|subir|bajar|ridu\w*|verhog\w*|afbouw\w*|opbouw\w*"
)
# What says that it is not the same every day, or not always taken.
_CHANGES = re.compile(
    rf"\b(?:{STEPS}|then|dann|danach|anschließend|puis|ensuite|luego|después|poi|dopo|daarna|vervolgens|depois"
    r"|until|till|jusqu\w*|hasta|fino|tot|até|additional|extra|more(?! than)|zusätzlich|supplémentaires?|además"
    r"|adicional\w*"
    r"|first|erste\w*|premiers?|premières?|primer\w*|primi|eerste|(?:days?|tag|jour|día|giorno|dag) \d+"
    r"|other day|alternat\w*|altern[eoi]\w*|wechsel|zweiten tag|dritten tag|alle \w+ tage"
    r"|tous les \w+ jours|jours? sur"
    r"|cada \w+ d[ií]as|ogni \w+ giorni|om de dag|as needed|prn|if needed|bedarf|besoin|precis[ae]"
    r"|demanda|necesari\w*"
    r"|necesidad|bisogno|occorrenza|nodig|necessári\w*|max\w*|máx\w*|höchstens|up to|bis zu|instead|statt|was"
    r"|(?<!starting )(?<!start )(?<!starting on )(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
    r"|(?:mon|diens|donners|frei|sams|sonn)tags?|mittwochs?"
    r"|(?:lun|mar|mercre|jeu|vendre|same)di|dimanche|lunes|martes|miércoles|jueves|viernes|sábados?"
    r"|domingos?|luned[iì]"
    r"|marted[iì]|mercoled[iì]|gioved[iì]|venerd[iì]|sabato|domenica|maandag|dinsdag|woensdag|donderdag"
    r"|vrijdag|zaterdag"
    r"|zondag|segundas?|terças?|quartas?|quintas?|sextas?|mo|mi|fr|weekdays?|woche\w*|semaines?|semanas?"
    r"|settiman\w+|wek\w*)"
    rf"\b|(?:\bplus\b|\+)\s*(?:\w+\s+){{0,2}}?(?:\d|{PIECE}|one\b|half\b|dos[ei]|(?:morning|evening|night|noon|bed)"
    rf"|(?:{WORDS}|{ABROAD})\b)",
    re.IGNORECASE,
)
# All that may stand beside the pieces of a dose, so that nothing else can be meant: who takes them, how and when.
_BESIDE_PIECES = re.compile(
    r"(?:takes?|give|swallow|po|p\.?o\.?|per|os|by|mouth|oral(?:ly)?|with|without|after|before|an?|the|food|meals?|water"
    r"|breakfast|dinner|lunch|in|at|on|empty|stomach|mornings?|evenings?|night|nightly|noon|bedtime|am|pm|qam|qpm|qhs"
    r"|once|twice|thrice|times|daily|every|each|day|q\d*[dh]|qd|bid|tid|qid|b\.i\.d|t\.i\.d|x"
    r"|nehmen|einnehmen|sie|täglich|tgl|tag|jeden|morgens|abends|mittags|nachts|zum|zur|mit|nach|vor|dem|essen|wasser"
    r"|mahlzeit|frühstück|ein-?mal|zwei-?mal|drei-?mal|mal"
    r"|prendre|par|voie|orale|jour|fois|chaque|le|matin|soir|midi|avec|repas"
    r"|tomar|por|vía|oral|al|día|vez|veces|cada|la|mañana|noche|con|comidas?"
    r"|prendere|via|giorno|volt[ae]|il|mattino|mattina|sera|pasti"
    r"|innemen|daags|dagelijks|dag|bij|het|ontbijt|eten|keer|maal|dia|vezes|manhã|refeições)\.?",
    re.IGNORECASE,
)
_SAYS_TO_TAKE = re.compile(rf"\b{_TAKE}\b", re.IGNORECASE)
# What makes another thing of the pieces behind it: "with 4 tablets", and behind a frequency "daily, 112 tablets".
_NOT_THE_DOSE = re.compile(r"\b(?:with|without|after|before|mit|nach|vor|avec|con|met)\s*$", re.IGNORECASE)
_APART = re.compile(r"[,.;(\n]\s*$")
_PIECES = {name: Decimal(count) for count, name in enumerate(("one", *WORDS.split("|")), 1)}


def said_once(text: str) -> str:
    """The text without a number in words behind the same number in figures: "4 (four) tablets"."""
    return _SAID_TWICE.sub(lambda twice: twice[1] if count_of(twice[1]) == count_of(twice[2]) else twice[0], text)


def daily_pieces(text: str, strength: Decimal, terms: Terms) -> Quantity | None:
    """A dose written as "4 tablets once daily": one number of pieces, of that strength, and one frequency.

    "4 tablets a day" are those of the whole day.
    """
    text = without_packs(text, terms)
    counted, times = pieces_in(text), times_in(text, terms)
    if times is None and _PIECES_A_DAY.search(text) and times_in(_PIECES_A_DAY.sub(" daily", text), terms) == 1:
        times = Decimal(1)
    if counted is None or times is None or any(each.search(text) for each in (_CHANGES, _RANGE)):
        return None
    if has_lone_number(text):
        return None
    if len(_TAKEN.findall(text)) not in (1, times):  # "1 tablet daily in the morning, 1 tablet daily at noon"
        return None
    return Quantity(counted * strength * times, "mg/d")


def leaves_a_choice(text: str) -> bool:
    """Whether the words name one thing or another."""
    return _CHOICE.search(text) is not None


def is_of_many_days(text: str) -> bool:
    """Whether the words count what is taken in more than a day, or what is not taken at all."""
    return _NOT_OF_A_DAY.search(text) is not None


def has_lone_number(text: str) -> bool:
    """Whether a number in the words of another language may count pieces."""
    return _LONE.search(without_times(text)) is not None


def count_of(written: str) -> Decimal | None:
    """The number, in figures or in words; None where a mark may part thousands or decimals."""
    return _PIECES.get(written.lower()) or plainly(written)


def pieces_in(text: str) -> Decimal | None:
    """How many pieces a text says are taken each time, where it names one number of them and no amount."""
    if IN_MG.search(text) or _CHOICE.search(text) or _NOT_OF_A_DAY.search(text):
        return None
    counts = {count_of(match[1]) for match in _TAKEN.finditer(text)}
    return counts.pop() if len(counts) == 1 else None


def says_pieces(text: str, terms: Terms) -> bool:
    """Whether the words say how many pieces are taken, and nothing else that could be counted so."""
    taken = _TAKEN.search(text)
    if taken is None or len(_TAKEN.findall(text)) != 1:
        return False
    before = text[: taken.start()]
    if _NOT_THE_DOSE.search(before) or (_APART.search(before) and times_in(before, terms) is not None):
        return False
    if not any(_TAKEN.search(each) and _is_taken(each, terms) for each in _SENTENCES.split(text)):
        return False
    rest = _WHOLE_PIECES.sub(" ", without_times(text))
    return all(map(_BESIDE_PIECES.fullmatch, _BETWEEN_WORDS.split(rest.strip(" .,;:()\n\t"))))


def without_packs(text: str, terms: Terms) -> str:
    """The text without what it says of packs and of how many pieces are handed out.

    Beside words that count what is not of a day, pieces stay only with a frequency or with a word that says to take
    them. Where a number of pieces stands in what is left and in what is not, nobody can tell them apart: all stays.
    """
    if not any(each.search(text) for each in (_HANDED_OUT, _SUPPLIED, _OF_A_PACK)):
        return text
    used = _HANDED_OUT.sub(_behind, text)
    used = used if _PACK_TAKEN.search(used) else _OF_A_PACK.sub(" ", used)
    parts = _PARTS.split(used)
    if any(_SUPPLIED.search(part) and _TAKEN.search(part) for part in parts):
        return text
    if is_of_many_days(text):
        parts = [part for part in parts if _SUPPLIED.search(part) is None]
        used = ", ".join(part for part in parts if _TAKEN.search(part) is None or _is_taken(part, terms))
    gone = Counter(_NUMBER.findall(text)) - Counter(_NUMBER.findall(used))
    return text if any(count in gone for count in _TAKEN.findall(used)) else used


def _behind(handed_out: re.Match[str]) -> str:
    """What stands behind what is handed out: "disp #112, 4 tablets at bedtime". More pieces may be those of a pack."""
    said = handed_out[0]
    further = (each for each in _TAKEN.finditer(said) if _NUMBER.search(said, 0, each.start()))
    found = next((each for each in further if len(each[1]) == 1), None)
    return ", " + said[found.start() :] if found is not None else " "


def _is_taken(part: str, terms: Terms) -> bool:
    return _SAYS_TO_TAKE.search(part) is not None or times_in(part, terms) is not None


def varies(text: str) -> bool:
    """Whether the words say that it changes, leave a choice, or count something else than what is taken in a day."""
    return any(each.search(text) for each in (_CHANGES, _RANGE, _CHOICE, _NOT_OF_A_DAY))


def counts_in_words(text: str) -> bool:
    """Whether a number in words, or a half, may count pieces."""
    return _LONE.search(text) is not None or re.search(rf"[½¼¾]|\b(?:due|{WORDS})\b", text, re.IGNORECASE) is not None
